"""Folders of the first edition open and give every number that they gave then, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from unsway.errors import BadInput
from unsway.pairing import PairSet
from unsway.stats.estimates import ALL_ARMS, Cell
from unsway.store import read_jsonl
from unsway.studies.folder import add_pairs, arms_of, note_arm, pairs_of, results
from unsway.studies.kept_outcomes import kept_outcomes, reread
from unsway.studies.results import Results
from unsway.types import Estimate

DATA = Path(__file__).parent / "data"
FOLDERS = ("first_edition", "first_edition_scripted")
"""A study of a real model with prompted, few-shot, rewritten and trained arms; and one with scripted models of known rate."""


def numbers(estimate: Estimate) -> list[Any]:
    names = ("name", "value", "low", "high", "level", "n", "n_clusters", "n_excluded", "how", "note")
    return [getattr(estimate, name) for name in names]


def everything(found: Results) -> dict[str, Any]:
    """Every number of a study, as it was written down when these folders were made."""
    label = {arm.key: arm.label for arm in found.arms} | {ALL_ARMS: "all"}

    def cell(one: Cell) -> list[Any]:
        excluded = [[str(why), n] for why, n in one.excluded]
        about = [label[one.arm], one.bias, one.source, one.elicit, one.n_pairs, one.n_questions]
        return [*about, excluded, [numbers(each) for each in one.estimates]]

    def outcomes() -> Iterator[list[Any]]:
        for o in found.outcomes:
            sides = [
                x for side in (o.clean, o.biased) for x in (side.choice, side.status.replace("no_reply", "unparsed"))
            ]
            rest = [o.hit_clean, o.hit_biased, o.right_clean, o.right_biased]
            yield [label[o.arm], o.pair_id, o.sample, *sides, *rest, None if o.excluded is None else str(o.excluded)]

    return {
        "cells": [cell(one) for one in (*found.cells, *found.cells_by_source, *found.overall)],
        "ratios": [[one.arm, one.bias, numbers(one.estimate)] for one in found.ratios],
        "held_out": [[one.arm, numbers(one.ratio_of_means), numbers(one.mean_of_ratios)] for one in found.held_out],
        "skipped": [[one.bias, one.reason, one.n] for one in found.skipped],
        "outcomes": list(outcomes()),
    }


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / name / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", FOLDERS)
def test_every_number_is_what_it_was(name: str) -> None:
    found = everything(results(DATA / name))
    for part, then in expected(name).items():
        assert found[part] == then, part


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_measured_further_is_rewritten_and_gives_the_same(name: str, tmp_path: Path) -> None:
    folder = Path(copytree(DATA / name, tmp_path / name))
    add_pairs(folder, PairSet(pairs_of(folder)[:3]))
    for arm in arms_of(folder):
        note_arm(folder, arm)
    assert "questions.jsonl" in {path.name for path in folder.iterdir()}
    assert all(isinstance(row["question"], str) for row in read_jsonl(folder / "pairs.jsonl", dict[str, Any]))
    assert everything(results(folder)) == expected(name)


def test_a_folder_of_a_later_edition_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    copytree(DATA / "first_edition_scripted", tmp_path / "later")
    path = tmp_path / "later" / "arms.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"edition": 3}))
    before = path.read_bytes()
    for use in (results, arms_of, lambda folder: add_pairs(folder, PairSet())):
        with pytest.raises(BadInput, match="by a later unsway: it is of edition 3"):
            use(tmp_path / "later")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", FOLDERS)
def test_kept_outcomes_are_read_as_they_were_kept(name: str, tmp_path: Path) -> None:
    folder = Path(copytree(DATA / name, tmp_path / name))
    then = kept_outcomes(folder)
    assert then and {outcome.arm for outcome in then} <= {arm.key for arm in arms_of(folder)}
    again = reread(folder)
    assert again.n_answers > 100 and not again.changed and not again.n_counted and not again.n_uncounted
