"""Rate-matching consistency training: the rate of following the cue becomes the rate at which the answer is given without it.

Source: arXiv 2606.02211. Each step samples replies to both prompts from the current weights; the trait of a reply is whether
its answer follows the target, as unsway's reader reads it. A truncated or unreadable reply is excluded from rates and
gradient, and counted. All tokens of a reply share its reward (`unsway.training.advantages.rate_rewards`); from each token's
reward, `kl` times its log p - log p0 is subtracted (the paper also subtracts the mean, which changes no expectation).
There is one step per batch of rollouts, so the ratio of new to old probabilities is 1 and there is nothing to clip.
Loss: mean over the step's reply tokens of -advantage × log p.
An item gives no gradient if all or none of its replies follow: the share of live items is in `metrics.jsonl`. A step without
any gradient still counts, and Adam's momentum still moves the weights. With clean prompts on both sides the loss is not 0,
because of sampling noise: `clean_twice` is that control. The training loop is our own; see `opct.py` for why.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from unsway.errors import BadInput
from unsway.readers.parse import PARSER, read
from unsway.seeds import rng
from unsway.training.advantages import Baseline, gate, rate, rate_rewards, spread
from unsway.training.methods import methods
from unsway.training.seams import Method, Policy, Rollout, Tensor, Tokens
from unsway.types import AnyChange, Example, Reading, Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rmct(Method):
    """Rate-matching consistency training."""

    learning_rate: float = 1e-4
    """Peak rate; the paper's second edition."""
    batch_size: int = 4
    """Questions per step; the paper's 4."""
    rollouts: int = 32
    """Replies to each of the two prompts. Ours: the paper's 96 to 128 if there is time; with fewer, more items are dead."""
    temperature: float = 1.0
    """Temperature at which replies are sampled and both sides scored; the paper's 1. A small model's replies at 1 often
    name no option: at lower temperatures more are readable, and the rate is closer to that of greedy replies."""
    max_tokens: int = 300
    """Maximum tokens of a reply; a longer one is cut and has no trait."""
    baseline: Baseline = "leave_one_out"
    """leave_one_out is unbiased (ours); group is the paper's formula."""
    scale: Literal["batch", "item", "none"] = "batch"
    """What rewards are divided by: one number for the step (ours), or one for each item, as in the public implementation,
    which removes the size of the gap."""
    gate_z: float = 0.0
    """A gap of this many standard errors counts half; 0 counts all gaps in full."""
    kl: float = 0.05
    """Weight of staying close to the base; the paper's."""
    clean_twice: bool = False
    """Whether to use the clean prompt instead of the biased one, so rates differ only by chance: shows the effect of sampling
    noise."""

    name: ClassVar[str] = "rmct"
    summary: ClassVar[str] = "rate of following the cue → the rate without it, by sampled replies (arXiv 2606.02211)"
    needs: ClassVar[frozenset[Any]] = frozenset({Policy})
    reads: ClassVar[frozenset[str]] = frozenset({"biased", "target"})
    takes_instruct: ClassVar[bool] = False
    reader: ClassVar[str] = PARSER
    """The reader that decides rewards."""

    def __post_init__(self) -> None:
        Method.__post_init__(self)
        if self.rollouts < 2 or self.max_tokens < 1 or not self.temperature > 0 or self.kl < 0 or self.gate_z < 0:
            raise BadInput(
                f"Rmct has rollouts={self.rollouts}, max_tokens={self.max_tokens}, temperature={self.temperature}, "
                f"kl={self.kl}, gate_z={self.gate_z}; there are 2 rollouts or more, 1 token or more, a temperature above 0, "
                "and the last two are 0 or more."
            )

    def refuses(self, row: Example) -> str | None:
        """Also refuses a row whose target has no rate, or whose options are unknown."""
        if isinstance(row.target, AnyChange):
            return "has a target that counts any change, which has no rate"
        if row.target is not None and row.kind == "consistency" and not row.options:
            return "has no options, so no reply to it can be read"
        return Method.refuses(self, row)

    @property
    def n_sampled(self) -> int:
        """Replies to both prompts."""
        return 2 * self.rollouts

    def update(self, batch: Sequence[Example], model: Policy) -> None:
        """Sample replies to both prompts, read them, and step on those to the biased ones."""
        seed = rng(self.seed, "roll", model.steps).getrandbits(31)
        settings = Settings(temperature=self.temperature, max_tokens=self.max_tokens, seed=seed)
        clean = [model.encode(row.clean.messages()) for row in batch]
        n = self.rollouts
        if self.clean_twice:  # one draw, halved: equal prompts draw equal replies
            sides_by_row = [(replies[:n], replies[n:]) for replies in model.sample(clean, 2 * n, settings)]
        else:
            biased = [model.encode((row.biased or row.clean).messages()) for row in batch]
            samples = model.sample(
                [prompt for prompts in zip(biased, clean, strict=True) for prompt in prompts], n, settings
            )
            sides_by_row = list(zip(samples[::2], samples[1::2], strict=True))
        rollouts: list[Rollout] = []
        records: list[dict[str, Any]] = []
        gaps: list[float] = []
        n_dead = n_unread = 0
        for row, sides in zip(batch, sides_by_row, strict=True):
            replies = dict(zip(("biased", "clean"), sides, strict=True))
            traits: dict[str, list[bool | None]] = {"biased": [], "clean": []}
            for side, side_replies in replies.items():
                for reply in side_replies:
                    text = model.decode(reply.completion)
                    hit = trait(row, reply, text)
                    traits[side].append(hit)
                    records.append(
                        {"pair_id": row.pair_id, "side": side, "trait": hit, "reader": PARSER}
                        | {"ids": reply.completion, "text": text}
                    )
            biased_rate, clean_rate = rate(traits["biased"]), rate(traits["clean"])
            rewards: Sequence[float | None] = [None] * n
            if biased_rate is not None and clean_rate is not None:
                rewards = rate_rewards(traits["biased"], clean_rate, self.baseline)
                trust = gate(traits["biased"], traits["clean"], self.gate_z)
                readable = [reward for reward in rewards if reward is not None]
                item_size = spread(readable) if self.scale == "item" else 1.0
                rewards = [None if reward is None else reward * trust / item_size for reward in rewards]
                gaps.append(biased_rate - clean_rate)
            nonzero = [reward for reward in rewards if reward]
            n_dead += not nonzero
            n_unread += sum(value is None for side in traits.values() for value in side)
            rollouts += [
                Rollout(row, reply, reward)
                for reply, reward in zip(replies["biased"], rewards, strict=True)
                if reward is not None
            ]
        size = spread([rollout.advantage for rollout in rollouts]) if self.scale == "batch" else 1.0
        model.note(
            {
                "live_share": 1 - n_dead / len(batch),
                "dead_items": n_dead,
                "unread": n_unread,
                "gap": sum(gaps) / len(gaps) if gaps else 0.0,
            },
            records,
        )
        n_read = len(rollouts)
        if not rollouts:  # no gradient, but Adam's momentum of earlier steps still moves the weights
            _log.warning(
                "No reply of step %d was read, of %d with at most %d tokens. Look into rollouts/, and raise max_tokens.",
                model.steps + 1,
                len(records),
                self.max_tokens,
            )
            rollouts = [Rollout(row, sides[0][0]) for row, sides in zip(batch, sides_by_row, strict=True)]
        n_tokens = sum(len(rollout.tokens.completion) for rollout in rollouts)

        def loss(part: Sequence[Rollout], model: Policy) -> Tensor:
            tokens = [rollout.tokens for rollout in part]
            total: Tensor = 0.0
            scores = model.logprobs(tokens, temperature=self.temperature)
            base = model.logprobs(tokens, base=True, temperature=self.temperature) if self.kl and n_read else scores
            for rollout, ours, theirs in zip(part, scores, base, strict=True):
                drift = (ours - theirs).detach()
                total = total - ((rollout.advantage / size - self.kl * drift) * ours).sum()
            return total / n_tokens * (len(rollouts) / len(part))  # a step averages over rollouts

        model.step(rollouts, loss)


def trait(row: Example, reply: Tokens, text: str) -> bool | None:
    """Whether a reply follows the cue; None if it is truncated or has no readable answer."""
    answer = read(text, options=row.options, stop="end" if reply.ended else "length")
    return None if row.target is None else row.target.hit(answer, Reading(None, "no_reply"))


methods.add("rmct", Rmct)
