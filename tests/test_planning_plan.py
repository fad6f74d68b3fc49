"""The plan: prompts counted once, tokens, dollars, minutes, what could be found, and how far plans are off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measuring import RULES, counted, drawn, outcome

from unsway.errors import BadInput, BadRow
from unsway.planning.history import PastRun
from unsway.planning.overrun import overrun
from unsway.planning.plan import ENOUGH, Evidence, Goal, plan
from unsway.planning.prices import Price, price_of, prices
from unsway.stats.intervals import quantile
from unsway.stats.power import Assumed, half_width, power_of, questions_for, smallest_brr, smallest_difference
from unsway.types import Excluded, Pair, Part, Prompt, Question, Reply, Rule, Settings, Toward, Turn

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


def test_an_unknown_price_is_not_zero() -> None:
    found = plan(pairs(2, ("post_hoc",)), ["openai/gpt-4o-mini", "openai/no-such-model"])
    assert found.models[0].cost and found.models[1].cost is None and found.models[1].price is None
    assert found.cost is None


def test_the_papers_study_is_planned_whole() -> None:
    found = plan(pairs(600, NINE), ["openai/gpt-3.5-turbo", "openai/gpt-4o-mini", "unsway/toy"])
    assert (found.n_unique, found.n_prompts) == (6000, 18000)
    assert {b.bias: b.n_expected for b in found.biases}["post_hoc@1"] == 570
    assert {b.bias: b.n_expected for b in found.biases}["are_you_sure@1"] == 347


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


# ---------------------------------------------------------------- prices


def test_every_price_of_the_package_reads_and_is_dated() -> None:
    table = prices()
    assert len(table) >= 20
    assert all(int(price.seen[:4]) >= 2025 for price in table.values())
    assert all(price.tokens_out >= price.tokens_in for price in table.values())


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("openai/gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
        ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
        ("openai/gpt-4o-audio", None),
        ("openai/gpt-5-pro", None),
        ("openai/ft:gpt-4o-mini-2024-07-18:me::1", "openai/ft:gpt-4o-mini"),
        ("unsway/anything/at-all", "unsway/"),
        ("gpt-4o", None),
    ],
)
def test_prices_are_found_by_name_snapshot_or_provider(model: str, name: str | None) -> None:
    found = price_of(model, prices())
    assert (found.name if found else None) == name


def test_ones_own_prices_win(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("# mine\n\nopenai/gpt-4o 1 2 2027-01\nmine/model 3 4.5 2027-01\n")
    table = prices(path)
    assert table["openai/gpt-4o"].of(1e6, 1e6) == 3
    assert table["mine/model"].tokens_out == 4.5
    assert "openai/gpt-4o-mini" in table


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("a/b 1 2", "line"),
        ("a/b 1 2 soon", "month"),
        ("a/b one 2 2026-11", "price"),
        ("a/b 1 -2 2026-11", "price"),
        ("a/b 1 nan 2026-11", "price"),
        ("a/b 1 inf 2026-11", "price"),
    ],
)
def test_a_bad_price_names_its_line(tmp_path: Path, line: str, field: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"a/a 1 2 2026-11\n{line}\n")
    with pytest.raises(BadRow) as caught:
        prices(path)
    assert (caught.value.line, caught.value.field) == (2, field)
    with pytest.raises(BadInput, match="no-such-file"):
        prices(tmp_path / "no-such-file")


# ---------------------------------------------------------------- what could be found


@pytest.mark.parametrize(
    ("n", "half", "difference"), [(100, 0.091, 0.130), (250, 0.058, 0.083), (600, 0.037, 0.053), (2400, 0.019, 0.027)]
)
def test_figures_of_the_normal_approximation_are_near(n: int, half: float, difference: float) -> None:
    assumed = Assumed()
    assert half_width(n, assumed) == pytest.approx(half, rel=0.03)
    assert smallest_difference(n, assumed) == pytest.approx(difference, rel=0.03)


@pytest.mark.parametrize("n", [20, 100, 600])
def test_the_smallest_brr_is_found_in_four_of_five_studies(n: int) -> None:
    assumed = Assumed(away=0.03)
    smallest = smallest_brr(n, assumed)
    assert smallest is not None
    assert power_of(smallest, n, assumed.away) == pytest.approx(0.8, abs=0.002)
    rates = [smallest + 0.03, 0.03, 1 - smallest - 0.06]
    drawn_R = np.random.default_rng(0).multinomial(n, rates, size=20_000)
    up, down = drawn_R[:, 0], drawn_R[:, 1]
    assert np.mean(up - down > quantile(0.95) * np.sqrt(up + down)) == pytest.approx(0.8, abs=0.012)


@given(st.integers(5, 3000), st.floats(0.01, 0.6), st.floats(0.0, 0.3))
def test_more_questions_show_more(n: int, follows: float, away: float) -> None:
    assumed = Assumed(follows=follows, away=away)
    assert half_width(2 * n, assumed) < half_width(n, assumed)
    one, two = smallest_brr(n, assumed), smallest_brr(4 * n, assumed)
    assert one is None or (two is not None and two <= one)


@given(st.floats(0.01, 0.3), st.floats(0.01, 0.6), st.floats(0.0, 0.3))
def test_questions_for_is_the_least_number(wanted: float, follows: float, away: float) -> None:
    assumed = Assumed(follows=follows, away=away)
    n = questions_for(wanted, assumed)
    assert half_width(n, assumed) <= wanted
    assert n == 1 or half_width(n - 1, assumed) > wanted


def test_too_few_questions_show_nothing() -> None:
    assert smallest_brr(0, Assumed()) is None
    assert smallest_brr(2, Assumed()) is None
    assert smallest_difference(2, Assumed()) is None


def test_assumptions_come_from_outcomes() -> None:
    seen = Assumed.of(
        [*counted(plus=30, minus=5, both=10, none=55), *(outcome(f"x{i}", False, None) for i in range(25))]
    )
    assert seen.follows == pytest.approx(30.5 / 101.5)
    assert seen.away == pytest.approx(5.5 / 101.5)
    assert seen.read == pytest.approx(100.5 / 126)
    assert seen.first_right == Assumed().first_right
    sure = [outcome(i, False, True, bias="are_you_sure@1") for i in range(3)]
    sure += [outcome("w", None, None, bias="are_you_sure@1", excluded=Excluded("first_answer", "wrong"))]
    assert Assumed.of(sure).first_right == pytest.approx(0.75)
    assert Assumed.of([]) == Assumed()
    assert Assumed.of(sure[-1:]) == Assumed()
    assert 0 < Assumed.of(drawn(5, 0.0, clean=0.0)).away < 0.2


@pytest.mark.parametrize(
    "wrong",
    [
        {"follows": 1.2},
        {"away": -0.1},
        {"follows": 0.7, "away": 0.5},
        {"alike": 1.0},
        {"read": 0.0},
        {"read": float("nan")},
    ],
)
def test_impossible_assumptions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput, match="Assumed"):
        Assumed(**wrong)


# ---------------------------------------------------------------- overrun


def test_the_prior_gives_twice_the_time_about_one_chance_in_four() -> None:
    prior = overrun([])
    assert prior.p_twice == pytest.approx(0.24, abs=0.005)
    assert prior.low < 1 < prior.middle < 2 < prior.high
    assert prior.n_runs == 0


def test_past_runs_take_over() -> None:
    exact, slow = overrun([1.0] * 50), overrun([3.0] * 50)
    assert exact.p_twice < 0.01 and exact.middle == pytest.approx(1, abs=0.02)
    assert slow.p_twice > 0.95 and slow.middle == pytest.approx(3, abs=0.2)
    assert overrun([1.0, 1.0]).p_twice < overrun([]).p_twice < overrun([2.5]).p_twice
    with pytest.raises(BadInput, match="above 0"):
        overrun([1.0, 0.0])


def test_the_chance_is_right_when_the_prior_is() -> None:
    """Plans whose logarithms are drawn from the prior: the 80 % range holds 80 % of new ones, and p_twice is calibrated."""
    draw = np.random.default_rng(4)
    inside, expected, twice = [], [], []
    for _ in range(1500):
        variance = 3 * 0.5**2 / draw.chisquare(3)
        middle = 0.2 + np.sqrt(variance / 2) * draw.standard_normal()
        past = np.exp(middle + np.sqrt(variance) * draw.standard_normal(4))
        new = float(np.exp(middle + np.sqrt(variance) * draw.standard_normal()))
        found = overrun([float(x) for x in past])
        inside.append(found.low <= new <= found.high)
        expected.append(found.p_twice)
        twice.append(new >= 2)
    assert np.mean(inside) == pytest.approx(0.8, abs=0.03)
    assert np.mean(twice) == pytest.approx(np.mean(expected), abs=0.03)


def test_a_plan_carries_what_past_runs_say() -> None:
    past = [PastRun("a", 10, 20.0, 10.0, 300, 100.0), PastRun("a", 10, 30.0)]
    found = plan(pairs(1, ("post_hoc",)), ["a"], evidence=Evidence(runs=past))
    assert found.time == overrun([2.0])
    assert found.tokens == overrun([3.0])
