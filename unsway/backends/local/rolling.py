"""Sample replies from a model in training: from its own distribution, with as little computation as possible.

In: a model, prompts as token ids, how to decode. Out: token ids of replies, each drawn with its own seed, so a
reply does not depend on its batch (beyond rounding).
A common prefix goes through the model once, the prompt of a group once, and finished replies leave the batch. transformers'
`generate` repeats the first two, computes all rows until the longest has ended, and applies penalties stored with the
weights, so its replies would not follow the distribution that is scored.
Letters: P prompts, B replies of a batch, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from unsway.backends.local.passes import parts
from unsway.models.beginnings import common
from unsway.models.engines.torch import RowNoise
from unsway.seeds import rng
from unsway.training.seams import Tensor, Tokens
from unsway.types import Settings

SAMPLED_AT_ONCE = 64
"""Number of replies sampled in one batch; see `models/engines/torch.py`."""
ENDED = 4
"""Ended replies leave the batch once they are one in this many: removal copies the others' keys and values."""


def roll(
    model: Any, prompts: Sequence[Tokens], n: int, settings: Settings, ends: Set[int], *, share: bool
) -> tuple[tuple[Tokens, ...], ...]:
    """Draw n replies to each prompt; the caller sets the model's mode and arithmetic.

    Args:
        model: A transformers or PEFT model.
        prompts: The prompts as token ids.
        n: Number of replies to each.
        settings: Temperature, top_p, maximum tokens and seed; temperature 0 is greedy.
        ends: Token ids that end a reply.
        share: Whether the cache keeps all keys and values of a prefix, so several rows can continue from it.
    """
    replies: list[list[Tokens]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i].prompt))
    for first in range(0, n, SAMPLED_AT_ONCE):
        per_prompt = min(n - first, SAMPLED_AT_ONCE)
        prompts_at_once = max(1, SAMPLED_AT_ONCE // per_prompt)
        for start in range(0, len(order), prompts_at_once):
            indices = order[start : start + prompts_at_once]
            batch = [prompts[index].prompt for index in indices]
            seeds = [
                rng(settings.seed, "sample", prompt, first + i).getrandbits(63)
                for prompt in batch
                for i in range(per_prompt)
            ]
            for number, reply in enumerate(_batch(model, batch, per_prompt, settings, ends, seeds, share)):
                index = indices[number // per_prompt]
                ended = bool(reply) and reply[-1] in ends
                replies[index].append(Tokens(prompts[index].prompt, tuple(reply), ended))
    return tuple(map(tuple, replies))


def _batch(
    model: Any,
    prompts: Sequence[tuple[int, ...]],
    per_prompt: int,
    settings: Settings,
    ends: Set[int],
    seeds: list[int],
    share: bool,
) -> list[list[int]]:
    """The replies to some prompts, those of a prompt next to each other, with the token that ends them."""
    import torch
    from transformers import TopPLogitsWarper

    replies: list[list[int]] = [[] for _ in seeds]
    rows = list(range(len(seeds)))
    noise = RowNoise(seeds, model.device)
    cache, last_B1, mask_BT = _begin(model, prompts, per_prompt, share)
    for _ in range(settings.max_tokens):
        output = model(
            input_ids=last_B1,
            attention_mask=mask_BT,
            position_ids=mask_BT.sum(dim=-1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache, scores_BV = output.past_key_values, output.logits[:, -1].float()
        if settings.temperature > 0:
            scores_BV = scores_BV / settings.temperature
            if settings.top_p < 1:  # top_p sorts the vocabulary
                scores_BV = TopPLogitsWarper(settings.top_p)(last_B1, scores_BV)
            scores_BV = noise(last_B1, scores_BV)
        last_B1 = scores_BV.argmax(dim=-1, keepdim=True)
        for row, token in zip(rows, last_B1[:, 0].tolist(), strict=True):
            if not (replies[row] and replies[row][-1] in ends):
                replies[row].append(token)
        unfinished = [index for index, row in enumerate(rows) if replies[row][-1] not in ends]
        if not unfinished:
            break
        if (len(rows) - len(unfinished)) * ENDED >= len(rows):
            unfinished_B = torch.tensor(unfinished, device=model.device)
            cache.batch_select_indices(unfinished_B)
            last_B1, mask_BT = last_B1[unfinished_B], mask_BT[unfinished_B]
            rows, noise.generators = [rows[i] for i in unfinished], [noise.generators[i] for i in unfinished]
        mask_BT = torch.nn.functional.pad(mask_BT, (0, 1), value=1)
    return replies


def _begin(model: Any, prompts: Sequence[tuple[int, ...]], per_prompt: int, share: bool) -> tuple[Any, Tensor, Tensor]:
    """Keys and values of all but the last token of each prompt, `per_prompt` rows each; the last tokens, and the mask of all.

    Prompts are grouped into passes as in training, so a prompt with another beginning does not cost the others their shared
    prefix.
    """
    import torch
    from torch.nn.functional import pad
    from transformers import DynamicCache

    numbers = range(len(prompts))
    is_split = share and min(map(len, prompts)) > 1
    passes = list(parts(numbers, len(prompts), lambda i: Tokens(prompts[i]))) if is_split else [numbers]
    passes = passes if len(passes) > 1 else [numbers]
    outputs = [_prefill(model, [prompts[i] for i in part], 1 if share else per_prompt, share) for part in passes]
    cache, last_P1, mask_PT = outputs[0]
    if len(outputs) > 1:
        longest = max(mask.shape[1] for _, _, mask in outputs)
        paddings = [longest - mask.shape[1] for _, _, mask in outputs]
        order = torch.tensor(sorted(numbers, key=[i for part in passes for i in part].__getitem__), device=model.device)
        mask_PT = torch.cat([pad(mask, (n, 0)) for n, (_, _, mask) in zip(paddings, outputs, strict=True)])[order]
        last_P1 = torch.cat([last for _, last, _ in outputs])[order]
        cache = DynamicCache()
        for number, layers in enumerate(zip(*(part_cache.layers for part_cache, _, _ in outputs), strict=True)):
            padded = [
                [pad(states, (0, 0, n, 0)) for states in (layer.keys, layer.values)]
                for n, layer in zip(paddings, layers, strict=True)
            ]
            cache.update(*(torch.cat(states)[order] for states in zip(*padded, strict=True)), number)
    if share and per_prompt > 1:
        if cache is not None:
            cache.batch_repeat_interleave(per_prompt)
        last_P1, mask_PT = last_P1.repeat_interleave(per_prompt, dim=0), mask_PT.repeat_interleave(per_prompt, dim=0)
    return cache, last_P1, mask_PT


def _prefill(
    model: Any, prompts: Sequence[tuple[int, ...]], per_prompt: int, share: bool
) -> tuple[Any, Tensor, Tensor]:
    """One pass over prompts, `per_prompt` rows each, after a pass over their common prefix."""
    import torch

    device = model.device
    shared = min(min(common(prompts[0], prompt) for prompt in prompts), *(len(prompt) - 1 for prompt in prompts))
    shared = shared if share and len(prompts) > 1 else 0
    rests = [prompt[shared:] for prompt in prompts]
    longest = max(map(len, rests))
    # the shared prefix, then padding, then the rest: the last tokens are in one column
    ids_PT = torch.tensor([[0] * (longest - len(rest)) + list(rest) for rest in rests], device=device)
    mask_PT = torch.tensor(
        [[1] * shared + [0] * (longest - len(rest)) + [1] * len(rest) for rest in rests], device=device
    )
    ids_PT, mask_PT = ids_PT.repeat_interleave(per_prompt, dim=0), mask_PT.repeat_interleave(per_prompt, dim=0)
    cache = None
    if shared:
        start_1T = torch.tensor([prompts[0][:shared]], device=device)
        cache = model(input_ids=start_1T, use_cache=True, logits_to_keep=1).past_key_values
        cache.batch_repeat_interleave(len(prompts))
    if longest > 1:
        cache = model(
            input_ids=ids_PT[:, :-1],
            attention_mask=mask_PT[:, :-1],
            position_ids=(mask_PT.cumsum(dim=-1) - 1).clamp_min(0)[:, shared:-1],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).past_key_values
    return cache, ids_PT[:, -1:], mask_PT
