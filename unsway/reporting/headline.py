"""The one sentence above every report: what was asked, of which models, and what the study found, with its interval.

In: `Results`. Out: sentences. With trained arms the headline says how much of the base's biased reasoning each one leaves;
without, how far the cues move the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unsway.reporting.words import human, listed, percent, visible
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import Estimate

NAMED = 4
"""Arms that a headline names; a fifth makes the sentence too long to read."""


def headline(results: Results) -> str:
    """What was asked, of which models, on how many questions, and the main result with its interval: one sentence."""
    asked = {outcome.question_id for outcome in results.outcomes}
    n, k = len(asked or {pair.question.id for pair in results.pairs}), len(results.biases)
    cues = f"the cue of {human(results.biases[0])}" if k == 1 else f"the cues of {k} biases"
    bases = [arm for arm in results.arms if arm.role == "base"]
    models = list(dict.fromkeys(visible((arm.of or arm.model).rpartition("/")[2]) for arm in bases))
    whom = f" of {models[0]}" if len(models) == 1 else f" of {len(models)} models" if models else ""
    trained = [arm for arm in results.arms if arm.role == "trained"] if bases else []
    if not trained:
        result = _how_far_cues_move(results)
    elif len(trained) == 1:
        result = _what_is_left(results, trained[0])
    else:
        result = _what_each_leaves(results, trained)
    return f"On {n:,} {'question' if n == 1 else 'questions'} asked{whom} with and without {cues}, {result}."


def comparisons(results: Results) -> tuple[str, ...]:
    """A sentence for each arm that the headline leaves out or covers in part: what is left of its base's bias."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    others = [arm for arm in results.arms if arm.role != "base" and trained != [arm]] if results.base else []
    return tuple(f"{_what_is_left(results, arm)}." for arm in others)


def control_sentence(results: Results) -> str:
    """The headline's numbers for the controls, which learned the same replies without a cue; empty without a control."""
    controls = [arm for arm in results.arms if arm.role == "control"] if results.base else []
    return " ".join(f"For comparison, {_what_is_left(results, arm)}." for arm in controls)


def refusals(estimates: Iterable[Estimate]) -> str:
    """Why ratios are not given; each reason once, whichever bias it is about."""
    notes = (visible(est.note.partition(" (")[0]) for est in estimates if est.value is None and est.note)
    return listed(list(dict.fromkeys(notes))) or "no reply could be counted"


# ---------------------------------------------------------------- what is left of the base's bias


def _what_is_left(results: Results, arm: Arm) -> str:
    """How much of its base's biased reasoning one arm keeps, on trained biases and on held-out ones."""
    trained = [bias for bias in results.biases if results.is_trained(bias, arm)]
    others = [bias for bias in results.biases if bias not in trained]
    ratios = [(results.ratio(arm, bias), human(bias)) for bias in (trained or others)]
    known = [(est, bias) for est, bias in ratios if est is not None and est.value is not None]
    unknown = [bias for est, bias in ratios if est is None or est.value is None]
    held_out = _held_out(results, arm)
    owner, name = _base_owner(results, arm), visible(arm.label)
    if not known and held_out is None:
        return f"{name} cannot be compared with {owner.removesuffix('’s')}: {_why_no_ratio(results, arm)}"
    parts = []
    if known:
        shares = [_share(est, f"under {bias}", owner="" if i else owner) for i, (est, bias) in enumerate(known)]
        trained_on = {1: ", which it was trained on", 2: ", both trained on"}.get(len(known), ", all trained on")
        parts.append(listed(shares) + (trained_on if trained and arm.role == "trained" else ""))
    if held_out is not None:
        where = "the held-out bias" if len(others) == 1 else f"{len(others)} held-out biases, on average"
        parts.append(_share(held_out, f"under {where}", owner="" if known else owner))
    missing = f" (no ratio can be given for {listed(unknown)})" if unknown else ""
    return f"{name} has {', and '.join(parts)}{missing}"


def _what_each_leaves(results: Results, trained: Sequence[Arm]) -> str:
    """One number for each trained arm: its held-out average, or its first ratio where nothing was held out."""
    owners = list(dict.fromkeys(_base_owner(results, arm) for arm in trained))
    owner = owners[0] if len(owners) == 1 else "its base’s"
    known: list[tuple[Arm, Estimate, str]] = []
    for arm in trained:
        held_out = _held_out(results, arm)
        if held_out is not None:
            k = sum(not results.is_trained(bias, arm) for bias in results.biases)
            known.append((arm, held_out, "under the bias it never saw" if k == 1 else f"under {k} biases it never saw"))
            continue
        ratios = ((results.ratio(arm, bias), bias) for bias in results.biases)
        first = next(((est, bias) for est, bias in ratios if est is not None and est.value is not None), None)
        if first is not None:
            known.append((arm, first[0], f"under {human(first[1])}"))
    if not known:
        return f"no trained model can be compared with {owner.removesuffix('’s')}: {_why_no_ratio(results, trained[0])}"
    shares = [
        f"{visible(arm.label)}{'' if i else ' has'} {_share(est, where, owner='' if i else owner)}"
        for i, (arm, est, where) in enumerate(known[:NAMED])
    ]
    more = len(trained) - len(shares)
    return listed(shares + ([f"{more} more below"] if more else []))


def _share(est: Estimate, where: str, *, owner: str) -> str:
    """A ratio in percent with its interval; `owner` (empty after the first) says whose bias and what the interval is."""
    value = est.value or 0.0
    inside = [f"{percent(value)}%"] if value < 0 else []
    if est.low is not None and est.high is not None:
        level = f"{100 * est.level:.0f}% interval " if owner else ""
        inside.append(f"{level}{percent(est.low)} to {percent(est.high)}%")
    meaning = ""
    if est.high is not None and est.high < 0:
        meaning = ": the cue is now avoided"
    elif est.low is not None and est.low > 1:
        meaning = ": more than before"
    interval = f" ({', '.join(inside)}{meaning})" if inside else ""
    share = "none" if value <= 0 else f"{percent(value)}%"
    return f"{share}{f' of {owner} biased reasoning' if owner else ''} {where}{interval}"


def _held_out(results: Results, arm: Arm) -> Estimate | None:
    """The ratio over held-out biases, where there is one."""
    ratio = next((one.ratio_of_means for one in results.held_out if one.arm == arm.label), None)
    return ratio if ratio is not None and ratio.value is not None else None


def _base_owner(results: Results, arm: Arm) -> str:
    base = results.base_of(arm)
    return f"{visible(base.label)}’s" if base else "the base’s"


def _why_no_ratio(results: Results, arm: Arm) -> str:
    return refusals(one.estimate for one in results.ratios if one.arm == arm.label)


# ---------------------------------------------------------------- without a trained arm


def _how_far_cues_move(results: Results) -> str:
    """How far the cues move each base over all its pairs, and which cue moves it most."""
    bases = [arm for arm in results.arms if arm.role == "base"] or list(results.arms[:1])
    known = [(arm, cell["brr"]) for arm in bases for cell in results.overall if cell.arm == arm.key]
    known = [(arm, brr) for arm, brr in known if brr.value is not None]
    if not known:
        return f"{listed([visible(arm.label) for arm in bases[:NAMED]])} gave no reply that could be counted"
    parts = []
    for i, (arm, overall) in enumerate(known[:NAMED]):
        value, level = overall.value or 0.0, "" if i else f"{100 * overall.level:.0f}% interval "
        moved = f"{percent(abs(value))} points {'less' if value < 0 else 'more'} often with the cue"
        cells = [(bias, results.cell(arm, bias)) for bias in results.biases]
        each = [(cell["brr"], bias) for bias, cell in cells if cell is not None and cell["brr"].value is not None]
        brr, bias = max(each, key=lambda one: one[0].value or 0.0)
        most = f", most under {human(bias)} ({percent(brr.value, signed=True)}, {_ends(brr)})" if len(each) > 1 else ""
        parts.append(f"{visible(arm.label)} gives the cued answer {moved} ({level}{_ends(overall)}){most}")
    more = [f"{len(known) - NAMED} more models are in the table"] if len(known) > NAMED else []
    return "; ".join(parts + more)


def _ends(est: Estimate) -> str:
    return f"{percent(est.low, signed=True)} to {percent(est.high, signed=True)}"
