"""The errors that unsway raises, as one tree.

Every message says what was found, what is allowed and what to do; it is raised before money or time is spent. Each
error is also a standard-library one, so `except ValueError` keeps working.

    UnswayError
        ├── UnknownName (LookupError)        no bias, source, method, model … has that name; suggests the closest
    ├── BadInput (ValueError)            a value, a row or a file is not what it must be
    │   └── BadRow                       one row of a file: file, line and field are in the message
    ├── MissingExtra (ImportError)       an optional library is not installed; says the exact `pip install`
        ├── AssetUnavailable (OSError)       a download is not available; says what was tried
        ├── ChecksumMismatch (OSError)       a file differs from the pinned one
    ├── StoreError (OSError)             a folder of replies cannot be used (locked, damaged, read-only)
    ├── ModelError (RuntimeError)        a model could not be asked, or a checkpoint does not fit its base
        │   └── BudgetReached                asking more could exceed the budget
        └── TrainingError (RuntimeError)     training could not start or went wrong
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def kind_of(value: object) -> str:
    """A value as messages show it: its type and its first 40 characters."""
    return f"{type(value).__name__} ({str(value)[:40]!r})"


def in_dollars(value: float, sign: str = "$") -> str:
    """US dollars to the cent: `$1,234.50`. An amount below a cent is `under $0.01`, never `$0.00`."""
    return f"under {sign}0.01" if 0 < value < 0.01 else f"{sign}{value:,.2f}"


def number_of(n: int, what: str) -> str:
    """A count with its noun: 1 study, 2 studies, 1,200 rows."""
    ending = "es" if what.endswith(("s", "x", "ch")) else "s"
    return f"{n:,} {what if n == 1 else what[:-1] + 'ies' if what.endswith('y') else what + ending}"


def expect(given: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Raise `BadInput` unless a value has the expected class, for example when arguments are in the wrong order.

    Args:
        given: The value.
        kind: The class or classes that it may be of.
        expected: What is expected instead, and how to get it.

    Raises:
        BadInput: The value has another class.
    """
    if not isinstance(given, kind):
        raise BadInput(f"{kind_of(given)} stands where {expected}.")


def expect_each(given: object, kind: type[T], expected: str) -> tuple[T, ...]:
    """The values as a tuple. Raises `BadInput`, as `expect` does, if they are not iterable or one has another class."""
    expect(given, Iterable, expected)
    values = tuple(given)  # type: ignore[var-annotated, arg-type]  # mypy does not know what expect says
    for value in values:
        expect(value, kind, expected)
    return values


def expect_count(n: int | None) -> None:
    """Raise `BadInput` for a negative count: as the end of a slice, -1 would silently drop an item. None means all."""
    if n is not None and n < 0:
        raise BadInput(f"n is {n}; it is 0 or more, or None for all.")


def path_of(given: str | Path, expected: str) -> Path:
    """The given path. Raises `BadInput`, as `expect` does, if it is neither text nor a path."""
    expect(given, (str, PathLike), expected)
    return Path(given)


class UnswayError(Exception):
    """The root: catch this to catch everything that unsway raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle an error by its message, because the arguments of its class are not stored."""
        return _revive, (type(self), self.args, self.__dict__)


def _revive(kind: type[UnswayError], args: tuple[Any, ...], attributes: dict[str, Any]) -> UnswayError:
    """Rebuild an error that was raised in another process."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class UnknownName(UnswayError, LookupError):
    """No such name; the message has the closest names and the whole list."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        from difflib import get_close_matches

        names = sorted(known)
        close = get_close_matches(str(name), names, n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
        listing = ", ".join(names) or "none"
        super().__init__(f"There is no {kind} named {name!r}.{hint} Known: {listing}.")
        self.kind, self.name, self.close = kind, name, tuple(close)


class BadInput(UnswayError, ValueError):
    """A value, a row or a file is not what it must be."""


class BadRow(BadInput):
    """A row of a file is not what it must be; the message gives the file, the line (from 1) and the field."""

    def __init__(self, path: object, line: int, field: str, problem: str) -> None:
        super().__init__(f"{path}, line {line}, field {field!r}: {problem}")
        self.path, self.line, self.field, self.problem = path, line, field, problem


class MissingExtra(UnswayError, ImportError):
    """An optional library is not installed."""

    def __init__(self, what: str, extra: str, missing: str) -> None:
        super().__init__(f"{what} needs {missing!r}, which is not installed. Run: pip install 'unsway[{extra}]'")


class AssetUnavailable(UnswayError, OSError):
    """A download is not available from any place; the message lists what was tried."""


class ChecksumMismatch(UnswayError, OSError):
    """A file does not have the pinned sha256."""


class StoreError(UnswayError, OSError):
    """A folder of replies cannot be used: locked by another run, damaged, or not writable."""


class ModelError(UnswayError, RuntimeError):
    """A model could not be asked, or a checkpoint does not fit its base."""


class BudgetReached(ModelError):
    """Asking more could exceed the budget; all replies so far are stored."""


class TrainingError(UnswayError, RuntimeError):
    """Training could not start or went wrong; the last good checkpoint is kept."""
