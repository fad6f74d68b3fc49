"""The reference engine: `transformers.generate` in batches of like length.

In: a folder of safetensors (and an adapter). Out: replies, token-identical to plain greedy decoding in float32, the default.
Prompts are sorted by length and batched under a budget of padded tokens, so that little is computed on padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from unsway.models.engines.base import Ask, Engine, Said, first_end
from unsway.models.weights import Dtype, Weights, load_model

if TYPE_CHECKING:
    import torch

ROWS_A_BATCH = {"cpu": 64, "cuda": 512}
"""Most replies of one batch. On 2 CPU cores decoding a 135M model gains little beyond 64 rows (140 tokens/s at 16, 190 at
64); a GPU takes about as long for one row as for hundreds."""
TOKENS_A_BATCH = 16_384
"""Padded prompt and reply tokens of one batch on a CPU: about 1.5 GB of keys and values for a 135M model in float32."""
SHARE_OF_FREE = 0.3
"""Of a GPU's free memory, what keys and values of one batch may take; activations and copies take about as much again."""


class TorchEngine(Engine):
    """Generates with transformers on the best device there is."""

    name = "torch"

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        super().__init__()
        self.model: Any = load_model(weights, dtype).eval()
        self.ends = weights.ends
        self.pad = min(weights.ends)
        self.rows = ROWS_A_BATCH[self.model.device.type]
        self.most_waiting = 4 * self.rows

    def serve(self, asks: list[tuple[Ask, Future[Said]]]) -> None:
        """Answer in batches of like length, longest first (so that memory peaks at once, not at the end)."""
        for batch in _batches(asks, self.rows, self._tokens()):
            for (_, answer), said in zip(batch, self._generate([ask for ask, _ in batch]), strict=True):
                answer.set_result(said)

    def free(self) -> None:
        """Let go of the model."""
        self.model = None

    def _tokens(self) -> int:
        """Padded tokens of one batch: on a GPU as many as their keys and values may take memory."""
        import torch

        if self.model.device.type == "cpu":
            return TOKENS_A_BATCH
        free, _ = torch.cuda.mem_get_info(self.model.device)
        cached = torch.cuda.memory_reserved(self.model.device) - torch.cuda.memory_allocated(self.model.device)
        return int(SHARE_OF_FREE * (free + cached) / bytes_a_token(self.model))

    def _generate(self, asks: list[Ask]) -> list[Said]:
        import torch

        ids_BT, mask_BT = self._pad([ask.tokens for ask in asks])
        how = asks[0]
        sampling = {"do_sample": True, "temperature": how.temperature, "top_p": how.top_p, "top_k": 0}
        if how.temperature > 0:
            torch.manual_seed(how.seed)
        with torch.inference_mode():
            out_BT = self.model.generate(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                max_new_tokens=how.max_tokens,
                eos_token_id=sorted(self.ends),
                pad_token_id=self.pad,
                **(sampling if how.temperature > 0 else {"do_sample": False}),
            )
        return [Said(*first_end(row, self.ends)) for row in out_BT[:, ids_BT.shape[1] :].tolist()]

    def _pad(self, prompts: list[tuple[int, ...]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Left-padded ids and mask, shape (batch, longest)."""
        import torch

        longest = max(map(len, prompts))
        ids = [[self.pad] * (longest - len(p)) + list(p) for p in prompts]
        mask = [[0] * (longest - len(p)) + [1] * len(p) for p in prompts]
        device = self.model.device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def bytes_a_token(model: Any) -> int:
    """Bytes that the keys and values of one token take: of every layer, two vectors a key-value head."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * model.dtype.itemsize)


def _batches(asks: list[tuple[Ask, Future[Said]]], rows: int, tokens: int) -> Iterator[list[tuple[Ask, Future[Said]]]]:
    """Batches of equal decoding and like length, within the budget of rows and padded tokens."""

    def decoding(ask: Ask) -> tuple[float, float, int]:
        return (ask.temperature, ask.top_p, ask.max_tokens)

    batch: list[tuple[Ask, Future[Said]]] = []
    for item in sorted(asks, key=lambda item: (decoding(item[0]), len(item[0].tokens)), reverse=True):
        longest = len(batch[0][0].tokens) + batch[0][0].max_tokens if batch else 0
        full = len(batch) >= rows or (len(batch) + 1) * longest > tokens
        if batch and (full or decoding(item[0]) != decoding(batch[0][0])):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
