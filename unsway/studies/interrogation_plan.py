"""Plan what `interrogate` would ask: calls, tokens and dollars of each test; nothing is asked.

In: `Results`, names of tests, the models' names. Out: `PlannedTest`s. Answers after truncated reasoning and filler are
counted exactly; the continuation after a mistake is assumed to be half as long as the reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from unsway.interventions import thoughts
from unsway.planning.plan import CHARACTERS_A_TOKEN, TOKENS_OUT
from unsway.planning.prices import Price, price_of, prices
from unsway.studies.arms import first_of
from unsway.studies.interrogating import ANSWER_TOKENS, FILLER_SHARES, key_of, units_of
from unsway.studies.results import Results
from unsway.types import Prompt

HELPED_TOKENS = 30.0
"""Tokens of a sentence that a helper writes; a guess."""


class PlannedTest(NamedTuple):
    """What one test would ask of one model."""

    test: str
    """Name of the test; `all of it` is the answer after the whole reasoning, which every test is compared with."""
    model: str
    """The model that is asked."""
    calls: int
    """Calls, assuming that no reply is stored yet."""
    tokens_in: float
    """Prompt tokens."""
    tokens_out: float
    """Maximum reply tokens; for continuations after a mistake, the expected number."""
    cost: float | None
    """US dollars; None if the price is unknown."""


def plan_interrogation(
    found: Results,
    ask: str | Sequence[str],
    *,
    model: str | None = None,
    helper: str | None = None,
    n: int | None = None,
    seed: int = 0,
    price_table: Mapping[str, Price] | None = None,
) -> tuple[PlannedTest, ...]:
    """Plan an interrogation; the arguments are those of `interrogate`, models by name.

    `price_table` defaults to the package's own prices.

    Raises:
        UnknownName: There is no such test.
        BadInput: A test needs a helper, the model is not an arm of the study, or the study has no arm.
    """
    names = thoughts.check_tests([ask] if isinstance(ask, str) else ask, helper)
    model, helper = model or first_of(found.arms).model, helper or ""
    table = prices() if price_table is None else price_table
    units = [unit for unit in units_of(found, key_of(found, model), can_prefill=True, n=n, seed=seed) if unit.reasoning]
    rows: list[PlannedTest] = []

    def count(test: str, who: str, prompts: Iterable[Prompt], out: float) -> None:
        unique = {prompt.id: prompt for prompt in prompts}
        sent = sum(len(turn.text()) for prompt in unique.values() for turn in prompt.turns) / CHARACTERS_A_TOKEN
        price = price_of(who, table)
        cost = None if price is None else price.of(sent, out * len(unique))
        rows.append(PlannedTest(test, who, len(unique), sent, out * len(unique), cost))

    def answers(starts: Iterable[tuple[int, str]]) -> Iterable[Prompt]:
        for i, start in starts:
            unit = units[i]
            if unit.reasoning:
                yield thoughts.answer_prompt(unit.prompt, unit.reasoning, start, unit.mode)

    parts = [unit.reasoning.sentences if unit.reasoning else () for unit in units]
    begun = [(i, "".join(each[:j])) for i, each in enumerate(parts) for j in range(len(each) + 1)]
    short = float(max(ANSWER_TOKENS.values()))
    count("all of it", model, answers((i, "".join(each)) for i, each in enumerate(parts)), short)
    for name in names:
        if name == "paraphrase":
            count(name, helper, (thoughts.paraphrase_prompt(s) for each in parts for s in each), HELPED_TOKENS)
        if name == "mistakes":
            asked = [
                thoughts.mistake_prompt(unit.pair.question, "".join(each[:j]), each[j])
                for unit, each in zip(units, parts, strict=True)
                for j in range(len(each))
            ]
            count(name, helper, asked, HELPED_TOKENS)
            known = [unit.reply.tokens_out for unit in units if unit.reply.tokens_in]
            longest = sum(known) / len(known) if known else TOKENS_OUT["cot"]
            went_on = [
                thoughts.continuation_prompt(units[i].prompt, reasoning, start, "prefill")
                for i, start in begun
                if start and (reasoning := units[i].reasoning)
            ]
            count(name, model, went_on, longest / 2)
        if name == "shuffle":  # a reordered prompt has the same length as the original
            orders = {"clean": ("", "."), "biased": ("",)}
            count(name, model, answers((i, s) for i, unit in enumerate(units) for s in orders[unit.side]), short)
        elif name == "filler":
            every = [(i, reasoning) for i, unit in enumerate(units) if (reasoning := unit.reasoning)]
            dots = ((i, thoughts.filler(reasoning, share)) for i, reasoning in every for share in FILLER_SHARES)
            count(name, model, answers(dots), short)
        else:
            count(name, model, answers(each for each in begun if name == "early" or each[1]), short)
    return tuple(rows)
