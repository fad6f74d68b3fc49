"""The command line: thin verbs over the functions that one would call from Python.

Every verb that prints a table has `--format`, and every other that shows something `--json`. Errors are one message on
stderr and exit code 1; a wrong option is click's own message and exit code 2. Heavy libraries load inside the verbs, so
that `--help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from unsway import logs
from unsway.errors import UnswayError

Verb = TypeVar("Verb", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Group(click.Group):
    """Says our own errors in one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; an error of ours becomes its message and exit code 1."""
        try:
            return super().invoke(ctx)
        except UnswayError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted. Everything done so far is kept; run the same again to go on.", err=True)
            sys.exit(130)


@click.group(cls=Group, context_settings=CONTEXT)
@click.version_option(package_name="unsway")
def main() -> None:
    """Measure what sways a language model's reasoning, and train it away."""
    logs.show()
