"""Methods, one file each. A file here defines a frozen `Method` and adds it to `methods`; nothing else names it.

methods.names()                     # ('bct', 'control', 'dpo')
method("bct", learning_rate=1e-4)   # Bct(learning_rate=1e-4)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from unsway.errors import BadInput, UnknownName, kind_of
from unsway.registry import Registry
from unsway.spelling import Json, tagged, text_under, untagged
from unsway.training.seams import Method

methods: Registry[type[Method]] = Registry("method", "unsway.training.methods", Method, classes=True)
"""Every method by name."""


def method(name: str, **hyper_parameters: Any) -> Method:
    """Make a method by name. Raises `UnknownName` for an unknown method or hyper-parameter."""
    kind = methods.get(name)
    names = {field.name for field in fields(kind)}
    for parameter in hyper_parameters:
        if parameter not in names:
            raise UnknownName(f"hyper-parameter of {name}", parameter, names)
    return kind(**hyper_parameters)


def resolve(given: Method | str | Mapping[str, Any]) -> Method:
    """Return a method unchanged, or make one from a name (with its defaults) or a JSON row.

    Raises:
        UnknownName: There is no method of that name.
        BadInput: It is none of these, for example the class of a method.
    """
    if isinstance(given, Method):
        return given
    if not isinstance(given, str | Mapping):
        raise BadInput(
            f"{kind_of(given)} is no method. Give one with its hyper-parameters, as Bct(), or a name, as 'bct'."
        )
    return methods.get(given)() if isinstance(given, str) else untagged(methods.get(text_under(given)), given)


METHOD = Json(lambda method: tagged(method.name, method), resolve)
"""Methods in JSON: by name, with their hyper-parameters."""
