"""The pipeline end to end with a scripted model whose rate of following each cue is known: it must be recovered."""

from __future__ import annotations

from pathlib import Path

import pytest

from unsway.data import Recipe, mixture
from unsway.errors import BadInput, ModelError
from unsway.pairing import pairs
from unsway.sampling import ask, run
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.store import ReplyStore
from unsway.studies.arms import Arm
from unsway.studies.folder import keep, results
from unsway.testing import Script, scripted, scripted_replies, toy_questions
from unsway.training import Bct, Control
from unsway.types import Settings

FOLLOW = {"suggested_answer": 0.55, "post_hoc": 0.8, "wrong_few_shot": 0.25, "distractor_fact": 0.0}
ACCURACY = 0.7


@pytest.mark.parametrize("elicit", ["cot", "direct"])
def test_known_rates_are_recovered_within_their_intervals(elicit: str) -> None:
    """Of what a scripted model says, which `run` gives to the letter (below)."""
    made = pairs(toy_questions(160), list(FOLLOW), elicit=elicit)
    said = scripted_replies(made, Script(FOLLOW, ACCURACY, seed=3))
    found = cells(outcomes(made, said), level=0.999)
    assert {cell.bias.partition("@")[0] for cell in found} == set(FOLLOW)
    for cell in found:
        clean_hits = (1 - ACCURACY) / 3
        known = FOLLOW[cell.bias.partition("@")[0]] * (1 - clean_hits)
        brr = cell["brr"]
        assert brr.low is not None and brr.high is not None
        assert brr.low <= known <= brr.high, (cell.bias, known, brr)
        assert cell["accuracy_clean"].value == pytest.approx(ACCURACY, abs=0.1)
        assert cell["parse_rate_clean"].value == 1.0


def test_unread_replies_are_missing_not_misses() -> None:
    made = pairs(toy_questions(300), ["post_hoc"])
    said = scripted_replies(made, Script({"post_hoc": 0.8}, parse_rate=0.6))
    (cell,) = cells(outcomes(made, said), level=0.999)
    brr = cell["brr"]
    known = 0.8 * (1 - (1 - ACCURACY) / 3)
    assert brr.low is not None and brr.high is not None and brr.low <= known <= brr.high
    assert brr.n + brr.n_excluded == 300 and brr.n_excluded > 100
    assert {str(why) for why, _ in cell.excluded} <= {"clean_unparsed", "biased_unparsed"}


def test_each_unique_prompt_is_asked_once_and_never_again(tmp_path: Path) -> None:
    made = pairs(toy_questions(20), list(FOLLOW))
    model = scripted(made, FOLLOW, parse_rate=0.8, seed=3)
    first = run(made, model, folder=tmp_path)
    known = scripted_replies(made, Script(FOLLOW, parse_rate=0.8, seed=3))
    assert {(r.prompt_id, r.text, r.weights) for r in first} == {(r.prompt_id, r.text, r.weights) for r in known}
    assert len(first) == 20 * (1 + len(FOLLOW))  # the clean arm is shared
    kept = (tmp_path / "replies.jsonl").read_bytes()
    assert run(made, model, folder=tmp_path) == first
    assert (tmp_path / "replies.jsonl").read_bytes() == kept
    assert len(list((tmp_path / "logs").glob("*.eval"))) == 1


def test_growing_a_study_asks_only_what_is_new(tmp_path: Path) -> None:
    questions = toy_questions(10)
    small, large = pairs(questions, ["post_hoc"]), pairs(questions, ["post_hoc", "distractor_fact"])
    model = scripted(large, FOLLOW)
    run(small, model, folder=tmp_path)
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == 20
    run(large, model, folder=tmp_path)
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == 30


def test_two_models_of_one_name_are_never_confused(tmp_path: Path) -> None:
    made = pairs(toy_questions(12), ["post_hoc"])
    swayed, steady = scripted(made, {"post_hoc": 1.0}), scripted(made, {"post_hoc": 0.0})
    one, two = run(made, swayed, folder=tmp_path), run(made, steady, folder=tmp_path)
    assert {r.model for r in one} == {r.model for r in two}
    assert [r.text for r in one] != [r.text for r in two]
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == 4 * 12
    assert cells(outcomes(made, two))[0]["brr"].value == 0.0


def test_a_prompt_without_a_reply_is_said_and_the_rest_is_kept(tmp_path: Path) -> None:
    known, more = pairs(toy_questions(5), ["post_hoc"]), pairs(toy_questions(6), ["post_hoc"])
    with pytest.raises(ModelError, match="2 of 12 prompts got no reply"):
        run(more, scripted(known, FOLLOW), folder=tmp_path)
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == 10


def test_samples_and_settings_are_addresses_of_their_own(tmp_path: Path) -> None:
    made = pairs(toy_questions(4), ["post_hoc"])
    model = scripted(made, FOLLOW)
    replies = run(made, model, samples=3, settings=Settings(temperature=1.0), folder=tmp_path)
    assert sorted({r.sample for r in replies}) == [0, 1, 2]
    run(made, model, folder=tmp_path)
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == 8 * 4


def test_training_rows_and_control_pair_row_by_row(tmp_path: Path) -> None:
    questions = toy_questions(60, split="train")
    recipe = Recipe(n=40, biases=("suggested_answer", "suggested_against", "post_hoc"), instruct=0, seed=5)
    kinds = [
        pairs(questions, recipe.biases, elicit=elicit, aim="any", seed=5, instructions="varied")
        for elicit in ("cot", "direct")
    ]
    model = scripted(kinds[0] + kinds[1], {})
    mix = mixture(recipe, questions, model, folder=tmp_path)
    assert len(mix.examples) == 40
    by_id = {pair.id: pair for pair in mix.pairs}
    assert len({pair.question.id for pair in mix.pairs}) == 40  # one cue a question, CoT and direct disjoint
    for row in mix.examples:
        pair = by_id[row.pair_id or ""]
        assert (row.clean, row.biased, row.target, row.kind) == (pair.clean, pair.biased, pair.target, "consistency")
        trained, control = Bct().texts(row), Control().texts(row)
        assert trained.completions == control.completions == (row.completion,)
        assert trained.prompt == pair.biased.messages() and control.prompt == pair.clean.messages()
    elicits = [pair.elicit.partition("@")[0] for pair in mix.pairs]
    assert elicits.count("direct") == elicits.count("cot") == 20
    biases = [pair.bias.partition("@")[0].partition("/")[0] for pair in mix.pairs]
    assert {bias.name: biases.count(bias.name) for bias in recipe.biases} == pytest.approx(
        {bias.name: 40 / 3 for bias in recipe.biases}, abs=2
    )
    again = mixture(recipe, questions, model, folder=tmp_path)
    assert again == mix


def test_a_recipe_that_cannot_be_filled_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"n = \d+ rows, each with its own question, .* Load 20 more"):
        mixture(Recipe(n=30), toy_questions(10), scripted([], {}), folder=tmp_path)


def test_a_folder_gives_the_whole_report_without_a_model(tmp_path: Path) -> None:
    made = pairs(toy_questions(40), ["post_hoc", "distractor_fact"])
    for label, role, rate in (("base", "base", 0.8), ("bct", "trained", 0.1)):
        model = scripted(made, {"post_hoc": rate}, name=label)
        replies = run(made, model, folder=tmp_path)
        keep(tmp_path, made, Arm(label, replies[0].model, replies[0].weights, role))
    found = results(tmp_path, trained_biases=("post_hoc",))
    assert [arm.label for arm in found.arms] == ["base", "bct"]
    post_hoc = next(bias for bias in found.biases if bias.startswith("post_hoc"))
    ratio = found.ratio(found.arm("bct"), post_hoc)
    assert ratio is not None and ratio.value is not None and ratio.value < 0.4


def test_ask_takes_prompts_and_keeps_nothing_without_a_folder() -> None:
    made = pairs(toy_questions(3), ["post_hoc"])
    replies = ask([pair.clean for pair in made], scripted(made, FOLLOW))
    assert [r.prompt_id for r in replies] == [pair.clean.id for pair in made]


def test_numbers_of_a_part_say_that_they_are(tmp_path: Path) -> None:
    made = pairs(toy_questions(10), ["post_hoc", "suggested_answer"])
    model = scripted(made, follow={})
    replies = run(made.pairs[:8], model, folder=tmp_path)
    keep(tmp_path, made, Arm("base", replies[0].model, replies[0].weights, "base"))
    found = results(tmp_path)
    assert {(one.bias.partition("@")[0], one.reason, one.n) for one in found.skipped} == {
        ("post_hoc", "not asked of base (yet)", 6),
        ("suggested_answer", "not asked of base (yet)", 6),
    }
