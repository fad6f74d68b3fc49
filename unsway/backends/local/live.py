"""The live model that a method with a loop of its own trains: it samples, scores, shows inner states, steps and saves.

In: weights, a method, the folder of the fit. Out: a `WhiteBox` (see `unsway.training.seams`). Its base is the same model with
the adapter switched off, or with `lora_rank` 0 a frozen copy.
Rows of one pass are padded on the right, so a real token never attends to padding, and results are cut to each row's own
tokens. Optimiser, clipping and rates are those of `fit`: AdamW, norm 1, warm-up and then linearly to 0.
Letters: B rows of a pass, T tokens, R tokens of a reply, L layers, H heads, D width, F width of an MLP, V vocabulary.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.saving import write_checkpoint
from unsway.backends.local.steps import METRICS
from unsway.disk import append_row
from unsway.errors import BadInput, TrainingError
from unsway.extras import requires
from unsway.models.engines.base import first_end
from unsway.models.engines.torch import RowNoise
from unsway.models.weights import load_model, training_dtype
from unsway.progress import Advance
from unsway.seeds import rng
from unsway.training.seams import Loss, Method, States, Tensor, Texts, Tokens
from unsway.types import Checkpoint, Example, Message, Settings

MOST_NORM = 1.0
"""Norm to which gradients are clipped; the default of transformers' trainer, which `fit` has too."""
SAMPLED_AT_ONCE = 64
"""Replies that are sampled in one batch; see `models/engines/torch.py`."""


class LiveModel:
    """A transformers model in training, with or without an adapter."""

    def __init__(
        self,
        form: ReplyFormat,
        method: Method,
        folder: Path,
        record: Checkpoint,
        rows: Sequence[Example],
        at_once: int,
        advance: Advance,
    ) -> None:
        """Load the base, add the adapter, and start the optimiser and `metrics.jsonl`.

        Args:
            form: The base, and how replies are written for it.
            method: The method, for its hyper-parameters.
            folder: The folder of the fit.
            record: What the checkpoint will say, but for steps and tokens.
            rows: The rows that it will be trained on; their number gives that of the steps.
            at_once: Most rows of one pass inside a step.
            advance: Called with 1 after each step.
        """
        with requires("local", "Training here"):
            import torch
            from peft import LoraConfig, get_peft_model
            from transformers import get_linear_schedule_with_warmup, set_seed

        self.form, self.method, self.folder, self.record = form, method, folder, record
        self.weights = weights = form.weights
        self.rows, self.at_once, self.advance = rows, at_once, advance
        self.steps = self.tokens = 0
        self.is_stepping = False
        dtype = training_dtype() if method.lora_rank else "float32"
        set_seed(method.seed)
        self.model: Any = load_model(weights, dtype)
        if method.lora_rank:
            adapter = LoraConfig(
                r=method.lora_rank,
                lora_alpha=method.lora_alpha,
                lora_dropout=0.0,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            )
            self.model = get_peft_model(self.model, adapter)
        self.frozen: Any = None
        """A copy of the base, loaded when it is first read; None with an adapter, which is switched off instead."""
        self.pad = min(weights.ends)
        self.autocast: Callable[[], Any] = lambda: torch.autocast(
            self.model.device.type, torch.bfloat16, enabled=training_dtype() == "bfloat16"
        )
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=method.learning_rate, weight_decay=method.weight_decay)
        n_steps = method.n_steps(len(rows))
        self.schedule = get_linear_schedule_with_warmup(self.optimiser, math.ceil(method.warmup * n_steps), n_steps)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / METRICS).unlink(missing_ok=True)
        about = {"device": str(self.model.device), "dtype": dtype, "processes": 1, "rows_at_once": self.at_once}
        self._note({"step": 0, "about": about | {"trained_parameters": sum(p.numel() for p in self.trained)}})

    # ------------------------------------------------------------ policy

    def encode(self, prompt: Sequence[Message], completion: str | None = None) -> Tokens:
        """Token ids exactly as the model is asked; a completion gets the token that ends a reply.

        Raises:
            BadInput: The chat template does not take the turns, or a text holds a token that only the template may write.
            TrainingError: They are more than the context of the model.
        """
        reply = () if completion is None else self.form.reply_ids(completion)
        found = Tokens(self.form.prompt_ids(Texts(tuple(prompt), ())), reply)
        if (n := len(found.prompt) + len(reply)) > self.weights.context:
            raise TrainingError(
                f"A row has {n} tokens and {self.weights.name!r} reads {self.weights.context}. It begins "
                f"{prompt[0].content[:60]!r}. Leave it out, or take a model with more context."
            )
        return found

    def decode(self, completion: Sequence[int]) -> str:
        """The text of a reply, without the token that ends it."""
        ids, _ = first_end(completion, self.weights.ends)
        return str(self.weights.tokenizer.decode(ids, skip_special_tokens=True))

    def sample(self, prompts: Sequence[Tokens], n: int, settings: Settings) -> tuple[tuple[Tokens, ...], ...]:
        """Draw n replies to each prompt; each has a seed of its own, from the settings, the prompt and its number."""
        import torch
        from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

        wanted = [(prompt, number) for prompt in prompts for number in range(n)]
        replies: list[Tokens] = []
        self.model.eval()
        for start in range(0, len(wanted), SAMPLED_AT_ONCE):
            batch = wanted[start : start + SAMPLED_AT_ONCE]
            longest = max(len(prompt.prompt) for prompt, _ in batch)
            ids_BT = [[self.pad] * (longest - len(prompt.prompt)) + list(prompt.prompt) for prompt, _ in batch]
            mask_BT = [[0] * (longest - len(prompt.prompt)) + [1] * len(prompt.prompt) for prompt, _ in batch]
            sampling: list[Any] = []
            if settings.temperature > 0:
                seeds = [
                    rng(settings.seed, "sample", prompt.prompt, number).getrandbits(63) for prompt, number in batch
                ]
                noise = RowNoise(seeds, self.model.device)
                sampling = [TemperatureLogitsWarper(settings.temperature), TopPLogitsWarper(settings.top_p), noise]
            with torch.no_grad(), self.autocast():
                out_BT = self.model.generate(
                    input_ids=torch.tensor(ids_BT, device=self.model.device),
                    attention_mask=torch.tensor(mask_BT, device=self.model.device),
                    max_new_tokens=settings.max_tokens,
                    eos_token_id=sorted(self.weights.ends),
                    pad_token_id=self.pad,
                    do_sample=False,
                    logits_processor=LogitsProcessorList(sampling),
                )
            for (prompt, _), ids in zip(batch, out_BT[:, longest:].tolist(), strict=True):
                said, stop = first_end(ids, self.weights.ends)
                replies.append(Tokens(prompt.prompt, (*said, ids[len(said)]) if stop == "end" else said))
        self.model.train()
        return tuple(tuple(replies[i : i + n]) for i in range(0, len(replies), n))

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False) -> tuple[Tensor, ...]:
        """Log-probability of each completion token, (R,) a row; logits are computed at those places alone."""
        import torch

        model = self._of(base)
        caught: list[Tensor] = []
        hook = model.get_decoder().register_forward_hook(lambda _m, _i, out: caught.append(out.last_hidden_state))
        with self._reading(base), self._removing([hook]):
            self._pass(rows, base)
            head, found = model.get_output_embeddings(), []
            for hidden_TD, row in zip(caught[-1], rows, strict=True):
                first, n = len(row.prompt) - 1, len(row.completion)
                logits_RV = head(hidden_TD[first : first + n].to(head.weight.dtype)).float()
                targets_R1 = torch.tensor(row.completion, device=logits_RV.device)[:, None]
                found.append(logits_RV.log_softmax(dim=-1).gather(-1, targets_R1)[:, 0])
        return tuple(found)

    def step(self, rows: Sequence[Example], loss: Loss) -> float:
        """Change the weights once by the gradient of a loss, computed on a few rows at a time; see `Policy`.

        Raises:
            BadInput: The loss does not depend on the weights.
            TrainingError: The loss or its gradient is not a number; the weights are as they were.
        """
        import torch

        total = 0.0
        self.is_stepping = True
        try:
            for start in range(0, len(rows), self.at_once):
                part = rows[start : start + self.at_once]
                value = loss(part, self)
                if not getattr(value, "requires_grad", False) or value.numel() != 1:
                    raise BadInput(
                        f"The loss of {self.method.name!r} must be one number that depends on the weights in training. "
                        "Compute it from `logprobs` or `forward` without base=True, and return its mean over the rows."
                    )
                (value * (len(part) / len(rows))).backward()
                total += float(value.detach()) * len(part) / len(rows)
            norm = float(torch.nn.utils.clip_grad_norm_(self.trained, MOST_NORM))
            rate = self.schedule.get_last_lr()[0]
            self._note({"step": self.steps + 1, "loss": total, "grad_norm": norm, "learning_rate": rate})
            for name, number in (("loss", total), ("norm of the gradient", norm)):
                if not math.isfinite(number):
                    numbers = ", ".join(str(i) for i, row in enumerate(self.rows, 1) if row in rows)
                    raise TrainingError(
                        f"The {name} is {number} at step {self.steps + 1}, on rows {numbers} of the training set. Look at "
                        "these rows, or lower the learning rate."
                    )
            self.optimiser.step()
        finally:
            self.is_stepping = False
            self.optimiser.zero_grad()
        self.schedule.step()
        self.steps += 1
        self.advance(1)
        return total

    def save(self) -> Checkpoint:
        """Write the weights, then the record of the checkpoint."""
        record = replace(self.record, steps=self.steps, tokens=self.tokens)
        write_checkpoint(self.model, self.weights, self.folder, record)
        return record

    # ------------------------------------------------------------ white box

    def forward(self, rows: Sequence[Tokens], want: States, *, base: bool = False) -> tuple[Tensor, ...]:
        """Inner states over prompt and completion, caught by hooks; see `WhiteBox`.

        hidden is what each decoder layer returns: the last entry of transformers' `hidden_states` has been through the final
        norm and is another quantity. attention is computed by the eager implementation, the only one that returns it.

        Raises:
            BadInput: There are no such states, or the model's MLPs have no `down_proj`, as in a mixture of experts.
        """
        import torch

        model = self._of(base)
        layers = model.get_decoder().layers
        caught: dict[int, Tensor] = {}

        def keep(number: int, value: Any) -> None:
            caught[number] = value

        match want:
            case "hidden":
                hooks = [
                    layer.register_forward_hook(
                        lambda _m, _i, out, number=number: keep(number, out[0] if isinstance(out, tuple) else out)
                    )
                    for number, layer in enumerate(layers)
                ]
            case "attention":
                hooks = [
                    layer.self_attn.register_forward_hook(lambda _m, _i, out, number=number: keep(number, out[1]))
                    for number, layer in enumerate(layers)
                ]
            case "mlp":
                if not all(hasattr(layer.mlp, "down_proj") for layer in layers):
                    raise BadInput(
                        f"{self.weights.name!r} has MLPs without a `down_proj`, so their states cannot be read."
                    )
                hooks = [
                    layer.mlp.down_proj.register_forward_pre_hook(
                        lambda _m, given, number=number: keep(number, given[0])
                    )
                    for number, layer in enumerate(layers)
                ]
            case _:
                raise BadInput(f"There are no states {want!r}; known: hidden, attention, mlp.")
        implementation = model.config._attn_implementation
        with self._reading(base), self._removing(hooks):
            try:
                if want == "attention":
                    model.set_attn_implementation("eager")
                self._pass(rows, base)
            finally:
                if want == "attention":
                    model.set_attn_implementation(implementation)
        found = []
        for place, row in enumerate(rows):
            n = len(row.prompt) + len(row.completion)
            of_layers = [caught[number][place] for number in range(len(layers))]
            cut = [states[:, :n, :n] if want == "attention" else states[:n] for states in of_layers]
            found.append(torch.stack(cut).float())
        return tuple(found)

    # ------------------------------------------------------------ passes

    def _of(self, base: bool) -> Any:
        """The transformers model of the current weights, or of the base."""
        if not base or self.method.lora_rank:
            return self.model.get_base_model() if self.method.lora_rank else self.model
        if self.frozen is None:
            self.frozen = load_model(self.weights, "float32").requires_grad_(False)
        return self.frozen

    @contextmanager
    def _reading(self, base: bool) -> Iterator[None]:
        """Gradients only inside a step and only of the current weights; the base with its adapter off."""
        import torch

        off = self.model.disable_adapter() if base and self.method.lora_rank else nullcontext()
        with off, torch.set_grad_enabled(self.is_stepping and not base), self.autocast():
            yield

    @contextmanager
    def _removing(self, hooks: Sequence[Any]) -> Iterator[None]:
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _pass(self, rows: Sequence[Tokens], base: bool) -> None:
        """Run rows through the model, padded on the right; hooks take what is wanted."""
        import torch

        texts = [[*row.prompt, *row.completion] for row in rows]
        longest = max(map(len, texts))
        ids_BT = torch.tensor([ids + [self.pad] * (longest - len(ids)) for ids in texts], device=self.model.device)
        mask_BT = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in texts], device=self.model.device)
        model = self.model if self.method.lora_rank else self._of(base)
        model(input_ids=ids_BT, attention_mask=mask_BT, use_cache=False, logits_to_keep=1)
        if self.is_stepping and not base:
            self.tokens += sum(map(len, texts))

    def _note(self, row: dict[str, Any]) -> None:
        append_row(self.folder / METRICS, json.dumps(row))
