"""The interfaces between methods and back-ends.

A method is a frozen value: hyper-parameters, the rows it accepts, the texts it reads from a row, its loss, and what it
`needs`. A back-end is a frozen value too: it says which of three protocols, defined below, it `offers`.

    Tuner       rows in, checkpoint out: the back-end has the loop            fit
    Policy      a model that is being trained: the method has the loop        sample, logprobs, step, save
    WhiteBox    a policy whose inner states can be read                       align, forward

Nothing here imports torch: losses are written with the methods of the tensors that a policy returns.
Letters: T tokens, R tokens of a reply, L layers, H heads, D width of the model, F width of an MLP.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, final

from unsway.errors import BadInput
from unsway.seeds import rng
from unsway.training.alignment import Places, Window
from unsway.types import Checkpoint, Example, Message, Prompt, Settings
from unsway.types.kinds import check_kinds

Tensor: TypeAlias = Any
"""A `torch.Tensor`."""
States: TypeAlias = Literal["hidden", "attention", "mlp", "logits"]
"""Inner states that a white box shows; see `WhiteBox.forward`."""
LoraOn: TypeAlias = Literal["all-linear", "attention", "qv"]
"""Layers that get an adapter: every linear one, the four projections of attention, or only those of queries and values."""
Loss: TypeAlias = "Callable[[Sequence[Any], Any], Tensor]"
"""Takes some of a step's rows (or rollouts) and the live policy; returns the mean of their losses, a scalar tensor."""


# ---------------------------------------------------------------- what a back-end is given


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts that a method reads from one row."""

    prompt: tuple[Message, ...]
    """The chat messages in front of the reply; no loss falls on them."""
    completions: tuple[str, ...]
    """The replies: one to learn, or two of which the first is preferred."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt and a reply as token ids of one model."""

    prompt: tuple[int, ...]
    """Ids including the chat template's, up to where the model's reply starts."""
    completion: tuple[int, ...] = ()
    """The reply, with the token that ends it if it ended."""
    ended: bool = True
    """Whether the reply ended; False for a truncated sample."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A reply that was sampled in training."""

    row: Example
    """The row whose prompt was answered."""
    tokens: Tokens
    """The prompt and the reply."""
    advantage: float = 0.0
    """The reply's advantage, if the method computes one for the whole reply."""


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Learn the reply: the mean over its tokens of -log p, in nats."""

    what: ClassVar[str] = "fit replies"


@dataclass(frozen=True, slots=True)
class PreferenceLoss:
    """Learn to prefer the first of two replies: -log sigmoid(beta × margin) (arXiv 2305.18290, equation 7)."""

    beta: float
    """Weight of staying close to the base model."""
    what: ClassVar[str] = "prefer one reply over another"


Objective: TypeAlias = CrossEntropy | PreferenceLoss
"""A loss that tuners may support."""


# ---------------------------------------------------------------- what a back-end offers


class Tuner(Protocol):
    """A back-end that trains on rows by itself."""

    objectives: ClassVar[frozenset[type[Objective]]]
    """The losses that it supports."""

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Train on `method.texts` of each row; everything is written to the folder, the checkpoint's record last."""
        ...


class Policy(Protocol):
    """A model that is being trained. Ids come from its own tokenizer; log-probabilities are natural."""

    steps: int
    """Number of steps done, including those before a kill."""

    def encode(self, prompt: Sequence[Message], completion: str | None = None) -> Tokens:
        """Token ids exactly as the model is asked; a completion gets the token that ends a reply."""
        ...

    def decode(self, completion: Sequence[int]) -> str:
        """The text of a reply, without the token that ends it."""
        ...

    def sample(self, prompts: Sequence[Tokens], n: int, settings: Settings) -> tuple[tuple[Tokens, ...], ...]:
        """Draw n replies to each prompt from the current weights; equal settings and weights give equal replies."""
        ...

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False, temperature: float = 1.0) -> tuple[Tensor, ...]:
        """Log-probability of each completion token, one float32 tensor (R,) per row.

        Under the current weights, differentiable inside `step`; or under those of the base model, never differentiable.
        """
        ...

    def step(self, rows: Sequence[Any], loss: Loss) -> float:
        """Change the weights once by the gradient of a loss over rows (or rollouts), and return its value.

        The loss may be called on parts of the rows that fit in memory; the step's loss is the mean over all rows.

        Raises:
            TrainingError: The loss or its gradient is NaN or infinite; the weights are unchanged.
        """
        ...

    def note(self, numbers: Mapping[str, float], rollouts: Sequence[Mapping[str, Any]] = ()) -> None:
        """Record numbers with the next step's loss, and in a separate file the replies sampled for it."""
        ...

    def save(self) -> Checkpoint:
        """Write the weights and then the record of the checkpoint into the folder of the fit."""
        ...


class WhiteBox(Policy, Protocol):
    """A policy whose inner states can be read."""

    def align(self, clean: Prompt, biased: Prompt, window: Window) -> Places:
        """Align the tokens of the clean prompt with those of the biased one; see `unsway.training.alignment`.

        Raises:
            BadInput: They cannot be aligned; callers put the row's number ("row 3 …") before the message.
        """
        ...

    def forward(
        self, rows: Sequence[Tokens], want: States, *, at: Sequence[Sequence[int]] | None = None, base: bool = False
    ) -> tuple[Tensor, ...]:
        """Inner states over prompt and completion, one float32 tensor per row, without padding.

        Args:
            rows: The inputs of the model.
            want: hidden: the output of each decoder layer, before the final norm, (L, T, D); attention: softmaxed attention
                probabilities, (L, H, T, T), from query T to key T; mlp: the input of each MLP's last projection, (L, T, F);
                logits: the predictions, (T, V).
            at: Positions to return for each row, instead of all T (for logits: instead of those predicting the completion).
            base: Use the base model instead of the current weights; never differentiable.
        """
        ...

    def compare(
        self, rows: Sequence[Tokens], base_rows: Sequence[Tokens], of: Callable[[Tensor, Tensor], Tensor]
    ) -> tuple[Tensor, ...]:
        """Apply a function to the distributions of each completion token under both models; returns (R,) per row.

        Args:
            rows: Scored under the current weights, differentiable inside `step`.
            base_rows: The same completions, possibly after other prompts; scored under the base, never differentiable.
            of: Maps the logits of some tokens, ours and the base's, (n, V) each, to (n,): each number depends only on its own
                token. It is called on a few tokens at a time, to limit the logits in memory.
        """
        ...


WHAT: dict[Any, str] = {Tuner: "fit rows", Policy: "sample, score and step", WhiteBox: "show inner states"}
"""What each protocol lets a method do, for error messages."""


@dataclass(frozen=True)
class Backend:
    """Where weights are stored and trained. Subclasses are frozen dataclasses whose fields are the options."""

    name: ClassVar[str] = ""
    """The name under which it is declared."""
    summary: ClassVar[str] = ""
    """One line for listings."""
    offers: ClassVar[frozenset[Any]] = frozenset()
    """The protocols that it implements: `Tuner` (then it has `fit`), `Policy` and `WhiteBox` (then it has `open`)."""
    objectives: ClassVar[frozenset[type[Objective]]] = frozenset()
    """The losses that `fit` supports."""
    launches: ClassVar[bool] = False
    """Whether several processes started by torchrun can share its `fit`."""

    def __post_init__(self) -> None:
        check_kinds(self)

    def describe(self, base: str) -> str:
        """The base's name with what identifies its weights: `name@fingerprint`."""
        return base

    def check(self, method: Method, base: str) -> None:
        """Raise `BadInput` for hyper-parameters or a base that it does not support; loads and sends nothing."""

    def check_asked(self, model: str) -> None:
        """Raise `BadInput` if the weights of the model with this name cannot be trained here."""

    def training_cost(self, base: str, tokens: float) -> float | None:
        """US dollars for a number of tokens trained on, all epochs; tokens that a method samples are not counted.

        None if the price is unknown.
        """
        return None

    def limited(self, max_cost: float) -> Backend:
        """The same back-end with a limit in US dollars on a job's cost. A back-end that charges nothing is unchanged."""
        return self

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Train on rows; see `Tuner`."""
        raise NotImplementedError

    def open(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> AbstractContextManager[Policy]:
        """A policy that starts at the base, to be trained on these rows; a `WhiteBox` if that is offered."""
        raise NotImplementedError

    def tidy(self, folder: Path) -> None:
        """Remove leftovers of a finished fit that was killed before it cleaned up."""

    def cancel(self, folder: Path) -> str:
        """Cancel the job that a folder waits for, and return its status. Raises `BadInput` if there is none."""
        raise BadInput(f"The back-end {self.name!r} trains in this process and has no jobs to cancel. Interrupt it.")


# ---------------------------------------------------------------- what a method is

LACKS = {
    "biased": "no biased prompt",
    "completion": "no completion",
    "target": "no target",
    "rejected": "no rejected reply (`unsway data preferences` writes rows that have one)",
}
"""How error messages name a field that is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a model is trained. A subclass is one file in `training/methods/`, which ends by adding it to the registry.

    A method that needs a `Tuner` defines `texts` and `objective`. One that needs a `Policy` or `WhiteBox` defines `loss`. It
    overrides `update` if a step does more, such as sampling, and `prepare` if rows must be checked with the model.
    """

    epochs: float = 1.0
    """Passes over the examples; the paper's 1 (arXiv 2403.05518, §3)."""
    batch_size: int = 16
    """Examples per step; the paper's 16."""
    learning_rate: float = 2e-4
    """Peak rate, falling linearly to 0; QLoRA's for models up to 13B (arXiv 2305.14314, table 9)."""
    learning_rate_multiplier: float = 1.6
    """Factor on a provider's own rate, if it accepts no rate; the paper's 1.6 on the OpenAI API."""
    warmup: float = 0.03
    """Fraction of the steps during which the rate rises; QLoRA's 3 %."""
    lora_rank: int = 16
    """Rank of the adapter on every linear layer; 0 trains all weights, without an adapter. Ours: the paper names none."""
    lora_alpha: int = 32
    """Scale of the adapter: updates are multiplied by alpha / rank. Twice the rank, a common choice."""
    weight_decay: float = 0.0
    """AdamW's weight decay; QLoRA's 0."""
    seed: int = 0
    """Seed of the order of the examples and of the adapter's initial weights."""

    name: ClassVar[str] = ""
    """The name under which it is declared."""
    summary: ClassVar[str] = ""
    """One line for listings, with its source."""
    needs: ClassVar[frozenset[Any]] = frozenset({Tuner})
    """The protocols that it uses: `Tuner`, or `Policy`, or `WhiteBox`."""
    reads: ClassVar[frozenset[str]] = frozenset({"biased", "completion"})
    """Fields of a consistency row that must not be None."""
    takes_instruct: ClassVar[bool] = True
    """Whether it also learns from instruct rows, which have no cue: others' chats and preferences, everyday tasks."""
    is_control: ClassVar[bool] = False
    """Whether it is a control for other methods, and so not reported as a training itself."""
    sparing: ClassVar[str] = ""
    """The setting with which it needs less than `needs`, for error messages, such as "form=sampled"; empty if none."""

    def __post_init__(self) -> None:
        check_kinds(self)
        positive = ("epochs", "batch_size", "learning_rate", "learning_rate_multiplier", "lora_alpha")
        checks = [(name, getattr(self, name) > 0, "it is a number above 0") for name in positive]
        checks += [
            ("lora_rank", self.lora_rank >= 0, "it is 0 (train all weights) or more"),
            ("weight_decay", self.weight_decay >= 0, "it is 0 or more"),
            ("warmup", 0 <= self.warmup <= 1, "it is a fraction of the steps, from 0 to 1"),
        ]
        for name, is_right, rule in checks:
            if not is_right:
                raise BadInput(f"{type(self).__name__}.{name} is {getattr(self, name)!r}; {rule}.")

    def refuses(self, row: Example) -> str | None:
        """Why it cannot accept a row, such as "has no biased prompt"; None if it accepts it."""
        needed = self.reads
        if row.kind == "instruct":
            if not self.takes_instruct:
                return "is an instruct row"
            needed = (needed - {"biased", "target"}) | {"completion"}  # the row has no cue
        values = {field: getattr(row, field) for field in sorted(needed)}
        missing = [
            name for name, value in values.items() if value is None or (isinstance(value, str) and not value.strip())
        ]
        prefix = "is an instruct row and has " if "rejected" in missing and row.kind == "instruct" else "has "
        return prefix + " and ".join(LACKS.get(field, f"no {field}") for field in missing) if missing else None

    @property
    def role(self) -> Literal["trained", "control"]:
        """The role of its checkpoints in comparisons."""
        return "control" if self.is_control else "trained"

    @property
    def seams(self) -> frozenset[Any]:
        """The protocols that it uses with its current settings: `needs`, or fewer."""
        return self.needs

    @property
    def n_sampled(self) -> int:
        """Number of replies it samples per row, each of at most `max_tokens`; used to compute a provider's charges."""
        return 0

    @property
    def longest_sampled(self) -> int:
        """Maximum tokens of a sampled reply; 0 if it samples none."""
        return int(getattr(self, "max_tokens", 0)) if self.n_sampled else 0

    @property
    def lora_on(self) -> LoraOn:
        """Layers that get the adapter; a method may make this a field."""
        return "all-linear"

    def texts(self, row: Example) -> Texts:
        """The texts that a tuner trains on."""
        raise NotImplementedError

    @property
    def objective(self) -> Objective:
        """The loss that a tuner minimises over the texts."""
        return CrossEntropy()

    def loss(self, rows: Sequence[Example], model: Any) -> Tensor:
        """The mean loss of some rows under a live policy; see `Loss`."""
        raise NotImplementedError

    @final
    def train(self, rows: Sequence[Example], model: Any) -> None:
        """Train a live policy: one update per batch, skipping those done before a kill."""
        self.prepare(rows, model)
        for number, batch in enumerate(self.batches(rows)):
            if number >= model.steps:
                self.update(batch, model)

    def prepare(self, rows: Sequence[Example], model: Any) -> None:
        """Check rows with the model, before the first step. Raises `BadInput` with the number of the row."""

    def update(self, batch: Sequence[Example], model: Any) -> None:
        """Make one step on one batch. Seed random draws by `model.steps`, so a resumed fit draws the same."""
        model.step(batch, self.loss)

    def batches(self, rows: Sequence[Example]) -> Iterator[tuple[Example, ...]]:
        """The rows of each step: every epoch has its own shuffle, and half an epoch is its first half."""
        order: list[Example] = []
        for epoch in range(math.ceil(self.epochs)):
            order += rng(self.seed, "row order", epoch).sample(list(rows), len(rows))
        for start in range(0, round(len(rows) * self.epochs), self.batch_size):
            yield tuple(order[start : min(start + self.batch_size, round(len(rows) * self.epochs))])

    def n_steps(self, n_rows: int) -> int:
        """Number of steps of a fit over `n_rows` rows."""
        return math.ceil(round(n_rows * self.epochs) / self.batch_size)

    def warmup_steps(self, n_steps: int) -> int:
        """Number of steps during which the rate rises from 0; never includes the last, so a one-step fit learns."""
        return min(math.ceil(self.warmup * n_steps), n_steps - 1)
