"""A fit in several processes that torchrun starts: its command says what the method says, and it makes a checkpoint."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import example, loads_torch, losses, metrics, real, tiny_model
from unsway.backends.local import Local
from unsway.cli.options import assignments
from unsway.errors import TrainingError
from unsway.models.weights import read_checkpoint
from unsway.store import write_jsonl
from unsway.studies import launching
from unsway.studies.launching import changed_settings, command, launch
from unsway.training import Bct, fit, methods


@pytest.mark.parametrize("name", methods.names())
def test_the_command_line_makes_the_same_method(name: str) -> None:
    kind = methods.get(name)
    plain: Any = kind()
    other = {
        field.name: getattr(plain, field.name) * 2 + 1
        for field in fields(plain)
        if isinstance(getattr(plain, field.name), int | float) and not isinstance(getattr(plain, field.name), bool)
    }
    for value in (plain, replace(plain, seed=7), *(replace(plain, **{key: one}) for key, one in _taken(plain, other))):
        assert kind(**assignments(kind, tuple(changed_settings(value)), "--set")) == value


def _taken(plain: Any, other: dict[str, Any]) -> list[tuple[str, Any]]:
    """The values that the method takes."""
    found = []
    for key, one in other.items():
        try:
            replace(plain, **{key: one})
        except ValueError:
            continue
        found.append((key, one))
    return found


def test_a_fit_that_fails_says_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "command", lambda *given: [sys.executable, "-c", "raise SystemExit('no such base')"])
    with pytest.raises(TrainingError, match=r"2 processes ended with 1.*no such base"):
        launch(tmp_path / "rows.jsonl", Bct(), "nothing", Local(), tmp_path / "out", 2)


def test_the_command(tmp_path: Path) -> None:
    words = command(tmp_path / "rows.jsonl", Bct(epochs=2), "smollm2-135m", Local(packing=True), tmp_path / "out", 2)
    assert words[1:6] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    assert words[words.index("--set") + 1].startswith("epochs=2") and "packing=True" in words
    assert words[words.index("--backend") + 1] == "local"


@real
@loads_torch
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_have_the_losses_of_one_and_make_one_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))  # of torchrun and what it starts
    base = tiny_model(tmp_path / "base")
    rows = write_jsonl(tmp_path / "rows.jsonl", [example(i, text="Pick" + " please" * (i % 7)) for i in range(29)])
    method, one, two = Bct(batch_size=8, learning_rate=0.01), tmp_path / "one", tmp_path / "two"
    fit(rows, method, str(base), Local(), one)
    launch(rows, method, str(base), Local(), two, 2)
    assert not any((tmp_path / "temporary").glob("torchelastic*")), "torchrun left folders"
    about = [metrics(folder)[0]["about"] for folder in (one, two)]
    assert [each["processes"] for each in about] == [1, 2]  # type: ignore[index]
    assert [each["rows_at_once"] for each in about] == [4, 4]  # type: ignore[index]
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    assert losses(one)[4] < losses(one)[1] - 0.1
    assert len(metrics(two)) == len(metrics(one))  # one process writes
    assert (two / "launch.log").read_text(encoding="utf-8").count("4 steps") == 1
    made = read_checkpoint(two)
    assert (made.steps, made.tokens) == (4, read_checkpoint(one).tokens)
    written = (two / "launch.log").stat().st_mtime_ns
    launch(rows, method, str(base), Local(), two, 2)  # which is done
    assert (two / "launch.log").stat().st_mtime_ns == written
