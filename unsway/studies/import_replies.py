"""Import transcripts into a folder like those of `measure`, so every report works on them.

In: files of transcripts. Out: pairs, replies and arms in the folder, next to what it already holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unsway import layout
from unsway.errors import BadInput, UnknownName
from unsway.importing.bodies import Description
from unsway.importing.replies import Imported, load
from unsway.pairing import PairSet
from unsway.store import ReplyStore
from unsway.studies.arms import Arm
from unsway.studies.folder import add_pairs, arms_of, note_arm
from unsway.types import Settings
from unsway.types.address import Address


def import_replies(
    files: str | Path | Sequence[str | Path],
    folder: str | Path,
    about: Description = Description(),  # noqa: B008  # frozen
    *,
    base: str = "",
    skip_bad: bool = False,
    keep_gold: bool = False,
) -> Imported:
    """Import replies that were sampled elsewhere into a folder, and return what the files held.

    Args:
        files: Files of transcripts; `unsway.importing.replies` has the fields.
        folder: The folder; its existing content stays.
        about: What the files do not say themselves, such as the model.
        base: The model that the others are compared with; empty makes no comparison.
        skip_bad: Leave out rows that cannot be used, and go on.
        keep_gold: Keep rows whose cue points to the right option, under the bias `NAME/gold`.

    Raises:
        UnknownName: The files have no such base.
        BadInput: A row cannot be used, or the folder has another reply to the same prompt, or one with other
            settings; nothing was written.
    """
    imported = load(files, about, skip_bad=skip_bad, keep_gold=keep_gold)
    if base and base not in imported.models:
        raise UnknownName("model in the file", base, imported.models)
    store = ReplyStore(Path(folder) / layout.REPLIES)
    settings_by_prompt: dict[tuple[str, str], set[Settings]] = {}  # several if side effects were asked too
    for reply in store:
        settings_by_prompt.setdefault((reply.prompt_id, reply.model), set()).add(reply.settings)
    for reply in imported.replies:
        earlier_settings = settings_by_prompt.get((reply.prompt_id, reply.model))
        if earlier_settings and reply.settings not in earlier_settings:
            earlier = min(earlier_settings, key=repr)
            then, now = earlier.apart(reply.settings), reply.settings.apart(earlier)
            raise BadInput(
                f"{folder} has replies of {reply.model!r} to the same prompt with {then}; these are with {now}. Import "
                "into a folder of its own."
            )
        stored_reply = store.get(Address.of(reply))
        if stored_reply is not None and stored_reply.text != reply.text:
            raise BadInput(
                f"{folder} has another reply of {reply.model!r} to the same prompt (sample {reply.sample}). Import into a "
                "folder of its own, or number the samples."
            )
    for reply in imported.replies:
        store.add(reply)
    add_pairs(folder, PairSet(imported.pairs, imported.skipped))
    weights_by_model = {
        model: {reply.weights: None for reply in imported.replies if reply.model == model} for model in imported.models
    }
    for model, fingerprints in weights_by_model.items():
        for weights in fingerprints or {"": None}:
            labels = {arm.key: arm.label for arm in arms_of(Path(folder))}
            label = f"{model}@{weights[:8]}" if len(fingerprints) > 1 or model in labels.values() else model
            arm = Arm(label, model, weights, "trained" if base and model != base else "base")
            if arm.key not in labels:
                note_arm(folder, arm)
    return imported
