"""Judge what the replies of a study say: does the reasoning mention the cue, rely on it, hold together?

In: `Results`, questions (rubrics) and judges. Out: `Judged`: every verdict as a row, and rates by arm and bias. The clean
reply to the same question is judged for the same cue in the same words, so its rate is the judge's false-positive rate.

    says = judge(results, ["mentions_cue", "relies_on_cue"], by=["patterns", "openai/gpt-4o-mini"])
    says                                     # a table
    says.verdicts[0].quote
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, get_args

from unsway import biases, layout
from unsway.disk import exclusive
from unsway.errors import BadInput, expect_count
from unsway.judging import rubrics
from unsway.judging.checks import KINDS, CheckKind, JudgeCheck, judge_check
from unsway.judging.ensembles import Rule, ensemble
from unsway.judging.patterns import BY_PATTERNS
from unsway.judging.rubrics import Rubric
from unsway.judging.verdicts import Channel, JudgedReply, verdicts
from unsway.pairing import retarget
from unsway.registry import Ref
from unsway.sampling.options import SamplingOptions
from unsway.seeds import rng, seed_int
from unsway.store import write_jsonl
from unsway.studies.folder import kept_verdicts, study_of
from unsway.studies.judged import Judged, judged
from unsway.studies.results import Results
from unsway.types import ArmKey, Outcome, Pair, Placebo, Verdict
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

PATTERNS = "patterns"
"""The judge that is not a model: text patterns for mentions of each family of cues, and for refusals."""


@dataclass(frozen=True, slots=True)
class Judging:
    """Which texts a judge is shown, and how several judges are combined."""

    channels: Sequence[Channel] = ("answer",)
    """What a judge is shown: `answer`, `thinking` (whole thoughts) or `summary` (of thoughts), each in a separate call."""
    placebos: Sequence[Placebo] = ()
    """Placebos, cues that a reply never saw: `matched`, `swapped`. Clean replies are always judged for the pair's own cue."""
    ensemble: Rule | None = None
    """Rule that combines several judges into an additional one: any, majority or all; None adds none."""
    n: int | None = None
    """Maximum number of pairs of each arm and bias, drawn by the seed; None takes all."""
    seed: int = 0
    """Seed of that draw, and of swapped cues."""

    def __post_init__(self) -> None:
        expect_count(self.n)
        for kind, values, allowed in (
            ("channel", self.channels, get_args(Channel)),
            ("placebo", self.placebos, ("matched", "swapped")),
        ):
            unknown = [value for value in values if value not in allowed]
            if unknown:
                raise BadInput(f"The {kind} {unknown[0]!r} is not known; it is one of: {', '.join(allowed)}.")


class JudgingOptions(SamplingOptions, total=False):
    """The fields of `Judging` and of `Sampling` as keywords."""

    channels: Sequence[Channel]
    placebos: Sequence[Placebo]
    ensemble: Rule | None
    n: int | None
    seed: int
    model_args: Mapping[str, Any] | None


@checked
def judge(
    results: Results | str | Path,
    ask: str | Rubric | Sequence[str | Rubric] = "mentions_cue",
    *,
    by: ModelLike | Sequence[ModelLike] = PATTERNS,
    **options: Unpack[JudgingOptions],
) -> Judged:
    """Judge the replies of a study.

    Args:
        results: The study, or its folder; a folder also stores the verdicts.
        ask: Rubrics or their names: mentions_cue, relies_on_cue, rejects_cue, coherent, declines, … (`unsway list rubrics`).
        by: Judges: models, or `patterns`, which answers `mentions_cue`, and `request_outcome` as a first look.
        options: Fields of `Judging`: channels, placebos, how many pairs, the rule of an ensemble; and those of
            `unsway.sampling.ask`, with `model_args` where a single model judges. With the study's folder, verdicts are stored
            in its `verdicts.jsonl` and the judges' replies in `judges/`, so a second call asks nothing.

    Raises:
        UnknownName: A rubric is not known.
        BadInput: None of the named judges can answer a rubric.
        ModelError, BudgetReached: As `ask`; everything so far is kept.
    """
    asked_rubrics = rubrics.resolve(ask)
    judging = _judging(options)
    judges = _judges(by, options)
    results, folder = study_of(results, options.pop("folder", None))
    model_only = [rubric.name for rubric in asked_rubrics if rubric.name not in BY_PATTERNS]
    if model_only and all(model == PATTERNS for model in judges):
        raise BadInput(
            f"patterns answers {' and '.join(BY_PATTERNS)} alone, not {', '.join(model_only)}. Name a model with --by "
            "(in Python by=…), also next to it: --by patterns,MODEL."
        )
    texts = [*drawn_texts(results, judging)]
    all_verdicts: list[Verdict] = []
    for model, channel, rubric in product(judges, judging.channels, asked_rubrics):
        if model != PATTERNS:
            all_verdicts += verdicts(texts, rubric, model, channel=channel, **_sampling(model, folder, options))
        elif rubric.name in BY_PATTERNS:
            all_verdicts += BY_PATTERNS[rubric.name](texts, channel=channel)
    if judging.ensemble is not None:
        all_verdicts += ensemble(all_verdicts, judging.ensemble)
    if folder is not None:
        keep_verdicts(folder, all_verdicts)
    return judged(results, all_verdicts)


def check_judges(
    results: Results | str | Path,
    ask: str | Rubric | Sequence[str | Rubric],
    by: ModelLike | Sequence[ModelLike],
    kinds: Sequence[CheckKind] = KINDS,
    *,
    again: int = 1,
    **options: Unpack[JudgingOptions],
) -> tuple[JudgeCheck, ...]:
    """Test whether judges change their verdicts when nothing relevant changed (`judging.checks`).

    Args:
        results: The study, or its folder; a folder also stores the verdicts.
        ask: Rubrics or their names.
        by: Judges: models only.
        kinds: Which checks to run, that is, what is altered.
        again: For the check `again`: number of the further reply compared with the first; a new number asks again.
        options: As for `judge`, without an ensemble; the judges' replies are stored next to those of `judge`.

    Raises:
        BadInput: A check is unknown, or patterns or an ensemble were given as judges.
        UnknownName, ModelError, BudgetReached: As `judge`.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise BadInput(f"The check {unknown[0]!r} is not known; it is one of: {', '.join(KINDS)}.")
    asked_rubrics = rubrics.resolve(ask)
    judging = _judging(options)
    judges = _judges(by, options)
    if PATTERNS in judges or judging.ensemble:
        raise BadInput(
            "Checks are of models, each by itself: name them with --by (in Python by=…), without an ensemble."
        )
    results, folder = study_of(results, options.pop("folder", None))
    texts = [*drawn_texts(results, judging)]
    return tuple(
        judge_check(kind, texts, rubric, model, channel=channel, again=again, **_sampling(model, folder, options))
        for model, channel, rubric, kind in product(judges, judging.channels, asked_rubrics, kinds)
    )


def _judging(options: JudgingOptions) -> Judging:
    """Remove the fields of `Judging` from the options and return them as a value."""
    return Judging(**{field.name: options.pop(field.name) for field in fields(Judging) if field.name in options})  # type: ignore[misc]


def _judges(by: ModelLike | Sequence[ModelLike], options: JudgingOptions) -> list[ModelLike]:
    """The judges as a list. Raises `BadInput` if `model_args` are given for several."""
    judges: list[ModelLike] = list(by) if isinstance(by, Sequence) and not isinstance(by, str) else [by]
    if options.get("model_args") and sum(model != PATTERNS for model in judges) > 1:
        raise BadInput("model_args (-M) are of one model, and several judge. Name one judge at a time.")
    return judges


def _sampling(model: ModelLike, folder: str | Path | None, options: JudgingOptions) -> SamplingOptions:
    """How a judge is asked: its replies go to its own folder."""
    judge_folder = None if folder is None else Path(folder) / layout.JUDGES / layout.file_name(str(model))
    return {**options, "folder": judge_folder}  # type: ignore[typeddict-unknown-key]


def keep_verdicts(folder: str | Path, new: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Add verdicts to a folder, replacing earlier ones on the same question by the same judge; returns all."""
    path = Path(folder)
    with exclusive(path):  # another judge may add verdicts at the same time
        rows = (*kept_verdicts(path), *new)
        latest = {(v.reply, v.pair, v.side, v.channel, v.question, v.by, v.placebo): v for v in rows}
        write_jsonl(path / layout.VERDICTS, latest.values(), questions=sorted({v.question for v in latest.values()}))
    return tuple(latest.values())


def drawn_texts(results: Results, judging: Judging) -> Iterator[JudgedReply]:
    """The replies to judge, by arm and bias: both sides of each drawn pair, and its placebos.

    There are two placebos: a biased reply judged for the cue of another bias on the same question (swapped), and a clean
    reply judged as if the cue had pointed to the option it chose (matched). A pair without such a cue has no placebo.
    """
    pairs = {pair.id: pair for pair in results.pairs}
    groups = dict[tuple[ArmKey, str], list[Outcome]]()
    pairs_of_question: dict[str, list[Pair]] = {}
    for pair in pairs.values():
        pairs_of_question.setdefault(pair.question.id, []).append(pair)
    for outcome in results.outcomes:
        groups.setdefault((outcome.arm, outcome.bias), []).append(outcome)
    for group in groups.values():
        for outcome in sorted(group, key=lambda o: seed_int(judging.seed, "judged", o.pair_id, o.sample))[: judging.n]:
            pair = pairs[outcome.pair_id]
            clean = results.reply(outcome.arm, pair.clean, outcome.sample)
            biased = results.reply(outcome.arm, pair.biased, outcome.sample)
            if biased is not None:
                yield JudgedReply(pair, "biased", biased)
                candidates = [
                    candidate
                    for candidate in pairs_of_question[pair.question.id]
                    if candidate.bias != pair.bias and candidate.biased.cue()
                ]
                if candidates and "swapped" in judging.placebos:
                    other_pair = rng(judging.seed, "swapped", pair.id).choice(
                        sorted(candidates, key=lambda candidate: candidate.bias)
                    )
                    about = replace(other_pair, order=pair.order)
                    yield JudgedReply(pair, "biased", biased, placebo="swapped", about=about)
            if clean is None:
                continue
            yield JudgedReply(pair, "clean", clean)
            bias, choice = Ref.parse(pair.bias), outcome.clean.choice
            can_retarget = bias.name in biases.names() and pair.target.stance == "for"
            if "matched" in judging.placebos and choice is not None and can_retarget:
                is_cued = pair.target.cued == choice
                matched_pair = pair if is_cued else retarget(pair, biases.get(bias.unversioned), choice)
                if matched_pair is not None:
                    yield JudgedReply(pair, "clean", clean, placebo="matched", about=matched_pair)
