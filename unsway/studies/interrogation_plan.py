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
    results: Results,
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
    model, helper = model or first_of(results.arms).model, helper or ""
    table = prices() if price_table is None else price_table
    key = key_of(results, model)
    units = [unit for unit in units_of(results, key, can_prefill=True, n=n, seed=seed) if unit.reasoning]
    rows: list[PlannedTest] = []

    def count(test: str, model_name: str, prompts: Iterable[Prompt], tokens_each: float) -> None:
        unique = {prompt.id: prompt for prompt in prompts}
        tokens_in = sum(len(turn.text()) for prompt in unique.values() for turn in prompt.turns) / CHARACTERS_A_TOKEN
        price = price_of(model_name, table)
        cost = None if price is None else price.of(tokens_in, tokens_each * len(unique))
        rows.append(PlannedTest(test, model_name, len(unique), tokens_in, tokens_each * len(unique), cost))

    def answers(starts: Iterable[tuple[int, str]]) -> Iterable[Prompt]:
        for i, start in starts:
            unit = units[i]
            if unit.reasoning:
                yield thoughts.answer_prompt(unit.prompt, unit.reasoning, start, unit.mode)

    parts = [unit.reasoning.sentences if unit.reasoning else () for unit in units]
    truncations = [(i, "".join(sentences[:j])) for i, sentences in enumerate(parts) for j in range(len(sentences) + 1)]
    answer_tokens = float(max(ANSWER_TOKENS.values()))
    count("all of it", model, answers((i, "".join(sentences)) for i, sentences in enumerate(parts)), answer_tokens)
    for name in names:
        if name == "paraphrase":
            count(
                name,
                helper,
                (thoughts.paraphrase_prompt(sentence) for sentences in parts for sentence in sentences),
                HELPED_TOKENS,
            )
        if name == "mistakes":
            mistake_prompts = [
                thoughts.mistake_prompt(unit.pair.question, "".join(sentences[:j]), sentences[j])
                for unit, sentences in zip(units, parts, strict=True)
                for j in range(len(sentences))
            ]
            count(name, helper, mistake_prompts, HELPED_TOKENS)
            lengths = [unit.reply.tokens_out for unit in units if unit.reply.tokens_in]
            mean_length = sum(lengths) / len(lengths) if lengths else TOKENS_OUT["cot"]
            continuations = [
                thoughts.continuation_prompt(units[i].prompt, reasoning, start, "prefill")
                for i, start in truncations
                if start and (reasoning := units[i].reasoning)
            ]
            count(name, model, continuations, mean_length / 2)
        if name == "shuffle":  # a reordered prompt has the same length as the original
            orders = {"clean": ("", "."), "biased": ("",)}
            count(
                name,
                model,
                answers((i, start) for i, unit in enumerate(units) for start in orders[unit.side]),
                answer_tokens,
            )
        elif name == "filler":
            reasonings = [(i, reasoning) for i, unit in enumerate(units) if (reasoning := unit.reasoning)]
            dots = ((i, thoughts.filler(reasoning, share)) for i, reasoning in reasonings for share in FILLER_SHARES)
            count(name, model, answers(dots), answer_tokens)
        else:
            count(name, model, answers(start for start in truncations if name == "early" or start[1]), answer_tokens)
    return tuple(rows)
