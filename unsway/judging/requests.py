"""Readings of replies to requests: a reader that looks up a judge's verdicts; and how a judge compares with people.

In: verdicts on the rubric `request_outcome`. Out: a reader for `unsway.stats.outcomes`; `JudgeTable`s of one outcome.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from unsway.judging.rubrics import get
from unsway.judging.rubrics.request_outcome import NAME
from unsway.judging.verdicts import Judge
from unsway.readers import Reader
from unsway.readers.requests import REQUEST
from unsway.registry import Ref
from unsway.types import OUTCOMES, Verdict

if TYPE_CHECKING:
    from unsway.stats.corrected import JudgeTable


def request_readings(verdicts: Iterable[Verdict]) -> Mapping[str, Reader]:
    """The reader of requests by name, if a judge was asked; with several judges, the one with the most verdicts."""
    by_judge: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if Ref.parse(verdict.question).name == NAME and verdict.channel == "answer":
            by_judge[verdict.question, verdict.by].append(verdict)
    if not by_judge:
        return {}
    return {REQUEST: Judge(max(sorted(by_judge.items()), key=lambda entry: len(entry[1]))[1])}


def judge_table(
    labels: Iterable[Verdict], verdicts: Iterable[Verdict], outcome: str, question_of: Mapping[str, str]
) -> JudgeTable:
    """Compare people's labels with a judge's verdicts: does a reply have this outcome? Missing ones are left out.

    Replies to the same request, under any wrapper, are clustered: they count at their joint effective size.

    Args:
        labels: People's verdicts on the rubric `request_outcome`.
        verdicts: The judge's verdicts.
        outcome: answers, declines or neither: what True means.
        question_of: Id of the request that each reply answers, by the reply's address.
    """
    from unsway.stats.corrected import JudgeTable

    outcome_index = OUTCOMES.index(outcome)
    value_of = {verdict.reply: verdict.value for verdict in verdicts if verdict.value is not None}
    judged_labels = [label for label in labels if get(NAME).allows(label.value) and label.reply in value_of]
    return JudgeTable.worth(
        [label.value == outcome_index for label in judged_labels],
        [value_of[label.reply] == outcome_index for label in judged_labels],
        [question_of.get(label.reply, label.reply) for label in judged_labels],
    )
