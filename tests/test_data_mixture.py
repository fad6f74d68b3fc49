"""Every row says where it comes from; what is excluded, or tested, is never trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from unsway.data import Recipe, all_but, mixture
from unsway.data.audit import audit
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
    path, _ = made.write(tmp_path)
    about = read_beside(path)
    assert about == made.about
    assert about is not None and [a.pair_id for a in about] == [row.pair_id for row in made.bct]
    assert {a.question_id for a in about}.isdisjoint(recipe.exclude)
    assert {a.form for a in about} == {"letter", "quoted"} and {a.settings.temperature for a in about} == {1.0}
    found = audit(made.bct, control=made.control, about=about)
    assert found.paired == (20, 20)
    assert dict(dict(found.mix)["stance"]) == {"for": 10, "against": 10}


def test_nothing_is_trained_on_that_is_excluded_or_tested() -> None:
    with pytest.raises(BadInput, match="also test questions"):
        mixture(Recipe(n=4), QUESTIONS, scripted([], {}), test=QUESTIONS[:1])
    with pytest.raises(BadInput, match="there are 0"):
        mixture(Recipe(n=4, exclude=(QUESTIONS[0].source,)), QUESTIONS, scripted([], {}))


def test_all_but_one() -> None:
    rest = all_but("post_hoc")
    assert "post_hoc" not in rest and {"suggested_answer", "wrong_few_shot"} <= set(rest)
    with pytest.raises(UnknownName):
        all_but("posthoc")
