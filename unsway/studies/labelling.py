"""The replies of a study's folder that people label.

In: a folder. Out: `LabelItem`s, or the folder's `LabelStore` with those items in it. Only this module reads the folder, so
the room `judging` does not depend on studies.
"""

from __future__ import annotations

from pathlib import Path

from unsway import layout
from unsway.errors import BadInput, expect_count
from unsway.judging.items import LabelItem, Which, in_order, is_chosen, item_of
from unsway.judging.label_store import LabelStore
from unsway.judging.requests import request_readings
from unsway.stats.outcomes import outcomes
from unsway.store import read_manifest
from unsway.studies.folder import arms_of, index_of, kept_verdicts, pairs_of, study_folder

_WHICH: dict[Which, str] = {
    "switched": "switched to the cue",
    "followed": "gives the cued answer",
    "all": "could be read",
}


def label_items(
    folder: str | Path, *, which: Which = "switched", n: int | None = None, seed: int = 0
) -> tuple[LabelItem, ...]:
    """The biased replies of a study's folder that are to be labelled.

    Args:
        folder: The study's folder.
        which: Which kind of replies.
        n: Maximum number of replies; None takes all.
        seed: Seed of their order.

    Raises:
        BadInput: The folder holds no study, or no such reply; n is below 0.
    """
    expect_count(n)
    path = study_folder(folder)
    arms = arms_of(path)
    pairs = {pair.id: pair for pair in pairs_of(path)}
    replies = index_of(path, arms)
    labels = {arm.key: arm.label for arm in arms}
    items = set()
    for outcome in outcomes(pairs.values(), replies, readings=request_readings(kept_verdicts(path))):
        pair = pairs[outcome.pair_id]
        reply = replies.reply(outcome.arm, pair.biased, outcome.sample)
        if reply is not None and is_chosen(outcome, which):
            items.add(item_of(outcome, pair, reply, labels[outcome.arm]))
    if not items:
        raise BadInput(
            f"{str(path)!r} has no biased reply that {_WHICH[which]}; --which all takes every one that was read."
        )
    return tuple(in_order(items, seed)[:n])


def prepare_labels(folder: str | Path, *, which: Which = "switched", n: int | None = None, seed: int = 0) -> LabelStore:
    """The labels of a folder, with the replies of its study added. A folder of imported labels needs no study.

    Its manifest says which replies were drawn; `several` after draws of several kinds, which are no random part of any.

    Raises:
        BadInput: There is nothing to label.
    """
    store = LabelStore(folder)
    stored_ids = {item.id for item in store.items()}
    if (Path(folder) / layout.ARMS).is_file() or not stored_ids:
        items = label_items(folder, which=which, n=n, seed=seed)
        manifest = read_manifest(store.items_path)
        # no draw yet, or one was killed between writing the items and their manifest
        is_first = manifest is None and stored_ids <= {item.id for item in items}
        is_same_kind = is_first or (manifest or {}).get("which") == which
        store.add_items(items, seed=seed, which=which if is_same_kind else "several")
    return store
