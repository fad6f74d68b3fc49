"""`unsway plan`: counted without asking anybody, and what it says is what a measurement takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from unsway import layout
from unsway.cli import main
from unsway.pairing import pairs
from unsway.planning.history import PastRun, past_runs
from unsway.planning.plan import Goal, plan
from unsway.reporting.plan import dollars, minutes, sentences, tokens
from unsway.sampling import run
from unsway.sources import load
from unsway.stats.power import Assumed
from unsway.store import dumps
from unsway.testing import scripted

NINE = (
    "suggested_answer,are_you_sure,post_hoc,wrong_few_shot,spurious_squares,spurious_hindsight,distractor_fact,"
    "distractor_argument,positional"
)
HOSTED = "openai/gpt-4o-mini,openai/gpt-4o,anthropic/claude-sonnet-4"


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["plan", *(str(arg) for arg in args)])


def body(*args: object) -> dict[str, Any]:
    found = call(*args, "--json")
    assert found.exit_code == 0, found.output
    made: dict[str, Any] = json.loads(found.stdout)
    return made


def small(*args: object, models: str = "openai/gpt-4o-mini", n: int = 20) -> tuple[object, ...]:
    return (models, "--questions", "procedural/arithmetic", "-n", n, *args)


def test_less_than_a_minute_is_said_plainly() -> None:
    assert "\nUnder 1 minute at guessed rates" in call(*small(n=2)).output


def test_a_level_is_said_as_it_is() -> None:
    found = plan(pairs(load("procedural/arithmetic", 2), ["post_hoc"]), ["openai/gpt-4o-mini"], goal=Goal(level=0.999))
    assert any("half of the BRR's 99.9% interval" in sentence for sentence in sentences(found))
    assert not any(
        "also allow for" in sentence for sentence in sentences(replace(found, goal=Goal(assumed=Assumed(read=1.0))))
    )


def test_a_plan_says_how_many_studies_allow_for_missing_answers() -> None:
    """At the 95% that are read by default, chance alone decides whether more than 5% are missing."""
    found = plan(pairs(load("procedural/arithmetic", 300), ["post_hoc"]), ["openai/gpt-4o-mini"])
    few = sum(comb(300, k) * 0.05**k * 0.95 ** (300 - k) for k in range(16))
    assert Assumed().allows(300) == pytest.approx(1 - few) and Assumed(read=1.0).allows(300) == 0
    assert any("the intervals of 43% of such studies also allow for" in sentence for sentence in sentences(found))


def test_the_papers_study_needs_no_model_and_no_key(tmp_path: Path) -> None:
    """The whole command; benchmarks/orchestration.py says how long it takes."""
    words = [HOSTED, "--questions", "procedural/arithmetic@2", "-n", "600", "--biases", NINE]
    bare = {key: value for key, value in os.environ.items() if "API_KEY" not in key}
    program = [sys.executable, "-c", "from unsway.cli import main; main()", "plan", *words]
    ran = subprocess.run(program, capture_output=True, text=True, env=bare, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "6,160 unique prompts, 1,280 of them clean" in ran.stdout
    assert "Would you be surprised if it took twice as long?" in ran.stdout and "24%" in ran.stdout
    assert "guessed" in ran.stdout and "prices as seen in" in ran.stdout
    assert "distractor_argument: counted with stand-ins" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_figure_is_there_for_a_program() -> None:
    found = body(*small("--biases", "post_hoc,are_you_sure", "--samples", 2, "--half-width", 0.1, models=HOSTED))
    assert (found["n_unique"], found["n_clean"], found["n_prompts"]) == (60, 20, 360)
    assert found["n_calls"] > found["n_prompts"]
    assert [model["n_prompts"] for model in found["models"]] == [120] * 3
    assert found["cost"] == pytest.approx(sum(model["cost"] for model in found["models"]))
    assert all(model["timed"] is False and model["price"]["seen"] for model in found["models"])
    assert [bias["n_questions"] for bias in found["biases"]] == [20, 20]
    assert all(bias["smallest_brr"] > 0 and bias["smallest_difference"] > 0 for bias in found["biases"])
    narrower = body(*small("--half-width", 0.05))
    assert narrower["questions_for_it"] > found["questions_for_it"]


def test_a_bias_that_would_not_be_tested_has_no_smallest_effect_and_is_named() -> None:
    """The clean rate is 0 by definition, and one sample says nothing of chance."""
    once, twice = (small("--biases", "positional,are_you_sure", "--samples", n) for n in (1, 2))
    positional, sure = body(*once)["biases"]
    assert (positional["half_width"], positional["smallest_brr"], positional["smallest_difference"]) == (None,) * 3
    assert sure["smallest_brr"] > 0  # the clean reply is its second one
    assert body(*twice)["biases"][0]["smallest_brr"] > 0
    said = " ".join(call(*once).output.split())
    assert "positional: not tested" in said and "--samples 2" in said
    assert "not tested" not in call(*twice).output


def test_an_unknown_price_is_said_and_ones_own_is_taken(tmp_path: Path) -> None:
    said = call(*small(models="openai/no-such")).output
    assert "The cost is unknown: there is no price for openai/no-such" in said
    path = tmp_path / "mine.txt"
    path.write_text("openai/no-such 1 2 2026-11\n")
    (model,) = body(*small("--prices", path, models="openai/no-such"))["models"]
    assert model["cost"] == pytest.approx((model["tokens_in"] + 2 * model["tokens_out"]) / 1e6)


def test_biases_bring_their_own_questions_and_all_leaves_out_what_quotes_arguments() -> None:
    rows = {row["bias"].partition("@")[0]: row for row in body(*small("--biases", "all"))["biases"]}
    assert rows["spurious_hindsight"]["n_questions"] == rows["positional"]["n_questions"] == 20
    assert "distractor_argument" not in rows
    assert "× distractor_argument" in " ".join(call(*small("--biases", "all")).output.split())
    (only,) = body(*small("--biases", "distractor_argument"))["biases"]
    assert (only["bias"].partition("@")[0], only["n_questions"]) == ("distractor_argument", 20)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (small("--biases", "sugested_answer"), "Did you mean 'suggested_answer'"),
        (small(models="gpt-9"), "provider"),
        (small(models=","), "at least one model"),
        (("openai/gpt-4o",), "--questions or --prompts"),
        (small("--half-width", 0), "half-width"),
        (small("--prices", "none.txt"), "none.txt"),
    ],
)
def test_what_is_wrong_is_said(args: tuple[object, ...], says: str) -> None:
    found = call(*args)
    assert found.exit_code and says in found.output


def test_planned_measured_and_planned_again(tmp_path: Path) -> None:
    args = small("--biases", "post_hoc", "--out", tmp_path, models="scripted/model")
    first = body(*args)
    assert (tmp_path / layout.PLAN).exists() and first["time"]["n_runs"] == 0
    made = pairs(load("procedural/arithmetic", 20), ["post_hoc"])
    run(made, scripted(made, {"post_hoc": 0.5}), folder=tmp_path)
    (row,) = past_runs(tmp_path)
    assert row.planned_seconds == pytest.approx(60 * first["minutes"]) and row.calls == first["n_calls"] == 40
    again = body(*args)
    assert (again["n_prompts"], again["models"][0]["n_kept"], again["time"]["n_runs"]) == (0, 40, 1)
    assert again["models"][0]["timed"] is True
    said = " ".join(
        call(*small("--biases", "post_hoc,distractor_fact", "--out", tmp_path, models="scripted/model")).output.split()
    )
    assert "measured" in said and "the rate of earlier runs here" in said and "from 1 past run here" in said


def test_past_runs_move_the_chance(tmp_path: Path) -> None:
    rows = [PastRun("openai/gpt-4o-mini", 100, 300.0, 100.0, plan=str(i)) for i in range(3)]
    (tmp_path / layout.PAST).write_text("".join(dumps(row) + "\n" for row in rows))
    found = body(*small("--out", tmp_path))
    assert found["time"]["n_runs"] == 3 and found["time"]["p_twice"] > 0.5
    assert found["models"][0]["calls_per_second"] == pytest.approx(1 / 3)
    said = " ".join(call(*small("--out", tmp_path)).output.split())
    assert "twice as long? No: " in said and "from 3 past runs here" in said


def test_numbers_for_a_person() -> None:
    assert [tokens(x) for x in (840, 12_345, 1_695_000, 123e6)] == ["840", "12.3k", "1.70M", "123M"]
    assert [minutes(x) for x in (0, 0.4, 25.2, 600)] == ["0", "under 1", "25", "10.0 h"]
    assert [dollars(x) for x in (None, 0, 0.001, 1234.5)] == ["—", "$0.00", "under $0.01", "$1,234.50"]


def test_a_model_whose_provider_is_mistyped_is_said_to_be_taken_for_one_of_the_hub(tmp_path: Path) -> None:
    said = "'opnai' is no provider; opnai/gpt-4o is taken as a local model of the Hugging Face hub."
    assert call(*small(models="opnai/gpt-4o,openai/gpt-4o")).output.count("is no provider") == 1
    assert said in call(*small(models="opnai/gpt-4o")).output
    found = call(*small("--json", models="opnai/gpt-4o"))
    assert said in found.stderr and json.loads(found.stdout)["models"]
    for known in ("openai/gpt-4o", "smollm2-135m", "unsway/smollm2-135m"):
        assert "is no provider" not in call(*small(models=known)).output
