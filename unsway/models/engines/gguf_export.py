"""Writes a Llama-architecture model (with its adapter merged) as one GGUF file, for engines that read that format.

In: `Weights`. Out: the path of an F16 GGUF in the cache, named by the fingerprint, written once. The cache is limited to
`KEPT_GB`. Source: the GGUF layout as the `gguf` package writes it; rows of q and k are permuted to its rotary order, vectors
stay float32. Only models with a byte-level BPE tokenizer and the plain Llama graph can be written; others need the torch
engine.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.assets import cache_folder
from unsway.assets.offline.gguf import rotary_rows
from unsway.disk import replacing
from unsway.extras import requires
from unsway.models.weights import Weights, load_model

if TYPE_CHECKING:
    from gguf import GGUFWriter

TOKENIZER_FROM = ("config.json", "tokenizer.json")
"""The files that determine the tokenizer of the GGUF."""
FORM = "f16-2"
"""The format of a file, with its version; version 1 was also written from adapters that did not match their base."""
KEPT_GB = 20
"""Gigabytes kept. Every checkpoint that is asked leaves a file as large as its model; the least recently used goes first."""
IN_USE = 3600.0
"""Seconds after its last use in which a file is never removed, because a process may be about to open it."""


def unfit(weights: Weights) -> str | None:
    """Why a model cannot be written as GGUF; None if it can."""
    config = _json(weights.folder / "config.json")
    if config.get("model_type") != "llama":
        return f"its architecture is {config.get('model_type')!r}, not 'llama'"
    if config.get("attention_bias") or config.get("mlp_bias"):
        return "its linear layers have biases"
    if config.get("rope_parameters", {}).get("rope_type", "default") != "default" or config.get("rope_scaling"):
        return "its rotary embedding is scaled"
    if config.get("eos_token_id") in (None, []):
        return "its config names no token that ends a reply"
    tokenizer = weights.folder / "tokenizer.json"
    if not tokenizer.exists() or tokenizer_kind(tokenizer, tokenizer.stat().st_mtime_ns) != "BPE":
        return "it has no byte-pair tokenizer.json"
    return None


def exported(weights: Weights) -> Path:
    """The GGUF of these weights, written if it does not exist yet; whole or not at all."""
    target = cache_folder() / "gguf" / f"{weights.fingerprint}-{FORM}.gguf"
    if target.exists():
        with suppress(PermissionError):  # a cache owned by others
            os.utime(target)
        return target
    _make_room(target.parent)
    with requires("openvino", "Writing weights as GGUF"):
        import gguf

    config = _json(weights.folder / "config.json")
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    rope = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta", 10_000.0)}
    with replacing(target) as new_file:
        writer = gguf.GGUFWriter(new_file, "llama")
        writer.add_block_count(config["num_hidden_layers"])
        writer.add_context_length(config["max_position_embeddings"])
        writer.add_embedding_length(config["hidden_size"])
        writer.add_feed_forward_length(config["intermediate_size"])
        writer.add_head_count(heads["q_proj"])
        writer.add_head_count_kv(heads["k_proj"])
        writer.add_rope_freq_base(rope["rope_theta"])
        writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads["q_proj"])
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
        writer.add_vocab_size(config["vocab_size"])
        writer.add_file_type(1)
        _add_tokenizer(writer, config, _json(weights.folder / "tokenizer.json"))
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
        for name, tensor in load_model(weights).state_dict().items():
            if name == "lm_head.weight" and config.get("tie_word_embeddings"):
                continue
            array = rotary_rows(name, tensor.float().cpu().numpy(), heads, in_file=True)
            array = array if array.ndim == 1 else array.astype("float16")
            writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return target


def _make_room(folder: Path) -> None:
    """Remove the least recently used files, until the rest is within `KEPT_GB` or in use."""
    total_size = 0
    with suppress(FileNotFoundError):  # another process is removing files too
        for path in sorted(folder.glob("*.gguf"), key=lambda path: path.stat().st_mtime, reverse=True):
            stat = path.stat()
            total_size += stat.st_size
            if total_size > KEPT_GB * 1e9 and time.time() - stat.st_mtime > IN_USE:
                with suppress(PermissionError):  # on Windows, an open file
                    path.unlink()


def _add_tokenizer(writer: GGUFWriter, config: dict[str, Any], tokenizer: dict[str, Any]) -> None:
    """Add tokens, their kinds (1 normal, 3 control, 4 added by the user) and merges; prompts arrive as ids anyway."""
    tokens = [f"<unused_{i}>" for i in range(config["vocab_size"])]
    kinds = [1] * config["vocab_size"]
    for token, i in tokenizer["model"]["vocab"].items():
        tokens[i] = token
    for entry in tokenizer["added_tokens"]:
        if entry["id"] < len(tokens):  # a padding token may have no row in the weights
            tokens[entry["id"]], kinds[entry["id"]] = entry["content"], 3 if entry["special"] else 4
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    ends = config["eos_token_id"]
    end = ends if isinstance(ends, int) else ends[0]
    begin, pad = config.get("bos_token_id"), config.get("pad_token_id")  # null in many configs
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(end if begin is None else begin)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(end if pad is None else pad)


@lru_cache
def tokenizer_kind(tokenizer: Path, changed: int) -> str | None:
    """The kind of a tokenizer, cached by the file (which is megabytes) and its time of change."""
    kind: str | None = _json(tokenizer)["model"].get("type")
    return kind


def _json(path: Path) -> dict[str, Any]:
    """The content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
