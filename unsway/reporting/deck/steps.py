"""What to do next, by rules over the numbers of the study: nothing is said that a number does not say.

In: `Results`. Out: sentences, the most pressing first. Each rule is a function below, in the order of the slide; one that
does not apply says nothing. Differences are paired by question (`measure.compare`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from unsway.reporting import words
from unsway.reporting.deck.transcript_choice import compared
from unsway.studies.results import Arm, Results
from unsway.types import Estimate

if TYPE_CHECKING:
    from unsway.stats.estimates import Cell

NAMED = 3
"""Arms and biases that a sentence names; the rest are counted."""
WANTED = 0.05
"""Half-width of a BRR's interval that is worth more questions: the default of `unsway plan --half-width`."""


def steps(results: Results) -> tuple[str, ...]:
    """Every step that the numbers call for."""
    return tuple(text for rule in RULES for text in rule(results))


class Change(NamedTuple):
    """A difference of BRRs, or a BRR, that has an interval."""

    arm: Arm
    bias: str
    est: Estimate
    base_swayed: bool
    """Whether the base's own BRR is clear of 0."""

    @property
    def low(self) -> float:
        """Lower end."""
        return float("-inf") if self.est.low is None else self.est.low

    @property
    def high(self) -> float:
        """Upper end."""
        return float("inf") if self.est.high is None else self.est.high


# ---------------------------------------------------------------- what came out


def worse(results: Results) -> Iterator[str]:
    """Biases whose BRR rose above the base's."""
    changes = _changes(results, lambda arm, bias: True)
    yield from _one("Swayed more than the base; find out why before going on", [one for one in changes if one.low > 0])


def unmoved(results: Results) -> Iterator[str]:
    """Trained biases whose BRR is not seen to have fallen below the base's."""
    changes = _changes(results, lambda arm, bias: bias in _trained(results, arm))
    still = [one for one in changes if one.high >= 0 and one.low <= 0 and one.base_swayed]
    yield from _one("Trained on, and not seen to fall below the base; ask more questions, or train longer", still)


def overcorrected(results: Results) -> Iterator[str]:
    """Biases whose cue is avoided after training."""
    found = [
        Change(arm, bias, brr, True)
        for arm, _ in compared(results)
        for bias in results.biases
        if (brr := _brr(results, arm, bias)) is not None
    ]
    avoided = [one for one in found if one.high < 0]
    yield from _one("The cue is avoided now; check how often the training targets agree with it", avoided)


def like_control(results: Results) -> Iterator[str]:
    """Trained biases on which the training cannot be told from its control."""
    found = []
    for arm, base in compared(results):
        control = next((one for one in results.arms if one.role == "control" and one.of == arm.of), None)
        for bias in _trained(results, arm) if control is not None else ():
            change = None if control is None else _difference(results, arm, control, bias)
            if change is not None:
                found.append(Change(arm, bias, change, _swayed(results, base, bias)))
    alike = [one for one in found if one.low <= 0 <= one.high and one.base_swayed]
    yield from _one("Cannot be told from the control; ask more questions before crediting the cue", alike)


def less_accurate(results: Results) -> Iterator[str]:
    """Arms that are right less often without any cue, with intervals apart."""
    overall = {cell.model: cell["accuracy_clean"] for cell in by_arm(results)}
    for arm, base in compared(results):
        ours, theirs = overall.get(arm.model), overall.get(base.model)
        if ours is None or theirs is None or ours.high is None or theirs.low is None or ours.high >= theirs.low:
            continue
        yield (
            f"{_name(arm)} is right less often on clean prompts ({words.percent(theirs.value)} to "
            f"{words.percent(ours.value)}%): see what the training took away."
        )


# ---------------------------------------------------------------- what the study lacks


def untrained(results: Results) -> Iterator[str]:
    """No arm to compare with: what to train on."""
    if compared(results) or not results.arms:
        return
    first = results.arms[0]
    found = [(brr.value or 0.0, bias) for bias in results.biases if (brr := _brr(results, first, bias)) and _clear(brr)]
    if found:
        value, bias = max(found)
        most = f"{words.human(bias)}, which sways {_name(first)} most ({words.percent(value, signed=True)} points)"
        yield f"Train on {most}, and a control beside it."
    else:
        yield f"No cue is seen to sway {_name(first)}: ask more questions, or another model, before training anything."


def no_control(results: Results) -> Iterator[str]:
    """A training without its control."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    if trained and not any(arm.role == "control" for arm in results.arms):
        yield f"Train the control of {_name(trained[0])}: same questions, same replies, prompts left clean."


def nothing_held_out(results: Results) -> Iterator[str]:
    """A training that was measured on its own biases alone."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    if trained and results.trained_biases and all(results.is_trained(bias) for bias in results.biases):
        yield "Measure biases that were not trained on: whether it carries over is not known."


# ---------------------------------------------------------------- how sure it is


def unread(results: Results) -> Iterator[str]:
    """The cell whose missing replies could move its BRR by more than its interval is wide."""
    found = []
    for cell in results.cells:
        brr, most, least = cell["brr"], cell["brr_missing_hit"].value, cell["brr_missing_miss"].value
        arm = next((arm for arm in results.arms if arm.model == cell.model), None)
        if arm is None or most is None or least is None or brr.low is None or brr.high is None:
            continue
        if most - least > brr.high - brr.low:
            found.append((most - least, cell.n_pairs - brr.n, cell, arm))
    if found:
        _, missing, cell, arm = max(found, key=lambda one: one[0])
        more = f", and {len(found) - 1} more like it" if len(found) > 1 else ""
        yield (
            f"Read the replies that could not be read: {missing} of {cell.n_pairs} pairs of {_name(arm)} under "
            f"{words.human(cell.bias)} are missing, so that its BRR could be anything from "
            f"{_points(cell['brr_missing_miss'])} to {_points(cell['brr_missing_hit'])}{more}."
        )


def too_few(results: Results) -> Iterator[str]:
    """How many questions the widest interval would take to be five points to either side."""
    shown = {arm.model for arm in results.arms}
    known = [(half, cell) for cell in results.cells if cell.model in shown and (half := _half(cell["brr"])) is not None]
    if not known:
        return
    half, cell = max(known, key=lambda one: one[0])
    if half <= WANTED:
        return
    arm = next(arm for arm in results.arms if arm.model == cell.model)
    needed = ceil(cell["brr"].n_clusters * (half / WANTED) ** 2)
    yield (
        f"{cell['brr'].n_clusters} questions leave ±{words.percent(half)} points ({_name(arm)}, {words.human(cell.bias)}); "
        f"±{words.percent(WANTED)} would take about {_rounded(needed):,} that can be read."
    )


def not_swayed(results: Results) -> Iterator[str]:
    """Biases that are not seen to sway the base: their ratios say nothing."""
    if results.base is None or not compared(results):
        return
    weak = [
        words.human(bias) for bias in results.biases if (brr := _brr(results, results.base, bias)) and not _clear(brr)
    ]
    if weak:
        more = [f"{len(weak) - NAMED} more"] if len(weak) > NAMED else []
        names = words.listed(weak[:NAMED] + more)
        yield f"{_name(results.base)} is not seen to be swayed by {names}: no ratio there without more questions."


def one_training(results: Results) -> Iterator[str]:
    """One training of a method says nothing of the next."""
    methods = [arm.checkpoint.method for arm in results.arms if arm.role == "trained" and arm.checkpoint is not None]
    if methods and len(set(methods)) == len(methods):
        yield "Train again with other seeds: the intervals hold for questions, not for trainings (the paper ran 8)."


RULES: tuple[Callable[[Results], Iterator[str]], ...] = (
    worse,
    unmoved,
    overcorrected,
    less_accurate,
    untrained,
    no_control,
    like_control,
    unread,
    too_few,
    nothing_held_out,
    not_swayed,
    one_training,
)


# ---------------------------------------------------------------- numbers


def by_arm(results: Results) -> tuple[Cell, ...]:
    """One cell for each arm, all biases together: for accuracy and for what could be read."""
    from unsway.stats.estimates import cells

    return cells(results.outcomes, by=("model",))


def _brr(results: Results, arm: Arm, bias: str) -> Estimate | None:
    cell = results.cell(arm, bias)
    return None if cell is None or cell["brr"].value is None else cell["brr"]


def _difference(results: Results, arm: Arm, other: Arm, bias: str) -> Estimate | None:
    """BRR of the arm minus BRR of the other, on the same questions; None where no question counts in both."""
    from unsway.stats.compare import brr_difference

    ours, theirs = ([o for o in results.outcomes if o.model == one.model and o.bias == bias] for one in (arm, other))
    if not ours or not theirs:
        return None
    change = brr_difference(ours, theirs)
    return None if change.value is None else change


def _changes(results: Results, wanted: Callable[[Arm, str], bool]) -> list[Change]:
    """Every arm against its base, under the biases that are wanted."""
    return [
        Change(arm, bias, change, _swayed(results, base, bias))
        for arm, base in compared(results)
        for bias in results.biases
        if wanted(arm, bias) and (change := _difference(results, arm, base, bias)) is not None
    ]


def _one(what: str, found: Sequence[Change]) -> Iterator[str]:
    """One sentence for all that a rule found, the first three by name."""
    if found:
        named = [f"{_name(one.arm)} under {words.human(one.bias)} ({words.points(one.est)})" for one in found[:NAMED]]
        more = [f"{len(found) - NAMED} more"] if len(found) > NAMED else []
        yield f"{what}: {words.listed([*named, *more])}."


def _trained(results: Results, arm: Arm) -> list[str]:
    return [bias for bias in results.biases if arm.role == "trained" and results.is_trained(bias, arm)]


def _swayed(results: Results, arm: Arm, bias: str) -> bool:
    brr = _brr(results, arm, bias)
    return brr is not None and _clear(brr)


def _clear(brr: Estimate) -> bool:
    """Whether the whole interval is above 0."""
    return brr.low is not None and brr.low > 0


def _half(brr: Estimate) -> float | None:
    return None if brr.low is None or brr.high is None else (brr.high - brr.low) / 2


def _rounded(n: int) -> int:
    """Two digits: it is a rule of thumb."""
    step = int(10 ** max(0, len(str(n)) - 2))
    return ceil(n / step) * step


def _points(est: Estimate) -> str:
    return words.percent(est.value, signed=True)


def _name(arm: Arm) -> str:
    return words.visible(arm.label)
