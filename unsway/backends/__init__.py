"""Back-ends: where weights live and are changed, one module or package each. Each adds its frozen value to `backends`.

backends.names()                     # ('local', 'openai', 'tinker')
backend("local", packing=True)       # Local(packing=True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from unsway.errors import BadInput, kind_of
from unsway.registry import Registry
from unsway.spelling import Json, tagged, text_under, untagged
from unsway.training.seams import Backend

backends: Registry[type[Backend]] = Registry("back-end", "unsway.backends", Backend, classes=True)
"""Every back-end by name."""


def backend(name: str, **options: Any) -> Backend:
    """Make a back-end by name, with its options. Raises `UnknownName` for the name, `BadInput` for an unknown option."""
    kind = backends.get(name)
    names = [field.name for field in fields(kind)]
    for option in options:
        if option not in names:
            raise BadInput(
                f"The back-end {name!r} has no option {option!r}; it has {', '.join(names)}. Leave it out, or name another "
                "back-end."
            )
    return kind(**options)


def resolve(given: Backend | str | Mapping[str, Any]) -> Backend:
    """Return a back-end unchanged, or make one from a name (with its defaults) or a JSON row.

    Raises:
        UnknownName: There is no back-end of that name.
        BadInput: It is none of these, for example the class of a back-end.
    """
    if isinstance(given, Backend):
        return given
    if not isinstance(given, str | Mapping):
        raise BadInput(
            f"{kind_of(given)} is no back-end. Give one with its options, as Local(), or a name, as 'local'."
        )
    return backends.get(given)() if isinstance(given, str) else untagged(backends.get(text_under(given)), given)


BACKEND = Json(lambda backend: tagged(backend.name, backend), resolve)
"""Back-ends in JSON: by name, with their options."""
