"""The model card of a checkpoint: README.md as the Hugging Face hub shows it.

In: a `Checkpoint` and, once it was measured, the tables of its study. Out: Markdown behind a YAML header.

    card(checkpoint, "runs/bct/model")
"""

from __future__ import annotations

import json
from pathlib import Path

from unsway.assets import hub_name
from unsway.models.adapters import ADAPTER_FILE
from unsway.types import Checkpoint

CARD = "README.md"
"""The name under which the hub looks for a card."""
ADAPTER = """from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer
model = AutoPeftModelForCausalLM.from_pretrained("{repo}")
tokenizer = AutoTokenizer.from_pretrained("{repo}")"""
WHOLE = """from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained("{repo}")
tokenizer = AutoTokenizer.from_pretrained("{repo}")"""


def card(checkpoint: Checkpoint, folder: str | Path, *, repo: str = ".", measured: str = "", effects: str = "") -> str:
    """The card of an adapter or of whole weights.

    Args:
        checkpoint: The record of the training.
        folder: Where its weights are: an adapter, or all of them.
        repo: The repository that holds it; the folder itself if there is none.
        measured: The table of a study that measured it, in Markdown.
        effects: The table of its side effects, in Markdown.
    """
    is_whole = not (Path(folder) / ADAPTER_FILE).is_file()
    base = hub_name(checkpoint.base.rpartition("@")[0])
    on_hub = base.count("/") == 1 and not Path(base).expanduser().exists()
    base = base if on_hub else Path(base).name  # a local path is useless to others
    header = [
        f"library_name: {'transformers' if is_whole else 'peft'}",
        "pipeline_tag: text-generation",
        "tags: [unsway, consistency-training]",
    ]
    header += [f"base_model: {json.dumps(base)}"] if on_hub else []
    biases = ", ".join(f"`{name}`" for name in checkpoint.trained_on) or "none recorded"
    facts = {
        "base": f"`{base}` (weights `{checkpoint.base.rpartition('@')[2]}`)",
        "method": f"`{checkpoint.method}`",
        "role": "control: the same training without cues" if checkpoint.role == "control" else "trained",
        "biases it was trained on": biases if checkpoint.role == "trained" else "none",
        "training rows": f"sha256 `{checkpoint.data_sha256}`",
        "steps, tokens": f"{checkpoint.steps:,}, {checkpoint.tokens:,}",
    }
    parts = ["---", *header, "---", "", f"# {base.rpartition('/')[2]}, trained with unsway", ""]
    parts += ["Trained on the model's own replies, so that cues which ought not to matter sway it less.", ""]
    parts += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items()), ""]
    parts += ["## Load it", "", "```python", (WHOLE if is_whole else ADAPTER).format(repo=repo), "```", ""]
    parts += ["## What it does under cues", "", measured or "Not measured yet.", ""]
    parts += ["## What the training cost", "", effects or "No side effects were measured.", ""]
    return "\n".join(parts)
