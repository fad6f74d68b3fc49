"""Rows of preferences, for DPO: under the biased prompt, the model's own clean reply over its own cued one.

In: pairs of train questions, the model's replies, their outcomes. Out: `Preference`s, and how many pairs gave none.
A pair gives a row where the model changed its answer to what the cue wants (an answer that stood on the target already
says nothing of the cue) and both replies are whole. No gold answer is looked at: as in BCT, a clean reply may be wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from unsway.errors import BadInput
from unsway.stats.outcomes import ReplyIndex
from unsway.store import write_jsonl
from unsway.types import Message, Outcome, Pair, Reply


@dataclass(frozen=True, slots=True)
class Preference:
    """One row to train on: of two replies to the same messages, one is preferred."""

    messages: tuple[Message, ...]
    chosen: str
    """The reply to prefer: what the model said to the clean prompt."""
    rejected: str
    """The other one: what it said to these messages when it followed the cue."""
    pair_id: str
    target_model: str
    """The model that wrote both."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """Rows, and why other pairs gave none."""

    rows: tuple[Preference, ...]
    left_out: Mapping[str, int]
    """Reason to number of outcomes: the cue was not followed, the clean answer was the target, a reply is missing."""

    def write(self, path: str | Path) -> Path:
        """Write the rows as JSONL, with a manifest beside it. Raises `BadInput` where there are none."""
        if not self.rows:
            why = ", ".join(f"{n} {reason}" for reason, n in self.left_out.items()) or "nothing was asked"
            raise BadInput(f"No pair gives a preference ({why}). Measure more questions, or a cue that is followed.")
        return write_jsonl(path, self.rows, kind="dpo", left_out=dict(self.left_out))


def preferences(
    pairs: Iterable[Pair], replies: Iterable[Reply] | ReplyIndex, outcomes: Iterable[Outcome]
) -> Preferences:
    """Preferences of one model.

    Args:
        pairs: The pairs that were asked.
        replies: Raw replies of that model to both arms.
        outcomes: How they were read (`unsway.stats.outcomes`).

    Raises:
        BadInput: The outcomes are of several models.
    """
    of_pair = {pair.id: pair for pair in pairs}
    index = replies if isinstance(replies, ReplyIndex) else ReplyIndex(replies)
    rows: list[Preference] = []
    left_out: Counter[str] = Counter()
    read = tuple(outcomes)
    _check_one_model(read)
    for outcome in read:
        pair = of_pair[outcome.pair_id]
        reason = _why_not(outcome, pair)
        if reason:
            left_out[reason] += 1
            continue
        clean, biased = (index.reply(outcome.arm, side, outcome.sample) for side in (pair.clean, pair.biased))
        if clean is None or biased is None or "length" in (clean.stop, biased.stop):
            left_out["a reply was cut"] += 1
            continue
        messages = pair.biased.messages(biased.turns)
        rows.append(Preference(messages, clean.text, biased.text, pair.id, outcome.arm.model))
    return Preferences(tuple(rows), dict(left_out))


def _why_not(outcome: Outcome, pair: Pair) -> str:
    """Why an outcome gives no preference; empty where it gives one."""
    if outcome.excluded is not None:
        return str(outcome.excluded)
    if pair.order != tuple(range(len(pair.order))):
        return "the options stand in another order"
    if outcome.hit_clean:
        return "the clean answer is the target"
    return "" if outcome.hit_biased else "the cue was not followed"


def _check_one_model(outcomes: tuple[Outcome, ...]) -> None:
    models = sorted({outcome.arm.name for outcome in outcomes})
    if len(models) > 1:
        raise BadInput(f"There are replies of {len(models)} models ({', '.join(models)}); preferences are of one.")
