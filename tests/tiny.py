"""A two-layer Llama with random weights and a sixth of the embedded model's tokenizer; it trains in a second."""

from __future__ import annotations

import atexit
import json
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from unsway import assets
from unsway.types import Example, Part, Prompt, Toward, Turn

MODEL = "smollm2-135m"
real = pytest.mark.skipif(assets.folder_of(MODEL) is None, reason="`make assets` fetches the embedded model")
N_TOKENS = 8192
"""Its vocabulary: the special tokens, the bytes, and the first merges, which are the most frequent ones."""
loads_torch = pytest.mark.filterwarnings("default")  # torch's, transformers' and trl's own warnings


def tiny_model(folder: Path, *, seed: int = 0, context: int = 512, spoilt: str = "", family: str = "Llama") -> Path:
    """Save the model; a prompt with the word `spoilt` gives NaN."""
    shutil.copytree(_made(seed, context, spoilt, family), folder, dirs_exist_ok=True)
    return folder


@cache
def _made(seed: int, context: int, spoilt: str, family: str) -> Path:
    """The model, made once per process."""
    import torch
    import transformers
    from transformers import AutoTokenizer

    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for path in assets.model_folder(MODEL).glob("*token*.j*"):
        (folder / path.name).write_bytes(path.read_bytes())
    file = folder / "tokenizer.json"
    whole = json.loads(file.read_text(encoding="utf-8"))
    vocabulary = {token: i for token, i in whole["model"]["vocab"].items() if i < N_TOKENS}
    merges = [pair for pair in whole["model"]["merges"] if "".join(pair) in vocabulary]
    file.write_text(json.dumps(whole | {"model": whole["model"] | {"vocab": vocabulary, "merges": merges}}))
    (folder / "chat_template.jinja").write_bytes((assets.model_folder(MODEL) / "chat_template.jinja").read_bytes())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(seed)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        tie_word_embeddings=not spoilt,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = getattr(transformers, f"{family}ForCausalLM")(config)
    if spoilt:
        model.get_input_embeddings().weight.data[tokenizer.encode(f" {spoilt}")[-1]] = float("nan")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def prompt(text: str, cue: str = "") -> Prompt:
    """One turn of the user, with a cue in front of it."""
    parts = (Part("cue", cue), Part("stem", text)) if cue else (Part("stem", text),)
    return Prompt((Turn("user", parts),))


def example(i: int, text: str = "Pick a letter", rejected: str | None = None) -> Example:
    """A row whose cue speaks for (D)."""
    asked = f"{text}, number {i}."
    return Example(
        clean=prompt(asked),
        biased=prompt(asked, "I would say (D). "),
        completion=f"({'ABCD'[i % 4]})",
        target=Toward(3),
        options=("ash", "birch", "cedar", "date"),
        kind="consistency",
        pair_id=f"p{i}",
        said_by=MODEL,
        rejected=rejected,
    )


def metrics(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def losses(folder: Path) -> dict[int, float]:
    """Maps step to loss; for a repeated step, the last loss."""
    return {row["step"]: row["loss"] for row in metrics(folder) if "loss" in row}  # type: ignore[misc]


@contextmanager
def room_for(n_bytes: int) -> Iterator[None]:
    """Limit the size of every file to `n_bytes`, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
