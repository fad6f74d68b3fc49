"""Format numbers and names for people: percent, points, intervals, lists.

In: fractions, `Estimate`s, names from files and models. Out: text with a true minus sign, without control characters, and
with a dash for a missing number. Fractions become percent only here and in the templates.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unsway.errors import in_dollars
from unsway.studies.results import plain_name
from unsway.types import Estimate

if TYPE_CHECKING:
    from unsway.stats.estimates import Cell

NONE = "—"
"""Shown instead of a missing number."""
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that a terminal may act on, or that change how the text around them is shown."""


# ---------------------------------------------------------------- names


def visible(text: str) -> str:
    """The text on one line, with every control, format or unassigned character replaced by its code."""
    characters = []
    for char in text:
        if unicodedata.category(char) not in _HIDDEN:
            characters.append(char)
        elif char in "\n\r\t":
            characters.append(" ")
        else:
            characters.append(char.encode("unicode_escape").decode("ascii"))
    return "".join(characters)


def human(versioned: str) -> str:
    """A bias or an elicitation as a person reads it: `suggested_answer@1` becomes `suggested answer`."""
    return visible(plain_name(versioned).replace("_", " "))


def distinct(names: Sequence[str], most: int) -> tuple[str, ...]:
    """Shorten names to `most` characters, all different: long names keep their two ends, equal ones get a number."""
    tail = most // 2 - 1
    short_names: list[str] = []
    for name in names:
        short = visible(name[:1000])
        if len(short) > most:
            short = f"{short[: most - tail - 1].rstrip()}…{short[-tail:].lstrip()}"
        unique, number = short, 2
        while unique in short_names:
            unique, number = f"{short[: most - 4]} ({number})", number + 1
        short_names.append(unique)
    return tuple(short_names)


def join_names(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def first_few(names: Sequence[str], most: int) -> str:
    """The first names as a list, and how many more there are: `a, b and 3 more`."""
    rest = [f"{len(names) - most} more"] if len(names) > most else []
    return join_names([*names[:most], *rest])


# ---------------------------------------------------------------- numbers


def percent(value: float | None, *, signed: bool = False) -> str:
    """A fraction in whole percent, without the percent sign."""
    if value is None or not math.isfinite(value):
        return _not_finite(value)
    whole_percent = round(100 * value)
    return _with_minus(f"{whole_percent:+d}" if signed and whole_percent else f"{whole_percent:d}")


def level(value: float) -> str:
    """A nominal coverage: `95%`."""
    return f"{100 * value:g}%"


def times(value: float | None) -> str:
    """A ratio with two decimals."""
    if value is None or not math.isfinite(value):
        return _not_finite(value)
    return _with_minus(f"{value:z.2f}")


def p_value(value: float | None) -> str:
    """A p-value with two digits: `0.012`, `<.001`; a dash if nothing was tested."""
    if value is None:
        return NONE
    return "<.001" if value < 0.001 else f"{value:.2g}" if value < 0.995 else "1"


def dollars(value: float | None, sign: str = "$") -> str:
    """US dollars to the cent: `$1,234.50`, `under $0.01`; a dash if unknown."""
    return NONE if value is None else in_dollars(value, sign)


def _not_finite(value: float | None) -> str:
    if value is None or math.isnan(value):
        return NONE
    return "∞" if value > 0 else "−∞"


def _with_minus(text: str) -> str:
    return text.replace("-", "−")


def rate(estimate: Estimate | None) -> str:
    """The value of an estimate in percent."""
    return NONE if estimate is None else percent(estimate.value)


def both_sides(of: Cell | Mapping[str, Estimate], name: str) -> str:
    """A rate in percent without the cue and with it: `71 → 58`."""
    return f"{rate(of[f'{name}_clean'])} → {rate(of[f'{name}_biased'])}"


def count_text(numbers: Mapping[Any, int]) -> str:
    """`3 unread, 1 cut`, or 0."""
    return ", ".join(f"{n} {reason}" for reason, n in sorted(numbers.items())) or "0"


def share(estimate: Estimate | None) -> str:
    """A rate in percent, with its interval: `31 [22, 40]`."""
    return _with_interval(estimate, percent)


def points(estimate: Estimate | None) -> str:
    """A difference of rates in percentage points, with its interval: `+31 [+22, +40]`."""
    return NONE if estimate is None else _with_interval(estimate, lambda value: point(value, estimate))


def point(value: float | None, of: Estimate, *, signed: bool = True) -> str:
    """The value or an end of a difference in points; if it rounds to 0 but the interval excludes 0, it is `<+1` or `>−1`."""
    text = percent(value, signed=signed)
    if text != "0" or not value or not is_clear(of):
        return text
    return ">−1" if value < 0 else "<+1" if signed else "<1"


def is_clear(change: Estimate) -> bool:
    """Whether the interval of a difference lies on one side of 0."""
    return change.low is not None and change.high is not None and (change.low > 0 or change.high < 0)


def brr(estimate: Estimate) -> str:
    """A BRR in points with its interval, or that the bias is not tested."""
    from unsway.stats.columns import UNTESTED

    return "not tested" if estimate.note == UNTESTED else points(estimate)


def ratio(estimate: Estimate | None) -> str:
    """A ratio with its interval, or a dash if it was refused: `0.12 [−0.05, 0.30]`."""
    return _with_interval(estimate, times)


def _with_interval(estimate: Estimate | None, show: Callable[[float], str]) -> str:
    if estimate is None or estimate.value is None:
        return NONE
    if estimate.low is None or estimate.high is None:
        return show(estimate.value)
    return f"{show(estimate.value)} [{show(estimate.low)}, {show(estimate.high)}]"
