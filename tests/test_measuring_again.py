"""Measuring more into a folder that was measured before: nothing vanishes, and a mistake leaves no arm behind."""

from pathlib import Path

import pytest

import unsway as us
from unsway import biases
from unsway.errors import BadInput, ModelError
from unsway.pairing import PairSet, pairs
from unsway.studies.folder import arms_of
from unsway.studies.inspect_folder import status
from unsway.testing import scripted, toy_questions
from unsway.types import Settings

QUESTIONS = toy_questions(12)
CUE = (biases.get("suggested_answer"),)


def built(elicit: str) -> PairSet:
    return pairs(QUESTIONS, CUE, elicit=elicit)


MODEL = scripted(built("cot") + built("direct"), follow={"suggested_answer": 0.5}, accuracy=0.8)


def test_another_way_of_decoding_is_refused_and_the_numbers_stay(tmp_path: Path) -> None:
    first = us.measure(MODEL, built("cot"), folder=tmp_path)
    with pytest.raises(BadInput, match=r"with max_tokens 1000; asked for now: max_tokens 30\..*another folder"):
        us.measure(MODEL, built("cot"), folder=tmp_path, settings=Settings(max_tokens=30))
    again = us.measure(MODEL, built("cot"), folder=tmp_path)
    assert again["suggested_answer"] == first["suggested_answer"]
    assert again["suggested_answer"].n_pairs == 12


def test_another_elicitation_is_not_pooled_unless_both_are_named(tmp_path: Path) -> None:
    us.measure(MODEL, built("cot"), folder=tmp_path)
    with pytest.raises(BadInput, match=r"elicitation cot@1; asked for now: direct@1\..*--elicit cot,direct"):
        us.measure(MODEL, built("direct"), folder=tmp_path)
    assert status(tmp_path).n_planned == 24, "what was refused left no pairs behind"
    both = us.measure(MODEL, built("cot") + built("direct"), folder=tmp_path)
    assert both["suggested_answer"].n_pairs == 24


def test_a_model_that_cannot_be_asked_leaves_no_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    us.measure(MODEL, built("cot"), folder=tmp_path)
    with pytest.raises(ModelError, match=r"cannot be asked: Unable.*OPENAI_API_KEY.*\.env"):
        us.measure("openai/gpt-4o-mimi", built("cot"), folder=tmp_path)
    assert [arm.model for arm in arms_of(tmp_path)] == ["scripted/model"]
    assert [cell.state for cell in status(tmp_path).cells] == ["done"]


def test_an_arm_that_gave_no_reply_yet_is_not_done(tmp_path: Path) -> None:
    from unsway.studies.arms import Arm
    from unsway.studies.folder import add_pairs, note_arm

    add_pairs(tmp_path, built("cot"))
    note_arm(tmp_path, Arm("m", "m", "", "base"))
    (cell,) = status(tmp_path).cells
    assert (cell.state, cell.n_replies, cell.n_planned) == ("missing", 0, 24)
