"""Export a checkpoint as a plain transformers folder: adapter merged, safetensors, tokenizer, template, manifest.

In: the folder of a checkpoint, or of an adapter that others trained. Out: a folder that `unsway measure`, transformers and
vLLM read. Its `checkpoint.json` is the checkpoint's record, so its arm keeps its role; an adapter of others has none. Its
`manifest.json` holds the sha256 of every file.
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from unsway.disk import PART, staged, write_text
from unsway.errors import BadInput, StoreError
from unsway.models.adapters import ADAPTER_FILE
from unsway.models.weights import CHECKPOINT_FILE, known_dtype, load_model, locate, read_checkpoint
from unsway.store import dumps, sha256_file

MANIFEST = "manifest.json"


def export(checkpoint: str | Path, out: str | Path, dtype: str = "float32") -> Path:
    """Write the model of a checkpoint as one folder.

    Args:
        checkpoint: The folder of a checkpoint whose weights are in it, or of an adapter that PEFT or TRL wrote.
        out: A folder that does not exist yet, or is empty.
        dtype: Precision of the weights. The default float32 answers as the checkpoint does; bfloat16 is half the size
            and may answer differently.

    Raises:
        BadInput: The folder holds neither, or `out` is not empty.
        StoreError: The disk is full; no partial files are left.
    """
    precision = known_dtype(dtype)
    is_foreign = (Path(checkpoint) / ADAPTER_FILE).is_file() and not (Path(checkpoint) / CHECKPOINT_FILE).is_file()
    record = None if is_foreign else read_checkpoint(checkpoint)
    if record is not None and record.is_hosted:
        raise BadInput(f"{str(checkpoint)!r} was trained by {record.backend!r}, which keeps the weights to itself.")
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(not file.name.startswith(PART) for file in folder.iterdir())):
        raise BadInput(f"{str(folder)!r} is there already and not empty. Name another folder.")
    weights = locate(str(checkpoint))
    model = load_model(weights, precision)
    try:
        with staged(folder) as staging:
            model.save_pretrained(staging)
            weights.tokenizer.save_pretrained(staging)
            if record is not None:
                movable = replace(record, model=".", uri=".")  # the folder may go anywhere
                write_text(staging / CHECKPOINT_FILE, dumps(movable) + "\n")
            manifest = {
                "unsway": version("unsway"),
                "exported_from": weights.fingerprint,
                "files": {path.name: sha256_file(path) for path in sorted(staging.iterdir())},
            }
            write_text(staging / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    except Exception as error:  # safetensors and the standard library raise different errors
        raise StoreError(f"Cannot write {str(folder)!r} ({type(error).__name__}: {error}). Make room.") from error
    return folder
