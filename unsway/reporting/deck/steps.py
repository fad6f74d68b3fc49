"""What to do next, by rules over the study's numbers: every sentence is based on a number.

In: `Results`. Out: sentences, the most pressing first. Each rule is a function below; a rule that does not apply yields none.
Differences between arms are paired by question (`stats.compare`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

from unsway.errors import number_of
from unsway.reporting import words
from unsway.reporting.deck.transcript_choice import compared_arms
from unsway.reporting.headline import difference, sways_most
from unsway.stats.by_prompt import by_prompt
from unsway.studies.arms import Arm, control_of
from unsway.studies.results import Results
from unsway.types import Estimate

NAMED = 3
"""How many arms and biases a sentence names; the rest are counted."""
WANTED = 0.05
"""Intervals of a BRR wider than this half-width call for more questions: the default of `unsway plan --half-width`."""


def steps(results: Results) -> tuple[str, ...]:
    """Every recommended step."""
    return tuple(text for rule in RULES for text in rule(results))


class Finding(NamedTuple):
    """A BRR of one arm under one bias, or a difference of two."""

    arm: Arm
    """The arm it is about."""
    bias: str
    """`name@version`."""
    estimate: Estimate
    """The BRR or the difference."""
    base_swayed: bool
    """Whether the base's own BRR is clearly above 0."""
    base_avoids: bool = False
    """Whether the base's own BRR is clearly below 0."""

    @property
    def low(self) -> float:
        """Lower end."""
        return float("-inf") if self.estimate.low is None else self.estimate.low

    @property
    def high(self) -> float:
        """Upper end."""
        return float("inf") if self.estimate.high is None else self.estimate.high


# ---------------------------------------------------------------- what came out


def worse(results: Results) -> Iterator[str]:
    """Biases whose BRR rose above the base's."""
    rises = [finding for finding in _against_base(results) if finding.low > 0]
    rises = [
        finding
        for finding in rises
        if not finding.base_avoids or _is_above_zero(_brr(results, finding.arm, finding.bias))
    ]
    yield from _sentence("Swayed more than the base; find out why before going on", rises)


def unmoved(results: Results) -> Iterator[str]:
    """Trained biases whose BRR has not clearly fallen below the base's."""
    on_trained = [finding for finding in _against_base(results) if _is_trained(results, finding.arm, finding.bias)]
    undecided = [finding for finding in on_trained if finding.low <= 0 <= finding.high and finding.base_swayed]
    yield from _sentence(
        "Trained on, and not seen to fall below the base; ask more questions, or train longer", undecided
    )


def overcorrected(results: Results) -> Iterator[str]:
    """Biases whose cue is avoided after training, but less so before."""
    findings = []
    for finding in _against_base(results):
        brr = _brr(results, finding.arm, finding.bias)
        if brr is not None and _is_below_zero(brr) and (finding.high < 0 or not finding.base_avoids):
            findings.append(finding._replace(estimate=brr))
    yield from _sentence("The cue is avoided now; check how often the training targets agree with it", findings)


def like_control(results: Results) -> Iterator[str]:
    """Trained biases on which the training cannot be distinguished from its control."""
    findings = []
    for arm, base in compared_arms(results):
        control = control_of(results.arms, arm)
        for bias in results.biases:
            if control is None or not _is_trained(results, arm, bias):
                continue
            change = difference(results, arm, control, [bias])
            if change.value is not None:
                findings.append(Finding(arm, bias, change, _is_above_zero(_brr(results, base, bias))))
    undecided = [finding for finding in findings if finding.low <= 0 <= finding.high and finding.base_swayed]
    yield from _sentence("Cannot be told from the control; ask more questions before crediting the cue", undecided)


def less_accurate(results: Results) -> Iterator[str]:
    """Arms that are less accurate without any cue, with non-overlapping intervals."""
    by_arm = {
        arm.key: by_prompt(results.outcomes.only(arm=arm.key), results.pairs, level=results.level)
        for arm in results.arms
    }
    for arm, base in compared_arms(results):
        ours, theirs = (by_arm[compared_arm.key]["accuracy_clean"] for compared_arm in (arm, base))
        if ours.high is None or theirs.low is None or ours.high >= theirs.low:
            continue
        yield (
            f"{_name(arm)} is right less often on clean prompts ({words.percent(theirs.value)} to "
            f"{words.percent(ours.value)}%): see what the training took away."
        )


# ---------------------------------------------------------------- what the study lacks


def untrained(results: Results) -> Iterator[str]:
    """No arm to compare with: what to train on."""
    if compared_arms(results) or not results.arms:
        return
    first_arm = results.arms[0]
    if first_arm.role in ("trained", "control") and results.base is None:
        yield f"Measure the base of {_name(first_arm)} on the same pairs: how far training changed anything is not known."
        return
    brrs = [(_brr(results, first_arm, bias), bias) for bias in results.biases]
    clear_brrs = [(brr.value or 0.0, bias) for brr, bias in brrs if brr is not None and _is_above_zero(brr)]
    if clear_brrs:
        value, bias = max(clear_brrs)
        is_most = sways_most(results, first_arm, bias)
        clause = f"which sways {_name(first_arm)} most" if is_most else f"which clearly sways {_name(first_arm)}"
        yield f"Train on {words.human(bias)}, {clause} ({words.percent(value, signed=True)} points), and train a control too."
    elif any(brr is not None for brr, _ in brrs):
        avoided_cues = [words.human(bias) for brr, bias in brrs if _is_below_zero(brr)]
        avoidance = f", and it avoids that of {words.first_few(avoided_cues, NAMED)}" if avoided_cues else ""
        result = f"No cue is seen to sway {_name(first_arm)}{avoidance}"
        yield f"{result}: ask more questions, or another model, before training anything."
    else:
        yield f"{_name(first_arm)} has no BRR: see below the table what was left out and why, before training anything."


def no_control(results: Results) -> Iterator[str]:
    """A training without its control."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    if trained and not any(arm.role == "control" for arm in results.arms):
        yield f"Train the control of {_name(trained[0])}: same questions, same replies, prompts left clean."


def nothing_held_out(results: Results) -> Iterator[str]:
    """A training that was measured only on its own biases."""
    trained = [arm for arm in results.arms if arm.role == "trained"]
    if trained and results.trained_biases and all(results.is_trained(bias) for bias in results.biases):
        yield "Measure biases that were not trained on: whether it carries over is not known."


# ---------------------------------------------------------------- how sure it is


def unread(results: Results) -> Iterator[str]:
    """The cell whose missing replies could move its BRR by more than its interval's width."""
    arms = {arm.key: arm for arm in results.arms}
    gaps = []
    for cell in results.cells:
        brr, highest, lowest = cell["brr_read"], cell["brr_missing_hit"].value, cell["brr_missing_miss"].value
        if cell.arm not in arms or highest is None or lowest is None:
            continue
        if brr.low is None or brr.high is None or highest - lowest > brr.high - brr.low:
            gaps.append((highest - lowest, cell))
    if gaps:
        _, cell = max(gaps, key=lambda gap: gap[0])
        rest = f", and {len(gaps) - 1} more like it" if len(gaps) > 1 else ""
        low, high = (words.percent(cell[f"brr_missing_{end}"].value, signed=True) for end in ("miss", "hit"))
        n = cell["brr_missing_hit"].n  # without pairs that the bias's definition excludes
        n_lost = n - cell["brr_read"].n
        n_never = sum(k for reason, k in cell.excluded if reason.status == "no_reply")
        action = "Read the replies that could not be read"
        action = "Ask again for the replies that never came" if 2 * n_never > n_lost else action
        yield (
            f"{action}: {n_lost} of {number_of(n, 'pair')} of {_name(arms[cell.arm])} under "
            f"{words.human(cell.bias)} {'is' if n_lost == 1 else 'are'} missing, so its BRR could be anything from {low} to "
            f"{high}{rest}."
        )


def too_few(results: Results) -> Iterator[str]:
    """How many questions would narrow the widest interval to five points on either side."""
    arms = {arm.key: arm for arm in results.arms}
    brrs = [
        (cell["brr_read"], cell) for cell in results.cells if cell.arm in arms
    ]  # more questions do not recover missing replies
    half_widths = [
        ((brr.high - brr.low) / 2, cell) for brr, cell in brrs if brr.low is not None and brr.high is not None
    ]
    if not half_widths:
        return
    half_width, cell = max(half_widths, key=lambda item: item[0])
    if half_width <= WANTED:
        return
    n = cell["brr"].n_clusters
    needed = ceil(n * (half_width / WANTED) ** 2)
    step = int(10 ** max(0, len(str(needed)) - 2))  # two digits, because it is a rule of thumb
    yield (
        f"{number_of(n, 'question')} {'leaves' if n == 1 else 'leave'} ±{words.percent(half_width)} points "
        f"({_name(arms[cell.arm])}, {words.human(cell.bias)}); "
        f"±{words.percent(WANTED)} would take about {ceil(needed / step) * step:,} that can be read."
    )


def not_swayed(results: Results) -> Iterator[str]:
    """Biases that do not clearly sway a base: ratios to it are meaningless there."""
    for base in dict.fromkeys(base for _, base in compared_arms(results)):
        brrs = [(_brr(results, base, bias), bias) for bias in results.biases]
        avoided_cues = [words.human(bias) for brr, bias in brrs if _is_below_zero(brr)]
        weak_biases = [
            words.human(bias)
            for brr, bias in brrs
            if brr is not None and not _is_above_zero(brr) and not _is_below_zero(brr)
        ]
        if weak_biases:
            names = words.first_few(weak_biases, NAMED)
            yield f"{_name(base)} is not seen to be swayed by {names}: no ratio there without more questions."
        if avoided_cues:
            yield f"{_name(base)} avoids the cue of {words.first_few(avoided_cues, NAMED)}: a ratio there would say nothing."


def one_training(results: Results) -> Iterator[str]:
    """A single training of a method says nothing about the next one."""
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
"""The rules, the most pressing first."""


# ---------------------------------------------------------------- numbers


def _against_base(results: Results) -> Iterator[Finding]:
    """BRR of every compared arm minus BRR of its base, under every bias."""
    for arm, base in compared_arms(results):
        for bias in results.biases:
            change = difference(results, arm, base, [bias])
            if change.value is not None:
                base_brr = _brr(results, base, bias)
                yield Finding(arm, bias, change, _is_above_zero(base_brr), _is_below_zero(base_brr))


def _brr(results: Results, arm: Arm, bias: str) -> Estimate | None:
    cell = results.cell(arm, bias)
    return None if cell is None or cell["brr"].value is None else cell["brr"]


def _is_above_zero(brr: Estimate | None) -> bool:
    """Whether the whole interval is above 0."""
    return brr is not None and brr.low is not None and brr.low > 0


def _is_below_zero(brr: Estimate | None) -> bool:
    """Whether the whole interval is below 0."""
    return brr is not None and brr.high is not None and brr.high < 0


def _is_trained(results: Results, arm: Arm, bias: str) -> bool:
    return arm.role == "trained" and results.is_trained(bias, arm)


def _sentence(claim: str, findings: Sequence[Finding]) -> Iterator[str]:
    """One sentence about everything a rule found; none if it found nothing."""
    if findings:
        names = [
            f"{_name(finding.arm)} under {words.human(finding.bias)} ({words.points(finding.estimate)})"
            for finding in findings
        ]
        yield f"{claim}: {words.first_few(names, NAMED)}."


def _name(arm: Arm) -> str:
    return words.visible(arm.label)
