"""Local models are found by name, known by content, and refused where they cannot be trusted or do not fit."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import MODEL, loads_torch, real, tiny_model
from unsway.errors import BadInput, ModelError, UnknownName
from unsway.models.adapters import ADAPTER_FILE, check_adapter
from unsway.models.session import PROVIDERS, name_of, subject
from unsway.models.weights import (
    CHECKPOINT_FILE,
    Weights,
    checkpoint_of,
    load_model,
    locate,
    read_checkpoint,
)
from unsway.store import dumps
from unsway.types import Checkpoint


def folder_of(path: Path, **files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def model(path: Path, weights: str = "w") -> Path:
    return folder_of(path, model__safetensors=weights, config__json="{}")


def test_a_pickle_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"pickle can run any code"):
        locate(str(folder_of(tmp_path / "m", pytorch_model__bin="x", config__json="{}")))


def test_a_base_that_is_not_here_is_named_with_what_was_trained_from_it(tmp_path: Path) -> None:
    adapter = folder_of(tmp_path / "a", adapter_model__safetensors="a")
    (adapter / ADAPTER_FILE).write_text('{"base_model_name_or_path": "gone"}')
    with pytest.raises(ModelError, match=r"a' was trained from 'gone', which cannot be opened here: There is no local"):
        locate(str(adapter))


def test_a_folder_without_weights_says_what_is_needed(tmp_path: Path) -> None:
    for step in ("output/checkpoint-5", "output/checkpoint-20", "output/checkpoint-of-mine"):
        (tmp_path / step).mkdir(parents=True)
    for open_it in (locate, name_of):
        with pytest.raises(
            ModelError, match=r"output' holds steps of a training: name one of them, as .*checkpoint-20'"
        ):
            open_it(str(tmp_path / "output"))
    with pytest.raises(ModelError, match="safetensors"):
        locate(str(folder_of(tmp_path / "m", config__json="{}")))


def test_a_name_that_is_nothing_lists_what_there_is() -> None:
    with pytest.raises(ModelError, match="smollm2-135m"):
        locate("no-such-model")


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    one, same, other = model(tmp_path / "a"), model(tmp_path / "b"), model(tmp_path / "c", "v")
    assert locate(str(one)).fingerprint == locate(str(same)).fingerprint != locate(str(other)).fingerprint
    template = folder_of(tmp_path / "b", chat_template__jinja="{{ messages }}")
    assert locate(str(template)).fingerprint != locate(str(one)).fingerprint


def test_new_weights_at_the_same_path_are_another_model(tmp_path: Path) -> None:
    path = model(tmp_path / "m")
    before = locate(str(path)).fingerprint
    model(path, "other weights")
    assert locate(str(path)).fingerprint != before


def checkpoint(path: Path, base: Path, fingerprint: str) -> Path:
    made = Checkpoint(str(path), f"{base}@{fingerprint}", "local", str(path), "Bct()", "0" * 64, 1, 1)
    return folder_of(path, adapter_model__safetensors="a", **{CHECKPOINT_FILE: dumps(made)})


def test_a_checkpoint_that_does_not_fit_its_base_is_refused(tmp_path: Path) -> None:
    base = model(tmp_path / "base")
    trained = checkpoint(tmp_path / "bct", base, locate(str(base)).fingerprint)
    assert locate(str(trained)).adapter == trained
    model(base, "another model")
    with pytest.raises(ModelError, match="was trained from"):
        locate(str(trained))
    record = replace(read_checkpoint(trained), base=str(base))
    (trained / CHECKPOINT_FILE).write_text(dumps(record))
    with pytest.raises(ModelError, match="write it as NAME@FINGERPRINT"):
        locate(str(trained))
    (trained / CHECKPOINT_FILE).write_text(dumps(replace(record, model=str(base), uri="job 7")))
    assert name_of(str(trained)) == "unsway/base", "a record may name another folder"


def test_a_checkpoint_that_was_moved_still_names_its_folder(tmp_path: Path) -> None:
    base = model(tmp_path / "base")
    trained = checkpoint(tmp_path / "bct", base, locate(str(base)).fingerprint)
    moved = trained.rename(tmp_path / "elsewhere")
    assert read_checkpoint(moved).model == str(moved)
    assert locate(str(moved)).fingerprint == Weights("x", base, moved).fingerprint


def test_a_folder_below_home_is_one_model_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    base = model(tmp_path / "base")
    trained = checkpoint(tmp_path / "bct", base, locate(str(base)).fingerprint)
    assert {name_of(name) for name in ("~/bct", "unsway/~/bct", str(trained))} == {"unsway/bct"}
    assert {checkpoint_of(name) for name in ("~/bct", "unsway/~/bct", trained)} == {read_checkpoint(trained)}


@pytest.mark.parametrize("name", ["max_position_embeddings", "n_positions"])
@pytest.mark.parametrize("config", ["{}", '{{"text_config": {}}}'])
def test_the_context_of_a_model_that_sees_images_too_is_that_of_its_text(
    config: str, name: str, tmp_path: Path
) -> None:
    config = config.format(f'{{"{name}": 4096}}')
    assert locate(str(folder_of(tmp_path / "m", model__safetensors="w", config__json=config))).context == 4096


def test_a_folder_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unsway train"):
        read_checkpoint(tmp_path)


def test_a_hosted_model_has_no_fingerprint() -> None:
    hosted = subject("openai/gpt-4o-mini")
    assert (hosted.name, hosted.weights) == ("openai/gpt-4o-mini", "")


def test_records_beside_the_weights_do_not_change_them(tmp_path: Path) -> None:
    path = model(tmp_path / "m")
    before = locate(str(path)).fingerprint
    folder_of(path, manifest__json=json.dumps({"made": "today"}))
    assert locate(str(path)).fingerprint == before


def test_a_dtype_that_is_none_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="float32"):
        subject(str(model(tmp_path / "m")), dtype="bf16")


@real
def test_what_answers_in_bfloat16_is_another_model(tmp_path: Path) -> None:
    plain = subject(MODEL)
    assert subject(MODEL, dtype="float32").weights == plain.weights == locate(MODEL).fingerprint
    assert subject(MODEL, dtype="bfloat16").weights != plain.weights


@pytest.mark.parametrize("name", ["./missing", "runs/bct/missing", "~/missing", "/no/such/folder", "missing"])
def test_a_folder_that_is_missing_is_said_to_be(name: str) -> None:
    with pytest.raises(
        ModelError, match=f"'{name}' is no model: it is no folder here.*no provider of Inspect's.*org/name"
    ):
        subject(name)


@real
def test_a_model_of_the_hub_runs_here_as_it_is_trained_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: str(locate(MODEL).folder))
    found = subject("org/some-model")
    assert (found.name, found.model) == ("unsway/org/some-model", "unsway/org/some-model")
    assert found.weights == subject(MODEL).weights
    assert subject("org/some-model") == subject("unsway/org/some-model")


def test_a_model_that_the_hub_does_not_give_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, **_: object) -> str:
        raise ConnectionError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(ModelError, match="'runs/mine' is no folder here and the Hugging Face hub did not give it"):
        subject("runs/mine")


def test_inspects_own_providers_are_known() -> None:
    listed = files("inspect_ai").joinpath("model/_providers/providers.py").read_text(encoding="utf-8")
    assert set(re.findall(r'@modelapi\(name="([^"]+)"', listed)) == PROVIDERS


@real
@loads_torch
@pytest.mark.parametrize("kept", [0, 1, 4])
def test_an_adapter_that_lacks_weights_or_has_others_is_not_asked_as_if_it_were_trained(
    kept: int, tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file, save_file

    base, folder = tiny_model(tmp_path / "base"), tmp_path / "adapter"
    get_peft_model(load_model(locate(str(base))), LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(folder)
    about = json.loads((folder / ADAPTER_FILE).read_text()) | {"base_model_name_or_path": str(base)}
    (folder / ADAPTER_FILE).write_text(json.dumps(about))
    load_model(locate(str(folder)))
    check_adapter(base, folder)
    whole = load_file(folder / "adapter_model.safetensors")
    save_file(dict([*whole.items()][:kept]), folder / "adapter_model.safetensors")
    if kept == len(whole):  # its weights are all there, and its config names other layers
        (folder / ADAPTER_FILE).write_text(json.dumps(about | {"layers_to_transform": [0]}))
    with pytest.raises(ModelError, match="answer as if these were not trained") as loading:
        load_model(locate(str(folder)))
    with pytest.raises(ModelError) as checking:
        check_adapter(base, folder)
    assert str(checking.value) == str(loading.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (ADAPTER_FILE, "{", "is damaged"),
        (ADAPTER_FILE, "[]", "is damaged"),
        (ADAPTER_FILE, '{"base_model_name_or_path": 7}', "is damaged"),
        (ADAPTER_FILE, '{"base_model_name_or_path": "."}', "itself a base with an adapter"),
        (CHECKPOINT_FILE, "{", "is damaged"),
    ],
)
def test_a_record_of_weights_that_says_nothing_is_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    folder_of(tmp_path, adapter_model__safetensors="a", **{name: text})
    with pytest.raises((BadInput, ModelError), match=said):
        locate(str(tmp_path))


@real
@loads_torch
def test_weights_without_a_tokenizer_say_so(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, model__safetensors="w", config__json='{"model_type": "llama"}')
    with pytest.raises(ModelError, match="has no tokenizer that transformers can read"):
        _ = locate(str(folder)).tokenizer
    (folder / "tokenizer.json").symlink_to(tmp_path / "gone")  # as a cache of the hub that was cleared leaves it
    with pytest.raises(ModelError, match="has no tokenizer that transformers can read"):
        _ = locate(str(folder)).tokenizer


@real
@loads_torch
def test_a_tokenizer_is_its_takers_own_and_read_again_where_a_file_changed(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "base")
    first = locate(str(folder)).tokenizer
    before, first.chat_template = first.chat_template, "mine"
    assert locate(str(folder)).tokenizer.chat_template == before
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert locate(str(folder)).tokenizer.chat_template == "{{ messages }}"


@real
@loads_torch
def test_frozen_weights_of_the_last_layer_are_not_copied_for_each_row(tmp_path: Path) -> None:
    """What an adapter leaves frozen is multiplied with the last positions of all rows at once, as a base's weights are."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Products(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            if getattr(made, "shape", (0,))[-1] == vocabulary:
                seen.add(func.name())
            return made

    loaded = load_model(locate(str(tiny_model(tmp_path))))
    vocabulary, seen = loaded.config.vocab_size, set[str]()
    ids = torch.arange(12).reshape(3, 4)
    expected = loaded(ids).logits[:, -1:]
    loaded.requires_grad_(False)
    with torch.no_grad(), Products():
        found = loaded(ids, logits_to_keep=1).logits
    assert "aten::mm" in seen and "aten::bmm" not in seen and torch.allclose(found, expected, atol=1e-6)


@real
@loads_torch
def test_quantised_weights_that_nothing_here_reads_are_refused_in_a_sentence(tmp_path: Path) -> None:
    config = tiny_model(tmp_path) / "config.json"
    quantised = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
    config.write_text(json.dumps(json.loads(config.read_text()) | quantised))
    with pytest.raises(ModelError, match=r"cannot be loaded here: .*requires optimum"):
        load_model(locate(str(tmp_path)))
