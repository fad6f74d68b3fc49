"""How far a judge can be trusted: compared with people and other judges, and what follows for its rates.

In: verdicts of judges and of people on the same replies. Out: a `JudgeCard` for each judge and question, and a
`JudgeAgreement` for each two judges. A missing verdict is in neither class: it is counted, and `worst` shows the card if
every missing verdict were wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Literal, NamedTuple, TypeAlias

from unsway.judging import rubrics
from unsway.judging.agreement import says_yes
from unsway.registry import Ref
from unsway.stats.agreement import agreement
from unsway.stats.corrected import Gate, JudgeTable, gate, rate_gap
from unsway.stats.monitoring import auroc
from unsway.types import Estimate, Verdict

JudgedText: TypeAlias = tuple[str, str, str, str, str]
"""The text that a verdict is about: reply, pair, side, channel and placebo."""

Between: TypeAlias = Literal["arms", "biases", "lengths"]
"""How two groups of replies differ."""


class JudgeCard(NamedTuple):
    """One judge on one question, compared with people."""

    by: str
    """The judge."""
    question: str
    """`name@version` of what it was asked."""
    table: JudgeTable
    """People's labels by its verdicts, as counts."""
    worth: JudgeTable
    """The table at its effective size, with the question as the unit; used by the gate and the corrections."""
    worst: JudgeTable
    """The counts if every missing verdict were wrong."""
    missing: Mapping[str, int]
    """Its verdicts on labelled replies that have no value, by reason."""
    sensitivity: Estimate
    """Among replies that people call yes, the share it calls yes."""
    specificity: Estimate
    """Among replies that people call no, the share it calls no."""
    agreement: Estimate
    """Share of equal verdicts."""
    kappa: Estimate
    """Cohen's kappa."""
    auroc: Estimate | None
    """The chance that a reply people call yes has a higher mark than one they call no; None if it gives no marks."""
    gate: Gate
    """Whether its rates may be corrected."""


class ErrorGap(NamedTuple):
    """Whether one judge's error rates differ between two groups of replies, by people's labels of both."""

    by: str
    """The judge."""
    channel: str
    """What it was shown."""
    question: str
    """`name@version` of what it was asked."""
    between: Between
    """How the two groups differ."""
    one: str
    """The first group: the replies of an arm (its label), of a bias (`name@version`), or the longest third."""
    other: str
    """The second group: those of its base, of the other biases, or the shortest third."""
    sensitivity: Estimate
    """Sensitivity on the first group minus that on the second; no value, but a reason, if either is unavailable."""
    specificity: Estimate
    """The difference in specificity."""

    @property
    def differs(self) -> str:
        """Which rates differ (`differing`)."""
        return differing(self.sensitivity, self.specificity)

    @property
    def is_tested(self) -> bool:
        """Whether both differences can be computed: both groups have labels of both kinds."""
        return self.sensitivity.value is not None and self.specificity.value is not None


def differing(sensitivity: Estimate, specificity: Estimate) -> str:
    """Which error rates differ between two groups (the gap's interval excludes 0), in words; empty if none do."""
    gaps = {"sensitivity": sensitivity, "specificity": specificity}
    return " and ".join(name for name, gap in gaps.items() if (gap.low or 0.0) * (gap.high or 0.0) > 0)


class JudgeCost(NamedTuple):
    """Tokens and cost of one judge."""

    model: str
    """The judge."""
    n: int
    """Number of its replies."""
    tokens_in: int | None
    """Tokens of its prompts; None if some are unknown."""
    tokens_out: int | None
    """Tokens of its replies; None as for `tokens_in`."""
    dollars: float | None
    """US dollars; None if its price or the tokens of a reply are unknown."""
    days: str
    """First and last day on which it was asked, UTC; empty if unknown."""
    reported: str
    """The model names that the provider reported, which identify its version."""


class JudgeAgreement(NamedTuple):
    """How well two judges agree on one question."""

    question: str
    """Name of the rubric, without version."""
    one: str
    """One judge."""
    other: str
    """The other judge."""
    agreement: Estimate
    """Share of equal verdicts, among texts on which both have one."""
    kappa: Estimate
    """Cohen's kappa."""
    ac1: float | None
    """Gwet's AC1; None without texts on which both have a verdict."""


def text_of(verdict: Verdict) -> JudgedText:
    """The text that a verdict is about."""
    return verdict.reply, verdict.pair, verdict.side, verdict.channel, verdict.placebo


def name_of(verdict: Verdict) -> str:
    """The name of the question, without its version."""
    return Ref.parse(verdict.question).name


def people_say(people: Iterable[Verdict], question: str) -> dict[JudgedText, bool]:
    """The majority of people's verdicts on each text; ties are left out."""
    votes: dict[JudgedText, Counter[bool]] = {}
    for verdict in people:
        yes = says_yes(verdict)
        if name_of(verdict) == question and yes is not None:
            votes.setdefault(text_of(verdict), Counter())[yes] += 1
    return {text: n[True] > n[False] for text, n in votes.items() if n[True] != n[False]}


def judge_card(
    verdicts: Sequence[Verdict],
    people: Iterable[Verdict],
    question_of: Mapping[str, str],
    length_of: Mapping[str, int],
    *,
    level: float = 0.95,
) -> JudgeCard:
    """The card of one judge on one question.

    Args:
        verdicts: The judge's verdicts, on labelled and other replies.
        people: People's verdicts, on this and other questions.
        question_of: Id of the question that each reply answers, by the reply's address.
        length_of: Length of each reply in characters. The gate refuses marks that may only reflect length.
        level: Nominal coverage.
    """
    label_of = people_say(people, name_of(verdicts[0]))
    labelled = [verdict for verdict in verdicts if text_of(verdict) in label_of]
    labels = [label_of[text_of(verdict)] for verdict in labelled]
    all_votes = [says_yes(verdict) for verdict in labelled]
    rows = [
        (truth, vote, verdict)
        for truth, vote, verdict in zip(labels, all_votes, labelled, strict=True)
        if vote is not None
    ]
    truths, votes = [truth for truth, *_ in rows], [vote for _, vote, _ in rows]
    clusters = [question_of.get(verdict.reply, verdict.reply) for *_, verdict in rows]
    table, worth = JudgeTable.of(truths, votes), JudgeTable.worth(truths, votes, clusters, level=level)
    worst = JudgeTable.of(
        labels, [not truth if vote is None else vote for truth, vote in zip(labels, all_votes, strict=True)]
    )
    sensitivity, specificity = (
        replace(
            rate,
            n=truths.count(kind),
            n_clusters=len({question for question, truth in zip(clusters, truths, strict=True) if truth is kind}),
        )
        for kind, rate in ((True, worth.sensitivity(level)), (False, worth.specificity(level)))
    )
    equal, kappa = agreement([*map(str, truths)], [*map(str, votes)], clusters, level=level)
    marks = [(question, float(verdict.value or 0)) for question, (*_, verdict) in zip(clusters, rows, strict=True)]
    rubric = rubrics.of_question(verdicts[0].question)
    has_marks = any(not isinstance(verdict.value, bool) for *_, verdict in rows) and (rubric is None or rubric.ordered)
    of_yes, of_no = (
        [mark for mark, truth in zip(marks, truths, strict=True) if truth is kind] for kind in (True, False)
    )
    lengths = [length_of.get(verdict.reply, 0) for verdict in labelled]
    return JudgeCard(
        verdicts[0].by,
        verdicts[0].question,
        table,
        worth,
        worst,
        Counter(verdict.missing for verdict in labelled if verdict.missing),
        sensitivity,
        specificity,
        equal,
        kappa,
        auroc(of_yes, of_no, level=level) if has_marks else None,
        gate(worth, baseline=length_alone(labels, lengths) if has_marks else 0.0, level=level),
    )


def error_gap(
    verdicts: Sequence[Verdict],
    people: Iterable[Verdict],
    question_of: Mapping[str, str],
    group_of: Callable[[Verdict], str],
    between: Between,
    groups: tuple[str, str],
    *,
    level: float = 0.95,
) -> ErrorGap:
    """Compare the errors of one judge on one question between two groups of replies, which may share questions.

    Args:
        verdicts: The judge's verdicts.
        people: People's verdicts.
        question_of: Id of the question that each reply answers, by the reply's address.
        group_of: The group of the reply that a verdict is on.
        between: What the groups differ in.
        groups: The two groups.
        level: Nominal coverage.
    """
    label_of = people_say(people, name_of(verdicts[0]))
    verdict_votes = [
        (verdict, vote)
        for verdict in verdicts
        if text_of(verdict) in label_of and (vote := says_yes(verdict)) is not None
    ]
    rates = []
    for group in groups:
        rows = [
            (label_of[text_of(verdict)], vote, question_of.get(verdict.reply, verdict.reply))
            for verdict, vote in verdict_votes
            if group_of(verdict) == group
        ]
        labels, votes, questions = zip(*rows, strict=True) if rows else ((), (), ())
        table = JudgeTable.worth(labels, votes, questions, level=level)
        rates.append((table.sensitivity(level), table.specificity(level)))
    (se, sp), (other_se, other_sp) = rates
    first = verdicts[0]
    gaps = rate_gap("sensitivity_gap", se, other_se), rate_gap("specificity_gap", sp, other_sp)
    return ErrorGap(first.by, first.channel, first.question, between, *groups, *gaps)


def length_alone(labels: Sequence[bool], lengths: Sequence[int]) -> float:
    """Youden's J of calling the longer half of the texts yes, or the shorter half, whichever is higher."""
    median = sorted(lengths)[len(lengths) // 2] if lengths else 0
    youden = JudgeTable.of(labels, [length >= median for length in lengths]).youden().value
    return abs(youden or 0.0)


def judge_agreements(
    verdicts: Iterable[Verdict], question_of: Mapping[str, str], *, level: float = 0.95
) -> tuple[JudgeAgreement, ...]:
    """The agreement of each two judges, on every question that both were asked."""
    votes: dict[str, dict[str, dict[JudgedText, bool]]] = {}
    for verdict in verdicts:
        yes = says_yes(verdict)
        if yes is not None:
            votes.setdefault(name_of(verdict), {}).setdefault(verdict.by, {})[text_of(verdict)] = yes
    rows = []
    for question, judges in votes.items():
        for first, second in combinations(judges, 2):
            texts = [text for text in judges[first] if text in judges[second]]
            a, b = ([judges[judge][text] for text in texts] for judge in (first, second))
            clusters = [question_of.get(text[0], text[0]) for text in texts]
            share, kappa = agreement([*map(str, a)], [*map(str, b)], clusters, level=level)
            rows.append(JudgeAgreement(question, first, second, share, kappa, JudgeTable.of(a, b).ac1))
    return tuple(rows)
