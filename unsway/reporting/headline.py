"""The one sentence above every report: what was asked, of which models, and what the study found, with its interval.

In: `Results`. Out: sentences, in points. With trained arms the headline says how much less (or more) each one is swayed than
its base; without, how far the cues move the model. It states only what an interval shows clearly; the rest is undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeGuard

from unsway.errors import number_of
from unsway.reporting.words import human, is_clear, join_names, percent, point, visible
from unsway.reporting.words import level as level_of
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.types import Estimate

NAMED = 4
"""How many arms a headline names; a fifth makes the sentence too long to read."""
UNKNOWN_BASE = "there are several, and nothing says which of them it was made from"


def headline(results: Results) -> str:
    """What was asked, of which models, on how many questions, and the main result with its interval: one sentence."""
    question_ids = results.outcomes.distinct("question_id")
    n, k = len(question_ids or {pair.question.id for pair in results.pairs}), len(results.biases)
    cues = f"the cue of {human(results.biases[0])}" if k == 1 else f"the cues of {k} biases"
    bases = [arm for arm in results.arms if arm.role == "base"]
    models = list(dict.fromkeys(visible((arm.of or arm.model).rpartition("/")[2]) for arm in bases))
    of_models = f" of {models[0]}" if len(models) == 1 else f" of {len(models)} models" if models else ""
    trained = [arm for arm in results.arms if arm.role == "trained"] if bases else []
    if not trained:
        result = _how_far_cues_move(results)
    elif len(trained) == 1:
        result = _against_base(results, trained[0])
    else:
        result = _each_against_base(results, trained)
    return f"On {number_of(n, 'question')} asked{of_models} with and without {cues}, {result}."


def comparisons(results: Results) -> tuple[str, ...]:
    """A sentence for each arm that the headline leaves out or covers in part: how it compares with its base."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    other_arms = [arm for arm in results.arms if arm.role != "base" and trained != [arm]] if results.base else []
    texts = (_against_base(results, arm) for arm in other_arms)
    return tuple(f"{'W' + text[1:] if text.startswith('whether ') else text}." for text in texts)


def control_sentence(results: Results) -> str:
    """The headline's numbers for the controls, trained on the same replies without a cue; empty without a control."""
    controls = [arm for arm in results.arms if arm.role == "control"] if results.base else []
    return " ".join(f"For comparison, {_against_base(results, arm)}." for arm in controls)


def refusals(estimates: Iterable[Estimate]) -> str:
    """Why ratios are not given; each reason once, whichever bias it is about."""
    notes = (visible(est.note.partition(" (")[0]) for est in estimates if est.value is None and est.note)
    return join_names(list(dict.fromkeys(notes))) or "no reply could be counted"


# ---------------------------------------------------------------- arms against their base


def _against_base(results: Results, arm: Arm) -> str:
    """How much less or more one arm is swayed than its base, on the biases it was trained on and on the others."""
    trained_biases = [bias for bias in results.biases if results.is_trained(bias, arm)]
    other_biases = [bias for bias in results.biases if bias not in trained_biases]
    groups = [([bias], f"under {human(bias)}") for bias in (trained_biases or other_biases)]
    compared_biases = [bias for bias in other_biases if _is_known(change_from_base(results, arm, [bias]))]
    if trained_biases and compared_biases:
        k = len(compared_biases)
        scope = f"under held-out {human(compared_biases[0])}" if k == 1 else f"under {k} held-out biases, on average"
        groups.append((compared_biases, scope))
    changes = [(change_from_base(results, arm, biases), biases, scope) for biases, scope in groups]
    known_changes = [(change, biases, scope) for change, biases, scope in changes if _is_known(change)]
    base = results.base_of(arm)
    name = visible(arm.label)
    base_label = "the base" if base is None else visible(base.label)
    if not known_changes:
        return f"{name} cannot be compared with {base_label}: {_why_not(results, [arm])}"
    clear = [item for item in known_changes if is_clear(item[0])]
    undecided = [item for item in known_changes if not is_clear(item[0])]
    texts = []
    for i, (change, biases, scope) in enumerate((*clear, *undecided)):
        level = "" if i else f"{level_of(change.level)} interval "
        if i < len(clear):
            reach = f"{level}{_reach(change)}{_who_avoids(results, arm, biases)}"
            texts.append(f"{_points(change, '' if i else base_label)} {scope} ({reach})")
        else:
            texts.append(f"{scope} ({percent(change.value, signed=True)} points, {level}{_ends(change)})")
    clear_text, undecided_text = join_names(texts[: len(clear)]), join_names(texts[len(clear) :])
    if not clear:
        text = f"whether {name} is swayed less than {base_label} is undecided: {undecided_text}"
    else:
        text = f"{name} is swayed {clear_text}{f'; undecided {undecided_text}' if undecided_text else ''}"
    missing = [scope.removeprefix("under ") for change, _, scope in changes if not _is_known(change)]
    return text + (f" (nothing to compare under {join_names(missing)})" if missing else "")


def _each_against_base(results: Results, trained: Sequence[Arm]) -> str:
    """One number for each trained arm: over held-out biases, or over all if none were held out or this is unknown."""
    known_changes = []
    for arm in trained:
        trained_biases = [bias for bias in results.biases if results.is_trained(bias, arm)]
        compared_biases = [bias for bias in results.biases if _is_known(change_from_base(results, arm, [bias]))]
        held_out = [bias for bias in compared_biases if results.taught(arm) and bias not in trained_biases]
        biases = held_out or compared_biases
        change = change_from_base(results, arm, biases)
        if _is_known(change):
            clause = "it never saw" if held_out else "it was trained on" if trained_biases else ""
            singular, plural = (f", which {clause}", f" {clause}") if clause else ("", "")
            scope = f"under {human(biases[0])}{singular}" if len(biases) == 1 else f"under {len(biases)} biases{plural}"
            known_changes.append((arm, change, scope, _who_avoids(results, arm, biases)))
    base_labels = list(
        dict.fromkeys(visible(base.label) for arm in trained if (base := results.base_of(arm)) is not None)
    )
    base_label = base_labels[0] if len(base_labels) == 1 else "its base"
    if not known_changes:
        return f"no trained model can be compared with {base_label}: {_why_not(results, trained)}"
    texts = []
    for i, (arm, change, scope, avoids) in enumerate(known_changes[:NAMED]):
        level = "" if i else f"{level_of(change.level)} interval "
        name = visible(arm.label)
        than_base = "" if i else f" than {base_label}"
        if is_clear(change):
            reach = f"{level}{_reach(change)}{avoids}"
            texts.append(f"{name} is swayed {_points(change, '' if i else base_label)} {scope} ({reach})")
        else:
            points = f"{percent(change.value, signed=True)} points, {level}{_ends(change)}"
            texts.append(f"whether {name} is swayed less{than_base} is undecided {scope} ({points})")
    n_more = len(trained) - len(texts)
    return join_names(texts + ([f"{n_more} more below"] if n_more else []))


def change_from_base(results: Results, arm: Arm, biases: Sequence[str]) -> Estimate | None:
    """BRR of an arm minus BRR of its base over some biases; None if its base is unknown."""
    base = results.base_of(arm)
    return None if base is None else difference(results, arm, base, biases)


def difference(results: Results, arm: Arm, other: Arm, biases: Iterable[str]) -> Estimate:
    """BRR of one arm minus BRR of another over some biases; without a value where no question counts in both."""
    from unsway.stats.compare import brr_difference

    ours, theirs = (
        results.outcomes.only(arm=compared_arm.key, bias=frozenset(biases)) for compared_arm in (arm, other)
    )
    return brr_difference(ours, theirs, level=results.level)


def _who_avoids(results: Results, arm: Arm, biases: Sequence[str]) -> str:
    """`: the cue is now avoided` if an arm or its base clearly avoids each of these cues; empty if neither does."""
    base = results.base_of(arm)
    cues = "the cue" if len(biases) == 1 else "the cues"
    is_avoided = side_of_zero(results, arm, biases) < 0
    if base is not None and side_of_zero(results, base, biases) < 0:
        return f": both avoid {cues}" if is_avoided else f": {visible(base.label)} avoids {cues}"
    return f": {cues} {'is' if len(biases) == 1 else 'are'} now avoided" if is_avoided else ""


def _is_known(change: Estimate | None) -> TypeGuard[Estimate]:
    return change is not None and change.value is not None


def _why_not(results: Results, arms: Iterable[Arm]) -> str:
    """Why some arms cannot be compared with their bases under any bias; each reason once."""
    changes = [change_from_base(results, arm, results.biases) for arm in arms]
    return join_names(list(dict.fromkeys(UNKNOWN_BASE if change is None else change.note for change in changes)))


def side_of_zero(results: Results, arm: Arm, biases: Sequence[str]) -> int:
    """1 if an arm's BRR is clearly above 0 under each of some biases, -1 if clearly below under each, else 0."""
    brrs = [None if (cell := results.cell(arm, bias)) is None else cell["brr"] for bias in biases]
    signs = [0 if brr is None or not is_clear(brr) else 1 if (brr.low or 0.0) > 0 else -1 for brr in brrs]
    return signs[0] if len(set(signs)) == 1 else 0


def _points(change: Estimate, base_label: str) -> str:
    """`12 points less than base`."""
    value = change.value or 0.0
    size = _size(abs(value))
    unit = "point" if size in ("under 1", "1") else "points"
    return f"{size} {unit} {'less' if value < 0 else 'more'}{f' than {base_label}' if base_label else ''}"


def _size(value: float) -> str:
    """A non-zero difference, without its sign."""
    size = percent(value)
    return "under 1" if size == "0" else size


def _reach(change: Estimate) -> str:
    """Both ends of a clear difference without their common sign, the smaller first; a clear difference never prints as 0."""
    ends = sorted(abs(end) for end in (change.low, change.high) if end is not None)
    return f"{_size(ends[0])} to {_size(ends[1])}"


# ---------------------------------------------------------------- without a trained arm


def _how_far_cues_move(results: Results) -> str:
    """How far the cues move each base over all its pairs, and which cue clearly moves it most."""
    from unsway.stats.columns import UNTESTED

    bases = [arm for arm in results.arms if arm.role == "base"] or list(results.arms[:1])
    overall_brrs = [(arm, cell["brr"]) for arm in bases for cell in results.overall if cell.arm == arm.key]
    is_untested = bool(overall_brrs) and all(brr.note == UNTESTED for _, brr in overall_brrs)
    overall_brrs = [(arm, brr) for arm, brr in overall_brrs if brr.value is not None]
    if not overall_brrs:
        names = join_names([visible(arm.label) for arm in bases[:NAMED]])
        reason = (
            f"{'are' if len(bases) > 1 else 'is'} {UNTESTED}" if is_untested else "gave no reply that could be counted"
        )
        return f"{names} {reason}"
    parts = []
    for i, (arm, overall) in enumerate(overall_brrs[:NAMED]):
        level = "" if i else f"{level_of(overall.level)} interval "
        cells = [(bias, results.cell(arm, bias)) for bias in results.biases]
        brrs = [(cell["brr"], bias) for bias, cell in cells if cell is not None]
        clear_brrs = [(brr, bias) for brr, bias in brrs if is_clear(brr) and (brr.value or 0.0) > 0]
        most_swaying = ""
        if clear_brrs and len(brrs) > 1:
            brr, bias = max(clear_brrs, key=lambda item: item[0].value or 0.0)
            word = "most" if is_clear(overall) and sways_most(results, arm, bias) else "clear"
            most_swaying = f", {word} under {human(bias)} ({point(brr.value, brr)}, {_ends(brr)})"
        name, ends = visible(arm.label), f"{level}{_ends(overall)}"
        if is_clear(overall):
            sentence = f"{name} gives the cued answer {_points(overall, '')} often with the cue ({ends})"
        else:
            change = f"{percent(overall.value, signed=True)} points"
            sentence = f"whether {name} gives the cued answer more often with the cue is undecided ({change}, {ends})"
        parts.append(f"{sentence}{most_swaying}")
    n_more = len(overall_brrs) - NAMED
    rest = [f"{number_of(n_more, 'more model')} {'is' if n_more == 1 else 'are'} in the table"] if n_more > 0 else []
    return "; ".join(parts + rest)


def sways_most(results: Results, arm: Arm, bias: str) -> bool:
    """Whether a cue clearly moves an arm more than each of the others, paired by question; one without a BRR is no other."""
    from unsway.stats.compare import brr_difference

    cells = ((other_bias, results.cell(arm, other_bias)) for other_bias in results.biases if other_bias != bias)
    other_biases = [other_bias for other_bias, cell in cells if cell is not None and cell["brr"].value is not None]
    ours, *theirs = (results.outcomes.only(arm=arm.key, bias=frozenset([name])) for name in (bias, *other_biases))
    return all((brr_difference(ours, outcomes, level=results.level).low or 0.0) > 0 for outcomes in theirs)


def _ends(est: Estimate) -> str:
    return f"{point(est.low, est)} to {point(est.high, est)}"
