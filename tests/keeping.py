"""A study as `measure` would have left it in a folder."""

from __future__ import annotations

from pathlib import Path

from unsway.store import ReplyStore
from unsway.studies.folder import write_arms, write_pairs
from unsway.studies.results import Results


def kept(study: Results, folder: Path) -> Path:
    """Write pairs, arms and replies into the folder."""
    write_pairs(folder, study.pairs)
    write_arms(folder, study.arms, study.skipped)
    store = ReplyStore(folder / "replies.jsonl")
    for reply in study.replies:
        store.add(reply)
    return folder
