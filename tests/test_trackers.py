"""Measures go to trackers: each arm a run, each bias its numbers."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from unsway.errors import MissingExtra, UnknownName
from unsway.reporting.trackers import measures_of, track
from unsway.studies.measuring import measure
from unsway.studies.results import Results
from unsway.testing import scripted, toy_questions


@pytest.fixture(scope="module")
def found() -> Results:
    from unsway.pairing import pairs

    asked = pairs(toy_questions(12), ["suggested_answer", "post_hoc"])
    return measure(scripted(asked, {"suggested_answer": 0.6}), asked)


def test_every_arm_has_its_measures_by_name(found: Results) -> None:
    (mine,) = measures_of(found).values()
    assert {"suggested_answer/brr", "suggested_answer/brr_low", "post_hoc/n"} <= set(mine)
    assert mine["suggested_answer/brr"] == found["suggested_answer"].brr.value


def test_unknown_or_missing_trackers_are_refused(found: Results, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="mlflow"):
        track(found, ["mlflow"], folder=tmp_path)
    if find_spec("wandb") is None:
        with pytest.raises(MissingExtra, match=r"unsway\[trackers\]"):
            track(found, ["wandb"], folder=tmp_path)


def test_tensorboard_reads_what_was_logged(found: Results, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    track(found, ["tensorboard"], folder=tmp_path)
    (place,) = (tmp_path / "tensorboard").iterdir()
    events = EventAccumulator(str(place))
    events.Reload()
    tags = events.Tags()
    assert "suggested_answer/brr" in tags["scalars"] + tags["tensors"]
