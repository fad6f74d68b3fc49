"""The live model for methods with their own training loop: it samples, scores, shows inner states, steps and saves.

In: weights, a method, the folder of the fit. Out: a `WhiteBox` (see `unsway.training.seams`). Its base is the same model with
the adapter switched off, or with `lora_rank` 0 a frozen copy.
Rows of one pass are padded on the right, so a real token never attends to padding, and results are cut to each row's own
tokens. Optimiser, clipping and rates are those of `fit`: AdamW, norm 1, warm-up and then linearly to 0.
Letters: B rows of a pass, T tokens, R tokens of a reply, L layers, H heads, D width, F width of an MLP, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from unsway.backends.local.chunks import by_chunk
from unsway.backends.local.heads import Head, check_head
from unsway.backends.local.lora import adapter_of
from unsway.backends.local.passes import NOT_WORTH_A_PASS, Line, attention_mask, lines, parts
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rolling import roll
from unsway.backends.local.saving import keep_step, take_up, write_checkpoint
from unsway.backends.local.states import Caught, catching
from unsway.backends.local.steps import METRICS, Noting, check_number, keep_only, last_saved, note_metrics, number
from unsway.errors import BadInput, ModelError
from unsway.extras import requires
from unsway.models.beginnings import Beginnings, common, keeps_all
from unsway.models.weights import load_model, training_dtype
from unsway.progress import Advance
from unsway.training.alignment import Places, Window, align
from unsway.training.seams import Loss, Method, Rollout, States, Tensor, Tokens
from unsway.types import Checkpoint, Example, Message, Prompt, Settings

MOST_NORM = 1.0
"""Norm to which gradients are clipped; the default of transformers' trainer, which `fit` also uses."""


class LiveModel(Noting):
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
        """Load the base, add the adapter, and start the optimiser and `metrics.jsonl`, or resume those of a killed fit.

        Args:
            form: The base, and how replies are written for it.
            method: The method, for its hyper-parameters.
            folder: The folder of the fit.
            record: The checkpoint's record, without steps and tokens.
            rows: The rows that it will be trained on; their number determines the number of steps.
            at_once: Maximum rows of one pass inside a step.
            save_every: Steps between two saves.
        """
        with requires("local", "Training here"):
            import torch
            from peft import get_peft_model
            from transformers import get_linear_schedule_with_warmup, set_seed

        self.form, self.method, self.folder, self.record = form, method, folder, record
        self.weights = weights = form.weights
        self.rows, self.at_once, self.save_every = rows, at_once, save_every
        self.advance: Advance = lambda steps: None
        """Called with 1 after each step."""
        self.steps = self.tokens = 0
        self.is_stepping = False
        self.noted = {}
        dtype = training_dtype() if method.lora_rank else "float32"
        set_seed(method.seed)
        self.model: Any = load_model(weights, dtype)
        adapter = adapter_of(method, self.model, weights.name)
        if adapter is not None:
            self.model = get_peft_model(self.model, adapter)
        self.model.eval()  # a base's own dropout (Phi's) would add noise to both sides of a comparison
        self.frozen: Any = None
        """A copy of the base, loaded when first needed; None with an adapter, which is switched off instead."""
        check_head(self._of(False), weights.name)
        self.pad = min(weights.ends)
        self.alignments: dict[tuple[Prompt, Prompt, Window], Places] = {}
        self.beginnings = Beginnings()
        self.can_share = keeps_all(self._of(False).config)
        """Whether the cache keeps all keys and values of a shared prefix."""
        self.can_pack = self.can_share and self._of(False).config._attn_implementation == "sdpa"
        """Whether attention accepts our mask, which lets several replies share one line."""
        self.autocast: Callable[[], Any] = lambda: torch.autocast(
            self.model.device.type, torch.bfloat16, enabled=training_dtype() == "bfloat16"
        )
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        # norms and biases do not decay, as in `fit`
        groups = [{"params": [p for p in self.trained if p.ndim > 1], "weight_decay": method.weight_decay}]
        groups += (
            [{"params": vectors, "weight_decay": 0.0}] if (vectors := [p for p in self.trained if p.ndim < 2]) else []
        )
        self.optimiser = torch.optim.AdamW(groups, lr=method.learning_rate)
        n_steps = method.n_steps(len(rows))
        self.schedule = get_linear_schedule_with_warmup(self.optimiser, method.warmup_steps(n_steps), n_steps)
        keep_only(folder, f"{record.data_sha256} {method!r} {weights.fingerprint}")
        last = last_saved(folder)
        if last is not None:
            self.steps, self.tokens = number(last), take_up(last, self.trained, self.optimiser, self.schedule)
        else:
            (folder / METRICS).unlink(missing_ok=True)
            about = {"device": str(self.model.device), "dtype": training_dtype(), "processes": 1}
            about |= {"rows_at_once": self.at_once, "trained_parameters": sum(p.numel() for p in self.trained)}
            note_metrics(folder, {"step": 0, "about": about})

    # ------------------------------------------------------------ policy

    def encode(self, prompt: Sequence[Message], completion: str | None = None) -> Tokens:
        """Token ids exactly as the model is asked; see `ReplyFormat.encode`."""
        return self.form.encode(prompt, completion, self.weights.context)

    def decode(self, completion: Sequence[int]) -> str:
        """The text of a reply, without the token that ends it."""
        return self.form.decode(completion)

    def sample(self, prompts: Sequence[Tokens], n: int, settings: Settings) -> tuple[tuple[Tokens, ...], ...]:
        """Draw n replies to each prompt; each has its own seed, from the settings, the prompt and its number.

        Raises:
            TrainingError: The model's scores are NaN or infinite; names the rows with these prompts.
        """
        import torch

        try:
            with torch.no_grad(), self.autocast():
                replies = roll(self.model, prompts, n, settings, self.weights.ends, share=self.can_share)
        except ModelError:
            prompt_ids = {prompt.prompt for prompt in prompts}
            sides = ((row, side) for row in self.rows for side in (row.biased, row.clean) if side)
            spoilt = [row for row, side in sides if self.encode(side.messages()).prompt in prompt_ids]
            check_number("score of the next token", math.nan, self.steps + 1, spoilt, self.rows)
            raise
        return replies

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False, temperature: float = 1.0) -> tuple[Tensor, ...]:
        """Log-probability of each completion token, (R,) per row; logits are computed only at those positions."""
        import torch

        targets_N1 = torch.tensor([token for row in rows for token in row.completion], device=self.model.device)[
            :, None
        ]

        def score(logits_nV: Tensor, chunk: slice) -> Tensor:
            return (logits_nV / temperature).log_softmax(dim=-1).gather(-1, targets_N1[chunk])[:, 0]

        return self._of_tokens(rows, base, score)

    def compare(
        self, rows: Sequence[Tokens], base_rows: Sequence[Tokens], of: Callable[[Tensor, Tensor], Tensor]
    ) -> tuple[Tensor, ...]:
        """Apply a function to the two distributions of each completion token; (R,) per row; see `WhiteBox`."""
        import torch

        head = Head(self._of(True))
        with self._reading(True):
            theirs_ND = torch.cat(self._hidden(base_rows, None, True)).to(head.weight.dtype)

        def score(logits_nV: Tensor, chunk: slice) -> Tensor:
            with torch.no_grad():
                base_nV = head(theirs_ND[chunk])
            return of(logits_nV, base_nV)

        return self._of_tokens(rows, False, score)

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
            for part in parts(rows, self.at_once, self._tokens):
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
            note_metrics(self.folder, {"step": self.steps + 1} | numbers)
            for name, value in (("loss", total), ("norm of the gradient", norm)):
                check_number(name, value, self.steps + 1, rows, self.rows)
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

    def save(self) -> Checkpoint:
        """Write the weights, then the record of the checkpoint."""
        record = replace(self.record, steps=self.steps, tokens=self.tokens)
        write_checkpoint(self.model, self.weights, self.folder, record)
        return record

    def release(self) -> None:
        """Release weights, optimiser and caches, even while something still references this object."""
        self.model = self.frozen = self.optimiser = self.schedule = None
        self.trained, self.alignments, self.beginnings = [], {}, Beginnings()

    # ------------------------------------------------------------ white box

    def align(self, clean: Prompt, biased: Prompt, window: Window) -> Places:
        """Align the tokens of the clean prompt with those of the biased one; see `unsway.training.alignment`."""
        key = (clean, biased, window)
        if key not in self.alignments:
            self.alignments[key] = align(self.weights, clean, biased, window)
        return self.alignments[key]

    def forward(
        self, rows: Sequence[Tokens], want: States, *, at: Sequence[Sequence[int]] | None = None, base: bool = False
    ) -> tuple[Tensor, ...]:
        """Inner states over prompt and completion, or at some positions, caught by hooks; see `WhiteBox` and `states.py`."""
        import torch

        if want == "logits":  # by default at the positions that predict the completion
            head = Head(self._of(base))
            with self._reading(base):
                return tuple(map(head, self._hidden(rows, at, base)))
        model = self._of(base)
        places = [list(positions) for positions in at or [range(len(row.prompt) + len(row.completion)) for row in rows]]
        sequences = [(*row.prompt, *row.completion) for row in rows]
        start = self._start(sequences, places, base)
        caught = Caught(places, start)
        with self._reading(base), catching(model, want, caught):
            self._pass([Line(ids, (), (), (), ()) for ids in sequences], base, start)
        self._count(rows, base)
        of_layers = [caught.layers[layer] for layer in sorted(caught.layers)]
        states_by_row = []
        for row, ids in enumerate(sequences):
            stacked = torch.stack([states[row] for states in of_layers]).float()
            states_by_row.append(stacked[..., : len(ids)] if want == "attention" else stacked)
        return tuple(states_by_row)

    def _of_tokens(
        self, rows: Sequence[Tokens], base: bool, score: Callable[[Tensor, slice], Tensor]
    ) -> tuple[Tensor, ...]:
        """A number for each completion token, (R,) per row, from its logits and its index among the tokens of all rows."""
        import torch

        with self._reading(base):
            hidden_ND = torch.cat(self._hidden(rows, None, base))
            values_N = by_chunk(hidden_ND, Head(self._of(base)), score)
        return tuple(values_N.split([len(row.completion) for row in rows]))

    def _hidden(self, rows: Sequence[Tokens], at: Sequence[Sequence[int]] | None, base: bool) -> list[Tensor]:
        """Last hidden states at some positions, (n, D) per row; by default at those that predict the completion."""
        sequences = [(*row.prompt, *row.completion) for row in rows]
        if at is None:
            pass_lines = lines(rows) if self.can_pack else lines(rows, 0)
        else:
            pass_lines = [Line(sequences[i], (), (), (tuple(places),), (i,)) for i, places in enumerate(at)]
        start = self._start(
            [line.ids for line in pass_lines],
            [[place for places in line.predicting for place in places] for line in pass_lines],
            base,
        )
        states: list[Tensor] = []
        hook = (
            self._of(base).get_decoder().register_forward_hook(lambda _m, _i, out: states.append(out.last_hidden_state))
        )
        try:
            self._pass(pass_lines, base, start)
        finally:
            hook.remove()
        self._count(rows, base)
        states_by_row: dict[int, Tensor] = {}
        for line, hidden_TD in zip(pass_lines, states[-1], strict=True):
            for row, places in zip(line.rows, line.predicting, strict=True):
                states_by_row[row] = hidden_TD[[place - start for place in places]]
        return [states_by_row[row] for row in range(len(rows))]

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
        """Enable gradients only inside a step and for the current weights; switch the adapter off for the base."""
        import torch

        without_adapter = self.model.disable_adapter() if base and self.method.lora_rank else nullcontext()
        with without_adapter, torch.set_grad_enabled(self.is_stepping and not base), self.autocast():
            yield

    def _tokens(self, row: Example | Rollout) -> Tokens:
        """The tokens of a row: only the prompt that it is trained on, or the prompt with a reply."""
        return row.tokens if isinstance(row, Rollout) else self.encode((row.biased or row.clean).messages())

    def _count(self, rows: Sequence[Tokens], base: bool) -> None:
        """Count the tokens that are trained on."""
        if self.is_stepping and not base:
            self.tokens += sum(len(row.prompt) + len(row.completion) for row in rows)

    def _start(self, sequences: Sequence[Sequence[int]], places: Sequence[Sequence[int]], base: bool) -> int:
        """Length of the common prefix of all texts before the first wanted position; 0 if sharing it saves nothing."""
        if not self.can_share:
            return 0
        shared = min(common(sequences[0], ids) for ids in sequences)
        shared = min(shared, *(min(positions, default=0) for positions in places), *(len(ids) - 1 for ids in sequences))
        n_cached = self.beginnings.known(sequences[0][:shared]) if base else 0
        if len(sequences) == 1 or n_cached >= shared - NOT_WORTH_A_PASS:
            return n_cached
        return shared

    def _pass(self, pass_lines: Sequence[Line], base: bool, start: int) -> None:
        """Run lines through the model, padded on the right; hooks record the wanted states after the shared prefix."""
        import torch

        longest = max(len(line.ids) for line in pass_lines)
        device = self.model.device

        def padded(values: Callable[[Line], Sequence[int]], fill: int) -> Tensor:
            return torch.tensor(
                [[*values(line), *[fill] * (longest - len(line.ids))] for line in pass_lines], device=device
            )

        ids_BT = padded(lambda line: line.ids, self.pad)
        model = self.model if self.method.lora_rank else self._of(base)
        options: dict[str, Any] = {"attention_mask": padded(lambda line: [1] * len(line.ids), 0), "use_cache": False}
        if any(len(line.rows) > 1 for line in pass_lines):
            options["position_ids"] = padded(lambda line: line.positions, 0)[:, start:]
            options["attention_mask"] = attention_mask(padded(lambda line: line.segments, -1), start)
        if start:
            cache = self.beginnings.repeated(pass_lines[0].ids[:start], len(pass_lines)) if base else None
            if cache is None:
                cache = model(input_ids=ids_BT[:1, :start], use_cache=True, logits_to_keep=1).past_key_values
                if base:
                    self.beginnings.keep(pass_lines[0].ids[:start], cache)
                cache.batch_repeat_interleave(len(pass_lines))
            options |= {"past_key_values": cache, "use_cache": True}
        model(input_ids=ids_BT[:, start:], logits_to_keep=1, **options)
