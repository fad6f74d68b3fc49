"""The plan: prompts counted once, tokens, dollars and minutes from rules of thumb, kept replies and past runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from measuring import RULES

from unsway.errors import BadInput
from unsway.planning.history import PastRun
from unsway.planning.overrun import overrun
from unsway.planning.plan import ENOUGH, Evidence, Goal, plan
from unsway.planning.prices import Price
from unsway.reporting.plan import sentences
from unsway.stats.power import Assumed, smallest_difference
from unsway.types import Pair, Part, Prompt, Question, Reply, Rule, Settings, Toward, Turn

NINE = (
    "suggested_answer",
    "are_you_sure",
    "post_hoc",
    "wrong_few_shot",
    "spurious_squares",
    "spurious_hindsight",
    "distractor_fact",
    "distractor_argument",
    "positional",
)


def said(role: str, text: str) -> Turn:
    return Turn(role, (Part("stem", text),))  # type: ignore[arg-type]


def pairs(n: int, biases: tuple[str, ...], *, elicit: str = "cot@1", stem: str = "word " * 40) -> list[Pair]:
    found = []
    for i in range(n):
        question = Question(f"{i} {stem}", ("a", "b", "c"), 0, "toy@1", "test")
        clean = Prompt((said("user", question.stem),))
        for bias in biases:
            turns = (said("user", question.stem + bias),)
            if bias == "are_you_sure":
                turns = (*turns, Turn("assistant", None), said("user", "Sure?"))
            found.append(
                Pair(
                    f"{i}-{bias}",
                    question,
                    f"{bias}@1",
                    elicit,
                    clean,
                    Prompt(turns),
                    Toward(1),
                    (0, 1, 2),
                    0,
                    RULES.get(bias, Rule()),
                )
            )
    return found


def reply(prompt: Prompt, *, sample: int = 0, model: str = "openai/gpt-4o-mini", tokens_out: int = 100) -> Reply:
    return Reply(prompt.id, model, "", sample, "x", None, (), "end", Settings(), 80, tokens_out)


# ---------------------------------------------------------------- counting


def test_the_clean_prompt_is_asked_once_a_model() -> None:
    found = plan(pairs(10, NINE), ["openai/gpt-4o-mini", "unsway/toy"])
    assert (found.n_unique, found.n_clean) == (100, 10)
    assert [m.n_prompts for m in found.models] == [100, 100]
    assert found.n_prompts == 200
    assert found.n_calls == 220
    assert found.models[0].n_calls == 110, "are_you_sure takes two calls"


def test_a_question_that_is_read_nearly_always_is_expected_to_count() -> None:
    assert [plan(pairs(n, ("post_hoc",)), ["x"]).biases[0].n_expected for n in (1, 2, 12)] == [1, 2, 11]


def test_tokens_cost_and_minutes_by_hand() -> None:
    one = pairs(1, ("post_hoc",))
    letters = len(one[0].clean.turns[0].text()) + len(one[0].biased.turns[0].text())
    table = {"x/model": Price("x/model", 1.0, 10.0, "2026-11")}
    (model,) = plan(one, ["x/model"], samples=3, evidence=Evidence(prices=table, calls_per_second=2.0)).models
    assert (model.n_prompts, model.n_calls, model.timed) == (6, 6, True)
    assert model.tokens_in == pytest.approx(3 * letters / 4)
    assert model.tokens_out == pytest.approx(6 * 330)
    assert model.cost == pytest.approx((model.tokens_in + 10 * model.tokens_out) / 1e6)
    assert model.minutes == pytest.approx(6 / 2 / 60)


def test_no_reply_is_planned_longer_than_it_may_be() -> None:
    asked, short = pairs(ENOUGH + 1, ("are_you_sure",)), Settings(max_tokens=20)
    (model,) = plan(asked, ["x"], settings=short).models
    assert model.tokens_out == pytest.approx((ENOUGH + 1) * 3 * 20), "a clean prompt takes one call, a biased one two"
    kept = [replace(reply(pair.clean, tokens_out=12), settings=short) for pair in asked[:-1]]
    (model,) = plan(asked, ["openai/gpt-4o-mini"], settings=short, evidence=Evidence(kept)).models
    assert model.tokens_out == pytest.approx(12 + (ENOUGH + 1) * (12 + 20))


def test_thinking_counts_with_its_budget_until_kept_replies_tell() -> None:
    asked, thinks = pairs(ENOUGH, ("are_you_sure",)), Settings(max_tokens=4200, thinking_budget=4000)
    found = plan(asked, ["openai/gpt-4o-mini"], settings=thinks)
    assert found.models[0].tokens_out == pytest.approx(ENOUGH * (2 * 4200 + 4030)), "330 more would be cut"
    assert "4,000 tokens a call" in " ".join(sentences(found))
    kept = [replace(reply(pair.clean, tokens_out=700), settings=thinks) for pair in asked]
    (seen,) = plan(asked, ["openai/gpt-4o-mini"], settings=thinks, evidence=Evidence(kept)).models
    assert (seen.tokens_out, seen.thinking) == (pytest.approx(ENOUGH * (700 + 30)), 0)
    hard = plan(asked, ["openai/gpt-4o-mini"], settings=Settings(effort="high"))
    assert "thinking of openai/gpt-4o-mini is not counted" in " ".join(sentences(hard))
    for plain in (Settings(), Settings(effort="none")):
        assert "hinking" not in " ".join(sentences(plan(asked, ["openai/gpt-4o-mini"], settings=plain)))


def test_a_model_has_the_rate_of_its_own_runs_and_not_of_one_whose_name_begins_alike() -> None:
    runs = [PastRun("openai/gpt-4o-mini", 1000, 10.0), PastRun("openai/gpt-4o", 100, 100.0)]
    names = ["openai/gpt-4o", "openai/gpt-4o + prompted:ignore", "openai/gpt-5", "other/gpt-4o"]
    found = plan(pairs(1, ("post_hoc",)), names, evidence=Evidence(runs=runs)).models
    assert [model.calls_per_second for model in found] == [1.0, 1.0, 10.0, 5.0]
    assert [model.timed for model in found] == [True, True, True, False]


def test_earlier_turns_are_sent_again() -> None:
    (pair,) = pairs(1, ("are_you_sure",))
    first = len(pair.biased.turns[0].text())
    (model,) = plan([pair], ["x"]).models
    expected = len(pair.clean.turns[0].text()) + first + (first + 4 * 30 + len("Sure?"))
    assert model.tokens_in == pytest.approx(expected / 4)
    assert model.tokens_out == pytest.approx(330 + 330 + 30)


def test_what_is_kept_is_not_asked_again() -> None:
    asked = pairs(10, ("post_hoc",))
    kept = [reply(pair.clean) for pair in asked] + [reply(asked[0].biased), reply(asked[0].biased)]
    kept += [reply(asked[1].biased, model="other"), reply(asked[1].biased, sample=5)]
    found = plan(asked, ["openai/gpt-4o-mini"], evidence=Evidence(kept))
    assert (found.models[0].n_kept, found.models[0].n_prompts) == (11, 9)
    warm = plan(asked, ["openai/gpt-4o-mini"], evidence=Evidence(kept), settings=Settings(temperature=1.0))
    assert warm.models[0].n_prompts == 20
    everything = [reply(prompt) for pair in asked for prompt in (pair.clean, pair.biased)]
    done = plan(asked, ["openai/gpt-4o-mini"], evidence=Evidence(everything))
    assert (done.n_prompts, done.cost, done.minutes) == (0, 0, 0)


def test_kept_replies_replace_the_rules_of_thumb() -> None:
    asked = pairs(ENOUGH, ("post_hoc",))
    few, enough = ([reply(pair.clean, tokens_out=77) for pair in asked[:n]] for n in (ENOUGH - 1, ENOUGH))
    (guessed,), (seen,) = (
        plan(asked, ["openai/gpt-4o-mini"], evidence=Evidence(kept)).models for kept in (few, enough)
    )
    assert guessed.tokens_out == pytest.approx(330 * (ENOUGH + 1))
    assert seen.tokens_out == pytest.approx(77 * ENOUGH)
    by_rule = sum(len(pair.clean.turns[0].text()) / 4 for pair in asked)
    longer = 80 * ENOUGH / by_rule
    assert seen.tokens_in == pytest.approx(longer * sum(len(p.biased.turns[0].text()) / 4 for p in asked))


def test_rates_come_from_past_runs_of_the_model_or_its_provider() -> None:
    past = [PastRun("a/x", 100, 50.0), PastRun("a/x", 300, 50.0), PastRun("a/y", 10, 10.0)]
    found = plan(pairs(2, ("post_hoc",)), ["a/x", "a/z", "b/x", "hf/x"], evidence=Evidence(runs=past))
    assert [(m.calls_per_second, m.timed) for m in found.models] == [
        (4.0, True),
        (pytest.approx(410 / 110), True),
        (5.0, False),
        (1.0, False),
    ]
    larger = Evidence(runs=[*past, PastRun("a/x-large", 1, 100.0)])  # another model, whose name begins alike
    assert plan(pairs(2, ("post_hoc",)), ["a/x"], evidence=larger).models[0].calls_per_second == 4.0


def test_an_unknown_price_is_not_zero() -> None:
    found = plan(pairs(2, ("post_hoc",)), ["openai/gpt-4o-mini", "openai/no-such-model"])
    assert found.models[0].cost and found.models[1].cost is None and found.models[1].price is None
    assert found.cost is None


def test_the_papers_study_is_planned_whole() -> None:
    found = plan(pairs(600, NINE), ["openai/gpt-3.5-turbo", "openai/gpt-4o-mini", "unsway/toy"])
    assert (found.n_unique, found.n_prompts) == (6000, 18000)
    assert {b.bias: b.n_expected for b in found.biases}["post_hoc@1"] == 570
    assert {b.bias: b.n_expected for b in found.biases}["are_you_sure@1"] == 348


def test_a_difference_is_planned_on_the_questions_that_are_read_in_both_models() -> None:
    assumed = Assumed(read=0.75)
    found = plan(pairs(150, ("post_hoc",)), ["unsway/toy"], goal=Goal(assumed=assumed)).biases[0]
    assert found.n_expected == 112 and found.smallest_difference == smallest_difference(84, assumed)
    assert found.smallest_difference is not None and found.smallest_difference > 0.14
    sure = Assumed(read=0.9, first_right=0.6, alike=0.5)
    assert sure.both_count(asks_first=True) == pytest.approx(0.81 * 0.48)


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": []},
        {"samples": 0},
        {"evidence": Evidence(calls_per_second=0.0)},
        {"evidence": Evidence(calls_per_second=float("nan"))},
        {"goal": Goal(half_width=0)},
        {"goal": Goal(half_width=1e-6)},
        {"goal": Goal(level=95)},
        {"evidence": Evidence(runs=[PastRun("a", 1, -5.0, 10.0)])},
    ],
)
def test_what_makes_no_plan_is_refused(wrong: dict[str, object]) -> None:
    good: dict[str, object] = {"models": ["a"]}
    with pytest.raises(BadInput):
        plan(pairs(1, ("post_hoc",)), **(good | wrong))  # type: ignore[arg-type]


def test_a_plan_of_nothing_asks_nothing() -> None:
    found = plan([], ["openai/gpt-4o-mini"])
    assert (found.n_unique, found.n_prompts, found.biases, found.minutes) == (0, 0, (), 0)


def test_a_plan_carries_what_past_runs_say() -> None:
    past = [PastRun("a", 10, 20.0, 10.0, 300, 100.0), PastRun("a", 10, 30.0)]
    found = plan(pairs(1, ("post_hoc",)), ["a"], evidence=Evidence(runs=past))
    assert found.time == overrun([2.0])
    assert found.tokens == overrun([3.0])
