"""Checks the fields of frozen values, and the arguments of verbs, against their annotations at construction or call.

In: a method, a recipe, a back-end or anything else declared by name; or a verb's arguments. Out: nothing, or an error that
names the field or argument. The command line already checks types; in Python anything could be passed, and a batch size of
2.5 would fail hours later or train something else. pydantic and beartype fail on annotations that are imported only for the
type checker, of which there are many here; this check skips those.
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
"""Most characters of an argument shown in a message."""


def check_kinds(value: object) -> None:
    """Raise `BadInput` if a field has another type than its annotation.

    Args:
        value: A dataclass. Checked are fields annotated as numbers, booleans, texts, literals, functions, classes,
            dataclasses, tuples of these, or None; fields with other annotations may hold anything.

    Raises:
        BadInput: A field has another type, or is a number that is infinite or NaN.
    """
    cls = type(value)
    if cls not in _HINTS:
        found: dict[str, Any] = {}  # stored only when complete: other threads make such values too
        for one in reversed(cls.__mro__):
            module = sys.modules.get(one.__module__)  # None for a class that was sent to another process
            found |= _hints(inspect.get_annotations(one), vars(module) if module else {})
        _HINTS[cls] = {name: hint for name, hint in found.items() if hint is not KW_ONLY}
    for name, hint in _HINTS[cls].items():
        if not _is_of(getattr(value, name), hint):
            raise BadInput(f"{type(value).__name__}.{name} is {getattr(value, name)!r}; it is {_words(hint)}.")


def checked(verb: Callable[P, R]) -> Callable[P, R]:
    """Decorate a verb so that it first raises `BadInput` for an argument whose type its annotation excludes.

    Numbers, booleans, texts, paths, literals and sequences of these are checked. The verb itself checks its other arguments.
    """
    signature = inspect.signature(verb)

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if verb not in _HINTS:
            found = _hints(verb.__annotations__, verb.__globals__)
            _HINTS[verb] = {name: hint for name, hint in found.items() if _is_plain(hint)}
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # Python itself reports a missing or unknown argument
            return verb(*args, **kwargs)
        for name, hint in _HINTS[verb].items():
            if name in given and not _is_of(given[name], hint):
                shown = repr(given[name])
                shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
                raise BadInput(f"{name} is {shown}; it is {_words(hint)} in {verb.__name__}(…, {name}=).")
        return verb(*args, **kwargs)

    return call


class _Names(dict[str, Any]):
    """The names of a module; names imported only for the type checker become Any."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)


def _hints(annotations: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """Evaluated annotations, without those that refer to missing packages or modules that are not imported."""
    found: dict[str, Any] = {}
    for name, one in annotations.items():
        try:
            found |= get_type_hints(SimpleNamespace(__annotations__={name: one}), names, _Names(names))
        except (NameError, TypeError, AttributeError):
            continue
    return found


def _is_plain(hint: Any) -> bool:
    """Whether an annotation consists of numbers, booleans, texts, paths, literals and mappings, or sequences of these."""
    if get_origin(hint) in (Union, UnionType, tuple, Sequence, Iterable):
        return all(one is Ellipsis or _is_plain(one) for one in get_args(hint))
    return hint in (bool, int, float, str, NoneType, Path) or get_origin(hint) in (Literal, Mapping)


def _is_of(given: Any, hint: Any) -> bool:
    """Whether a value has the type of an annotation; a list is accepted as a tuple."""
    of = get_args(hint)
    if get_origin(hint) is Literal:
        return given in of
    if get_origin(hint) is Callable:
        return callable(given)
    if get_origin(hint) is type:
        return isinstance(given, type)
    if get_origin(hint) in (Union, UnionType):
        if Path in of and isinstance(given, str) and "://" in given:  # `Path` would make a folder named "s3:"
            return False
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
        return right and (hint is int or abs(given) <= sys.float_info.max)  # larger numbers do not fit a float
    if isinstance(hint, type) and is_dataclass(hint):
        return isinstance(given, hint)
    return True


def _words(hint: Any) -> str:
    """An annotation in words."""
    of = get_args(hint)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, of))}"
    if get_origin(hint) in (Union, UnionType):
        is_long = any(get_origin(one) in (tuple, Sequence, Iterable) for one in of)
        alternatives = [one for one in of if not (one is str and Path in of)]  # a path is given as text
        return (", or " if is_long else " or ").join(map(_words, alternatives))
    if get_origin(hint) is tuple:
        return (
            f"a tuple, each entry {_words(of[0])}" if of[-1] is Ellipsis else f"a tuple of {', '.join(map(_words, of))}"
        )
    if get_origin(hint) in (Sequence, Iterable):
        return f"several, each {_words(of[0])}"
    if get_origin(hint) in (Callable, type):
        return "a class" if get_origin(hint) is type else "a function"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"a value of the class {hint.__name__}"
    words = {bool: "True or False", int: "a whole number", float: "a finite number", str: "text", NoneType: "None"}
    words |= {Path: "a path on this machine", Mapping: "a dictionary"}
    return words.get(get_origin(hint) or hint, str(hint))
