"""One value says how prompts are asked; its fields are keywords of `ask`, `run` and `run_until` as well."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

from unsway.pairing import pairs
from unsway.sampling import Sampling, ask, run
from unsway.sampling.options import SamplingOptions
from unsway.sampling.until import run_until
from unsway.testing import scripted, toy_questions
from unsway.types import Settings


def test_keywords_are_the_fields_of_the_value() -> None:
    names = [field.name for field in fields(Sampling)]
    assert list(SamplingOptions.__annotations__) == names
    for function in (ask, run, run_until):
        assert inspect.signature(function).parameters.keys() & set(names) == set()


def test_a_value_its_keywords_or_both(tmp_path: Path) -> None:
    made = pairs(toy_questions(3), ["post_hoc"])
    model, warm = scripted(made, {}), Settings(temperature=1.0)
    sampling = Sampling(settings=warm, samples=2, folder=tmp_path)
    replies = run(made, model, sampling)
    assert len(replies) == 12 and {reply.settings for reply in replies} == {warm}
    assert run(made, model, settings=warm, samples=2, folder=tmp_path) == replies
    assert run(made, model, sampling, samples=1) == tuple(reply for reply in replies if reply.sample == 0)
    assert ask([made.pairs[0].clean], model, sampling, read=False) == ()
