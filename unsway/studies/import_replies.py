"""Imported transcripts into a folder like those of `measure`, so that every report works on them.

In: `Imported`. Out: pairs, replies and arms in the folder, beside what it holds.
"""

from __future__ import annotations

from pathlib import Path

from unsway import layout
from unsway.errors import BadInput, UnknownName
from unsway.importing.replies import Imported
from unsway.pairing import PairSet
from unsway.store import Asked, ReplyStore
from unsway.studies.folder import add_pairs, note_arm
from unsway.studies.results import Arm


def take_in(found: Imported, folder: str | Path, *, base: str = "") -> None:
    """Write what was imported into a folder.

    Args:
        found: What a file held.
        folder: Where it goes; what is there stays.
        base: The model that the others are compared with; empty compares none.

    Raises:
        UnknownName: The base is none of the models.
        BadInput: The folder has another reply at the same place; nothing was written.
    """
    if base and base not in found.models:
        raise UnknownName("model in the file", base, found.models)
    store = ReplyStore(Path(folder) / layout.REPLIES)
    for reply in found.replies:
        there = store.get(Asked.of(reply))
        if there is not None and there != reply:
            raise BadInput(
                f"{folder} has another reply of {reply.model!r} to the same prompt (sample {reply.sample}). Import into a "
                "folder of its own, or number the samples."
            )
    for reply in found.replies:
        store.add(reply)
    add_pairs(folder, PairSet(found.pairs, found.skipped))
    for model in found.models:
        note_arm(folder, Arm(model, model, "", "trained" if base and model != base else "base"))
