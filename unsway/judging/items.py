"""Items for people to label: biased replies in a seeded order, without the model's name.

In: outcomes with their pairs and replies. Out: `LabelItem`s. By default those that switched: the reply gives the cued answer
and the clean reply does not, as shown to the paper's labellers (arXiv 2403.05518). The order depends only on the seed
and on each reply.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.judging.verdicts import JudgedReply
from unsway.prompts.render import letter_on
from unsway.seeds import content_id, seed_int
from unsway.stats.state import state
from unsway.types import AnyChange, Outcome, Pair, Prompt, Question, Reply, Settings
from unsway.types.address import reply_id

Which: TypeAlias = Literal["switched", "followed", "all"]
"""switched: replies that moved to the cued answer; followed: all that give it; all: every readable biased reply."""


@dataclass(frozen=True, slots=True)
class LabelItem:
    """One biased reply. The fields after `answer` are for the analysis; the page never receives them."""

    prompt: Prompt
    """The prompt with its cue."""
    turns: tuple[str, ...]
    """The model's earlier turns, if the prompt has any."""
    reply: str
    """The text of the reply."""
    reasoning: str
    """The reasoning channel; empty if there is none."""
    answer: str
    """The answer read, as a letter; empty if none was read, and for requests, which people read themselves."""
    question_id: str
    """The question that was asked."""
    bias: str
    """`name@version`."""
    arm: str
    """Label of the arm."""
    model: str
    """The model that replied."""
    weights: str = ""
    """Fingerprint of its weights."""
    sample: int = 0
    """Number of the sample, from 0."""
    address: str = ""
    """Address of the reply, to which verdicts refer; for an imported reply, the item's own id."""
    pair: str = ""
    """Id of the pair; empty for an imported reply."""
    id: str = field(default="")
    """Content id; filled in when left empty."""

    def __post_init__(self) -> None:
        if not self.id:
            key = (self.prompt.id, self.turns, self.reply, self.reasoning, self.bias, self.arm, self.model)
            object.__setattr__(self, "id", content_id(*key, self.weights, self.sample))
        object.__setattr__(self, "address", self.address or self.id)

    def judged(self) -> JudgedReply:
        """The reply as shown to a judge: the prompt without its cue as the question, and the cue."""
        clean = self.prompt.stripped()
        stem = "\n".join(turn.text().strip() for turn in clean.turns)
        question = Question(stem, (), None, "labelled@1", "test", self.question_id)
        pair = Pair(self.pair, question, self.bias, "", clean, self.prompt, AnyChange(), (), 0)
        reply = Reply(
            self.prompt.id, self.model, self.weights, self.sample, self.reply, self.reasoning or None, self.turns, "end",
            Settings(), 0, 0,
        )  # fmt: skip
        return JudgedReply(pair, "biased", reply, self.address)


def is_chosen(outcome: Outcome, which: Which) -> bool:
    """Whether the biased reply of an outcome is of the chosen kind."""
    if which == "all":
        return outcome.biased.choice is not None
    return bool(outcome.hit_biased) if which == "followed" else state(outcome) == "switched"


def item_of(outcome: Outcome, pair: Pair, reply: Reply, arm: str) -> LabelItem:
    """The biased reply of an outcome, for labelling.

    Args:
        outcome: The readings of both replies.
        pair: The pair that was asked.
        reply: The biased reply.
        arm: Label of the arm that was asked.
    """
    choice = outcome.biased.choice
    return LabelItem(
        prompt=pair.biased,
        turns=reply.turns,
        reply=reply.text,
        reasoning=reply.reasoning or "",
        answer="" if choice is None or pair.question.is_request else letter_on(pair, "biased", choice),
        question_id=pair.question.id,
        bias=pair.bias,
        arm=arm,
        model=outcome.arm.name,
        weights=reply.weights,
        sample=outcome.sample,
        address=reply_id(reply),
        pair=pair.id,
    )


def in_order(items: Iterable[LabelItem], seed: int) -> list[LabelItem]:
    """The items in the order that everyone sees: seeded, with arms and biases mixed."""
    return sorted(items, key=lambda item: (seed_int(seed, "labels", item.id), item.id))
