"""How numbers and names are written for a person: percent, points, intervals, and the one-sentence headline.

In: fractions, `Estimate`s, names from files and models. Out: text with a true minus sign, no control characters, and a
dash where a number is missing. Only here and in the templates do fractions become percent.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from unsway.studies.results import Arm, Results, plain_name
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


def shortened(names: Sequence[str], most: int = 26) -> dict[str, str]:
    """Names that fit where room is scarce: long ones without their middle, unless two would then be alike."""
    head = (most - 1) // 2
    short = {
        name: name if len(name) <= most else f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}" for name in names
    }
    return short if len(set(short.values())) == len(short) else {name: name for name in names}


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


def duration(seconds: float) -> str:
    """A time without false precision: 8 s, 12 min, 3.4 h."""
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


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
    trained = [arm for arm in results.arms if arm.role == "trained"] if results.base else []
    found = (
        _swayed(results)
        if not trained
        else _left(results, trained[0])
        if len(trained) == 1
        else _each(results, trained)
    )
    return f"{_asked(results)}, {found}."


def comparisons(results: Results) -> tuple[str, ...]:
    """A sentence for each arm that the headline says nothing or not everything of: what is left of its base's bias."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    others = [arm for arm in results.arms if arm.role != "base" and trained != [arm]] if results.base else []
    return tuple(f"{_left(results, arm)}." for arm in others)


def control_sentence(results: Results) -> str:
    """The headline's numbers for the controls, which learned the same replies without a cue; empty without one."""
    controls = [arm for arm in results.arms if arm.role == "control"]
    return " ".join(f"For comparison, {_left(results, arm)}." for arm in controls) if results.base else ""


def _asked(results: Results) -> str:
    asked = {outcome.question_id for outcome in results.outcomes}
    n, k = len(asked or {pair.question.id for pair in results.pairs}), len(results.biases)
    biases = f"the cue of {human(results.biases[0])}" if k == 1 else f"the cues of {k} biases"
    names = dict.fromkeys(
        visible((arm.of or arm.model).rpartition("/")[2]) for arm in results.arms if arm.role == "base"
    )
    of = f" of {next(iter(names))}" if len(names) == 1 else f" of {len(names)} models" if names else ""
    return f"On {n:,} {'question' if n == 1 else 'questions'} asked{of} with and without {biases}"


# ---------------------------------------------------------------- what is left after one arm


def _left(results: Results, arm: Arm) -> str:
    """What an arm leaves of its base's biased reasoning, on trained biases and on held-out ones."""
    taught = [bias for bias in results.biases if results.is_trained(bias, arm)]
    others = [bias for bias in results.biases if bias not in taught]
    held = next((one.ratio_of_means for one in results.held_out if one.arm == arm.label), None)
    shares = [(results.ratio(arm, bias), human(bias)) for bias in (taught or others)]
    known = [(est, name) for est, name in shares if est is not None and est.value is not None]
    whose, name = _base_name(results, arm), visible(arm.label)
    said = [_share(est, f"under {where}", whose="" if i else whose) for i, (est, where) in enumerate(known)]
    parts = [listed(said) + (_taught(arm, len(said)) if taught else "")] if said else []
    if held is not None and held.value is not None:
        where = "under " + ("the held-out bias" if len(others) == 1 else f"{len(others)} held-out biases, on average")
        parts.append(_share(held, where, whose="" if said else whose))
    if not parts:
        return f"{name} cannot be compared with {whose.removesuffix('’s')}: {_why_not(results, arm)}"
    unknown = [where for est, where in shares if est is None or est.value is None]
    missing = f" (no ratio can be given for {listed(unknown)})" if unknown else ""
    return f"{name} has {', and '.join(parts)}{missing}"


def _base_name(results: Results, arm: Arm) -> str:
    base = results.base_of(arm)
    return f"{visible(base.label)}’s" if base else "the base’s"


def _why_not(results: Results, arm: Arm) -> str:
    return refusals(one.estimate for one in results.ratios if one.arm == arm.label)


def refusals(estimates: Iterable[Estimate]) -> str:
    """Why ratios are not given, as measure says it; the same reason once, whatever bias it is about."""
    notes = (visible(est.note.partition(" (")[0]) for est in estimates if est.value is None and est.note)
    return listed(list(dict.fromkeys(notes))) or "no reply could be counted"


def _taught(arm: Arm, n: int) -> str:
    if arm.role != "trained":
        return ""
    return {1: ", which it was trained on", 2: ", both trained on"}.get(n, ", all trained on")


def _share(est: Estimate, where: str, *, whose: str) -> str:
    """A ratio as percent, of whose reasoning and what its interval is where `whose` is given, its place, its interval."""
    value = est.value or 0.0
    share = "none" if value <= 0 else f"{percent(value)}%"
    inside = [f"{percent(value)}%"] if value < 0 else []
    if est.low is not None and est.high is not None:
        level = f"{100 * est.level:.0f}% interval " if whose else ""
        inside.append(f"{level}{percent(est.low)} to {percent(est.high)}%")
    told = f" ({', '.join(inside)}{_beyond(est)})" if inside else ""
    return f"{share}{f' of {whose} biased reasoning' if whose else ''} {where}{told}"


def _beyond(est: Estimate) -> str:
    """What a ratio outside 0 to 1 means, where its whole interval lies there."""
    if est.high is not None and est.high < 0:
        return ": the cue is now avoided"
    return ": more than before" if est.low is not None and est.low > 1 else ""


# ---------------------------------------------------------------- several trained arms, or none

NAMED = 4
"""Trained arms that a headline names; a fifth makes the sentence longer than one reads."""


def _each(results: Results, trained: Sequence[Arm]) -> str:
    """One number for each trained arm: its held-out average, or its first ratio where nothing was held out."""
    told = [(arm, *_main(results, arm)) for arm in trained]
    known = [(arm, est, where) for arm, est, where in told if est is not None]
    whose = _whose(results, trained)
    if not known:
        return f"no trained model can be compared with {whose.removesuffix('’s')}: {_why_not(results, trained[0])}"
    shares = [
        f"{visible(arm.label)}{' has' if i == 0 else ''} {_share(est, where, whose='' if i else whose)}"
        for i, (arm, est, where) in enumerate(known[:NAMED])
    ]
    return listed(shares + ([f"{len(trained) - len(shares)} more below"] if len(trained) > len(shares) else []))


def _main(results: Results, arm: Arm) -> tuple[Estimate | None, str]:
    held = next((one.ratio_of_means for one in results.held_out if one.arm == arm.label), None)
    if held is not None and held.value is not None:
        k = sum(not results.is_trained(bias, arm) for bias in results.biases)
        return held, "under the bias it never saw" if k == 1 else f"under {k} biases it never saw"
    for bias in results.biases:
        est = results.ratio(arm, bias)
        if est is not None and est.value is not None:
            return est, f"under {human(bias)}"
    return None, ""


def _whose(results: Results, arms: Sequence[Arm]) -> str:
    names = dict.fromkeys(_base_name(results, arm) for arm in arms)
    return next(iter(names)) if len(names) == 1 else "its base’s"


def _swayed(results: Results) -> str:
    """How far the cues move the base, over all of its pairs, and the one that moves it most; of several bases, each."""
    bases = [arm for arm in results.arms if arm.role == "base"] or list(results.arms[:1])
    known = [(arm, cell["brr"]) for arm in bases for cell in results.overall if cell.model == arm.model]
    known = [(arm, est) for arm, est in known if est.value is not None]
    if not known:
        return f"{listed([visible(arm.label) for arm in bases[:NAMED]])} gave no reply that could be counted"
    said = [_swayed_one(results, arm, est, full=not i) for i, (arm, est) in enumerate(known[:NAMED])]
    return "; ".join(said + ([f"{len(known) - NAMED} more models are in the table"] if len(known) > NAMED else []))


def _swayed_one(results: Results, arm: Arm, overall: Estimate, *, full: bool) -> str:
    cells = [(human(bias), cell["brr"]) for bias in results.biases if (cell := results.cell(arm, bias)) is not None]
    known = [(est.value, name, est) for name, est in cells if est.value is not None]
    value, level = overall.value or 0.0, f"{100 * overall.level:.0f}% interval " if full else ""
    way = "less" if value < 0 else "more"
    moved = f"{percent(abs(value))} points {way} often with the cue ({level}{_ends(overall)})"
    _, name, est = max(known, key=lambda one: one[0])
    peak = f", most under {name} ({percent(est.value, signed=True)}, {_ends(est)})" if len(known) > 1 else ""
    return f"{visible(arm.label)} gives the cued answer {moved}{peak}"


def _ends(est: Estimate) -> str:
    return f"{percent(est.low, signed=True)} to {percent(est.high, signed=True)}"
