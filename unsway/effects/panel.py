"""A panel: side effects of one study, what each prompt scored, and a verdict for each number of each arm.

In: side effects, inputs, and the replies of each arm. Out: `PanelRow`s, one for each number and arm, and the sentence
about them. Nothing is asked here.

    asked = panel(("clean_accuracy", "evidence"), EffectInputs(questions))
    rows(asked, {"base": replies_of_base, "bct": replies_of_bct}, {"base": "base", "bct": "trained"})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from unsway import effects
from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, SideEffect
from unsway.errors import BadInput, UnknownName, number_of
from unsway.prompts.render import options_shown
from unsway.registry import Ref, blaming
from unsway.stats import answer_places, bootstrap_changes, changes, margins
from unsway.stats.compared import Compared, Scores
from unsway.stats.intervals import Floats, change_interval
from unsway.stats.margins import Decision, KeptWord
from unsway.types import Estimate, Prompt, Reply, Settings

Lookup: TypeAlias = Callable[[Prompt, Settings, int], Sequence[Reply]]
"""The replies of one arm to a prompt, under these settings, at most so many samples."""
PanelRole: TypeAlias = Literal["base", "control", "trained"]


@dataclass(frozen=True, slots=True)
class AskedEffect:
    """One side effect of a panel with what is asked for it."""

    effect: SideEffect
    items: tuple[EffectItem, ...]
    settings: Settings
    """How its replies are decoded."""
    heard: Callable[[Prompt], Sequence[Reply]] | None = None
    """What the judge said to each prompt, where the side effect has a judge."""

    def prompts(self) -> tuple[Prompt, ...]:
        """Every prompt once."""
        return tuple({prompt.id: prompt for item in self.items for prompt in item.prompts}.values())

    def settings_for(self, prompt: Prompt) -> Settings:
        """How replies to one prompt are decoded: kept to options only where it shows some, and never made to answer.

        Whether replies loop or name no option is one of the side effects.
        """
        by_itself = replace(self.settings, force_answer=None)
        return by_itself if options_shown(prompt) else replace(by_itself, options_after=None)


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One number of one side effect: what an arm scored, what that is worth, and the verdict."""

    effect: str
    """`name@version`."""
    measure: str
    """Name of the number; its summary is in `summary`."""
    summary: str
    """What it is."""
    unit: Literal["points", "ratio", "words"]
    """How it is shown."""
    arm: str
    """Label of the arm."""
    against: str
    """Label of the arm it is compared with; empty where it stands alone."""
    value: Estimate
    """The arm's own number."""
    before: Estimate | None
    """The number of the arm it is compared with."""
    change: Estimate
    """What the verdict is about: a difference, a quotient, or the arm's own number."""
    gain: tuple[float, float] | None
    """The interval as a gain in the units of the margin, below 0 worse; None where there is none."""
    margin: float | None
    """The largest loss that counts as kept; None where there is no verdict."""
    verdict: KeptWord | Literal["reported"]
    """The verdict; `reported` for a number that has none."""
    why: str
    """Why it cannot be told; empty elsewhere."""
    needed: int | None
    """Questions that would be needed; None where it is decided, and where missing answers alone take up the margin."""
    rises: bool
    """Whether a rise is the loss."""
    p_loss: float
    """One-sided p that nothing was lost, the largest that missing answers allow."""
    n_missing: int
    """Answers of the arm that are missing."""
    n_missing_before: int
    """Answers that are missing in the arm it is compared with."""
    bounds: tuple[float | None, float | None] | None
    """The gain with every missing answer of both arms at its worst and at its best; None where it has no end."""
    missing_as: tuple[Estimate, Estimate] | None = None
    """The arm's own number with every missing answer at its least and at its most; None where none is missing, and of
    numbers that are no mean."""
    shift: float | None = None
    """The number as a gain; None where there is none, and in panels that were kept before it stood in them."""


def panel(
    names: Iterable[str] | None,
    inputs: EffectInputs,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    *,
    own_sizes: bool = False,
) -> tuple[AskedEffect, ...]:
    """The side effects of these names with what is asked; `name/condition` takes one condition of a side effect alone.

    None takes all that need no judge and have something to ask. With `own_sizes` each takes as many questions as it takes
    where nobody names a number, at most those of the inputs.

    Raises:
        UnknownName: There is no such side effect or condition.
        BadInput: One has nothing to ask.
    """
    if names is None:
        names = [name for name in judge_free() if effects.get(name).build(replace(inputs, n=1))]
    wanted: dict[str, list[str]] = {}
    for name in names:
        effect, _, condition = name.partition("/")
        wanted.setdefault(effect, []).append(condition)
    found = []
    for name, parts in wanted.items():
        one = effects.get(name)
        sized = replace(inputs, n=min(inputs.n, one.n)) if own_sizes else inputs
        found.append(asked_effect(one, parts, sized, settings))
    return tuple(found)


def asked_effect(
    effect: SideEffect, conditions: Sequence[str], inputs: EffectInputs, settings: Settings
) -> AskedEffect:
    """One side effect with what is asked, in some of its conditions; an empty one among them takes all. Raises as `panel`."""
    items = effect.build(inputs)
    there = set(dict.fromkeys(item.condition for item in items))
    for condition in conditions:
        if condition and condition not in there:
            raise UnknownName(f"condition of {effect.name}", condition, there)
    taken = there if "" in conditions else set(conditions)
    items = tuple(item for item in items if item.condition in taken)
    if not items:
        raise BadInput(
            f"The side effect {effect.name!r} has nothing to ask: there are no questions with a right option."
        )
    measures = tuple(m for m in effect.measures if not m.conditions or set(m.conditions) <= taken)
    return AskedEffect(replace(effect, measures=measures), items, decoding(effect, settings))


def judge_free() -> tuple[str, ...]:
    """The side effects that need no judge."""
    return tuple(name for name in effects.names() if not effects.get(name).judged)


def decoding(effect: SideEffect, settings: Settings) -> Settings:
    """How the replies of a side effect are decoded, where the study's are decoded so."""
    temperature = settings.temperature if effect.temperature is None else effect.temperature
    longest = settings.max_tokens if effect.max_tokens is None else effect.max_tokens
    return replace(settings, temperature=temperature, max_tokens=longest)


def with_margins(asked: Sequence[AskedEffect], wanted: Mapping[str, float]) -> tuple[AskedEffect, ...]:
    """The panel with other margins, by `effect.measure`, or by `effect` for its first number. Raises `UnknownName`."""
    known = {f"{one.effect.name}.{m.name}": m for one in asked for m in one.effect.measures}
    full = {
        next((f"{one.effect.name}.{one.effect.measures[0].name}" for one in asked if one.effect.name == name), name): m
        for name, m in wanted.items()
    }
    for name in full:
        if name not in known:
            raise UnknownName("number of a side effect", name, known)
    return tuple(
        replace(
            one,
            effect=replace(
                one.effect,
                measures=tuple(
                    replace(m, margin=full.get(f"{one.effect.name}.{m.name}", m.margin)) for m in one.effect.measures
                ),
            ),
        )
        for one in asked
    )


def scored_replies(one: AskedEffect, item: EffectItem, lookup: Lookup) -> Sequence[Sequence[Reply]]:
    """What an item's score takes: the replies of an arm, or what the judge said about them."""
    if one.effect.judge is None or one.heard is None:
        return [lookup(prompt, one.settings_for(prompt), one.effect.samples) for prompt in item.prompts]
    return [() if prompt is None else one.heard(prompt) for prompt in judge_prompts(one, item, lookup)]


def judge_prompts(one: AskedEffect, item: EffectItem, lookup: Lookup) -> Sequence[Prompt | None]:
    """What the judge is asked about one arm's replies to an item; nothing where the side effect has no judge."""
    if one.effect.judge is None:
        return ()
    return one.effect.judge(
        item, [lookup(prompt, one.settings_for(prompt), one.effect.samples) for prompt in item.prompts]
    )


def scores(one: AskedEffect, measure: EffectMeasure, lookup: Lookup) -> Scores:
    """What one arm scored in one number, question by question.

    Raises:
        BadInput: A score failed, is no number, or lies outside the span that missing answers are taken for.
    """
    about = [item for item in one.items if not measure.conditions or item.condition in measure.conditions]
    units = {unit: number for number, unit in enumerate(dict.fromkeys(item.unit for item in about))}
    at = np.array([units[item.unit] for item in about], int)
    with blaming("side effect", one.effect.name, f"the score {measure.name!r}"):
        found = [measure.score(item, scored_replies(one, item, lookup)) for item in about]
    for item, value in zip(about, found, strict=True):
        if not measure.takes(value):
            raise BadInput(
                f"The side effect {one.effect.name!r} scored {value!r:.60} in {measure.name!r} on question {item.unit}; a "
                f"score is a number within its span, {measure.span}, or None. Mend the score, or declare the right span."
            )
    low, high = reversed(measure.span) if measure.rises else measure.span
    read, least, most = (
        np.array([end if value is None else value for value in found], float) for end in (np.nan, low, high)
    )

    def mean_Q(value: Floats) -> Floats:
        there = ~np.isnan(value)
        n = np.bincount(at[there], minlength=len(units)).astype(float)
        total = np.bincount(at[there], value[there], minlength=len(units))
        means: Floats = np.divide(total, n, out=np.full(len(units), np.nan), where=n > 0)
        return means

    groups = tuple({item.unit: item.condition for item in about}.values())
    n_options = tuple({item.unit: len(item.question.options) for item in about if item.question}.values())
    missing = sum(value is None for value in found)
    known = n_options if len(n_options) == len(units) else ()
    return Scores(mean_Q(read), mean_Q(least), mean_Q(most), missing, groups, known)


def own_value(measure: EffectMeasure, arm: Scores) -> Estimate:
    """An arm's own number, for people: its mean, its median, or how far its answers prefer a place."""
    is_read_Q = ~np.isnan(arm.read_Q)
    read_Q = arm.read_Q[is_read_Q]
    n, dropped = len(read_Q), len(arm.read_Q) - len(read_Q)
    if not n:
        return Estimate(measure.name, None, None, None, 0.95, 0, 0, dropped, "", "nothing was read")
    if measure.kind == "letters":
        if not arm.n_options_Q:
            return Estimate(measure.name, None, None, None, 0.95, 0, 0, dropped, "", answer_places.UNKNOWN_OPTIONS)
        value = answer_places.preference(read_Q.astype(int), np.array(arm.n_options_Q)[is_read_Q])
        return Estimate(measure.name, value, None, None, 0.95, n, n, dropped, "total variation, corrected for chance")
    if measure.kind == "median":
        return Estimate(measure.name, float(np.median(read_Q)), None, None, 0.95, n, n, dropped, "median")
    if measure.kind == "youden":
        half = [arm.read_Q[np.array(arm.group_Q) == name] for name in measure.conditions]
        counts = [(int((each > 0).sum()), int((~np.isnan(each)).sum())) for each in half]
        return replace(margins.mover(counts[0], counts[1]), name=measure.name)
    low, high = change_interval(read_Q, level=0.95) if np.abs(read_Q).max() <= 2 else (None, None)
    how = "Tango score interval, questions as units"
    return Estimate(measure.name, float(read_Q.mean()), low, high, 0.95, n, n, dropped, how)


def missing_as(measure: EffectMeasure, arm: Scores) -> tuple[Estimate, Estimate] | None:
    """An arm's own number with its missing answers at their least and at their most; None where none are missing."""
    if not arm.n_missing or measure.kind in ("letters", "median", "youden"):
        return None
    ends = [own_value(measure, replace(arm, read_Q=end_Q)) for end_Q in (arm.least_Q, arm.most_Q)]
    return (ends[1], ends[0]) if measure.rises else (ends[0], ends[1])


def compare(measure: EffectMeasure, arm: Scores, before: Scores, *, seed: int = 0) -> Compared:
    """One number of two arms, as its kind compares them."""
    if measure.kind == "level":
        return changes.own_level(arm, name=measure.name)
    if measure.kind == "kept":
        return bootstrap_changes.kept_share(arm, before, seed=seed, name=measure.name)
    if measure.kind == "median":
        return changes.median_ratio(arm, before, name=measure.name)
    if measure.kind == "letters":
        return answer_places.prior_change(arm, before, seed=seed, name=measure.name)
    if measure.kind == "apart":
        return changes.apart(arm, before, rises=measure.rises, name=measure.name)
    if measure.kind == "rate":
        return bootstrap_changes.rate_change(arm, before, seed=seed, rises=measure.rises, name=measure.name)
    return changes.change(arm, before, rises=measure.rises, by_group=measure.kind == "youden", name=measure.name)


def row(one: AskedEffect, measure: EffectMeasure, arms: tuple[str, str], found: tuple[Scores, Scores]) -> PanelRow:
    """The row of one number: the arm first, then the one it is compared with."""
    compared = compare(measure, *found)
    decision: Decision | None = None
    if measure.margin is not None:
        decision = margins.decide(compared, measure.margin)
    known = compared.estimate.value is not None
    ends = [float(end) if np.isfinite(end) else None for end in compared.bounds]
    return PanelRow(
        effect=one.effect.versioned,
        measure=measure.name,
        summary=measure.summary,
        unit=measure.unit,
        arm=arms[0],
        against="" if measure.kind == "level" else arms[1],
        value=own_value(measure, found[0]),
        before=None if measure.kind == "level" else own_value(measure, found[1]),
        change=compared.estimate,
        gain=(compared.ends.low, compared.ends.high) if known else None,
        margin=measure.margin,
        verdict=decision.word if decision else "reported",
        why=(decision.why or compared.estimate.note) if decision else compared.estimate.note,
        needed=decision.needed if decision and known else None,
        rises=measure.rises or measure.kind == "letters",
        p_loss=compared.p_loss,
        n_missing=compared.n_missing,
        n_missing_before=compared.n_missing_before,
        bounds=(ends[0], ends[1]) if known else None,
        missing_as=missing_as(measure, found[0]),
        shift=compared.shift if known else None,
    )


def rows(
    asked: Sequence[AskedEffect], lookups: Mapping[str, Lookup], roles: Mapping[str, PanelRole]
) -> tuple[PanelRow, ...]:
    """Every number of every arm: against the base, and of a trained arm against the control too.

    Args:
        asked: The panel.
        lookups: Label of each arm to its replies, in the order in which arms are shown.
        roles: Label of each arm to its role; the first base is what the others are compared with.
    """
    base = next((label for label in lookups if roles[label] == "base"), None)
    control = next((label for label in lookups if roles[label] == "control"), None)
    found = []
    for one in asked:
        for measure in one.effect.measures:
            scored = {label: scores(one, measure, lookup) for label, lookup in lookups.items()}
            for label in lookups:
                against = [other for other in (base, control if roles[label] == "trained" else None) if other]
                if measure.kind == "level":
                    against = [label]
                pairs = [(label, other) for other in against if other != label or measure.kind == "level"]
                found += [row(one, measure, arms, (scored[arms[0]], scored[arms[1]])) for arms in pairs]
    return tuple(found)


def sentence(found: Sequence[PanelRow], arm: str, against: str) -> str:
    """What may be said of one arm's panel: that nothing broke, that something did, or that neither is shown.

    "Nothing broke" needs every number within its margin, each at its own level. "Something broke" is a search through
    the panel and is corrected for it (Holm).
    """
    judged = [one for one in found if one.arm == arm and one.margin is not None and one.against in (against, "")]
    if not judged:
        return f"{arm}: no number with a margin was compared with {against}."
    words, kept = [one.verdict for one in judged], [one for one in judged if one.verdict.startswith("kept")]
    if margins.nothing_broke(words):
        worse = sum(one.verdict != "kept" for one in kept)
        more = f" ({worse} of them a little worse)" if worse else ""
        all_of = f"all {len(judged)} numbers stayed within their margins{more}, each"
        all_of = all_of if len(judged) > 1 else f"the one number stayed within its margin{' (a little worse)' * worse},"
        return f"Nothing broke in {arm}: {all_of} shown at its own 2.5 % level."
    lost = margins.broken(words, [one.p_loss for one in judged])
    names = [
        f"{Ref.parse(one.effect).name.replace('_', ' ')} ({one.measure})"
        for one, is_lost in zip(judged, lost, strict=True)
        if is_lost
    ]
    unsure = sum(one.verdict == "cannot tell" for one in judged)
    rest = f" Shown to be kept: {len(kept)} of {len(judged)} numbers; {unsure} cannot be told at this size."
    rest = rest if len(judged) > 1 else ""
    looks = number_of(len(judged), "look")
    if names:
        return f"Something broke in {arm}: {', '.join(names)}, after correction for {looks} (Holm).{rest}"
    if len(judged) == 1:
        return f"Whether anything broke in {arm} is not shown: its one number cannot be told at this size."
    return (
        f"Whether anything broke in {arm} is not shown: no loss survives the correction for {looks}, and not every number "
        f"is shown to be kept.{rest}"
    )
