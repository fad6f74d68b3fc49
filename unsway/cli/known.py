"""Registries that can be listed, and the option type for their names, which the shell completes.

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
    TextType = click.ParamType  # not generic before click 8.4

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
"""Kinds that can be listed, with the module of the registry, and its name there if it differs from the kind."""


def registry_of(kind: str) -> Registry[Any]:
    """The registry of a kind of thing that can be listed."""
    module, _, name = REGISTRIES[kind].partition(":")
    registry: Registry[Any] = getattr(import_module(module), name or kind)
    return registry


class known(TextType):  # used like a function; the verb checks the values and names close matches
    """Option type for names of a kind, several separated by commas."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, _context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the text after the last comma."""
        before, comma, last = incomplete.rpartition(",")
        return [
            CompletionItem(f"{before}{comma}{name}") for name in registry_of(self.kind).names() if name.startswith(last)
        ]


class EffortType(TextType):
    """Option type for reasoning effort; its values are loaded lazily, because their module is heavy."""

    name = "choice"

    def choice(self) -> click.Choice[str]:
        """Click's own type for the values."""
        from unsway.types import Effort

        return click.Choice(get_args(Effort))

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """The values, for the help."""
        return self.choice().get_metavar(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value if it is allowed."""
        return self.choice().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the typed value."""
        return self.choice().shell_complete(ctx, param, incomplete)
