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


def everything(study: Results) -> dict[str, Any]:
    """Every number of a study, as it was written down when these folders were made."""
    label = {arm.key: arm.label for arm in study.arms} | {ALL_ARMS: "all"}

    def row(cell: Cell) -> list[Any]:
        excluded = [[str(why), n] for why, n in cell.excluded]
        about = [label[cell.arm], cell.bias, cell.source, cell.elicit, cell.n_pairs, cell.n_questions]
        return [*about, excluded, [numbers(estimate) for estimate in cell.estimates]]

    def outcomes() -> Iterator[list[Any]]:
        for o in study.outcomes:
            sides = [
                x for side in (o.clean, o.biased) for x in (side.choice, side.status.replace("no_reply", "unparsed"))
            ]
            rest = [o.hit_clean, o.hit_biased, o.right_clean, o.right_biased]
            yield [label[o.arm], o.pair_id, o.sample, *sides, *rest, None if o.excluded is None else str(o.excluded)]

    return {
        "cells": [row(cell) for cell in (*study.cells, *study.cells_by_source, *study.overall)],
        "ratios": [[ratio.arm, ratio.bias, numbers(ratio.estimate)] for ratio in study.ratios],
        "held_out": [
            [summary.arm, numbers(summary.ratio_of_means), numbers(summary.mean_of_ratios)]
            for summary in study.held_out
        ],
        "skipped": [[skip.bias, skip.reason, skip.n] for skip in study.skipped],
        "outcomes": list(outcomes()),
    }


def expected(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DATA / name / "expected.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", FOLDERS)
def test_every_number_is_what_it_was(name: str) -> None:
    numbers_now = everything(results(DATA / name))
    for part, numbers_then in expected(name).items():
        assert numbers_now[part] == numbers_then, part


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
    for open_folder in (results, arms_of, lambda folder: add_pairs(folder, PairSet())):
        with pytest.raises(BadInput, match="by a later unsway: it is of edition 3"):
            open_folder(tmp_path / "later")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", FOLDERS)
def test_kept_outcomes_are_read_as_they_were_kept(name: str, tmp_path: Path) -> None:
    folder = Path(copytree(DATA / name, tmp_path / name))
    outcomes = kept_outcomes(folder)
    assert outcomes and {outcome.arm for outcome in outcomes} <= {arm.key for arm in arms_of(folder)}
    rereading = reread(folder)
    assert rereading.n_answers > 100 and not rereading.changed and not rereading.n_counted and not rereading.n_uncounted
