"""Every row says where it comes from; what is excluded, or tested, is never trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from unsway.data import Recipe, all_but, mixture
from unsway.data.audit import audit
from unsway.data.foreign import read_examples
from unsway.data.provenance import read_beside
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.testing import scripted, toy_questions

QUESTIONS = toy_questions(30, split="train")


def model(recipe: Recipe) -> object:
    each = (pairs(QUESTIONS, recipe.biases, elicit=e, aim="any", instructions="varied") for e in ("cot", "direct"))
    return scripted([pair for built in each for pair in built], {})


def test_every_row_says_where_it_comes_from(tmp_path: Path) -> None:
    recipe = Recipe(n=20, instruct=0, exclude=(QUESTIONS[0].id, QUESTIONS[1].id))
    made = mixture(recipe, QUESTIONS, model(recipe), folder=tmp_path)  # type: ignore[arg-type]
    path = made.write(tmp_path)
    assert path.name == "examples.jsonl" and tuple(read_examples(path)) == made.examples
    beside = read_beside(path)
    assert beside.provenance == made.provenance and tuple(beside.pairs.values()) == made.pairs
    pairs_of = [beside.pairs[row.pair_id or ""] for row in made.examples]
    assert [a.prompt_id for a in beside.provenance] == [pair.clean.id for pair in pairs_of]
    assert {pair.question.id for pair in pairs_of}.isdisjoint(recipe.exclude)
    assert {a.settings.temperature for a in beside.provenance} == {1.0}
    found = audit(made.examples, beside=beside)
    assert found.paired == (20, 20) == (found.same_completion, found.n)
    mix = {name: dict(counts) for name, counts in found.mix}
    assert mix["stance"] == {"for": 10, "against": 10} and set(mix["form"]) == {"letter", "quoted"}
    assert sum(mix["place"].values()) == 20 and "not known" not in mix["place"] and len(mix["place"]) > 1
    assert mix["source"] == {QUESTIONS[0].source: 20} and mix["bias"] == {bias.name: 10 for bias in recipe.biases}


def test_what_stands_beside_other_rows_is_not_read(tmp_path: Path) -> None:
    recipe = Recipe(n=4, instruct=0)
    path = mixture(recipe, QUESTIONS, model(recipe)).write(tmp_path)  # type: ignore[arg-type]
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert read_beside(path) == ({}, ())
    found = audit(tuple(read_examples(path)), beside=read_beside(path))
    mix = {name: dict(counts) for name, counts in found.mix}
    assert mix["form"] == mix["bias"] == {"not known": 3} and sum(mix["stance"].values()) == 3
    assert "not known" not in mix["stance"] and found.agreement


def test_nothing_is_trained_on_that_is_excluded_or_tested() -> None:
    with pytest.raises(BadInput, match="also test questions"):
        mixture(Recipe(n=4), QUESTIONS, scripted([], {}), test=QUESTIONS[:1])
    with pytest.raises(BadInput, match="there are 0"):
        mixture(Recipe(n=4, exclude=(QUESTIONS[0].source,)), QUESTIONS, scripted([], {}))


def test_all_but_one() -> None:
    rest = all_but("post_hoc")
    assert not {"post_hoc", "neutral_note"} & set(rest) and {"suggested_answer", "wrong_few_shot"} <= set(rest)
    with pytest.raises(UnknownName):
        all_but("posthoc")
