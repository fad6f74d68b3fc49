"""Methods of the consistency family stand in studies and are asked for by name in the shell."""

from __future__ import annotations

import pytest

from unsway.backends import backend
from unsway.data import Recipe
from unsway.errors import BadInput
from unsway.store import dumps, loads
from unsway.studies import Study, Trained
from unsway.studies.study import check as study_check
from unsway.training import Act, ActBct, Method, Opct, Rmct


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
