"""Costs of arms come from the same results as their benefits; unknown costs are never part of a sum."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from unsway import layout
from unsway.errors import BudgetReached
from unsway.models.weights import CHECKPOINT_FILE, training_costs
from unsway.pairing import pairs
from unsway.planning.budget import Budget
from unsway.planning.history import past_runs, record_run
from unsway.planning.prices import Price, total
from unsway.progress import duration
from unsway.reporting.costs import costs, to_markdown
from unsway.sampling import run as run_pairs
from unsway.store import dumps
from unsway.studies import Study, run
from unsway.testing import scripted, toy_questions
from unsway.types import Checkpoint, Reply, Settings

REPLY = Reply("p", "m", "w", 0, "(A)", None, (), "end", Settings(), 100, 8)


def test_costs_count_the_replies_of_each_arm(tmp_path: Path) -> None:
    study = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=5)
    found = run(study, tmp_path, using={"scripted/a": scripted(study.pairs(), follow={}, name="a")})
    (one,) = costs(found)
    assert (one.arm, one.n_replies, one.steps, one.dollars) == ("base", 10, 0, None)
    assert one.tokens_in == sum(reply.tokens_in for reply in found.replies) / 10
    assert one.spent is None and (one.tokens_trained or 0) == 0
    price = Price("scripted/a", 2.0, 10.0, "2026-11")
    (priced,) = costs(found, {"scripted/a": price})
    tokens = [sum(getattr(reply, name) for reply in found.replies) for name in ("tokens_in", "tokens_out")]
    assert priced.spent == (2 * tokens[0] + 10 * tokens[1]) / 1e6
    assert to_markdown(found).splitlines()[-1].startswith("| base | 10 | ")


def test_a_report_says_what_made_it_and_how_long_it_took(tmp_path: Path) -> None:
    study = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=5)
    about = run(study, tmp_path, using={"scripted/a": scripted(study.pairs(), follow={}, name="a")}).about
    assert about["study"] == repr(study) and about["unsway"] == version("unsway") and about["python"]
    assert about["asked in"].startswith("scripted/a: ") and about["asked in"].endswith(" s")
    assert [duration(seconds) for seconds in (8.2, 720, 12_240)] == ["8 s", "12 min", "3.4 h"]


def test_a_limit_counts_what_was_spent_at_every_place_and_names_what_is_not_known(tmp_path: Path) -> None:
    asked = pairs(toy_questions(2), ["post_hoc"])
    model, table = scripted(asked, follow={}), {"scripted/": Price("scripted/", 1000.0, 0.0, "2026-11")}
    both = Budget(100.0, table)
    run_pairs(asked, model, folder=tmp_path / "a", budget=both)
    alone, both.limit = both.spent, 1.7 * both.spent
    with pytest.raises(BudgetReached, match="stopped before the limit"):
        run_pairs(asked, model, folder=tmp_path / "b", budget=both)
    assert 0 < alone <= both.spent <= both.limit, "the second folder does not start at 0"
    both.count([REPLY], tmp_path / "c")
    both.count_trainings([2.0, None])
    assert both.totals() == (both.limit, both.spent + 2.0, 2) and both.spent >= alone


def test_a_training_whose_price_nobody_knows_makes_the_sum_unknown(tmp_path: Path) -> None:
    own = Checkpoint("", "b", "local", "", "bct", "0" * 64, steps=1, tokens=1)
    hosted = replace(own, model="openai/ft:x", uri="ft:x")
    for name, one in (("a", own), ("b", hosted), ("c", replace(hosted, cost=3.0))):
        (tmp_path / layout.TRAINED / name).mkdir(parents=True)
        (tmp_path / layout.TRAINED / name / CHECKPOINT_FILE).write_text(dumps(one), encoding="utf-8")
    assert training_costs(tmp_path) == [0.0, None, 3.0]
    assert total(training_costs(tmp_path)) is None and total([0.0, 3.0]) == 3.0


def test_a_run_in_which_some_tokens_are_estimated_has_no_number_of_tokens(tmp_path: Path) -> None:
    for n_estimated in (0, 1):
        with record_run(tmp_path, "m") as received:
            received(REPLY)
            received(replace(REPLY, tokens_estimated=bool(n_estimated)))
    assert [one.tokens for one in past_runs(tmp_path)] == [2 * 108, None]
