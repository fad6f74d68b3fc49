"""A stand-in of Tinker's service for the SDK's calls, over the tiny torch model: real passes, gradients and samples.

The clients are defined in this file. The exchanged values are the SDK's own if it is installed, else stand-ins with the same
fields. Calls are recorded, and can be made to fail.

    service = TinkerService(folder_of_the_tiny_model)
    monkeypatch.setitem(sys.modules, "tinker", service.sdk())
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

BASE = "tiny/llama"
ALPHA = 32
"""Scale (alpha) of every adapter at the service."""


# ---------------------------------------------------------------- stand-ins of the SDK's values


@dataclass
class ModelInput:
    tokens: list[int]

    @classmethod
    def from_ints(cls, tokens: list[int]) -> ModelInput:
        return cls(tokens)

    def to_ints(self) -> list[int]:
        return self.tokens


class TensorData:
    def __init__(self, data: Any = None, dtype: str = "", shape: Any = None) -> None:
        self.array = np.asarray(data, dtype={"int64": np.int64, "float32": np.float32}[dtype]).reshape(shape)

    def to_torch(self) -> Any:
        import torch

        return torch.from_numpy(self.array)


@dataclass
class Datum:
    model_input: ModelInput
    loss_fn_inputs: dict[str, TensorData]


@dataclass
class SamplingParams:
    max_tokens: int
    seed: int
    stop: list[int]
    temperature: float
    top_p: float


@dataclass
class AdamParams:
    learning_rate: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    grad_clip_norm: float


class TinkerError(Exception): ...


class APIConnectionError(TinkerError): ...


class InternalServerError(TinkerError): ...


class RateLimitError(TinkerError): ...


class AuthenticationError(TinkerError): ...


VALUES = (ModelInput, TensorData, Datum, SamplingParams, AdamParams)
ERRORS = (TinkerError, APIConnectionError, InternalServerError, RateLimitError, AuthenticationError)


# ---------------------------------------------------------------- the service


@dataclass
class TinkerService:
    """The service and everything it remembers."""

    folder: Path
    """The tiny model that it trains under the name `BASE`."""
    fails: Callable[[str, int], Exception | None] = lambda name, n: None
    """Takes a call's name and the number of earlier calls with that name; returns its error or None."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    """States and weights by path."""
    runs: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.pool = ThreadPoolExecutor(4)

    def sdk(self) -> SimpleNamespace:
        """The object that `import tinker` returns."""
        if find_spec("tinker"):
            import tinker

            names = {each.__name__: getattr(tinker, each.__name__) for each in (*VALUES, *ERRORS)}
        else:
            names = {each.__name__: each for each in (*VALUES, *ERRORS)}
        self.types = SimpleNamespace(**names)
        return SimpleNamespace(**names, ServiceClient=lambda **given: ServiceClient(self, **given))

    def named(self, name: str) -> list[dict[str, Any]]:
        """The arguments of the calls with a name."""
        return [given for each, given in self.calls if each == name]

    def done(self, call: str, work: Callable[[], Any], **given: Any) -> Future[Any]:
        """Record a call, then fail it or run it, one at a time."""
        error = self.fails(call, len(self.named(call)))
        self.calls.append((call, given))

        def run() -> Any:
            if error is not None:
                raise error
            with self.lock:
                return work()

        return self.pool.submit(run)

    def model(self, rank: int, seed: int) -> Any:
        from peft import LoraConfig, get_peft_model
        from transformers import set_seed

        from unsway.models.weights import load_model, locate

        set_seed(seed)
        model = load_model(locate(str(self.folder)), "float32")
        adapter = LoraConfig(
            r=rank, lora_alpha=ALPHA, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        return get_peft_model(model, adapter)


class ServiceClient:
    def __init__(self, service: TinkerService, *, base_url: str | None = None) -> None:
        self.service = service
        service.calls.append(("connect", {"base_url": base_url}))

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.service.calls.append(("close", {}))

    def get_server_capabilities(self) -> Any:
        error = self.service.fails("capabilities", 0)
        if error is not None:
            raise error
        known = SimpleNamespace(model_name=BASE, max_context_length=512, trainable=True)
        other = SimpleNamespace(model_name="tiny/asked-only", max_context_length=512, trainable=False)
        return SimpleNamespace(supported_models=[known, other])

    def create_lora_training_client(
        self, base_model: str, rank: int = 32, seed: int | None = None, train_unembed: bool = True
    ) -> Future[TrainingClient]:
        given = {"base_model": base_model, "rank": rank, "seed": seed, "train_unembed": train_unembed}
        return self.service.done("create", lambda: TrainingClient(self.service, rank, seed or 0), **given)

    def create_training_client_from_state_with_optimizer(self, path: str) -> Future[TrainingClient]:
        def work() -> TrainingClient:
            rank, weights, optimiser = self.service.kept[path]
            made = TrainingClient(self.service, rank, 0)
            made.put(weights)
            made.optimiser = made.adam()
            made.optimiser.load_state_dict(optimiser)
            return made

        return self.service.done("resume", work, path=path)

    def create_sampling_client(self, base_model: str) -> Future[SamplingClient]:
        return self.service.done("base", lambda: SamplingClient(self.service, self.service.model(1, 0), True))


class TrainingClient:
    def __init__(self, service: TinkerService, rank: int, seed: int) -> None:
        service.runs += 1
        self.service, self.rank, self.run = service, rank, f"tinker://run-{service.runs}"
        self.net = service.model(rank, seed)
        self.trained = [p for p in self.net.parameters() if p.requires_grad]
        self.optimiser: Any = None

    def adam(self) -> Any:
        import torch

        return torch.optim.AdamW(self.trained)

    def put(self, weights: Sequence[Any]) -> None:
        import torch

        with torch.no_grad():
            for ours, given in zip(self.trained, weights, strict=True):
                ours.copy_(given)

    def weights(self) -> list[Any]:
        return [p.detach().clone() for p in self.trained]

    def _pass(self, data: Sequence[Any], *, backward: bool) -> Any:
        """The loss that Tinker calls cross_entropy: the sum of -weight × log p over all targets."""
        import torch

        outputs = []
        with torch.set_grad_enabled(backward):
            for each in data:
                targets = each.loss_fn_inputs["target_tokens"].to_torch()
                logits = self.net(torch.tensor([each.model_input.to_ints()])).logits[0].float()
                scores = logits.log_softmax(-1).gather(-1, targets[:, None])[:, 0]
                if backward:
                    (-(each.loss_fn_inputs["weights"].to_torch() * scores).sum()).backward()
                found = scores.detach().numpy()
                outputs.append(
                    {"logprobs": self.service.types.TensorData(data=found, dtype="float32", shape=[len(found)])}
                )
        return SimpleNamespace(loss_fn_outputs=outputs, metrics={})

    def forward(self, data: Sequence[Any], loss_fn: str) -> Future[Any]:
        return self.service.done("forward", lambda: self._pass(data, backward=False), loss_fn=loss_fn)

    def forward_backward(self, data: Sequence[Any], loss_fn: str) -> Future[Any]:
        return self.service.done(
            "forward_backward", lambda: self._pass(data, backward=True), loss_fn=loss_fn, data=data
        )

    def forward_backward_custom(self, data: Sequence[Any], loss_fn: Any) -> Future[Any]:
        """As the SDK does it: forward, the caller's loss, and backward by its gradient with respect to log-probabilities."""

        def work() -> Any:
            leaves = [
                each["logprobs"].to_torch().clone().requires_grad_(True)
                for each in self._pass(data, backward=False).loss_fn_outputs
            ]
            loss, _ = loss_fn(list(data), leaves)
            loss.backward()
            linear = []
            for each, leaf in zip(data, leaves, strict=True):
                weights = self.service.types.TensorData(
                    data=(-leaf.grad).numpy(), dtype="float32", shape=list(leaf.shape)
                )
                inputs = {"target_tokens": each.loss_fn_inputs["target_tokens"], "weights": weights}
                linear.append(self.service.types.Datum(model_input=each.model_input, loss_fn_inputs=inputs))
            return self._pass(linear, backward=True)

        return self.service.done("forward_backward_custom", work, data=data)

    def optim_step(self, params: Any) -> Future[Any]:
        def work() -> Any:
            import torch

            self.optimiser = self.optimiser or self.adam()
            torch.nn.utils.clip_grad_norm_(self.trained, params.grad_clip_norm)
            for group in self.optimiser.param_groups:
                group |= {"lr": params.learning_rate, "betas": (params.beta1, params.beta2), "eps": params.eps}
                group["weight_decay"] = params.weight_decay
            self.optimiser.step()
            self.optimiser.zero_grad()
            return SimpleNamespace(metrics=None)

        return self.service.done("optim_step", work, params=params)

    def save_state(self, name: str, ttl_seconds: int | None = None, overwrite: bool = False) -> Future[Any]:
        def work() -> Any:
            path = f"{self.run}/weights/{name}"
            self.service.kept[path] = (self.rank, self.weights(), copy.deepcopy(self.optimiser.state_dict()))
            return SimpleNamespace(path=path)

        return self.service.done("save_state", work, name=name, ttl_seconds=ttl_seconds)

    def save_weights_for_sampler(self, name: str) -> Future[Any]:
        def work() -> Any:
            path = f"{self.run}/sampler_weights/{name}"
            self.service.kept[path] = self.weights()
            return SimpleNamespace(path=path)

        return self.service.done("save_weights_for_sampler", work, name=name)

    def save_weights_and_get_sampling_client(self) -> Future[SamplingClient]:
        return self.service.done(
            "sampling_client", lambda: SamplingClient(self.service, copy.deepcopy(self.net), False)
        )


class SamplingClient:
    def __init__(self, service: TinkerService, net: Any, is_base: bool) -> None:
        self.service, self.net, self.is_base = service, net.eval(), is_base

    def logits(self, ids: Any) -> Any:
        import torch

        with torch.no_grad():
            if self.is_base:
                with self.net.disable_adapter():
                    return self.net(ids).logits.float()
            return self.net(ids).logits.float()

    def sample(self, prompt: Any, num_samples: int, sampling_params: Any) -> Future[Any]:
        def work() -> Any:
            import torch

            draw = torch.Generator().manual_seed(sampling_params.seed)
            ids = torch.tensor([prompt.to_ints()] * num_samples)
            said: list[list[int]] = [[] for _ in range(num_samples)]
            ended = [False] * num_samples
            for _ in range(sampling_params.max_tokens):
                p = (self.logits(ids)[:, -1] / sampling_params.temperature).softmax(-1)
                new = torch.multinomial(p, 1, generator=draw)
                ids = torch.cat([ids, new], dim=1)
                for i, token in enumerate(new[:, 0].tolist()):
                    if not ended[i]:
                        said[i].append(token)
                        ended[i] = token in sampling_params.stop
            return SimpleNamespace(
                sequences=[
                    SimpleNamespace(tokens=tokens, stop_reason="stop" if end else "length")
                    for tokens, end in zip(said, ended, strict=True)
                ]
            )

        return self.service.done("sample", work, prompt=prompt, n=num_samples, params=sampling_params)

    def compute_logprobs(self, prompt: Any) -> Future[list[float | None]]:
        def work() -> list[float | None]:
            import torch

            ids = torch.tensor([prompt.to_ints()])
            scores = self.logits(ids)[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
            return [None, *scores.tolist()]

        return self.service.done("compute_logprobs", work, prompt=prompt)
