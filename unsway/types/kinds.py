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
        hints: dict[str, Any] = {}  # stored only when complete: other threads make such values too
        for base in reversed(cls.__mro__):
            module = sys.modules.get(base.__module__)  # None for a class that was sent to another process
            hints |= _hints(inspect.get_annotations(base), vars(module) if module else {})
        _HINTS[cls] = {name: hint for name, hint in hints.items() if hint is not KW_ONLY}
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
            hints = _hints(verb.__annotations__, verb.__globals__)
            _HINTS[verb] = {name: hint for name, hint in hints.items() if _is_plain(hint)}
        try:
            arguments = signature.bind(*args, **kwargs).arguments
        except TypeError:  # Python itself reports a missing or unknown argument
            return verb(*args, **kwargs)
        for name, hint in _HINTS[verb].items():
            if name in arguments and not _is_of(arguments[name], hint):
                excerpt = repr(arguments[name])
                excerpt = excerpt if len(excerpt) <= SHOWN else f"{excerpt[:SHOWN]}…"
                raise BadInput(f"{name} is {excerpt}; it is {_words(hint)} in {verb.__name__}(…, {name}=).")
        return verb(*args, **kwargs)

    return call


class _Names(dict[str, Any]):
    """The names of a module; names imported only for the type checker become Any."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, Any)


def _hints(annotations: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """Evaluated annotations, without those that refer to missing packages or modules that are not imported."""
    hints: dict[str, Any] = {}
    for name, annotation in annotations.items():
        try:
            hints |= get_type_hints(SimpleNamespace(__annotations__={name: annotation}), names, _Names(names))
        except (NameError, TypeError, AttributeError):
            continue
    return hints


def _is_plain(hint: Any) -> bool:
    """Whether an annotation consists of numbers, booleans, texts, paths, literals and mappings, or sequences of these."""
    if get_origin(hint) in (Union, UnionType, tuple, Sequence, Iterable):
        return all(part is Ellipsis or _is_plain(part) for part in get_args(hint))
    return hint in (bool, int, float, str, NoneType, Path) or get_origin(hint) in (Literal, Mapping)


def _is_of(value: Any, hint: Any) -> bool:
    """Whether a value has the type of an annotation; a list is accepted as a tuple."""
    args = get_args(hint)
    if get_origin(hint) is Literal:
        return value in args
    if get_origin(hint) is Callable:
        return callable(value)
    if get_origin(hint) is type:
        return isinstance(value, type)
    if get_origin(hint) in (Union, UnionType):
        if Path in args and isinstance(value, str) and "://" in value:  # `Path` would make a folder named "s3:"
            return False
        return any(_is_of(value, part) for part in args)
    if get_origin(hint) is tuple:
        kinds = args[:1] * len(value) if args[-1] is Ellipsis and isinstance(value, tuple | list) else args
        return isinstance(value, tuple | list) and len(value) == len(kinds) and all(map(_is_of, value, kinds))
    if get_origin(hint) in (Sequence, Iterable):
        is_several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
        return is_several and (not isinstance(value, Collection) or all(_is_of(item, args[0]) for item in value))
    if get_origin(hint) is Mapping:
        return isinstance(value, Mapping)
    if hint in (bool, str, NoneType):
        return isinstance(value, hint)
    if hint is Path:
        return isinstance(value, PathLike)
    if hint in (int, float):
        is_number = isinstance(value, Integral if hint is int else Real) and not isinstance(value, bool)
        return is_number and (hint is int or abs(value) <= sys.float_info.max)  # larger numbers do not fit a float
    if isinstance(hint, type) and is_dataclass(hint):
        return isinstance(value, hint)
    return True


def _words(hint: Any) -> str:
    """An annotation in words."""
    args = get_args(hint)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, args))}"
    if get_origin(hint) in (Union, UnionType):
        is_long = any(get_origin(part) in (tuple, Sequence, Iterable) for part in args)
        alternatives = [part for part in args if not (part is str and Path in args)]  # a path is given as text
        return (", or " if is_long else " or ").join(map(_words, alternatives))
    if get_origin(hint) is tuple:
        return (
            f"a tuple, each entry {_words(args[0])}"
            if args[-1] is Ellipsis
            else f"a tuple of {', '.join(map(_words, args))}"
        )
    if get_origin(hint) in (Sequence, Iterable):
        return f"several, each {_words(args[0])}"
    if get_origin(hint) in (Callable, type):
        return "a class" if get_origin(hint) is type else "a function"
    if isinstance(hint, type) and is_dataclass(hint):
        return f"a value of the class {hint.__name__}"
    words = {bool: "True or False", int: "a whole number", float: "a finite number", str: "text", NoneType: "None"}
    words |= {Path: "a path on this machine", Mapping: "a dictionary"}
    return words.get(get_origin(hint) or hint, str(hint))
