"""A checkpoint as a plain transformers folder: the adapter merged, safetensors, tokenizer, template, and where it is from.

In: a checkpoint's folder. Out: a folder that `unsway measure`, transformers and vLLM take. `manifest.json` in it holds the
checkpoint's record and the sha256 of every file.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from unsway.disk import PART, together
from unsway.errors import BadInput, StoreError
from unsway.models.weights import known_dtype, load_model, locate, read_checkpoint
from unsway.store import sha256_file, write_text

MANIFEST = "manifest.json"


def export(checkpoint: str | Path, out: str | Path, dtype: str = "float32") -> Path:
    """Write the model of a checkpoint as one folder.

    Args:
        checkpoint: The folder of a checkpoint of the local backend.
        out: A folder that is not there yet, or is empty.
        dtype: Precision of the weights. The default float32 answers as the checkpoint does; bfloat16 is half the size
            and may answer otherwise.

    Raises:
        BadInput: The folder holds no local checkpoint, or `out` holds something.
        StoreError: The disk took no more; nothing is left of what was begun.
    """
    precision = known_dtype(dtype)
    record = read_checkpoint(checkpoint)
    if record.backend != "local":
        raise BadInput(f"{str(checkpoint)!r} was trained by {record.backend!r}, which keeps the weights to itself.")
    place = Path(out)
    if place.exists() and (not place.is_dir() or any(not file.name.startswith(PART) for file in place.iterdir())):
        raise BadInput(f"{str(place)!r} is there already and not empty. Name another folder.")
    weights = locate(str(checkpoint))
    model = load_model(weights, precision)
    try:
        with together(place) as new:
            model.save_pretrained(new)
            weights.tokenizer.save_pretrained(new)
            write_text(
                new / MANIFEST, json.dumps(_provenance(new, asdict(record), weights.fingerprint), indent=2) + "\n"
            )
    except Exception as error:  # safetensors and the standard library each raise their own
        raise StoreError(f"Cannot write {str(place)!r} ({type(error).__name__}: {error}). Make room.") from error
    return place


def _provenance(place: Path, record: dict[str, object], fingerprint: str) -> dict[str, object]:
    kept = {name: value for name, value in record.items() if name not in ("model", "uri")}  # paths of this machine
    files = {path.name: sha256_file(path) for path in sorted(place.iterdir()) if path.name != MANIFEST}
    return {"unsway": version("unsway"), "exported_from": fingerprint, "checkpoint": kept, "files": files}
