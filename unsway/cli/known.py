"""What has a name and can be listed, and the type of options that take such names: the shell completes them.

@click.option("--biases", type=known("biases"), ...)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from unsway.registry import Registry

    TextType = click.ParamType[str]
else:
    TextType = click.ParamType  # takes no type before click 8.4

REGISTRIES = {
    "backends": "unsway.backends",
    "biases": "unsway.biases.registry",
    "effects": "unsway.effects.definition",
    "elicitations": "unsway.prompts.elicitations",
    "engines": "unsway.models.engines.base",
    "interventions": "unsway.interventions:kinds",
    "methods": "unsway.training.methods",
    "readers": "unsway.readers",
    "rubrics": "unsway.judging.rubrics",
    "sources": "unsway.sources.registry",
    "statistics": "unsway.stats.statistics",
}
"""What can be listed, and the module that holds its registry, under the same name where no other is given."""


def registry_of(kind: str) -> Registry[Any]:
    """The registry of a kind of thing that can be listed."""
    module, _, name = REGISTRIES[kind].partition(":")
    found: Registry[Any] = getattr(import_module(module), name or kind)
    return found


class known(TextType):  # used like click.Choice, and checked by the verb, whose error names close matches
    """Names of a kind of thing, several with commas."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, _context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that continue what stands after the last comma."""
        before, comma, last = incomplete.rpartition(",")
        return [
            CompletionItem(f"{before}{comma}{name}") for name in registry_of(self.kind).names() if name.startswith(last)
        ]


class EffortType(TextType):
    """How much a reasoning model thinks; its values load when they are needed, because they live among heavier types."""

    name = "choice"

    def choice(self) -> click.Choice[str]:
        """Click's own type for the values."""
        from unsway.types import Effort

        return click.Choice(get_args(Effort))

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """The values, for the help."""
        return self.choice().get_metavar(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A value that is one of them."""
        return self.choice().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The values that continue what was typed."""
        return self.choice().shell_complete(ctx, param, incomplete)
