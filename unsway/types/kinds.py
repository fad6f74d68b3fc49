"""Which kind of value each field of a frozen value takes, checked from its annotation where the value is made.

In: a method, a recipe, a back-end, whatever is declared by name; the arguments of a verb. Out: nothing, or an error that
names the field or the argument. From the command line a value has its kind; in Python any could be given, and a batch size
of 2.5 would fail hours later or train something else. pydantic and beartype stop at annotations that are imported for the
type checker alone, which are many here; those are passed over.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, is_dataclass
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from unsway.errors import BadInput

P = ParamSpec("P")
R = TypeVar("R")
_HINTS: dict[object, dict[str, Any]] = {}
"""The annotations of each class and verb, evaluated once."""
SHOWN = 60
"""Characters of an argument that a message shows."""


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
        found: dict[str, Any] = {}  # kept once it is whole: other threads make such values too
        for one in reversed(cls.__mro__):
            module = sys.modules.get(one.__module__)  # None of a class that was sent to another process
            found |= _hints(inspect.get_annotations(one), vars(module) if module else {})
        _HINTS[cls] = {name: hint for name, hint in found.items() if hint is not KW_ONLY}
    for name, hint in _HINTS[cls].items():
        if not _is_of(getattr(value, name), hint):
            raise BadInput(f"{type(value).__name__}.{name} is {getattr(value, name)!r}; it is {_said(hint)}.")


def checked(verb: Callable[P, R]) -> Callable[P, R]:
    """The verb, which refuses an argument of a kind that its annotation does not name, before it does anything.

    Numbers, truth values, texts, paths, words, and several of them are looked at. Which values of a class it takes, the verb
    says itself.
    """
    signature = inspect.signature(verb)

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if verb not in _HINTS:
            found = _hints(verb.__annotations__, verb.__globals__)
            _HINTS[verb] = {name: hint for name, hint in found.items() if _is_plain(hint)}
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # Python itself says which argument is missing or unknown
            return verb(*args, **kwargs)
        for name, hint in _HINTS[verb].items():
            if name in given and not _is_of(given[name], hint):
                shown = repr(given[name])
                shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
                raise BadInput(f"{name} is {shown}; it is {_said(hint)} in {verb.__name__}(…, {name}=).")
        return verb(*args, **kwargs)

    return call


class _Names(dict[str, Any]):
    """The names of a module; what it imports for the type checker alone may be anything."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)


def _hints(annotations: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """Annotations evaluated, without those that cannot be: of another package, or of something in a module not imported."""
    found: dict[str, Any] = {}
    for name, one in annotations.items():
        try:
            found |= get_type_hints(SimpleNamespace(__annotations__={name: one}), names, _Names(names))
        except (NameError, TypeError, AttributeError):
            continue
    return found


def _is_plain(hint: Any) -> bool:
    """Whether an annotation names numbers, truth values, texts, paths and words alone, or several of them."""
    if get_origin(hint) in (Union, UnionType, tuple, Sequence, Iterable):
        return all(one is Ellipsis or _is_plain(one) for one in get_args(hint))
    return hint in (bool, int, float, str, NoneType, Path) or get_origin(hint) in (Literal, Mapping)


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
    if get_origin(hint) in (Sequence, Iterable):
        several = isinstance(given, Iterable) and not isinstance(given, str | bytes)
        return several and (not isinstance(given, Collection) or all(_is_of(each, of[0]) for each in given))
    if get_origin(hint) is Mapping:
        return isinstance(given, Mapping)
    if hint in (bool, str, NoneType):
        return isinstance(given, hint)
    if hint is Path:
        return isinstance(given, PathLike)
    if hint in (int, float):
        right = isinstance(given, Integral if hint is int else Real) and not isinstance(given, bool)
        return right and (hint is int or abs(given) <= sys.float_info.max)  # no float holds a larger one
    if isinstance(hint, type) and is_dataclass(hint):
        return isinstance(given, hint)
    return True


def _said(hint: Any) -> str:
    """An annotation in words."""
    of = get_args(hint)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, of))}"
    if get_origin(hint) in (Union, UnionType):
        is_long = any(get_origin(one) in (tuple, Sequence, Iterable) for one in of)
        return (", or " if is_long else " or ").join(map(_said, of))
    if get_origin(hint) is tuple:
        return (
            f"a tuple, each entry {_said(of[0])}" if of[-1] is Ellipsis else f"a tuple of {', '.join(map(_said, of))}"
        )
    if get_origin(hint) in (Sequence, Iterable):
        return f"several, each {_said(of[0])}"
    if get_origin(hint) in (Callable, type):
        return "a class" if get_origin(hint) is type else "a function"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"a value of the class {hint.__name__}"
    words = {bool: "True or False", int: "a whole number", float: "a finite number", str: "text", NoneType: "None"}
    words |= {Path: "a path", Mapping: "a dictionary"}
    return words.get(get_origin(hint) or hint, str(hint))
