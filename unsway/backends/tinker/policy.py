"""A model that is being trained at Tinker, step by step: a `Policy` (see `unsway.training.seams`) over the SDK's clients.

In: a client, the base's own tokenizer. Out: replies, log-probabilities, steps, checkpoints. Prompts are tokenised by the
local back-end's code, and ids are sent. A loss is computed here, on log-probabilities that Tinker returns, and its gradient
with respect to them is sent back (`forward_backward_custom`), so losses equal the local back-end's up to rounding.
Optimiser, clipping and rates are the local back-end's as well: AdamW, norm 1, warm-up and then linearly to 0.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from unsway.backends.local.live import MOST_NORM
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rows import TokenRow
from unsway.backends.local.steps import Noting, check_number, note_metrics
from unsway.backends.tinker.costs import CACHED, CUSTOM, TinkerPrice, TinkerTokens
from unsway.backends.tinker.service import TinkerFit, gathered
from unsway.disk import write_text
from unsway.errors import BadInput
from unsway.extras import requires
from unsway.models.weights import CHECKPOINT_FILE
from unsway.progress import Advance
from unsway.seeds import rng
from unsway.store import dumps
from unsway.training.seams import Loss, Method, Tensor, Tokens
from unsway.types import Checkpoint, Example, Message, Settings

_log = logging.getLogger(__name__)
ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
"""torch's defaults, which the local back-end also uses."""
KEPT_FOR = 14 * 24 * 3600
"""Seconds that Tinker keeps a state for resuming: two weeks. The trained weights are kept until deleted."""


@dataclass(eq=False)
class TinkerPolicy(Noting):
    """A model in training at Tinker."""

    client: Any
    """The SDK's service client."""
    training: Any
    """The SDK's training client, at the base or at the last saved step."""
    form: ReplyFormat
    """How replies are written for the base, with its tokenizer."""
    context: int
    """Maximum tokens of a row."""
    method: Method
    """The method, for its hyper-parameters."""
    rows: Sequence[Example]
    """The rows of the training set."""
    folder: Path
    """The folder of the fit."""
    saved: TinkerFit
    """The last saved step, for resuming."""
    save_every: int
    """Steps between two saves."""
    record: Checkpoint
    """The checkpoint's record, without weights, steps, tokens and cost."""
    bare: str
    """The base as Tinker names it."""
    price: TinkerPrice | None = None
    """The base's prices; None if unknown."""
    advance: Advance = lambda steps: None
    """Called with 1 after each step."""

    noted: dict[str, float] = field(default_factory=dict)
    """Numbers for the next step's line of `metrics.jsonl`."""
    scored: dict[tuple[int, ...], list[float]] = field(default_factory=dict)
    """The base's log-probabilities of the sequences of this step."""
    current: Callable[[Sequence[Tokens]], list[Tensor]] | None = None
    """Inside a step, the function that returns the current weights' log-probabilities."""
    sampler: tuple[int, Any] | None = None
    """The step whose weights were saved for sampling, and the client that samples with them."""

    def __post_init__(self) -> None:
        self.steps, self.tokens, self.charged = self.saved.steps, self.saved.tokens, self.saved.charged

    # ------------------------------------------------------------ what a method calls

    def encode(self, prompt: Sequence[Message], completion: str | None = None) -> Tokens:
        """Token ids exactly as the model is asked; see `ReplyFormat.encode`."""
        return self.form.encode(prompt, completion, self.context)

    def decode(self, completion: Sequence[int]) -> str:
        """The text of a reply, without the token that ends it."""
        return self.form.decode(completion)

    def sample(self, prompts: Sequence[Tokens], n: int, settings: Settings) -> tuple[tuple[Tokens, ...], ...]:
        """Draw n replies to each prompt from the current weights, which are saved for sampling once per step."""
        with requires("tinker", "Training at Tinker"):
            import tinker

        if self.sampler is None or self.sampler[0] != self.steps:
            self.sampler = (self.steps, self.training.save_weights_and_get_sampling_client().result())
        ends = self.form.weights.ends
        client = self.sampler[1]

        def ask(prompt: Tokens) -> Any:
            params = tinker.SamplingParams(
                max_tokens=settings.max_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                seed=rng(settings.seed, "sample", prompt.prompt).getrandbits(31),
                stop=sorted(ends),
            )
            return client.sample(tinker.ModelInput.from_ints(list(prompt.prompt)), n, params)

        def reply_of(prompt: Tokens, ids: Sequence[int], stopped: bool) -> Tokens:
            ended = bool(ids) and ids[-1] in ends
            completion = (*ids, self.form.weights.end) if stopped and not ended else tuple(ids)  # a server may omit it
            return Tokens(prompt.prompt, completion, ended or stopped)

        answers = gathered([partial(ask, prompt) for prompt in prompts])
        samples = tuple(
            tuple(reply_of(prompt, sequence.tokens, sequence.stop_reason == "stop") for sequence in answer.sequences)
            for prompt, answer in zip(prompts, answers, strict=True)
        )
        self.charged += TinkerTokens(
            read=sum(len(prompt.prompt) * (1 + CACHED * (n - 1)) for prompt in prompts),
            sampled=sum(len(reply.completion) for replies in samples for reply in replies),
        )
        return samples

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False, temperature: float = 1.0) -> tuple[Tensor, ...]:
        """Log-probability of each completion token, (R,) per row. Raises `BadInput` at a temperature other than 1."""
        import torch

        if temperature != 1:
            raise BadInput(f"Tinker scores at temperature 1 alone, not {temperature:g}. Set temperature to 1.")
        if not base:
            if self.current is not None:
                return tuple(self.current(rows))
            output = self.training.forward([_datum(row, 0.0) for row in rows], "cross_entropy").result()
            return tuple(_of_reply(scores, row) for scores, row in zip(_scores(output), rows, strict=True))
        unscored = {(*row.prompt, *row.completion): row for row in rows}
        unscored = {ids: row for ids, row in unscored.items() if ids not in self.scored}
        if unscored:
            with requires("tinker", "Training at Tinker"):
                import tinker

            (client,) = gathered([lambda: self.client.create_sampling_client(base_model=self.bare)])
            calls = [partial(client.compute_logprobs, tinker.ModelInput.from_ints(list(ids))) for ids in unscored]
            self.scored |= dict(zip(unscored, gathered(calls), strict=True))
            self.charged += TinkerTokens(read=sum(map(len, unscored)))
        return tuple(
            torch.tensor(self.scored[(*row.prompt, *row.completion)][len(row.prompt) :], dtype=torch.float32)
            for row in rows
        )

    def step(self, rows: Sequence[Any], loss: Loss) -> float:
        """Change the weights once by the gradient of a loss over log-probabilities; see `Policy`.

        The loss is called twice: to learn which tokens it reads, and with Tinker's log-probabilities of them.

        Raises:
            BadInput: The loss reads no log-probabilities of the current weights, or different ones each time.
            TrainingError: The loss is not a number; the weights are unchanged.
        """
        rows_read: list[Tokens] = []

        def listen(batch: Sequence[Tokens]) -> list[Tensor]:
            import torch

            rows_read.extend(batch)
            return [torch.zeros(len(row.completion), requires_grad=True) for row in batch]

        value = math.nan

        def custom_loss(data: Any, scores: Sequence[Tensor]) -> tuple[Tensor, dict[str, float]]:
            nonlocal value
            scored_rows = iter(zip(rows_read, scores, strict=True))

            def logprobs_of(batch: Sequence[Tokens]) -> list[Tensor]:
                of_batch = [next(scored_rows, (None, None)) for _ in batch]
                if [row for row, _ in of_batch] != list(batch):
                    raise BadInput(
                        f"The loss of {self.method.name!r} reads other tokens by what it finds. Train it with the local "
                        "back-end."
                    )
                return [_of_reply(score, row) for score, row in zip((s for _, s in of_batch), batch, strict=True)]

            self.current = logprobs_of
            loss_tensor = loss(rows, self)
            value = float(loss_tensor.detach())
            return loss_tensor, {}

        try:
            self.current = listen
            loss(rows, self)
            if not rows_read:
                raise BadInput(
                    f"The loss of {self.method.name!r} must depend on the weights in training. Compute it from `logprobs` "
                    "without base=True, and return its mean over the rows."
                )
            data = [_datum(row, 0.0) for row in rows_read]
            self.training.forward_backward_custom(data, custom_loss).result()
        finally:
            self.current = None
            self.scored.clear()
        size = sum(len(row.prompt) + len(row.completion) for row in rows_read)
        return self._stepped(rows, value, size, CUSTOM * size)

    def save(self) -> Checkpoint:
        """Save the weights for sampling, which Tinker keeps, and write the record of the checkpoint with its cost."""
        path = self.training.save_weights_for_sampler(f"unsway-{self.saved.fit[:16]}").result().path
        record = replace(
            self.record,
            model=f"{self.record.model}{path}",
            uri=f"{self.record.uri}#{path}",
            steps=self.steps,
            tokens=self.tokens,
            cost=self.charged.dollars(self.price),
        )
        _log.warning("Trained at Tinker on %s: %s.", self.charged.told(self.price), path)
        write_text(self.folder / CHECKPOINT_FILE, dumps(record) + "\n")
        return record

    # ------------------------------------------------------------ what a tuner calls

    def learn(self, rows: Sequence[TokenRow], examples: Sequence[Example]) -> float:
        """One step of cross-entropy: the mean over the reply tokens of all rows of -log p."""
        tokens = [Tokens(row.prompt, completion) for row in rows for completion in row.completions]
        weight = 1 / sum(len(sequence.completion) for sequence in tokens)
        output = self.training.forward_backward(
            [_datum(sequence, weight) for sequence in tokens], "cross_entropy"
        ).result()
        scores = [_of_reply(score, sequence) for score, sequence in zip(_scores(output), tokens, strict=True)]
        size = sum(row.n_tokens for row in rows)
        return self._stepped(examples, -weight * float(sum(score.sum() for score in scores)), size, size)

    def _stepped(self, rows: Sequence[Any], value: float, size: int, charged: float) -> float:
        """Take the step with the accumulated gradient, note it, and save the state from time to time; returns the loss."""
        with requires("tinker", "Training at Tinker"):
            import tinker

        total = self.method.n_steps(len(self.rows))
        rate = self.method.learning_rate * risen(self.steps, self.method.warmup_steps(total), total)
        self.tokens += size
        self.charged += TinkerTokens(trained=charged)
        numbers = {"loss": value, "learning_rate": rate} | self.noted
        note_metrics(self.folder, {"step": self.steps + 1} | numbers)
        self.noted = {}
        check_number("loss", value, self.steps + 1, rows, self.rows)
        params = tinker.AdamParams(
            learning_rate=rate, weight_decay=self.method.weight_decay, grad_clip_norm=MOST_NORM, **ADAM
        )
        self.training.optim_step(params).result()
        self.steps += 1
        if self.steps % self.save_every == 0:
            name = f"unsway-{self.saved.fit[:16]}-{self.steps:05d}"
            state = self.training.save_state(name, ttl_seconds=KEPT_FOR, overwrite=True).result().path
            self.saved = replace(
                self.saved, state=state, steps=self.steps, tokens=self.tokens, charged=self.charged
            ).keep(self.folder)
        self.advance(1)
        return value


def risen(step: int, warmup: int, total: int) -> float:
    """The rate at a step (from 0) as a share of its peak: it rises over the warm-up, then falls linearly to 0."""
    return step / warmup if step < warmup else max(0.0, (total - step) / max(1, total - warmup))


def preference_loss(rows: Sequence[TokenRow], model: TinkerPolicy, *, beta: float) -> Tensor:
    """The mean over rows of -log sigmoid(beta × margin) (arXiv 2305.18290, equation 7), as TRL's DPO computes it."""
    sequences = [Tokens(row.prompt, completion) for row in rows for completion in row.completions]
    logprobs = zip(model.logprobs(sequences), model.logprobs(sequences, base=True), strict=True)
    gaps = [ours.sum() - base.sum() for ours, base in logprobs]
    margins = [gaps[i] - gaps[i + 1] for i in range(0, len(gaps), 2)]
    return sum((-beta * margin).logaddexp(margin.new_zeros(())) for margin in margins) / len(margins)


def _datum(row: Tokens, weight: float) -> Any:
    """A sequence as the SDK takes it, with the same weight on each token of the reply."""
    with requires("tinker", "Training at Tinker"):
        import tinker

    ids = [*row.prompt, *row.completion]
    weights = [0.0] * (len(row.prompt) - 1) + [weight] * len(row.completion)
    return tinker.Datum(
        model_input=tinker.ModelInput.from_ints(ids[:-1]),
        loss_fn_inputs={
            "target_tokens": tinker.TensorData(data=ids[1:], dtype="int64", shape=[len(weights)]),
            "weights": tinker.TensorData(data=weights, dtype="float32", shape=[len(weights)]),
        },
    )


def _scores(output: Any) -> list[Tensor]:
    """Log-probabilities of all targets of each sequence."""
    return [sequence["logprobs"].to_torch() for sequence in output.loss_fn_outputs]


def _of_reply(scores: Tensor, row: Tokens) -> Tensor:
    """The log-probabilities of the reply's tokens."""
    return scores[len(row.prompt) - 1 :]
