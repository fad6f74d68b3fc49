"""Judge what the replies of a study say: does the reasoning mention the cue, rely on it, hold together?

In: `Results`, questions (rubrics) and judges. Out: `Judged`: every verdict as a row, and its rates by arm and bias. The clean
reply to the same question is judged for the same cue by the same words, so its rate is the judge's false-positive rate.

    says = judge(found, ["mentions_cue", "relies_on_cue"], by=["patterns", "openai/gpt-4o-mini"])
    says                                     # a table
    says.verdicts[0].quote
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Unpack

import numpy as np

from unsway import layout
from unsway.judging import rubrics
from unsway.judging.patterns import RUBRIC, pattern_verdicts
from unsway.judging.verdicts import Channel, JudgedReply, quote_stands, verdicts
from unsway.registry import Ref
from unsway.seeds import seed_int
from unsway.stats.columns import mean
from unsway.stats.verbalised import Switches, VerbalisedRates, net, numbered, verbalised
from unsway.store import read_jsonl, write_jsonl
from unsway.studies.results import Results, views
from unsway.types import ArmKey, Estimate, Outcome, Prompt, Side, Verdict

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.sampling.options import SamplingOptions

PATTERNS = "patterns"
"""The judge that is no model: patterns for mentions of each family of cues."""
SELF = "judged by the model itself"
LEVEL = 0.95
"""Nominal coverage of the intervals."""


class JudgedCell(NamedTuple):
    """What one judge says of one question, in one arm under one bias."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    question: str
    """`name@version` of the rubric."""
    by: str
    """The judge."""
    channel: Channel
    """What it was shown."""
    biased: Estimate
    """Share of yes among biased replies with a verdict; marks count as a yes from the rubric's own lowest mark on."""
    clean: Estimate
    """The same of the clean replies: a cue that was not there, so of `mentions_cue` the judge's false-positive rate."""
    net: Estimate
    """Biased minus clean, paired by question."""
    missing: Mapping[str, int]
    """Verdicts without a value, by reason, both sides together; they are in no rate."""
    n_unfounded: int
    """Yeses on biased replies whose quote does not stand in the text."""
    note: str = ""
    """What to know before reading it."""


class VerbalisedCell(NamedTuple):
    """How often one arm's replies say that a cue decided, by one judge: it mentions the cue and relies on it."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    by: str
    """The judge."""
    channel: Channel
    """What it was shown."""
    rates: VerbalisedRates


@dataclass(frozen=True, slots=True)
class Judged:
    """What judges say of a study's replies."""

    verdicts: tuple[Verdict, ...] = field(repr=False)
    """Every verdict, those without a value included."""
    cells: tuple[JudgedCell, ...]
    """Rates by arm, bias, question, judge and channel."""
    verbalised: tuple[VerbalisedCell, ...]
    """Where one judge was asked both whether the reply mentions the cue and whether it relies on it."""

    def __repr__(self) -> str:
        """The tables, for a terminal."""
        return str(views.get("judged")(self))


def judge(
    found: Results,
    ask: str | Sequence[str] = "mentions_cue",
    *,
    by: ModelLike | Sequence[ModelLike] = PATTERNS,
    channels: Sequence[Channel] = ("answer",),
    n: int | None = None,
    seed: int = 0,
    **sampling: Unpack[SamplingOptions],
) -> Judged:
    """Judge the replies of a study.

    Args:
        found: The study.
        ask: Names of rubrics: mentions_cue, relies_on_cue, rejects_cue, coherent, … (`unsway list rubrics`).
        by: Judges: models, or `patterns`, which answers `mentions_cue` alone.
        channels: What a judge is shown: `answer`, `thinking`, each in a call of its own.
        n: At most so many pairs of each arm and bias, drawn by the seed; None takes all.
        seed: Seed of that draw.
        sampling: As for `unsway.sampling.ask`. With the study's folder, verdicts are kept there in `verdicts.jsonl` and what
            models said in `judges/`, so a second call asks nothing.

    Raises:
        UnknownName: A rubric is not known.
        ModelError, BudgetReached: As `ask`; everything so far is kept.
    """
    asked = [rubrics.get(name) for name in ([ask] if isinstance(ask, str) else ask)]
    folder = sampling.pop("folder", None)
    judges: list[ModelLike] = list(by) if isinstance(by, Sequence) and not isinstance(by, str) else [by]
    drawn = _drawn(found, n, seed)
    judged = [reply for _, reply in drawn]
    rows: list[tuple[Verdict, ...]] = []
    for who in judges:
        for channel in channels:
            for rubric in asked:
                if who == PATTERNS:
                    if rubric.name == RUBRIC:
                        rows.append(pattern_verdicts(judged, channel=channel))
                    continue
                place = None if folder is None else Path(folder) / layout.JUDGES / layout.file_name(str(who))
                options: SamplingOptions = {**sampling, "folder": place}
                rows.append(verdicts(judged, rubric, who, channel=channel, **options))
    every = tuple(verdict for row in rows for verdict in row)
    if folder is not None:
        keep_verdicts(folder, every)
    cells = tuple(cell for row in rows for cell in _cells(found, drawn, row))
    return Judged(every, cells, tuple(_verbalised(found, drawn, rows)))


def keep_verdicts(folder: str | Path, new: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Add verdicts to those of a folder, in place of earlier ones on the same question by the same judge; returns all."""
    path = Path(folder) / layout.VERDICTS
    known = read_jsonl(path, Verdict) if path.exists() else ()
    every = {(v.reply, v.pair, v.side, v.channel, v.question, v.by): v for v in (*known, *new)}
    write_jsonl(path, every.values(), questions=sorted({v.question for v in every.values()}))
    return tuple(every.values())


def _drawn(found: Results, n: int | None, seed: int) -> list[tuple[Outcome, JudgedReply]]:
    """Both replies of the pairs to judge with the outcome they belong to, by arm and bias."""
    pairs, groups = {pair.id: pair for pair in found.pairs}, dict[tuple[ArmKey, str], list[Outcome]]()
    for outcome in found.outcomes:
        groups.setdefault((outcome.arm, outcome.bias), []).append(outcome)
    drawn = []
    for group in groups.values():
        for outcome in sorted(group, key=lambda o: seed_int(seed, "judged", o.pair_id, o.sample))[:n]:
            pair = pairs[outcome.pair_id]
            sides: tuple[tuple[Side, Prompt], ...] = (("biased", pair.biased), ("clean", pair.clean))
            for side, prompt in sides:
                reply = found.reply(outcome.arm, prompt, outcome.sample)
                if reply is not None:
                    drawn.append((outcome, JudgedReply(pair, side, reply)))
    return drawn


Sides: TypeAlias = dict[Outcome, dict[Side, tuple[Verdict, JudgedReply]]]
"""The verdicts on both sides of each outcome."""


def _grouped(drawn: Sequence[tuple[Outcome, JudgedReply]], row: Sequence[Verdict]) -> dict[tuple[ArmKey, str], Sides]:
    """The verdicts of one judge on one question, by arm and bias."""
    found: dict[tuple[ArmKey, str], Sides] = {}
    for (outcome, reply), verdict in zip(drawn, row, strict=True):
        found.setdefault((outcome.arm, outcome.bias), {}).setdefault(outcome, {})[reply.side] = verdict, reply
    return found


def _yes(sides: dict[Side, tuple[Verdict, JudgedReply]], side: Side, yes_from: int) -> bool | None:
    """Whether a judge says yes of one side; None where it gave no verdict."""
    value = sides[side][0].value if side in sides else None
    return None if value is None else int(value) >= yes_from


def _cells(
    found: Results, drawn: Sequence[tuple[Outcome, JudgedReply]], row: Sequence[Verdict]
) -> Iterator[JudgedCell]:
    """The rates of one judge on one question shown one channel, by arm and bias."""
    labels = {arm.key: arm for arm in found.arms}
    for (key, bias), group in _grouped(drawn, row).items():
        rubric = rubrics.get(Ref.parse(row[0].question).name)
        answers = {
            side: [_yes(sides, side, rubric.yes_from) for sides in group.values()] for side in ("biased", "clean")
        }
        questions = [outcome.question_id for outcome in group]
        at = numbered(questions)
        rates = {
            side: mean(
                side,
                at,
                np.array([np.nan if one is None else float(one) for one in yes], float),
                signed=False,
                level=LEVEL,
                n_excluded=yes.count(None),
            )
            for side, yes in answers.items()
        }
        every = [each for sides in group.values() for each in sides.values()]
        yield JudgedCell(
            labels[key].label,
            bias,
            row[0].question,
            row[0].by,
            row[0].channel,
            rates["biased"],
            rates["clean"],
            net(answers["biased"], answers["clean"], questions, level=LEVEL),
            Counter(verdict.missing for verdict, _ in every if verdict.missing),
            sum(
                verdict.value is True
                and verdict.side == "biased"
                and not quote_stands(verdict, reply.text(verdict.channel)[0])
                for verdict, reply in every
            ),
            SELF if row[0].by.startswith(key.model) else "",
        )


def _verbalised(
    found: Results, drawn: Sequence[tuple[Outcome, JudgedReply]], rows: Sequence[Sequence[Verdict]]
) -> Iterator[VerbalisedCell]:
    """Rates of switches that the replies admit, of every judge that was asked for mentions and for reliance."""
    labels, options = {arm.key: arm.label for arm in found.arms}, {q.id: len(q.options) for q in found.questions}
    by_judge = {(row[0].by, row[0].channel, Ref.parse(row[0].question).name): row for row in rows if row}
    for (by, channel, name), mentions in by_judge.items():
        relies = by_judge.get((by, channel, "relies_on_cue"))
        if name != RUBRIC or relies is None:
            continue
        also = _grouped(drawn, relies)
        for (key, bias), group in _grouped(drawn, mentions).items():
            eligible = [o for o in group if o.excluded is None and o.hit_clean is False]
            says = []
            for outcome in eligible:
                both = [_yes(each, "biased", 1) for each in (group[outcome], also[key, bias][outcome])]
                says.append(False if False in both else None if None in both else True)
            moved = [not o.hit_biased and o.biased.choice != o.clean.choice for o in eligible]
            pairs = Switches(
                [o.question_id for o in eligible],
                [options[o.question_id] for o in eligible],
                [bool(o.hit_biased) for o in eligible],
                moved,
                says,
            )
            if eligible:
                yield VerbalisedCell(labels[key], bias, by, channel, verbalised(pairs, level=LEVEL))
