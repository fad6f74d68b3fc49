"""Consistency methods can be used in studies, and by name on the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.consistency_family import RATES, Size, contrast
from unsway.backends import backend
from unsway.data import Recipe
from unsway.data.dealing import deal, next_pairs
from unsway.errors import BadInput
from unsway.sources import load
from unsway.store import dumps, loads
from unsway.studies import Study, Trained
from unsway.studies.study import check as study_check
from unsway.training import Act, ActBct, Method, Opct, Rmct
from unsway.types import ArmKey, Excluded, Outcome, Reading, Rule


@pytest.mark.parametrize("how", [Act(), Opct(rollouts=2), Rmct(rollouts=8), ActBct()])
def test_a_study_trains_by_them_and_gives_instruct_rows_to_those_that_take_them(how: Method) -> None:
    trained = Trained(how, tasks="arc_easy", recipe=Recipe(n=8, instruct=4))
    assert trained.recipe.instruct == (4 if how.takes_instruct else 0)
    study = Study(models="unsway/smollm2-135m", biases="post_hoc", tasks="procedural/dates", interventions=trained)
    assert loads(Study, dumps(study)) == study
    study_check(study)


def test_one_that_reads_insides_is_refused_where_a_provider_trains() -> None:
    with pytest.raises(BadInput, match="'act' needs a back-end that can show inner states; 'openai' can only fit"):
        study_check(
            Study(
                models="openai/gpt-4o-mini",
                biases="post_hoc",
                tasks="procedural/dates",
                interventions=Trained(Act(), backend=backend("openai")),
            )
        )


def test_the_family_is_compared_on_the_same_questions_with_the_same_number_of_tries() -> None:
    size = Size(rows=40)
    assert len({len(rates) for rates in RATES.values()}) == 1
    arms = [arm for arm in size.study({method.name: rates[0] for method, rates in RATES.items()}).interventions if arm]
    assert all(isinstance(arm, Trained) for arm in arms) and len(arms) == 2 + 2 * len(
        RATES
    )  # control, RMCT on clean twice
    recipes = {replace(arm.recipe, biases="suggested_answer") for arm in arms if isinstance(arm, Trained)}
    assert len(recipes) == 1  # they differ in whether the cue is a hunch or a note, and in nothing else
    (hunch,) = recipes
    questions = load("procedural/dates", 60)
    asked = []
    for recipe in (hunch, replace(hunch, biases="neutral_note")):
        queues = [queue for queues in deal(recipe, questions) for queue in queues]
        asked.append({(pair.question.id, pair.elicit) for _, _, pair in next_pairs(queues, recipe)})
    assert asked[0] == asked[1] and len(asked[0]) == 40


def test_a_difference_of_two_arms_has_the_exact_p_of_the_questions_that_both_were_read_on() -> None:
    def outcomes(arm: str, hits: str) -> list[Outcome]:
        found = []
        for number, hit in enumerate(hits):
            reading = Reading(0, "ok") if hit != "?" else Reading(None, "no_reply")
            excluded = None if hit != "?" else Excluded("biased", "no_reply")
            found.append(
                Outcome(
                    pair_id=f"p{number}",
                    question_id=f"q{number}",
                    source="s@1",
                    bias="suggested_answer@1",
                    elicit="worked@1",
                    arm=ArmKey(arm),
                    sample=0,
                    clean=Reading(0, "ok"),
                    biased=reading,
                    hit_clean=False,
                    hit_biased=None if hit == "?" else hit == "1",
                    right_clean=True,
                    right_biased=None,
                    excluded=excluded,
                    rule=Rule(),
                    parser="mcq@3",
                )
            )
        return found

    text, p = contrast(outcomes("a", "0000000?"), outcomes("b", "11111101"))
    assert text.startswith("−86 [") and p == pytest.approx(2 * 0.5**6)
    assert contrast(outcomes("a", "??"), outcomes("b", "11")) == ("—", None)
