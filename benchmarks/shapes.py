"""Random weights in the shape of a published model, with the embedded model's tokenizer: for throughput, not for answers.

    python benchmarks/shapes.py qwen2.5-0.5b FOLDER

In: a shape's name. Out: a folder in bfloat16 that `--model FOLDER` of sampling.py and training.py takes. Such a
model's replies are nonsense and end by chance, so most reach the limit, and their agreement says nothing.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unsway import assets

SHAPES: dict[str, dict[str, Any]] = {
    "qwen2.5-0.5b": {
        "model_type": "qwen2",
        "hidden_size": 896,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "intermediate_size": 4864,
        "vocab_size": 151_936,
        "tie_word_embeddings": True,
        "max_position_embeddings": 32_768,
    },
    "llama-3.1-8b": {
        "model_type": "llama",
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14_336,
        "vocab_size": 128_256,
        "tie_word_embeddings": False,
        "max_position_embeddings": 131_072,
    },
    "toy": {
        "model_type": "llama",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 128,
        "vocab_size": 49_152,
        "tie_word_embeddings": True,
        "max_position_embeddings": 2048,
    },
}
"""As the config.json of each says; `toy` is of no model, and lets a script run on a CPU."""


@dataclass(frozen=True, slots=True)
class Size:
    """What decides how much a token costs."""

    layers: int
    """Parameters of the layers."""
    head: int
    """Parameters of the output layer."""
    hidden: int
    intermediate: int


def size(folder: Path) -> Size:
    """Of a model's folder: the layers' matrices, which norms and biases add nothing to worth counting."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    hidden, heads, intermediate = config["hidden_size"], config["num_attention_heads"], config["intermediate_size"]
    head_size = config.get("head_dim") or hidden // heads
    attention = 2 * hidden * head_size * (heads + config["num_key_value_heads"])
    layer = attention + 3 * hidden * intermediate
    return Size(config["num_hidden_layers"] * layer, config["vocab_size"] * hidden, hidden, intermediate)


def make(shape: str, folder: Path) -> Path:
    """Write the model, made on the GPU where there is one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(assets.model_folder("smollm2-135m"))
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    body = dict(SHAPES[shape])
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        config = AutoConfig.for_model(body.pop("model_type"), **body, **ids)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES, nargs="?")
    parser.add_argument("folder", type=Path, nargs="?")
    args = parser.parse_args()
    if args.shape is None or args.folder is None:
        for name in SHAPES:
            print(name)
        return
    folder = make(args.shape, args.folder)
    print(f"{folder}: {size(folder)}")


if __name__ == "__main__":
    main()
