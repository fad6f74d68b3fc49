"""Which kind of value each field of a frozen value takes, checked from its annotation where the value is made.

In: a method, a recipe, a back-end, whatever is declared by name. Out: nothing, or an error that names the field. From the
command line a value has its kind; in Python any could be given, and a batch size of 2.5 would fail hours later or train
something else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import is_dataclass
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from unsway.errors import BadInput

_HINTS: dict[type, dict[str, Any]] = {}
"""The annotations of each class, evaluated once."""


def check_kinds(value: object) -> None:
    """Refuse a field that is not of the kind which its annotation names.

    Args:
        value: A dataclass whose annotated fields are numbers, truth values, texts, one of several words, functions, classes,
            values of a class, tuples of these, or None where that is annotated; others may be anything.

    Raises:
        BadInput: A field is of another kind, or a number that is infinite or none.
    """
    cls = type(value)
    if cls not in _HINTS:
        try:
            _HINTS[cls] = get_type_hints(cls)
        except (NameError, TypeError, AttributeError):  # another package's, which cannot be evaluated here
            _HINTS[cls] = {}
    for name, hint in _HINTS[cls].items():
        if not _is_of(getattr(value, name), hint):
            raise BadInput(f"{type(value).__name__}.{name} is {getattr(value, name)!r}; it is {_said(hint)}.")


def _is_of(given: Any, hint: Any) -> bool:
    """Whether a value is of the kind that an annotation names; a list does for a tuple."""
    of = get_args(hint)
    if get_origin(hint) is Literal:
        return given in of
    if get_origin(hint) is Callable:
        return callable(given)
    if get_origin(hint) is type:
        return isinstance(given, type)
    if get_origin(hint) in (Union, UnionType):
        return any(_is_of(given, each) for each in of)
    if get_origin(hint) is tuple:
        kinds = of[:1] * len(given) if of[-1] is Ellipsis and isinstance(given, tuple | list) else of
        return isinstance(given, tuple | list) and len(given) == len(kinds) and all(map(_is_of, given, kinds))
    if hint in (bool, str, NoneType):
        return isinstance(given, hint)
    if hint in (int, float):
        right = isinstance(given, Integral if hint is int else Real) and not isinstance(given, bool)
        return right and math.isfinite(given)
    if isinstance(hint, type) and is_dataclass(hint):
        return isinstance(given, hint)
    return True


def _said(hint: Any) -> str:
    """An annotation in words."""
    of = get_args(hint)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, of))}"
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_said, of))
    if get_origin(hint) is tuple:
        return (
            f"a tuple, each entry {_said(of[0])}" if of[-1] is Ellipsis else f"a tuple of {', '.join(map(_said, of))}"
        )
    if get_origin(hint) in (Callable, type):
        return "a class" if get_origin(hint) is type else "a function"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"a value of the class {hint.__name__}"
    words = {bool: "True or False", int: "a whole number", float: "a finite number", str: "text", NoneType: "None"}
    return words.get(hint, str(hint))
