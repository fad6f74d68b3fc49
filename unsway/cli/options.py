"""Shared code of verbs: common options, lists of names, and output as JSON and plain rows."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from unsway.cli.known import known

if TYPE_CHECKING:
    from unsway.reporting.formats import Format
    from unsway.studies.results import Results


Verb = TypeVar("Verb", bound=Callable[..., Any])
FORMAT = "unsway.format"
"""Key of click's context for the requested format."""
FLOATING = "unsway.floating"
"""Key of click's context for the caption and the label of a LaTeX table."""
ENGINE = "unsway.engine"
"""Key of click's context for the engine of a local model."""


class Place(click.Path):
    """A path that need not exist. Refuses an empty text (an unset variable), an address, and a link to itself."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, as click takes it. Raises `click.BadParameter`."""
        if not str(value):
            self.fail("'' names no path.", param, ctx)
        if "://" in str(value):
            self.fail(
                f"{str(value)!r} is an address, and unsway writes to this machine alone. Name a path.", param, ctx
            )
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            path.stat()
        except OSError as error:  # other errors are reported when the path is written
            if error.errno == errno.ELOOP:
                self.fail(f"{str(path)!r} leads nowhere: {error.strerror}.", param, ctx)
        return path


PATH = Place()
"""A path that need not exist."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that exists."""
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
"""A folder that exists."""
folder_argument = click.argument("folder", type=FOLDER)
study_argument = click.argument("folder", type=Place(file_okay=False))
"""A study's folder; the verb checks for the study, and its error says how to make one."""


def names(text: str) -> tuple[str, ...]:
    """Split a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def as_json(value: object) -> None:
    """Print a value as JSON for programs."""
    import json

    click.echo(json.dumps(value, indent=2, default=str))


def say(body: object, text: str) -> None:
    """Print a body as JSON if requested, else the text."""
    as_json(body) if form() == "json" else click.echo(text)


def keep_format(context: click.Context, _parameter: click.Parameter, value: str | bool) -> None:
    """Store the requested format in click's context."""
    if value:
        context.meta[FORMAT] = "json" if value is True else value


_format = partial(click.option, expose_value=False, callback=keep_format)
json_option = _format("--json", is_flag=True, help="Print JSON instead of text.")


def table_options(verb: Verb) -> Verb:
    """Add `--format`, and `--json` as short for its JSON, to a verb that prints tables with `show_rows` or `show_results`."""
    choice = click.Choice(["text", "json", "csv", "md", "latex"])
    verb = _format("--json", is_flag=True, help="The same as --format json.")(verb)
    return _format("--format", type=choice, help="How tables are printed (text).")(verb)


def float_options(verb: Verb) -> Verb:
    """Add `--caption` and `--label` to a verb with LaTeX output: its tables then float with them."""

    def keep(context: click.Context, parameter: click.Parameter, value: str) -> None:
        if value and parameter.name == "label" and not re.fullmatch(r"[\w:.+/-]+", value, re.ASCII):
            raise click.BadParameter(f"{value!r} is no label: letters, digits and any of : . _ + / -, as in tab:brr.")
        if value:
            context.meta.setdefault(FLOATING, {})[parameter.name] = value

    for name, text in (("label", "the name for \\ref"), ("caption", "the text above the table")):
        verb = click.option(
            f"--{name}",
            default="",
            metavar="TEXT",
            expose_value=False,
            callback=keep,
            help=f"With --format latex: {text}.",
        )(verb)
    return verb


def floats() -> dict[str, str]:
    """The caption and the label given to the verb."""
    context = click.get_current_context(silent=True)
    return dict(context.meta.get(FLOATING, {})) if context else {}


def form() -> str:
    """The requested format."""
    context = click.get_current_context(silent=True)
    return str(context.meta.get(FORMAT, "text")) if context else "text"


def remark(text: str) -> None:
    """Print a sentence: on stdout with a table for people, on stderr if the table is for a program."""
    from unsway.reporting.words import visible

    click.echo("\n".join(map(visible, text.split("\n"))), err=form() != "text")


def out_option(holds: str = "Folder of the study.", kind: Place = PATH) -> Callable[[Verb], Verb]:
    """The option `--out`: where a verb writes."""
    return click.option("--out", type=kind, required=True, help=holds)


seed_option = click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
elicit_option = partial(click.option, "--elicit", type=known("elicitations"), default="cot", show_default=True)


_SECRET = re.compile(r"(^|_)(key|token|secret|password|passwd|authorization)$", re.IGNORECASE)


def model_arguments(context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, Any]:
    """`NAME=VALUE` options, and the engine, as arguments of a model's provider; JSON values are parsed.

    Secrets are refused, because anyone who lists processes sees the command line.
    """
    import json

    arguments: dict[str, Any] = {"engine": context.meta[ENGINE]} if ENGINE in context.meta else {}
    for assignment in value:
        name, equals, text = assignment.partition("=")
        if _SECRET.search(name):
            raise click.BadParameter(
                f"{name} is a secret, and a command line can be read by others (ps, the shell's history). Put it into the "
                "provider's environment variable (…_API_KEY) or a .env file.",
                param_hint="-M",
            )
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{assignment[:40]!r} is not NAME=VALUE.", param_hint="-M")
        try:
            arguments[name] = json.loads(text)
        except ValueError:
            arguments[name] = text
    return arguments


def assignments(kind: type, options: tuple[str, ...], option: str, taken: Collection[str] = ()) -> dict[str, Any]:
    """`NAME=VALUE` options as values with the types of a dataclass's fields; several names separated by commas.

    An unknown name is kept as text, for the caller to refuse with the known names. A name that is `taken` by its own option
    is refused here.
    """
    from typing import get_origin, get_type_hints

    from pydantic import TypeAdapter, ValidationError

    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for assignment in options:
        name, equals, text = assignment.partition("=")
        hint = hints.get(name, str)
        text_or_names: Any = names(text) if get_origin(hint) is tuple else text
        try:
            values[name] = TypeAdapter(hint).validate_python(text_or_names) if equals else None
        except ValidationError as error:
            kind_name = getattr(hint, "__name__", str(hint))
            raise click.BadParameter(
                f"{assignment!r}: {error.errors()[0]['msg']} ({name} is {kind_name}).", param_hint=option
            ) from None
        if not equals:
            raise click.BadParameter(f"{assignment!r} is not NAME=VALUE.", param_hint=option)
        if name in taken:
            raise click.BadParameter(
                f"{name} is given twice, here and by --{name.replace('_', '-')}.", param_hint=option
            )
    return values


def keep_engine(context: click.Context, _parameter: click.Parameter, engine: str | None) -> None:
    """Store the engine in click's context for `model_arguments`."""
    from unsway.models.engines.base import known_engine

    if engine:
        context.meta[ENGINE] = known_engine(engine)


model_args_option = click.option(
    "-M",
    "model_args",
    multiple=True,
    callback=model_arguments,
    metavar="NAME=VALUE",
    help="An argument of the model's provider, e.g. base_url=…",
)
engine_option = click.option(
    "--engine",
    type=known("engines"),
    is_eager=True,
    expose_value=False,
    callback=keep_engine,
    help="Engine of a local model: auto (the default) or one of `unsway list engines`.",
)
prices_option = click.option(
    "--prices", "prices_", type=FILE, help="A file of prices, whose lines override the table's."
)
columns_option = click.option(
    "--columns",
    default="",
    metavar="ROLE=COLUMN,…",
    help="Meaning of the columns of a question file: question=Frage,options=A..D,answer=Lösung:1-based.",
)
skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Leave out invalid rows of a question file, count them, and continue."
)
split_option = click.option("--split", default=None, help="Split of the sources (their default otherwise).")


def budget_option(whose: str) -> Callable[[Verb], Verb]:
    """`--max-cost` as the `Budget` of a verb; `whose` is the help's word for what the limit applies to."""

    def budget(_context: click.Context, _parameter: click.Parameter, value: float | None) -> Any:
        from unsway.planning.budget import Budget

        return None if value is None else Budget(value)

    help_text = f"US dollars that {whose} may cost; stops before."
    return click.option("--max-cost", "budget", type=click.FloatRange(min=0), callback=budget, help=help_text)


def show_tables(tables: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Print several named tables in the requested format: those with rows; as JSON all of them."""
    if form() == "json":
        as_json(tables)
        return
    for number, rows in enumerate(filter(None, tables.values())):
        if number and form() != "text":
            click.echo()  # a blank line separates tables with different columns
        show_rows(rows)


def show_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of equal keys as a table, in the requested format."""
    if form() == "json":
        as_json(rows)
        return
    if form() != "text":
        from unsway.reporting.formats import floating, format_rows

        click.echo(floating(format_rows(rows, cast("Format", form())), **floats()), nl=False)
        return
    from rich.console import Console

    from unsway.reporting.terminal import fitted

    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(fitted(rows, console.width))


def show_results(results: Results) -> None:
    """Print a study's table in the requested format; JSON and CSV have fractions, one row for each bias and arm."""
    from unsway.reporting import table

    if form() == "text":
        table.show(results)
    elif form() in ("json", "csv"):
        show_rows(table.rows(results))
    else:
        click.echo(table.to_markdown(results) if form() == "md" else table.to_latex(results, **floats()), nl=False)
