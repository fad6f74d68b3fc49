"""Training at Tinker, or at a server that speaks its protocol, by the official SDK.

In: examples and a method. Out: a checkpoint whose model is `openai-api/tinker/tinker://…`, asked at the service's own
OpenAI-compatible address; in the folder `tinker.json` (where the last saved step is), `metrics.jsonl`, the replies that were
sampled, and the checkpoint's record, last. After a kill or a lost connection, the same call resumes from the last saved step.

    fit("rows/examples.jsonl", Opct(form="sampled"), "Qwen/Qwen3-8B", Tinker(max_cost=5), "trained")
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from unsway.backends import backends
from unsway.backends.charging import Charging
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rows import TokenRow, check_lengths, in_order, tokenise, tokenise_sides
from unsway.backends.local.steps import METRICS, note_metrics
from unsway.backends.tinker.costs import TinkerTokens, at_most, price_of_base
from unsway.backends.tinker.policy import TinkerPolicy, preference_loss
from unsway.backends.tinker.service import RECORD, connect, fit_of, gathered, translated
from unsway.disk import exclusive
from unsway.errors import BadInput
from unsway.models.endpoints import address, address_id
from unsway.models.weights import CHECKPOINT_FILE, locate_tokenizer
from unsway.progress import track
from unsway.seeds import content_id
from unsway.training import examples_sha256
from unsway.training.seams import CrossEntropy, Method, Policy, PreferenceLoss, Tuner
from unsway.types import Checkpoint, Example

_log = logging.getLogger(__name__)
PREFIX = "openai-api/tinker/"
"""Inspect's prefix for models at Tinker; the key is then TINKER_API_KEY, as for the SDK."""
SERVICE = "https://tinker.thinkingmachines.dev/services/tinker-prod"
"""The SDK's default address of the service."""
CHAT = "/oai/api/v1"
"""Path of the service's OpenAI-compatible chat API below that address."""


@dataclass(frozen=True, slots=True)
class Tinker(Charging):
    """Trains adapters at Tinker: on replies, on preferences, and on-policy; inner states are not available."""

    base_url: str | None = None
    """Address of the service; None takes `TINKER_BASE_URL`, else Tinker's own."""
    chat_url: str | None = None
    """Address of its OpenAI-compatible chat API, for measuring; None takes the service's, with /oai/api/v1."""
    tokenizer: str | None = None
    """Folder or hub name of the base's tokenizer and chat template; None takes the base's own name at the hub."""
    max_cost: float | None = None
    """Maximum cost of a fit in US dollars, with every sampled reply at maximum length; None sets no limit."""
    price: tuple[float, ...] = ()
    """US dollars per million tokens: of prompts, sampled, trained on; empty takes the table's."""
    save_every: int = 10
    """Steps between two saves of the state: the most that a kill can lose."""
    closes_empty: bool = False
    """Close the thought that a chat template opens if a reply has none; otherwise such rows are refused."""

    name: ClassVar[str] = "tinker"
    summary: ClassVar[str] = "at Tinker, or at a server that speaks its protocol"
    offers: ClassVar[frozenset[Any]] = frozenset({Tuner, Policy})
    objectives: ClassVar[frozenset[Any]] = frozenset({CrossEntropy, PreferenceLoss})

    def __post_init__(self) -> None:
        Charging.__post_init__(self)
        if self.save_every < 1:
            raise BadInput(f"save_every is {self.save_every}; it is a number of steps, 1 or more.")
        if self.price and (len(self.price) != 3 or not all(amount >= 0 for amount in self.price)):
            raise BadInput(
                f"price is {self.price}; it is three amounts in US dollars for a million tokens: of prompts, sampled, "
                "trained on."
            )

    def describe(self, base: str) -> str:
        """The base by name, with the id of the address if that is not Tinker's own."""
        server = address_id("tinker/", {"base_url": self.base_url})
        return f"{PREFIX}{_bare(base)}@{server}" if server else f"{PREFIX}{_bare(base)}"

    def check(self, method: Method, base: str) -> None:
        """Raise `BadInput` for a base that is not on the hub, and for hyper-parameters that the service lacks."""
        if "/" not in _bare(base) or base.startswith("unsway/"):
            raise BadInput(
                f"Tinker cannot train {base!r}: its bases have the hub's names, such as Qwen/Qwen3-8B. Name one, or another "
                "back-end."
            )
        default = {field.name: field.default for field in fields(Method)}
        unsupported = [name for name in ("lora_alpha",) if getattr(method, name) != default[name]]
        unsupported += ["lora_rank=0"] * (not method.lora_rank)
        unsupported += [f"lora_on={method.lora_on}"] * (method.lora_on != "all-linear")
        unsupported += ["a temperature other than 1"] * (getattr(method, "temperature", 1.0) != 1.0)
        if unsupported:
            raise BadInput(
                f"Tinker has no place for {', '.join(unsupported)}: it trains adapters on all layers, sets their scale "
                "itself, and scores at temperature 1. Leave it out, or train with the local back-end."
            )

    def check_asked(self, model: str) -> None:
        """Raise `BadInput` for a model that is asked at another provider."""
        if not model.startswith(PREFIX):
            raise BadInput(
                f"{model!r} is not asked at Tinker, so it cannot be trained there. Name {PREFIX}ORGANISATION/NAME (with -M "
                f"base_url={self._chat()}), or another back-end."
            )

    def training_cost(self, base: str, tokens: float) -> float | None:
        """US dollars by the base's price per trained token; None if unknown."""
        return TinkerTokens(trained=tokens).dollars(price_of_base(_bare(base), self.price))

    def fit(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Checkpoint:
        """Train on replies or preferences; each step uses the same rows as the local back-end.

        Raises:
            BadInput: The base, the rows or the cost are refused; nothing was trained.
            TrainingError: The service refused, a row is longer than the context, or the loss is not a number.
        """
        form = ReplyFormat.of(locate_tokenizer(self.tokenizer or _bare(base)), closes_empty=self.closes_empty)
        tokens = tokenise(form, [method.texts(row) for row in rows])
        with self._opened(rows, tokens, form, method, base, folder) as model:
            order = in_order(tokens, method.batch_size, method.epochs, method.seed)
            for start in range(model.steps * method.batch_size, len(order), method.batch_size):
                indices = order[start : start + method.batch_size]
                batch, examples = [tokens[i] for i in indices], [rows[i] for i in indices]
                match method.objective:
                    case CrossEntropy():
                        model.learn(batch, examples)
                    case PreferenceLoss(beta):
                        model.step(batch, partial(preference_loss, beta=beta))
            return model.save()

    @contextmanager
    def open(self, rows: Sequence[Example], method: Method, base: str, folder: Path) -> Iterator[TinkerPolicy]:
        """A model in training, for a method with its own loop; raises as `fit`."""
        form = ReplyFormat.of(locate_tokenizer(self.tokenizer or _bare(base)), closes_empty=self.closes_empty)
        with self._opened(rows, tokenise_sides(form, method, rows), form, method, base, folder) as model:
            yield model

    @contextmanager
    def _opened(
        self,
        rows: Sequence[Example],
        tokens: Sequence[TokenRow],
        form: ReplyFormat,
        method: Method,
        base: str,
        folder: Path,
    ) -> Iterator[TinkerPolicy]:
        """Check cost, base and lengths; then start at the base, or at the last saved step of this fit."""
        bare = _bare(base)
        price = price_of_base(_bare(base), self.price)
        bound = at_most(method, tokens)
        _log.warning("Training %s at Tinker on at most %s.", bare, bound.told(price))
        if self.max_cost is not None and price is None:
            raise BadInput(
                f"The prices of {bare!r} are not known, so no limit on the cost can be kept. Give them (--option "
                "price=PROMPT,SAMPLED,TRAINED in US dollars for a million tokens), or leave the limit out."
            )
        if self.max_cost is not None and (bound.dollars(price) or 0.0) > self.max_cost:
            raise BadInput(
                f"Training could cost ${bound.dollars(price):.4f}, more than the ${self.max_cost:.6g} allowed. Take fewer "
                "examples, fewer or shorter replies, or a higher limit; nothing was sent."
            )
        sha256 = examples_sha256(rows)
        lock = exclusive(folder, f"{RECORD}.lock", waiting="another process trains in it", wait=False)
        with lock, translated(folder), connect(self.base_url) as client:
            models = {model.model_name: model for model in client.get_server_capabilities().supported_models}
            if bare not in models or models[bare].trainable is False:
                names = sorted(str(name) for name, model in models.items() if model.trainable is not False)
                raise BadInput(f"Tinker does not train {bare!r}. It trains {', '.join(names)}.")
            context = int(models[bare].max_context_length or 32_768)
            check_lengths(tokens, bare, context, sampled=method.longest_sampled)
            saved = fit_of(
                folder,
                content_id(sha256, repr(method), self.describe(base), form.weights.fingerprint, self.closes_empty),
            )
            if saved.state:
                create = partial(client.create_training_client_from_state_with_optimizer, saved.state)
            else:
                (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
                (folder / METRICS).unlink(missing_ok=True)
                create = partial(
                    client.create_lora_training_client,
                    base_model=bare,
                    rank=method.lora_rank,
                    seed=method.seed,
                    train_unembed=False,  # as for the local adapter
                )
            (training,) = gathered([create])
            record = Checkpoint(PREFIX, self.describe(base), self.name, self._chat(), repr(method), sha256, 0, 0)
            if not saved.state:
                note_metrics(folder, {"step": 0, "about": {"device": "tinker", "base": bare}})
            model = TinkerPolicy(
                client, training, form, context, method, rows, folder, saved, self.save_every, record, bare, price
            )
            with track(f"Training {method.name} at Tinker", method.n_steps(len(rows)), done=model.steps) as advance:
                model.advance = advance
                yield model

    def _chat(self) -> str:
        """Address at which trained models are asked."""
        service = address("tinker/", {"base_url": self.base_url}) or SERVICE
        return (self.chat_url or service + CHAT).rstrip("/")


def _bare(base: str) -> str:
    """The base as Tinker names it."""
    return base.removeprefix(PREFIX)


backends.add("tinker", Tinker)
