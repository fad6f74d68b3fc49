"""A study as `measure` would have left it in a folder."""

from __future__ import annotations

from pathlib import Path

from unsway.report.folder import write_arms, write_pairs
from unsway.report.study import Results
from unsway.store import ReplyStore


def kept(study: Results, folder: Path) -> Path:
    """Write pairs, arms and replies into the folder."""
    write_pairs(folder, study.pairs)
    write_arms(folder, study.arms, study.skipped)
    store = ReplyStore(folder / "replies.jsonl")
    for reply in study.replies:
        store.add(reply)
    return folder
