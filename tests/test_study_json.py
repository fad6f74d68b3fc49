"""A study is kept as JSON by the values that it holds, and read back to the same study."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_studies import SMALL

from unsway import layout
from unsway.backends.local import Local
from unsway.backends.openai import OpenAi
from unsway.biases import cue
from unsway.data import Recipe
from unsway.errors import BadInput, UnknownName
from unsway.interventions import Fewshot, Prompted, Rewrite
from unsway.interventions.shots import ARMS
from unsway.registry import Registry
from unsway.store import dumps, loads
from unsway.studies import Study, Task, Trained, load
from unsway.studies.inspect_folder import status
from unsway.training import Bct, Control
from unsway.types import Checkpoint, Settings

WORDS = st.sampled_from(
    ["I think it is {answer}.", "Surely {letter}!", "“{text}” — said Zoë", "So: {answer}\n\nIs it?"]
)
CUES = st.builds(
    cue,
    st.lists(WORDS, min_size=1, max_size=2, unique=True),
    place=st.sampled_from(["front", "end", "system"]),
    name=st.sampled_from(["mine", "yours"]),
)
BIASES = st.lists(
    st.one_of(st.sampled_from(["post_hoc", "suggested_answer/quoted", "are_you_sure"]), CUES),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one if isinstance(one, str) else one.name,
)
TASKS = st.lists(
    st.builds(
        Task,
        st.sampled_from(["procedural/arithmetic", "procedural/dates@2", "mmlu", "a folder/mine.jsonl"]),
        st.none() | st.integers(1, 99),
        after=st.integers(0, 9),
    ),
    min_size=1,
    max_size=2,
    unique=True,
)
METHODS = st.one_of(
    st.builds(Bct, learning_rate=st.floats(1e-6, 1), lora_rank=st.integers(0, 64)),
    st.builds(Control, batch_size=st.integers(1, 64)),
)
RECIPES = st.builds(
    Recipe, n=st.integers(1, 99), elicit=st.sampled_from(["cot", "brief"]), exclude=st.tuples(st.text())
)
BACKENDS = st.one_of(
    st.builds(Local, packing=st.booleans(), save_every=st.integers(1, 99)),
    st.builds(OpenAi, st.none() | st.just("http://localhost:8000/v1"), max_cost=st.none() | st.floats(0, 99)),
)
TRAININGS = st.builds(Trained, METHODS, tasks=TASKS, recipe=RECIPES, backend=BACKENDS, name=st.text(max_size=9))
CHANGES = st.one_of(
    st.none(),
    st.builds(Prompted, st.just("ignore"), st.sampled_from(["system", "user"])),
    st.builds(Fewshot, st.integers(1, 9), st.sampled_from(ARMS), RECIPES, drawn=st.booleans()),
    st.builds(Rewrite),
    TRAININGS,
)
STUDIES = st.builds(
    Study,
    models=st.lists(st.sampled_from(["a/b", "unsway/smollm2-135m"]), min_size=1, max_size=2, unique=True),
    biases=BIASES,
    tasks=TASKS,
    interventions=st.lists(CHANGES, min_size=1, max_size=3, unique_by=lambda one: str(one and (one.name or one))),
    elicit=st.sampled_from(["cot", ("direct", "brief")]),
    settings=st.builds(Settings, temperature=st.floats(0, 2), max_tokens=st.integers(1, 9999)),
    seeds=st.sets(st.integers(0, 9), min_size=1),
    arguments=st.none() | st.text(),
)


@given(st.lists(STUDIES, min_size=1, max_size=2))
@settings(deadline=None)
def test_every_study_comes_back_from_its_json(studies: list[Study]) -> None:
    study = studies[0]
    for other in studies[1:]:
        study |= other
    back = loads(Study, dumps(study))
    assert back == study and back.id == study.id and repr(back) == repr(study)
    assert dumps(back) == dumps(study)


def test_each_value_has_its_kind() -> None:
    mine = cue("A colleague thinks it is {answer}.")
    study = SMALL.but(
        biases=("post_hoc", mine),
        interventions=(None, "prompted:ignore", "fewshot:4-paired", "rewrite", Trained("control")),
    )
    row = json.loads(dumps(study))
    assert [one["kind"] for one in row["biases"]] == ["bias", "cue"]
    kinds = [one["kind"] for one in row["interventions"]]
    assert kinds == ["none", "prompted", "fewshot", "rewrite", "trained"]
    trained = row["interventions"][4]
    assert (trained["method"]["kind"], trained["backend"]["kind"]) == ("control", "local")
    assert row["tasks"][0]["source"] == "procedural/arithmetic" and row["elicit"] == ["cot"]


def test_a_cue_made_at_run_time_comes_back_with_the_same_prompts() -> None:
    mine = cue(["A colleague thinks it is {answer}.", "{letter}, surely."], place=["front", "end"])
    study = SMALL.but(biases=mine, models="a/b")
    assert list(loads(Study, dumps(study)).pairs()) == list(study.pairs())


def test_a_checkpoint_is_kept_and_a_model_in_memory_by_its_name() -> None:
    trained = Checkpoint("openai/ft:x", "openai/x", "openai", "http://here/v1#openai/ft:x", "Bct()", "ab" * 32, 7, 99)
    study = SMALL.but(models=(trained, "a/b"))
    assert [arm.model for arm in study.arms()] == ["openai/ft:x", "a/b"]
    assert loads(Study, dumps(study)) == study and study.model("openai/ft:x") == trained


FIRST_EDITION: dict[str, Any] = {
    "models": ["unsway/smollm2-135m"],
    "biases": ["suggested_answer", "suggested_against/quoted"],
    "tasks": [{"source": "arc_challenge", "n": 8, "split": None, "after": 0, "at_most": False}],
    "interventions": [
        "none",
        "fewshot:2-paired",
        {
            "method": "bct",
            "tasks": [{"source": "arc_easy", "n": 40, "split": None, "after": 0, "at_most": False}],
            "recipe": json.loads(dumps(Recipe(n=8))),
            "settings": [["batch_size", 2.0], ["learning_rate", 0.001]],
            "backend": "local",
            "name": "",
        },
    ],
    "elicit": ["brief"],
    "n": 12,
    "samples": 1,
    "seeds": [0],
    "settings": {"temperature": 0.0, "max_tokens": 48, "top_p": 1.0, "seed": 0},
    "seed": 0,
    "arguments": None,
    "also": [],
}


def test_a_study_of_the_first_edition_opens(tmp_path: Path) -> None:
    (tmp_path / layout.STUDY).write_text(json.dumps(FIRST_EDITION))
    assert load(tmp_path) == Study(
        models="unsway/smollm2-135m",
        biases=("suggested_answer", "suggested_against/quoted"),
        tasks=Task("arc_challenge", 8),
        interventions=(
            None,
            Fewshot(2, "paired"),
            Trained(Bct(batch_size=2, learning_rate=1e-3), tasks=Task("arc_easy", 40), recipe=Recipe(n=8)),
        ),
        elicit="brief",
        n=12,
        settings=Settings(max_tokens=48),
    )


def test_the_kept_folder_of_the_first_edition_has_its_study() -> None:
    folder = Path(__file__).parent / "data" / "first_edition"
    study = load(folder)
    assert study is not None
    names = {arm["label"] for arm in json.loads((folder / layout.ARMS).read_text())["arms"]}
    assert {arm.label for arm in study.arms()} == names
    found = status(folder)
    assert {cell.bias.partition("@")[0] for cell in found.cells} == {bias.name for bias in study.biases}
    assert found.n_replies > 0.8 * found.n_planned, "all but what could not be rewritten"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"biases": [{"kind": "bias", "name": "of_a_plugin"}]}, UnknownName, "of_a_plugin"),
        ({"interventions": [{"kind": "steered"}]}, UnknownName, "no kind of intervention named 'steered'"),
        ({"interventions": [{"kind": "prompted", "wording": "ignore", "tone": 3}]}, BadInput, "has no 'tone'"),
        ({"n": "many"}, BadInput, "cannot be read as a study"),
        ({"sample": 3}, BadInput, "has a field 'sample', which a study does not have; there it has models, .*samples"),
        ({"settings": {"temprature": 1}}, BadInput, "has a field 'settings.temprature'"),
        ({"tasks": [{"source": "arc_challenge", "number": 8}]}, BadInput, "has a field 'tasks.0.number'"),
        ({"biases": [{"name": "post_hoc"}]}, BadInput, "a value in it lacks 'kind'"),
        ({"models": [7]}, BadInput, "cannot be read as a study"),
    ],
)
def test_what_is_not_known_here_is_said(
    change: dict[str, Any], error: type[Exception], said: str, tmp_path: Path
) -> None:
    (tmp_path / layout.STUDY).write_text(json.dumps({**FIRST_EDITION, **change}))
    with pytest.raises(error, match=said):
        load(tmp_path)


def test_a_training_of_another_seed_has_rows_of_its_own() -> None:
    one = Trained("bct", recipe=Recipe(n=8, seed=3))
    assert one.seeded(2) == replace(one, method=Bct(seed=2), recipe=Recipe(n=8, seed=5))


def test_a_cue_made_at_run_time_can_be_trained_against() -> None:
    mine = cue("A colleague thinks it is {answer}.", name="mine")
    trained = Trained(recipe=Recipe(biases=(mine, "post_hoc")))
    assert trained.biases == ("mine", "post_hoc")
    assert [one.name for one in trained.recipe.cues] == ["mine/letter", "post_hoc", "mine/quoted", "post_hoc"]
    study = SMALL.but(interventions=trained)
    assert loads(Study, dumps(study)) == study


def test_names_become_values_when_a_study_is_made_and_no_name_is_looked_up_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = Study(
        models="scripted/model",
        biases=("suggested_answer", "post_hoc"),
        tasks="procedural/dates",
        interventions=("none", "prompted:ignore", Trained(tasks="procedural/arithmetic")),
        elicit=("cot", "direct"),
        n=3,
    )

    def refuse(registry: Registry[object], name: str) -> None:
        raise AssertionError(f"the {registry.kind} {name!r} is looked up again")

    monkeypatch.setattr(Registry, "get", refuse)
    assert len(study.pairs().pairs) == 12 and len(study.cells()) == 12
    assert [job.kind for job in study.jobs()] == ["load", "ask", "ask", "rows", "train", "ask"]
