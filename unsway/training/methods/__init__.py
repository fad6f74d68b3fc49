"""Methods, one file each. A file here defines a frozen `Method` and adds it to `methods`; nothing else names it.

methods.names()                     # ('bct', 'control', 'dpo')
method("bct", learning_rate=1e-4)   # Bct(learning_rate=1e-4)
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from unsway.errors import UnknownName
from unsway.registry import Registry
from unsway.training.seams import Method

methods: Registry[type[Method]] = Registry("method", "unsway.training.methods")
"""Every method by name."""


def method(name: str, **hyper_parameters: Any) -> Method:
    """A method by name. Raises `UnknownName` for the method, or for a hyper-parameter that it does not have."""
    kind = methods.get(name)
    known = {field.name for field in fields(kind)}
    for given in hyper_parameters:
        if given not in known:
            raise UnknownName(f"hyper-parameter of {name}", given, known)
    return kind(**hyper_parameters)
