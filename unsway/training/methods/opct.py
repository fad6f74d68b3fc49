"""On-policy consistency training: replies sampled under the cue become as likely as the base finds them without it.

Source: arXiv 2605.21834. Each step samples replies to biased prompts from the current weights and puts the same token ids
after the clean prompt. Losses, over all of the step's reply tokens together:

    exact     mean over tokens of Σ_v p(v) (log p(v) - log p0(v)): p current, biased prompt; p0 base, clean prompt
    sampled   mean over tokens of -A log p(token), A = -Σ later tokens' log p - log p0, discounted (the paper's)

At discount 0 both have the same expected gradient, and exact avoids the noise of sampling the next token. Both sides are
scored at the temperature at which replies are sampled. For the base without a cue, both are 0, so `neutral_note` is the
control. The training loop is our own, not TRL's GRPOTrainer, which tokenises prompts in its own way, repeats each prompt for
each reply, and has only private hooks for advantages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from unsway.errors import BadInput
from unsway.seeds import rng
from unsway.training.advantages import token_advantages
from unsway.training.methods import methods
from unsway.training.seams import Method, Policy, Rollout, Tensor, WhiteBox
from unsway.types import Example, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Opct(Method):
    """On-policy consistency training."""

    learning_rate: float = 1e-4
    """Peak rate; the one of the comparison in arXiv 2606.02211."""
    rollouts: int = 4
    """Replies to each prompt; a public reimplementation's (arXiv 2606.02211)."""
    temperature: float = 1.0
    """Temperature of sampling and of scoring both sides. Ours: the trained distribution is then the model's own."""
    form: Literal["exact", "sampled"] = "exact"
    """exact compares whole distributions of the next token (ours), sampled only the sampled token (the paper's)."""
    discount: float = 0.0
    """Weight of later tokens' gaps in a token's advantage, from 0 to 1, in the sampled form; the authors' code has 0."""
    max_tokens: int = 300
    """Maximum tokens of a reply. Ours: a small model's brief replies are much shorter; longer ones are cut, and counted."""

    name: ClassVar[str] = "opct"
    summary: ClassVar[str] = "own replies under the biased prompt, as likely as for the base without (arXiv 2605.21834)"
    needs: ClassVar[frozenset[Any]] = frozenset({WhiteBox})
    reads: ClassVar[frozenset[str]] = frozenset({"biased"})
    takes_instruct: ClassVar[bool] = False
    sparing: ClassVar[str] = "form=sampled"

    def __post_init__(self) -> None:
        Method.__post_init__(self)
        if self.rollouts < 1 or self.max_tokens < 1 or not self.temperature > 0 or not 0 <= self.discount <= 1:
            raise BadInput(
                f"Opct has rollouts={self.rollouts}, max_tokens={self.max_tokens}, temperature={self.temperature}, "
                f"discount={self.discount}; the first two are 1 or more, the third above 0, the last from 0 to 1."
            )
        if self.form == "exact" and self.discount:
            raise BadInput(
                f"Opct.discount is {self.discount}, and only form='sampled' has one: exact compares each token by itself."
            )

    @property
    def seams(self) -> frozenset[Any]:
        """The sampled form needs only log-probabilities."""
        return frozenset({Policy}) if self.form == "sampled" else self.needs

    @property
    def n_sampled(self) -> int:
        """Replies to the biased prompt."""
        return self.rollouts

    def update(self, batch: Sequence[Example], model: WhiteBox) -> None:
        """Sample replies, and step on them."""
        prompts = [model.encode((row.biased or row.clean).messages()) for row in batch]
        seed = rng(self.seed, "roll", model.steps).getrandbits(31)
        settings = Settings(temperature=self.temperature, max_tokens=self.max_tokens, seed=seed)
        samples = model.sample(prompts, self.rollouts, settings)
        rollouts = [Rollout(row, reply) for row, replies in zip(batch, samples, strict=True) for reply in replies]
        n_tokens = sum(len(rollout.tokens.completion) for rollout in rollouts)
        n_cut = sum(not rollout.tokens.ended for rollout in rollouts)
        model.note(
            {"rollouts": len(rollouts), "reply_tokens": n_tokens, "cut": n_cut},
            [
                {
                    "pair_id": rollout.row.pair_id,
                    "ids": rollout.tokens.completion,
                    "text": model.decode(rollout.tokens.completion),
                }
                for rollout in rollouts
            ],
        )

        def loss(part: Sequence[Rollout], model: WhiteBox) -> Tensor:
            return (
                sum(self.divergences(part, model)) / n_tokens * (len(rollouts) / len(part))
            )  # a step averages over rollouts

        model.step(rollouts, loss)

    def divergences(self, rolled: Sequence[Rollout], model: WhiteBox) -> list[Tensor]:
        """The loss of each reply, summed over its tokens."""
        biased = [rollout.tokens for rollout in rolled]
        clean = [
            replace(model.encode(rollout.row.clean.messages()), completion=rollout.tokens.completion)
            for rollout in rolled
        ]
        if self.form == "exact":
            by_token = model.compare(biased, clean, lambda a, b: divergence(a / self.temperature, b / self.temperature))
            return [values.sum() for values in by_token]
        ours = model.logprobs(biased, temperature=self.temperature)
        base = model.logprobs(clean, base=True, temperature=self.temperature)
        losses = []
        for a, b in zip(ours, base, strict=True):
            advantages = token_advantages(a.detach().tolist(), b.tolist(), self.discount)
            losses.append(-(a * a.new_tensor(advantages)).sum())
        return losses


def divergence(ours_RV: Tensor, base_RV: Tensor) -> Tensor:
    """Kullback-Leibler divergence of each token's distribution from the base's, from logits, in nats; (R,)."""
    ours, base = ours_RV.log_softmax(dim=-1), base_RV.log_softmax(dim=-1)
    return (ours.exp() * (ours - base)).sum(-1)


methods.add("opct", Opct)
