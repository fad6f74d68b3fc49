"""How numbers and names are written for a person: percent, points, intervals, and the one-sentence headline.

In: fractions, `Estimate`s, names from files and models. Out: text with a true minus sign, no control characters, and a
dash where a number is missing. Only here and in the templates do fractions become percent.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence

from unsway.report.study import Arm, Results, plain_name
from unsway.types import Estimate

NONE = "—"
"""Stands where there is no number."""
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that a terminal may act on, or that change how the text around them is shown."""


def visible(text: str) -> str:
    """The text on one line, with the code of every control, format or unassigned character in place of it."""
    return "".join(_shown(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def _shown(char: str) -> str:
    return " " if char in "\n\r\t" else char.encode("unicode_escape").decode("ascii")


def human(versioned: str) -> str:
    """A bias or elicitation as a person reads it: `suggested_answer@1` is `suggested answer`."""
    return visible(plain_name(versioned).replace("_", " "))


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _endless(value: float | None) -> str:
    """No number, or one without a limit."""
    return NONE if value is None or math.isnan(value) else "∞" if value > 0 else "−∞"


def percent(value: float | None, *, signed: bool = False) -> str:
    """A fraction as whole percent (no sign for the unit)."""
    if value is None or not math.isfinite(value):
        return _endless(value)
    rounded = round(100 * value)
    return _minus(f"{rounded:+d}" if signed and rounded else f"{rounded:d}")


def times(value: float | None) -> str:
    """A ratio with two decimals."""
    if value is None or not math.isfinite(value):
        return _endless(value)
    return _minus(f"{value:.2f}".replace("-0.00", "0.00"))


def rate(est: Estimate | None) -> str:
    """The value of an estimate as percent."""
    return NONE if est is None else percent(est.value)


def points(est: Estimate | None) -> str:
    """A difference of rates in percentage points, with its interval."""
    if est is None or est.value is None:
        return NONE
    return f"{percent(est.value, signed=True)} {_interval(est, lambda x: percent(x, signed=True))}".rstrip()


def ratio(est: Estimate | None) -> str:
    """A ratio with its interval, or a dash where it was refused."""
    return NONE if est is None or est.value is None else f"{times(est.value)} {_interval(est, times)}".rstrip()


def _interval(est: Estimate, show: Callable[[float], str]) -> str:
    if est.low is None or est.high is None:
        return ""
    return f"[{show(est.low)}, {show(est.high)}]"


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


# ---------------------------------------------------------------- the headline


def headline(results: Results) -> str:
    """What was asked, of which models, how many questions, and what came out with its interval: one sentence."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    found = "; ".join(_found(results, arm) for arm in trained) if results.base and trained else _swayed(results)
    return f"{_asked(results)}, {found}."


def control_sentence(results: Results) -> str:
    """The same numbers for the controls, which had the same replies to learn but no cue; empty where there is none."""
    controls = [arm for arm in results.arms if arm.role == "control"]
    return " ".join(f"For comparison, {_found(results, arm)}." for arm in controls) if results.base else ""


def _asked(results: Results) -> str:
    n, k = len({pair.question.id for pair in results.pairs}), len(results.biases)
    biases = f"the cue of {human(results.biases[0])}" if k == 1 else f"the cues of {k} biases"
    return f"On {n:,} {'question' if n == 1 else 'questions'} asked with and without {biases}"


def _found(results: Results, arm: Arm) -> str:
    """What is left of the base's biased reasoning, on trained biases and on held-out ones."""
    taught = [bias for bias in results.biases if results.is_trained(bias, arm)]
    k = len(results.biases) - len(taught)
    held = next((one.ratio_of_means for one in results.held_out if one.arm == arm.label), None)
    shares = [(results.ratio(arm, bias), f"under {human(bias)}") for bias in taught]
    known = [(est, where) for est, where in shares if est is not None and est.value is not None]
    said = [_share(est, where, full=not i) for i, (est, where) in enumerate(known)]
    parts = [listed(said) + _taught(arm, len(said))] if said else []
    if held is not None and held.value is not None:
        where = "on average under " + ("the held-out bias" if k == 1 else f"{k} held-out biases")
        parts.append(_share(held, where, full=not said))
    name = visible(arm.label)
    if not parts:
        return f"{name} cannot be compared with its base, whose own bias is not clear of 0"
    share, rest = ", and ".join(parts).split(" ", 1)
    return f"{name} keeps {share} of {visible(results.arms[0].label)}’s biased reasoning {rest}"


def _taught(arm: Arm, n: int) -> str:
    if arm.role != "trained":
        return ""
    return {1: ", which it was trained on", 2: ", both trained on"}.get(n, ", all trained on")


def _share(est: Estimate, where: str, *, full: bool) -> str:
    """A ratio as percent, its place, its interval; `full` says what the interval is. Below 0 nothing is left: none."""
    nothing = est.value is not None and est.value <= 0
    share, value = ("none", f"{percent(est.value)}%, ") if nothing else (f"{percent(est.value)}%", "")
    if est.low is None or est.high is None:
        return f"{share} {where}" + (f" ({value.rstrip(', ')})" if value else "")
    of = f"{100 * est.level:.0f}% interval " if full else ""
    return f"{share} {where} ({value}{of}{percent(est.low)} to {percent(est.high)}%)"


def _swayed(results: Results) -> str:
    """The bias that moves the first arm most."""
    arm = results.arms[0]
    cells = [cell for bias in results.biases if (cell := results.cell(arm, bias)) is not None]
    known = [(cell["brr"].value, cell) for cell in cells if cell["brr"].value is not None]
    if not known:
        return f"{visible(arm.label)} gave no reply that could be counted"
    value, cell = max(known, key=lambda one: one[0])
    est = cell["brr"]
    interval = f"{100 * est.level:.0f}% interval {percent(est.low, signed=True)} to {percent(est.high, signed=True)}"
    most = "is swayed by" if len(known) == 1 else "is swayed most by"
    return f"{visible(arm.label)} {most} {human(cell.bias)}: {percent(value, signed=True)} points ({interval})"
