"""Sessions: at most one engine and one trainer hold weights, and an engine that was released is loaded again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import GenerateConfig, Model

from tests.tiny import example, loads_torch, prompt, real, tiny_model
from unsway.backends.local import Local
from unsway.data.mixture import Mixture, Recipe
from unsway.data.provenance import Provenance
from unsway.models.session import Session, _loaded, release_idle, session
from unsway.sampling import ask
from unsway.studies import Study, Task, Trained, run
from unsway.training import Bct, fit
from unsway.types import Question, Settings


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_model(tmp_path_factory.mktemp("tiny")))


def n_loaded() -> int:
    return sum(each._model is not None for each in _loaded)


@real
@loads_torch
def test_a_training_has_the_memory_of_a_session_that_is_not_asking(tiny: str, tmp_path: Path) -> None:
    prompts = [prompt(f"Say a word, number {i}.") for i in range(3)]
    with session(tiny, engine="torch") as base:  # which needs no export
        before = ask(prompts, base, settings=Settings(max_tokens=5))
        assert n_loaded() == 1
        fit([example(i) for i in range(4)], Bct(epochs=1), tiny, Local(), tmp_path / "trained")
        assert n_loaded() == 0
        assert ask(prompts, base, settings=Settings(max_tokens=5)) == before
        with base.asking():
            release_idle()
            assert n_loaded() == 1
    assert n_loaded() == 0


@real
@loads_torch
def test_a_study_holds_one_engine_while_it_asks_and_none_while_it_trains(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torch_first: None
) -> None:
    from unsway.backends.local import trainers
    from unsway.models import provider
    from unsway.studies import running

    def rows(recipe: Recipe, questions: Sequence[Question], model: Session, **_: object) -> Mixture:
        """Rows after the base was asked; a random model ends none of its replies, which would leave it without rows."""
        replies = ask([prompt("Say a word.")], model, settings=Settings(max_tokens=5))
        return Mixture(recipe, (example(0),), (), (Provenance.of(replies[0], "toy"),), {})

    training, asking = [], []
    load, make = trainers.load_model, provider.make_engine
    monkeypatch.setattr(running, "mixture", rows)
    monkeypatch.setattr(trainers, "load_model", lambda *a, **k: (training.append(n_loaded()), load(*a, **k))[1])
    monkeypatch.setattr(provider, "make_engine", lambda *a: (asking.append(n_loaded()), make(*a))[1])
    study = Study(
        models=tiny,
        biases="suggested_answer",
        tasks=("procedural/counting",),
        interventions=(None, Trained(Bct(epochs=1), tasks=(Task("procedural/arithmetic", 4),))),
        n=3,
        seeds=(0, 1),
        settings=Settings(max_tokens=8),
    )
    found = run(study, tmp_path)
    assert len(found.arms) == 3
    assert (training, asking, n_loaded()) == ([0, 0], [1] * 4, 0)


@real
@loads_torch
def test_inspects_provider_of_hub_models_answers_at_temperature_0(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # Inspect looks its name up there
    prompts = [prompt(f"Say a word, number {i}.") for i in range(3)]
    settings, paths = Settings(max_tokens=5), {"model_path": tiny, "tokenizer_path": tiny}
    there = ask(prompts, "hf/local", settings=settings, model_args=paths)
    assert [reply.text for reply in there] == [reply.text for reply in ask(prompts, tiny, settings=settings)]
    sampled = Settings(temperature=1.0, max_tokens=5)
    assert len({reply.text for reply in ask(prompts, "hf/local", settings=sampled, model_args=paths)}) == 3


@real
@loads_torch
def test_replies_that_name_no_seed_are_draws_of_their_own_as_epochs_must_be(tiny: str) -> None:
    async def said(model: Model, **how: Any) -> set[str]:
        config = GenerateConfig(max_tokens=8, **how)
        return {(await model.generate("Say a word.", config=config)).completion for _ in range(3)}

    with session(tiny, engine="torch") as base:
        for how, n in (({"temperature": 1.5}, 3), ({"temperature": 1.5, "seed": 7}, 1), ({"temperature": 0.0}, 1)):
            assert len(asyncio.run(said(base.model(), **how))) == n
