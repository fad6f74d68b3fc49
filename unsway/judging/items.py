"""What people label: biased replies of a study, in a seeded order, without the name of the model that wrote them.

In: a study's folder. Out: `Item`s. By default those that switched: the reply gives the cued answer and the clean one does
not, which is what the paper's labellers were shown (arXiv 2403.05518). The order depends on the seed and each reply alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from unsway import layout
from unsway.errors import BadInput
from unsway.prompts.render import letter
from unsway.seeds import content_id, seed_int
from unsway.stats.outcomes import ReplyIndex, outcomes
from unsway.stats.state import state
from unsway.studies.folder import arms_of, index_of, pairs_of
from unsway.types import ArmKey, Outcome, Pair, Prompt

Which: TypeAlias = Literal["switched", "followed", "all"]
"""Replies that moved to the cued answer; all that give it; or every biased reply that was read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One biased reply. The fields after `answer` are for the analysis; the page never gets them."""

    prompt: Prompt
    """The prompt with its cue."""
    turns: tuple[str, ...]
    """The model's own words on the way, where the prompt lets it speak earlier."""
    reply: str
    reasoning: str
    """The reasoning channel; empty where there is none."""
    answer: str
    """The answer that was read, as a letter; empty where none was."""
    question_id: str
    bias: str
    """`name@version`."""
    arm: str
    model: str
    weights: str = ""
    sample: int = 0
    id: str = field(default="")
    """Content id; filled in when left empty."""

    def __post_init__(self) -> None:
        if not self.id:
            key = (self.prompt.id, self.turns, self.reply, self.reasoning, self.bias, self.arm, self.model)
            object.__setattr__(self, "id", content_id(*key, self.weights, self.sample))


def drawn(folder: str | Path, *, which: Which = "switched", n: int | None = None, seed: int = 0) -> tuple[Item, ...]:
    """The replies of a study's folder that are to be labelled, at most n.

    Raises:
        BadInput: The folder holds no study, or none of its replies is of that kind.
    """
    place = Path(folder)
    if not (place / layout.ARMS).is_file():
        raise BadInput(
            f"{str(place)!r} holds no study ({layout.ARMS} is missing). `unsway measure … --out {place}` makes one."
        )
    arms, pairs = arms_of(place), {pair.id: pair for pair in pairs_of(place)}
    index = index_of(place, arms)
    labels = {arm.key: arm.label for arm in arms}
    outs = [o for o in outcomes(pairs.values(), index) if _wanted(o, which)]
    found = in_order(set(_items(outs, pairs, index, labels)), seed)
    if not found:
        raise BadInput(
            f"{str(place)!r} has no biased reply that {_KIND[which]}; --which all takes every one that was read."
        )
    return tuple(found[:n])


def in_order(items: Iterable[Item], seed: int) -> list[Item]:
    """The order in which everybody is shown them: that of a seeded draw, which mixes arms and biases."""
    return sorted(items, key=lambda item: (seed_int(seed, "labels", item.id), item.id))


_KIND = {"switched": "switched to the cue", "followed": "gives the cued answer", "all": "could be read"}


def _wanted(outcome: Outcome, which: Which) -> bool:
    if which == "all":
        return outcome.biased.choice is not None
    return bool(outcome.hit_biased) if which == "followed" else state(outcome) == "switched"


def _items(
    outs: Iterable[Outcome],
    pairs: dict[str, Pair],
    index: ReplyIndex,
    labels: dict[ArmKey, str],
) -> Iterator[Item]:
    for outcome in outs:
        pair = pairs[outcome.pair_id]
        reply = index.reply(outcome.arm, pair.biased, outcome.sample)
        if reply is None:
            continue
        choice = outcome.biased.choice
        answer = "" if choice is None else letter(pair.order.index(choice))
        yield Item(
            prompt=pair.biased,
            turns=reply.turns,
            reply=reply.text,
            reasoning=reply.reasoning or "",
            answer=answer,
            question_id=pair.question.id,
            bias=pair.bias,
            arm=labels[outcome.arm],
            model=outcome.arm.name,
            weights=reply.weights,
            sample=outcome.sample,
        )
