"""How a pair counts stands in its row: a number does not depend on which plug-ins are installed today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import unsway as us
from unsway.biases import bias, registry
from unsway.biases.insert import put
from unsway.pairing import pairs
from unsway.studies.folder import pairs_of, results, write_pairs
from unsway.testing import scripted, toy_questions
from unsway.types import Prompt, Question, Rule

QUESTIONS = toy_questions(12)


def declare(*, version: int, **about: object) -> None:
    """A bias of another package."""

    @bias("stamped", version=version, summary="an option is stamped", paper="", **about)  # type: ignore[misc]
    def stamped(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
        return put(clean, "end", f"Option {option + 1} is stamped.")


def uninstall() -> None:
    registry.biases._things.pop("stamped", None)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder measured with the bias installed, whose clean rate is 0 by definition."""
    declare(version=1, clean="zero")
    made = pairs(QUESTIONS, ["stamped"])
    us.measure(scripted(made, {"stamped": 0.5}, accuracy=0.5), made, folder=tmp_path)
    yield tmp_path
    uninstall()


def test_numbers_stay_where_the_bias_is_uninstalled(folder: Path) -> None:
    before = results(folder)
    assert before["stamped"].brr.value is not None, "the excess over its clean replies"
    uninstall()
    assert results(folder) == before and {pair.rule for pair in pairs_of(folder)} == {Rule("zero")}


def test_numbers_stay_where_a_later_version_counts_otherwise(folder: Path) -> None:
    before = results(folder)
    uninstall()
    declare(version=2, clean="asked", needs_first_answer=True)
    assert results(folder) == before


def test_a_pair_says_what_its_cue_drew() -> None:
    for pair in pairs(QUESTIONS, ["suggested_answer", "suggested_against/quoted"]):
        named = f"({'ABCD'[pair.target.cued or 0]})" if pair.drawn["form"] == "letter" else '"'
        assert named in pair.biased.cue() and pair.drawn["place"] == pair.biased.cue_place()
        bank, number = pair.drawn["wording"].split(":")
        assert bank.startswith("hunches_") and number.isdigit()


def test_the_same_text_from_two_sources_stays_two_questions(tmp_path: Path) -> None:
    first = pairs(QUESTIONS[:3], ["post_hoc"]).pairs
    again = [replace(q, source="other@2", gold=(q.gold or 0) ^ 1) for q in QUESTIONS[:3]]
    second = pairs(again, ["suggested_answer"]).pairs
    write_pairs(tmp_path, [*first, *second])
    assert pairs_of(tmp_path) == (*first, *second)
    assert len((tmp_path / "questions.jsonl").read_text(encoding="utf-8").splitlines()) == 3
