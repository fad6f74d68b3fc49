"""TRL's trainers on our tokens: SFTTrainer with logits computed only where there is a target, and DPOTrainer.

In: rows whose labels ignore the prompt. Out: the same cross-entropy on completions. A completion is only a tenth of its
row and the vocabulary is large, so most of the output layer's work, and SFTTrainer's entropy and accuracy, would be spent on
positions without loss. This takes 5 s instead of 11 s for a step of 8 rows on 2 CPU cores, with the same loss.
Rows of a step share a prefix (the instructions, the worked example). It goes forward and backward once for all rows, through
the keys and values that the rest attends to, so the gradient is the same sum; this saves a third of the demo's tokens. On a
GPU it is used only if it saves more than it costs.
A hook records the decoder's last hidden state, so the wrapped model's own forward runs and data-parallel wrappers see it. If
weights are sharded (FSDP, DeepSpeed), the output layer is incomplete outside that forward, so TRL's own loss is used.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.helpers import disable_input_dtype_casting
from torch.nn.functional import cross_entropy
from trl import DPOTrainer, SFTTrainer

from unsway.backends.local.heads import Head, head_of
from unsway.backends.local.rows import IGNORED
from unsway.models.beginnings import keeps_all

WORTH_A_PASS = 1e13
"""Minimum tokens times parameters that a shared prefix must save on a GPU, where launching the kernels of one more pass
takes about as long as that arithmetic (`benchmarks/training.py --sides trl,ours,shared`). On a CPU any saving pays."""


class TargetLossTrainer(SFTTrainer):  # type: ignore[misc]  # trl is untyped here
    """Computes the loss only on target positions."""

    head: Head | None = None
    """Computes logits of hidden states; None if only the model's own forward pass can (sharded weights, an unknown family);
    then TRL's loss is used."""

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Run TRL's training without PEFT's casts: autocast makes inputs bfloat16; PEFT would first copy each to float32."""
        if not (self.is_fsdp_enabled or self.is_deepspeed_enabled):
            self.head = head_of(self._base(self.model))
        with disable_input_dtype_casting(self.model, active=self.args.bf16):
            return super().train(*args, **kwargs)

    def _base(self, model: Any) -> Any:
        """The transformers model inside wrappers and adapters."""
        unwrapped = self.accelerator.unwrap_model(model)
        return unwrapped.get_base_model() if hasattr(unwrapped, "get_base_model") else unwrapped

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Cross-entropy of completion tokens: their mean, or their sum over the tokens of the whole batch."""
        if self.head is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels_BT = inputs.pop("labels")
        base = self._base(model)
        ids_BT = inputs["input_ids"]
        # a pass over the shared prefix is possible only if all keys and values are kept
        cannot_share = self.args.gradient_checkpointing or self.args.padding_free or self.accelerator.num_processes > 1
        start = shared_start(ids_BT, labels_BT) if keeps_all(base.config) and not cannot_share else 0
        savings = start * (len(ids_BT) - 1) * base.num_parameters()
        start = start if ids_BT.device.type == "cpu" or savings >= WORTH_A_PASS else 0
        hidden_BTD, outputs = _hidden(model, base, inputs, start)
        labels_BT = labels_BT[:, start + 1 :]
        is_target_BT = labels_BT != IGNORED
        logits_NV = self.head(hidden_BTD[:, :-1][is_target_BT])
        reduction = "mean" if num_items_in_batch is None else "sum"
        loss = cross_entropy(logits_NV, labels_BT[is_target_BT], reduction=reduction)
        if num_items_in_batch is not None:  # tokens of all processes, whose gradients are averaged
            loss = loss / num_items_in_batch * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss


def shared_start(ids_BT: torch.Tensor, labels_BT: torch.Tensor) -> int:
    """Length of the rows' common prefix, without the last token before a first target, which predicts it."""
    if len(ids_BT) == 1:
        return 0
    differs_T = (ids_BT != ids_BT[:1]).any(dim=0) | torch.roll((labels_BT != IGNORED).any(dim=0), -1)
    return int(differs_T.int().argmax()) if bool(differs_T.any()) else 0


def _hidden(model: Any, base: Any, inputs: dict[str, Any], start: int) -> tuple[torch.Tensor, Any]:
    """Last hidden states of every position from `start` on; the tokens before it are run once for all rows."""
    states: list[torch.Tensor] = []
    hook = base.get_decoder().register_forward_hook(lambda _m, _i, out: states.append(out.last_hidden_state))
    try:
        if start:
            prefix = model(input_ids=inputs["input_ids"][:1, :start], logits_to_keep=1, use_cache=True)
            cache = prefix.past_key_values
            cache.batch_repeat_interleave(len(inputs["input_ids"]))
            rest = inputs | {"input_ids": inputs["input_ids"][:, start:], "past_key_values": cache, "use_cache": True}
        else:
            rest = inputs | {"use_cache": False}
        outputs = model(**rest, logits_to_keep=1)
    finally:
        hook.remove()
    return states[-1], outputs


class PreferenceTrainer(DPOTrainer):  # type: ignore[misc]  # trl is untyped here
    """TRL's DPO on tokenised rows, so prompts have the same tokens as when the model is asked.

    DPOTrainer tokenises text by its own reading of the template. It gets one dummy row of text,
    and trains on our tokens (`prompt_ids`, `chosen_ids`, `rejected_ids`, the columns that it makes itself).
    """

    def __init__(self, *, ids: Any, **kwargs: Any) -> None:
        from datasets import Dataset, disable_progress_bars

        disable_progress_bars()  # the progress bar of tokenising the dummy row
        turns = {"prompt": "user", "chosen": "assistant", "rejected": "assistant"}
        row = {name: [{"role": role, "content": name}] for name, role in turns.items()}
        super().__init__(train_dataset=Dataset.from_list([row]), **kwargs)
        self.train_dataset = ids

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """The passes of a step; counts their rows, because the last pass may have fewer."""
        passes, n_items = super().get_batch_samples(*args, **kwargs)
        self.rows_of_a_pass = sum(len(batch["input_ids"]) for batch in passes) / max(1, len(passes))
        return passes, n_items

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """TRL's mean over the rows of a pass, weighted so the mean over passes equals the mean over the step's rows."""
        weight = len(inputs["input_ids"]) / self.rows_of_a_pass
        return super().compute_loss(model, inputs, *args, **kwargs) * weight
