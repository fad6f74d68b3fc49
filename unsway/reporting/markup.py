"""What every HTML file of ours is made with: Jinja2 that escapes, files of the templates folder, a content security policy.

In: names of templates, styles and scripts. Out: text. Texts of models and files go through the templates, where autoescape
is on; `trusted` is for text of this package alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

JSON = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def environment() -> Environment:
    """The templates of the report; every value is escaped, and one that is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = str(files("unsway.reporting").joinpath("templates"))
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def trusted(text: str) -> object:
    """Text of this package that is put as it is; never that of a model."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # nosec B704


def asset(name: str) -> str:
    """A style sheet, a script or a note from the templates folder."""
    return files("unsway.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def as_json(value: object) -> str:
    """JSON that no HTML parser reads as markup and no script as a line end: `<`, `>`, `&` and all but ASCII escaped."""
    return JSON(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def json_pieces(value: object) -> Iterator[str]:
    """JSON in ASCII, piece by piece: entries of a dict one after the other, and what an iterator yields as a list."""
    if isinstance(value, dict):
        yield "{"
        for i, (key, one) in enumerate(value.items()):
            yield f"{',' if i else ''}{JSON(key)}:"
            yield from json_pieces(one)
        yield "}"
    elif isinstance(value, Iterator):
        yield "["
        for i, one in enumerate(value):
            yield f"{',' if i else ''}{JSON(one)}"
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
    allowed = {"script-src": scripts, "style-src": styles}
    hashes = [f"{name} {' '.join(map(_hash, texts))}" for name, texts in allowed.items() if texts]
    others = [f"{name.replace('_', '-')} {value}" for name, value in more.items()]
    return "; ".join(["default-src 'none'", *hashes, *others, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
