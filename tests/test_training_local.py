"""Local training on a tiny model: what is computed, how it is shared, what is written, what is refused."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tiny import example, loads_torch, losses, metrics, prompt, real, tiny_model
from unsway.backends import backend
from unsway.backends.export import export
from unsway.backends.local import Local, launch
from unsway.backends.local.memory import ROWS_ON_CPU, rows_that_fit
from unsway.backends.local.rows import TokenRow, in_order, n_steps, rows_of_step
from unsway.errors import BadInput, ModelError, TrainingError
from unsway.models.weights import load_model, locate, read_checkpoint
from unsway.store import sha256_file
from unsway.training import Bct, Dpo, check, fit
from unsway.types import Message

ROWS = tuple(example(i, text="Pick a letter" + " please" * (i % 5)) for i in range(12))
HOW = Bct(batch_size=4, learning_rate=1e-2)


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "bct"
    fit(ROWS, HOW, str(base), backend("local"), folder)
    return folder


# ---------------------------------------------------------------- order and sharing


def tokens(n: int) -> TokenRow:
    return TokenRow((), ((0,) * n,))


def test_every_row_comes_once_an_epoch_with_rows_of_its_length() -> None:
    rows = [tokens(1 + i * 7 % 100) for i in range(203)]
    order = in_order(rows, 8, 2, seed=1)
    assert sorted(order[:203]) == sorted(order[203:]) == list(range(203))
    assert n_steps(order, 8) == math.ceil(406 / 8)
    spread = [[rows[i].longest for i in order[s : s + 8]] for s in range(0, 400, 8)]
    assert sum(max(one) - min(one) for one in spread) / len(spread) < 8  # of 100
    means = [sum(one) / len(one) for one in spread]
    assert means != sorted(means) and means != sorted(means, reverse=True)
    assert order == in_order(rows, 8, 2, seed=1) != in_order(rows, 8, 2, seed=2)
    assert len(in_order(rows, 8, 0.5, seed=1)) == 102
    few = in_order(rows[:3], 8, 2.5, seed=1)  # fewer rows than a batch
    assert [sorted(few[s : s + 3]) for s in (0, 3)] == [[0, 1, 2]] * 2 and len(few) == 8


def test_the_rows_of_a_step_are_named_by_their_line() -> None:
    assert rows_of_step((4, 0, 2, 1, 3), 2, 1) == "rows 1, 5"
    assert rows_of_step((4, 0, 2, 1, 3), 2, 3) == "row 4"


@pytest.mark.parametrize(("n", "rows", "passes"), [(1, 8, 2), (2, 8, 1), (4, 4, 1), (16, 1, 1)])
def test_a_batch_is_shared_whole(monkeypatch: pytest.MonkeyPatch, n: int, rows: int, passes: int) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(n))
    assert launch.share(16, 8) == (rows, passes)


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(BadInput, match="16 examples cannot be shared by 3 processes"):
        launch.share(16, 8)


def test_a_launch_that_lost_its_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    launch.check_launch()
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(BadInput, match="starts only one"):
        fit(ROWS, HOW, "nowhere", Started(), "nowhere")


class Started(Local):
    """The local back-end, asked nothing of the base before it is fitted."""

    def describe(self, base: str) -> str:
        return base


MEETING = """
import sys, torch
from pathlib import Path
from unsway.backends.local.launch import check_launch, processes, rank
check_launch()
torch.distributed.init_process_group("gloo")
known = torch.tensor([float(rank())])
torch.distributed.all_reduce(known)
Path(sys.argv[1], f"rank-{rank()}").write_text(f"{processes()} {known.item()}")
torch.distributed.destroy_process_group()
"""


@real
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_processes_that_accelerate_starts_know_each_other(tmp_path: Path) -> None:
    """What they compute is what those of torchrun do (test_launching.py), which accelerate starts them by."""
    (tmp_path / "meeting.py").write_text(MEETING)
    two = (
        "--multi_gpu --num_machines 1 --num_processes 2 --mixed_precision no --dynamo_backend no --main_process_port 0"
    )
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        *two.split(),
        str(tmp_path / "meeting.py"),
        str(tmp_path),
    ]
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"rank-{n}").read_text() for n in (0, 1)] == ["2 1.0"] * 2


# ---------------------------------------------------------------- what is computed


@real
@loads_torch
def test_packing_and_checkpointing_change_no_loss(
    base: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import PreTrainedModel

    enabled: list[str] = []
    enable = PreTrainedModel.activation_checkpointing_enable

    def spied(self: PreTrainedModel, *args: object, **kwargs: object) -> None:
        enabled.append("once")
        enable(self, *args, **kwargs)

    monkeypatch.setattr(PreTrainedModel, "activation_checkpointing_enable", spied)
    for option in ("packing", "gradient_checkpointing"):
        fit(ROWS, HOW, str(base), backend("local", **{option: True}), tmp_path / option)
        assert losses(tmp_path / option) == pytest.approx(losses(trained), rel=1e-4)
        assert bool(enabled) == (option == "gradient_checkpointing")
    assert losses(trained)[3] != pytest.approx(losses(trained)[1], rel=1e-4)


@real
@loads_torch
def test_the_precision_is_recorded_and_is_float32_where_there_is_no_bfloat16(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx2": True}, raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    fit(ROWS[:4], HOW, str(base), backend("local"), tmp_path)
    about = metrics(tmp_path)[0]["about"]
    assert about["dtype"] == "float32" and about["processes"] == 1  # type: ignore[index]


@real
@loads_torch
def test_no_training_is_reported_to_the_hub(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL reports each trainer, but in CI or offline, through a thread that the hub's client starts for the first report."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _telemetry

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr(_telemetry, "_TELEMETRY_THREAD", None)
    fit(ROWS[:2], HOW, str(base), Local(), tmp_path / "fit")
    assert _telemetry._TELEMETRY_THREAD is None and not constants.HF_HUB_DISABLE_TELEMETRY


@real
@loads_torch
def test_rank_0_trains_all_weights_and_the_folder_is_a_model(base: Path, tmp_path: Path) -> None:
    import torch

    made = fit(ROWS, Bct(batch_size=4, learning_rate=1e-2, lora_rank=0), str(base), backend("local"), tmp_path / "all")
    ours = locate(made.uri)
    assert ours.adapter is None and not list((tmp_path / "all").glob("adapter*"))
    configs = [json.loads((folder / "config.json").read_text()) for folder in (base, tmp_path / "all")]
    assert configs[0] == configs[1]  # what is set for training alone (use_cache, dropout) is not saved
    before, after = (load_model(weights).get_input_embeddings().weight for weights in (locate(str(base)), ours))
    assert not torch.equal(before, after)
    assert losses(tmp_path / "all")[3] < losses(tmp_path / "all")[1]
    assert locate(str(export(tmp_path / "all", tmp_path / "plain"))).adapter is None
    with pytest.raises(BadInput, match="lora_rank is -1"):
        Bct(lora_rank=-1)


@real
@loads_torch
@pytest.mark.slow  # TRL's DPO computes logits at every position
@pytest.mark.parametrize(("rank", "family"), [(16, "Mixtral"), (0, "Falcon")])
def test_dpo_prefers_the_chosen_reply(tmp_path: Path, rank: int, family: str) -> None:
    base = tiny_model(tmp_path / "base", family=family)
    drops = dict.fromkeys(("attention_dropout", "hidden_dropout"), 0.5)  # which would move both sides
    (base / "config.json").write_text(json.dumps(json.loads((base / "config.json").read_text()) | drops))
    rows = [replace(row, rejected="(Z) as you say") for row in ROWS[:6]]
    how = Dpo(batch_size=2, epochs=3, learning_rate=1e-2, lora_rank=rank)
    made = fit(rows, how, str(base), backend("local"), tmp_path / "out")
    margins = [row["rewards/margins"] for row in metrics(tmp_path / "out") if "rewards/margins" in row]
    assert margins[0] == pytest.approx(0, abs=1e-3) and margins[-1] > 0.01  # type: ignore[operator]
    assert losses(tmp_path / "out")[1] == pytest.approx(math.log(2), abs=1e-3)  # and nothing for experts in balance
    assert losses(tmp_path / "out")[9] < losses(tmp_path / "out")[1]
    assert made.steps == 9 and load_model(locate(made.uri))


def test_a_backend_that_cannot_prefer_refuses_dpo_before_anything_is_loaded() -> None:
    with pytest.raises(
        BadInput, match="needs a back-end that can prefer one reply over another; 'openai' can only fit"
    ):
        check(Dpo(), backend("openai"), "openai/gpt-4o-mini")
    with pytest.raises(BadInput, match=r"row 1 has no rejected reply .*12 of 12 rows"):
        fit(ROWS, Dpo(), "nowhere", backend("local"), "nowhere")
    with pytest.raises(BadInput, match=r"Dpo\.beta is 0"):
        Dpo(beta=0)


# ---------------------------------------------------------------- what is written


@real
@loads_torch
def test_an_adapter_has_its_tokenizer_beside_it_and_opens_without_one(
    base: Path, trained: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    chat = [{"role": "user", "content": "Pick a letter."}]
    plain, before = (AutoTokenizer.from_pretrained(folder) for folder in (trained, base))
    assert plain.apply_chat_template(chat) == before.apply_chat_template(chat)
    kept = shutil.copytree(trained, tmp_path / "kept")
    for path in (*kept.glob("tokenizer*"), kept / "chat_template.jinja"):
        path.unlink()
    asked = (Message("user", "Pick a letter."),)
    (kept / "checkpoint.json").unlink()  # as others write it: merged, it can be trained further
    with pytest.raises(BadInput, match=f"Merge it first: unsway export {kept} --out FOLDER, and train FOLDER"):
        fit(ROWS, HOW, str(kept), Local(), tmp_path / "second")
    merged = export(kept, tmp_path / "merged")
    assert locate(str(merged)).adapter is None and not (merged / "checkpoint.json").exists()
    assert locate(str(kept)).encode(asked) == locate(str(trained)).encode(asked)


@real
@loads_torch
def test_an_export_answers_as_its_checkpoint(base: Path, trained: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = export(trained, tmp_path / "plain")
    assert not list(out.glob("adapter*")) and list(out.glob("*.safetensors"))
    ids = torch.tensor([locate(str(trained)).encode((Message("user", "Pick a letter."),))])
    models = [AutoModelForCausalLM.from_pretrained(out), *(load_model(locate(str(each))) for each in (trained, base))]
    with torch.no_grad():
        plain, ours, before = (model.to("cpu")(ids).logits for model in models)
    assert torch.equal(plain, ours) and not torch.equal(ours, before)
    assert AutoTokenizer.from_pretrained(out).chat_template
    record = read_checkpoint(out)  # so it is measured as what it is, and pushed with a card
    assert record == replace(read_checkpoint(trained), model=str(out), uri=str(out))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["exported_from"] == locate(str(trained)).fingerprint
    assert manifest["files"]["model.safetensors"] == sha256_file(out / "model.safetensors")
    assert not [path.name for path in out.glob("*.json") if str(trained) in path.read_text()]
    with pytest.raises(BadInput, match="not empty"):
        export(trained, out)
    with pytest.raises(BadInput, match="no checkpoint"):
        export(base, tmp_path / "none")


@real
@loads_torch
def test_a_checkpoint_of_another_fit_is_not_written_over(base: Path, trained: Path) -> None:
    before = locate(str(trained)).fingerprint
    with pytest.raises(BadInput, match=r"holds the checkpoint of another fit \(Bct\(.*Name another folder"):
        fit(ROWS, Bct(batch_size=4, learning_rate=1e-3), str(base), backend("local"), trained)
    assert locate(str(trained)).fingerprint == before


@real
@loads_torch
def test_progress_goes_to_tensorboard(base: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    fit(ROWS[:4], HOW, str(base), backend("local", report_to=("tensorboard",)), tmp_path / "out")
    assert list((tmp_path / "out" / "tensorboard").rglob("events.out.*"))


def test_a_tracker_that_is_not_installed_or_unknown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unsway.backends.local.options.find_spec", lambda name: None)
    with pytest.raises(BadInput, match="pip install trackio"):
        Local(report_to=("trackio",))
    with pytest.raises(BadInput, match="no tracker 'mlflow'"):
        backend("local", report_to=("mlflow",))
    with pytest.raises(BadInput, match="save_every is 0"):
        backend("local", save_every=0)
    with pytest.raises(BadInput, match="rows_at_once is 0"):
        backend("local", rows_at_once=0)


@real
@loads_torch
def test_on_a_gpu_as_many_rows_go_at_once_as_its_memory_takes(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert rows_that_fit(locate(str(base)), 500, all_weights=False) == ROWS_ON_CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (10**9, 10**9))
    of_a_token = 2 * (20 * 32 + 8 * 64)  # two layers of a width of 32 and a middle of 64
    weights = locate(str(base))
    adapter, whole = (rows_that_fit(weights, 500, all_weights=each) for each in (False, True))
    assert adapter == pytest.approx(0.5 * 10**9 / (of_a_token * 500), rel=0.02) and whole < adapter
    for name, size in (
        ("mem_get_info", (7 * 10**8, 10**9)),
        ("memory_reserved", 4 * 10**8),
        ("memory_allocated", 10**8),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda size=size: size)
    after = rows_that_fit(weights, 500, all_weights=False)
    assert after == adapter, "what sampling in this process left with the allocator is there for the training"
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 10**8)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (0, 10**9))
    assert rows_that_fit(weights, 500, all_weights=False) == 1


# ---------------------------------------------------------------- bad input


@real
@loads_torch
def test_a_loss_that_is_no_number_names_its_rows(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", spoilt="zebra")
    rows = [*ROWS[:9], replace(ROWS[0], biased=prompt("A zebra")), *ROWS[9:]]
    with pytest.raises(TrainingError, match=r"loss is nan at step \d, on rows .*\b10\b"):
        fit(rows, HOW, str(base), backend("local"), tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint.json").exists()


@real
@loads_torch
def test_rows_longer_than_the_context_are_counted(base: Path, tmp_path: Path) -> None:
    rows = [*ROWS, example(12, text="word " * 600), example(13, text="word " * 600)]
    with pytest.raises(TrainingError, match=r"2 of 14 examples are longer .*512.*the first is row 13"):
        fit(rows, HOW, str(base), backend("local"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@real
@loads_torch
def test_an_adapter_meets_no_other_base(trained: Path, tmp_path: Path) -> None:
    other = tiny_model(tmp_path / "other", seed=1)
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in trained.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    record = json.loads((moved / "checkpoint.json").read_text())
    record["base"] = f"{other}@{record['base'].rpartition('@')[2]}"
    (moved / "checkpoint.json").write_text(json.dumps(record))
    with pytest.raises(ModelError, match="Put the same base model back"):
        locate(str(moved))
    with pytest.raises(BadInput, match="Merge it first: unsway export"):
        fit(ROWS, HOW, str(trained), backend("local"), tmp_path / "out")


@real
@loads_torch
def test_an_adapter_without_a_record_is_measured_on_the_base_that_it_names(
    base: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unsway.models.session import subject
    from unsway.models.weights import load_model

    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (plain / name).write_bytes((trained / name).read_bytes())
    ours = load_model(locate(str(trained))).state_dict()
    there = load_model(locate(str(plain))).state_dict()
    assert all(ours[name].equal(there[name]) for name in ours) and ours.keys() == there.keys()
    assert subject(str(plain)).name == "unsway/plain"

    def named(base: object) -> None:
        content = json.loads((plain / "adapter_config.json").read_text()) | {"base_model_name_or_path": base}
        (plain / "adapter_config.json").write_text(json.dumps(content))

    named("../base")  # relative to the adapter
    (tmp_path / "base").symlink_to(base)
    assert locate(str(plain)).folder.samefile(base)
    named("unsway/smollm2-135m")
    assert locate(str(plain)).folder == locate("smollm2-135m").folder
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: {"org/some-base": str(base)}[name])
    named("org/some-base")
    assert locate(str(plain)).folder == base
    named(None)
    with pytest.raises(ModelError, match=r"does not say what it was trained from.*base_model_name_or_path"):
        locate(str(plain))
    named(str(trained))
    with pytest.raises(ModelError, match=r"itself a base with an adapter\. Merge that one first"):
        locate(str(plain))


@real
@loads_torch
def test_weights_may_be_read_by_whom_the_umask_lets(trained: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    names = ("adapter_config.json", "adapter_model.safetensors", "checkpoint.json")
    assert {(trained / name).stat().st_mode & 0o777 for name in names} == {0o666 & ~umask}
