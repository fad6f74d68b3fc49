"""Building blocks of every HTML file: escaping templates, embedded files, a content security policy.

In: names of templates, style sheets and scripts. Out: text. Texts of models and files go through the templates, where
autoescape is on; `trusted` is only for text of this package.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING

from unsway.extras import requires

if TYPE_CHECKING:
    from jinja2 import Environment

JSON = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
"""Compact JSON in ASCII; a NaN or an infinity is an error."""


def environment() -> Environment:
    """The report's templates; every value is escaped, and a missing one is an error."""
    with requires("report", "The page"):
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(str(files("unsway.reporting").joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def trusted(text: str) -> object:
    """Mark text of this package as not to be escaped; never use it on text of a model."""
    with requires("report", "The page"):
        from markupsafe import Markup

    return Markup(text)  # noqa: S704  # nosec B704


def asset(name: str) -> str:
    """A style sheet, a script or a note of the page; `dom.js` is shared with the labelling page, and is stored with that."""
    folder = "judging/page" if name == "dom.js" else "reporting/templates"
    return files("unsway").joinpath(folder, name).read_text(encoding="utf-8")


def as_json(value: object) -> str:
    """JSON that is safe in HTML and in scripts: ASCII only, with `<`, `>` and `&` escaped."""
    return JSON(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def json_pieces(value: object) -> Iterator[str]:
    """JSON in ASCII, piece by piece: a dict entry by entry, an iterator as a list, item by item."""
    if isinstance(value, dict):
        yield "{"
        for i, (key, entry) in enumerate(value.items()):
            yield f"{',' if i else ''}{JSON(key)}:"
            yield from json_pieces(entry)
        yield "}"
    elif isinstance(value, Iterator):
        yield "["
        for i, item in enumerate(value):
            yield f"{',' if i else ''}{JSON(item)}"
        yield "]"
    else:
        yield JSON(value)


def policy(styles: tuple[str, ...], scripts: tuple[str, ...] = (), **more: str) -> str:
    """A content security policy that allows these styles and scripts and nothing else: no request, no inline handler.

    Args:
        styles: Texts of style sheets.
        scripts: Texts of scripts.
        more: Further directives, with `_` for `-`: `img_src="data:"`.
    """
    directives = ["default-src 'none'"]
    for name, texts in (("script-src", scripts), ("style-src", styles)):
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        if hashes:
            directives.append(" ".join([name, *(f"'sha256-{digest}'" for digest in hashes)]))
    directives += [f"{name.replace('_', '-')} {value}" for name, value in more.items()]
    return "; ".join([*directives, "base-uri 'none'", "form-action 'none'"])
