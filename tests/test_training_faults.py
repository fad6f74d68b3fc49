"""What a fit and an export do at a gradient that is no number, on a full disk, and with options that a method has not."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from tests.tiny import example, loads_torch, losses, metrics, real, room_for
from unsway.backends import backend
from unsway.backends.export import export
from unsway.backends.local import launch
from unsway.backends.local.steps import note_metrics
from unsway.backends.local.trainers import reporting
from unsway.cli import main
from unsway.errors import BadInput, StoreError, TrainingError
from unsway.models.engines.base import Generation, Request
from unsway.models.engines.torch import TorchEngine
from unsway.models.weights import locate
from unsway.training import Bct, Dpo, fit
from unsway.types import Message

ROWS = tuple(example(i) for i in range(12))
HOW = Bct(batch_size=4, learning_rate=1e-2, epochs=3)


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "bct"
    fit(ROWS, HOW, str(base), backend("local"), folder)
    return folder


# ---------------------------------------------------------------- an export


def greedy(folder: Path) -> list[Generation]:
    """What the torch engine replies to three prompts."""
    weights = locate(str(folder))
    engine = TorchEngine(weights)
    prompts = [weights.encode((Message("user", f"Pick a letter, number {i}."),)) for i in range(3)]
    answers = [engine.submit(Request(tokens, 12, 0.0, 1.0, 0)) for tokens in prompts]
    said = [answer.result(timeout=60) for answer in answers]
    engine.close()
    return said


@real
@loads_torch
def test_the_verb_export_writes_a_model_that_replies_as_its_checkpoint(
    base: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "plain"
    done = CliRunner().invoke(main, ["export", str(trained), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0 and str(out) in done.output
    assert locate(str(out)).adapter is None
    assert greedy(out) == greedy(trained) != greedy(base)


@real
@loads_torch
def test_an_export_for_which_there_is_no_room_leaves_nothing(trained: Path, tmp_path: Path) -> None:
    with room_for(30_000), pytest.raises(StoreError, match="Make room"):
        export(trained, tmp_path / "plain")
    assert not (tmp_path / "plain").exists()


# ---------------------------------------------------------------- a fit


@real
@loads_torch
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_gradient_that_is_no_number_stops_before_its_weights_are_saved(base: Path, tmp_path: Path) -> None:
    from unsway.backends.local import backend as local

    made_by, step = local.trainer, count(1)

    def spoilt(*args: Any) -> Any:
        made = made_by(*args)
        weight = next(p for p in made.model.parameters() if p.requires_grad)
        weight.register_hook(lambda grad: grad * float("nan") if next(step) == 4 else grad)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "trainer", spoilt)
        with pytest.raises(TrainingError, match=r"norm of the gradient is nan at step 4, on rows \d"):
            fit(ROWS, HOW, str(base), backend("local", save_every=2), tmp_path)
    assert max(losses(tmp_path)) == 4
    assert [path.name for path in (tmp_path / "steps").glob("checkpoint-*")] == ["checkpoint-2"]
    fit(ROWS, HOW, str(base), backend("local", save_every=2), tmp_path)  # goes on from the step before
    assert [row["step"] for row in metrics(tmp_path) if "about" in row] == [0, 2]
    assert losses(tmp_path)[9] < losses(tmp_path)[1]


def test_metrics_are_json_where_a_loss_is_no_number(tmp_path: Path) -> None:
    note_metrics(tmp_path, {"step": 1, "loss": float("nan"), "grad_norm": float("inf"), "about": {"device": "cpu"}})
    text = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")
    assert text == '{"step": 1, "loss": null, "grad_norm": null, "about": {"device": "cpu"}}\n'


@real
@loads_torch
def test_metrics_that_the_disk_does_not_take_are_an_error_that_says_so(tmp_path: Path) -> None:
    told = reporting(tmp_path, lambda steps: None, lambda step: "row 1")
    told.on_log(None, SimpleNamespace(global_step=1), None, logs={"loss": 1.0})
    size = (tmp_path / "metrics.jsonl").stat().st_size
    with room_for(size), pytest.raises(StoreError, match=r"metrics\.jsonl.*make room and run the same again"):
        told.on_log(None, SimpleNamespace(global_step=2), None, logs={"loss": 1.0})
    assert [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()] == metrics(tmp_path)
    assert losses(tmp_path) == {1: 1.0}


@real
@loads_torch
def test_preferences_are_not_packed(base: Path, tmp_path: Path) -> None:
    rows = [replace(row, rejected="(Z)") for row in ROWS]
    with pytest.raises(BadInput, match="Preferences cannot be packed"):
        fit(rows, Dpo(batch_size=4), str(base), backend("local", packing=True), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_process_takes_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    launch.check_devices(0)
    launch.check_devices(1)
    with pytest.raises(BadInput, match=r"2 GPUs and one process.*--nproc-per-node 2.*CUDA_VISIBLE_DEVICES=0"):
        launch.check_devices(2)
    monkeypatch.setenv("WORLD_SIZE", "2")
    launch.check_devices(2)


@real
@loads_torch
def test_a_fit_on_several_gpus_asks_for_a_launcher(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    with pytest.raises(BadInput, match="4 GPUs and one process"):
        fit(ROWS, HOW, str(base), backend("local"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
