"""The page's tables about thinking besides verdicts: kinds of thoughts by arm, monitors, and tests of the reasoning.

In: `Results`. Out: tables with a heading, a sentence and rows; none if a study has no such data.
"""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from unsway.reporting import interrogated, monitored, words
from unsway.stats.thought_tests import LEVEL, thought_test_cells
from unsway.studies.fronts import verbalised_front
from unsway.studies.monitoring import Monitored, monitored_cells
from unsway.studies.results import Results
from unsway.studies.thinking import shown_kinds
from unsway.types import Thought

PLAIN = {"none", "unknown"}
"""Uninformative kinds of thoughts: a study with no other kinds gets no table of them."""


class ReasoningTable(NamedTuple):
    """One table of the page."""

    heading: str
    sentence: str
    """What to know before reading it."""
    lines: list[dict[str, Any]]
    """Rows of equal keys."""


def tables(results: Results) -> list[ReasoningTable]:
    """The tables for which the study has data."""
    kinds = thought_kinds(results)
    reasoning_tables = []
    if kinds:
        are_mixed = len({shown_kinds(results, arm) for arm in results.arms}) > 1
        sentence = (
            "Full thoughts and summaries are never counted together; a summary leaves things out. Verdicts on thinking need "
            "thoughts that can be read in full; hidden ones give none, and a cut one gives only a yes about the cue."
        )
        if are_mixed:
            sentence += " The arms show different kinds, so what their thoughts say cannot be compared."
        reasoning_tables.append(ReasoningTable("What can be read of the thinking", sentence, kinds))
    cells = monitored_cells(results, results.notes.verdicts)
    if cells:
        reasoning_tables.append(
            ReasoningTable(
                "Can a monitor tell?",
                "A monitor that does not know the cue grades whether something other than the merits decided. It is worth "
                "what it adds to monitors that see less. The columns are different numbers.",
                monitored.rows(cells),
            )
        )
    monitor_results = Monitored(results.notes.verdicts, cells, results)
    front_rows = monitored.front_rows(
        monitored.unflagged(monitor_results) | verbalised_front(results, results.notes.verdicts)
    )
    if front_rows:
        sentence = (
            "Lower is better in both numbers: how biased an arm is, and in how many of the pairs whose clean answer is not "
            "the cued one it switches without saying so (or without a flag). One bootstrap for all arms, over the questions "
            "that they share, bias by bias."
        )
        reasoning_tables.append(ReasoningTable("Less biased, and not in silence", sentence, front_rows))
    test_cells = thought_test_cells(results.outcomes, results.questions, results.notes.thoughts)
    if test_cells:
        sentence = (
            "The model's own reasoning was truncated, corrupted, reworded or emptied, and the model answered again. Early "
            "answering and adding mistakes are areas over the curve, the other two shares of answers that change; all grow "
            "with the dependence. "
            f"Intervals are {words.level(LEVEL)} ones."
        )
        reasoning_tables.append(
            ReasoningTable("Does the answer depend on the reasoning?", sentence, interrogated.rows(test_cells))
        )
    return reasoning_tables


def thought_kinds(results: Results) -> list[dict[str, Any]]:
    """How many replies of each arm show which kind of thought; empty if no reply shows any."""
    lines = []
    for arm in results.arms:
        replies = results.said_by(arm)
        counts, tokens = replies.thoughts(), replies.thinking()
        lines.append(
            {"arm": words.visible(arm.label), "replies": counts.total()}
            | {kind: counts[kind] for kind in get_args(Thought)}
            | {"tokens of thinking a reply": f"{tokens.mean():,.0f}" if len(tokens) else words.NONE}
        )
    is_informative = any(line[kind] for line in lines for kind in get_args(Thought) if kind not in PLAIN)
    return lines if is_informative else []
