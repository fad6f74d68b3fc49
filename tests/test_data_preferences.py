"""Preferences for DPO: rows where the model's own answer moved to the cue, and the count of all others; direct rows alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner

from unsway.cli import main
from unsway.data import Recipe, mixture
from unsway.data.foreign import read_examples
from unsway.data.preferences import preferences
from unsway.data.provenance import read_beside
from unsway.errors import BadInput
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.stats.outcomes import outcomes
from unsway.studies import Trained
from unsway.studies.arms import Arm
from unsway.studies.folder import keep
from unsway.testing import Script, scripted, scripted_replies, toy_questions
from unsway.types import ArmKey

FOLLOW = {"suggested_answer": 0.6, "post_hoc": 0.5}
MADE = pairs(toy_questions(60), list(FOLLOW))


@pytest.fixture(scope="module")
def replies():  # type: ignore[no-untyped-def]
    return scripted_replies(MADE, Script(FOLLOW, accuracy=0.6))


def test_a_row_prefers_the_clean_reply_where_the_answer_moved_to_the_cue(replies) -> None:  # type: ignore[no-untyped-def]
    read = outcomes(MADE, replies)
    found = preferences(MADE, replies, read)
    moved = {o.pair_id for o in read if o.hit_biased and not o.hit_clean}
    assert {row.pair_id for row in found.rows} == moved and 20 < len(moved) < 100
    assert sum(found.left_out.values()) == len(read) - len(moved)
    assert set(found.left_out) == {"the clean answer is the target", "the cue was not followed"}
    said = {reply.prompt_id: reply.text for reply in replies}
    by_id = {pair.id: pair for pair in MADE}
    for row in found.rows:
        pair = by_id[row.pair_id]
        assert (row.clean, row.biased, row.target, row.options) == (
            pair.clean,
            pair.biased,
            pair.target,
            pair.question.options,
        )
        assert (row.completion, row.rejected) == (said[pair.clean.id], said[pair.biased.id])
        assert row.completion != row.rejected


def test_what_the_model_said_on_the_way_is_part_of_the_biased_prompt() -> None:
    made = pairs(toy_questions(40), ["are_you_sure"])
    replies = run(made, scripted(made, {"are_you_sure": 0.9}, accuracy=1.0))
    found = preferences(made, replies, outcomes(made, replies))
    turns = {reply.prompt_id: reply.turns for reply in replies}
    by_id = {pair.id: pair for pair in made}
    assert found.rows
    for row in found.rows:
        pair = by_id[row.pair_id or ""]
        assert row.biased is not None and row.biased.n_model_turns == 0 and pair.biased.n_model_turns > 0
        assert row.biased.messages() == pair.biased.messages(turns[pair.biased.id])
        assert row.biased.stripped() == pair.clean.stripped()


def test_a_cut_reply_is_no_preference(replies) -> None:  # type: ignore[no-untyped-def]
    cut = [dataclasses.replace(reply, stop="length") for reply in replies]
    read = outcomes(MADE, replies)
    found = preferences(MADE, cut, read)
    assert not found.rows and found.left_out["a reply was cut"] == len(preferences(MADE, replies, read).rows)


@pytest.mark.parametrize(
    ("stop", "why"),
    [("filter", "a reply was held back by a filter"), ("unknown", "a reply does not say how it ended")],
)
def test_a_reply_that_is_not_whole_says_why(replies, stop: str, why: str) -> None:  # type: ignore[no-untyped-def]
    ended = [dataclasses.replace(reply, stop=stop) for reply in replies]
    found = preferences(MADE, ended, outcomes(MADE, replies))
    assert found.left_out[why] == len(preferences(MADE, replies, outcomes(MADE, replies)).rows)


def test_two_models_or_no_row_are_refused(replies, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    read = outcomes(MADE, replies)
    other = [dataclasses.replace(outcome, arm=ArmKey("other")) for outcome in read[:2]]
    with pytest.raises(BadInput, match="2 models"):
        preferences(MADE, replies, [*read, *other])
    with pytest.raises(BadInput, match="No pair gives a preference"):
        preferences(MADE, replies, []).write(tmp_path / "rows.jsonl")


def test_the_verb_takes_the_folder_of_a_measurement(tmp_path: Path) -> None:
    folder, model = tmp_path / "study", scripted(MADE, FOLLOW, accuracy=0.6)
    said = run(MADE, model, folder=folder)
    keep(folder, MADE, Arm("base", said[0].model, said[0].weights, "base"))
    out = tmp_path / "dpo.jsonl"
    done = CliRunner().invoke(main, ["data", "preferences", str(folder), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = tuple(read_examples(out))
    assert rows == preferences(MADE, said, outcomes(MADE, said)).rows
    beside = read_beside(out)
    assert set(beside.pairs) == {row.pair_id for row in rows} and len(beside.provenance) == len(rows)
    assert f"{len(rows)} rows" in done.output and "left out: the cue was not followed" in done.output
    wrong = CliRunner().invoke(main, ["data", "preferences", str(folder), "--out", str(out), "--model", "nobody"])
    assert wrong.exit_code == 1 and "nobody" in wrong.output
    for no_file in ("", ".", "/"):
        refused = CliRunner().invoke(main, ["data", "preferences", str(folder), "--out", no_file])
        assert refused.exit_code == 2 and "Invalid value for '--out'" in refused.output


def test_direct_share_1_trains_on_rows_without_cot_alone() -> None:
    recipe = Recipe(n=20, direct_share=1, instruct=0, biases=("suggested_answer",), instructions="default")
    questions = toy_questions(24, split="train")
    made = pairs(questions, ["suggested_answer"], elicit="direct", aim="any")
    found = mixture(recipe, questions, scripted(made, {}))
    assert len(found.examples) == 20
    assert {pair.elicit.partition("@")[0] for pair in found.pairs} == {"direct"}
    assert {row.kind for row in found.examples} == {"consistency"}


def test_a_study_refuses_a_method_whose_rows_no_recipe_makes() -> None:
    with pytest.raises(BadInput, match="'dpo' reads rejected, which these do not have"):
        Trained("dpo")
