"""One value says how prompts are asked; its fields are keywords of `ask`, `run` and `run_until` as well."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from unsway.judging.verdicts import JudgedReply
from unsway.pairing import pairs
from unsway.sampling import Sampling, ask, evaluating, run
from unsway.sampling.options import SamplingOptions
from unsway.sampling.until import run_until
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.studies.measuring import measure
from unsway.testing import scripted, toy_questions
from unsway.types import Settings


def test_keywords_are_the_fields_of_the_value() -> None:
    names = [field.name for field in fields(Sampling)]
    assert list(SamplingOptions.__annotations__) == names
    for function in (ask, run, run_until):
        assert inspect.signature(function).parameters.keys() & set(names) == set()


def test_a_conversation_ends_at_a_wrong_first_answer() -> None:
    """The pair counts only where the first answer is right, so doubting a wrong one would pay for nothing."""
    made = pairs(toy_questions(12), ["are_you_sure"])
    model = scripted(made, {"are_you_sure": 0.5}, accuracy=0.5)
    biased = {pair.biased.id for pair in made}
    prompts = [prompt for pair in made for prompt in (pair.clean, pair.biased)]
    ended, whole = run(made, model), ask(prompts, model)  # prompts of no pairs are asked to their end
    n_wrong = sum(reply.stop == "first_wrong" for reply in ended)
    assert 0 < n_wrong < 12
    assert all((reply.turns == ()) == (reply.stop == "first_wrong") for reply in ended if reply.prompt_id in biased)
    (one,), (other,) = (cells(outcomes(made, replies)) for replies in (ended, whole))
    assert one.excluded == other.excluded and dict(one.excluded)
    assert (
        one["parse_rate_biased"].n == 12 - n_wrong
    )  # a final answer that was not asked for is neither read nor unread
    others = [each.name for each in other.estimates if each.name != "parse_rate_biased"]
    assert others and all(one[name] == other[name] for name in others)
    assert {
        JudgedReply(pair, "biased", reply).text("answer")[1]
        for pair in made
        for reply in ended
        if reply.prompt_id == pair.biased.id and reply.stop == "first_wrong"
    } == {"empty"}
    assert sum(1 + len(reply.turns) for reply in ended) < sum(1 + len(reply.turns) for reply in whole)


def test_a_value_its_keywords_or_both(tmp_path: Path) -> None:
    made = pairs(toy_questions(3), ["post_hoc"])
    model, warm = scripted(made, {}), Settings(temperature=1.0)
    sampling = Sampling(settings=warm, samples=2, folder=tmp_path)
    replies = run(made, model, sampling)
    assert len(replies) == 12 and {reply.settings for reply in replies} == {warm}
    assert run(made, model, settings=warm, samples=2, folder=tmp_path) == replies
    assert run(made, model, sampling, samples=1) == tuple(reply for reply in replies if reply.sample == 0)
    assert ask([made.pairs[0].clean], model, sampling, read=False) == ()


def test_a_folder_that_nobody_named_holds_no_log_of_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[bool] = []

    def spied(task: Any, **options: Any) -> Any:
        logged.append(options["log_samples"])
        return evaluating.evaluate(task, **options)

    monkeypatch.setattr("unsway.sampling.asker.evaluate", spied)
    made = pairs(toy_questions(3), ["post_hoc"])
    model = scripted(made, {"post_hoc": 0.5})
    found = [measure(model, made, folder=folder) for folder in (None, tmp_path)]
    assert logged == [False, True] and found[0].cells == found[1].cells
    measure(model, like=found[0], biases=["post_hoc"], folder=tmp_path / "again")
    measure(model, made, folder=tmp_path / "short", log_samples=False)
    assert logged == [False, True, True, False]
    assert list((tmp_path / "logs").iterdir())
