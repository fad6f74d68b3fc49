"""Weights from a GGUF file: the numbers that transformers reads from it, and no other model than a plain Llama."""

from __future__ import annotations

import json
import os
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.tiny import loads_torch, real, tiny_model
from unsway import assets
from unsway.assets.offline.gguf import dequantise, rotary_rows
from unsway.errors import ModelError
from unsway.models.adapters import ADAPTER_FILE
from unsway.models.engines import openvino
from unsway.models.engines.gguf_export import IN_USE, KEPT_GB, exported, unfit
from unsway.models.weights import load_model, locate
from unsway.progress import Track
from unsway.store import sha256_file

pytest.importorskip("gguf")
pytest.importorskip("transformers")
pytestmark = loads_torch

TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
SILENT: Track = lambda *_: nullcontext(lambda _: None)  # noqa: E731


def written(path: Path, *, tied: bool = True, scaled: bool = False) -> Path:
    """A two-layer Llama of random weights as a file of 4-bit blocks, with one token for each byte."""
    import gguf
    import numpy as np
    from tokenizers import pre_tokenizers

    draw, hidden, heads, groups = np.random.default_rng(0), 64, 4, 2
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġa"]
    out = gguf.GGUFWriter(path, "llama")
    out.add_name("tiny")
    out.add_vocab_size(len(tokens))
    out.add_block_count(2)
    out.add_context_length(128)
    out.add_embedding_length(hidden)
    out.add_feed_forward_length(96)
    out.add_head_count(heads)
    out.add_head_count_kv(groups)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_freq_base(50_000.0)
    out.add_rope_dimension_count(hidden // heads)
    if scaled:
        out.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("smollm")
    out.add_token_list(tokens)
    out.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    out.add_token_merges(["Ġ a"])
    out.add_unk_token_id(0)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_pad_token_id(2)
    out.add_chat_template(TEMPLATE)
    shapes = {"token_embd": (len(tokens), hidden), "output_norm": (hidden,)} | (
        {} if tied else {"output": (len(tokens), hidden)}
    )
    for layer in ("blk.0.", "blk.1."):
        shapes |= {layer + name: (hidden,) for name in ("attn_norm", "ffn_norm")}
        shapes |= {layer + name: (hidden, hidden) for name in ("attn_q", "attn_output")}
        shapes |= {layer + name: (hidden * groups // heads, hidden) for name in ("attn_k", "attn_v")}
        shapes |= {layer + name: (96, hidden) for name in ("ffn_gate", "ffn_up")}
        shapes |= {layer + "ffn_down": (hidden, 96)}
    for name, shape in shapes.items():
        values = draw.standard_normal(shape, np.float32)
        if len(shape) == 1:
            out.add_tensor(f"{name}.weight", values)
        else:
            kind = gguf.GGMLQuantizationType.Q4_1
            out.add_tensor(f"{name}.weight", gguf.quantize(values, kind), raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


@pytest.mark.parametrize("tied", [True, False])
def test_numbers_config_and_tokens_are_those_that_transformers_reads(tied: bool, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = written(tmp_path / "tiny.gguf", tied=tied)
    about = dequantise(path, tmp_path / "out", SILENT)
    ours: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    theirs: Any = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=path.name, dtype=ours.dtype)
    assert about["parameters"] == theirs.num_parameters()
    weights, same = ours.state_dict(), theirs.state_dict()
    assert weights.keys() == same.keys() and all(weights[name].equal(same[name]) for name in weights)
    theirs.config.save_pretrained(tmp_path / "theirs")
    read, expected = (json.loads((tmp_path / of / "config.json").read_text()) for of in ("out", "theirs"))
    del expected["quantization_config"]
    assert read == expected | {"architectures": ["LlamaForCausalLM"]}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    other = AutoTokenizer.from_pretrained(tmp_path, gguf_file=path.name)
    assert tokenizer.get_vocab() == other.get_vocab()
    assert tokenizer.tokenize(" a pear, a fig") == other.tokenize(" a pear, a fig")


def test_a_model_that_is_no_plain_llama_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"that a plain Llama model lacks: llama\.rope\.scaling\.type\."):
        dequantise(written(tmp_path / "scaled.gguf", scaled=True), tmp_path / "out", SILENT)


@real
def test_written_files_take_no_more_of_the_disk_than_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (locate(str(tiny_model(tmp_path / f"model{seed}", seed=seed))) for seed in (0, 1))
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path))
    kept, third = exported(first), KEPT_GB * 10**9 // 3
    for name, age in (("now", 0.9), ("lately", 3), ("earlier", 4), ("once", 5)):
        path = kept.with_name(f"{name}.gguf")
        path.touch()
        os.truncate(path, third)  # a hole, which takes no room
        os.utime(path, (then := time.time() - age * IN_USE, then))
    os.utime(kept, (then := time.time() - 6 * IN_USE, then))
    assert exported(first) == kept  # used again, so it is the newest
    new = exported(second)
    assert {path.stem for path in kept.parent.iterdir()} == {kept.stem, new.stem, "now", "lately"}
    os.truncate(kept.with_name("now.gguf"), 4 * third)
    new.unlink()
    exported(second)
    assert {path.stem for path in kept.parent.iterdir()} == {kept.stem, new.stem, "now"}, "what may be in use stays"


@real
def test_a_tokenizer_is_made_once_and_made_again_where_its_copy_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genai = pytest.importorskip("openvino_genai")
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path / "cache"))
    path = exported(locate(str(tiny_model(tmp_path / "base"))))
    made: list[str] = []

    def tokenizer(source: str, **options: bool) -> Any:
        found = genai.Tokenizer(source, **options)
        made.append(Path(source).suffix)
        return found

    monkeypatch.setattr(openvino, "genai", lambda: SimpleNamespace(Tokenizer=tokenizer, __version__="1"))
    first, again = (openvino.read_tokenizer(path, "words") for _ in range(2))
    assert made == [".gguf", ""] and first.get_vocab() == again.get_vocab()
    assert first.get_eos_token_id() == again.get_eos_token_id()
    (kept,) = (tmp_path / "cache" / "tokenizers").iterdir()
    os.truncate(kept / "openvino_detokenizer.bin", 10)
    for _ in range(2):
        assert openvino.read_tokenizer(path, "words").get_vocab() == first.get_vocab()
    assert made == [".gguf", "", ".gguf", ""]
    monkeypatch.setenv("UNSWAY_CACHE", str(path))  # a file, in which nothing can be kept
    assert openvino.read_tokenizer(path, "words").get_vocab() == first.get_vocab()


@real
def test_the_embedded_model_has_the_numbers_that_transformers_reads() -> None:
    """transformers' own reader made this file of the same GGUF, in six times as long."""
    sums = sha256_file(assets.model_folder("smollm2-135m") / "model.safetensors")
    assert sums == "a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd"


def test_rows_of_q_and_k_change_their_order_and_come_back() -> None:
    rows, heads = np.arange(24).reshape(12, 2), {"q_proj": 2, "k_proj": 1}
    in_file = rotary_rows("model.layers.0.self_attn.q_proj.weight", rows, heads, in_file=True)
    assert (in_file[:, 0] // 2).tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]
    assert (rotary_rows("q_proj", in_file, heads, in_file=False) == rows).all()
    assert rotary_rows("model.layers.0.self_attn.v_proj.weight", rows, heads, in_file=True) is rows


@real
@loads_torch
def test_a_file_of_an_adapter_that_does_not_fit_is_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from peft import LoraConfig, get_peft_model

    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path / "cache"))
    base = locate(str(tiny_model(tmp_path / "base")))
    get_peft_model(load_model(base), LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path / "adapter")
    file = tmp_path / "adapter" / ADAPTER_FILE
    good = exported(replace(base, adapter=tmp_path / "adapter"))
    assert exported(replace(base, adapter=tmp_path / "adapter")) == good
    file.write_text(json.dumps(json.loads(file.read_text()) | {"target_modules": ["k_proj"]}))
    spoilt = replace(base, adapter=tmp_path / "adapter")
    good.with_name(f"{spoilt.fingerprint}-f16.gguf").touch()  # as it was written before adapters were checked
    with pytest.raises(ModelError, match="as if these were not trained"):
        exported(spoilt)


@real
@loads_torch
def test_a_config_without_ids_and_a_token_without_weights_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path / "cache"))
    folder = tiny_model(tmp_path / "base")
    config, tokens = folder / "config.json", folder / "tokenizer.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"pad_token_id": None, "bos_token_id": None}))
    pad, known = {"id": 8192, "content": "[PAD]", "special": True}, json.loads(tokens.read_text())
    tokens.write_text(json.dumps(known | {"added_tokens": [*known["added_tokens"], pad]}))
    assert unfit(locate(str(folder))) is None and exported(locate(str(folder))).stat().st_size > 10**5
    config.write_text(json.dumps(json.loads(config.read_text()) | {"eos_token_id": None}))
    assert unfit(locate(str(folder))) == "its config names no token that ends a reply"
