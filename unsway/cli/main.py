"""The command line: thin verbs over Python functions.

Verbs that print a table have `--format`; other verbs that show something have `--json`. Errors are one message on
stderr and exit code 1; a wrong option is click's own message and exit code 2. Every verb takes `-q` and `-v`, and reads
its options also from the environment. Heavy libraries are imported inside the verbs, so `--help` is quick.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from unsway.errors import UnswayError

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "UNSWAY"}
LOUDNESS = "unsway.loudness"
"""Key of click's context for the verbosity."""


VERBS = {
    "Get started": "demo biases sources list",
    "Measure": "plan measure run import served status ls view",
    "Numbers and pages": "table report show diff figure slides",
    "Train": "data train export effects",
    "What replies say": "judge verdicts monitor interrogate label requests reread",
    "Plan and decide": "forecast score next note decided week",
    "Share": "push pull",
}
"""The verbs under the headings of the help page; other verbs come after them."""


def write_sections(
    formatter: click.HelpFormatter, rows: Mapping[str, tuple[str, str]], sections: Mapping[str, str], others: str
) -> None:
    """Rows of a help page by name under headings, then the others; all in the same two columns."""
    width = min(30, max((len(term) for term, _ in rows.values()), default=0))
    remaining = {name: (term.ljust(width), text) for name, (term, text) in rows.items()}
    for heading, names in sections.items():
        if section_rows := [remaining.pop(name) for name in names.split() if name in remaining]:
            with formatter.section(heading):
                formatter.write_dl(section_rows)
    if remaining:
        with formatter.section(others):
            formatter.write_dl(list(remaining.values()))


def loudness_options() -> list[click.Parameter]:
    """`-q` and `-v`, allowed before and after a verb; the last one given counts."""

    def choose(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            from unsway import logs

            context.meta[LOUDNESS] = parameter.name
            logs.show(context.meta[LOUDNESS])
            if parameter.name == "quiet":
                warnings.simplefilter("ignore")  # warnings of libraries

    help_of = {
        "quiet": "Print only results and errors.",
        "verbose": "Print times, every call, and where errors come from.",
    }
    common: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": choose}
    return [click.Option([f"-{name[0]}", f"--{name}"], help=text, **common) for name, text in help_of.items()]


def write_all(stream: TextIOWrapper) -> None:
    """Let a stream accept characters that its encoding lacks, such as the minus sign.

    A file or a pipe gets UTF-8 (Windows would choose another encoding), a terminal and PYTHONIOENCODING get escapes.
    """
    try:
        "−→…".encode(stream.encoding)
    except UnicodeEncodeError:
        if stream.isatty() or "PYTHONIOENCODING" in os.environ:
            stream.reconfigure(errors="backslashreplace")
        else:
            stream.reconfigure(encoding="utf-8")


class CommonVerb(click.Command):
    """Takes `-q` and `-v`, and each option also from the environment, as UNSWAY_VERB_OPTION."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += loudness_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Derive variable names from the options as users write them, not from our parameters' names."""
        options = [option for option in self.params if isinstance(option, click.Option) and ctx.auto_envvar_prefix]
        for option in options:
            flag = max(option.opts, key=len)
            flag_name = flag.removeprefix("--") if flag.startswith("--") else option.name or ""
            option.envvar = f"{ctx.auto_envvar_prefix}_{flag_name}".upper().replace("-", "_")
        return super().parse_args(ctx, args)


class Sectioned(CommonVerb):
    """A verb whose help has its options under headings."""

    def __init__(self, *args: Any, sections: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section; options in no section come last."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        records = {option.name or "": option.get_help_record(ctx) for option in options}
        write_sections(formatter, {name: row for name, row in records.items() if row}, self.sections, "Other options")


class Group(click.Group):
    """Prints our own errors as a message instead of a traceback."""

    group_class = type
    command_class = CommonVerb

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program, on streams that accept every character of numbers and replies.

        An unexplained system error becomes its message and exit code 1; click handles a closed pipe itself.
        """
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:  # closed by the parent process
                setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # as long as the program
        if os.environ.get("COLUMNS") == "0":  # unknown width, with which rich would print nothing
            del os.environ["COLUMNS"]
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                write_all(stream)
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            from logging import getLogger

            getLogger(__name__).debug("%s", type(error).__name__, exc_info=error)
            click.echo(f"Error: {error}. Mend that and run the same again; everything done so far is kept.", err=True)
            sys.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs under headings, each with its whole first sentence."""
        rows = {name: (name, self.commands[name].get_short_help_str(1000)) for name in self.list_commands(ctx)}
        write_sections(formatter, rows, VERBS if self is main else {}, "Commands")

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; one of our errors becomes its message and exit code 1."""
        try:
            return super().invoke(ctx)
        except click.BadParameter as error:
            source = error.ctx and error.param and error.ctx.get_parameter_source(error.param.name or "")
            if error.param and source is ParameterSource.ENVIRONMENT:
                error.param_hint = f"{error.param.opts[-1]} (from {error.param.envvar})"
            raise
        except UnswayError as error:
            from logging import getLogger

            getLogger(__name__).debug("%s", type(error).__name__, exc_info=error)
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted. Everything done so far is kept; run the same again to go on.", err=True)
            sys.exit(130)


@click.group(cls=Group, context_settings=CONTEXT)
@click.version_option(package_name="unsway")
@click.pass_context
def main(context: click.Context) -> None:
    """Measure what sways a language model's reasoning, and train it away."""
    from unsway import logs  # imports logging, which the help does not need

    logs.show(context.meta.get(LOUDNESS, "normal"))
    # PEFT uses a deprecated name of transformers; users cannot act on that warning
    warnings.filterwarnings("ignore", message=".is_gradient_checkpointing. is deprecated", category=FutureWarning)


main.params += loudness_options()
