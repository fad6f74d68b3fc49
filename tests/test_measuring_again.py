"""Measuring more into a folder that was measured before: nothing vanishes, and a mistake leaves no arm behind."""

from dataclasses import replace
from pathlib import Path

import pytest

import unsway as us
from unsway import biases
from unsway.errors import BadInput, ModelError
from unsway.pairing import PairSet, pairs
from unsway.reporting.headline import comparisons, headline
from unsway.reporting.table import footnotes
from unsway.studies.arms import Arm, base_of, control_of
from unsway.studies.folder import arms_of
from unsway.studies.inspect_folder import status
from unsway.testing import scripted, toy_questions
from unsway.types import Checkpoint, Settings

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
    from unsway.studies.folder import add_pairs, note_arm

    add_pairs(tmp_path, built("cot"))
    note_arm(tmp_path, Arm("m", "m", "", "base"))
    (cell,) = status(tmp_path).cells
    assert (cell.state, cell.n_replies, cell.n_planned) == ("missing", 0, 24)


def test_in_a_folder_of_two_models_each_arm_is_compared_with_its_own(tmp_path: Path) -> None:
    asked = built("cot")
    rates = {"one": 0.9, "two": 0.2, "learned": 0.1, "served": 0.1}
    models = {name: scripted(asked, {"suggested_answer": rate}, name=name) for name, rate in rates.items()}
    us.measure(models["one"], asked, folder=tmp_path)
    us.measure(models["two"], asked, folder=tmp_path)
    made = Checkpoint("x", "scripted/two", "other", "x", "Bct()", "f" * 64, 1, 9, trained_on=("suggested_answer",))
    us.measure(models["learned"], asked, folder=tmp_path, label="bct", how=us.Measurement(checkpoint=made))
    found = us.measure(models["served"], asked, folder=tmp_path, label="served", how=us.Measurement(role="trained"))
    bases = {arm.label: base and base.model for arm in found.arms for base in (found.base_of(arm),)}
    assert bases == {
        "scripted/one": "scripted/one",
        "scripted/two": "scripted/two",
        "bct": "scripted/two",
        "served": None,
    }
    prompted = replace(found.arm("scripted/two"), label="ignore", role="prompted", intervention="prompted:ignore")
    assert base_of(found.arms, prompted) == found.arm("scripted/two")
    control = replace(found.arm("bct"), label="control", role="control")
    assert control_of((*found.arms, control), found.arm("bct")) == control
    assert control_of((*found.arms, control), found.arm("served")) is None
    assert any(said.startswith("served is compared with no base: there are several") for said in footnotes(found))
    assert "served cannot be compared with the base: there are several" in " ".join(comparisons(found))
    assert "bct is swayed" in headline(found) and "scripted/two" in headline(found)
    assert "scripted/one" not in headline(found)


def test_a_checkpoint_knows_its_base_by_its_weights_and_not_by_an_address() -> None:
    base = Arm("b", "unsway/smollm", "f00", "base")
    made = Checkpoint("x", "runs/moved@f00", "local", "x", "Bct()", "f" * 64, 1, 9)
    assert Arm("t", "x", "t", "trained", made).is_made_from(base)
    assert not Arm("t", "x", "t", "trained", made).is_made_from(replace(base, model="openai/gpt", weights="f00"))
    assert not Arm("t", "x", "t", "trained", made).is_made_from(replace(base, weights="f01"))
    hosted = replace(made, base="openai/gpt@f00")  # f00 is the id of its address
    assert Arm("t", "x", "t", "trained", hosted).is_made_from(replace(base, model="openai/gpt"))
