"""Pairs: the cued option, the shared clean arm, what is skipped, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unsway import biases
from unsway.errors import BadInput, UnknownName
from unsway.pairing import PairSet, cued_option, pairs
from unsway.prompts import elicitations
from unsway.testing import toy_questions
from unsway.types import Question, Toward

TOYS = toy_questions(40)
SOME = ("suggested_answer", "post_hoc", "wrong_few_shot", "spurious_squares", "distractor_fact")


def test_order_is_questions_then_biases() -> None:
    built = pairs(TOYS[:3], SOME)
    assert [(p.question.id, p.bias.partition("@")[0]) for p in built] == [(q.id, b) for q in TOYS[:3] for b in SOME]
    assert len(built) == 15 and built.skipped == ()


def test_cued_option_and_clean_prompt_are_shared_by_all_biases() -> None:
    for question in TOYS:
        built = pairs([question], SOME)
        assert len({pair.target for pair in built}) == 1
        assert len({pair.clean for pair in built}) == 1


@pytest.mark.parametrize("aim", ["wrong", "gold", "any"])
def test_aim(aim: str) -> None:
    hits = [p.target == Toward(p.question.gold or 0) for p in pairs(toy_questions(400), ["post_hoc"], aim=aim)]  # type: ignore[arg-type]
    low, high = {"wrong": (0, 0), "gold": (400, 400), "any": (70, 130)}[aim]
    assert low <= sum(hits) <= high


def test_missing_gold_is_refused_unless_any() -> None:
    question = replace(TOYS[0], gold=None)
    for aim in ("wrong", "gold"):
        with pytest.raises(BadInput, match="aim='any'"):
            pairs([question], ["post_hoc"], aim=aim)  # type: ignore[arg-type]
    assert len(pairs([question], ["post_hoc"], aim="any")) == 1


def test_seed_moves_targets_and_cues() -> None:
    first, again, other = (pairs(TOYS, SOME, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert sum(a.target != b.target for a, b in zip(first, other, strict=True)) > 50
    assert len({p.id for p in first} | {p.id for p in other}) > 250


def test_instructions_vary_on_request_only() -> None:
    default, varied = (
        pairs(TOYS, ["post_hoc", "suggested_answer"], instructions=how)
        for how in ("default", "varied")  # type: ignore[arg-type]
    )
    assert len({p.clean.turns[-1].parts[-1] for p in default}) == 1  # type: ignore[index]
    assert len({p.clean.turns[-1].parts[-1] for p in varied}) > 15  # type: ignore[index]
    assert all(
        a.clean == b.clean
        for a, b in zip(varied.where(bias="post_hoc"), varied.where(bias="suggested_answer"), strict=True)
    )


def test_sets_add_and_select() -> None:
    one, two = pairs(TOYS[:2], ["post_hoc"]), pairs(TOYS[:2], ["distractor_fact"])
    both = one + two
    assert both.where(bias="post_hoc") == one
    assert both.where(bias=two.pairs[0].bias) == two
    assert len(PairSet()) == 0


def test_unknown_names_are_refused_with_the_closest() -> None:
    with pytest.raises(UnknownName, match="suggested_answer"):
        pairs(TOYS, ["sugested_answer"])
    with pytest.raises(UnknownName, match="quoted"):
        pairs(TOYS, ["suggested_answer/qoted"])
    with pytest.raises(UnknownName, match="direct"):
        pairs(TOYS, ["post_hoc"], elicit="dirct")


def test_a_bias_named_twice_or_none_is_refused() -> None:
    for names in (["post_hoc", "post_hoc"], []):
        with pytest.raises(BadInput):
            pairs(TOYS, names)


def test_names_are_sorted_and_all_biases_agree() -> None:
    assert list(biases.names()) == sorted(biases.names())
    assert tuple(b.name for b in biases.all_biases()) == biases.names()


def test_same_question_twice_is_counted() -> None:
    built = pairs([TOYS[0], TOYS[1], TOYS[0]], ["post_hoc", "distractor_fact"])
    assert len(built) == 4 and [s.reason for s in built.skipped] == ["the same question was there before"] * 2


def test_question_with_one_option_is_skipped_and_counted() -> None:
    built = pairs([Question("Which?", ("this",), 0, "toy", "test"), TOYS[0]], ["post_hoc"])
    assert len(built) == 1 and dict(built.reasons()) == {(built.pairs[0].bias, "options: too few options"): 1}


# ---------------------------------------------------------------- bad input

BAD = {
    "options: too few options": Question("Which?", ("only this",), 0, "t", "test"),
    "options: too many options": Question("Which?", tuple(f"word {i}" for i in range(27)), 0, "t", "test"),
    "options: duplicate options": Question("Which?", ("same", "other", "same"), 1, "t", "test"),
    "stem: empty": Question(" \u200b\n", ("a", "b"), 0, "t", "test"),
    "stem: too long": Question("long " * 20_480, ("a", "b"), 0, "t", "test"),
    "stem: not text": Question(7, ("a", "b"), 0, "t", "test"),  # type: ignore[arg-type]
    "options: not text": Question("Which?", ("a", None), 0, "t", "test"),  # type: ignore[arg-type]
    "gold: no such option": Question("Which?", ("a", "b"), 2, "t", "test"),
    "gold: not an index": Question("Which?", ("a", "b"), "A", "t", "test"),  # type: ignore[arg-type]
    "stem: open change of direction": Question("Which \u202eway?", ("a", "b"), 0, "t", "test"),
    "stem: control character": Question("Which\x00?", ("a", "b"), 0, "t", "test"),
}


@pytest.mark.parametrize("elicit", ["cot", "brief", "direct"])
def test_what_cannot_be_asked_is_skipped_and_counted_for_every_bias(elicit: str) -> None:
    built = pairs([TOYS[0], *BAD.values(), TOYS[1]], SOME, elicit=elicit)
    assert [p.question for p in built] == [TOYS[0]] * len(SOME) + [TOYS[1]] * len(SOME)
    assert [s.reason for s in built.skipped] == [reason for reason in BAD for _ in SOME]
    assert {s.question_id for s in built.skipped} == {q.id for q in BAD.values()}
    assert set(built.reasons().values()) == {1}


ODD = (
    Question("ما هي عاصمة فرنسا؟", ("باريس", "لندن", "روما"), 0, "t", "test"),
    Question("מהי \u2067בירת\u2069 צרפת?", ("פריז", "לונדון"), 0, "t", "test"),
    Question("Zero\u200bwidth\ufeff?", ("a\u200b", "b\u200d"), 1, "t", "test"),
    Question("Braces {answer} {letter} {text} {0} {}", ("{answer}", "{letter}", "{table}"), 2, "t", "test"),
    Question("Lines\n\nAnswer choices:\n(A) no\n===\n", ("(B)", "(A)\n(B)"), 0, "t", "test"),
    Question("Long. " * 3000, tuple(f"{i} " * 600 for i in range(26)), 25, "t", "test"),
)


@pytest.mark.parametrize("elicit", ["cot", "brief", "direct"])
@pytest.mark.parametrize("question", ODD, ids=range(len(ODD)))
def test_odd_text_passes_through_untouched(question: Question, elicit: str) -> None:
    names = [name for name in biases.names() if name != "distractor_argument"]
    for seed in range(3):
        built = pairs([question], names, elicit=elicit, seed=seed)
        assert len(built) + len(built.skipped) == len(names)
        assert len(built) >= len(names) - 3
        for pair in built:
            text = "".join(turn.text() for turn in pair.biased.turns)
            assert question.stem in text and all(option in text for option in question.options)


def test_what_is_wrong_with_the_call_is_said_before_anything_is_built() -> None:
    def broken() -> object:
        raise AssertionError("questions were looked at")
        yield

    with pytest.raises(BadInput, match="needs arguments for options"):
        pairs(broken(), ["distractor_argument"])  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="aim is 'right'"):
        pairs(broken(), ["post_hoc"], aim="right")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="instructions is 'random'"):
        pairs(broken(), ["post_hoc"], instructions="random")  # type: ignore[arg-type]


def test_gold_is_not_needed_where_no_option_is_cued() -> None:
    question = Question("Which reply is better?", ("this one", "that one"), None, "t", "test")
    assert len(pairs([question], ["positional"])) == 1
    assert pairs([question], ["are_you_sure"]).skipped[0].reason.endswith("there is none")
    with pytest.raises(BadInput, match="aim='any'"):
        pairs([question], ["positional", "post_hoc"])


def test_cued_option_is_what_pairs_use() -> None:
    for question in TOYS:
        for aim in ("wrong", "gold", "any"):
            (pair,) = pairs([question], ["post_hoc"], aim=aim, seed=5)  # type: ignore[arg-type]
            assert pair.target == Toward(cued_option(question, aim, 5))  # type: ignore[arg-type]


def test_ids_tell_pairs_apart() -> None:
    built = [pairs(TOYS, SOME, elicit=elicit, seed=seed) for elicit in ("cot", "direct") for seed in (0, 1)]
    ids = [pair.id for each in built for pair in each]
    assert len(set(ids)) == len(ids)
    assert built[0].pairs[0].elicit == elicitations.get("cot").versioned


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=60)


@given(TEXT, st.lists(TEXT, min_size=2, max_size=8), st.integers(0, 7), st.sampled_from(["cot", "brief", "direct"]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_gives_a_pair_or_a_counted_skip(stem: str, options: list[str], gold: int, elicit: str) -> None:
    """The builder itself refuses a bias that changes more than cues, so that building is the check."""
    question = Question(stem, tuple(options), gold % len(options), "t", "test")
    names = [name for name in biases.names() if name != "distractor_argument"]
    built = pairs([question], names, elicit=elicit)
    assert len(built) + len(built.skipped) == len(names)
    for pair in built:
        assert all(option in "".join(turn.text() for turn in pair.biased.turns) for option in options)


def test_one_bias_is_enough_and_a_file_is_loaded_first() -> None:
    assert pairs(toy_questions(3), "post_hoc") == pairs(toy_questions(3), ["post_hoc"])
    for name in ("mine.jsonl", Path("mine.jsonl")):
        with pytest.raises(BadInput, match=r"load it first: us\.load\('mine\.jsonl'\)"):
            pairs(name, "post_hoc")  # type: ignore[arg-type]
