"""Planned and actual: every run is recorded, compared with the plan of its folder, and tells the next plan its rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from unsway import layout
from unsway.errors import BadInput, BadRow
from unsway.pairing import PairSet, pairs
from unsway.planning.history import past_runs
from unsway.planning.overrun import overrun
from unsway.planning.plan import Evidence, keep_plan, plan
from unsway.sampling import run
from unsway.store import ReplyStore
from unsway.testing import scripted, toy_questions

FOLLOW = {"post_hoc": 0.5, "are_you_sure": 0.5}
NAME = "scripted/model"


@pytest.fixture(scope="module")
def made() -> PairSet:
    return pairs(toy_questions(12), list(FOLLOW))


def test_a_run_is_recorded_and_one_that_asks_nothing_is_not(made: PairSet, tmp_path: Path) -> None:
    model = scripted(made, FOLLOW)
    replies = run(made, model, folder=tmp_path)
    (row,) = past_runs(tmp_path)
    calls = sum(1 + len(reply.turns) for reply in replies)
    assert calls > len(replies) == 36, "are_you_sure takes more than one call"
    assert (row.model, row.calls) == (NAME, calls)
    assert row.tokens == sum(reply.tokens_in + reply.tokens_out for reply in replies)
    assert row.seconds > 0 and row.planned_seconds is None and row.plan == ""
    run(made, model, folder=tmp_path)
    assert len((tmp_path / layout.PAST).read_text().splitlines()) == 1


def test_the_next_run_is_compared_with_the_plan_and_its_parts_are_one_run(made: PairSet, tmp_path: Path) -> None:
    planned = plan(made, [NAME], evidence=Evidence(calls_per_second=4.0))
    keep_plan(tmp_path, planned, made)
    model = scripted(made, FOLLOW, accuracy=1.0)  # a wrong first answer would spare calls that the plan counts
    for part in (made.pairs[:6], made.pairs[:6], made.pairs):
        run(part, model, folder=tmp_path)
    assert len((tmp_path / layout.PAST).read_text().splitlines()) == 2
    (row,) = past_runs(tmp_path)
    (share,) = planned.models
    assert row.calls == share.n_calls
    assert row.planned_seconds == pytest.approx(60 * share.minutes) == pytest.approx(share.n_calls / 4)
    assert row.planned_tokens == pytest.approx(share.tokens_in + share.tokens_out)
    again = plan(made, [NAME], evidence=Evidence.of(tmp_path))
    assert again.n_prompts == 0
    assert again.models[0].timed and again.models[0].calls_per_second == pytest.approx(row.calls / row.seconds)
    assert again.time == overrun([row.seconds / row.planned_seconds]) and again.time.n_runs == 1
    assert again.tokens.n_runs == 1


def test_what_was_not_planned_is_not_compared_with_the_plan(made: PairSet, tmp_path: Path) -> None:
    keep_plan(tmp_path, plan(made, ["other/model"]), made)
    run(made.pairs[:2], scripted(made, FOLLOW), folder=tmp_path)
    keep_plan(tmp_path, plan(made.pairs[:8], [NAME]), made.pairs[:8])
    run(made, scripted(made, FOLLOW), folder=tmp_path)
    assert [row.planned_seconds for row in past_runs(tmp_path)] == [None, None]


def test_a_run_that_fails_is_recorded_with_the_replies_received(made: PairSet, tmp_path: Path) -> None:
    model = scripted(made.pairs[:4], FOLLOW)
    with pytest.raises(Exception, match="got no reply"):
        run(made, model, folder=tmp_path)
    (row,) = past_runs(tmp_path)
    replies = tuple(ReplyStore(tmp_path / "replies.jsonl"))
    assert 0 < row.calls == sum(1 + len(reply.turns) for reply in replies)


def test_a_broken_plan_is_reported_before_anything_is_asked(made: PairSet, tmp_path: Path) -> None:
    (tmp_path / layout.PLAN).write_text("{}")
    with pytest.raises(BadInput, match="is no plan"):
        run(made, scripted(made, FOLLOW), folder=tmp_path)
    assert not len(ReplyStore(tmp_path / "replies.jsonl")) and past_runs(tmp_path) == ()


def test_without_runs_there_is_no_history_and_a_broken_row_is_named(tmp_path: Path) -> None:
    assert past_runs(tmp_path) == ()
    (tmp_path / layout.PAST).write_text('{"model": "a"}\n')
    with pytest.raises(BadRow, match="line 1"):
        past_runs(tmp_path)
    assert not (tmp_path / layout.PLAN).exists()
