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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.saving import keep_step, take_up, write_checkpoint
from unsway.backends.local.states import Caught, catching
from unsway.backends.local.steps import METRICS, keep_only, last_saved, number
from unsway.disk import append_row, write_text
from unsway.errors import BadInput, TrainingError
from unsway.extras import requires
from unsway.models.engines.base import first_end
from unsway.models.engines.torch import RowNoise
from unsway.models.weights import load_model, training_dtype
from unsway.progress import Advance
from unsway.seeds import rng
from unsway.training.alignment import Places, Window, aligned
from unsway.training.seams import Loss, Method, States, Tensor, Texts, Tokens
from unsway.types import Checkpoint, Example, Message, Prompt, Settings

MOST_NORM = 1.0
"""Norm to which gradients are clipped; the default of transformers' trainer, which `fit` has too."""
ADAPTED = {
    "all-linear": "all-linear",
    "attention": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "qv": ["q_proj", "v_proj"],
}
"""Modules that get an adapter, by `Method.lora_on`."""
SAMPLED_AT_ONCE = 64
"""Replies that are sampled in one batch; see `models/engines/torch.py`."""
ROLLOUTS = "rollouts"
"""Sub-folder of what was sampled, a file a step."""


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
        save_every: int,
    ) -> None:
        """Load the base, add the adapter, and start the optimiser and `metrics.jsonl`, or take up those of a killed fit.

        Args:
            form: The base, and how replies are written for it.
            method: The method, for its hyper-parameters.
            folder: The folder of the fit.
            record: What the checkpoint will say, but for steps and tokens.
            rows: The rows that it will be trained on; their number gives that of the steps.
            at_once: Most rows of one pass inside a step.
            save_every: Steps between two saves.
        """
        with requires("local", "Training here"):
            import torch
            from peft import LoraConfig, get_peft_model
            from transformers import get_linear_schedule_with_warmup, set_seed

        self.form, self.method, self.folder, self.record = form, method, folder, record
        self.weights = weights = form.weights
        self.rows, self.at_once, self.save_every = rows, at_once, save_every
        self.advance: Advance = lambda steps: None
        """Called with 1 after each step."""
        self.steps = self.tokens = 0
        self.is_stepping = False
        self.noted: dict[str, float] = {}
        """Numbers for the next step's line of `metrics.jsonl`."""
        dtype = training_dtype() if method.lora_rank else "float32"
        set_seed(method.seed)
        self.model: Any = load_model(weights, dtype)
        if method.lora_rank:
            adapter = LoraConfig(
                r=method.lora_rank,
                lora_alpha=method.lora_alpha,
                lora_dropout=0.0,
                target_modules=ADAPTED[method.lora_on],
                task_type="CAUSAL_LM",
            )
            try:
                self.model = get_peft_model(self.model, adapter)
            except ValueError as error:  # no module of these names
                raise BadInput(
                    f"{weights.name!r} has no modules {ADAPTED[method.lora_on]}, which lora_on={method.lora_on!r} adapts. "
                    "Set lora_on=all-linear."
                ) from error
        self.frozen: Any = None
        """A copy of the base, loaded when it is first read; None with an adapter, which is switched off instead."""
        self.pad = min(weights.ends)
        self.alignments: dict[tuple[Prompt, Prompt, Window], Places] = {}
        config = self._of(False).config
        kinds = set(getattr(config, "layer_types", None) or ("full_attention",))
        self.can_share = kinds == {"full_attention"} and not getattr(config, "sliding_window", None)
        """Whether keys and values of a shared beginning are kept whole."""
        self.autocast: Callable[[], Any] = lambda: torch.autocast(
            self.model.device.type, torch.bfloat16, enabled=training_dtype() == "bfloat16"
        )
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=method.learning_rate, weight_decay=method.weight_decay)
        n_steps = method.n_steps(len(rows))
        self.schedule = get_linear_schedule_with_warmup(self.optimiser, math.ceil(method.warmup * n_steps), n_steps)
        keep_only(folder, f"{record.data_sha256} {method!r} {weights.fingerprint}")
        last = last_saved(folder)
        if last is not None:
            self.steps, self.tokens = number(last), take_up(last, self.trained, self.optimiser, self.schedule)
        else:
            (folder / METRICS).unlink(missing_ok=True)
            about = {"device": str(self.model.device), "dtype": dtype, "processes": 1, "rows_at_once": self.at_once}
            self._write({"step": 0, "about": about | {"trained_parameters": sum(p.numel() for p in self.trained)}})

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

        found: list[list[Tokens]] = [[] for _ in prompts]
        self.model.eval()
        for first in range(0, n, SAMPLED_AT_ONCE):
            many = min(n - first, SAMPLED_AT_ONCE)
            together = max(1, SAMPLED_AT_ONCE // many)
            for start in range(0, len(prompts), together):
                batch = prompts[start : start + together]
                longest = max(len(prompt.prompt) for prompt in batch)
                ids_PT = torch.tensor(
                    [[self.pad] * (longest - len(each.prompt)) + list(each.prompt) for each in batch],
                    device=self.model.device,
                )
                mask_PT = torch.tensor(
                    [[0] * (longest - len(each.prompt)) + [1] * len(each.prompt) for each in batch],
                    device=self.model.device,
                )
                sampling: list[Any] = []
                if settings.temperature > 0:
                    seeds = [
                        rng(settings.seed, "sample", each.prompt, first + i).getrandbits(63)
                        for each in batch
                        for i in range(many)
                    ]
                    noise = RowNoise(seeds, self.model.device)
                    sampling = [TemperatureLogitsWarper(settings.temperature), TopPLogitsWarper(settings.top_p), noise]
                with torch.no_grad(), self.autocast():
                    kept: dict[str, Any] = {}
                    if self.can_share and many > 1:  # the prompt of a group goes through the model once
                        places_PT = (mask_PT.cumsum(dim=-1) - 1).clamp_min(0)
                        begun = self.model(
                            input_ids=ids_PT[:, :-1],
                            attention_mask=mask_PT[:, :-1],
                            position_ids=places_PT[:, :-1],
                            use_cache=True,
                            logits_to_keep=1,
                        ).past_key_values
                        begun.batch_repeat_interleave(many)
                        kept = {"past_key_values": begun}
                    out_BT = self.model.generate(
                        input_ids=ids_PT.repeat_interleave(many, dim=0),
                        attention_mask=mask_PT.repeat_interleave(many, dim=0),
                        max_new_tokens=settings.max_tokens,
                        eos_token_id=sorted(self.weights.ends),
                        pad_token_id=self.pad,
                        do_sample=False,
                        logits_processor=LogitsProcessorList(sampling),
                        **kept,
                    )
                for place, ids in enumerate(out_BT[:, longest:].tolist()):
                    said, stop = first_end(ids, self.weights.ends)
                    prompt = batch[place // many].prompt
                    ended = stop == "end"
                    reply = (*said, ids[len(said)]) if ended else tuple(said)
                    found[start + place // many].append(Tokens(prompt, reply, ended))
        self.model.train()
        return tuple(map(tuple, found))

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False, temperature: float = 1.0) -> tuple[Tensor, ...]:
        """Log-probability of each completion token, (R,) a row; logits are computed at those places alone."""
        import torch

        found = []
        for logits_RV, row in zip(self._logits(rows, None, base), rows, strict=True):
            targets_R1 = torch.tensor(row.completion, device=logits_RV.device)[:, None]
            found.append((logits_RV / temperature).log_softmax(dim=-1).gather(-1, targets_R1)[:, 0])
        return tuple(found)

    def step(self, rows: Sequence[Any], loss: Loss) -> float:
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
            numbers = {"loss": total, "grad_norm": norm, "learning_rate": rate} | self.noted
            self._write({"step": self.steps + 1} | numbers)
            for name, value in (("loss", total), ("norm of the gradient", norm)):
                if not math.isfinite(value):
                    of_step = {getattr(each, "row", each) for each in rows}
                    lines = ", ".join(str(i) for i, row in enumerate(self.rows, 1) if row in of_step)
                    raise TrainingError(
                        f"The {name} is {value} at step {self.steps + 1}, on rows {lines} of the training set. Look at "
                        "these rows, or lower the learning rate."
                    )
            self.optimiser.step()
        finally:
            self.is_stepping = False
            self.noted = {}
            self.optimiser.zero_grad()
        self.schedule.step()
        self.steps += 1
        if self.steps % self.save_every == 0:
            keep_step(self.folder, self.steps, self.tokens, self.trained, self.optimiser, self.schedule)
        self.advance(1)
        return total

    def note(self, numbers: Mapping[str, float], rollouts: Sequence[Mapping[str, Any]] = ()) -> None:
        """Numbers for the next step's line of `metrics.jsonl`; what was sampled for it, in `rollouts/step-….jsonl`."""
        self.noted |= numbers
        if rollouts:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rollouts)
            write_text(self.folder / ROLLOUTS / f"step-{self.steps + 1:05d}.jsonl", text)

    def save(self) -> Checkpoint:
        """Write the weights, then the record of the checkpoint."""
        record = replace(self.record, steps=self.steps, tokens=self.tokens)
        write_checkpoint(self.model, self.weights, self.folder, record)
        return record

    # ------------------------------------------------------------ white box

    def align(self, clean: Prompt, biased: Prompt, window: Window) -> Places:
        """Which tokens of the clean prompt are which of the biased one; see `unsway.training.alignment`."""
        key = (clean, biased, window)
        if key not in self.alignments:
            self.alignments[key] = aligned(self.weights, clean, biased, window)
        return self.alignments[key]

    def forward(
        self, rows: Sequence[Tokens], want: States, *, at: Sequence[Sequence[int]] | None = None, base: bool = False
    ) -> tuple[Tensor, ...]:
        """Inner states over prompt and completion, or at some places, caught by hooks; see `WhiteBox` and `states.py`."""
        import torch

        if want == "logits":
            return self._logits(rows, at, base)
        model = self._of(base)
        places = [list(each) for each in at or [range(len(row.prompt) + len(row.completion)) for row in rows]]
        start = self._start(rows, places)
        caught = Caught(places, start)
        with self._reading(base), catching(model, want, caught):
            self._pass(rows, base, start)
        of_layers = [caught.layers[layer] for layer in sorted(caught.layers)]
        lengths = [len(row.prompt) + len(row.completion) for row in rows]
        found = []
        for place, n in enumerate(lengths):
            stacked = torch.stack([states[place] for states in of_layers]).float()
            found.append(stacked[..., :n] if want == "attention" else stacked)
        return tuple(found)

    def _logits(self, rows: Sequence[Tokens], at: Sequence[Sequence[int]] | None, base: bool) -> tuple[Tensor, ...]:
        """What is predicted at some places, (n, V) a row; at those that predict the completion where none are named."""
        model = self._of(base)
        places = [
            list(each) for each in at or [range(len(r.prompt) - 1, len(r.prompt) - 1 + len(r.completion)) for r in rows]
        ]
        start = self._start(rows, places)
        caught: list[Tensor] = []
        hook = model.get_decoder().register_forward_hook(lambda _m, _i, out: caught.append(out.last_hidden_state))
        head = model.get_output_embeddings()
        with self._reading(base):
            try:
                self._pass(rows, base, start)
            finally:
                hook.remove()
            return tuple(
                head(hidden_TD[[place - start for place in of_row]].to(head.weight.dtype)).float()
                for hidden_TD, of_row in zip(caught[-1], places, strict=True)
            )

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

    def _start(self, rows: Sequence[Tokens], places: Sequence[Sequence[int]]) -> int:
        """How many tokens all rows begin with, in front of the first place that is wanted; 0 where that spares nothing."""
        if len(rows) == 1 or not self.can_share:
            return 0
        texts = [(*row.prompt, *row.completion) for row in rows]
        shared = sum(1 for _ in takewhile(lambda ids: len(set(ids)) == 1, zip(*texts, strict=False)))
        return min(shared, *(min(each, default=0) for each in places), *(len(text) - 1 for text in texts))

    def _pass(self, rows: Sequence[Tokens], base: bool, start: int = 0) -> None:
        """Run rows through the model, padded on the right; hooks take what is wanted from behind the shared start."""
        import torch

        texts = [[*row.prompt, *row.completion] for row in rows]
        longest = max(map(len, texts))
        device = self.model.device
        ids_BT = torch.tensor([ids + [self.pad] * (longest - len(ids)) for ids in texts], device=device)
        mask_BT = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in texts], device=device)
        model = self.model if self.method.lora_rank else self._of(base)
        more: dict[str, Any] = {"use_cache": False}
        if start:
            begun = model(input_ids=ids_BT[:1, :start], use_cache=True, logits_to_keep=1).past_key_values
            begun.batch_repeat_interleave(len(texts))
            more = {"use_cache": True, "past_key_values": begun}
        model(input_ids=ids_BT[:, start:], attention_mask=mask_BT, logits_to_keep=1, **more)
        if self.is_stepping and not base:
            self.tokens += sum(map(len, texts))

    def _write(self, row: dict[str, Any]) -> None:
        append_row(self.folder / METRICS, json.dumps(row))
