"""A panel: the scores of a study's arms in some side effects, and a verdict on each number of each arm.

In: what was asked, and the replies of each arm. Out: `PanelRow`s, one for each number and arm, and the sentence about them.

    rows(asked_effects, {"base": replies_of_base, "bct": replies_of_bct}, {"base": "base", "bct": "trained"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from unsway.effects.asked import AskedEffect, Lookup
from unsway.effects.definition import EffectMeasure
from unsway.effects.scoring import compare, missing_as, own_value, scores, select_items
from unsway.errors import number_of
from unsway.registry import Ref
from unsway.stats import margins
from unsway.stats.compared import Scores
from unsway.stats.margins import KeptWord
from unsway.types import Estimate

PanelRole: TypeAlias = Literal["base", "control", "trained"]


@dataclass(frozen=True, slots=True)
class PanelPart:
    """A number on the questions of only one condition, for information: it has no interval and no verdict."""

    condition: str
    """The condition, such as a type of requests."""
    value: float
    """The arm's own mean."""
    before: float
    """The mean of the arm it is compared with."""
    n: int
    """Questions read in both."""


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One number of one side effect for one arm: the scores, their comparison, and the verdict."""

    effect: str
    """`name@version`."""
    measure: str
    """Name of the number; its summary is in `summary`."""
    summary: str
    """Description of the number."""
    unit: Literal["points", "ratio", "words"]
    """How it is shown."""
    arm: str
    """Label of the arm."""
    against: str
    """Label of the arm it is compared with; empty if it is compared with 0."""
    value: Estimate
    """The arm's own number."""
    before: Estimate | None
    """The number of the arm it is compared with; None if it is compared with 0."""
    change: Estimate
    """The number that the verdict is about: a difference, a quotient, or the arm's own number."""
    gain: tuple[float, float] | None
    """The interval as a gain in the units of the margin, below 0 is worse; None if there is none."""
    margin: float | None
    """The largest loss that counts as kept; None without a verdict."""
    verdict: KeptWord | Literal["reported"]
    """The verdict; `reported` for a number that has none."""
    why: str
    """Why it cannot be told; empty elsewhere."""
    needed: int | None
    """Number of questions needed for a verdict; None if it is decided, or if missing answers alone exceed the margin."""
    rises: bool
    """Whether a rise is a loss."""
    p_loss: float
    """One-sided p-value for no loss: the largest that missing answers allow."""
    n_missing: int
    """Number of missing answers of the arm."""
    n_missing_before: int
    """Number of missing answers of the arm it is compared with."""
    bounds: tuple[float | None, float | None] | None
    """The gain with every missing answer of both arms at its worst and at its best; None for an unbounded end."""
    missing_as: tuple[Estimate, Estimate] | None = None
    """The arm's own number with every missing answer at its minimum and at its maximum; None if none is missing, or if the
    number is not a mean."""
    shift: float | None = None
    """The number as a gain; None if there is none, and in older panels without this field."""
    changed: float | None = None
    """The share of questions that scored differently in the two arms; None without a second arm, without a question readable
    in both, and in older panels without this field."""
    parts: tuple[PanelPart, ...] = ()
    """The number by condition, if it covers several that it does not name; only the whole has a verdict."""


def row(
    asked_effect: AskedEffect, measure: EffectMeasure, arms: tuple[str, str], arm_scores: tuple[Scores, Scores]
) -> PanelRow:
    """The row of one number; `arms` is the arm, then the one it is compared with; `arm_scores` are theirs."""
    compared = compare(measure, *arm_scores)
    decision = None if measure.margin is None else margins.decide(compared, measure.margin)
    has_value = compared.estimate.value is not None
    after_Q, before_Q = (arm.read_Q for arm in arm_scores)
    paired_Q = ~np.isnan(after_Q) & ~np.isnan(before_Q) & (measure.kind != "level")
    ends = [float(end) if np.isfinite(end) else None for end in compared.bounds]
    return PanelRow(
        effect=asked_effect.effect.versioned,
        measure=measure.name,
        summary=measure.summary,
        unit=measure.unit,
        arm=arms[0],
        against="" if measure.kind == "level" else arms[1],
        value=own_value(measure, arm_scores[0]),
        before=None if measure.kind == "level" else own_value(measure, arm_scores[1]),
        change=compared.estimate,
        gain=(compared.ends.low, compared.ends.high) if has_value else None,
        margin=measure.margin,
        verdict=decision.word if decision else "reported",
        why=(decision.why or compared.estimate.note) if decision else compared.estimate.note,
        needed=decision.needed if decision and has_value else None,
        rises=measure.rises or measure.kind == "letters",
        p_loss=compared.p_loss,
        n_missing=compared.n_missing,
        n_missing_before=compared.n_missing_before,
        bounds=(ends[0], ends[1]) if has_value else None,
        missing_as=missing_as(measure, arm_scores[0]),
        shift=compared.shift if has_value else None,
        parts=parts(measure, arm_scores),
        changed=float((after_Q != before_Q)[paired_Q].mean()) if paired_Q.any() else None,
    )


def parts(measure: EffectMeasure, arm_scores: tuple[Scores, Scores]) -> tuple[PanelPart, ...]:
    """The means of two arms by condition; empty if the number covers only one condition, or names its conditions."""
    conditions = sorted(set(arm_scores[0].group_Q))
    if measure.conditions or len(conditions) < 2 or measure.kind not in ("change", "kept", "rate"):
        return ()
    panel_parts = []
    for condition in conditions:
        after_Q, before_Q = (arm.read_Q[np.array(arm.group_Q) == condition] for arm in arm_scores)
        paired_Q = ~np.isnan(after_Q) & ~np.isnan(before_Q)
        if paired_Q.any():
            means = float(after_Q[paired_Q].mean()), float(before_Q[paired_Q].mean())
            panel_parts.append(PanelPart(condition, *means, int(paired_Q.sum())))
    return tuple(panel_parts)


def rows(
    asked_effects: Sequence[AskedEffect], lookups: Mapping[str, Lookup], roles: Mapping[str, PanelRole]
) -> tuple[PanelRow, ...]:
    """Every number of every arm compared with the base, and of trained arms also with the control.

    Args:
        asked_effects: The panel.
        lookups: Label of each arm to its replies, in the order in which arms are shown.
        roles: Label of each arm to its role; the first base is what the others are compared with.
    """
    base = next((label for label in lookups if roles[label] == "base"), None)
    control = next((label for label in lookups if roles[label] == "control"), None)
    panel_rows = []
    for asked_effect in asked_effects:
        asked_effect = select_items(asked_effect, lookups[base]) if base else asked_effect
        for measure in asked_effect.effect.measures:
            arm_scores = {label: scores(asked_effect, measure, lookup) for label, lookup in lookups.items()}
            for label in lookups:
                references = [base, control if roles[label] == "trained" else None]
                against = (
                    [label]
                    if measure.kind == "level"
                    else [reference for reference in references if reference and reference != label]
                )
                panel_rows += [
                    row(asked_effect, measure, (label, reference), (arm_scores[label], arm_scores[reference]))
                    for reference in against
                ]
    return tuple(panel_rows)


def sentence(panel_rows: Sequence[PanelRow], arm: str, against: str) -> str:
    """The conclusion about one arm's panel: nothing broke, something broke, or neither is shown.

    "Nothing broke" needs every number within its margin, each at its own level. "Something broke" is a search through
    the panel and is corrected for it (Holm).
    """
    judged_rows = [
        row for row in panel_rows if row.arm == arm and row.margin is not None and row.against in (against, "")
    ]
    if not judged_rows:
        return f"{arm}: no number with a margin was compared with {against}."
    verdicts = [row.verdict for row in judged_rows]
    kept_rows = [row for row in judged_rows if row.verdict.startswith("kept")]
    if margins.nothing_broke(verdicts):
        n_worse = sum(row.verdict != "kept" for row in kept_rows)
        worse_note = f" ({n_worse} of them a little worse)" if n_worse else ""
        statement = f"all {len(judged_rows)} numbers stayed within their margins{worse_note}, each"
        statement = (
            statement
            if len(judged_rows) > 1
            else f"the one number stayed within its margin{' (a little worse)' * n_worse},"
        )
        return f"Nothing broke in {arm}: {statement} shown at its own 2.5 % level."
    losses = margins.broken(verdicts, [row.p_loss for row in judged_rows])
    names = [
        f"{Ref.parse(row.effect).name.replace('_', ' ')} ({row.measure})"
        for row, is_lost in zip(judged_rows, losses, strict=True)
        if is_lost
    ]
    n_unsure = sum(row.verdict == "cannot tell" for row in judged_rows)
    kept_note = (
        f" Shown to be kept: {len(kept_rows)} of {len(judged_rows)} numbers; {n_unsure} cannot be told at this size."
    )
    kept_note = kept_note if len(judged_rows) > 1 else ""
    looks = number_of(len(judged_rows), "look")
    if names:
        return f"Something broke in {arm}: {', '.join(names)}, after correction for {looks} (Holm).{kept_note}"
    if len(judged_rows) == 1:
        return f"Whether anything broke in {arm} is not shown: its one number cannot be told at this size."
    return (
        f"Whether anything broke in {arm} is not shown: no loss survives the correction for {looks}, and not every number "
        f"is shown to be kept.{kept_note}"
    )
