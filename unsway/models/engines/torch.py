"""The reference engine: `transformers.generate` in batches of like length.

In: a folder of safetensors (and an adapter). Out: replies, token-identical to plain greedy decoding in float32, the default.
Prompts are sorted by length and batched under a budget of padded tokens, so that little is computed on padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from unsway.models.engines.base import (
    Engine,
    Generation,
    Pending,
    PendingScore,
    Request,
    ScoreRequest,
    Scores,
    engines,
    first_end,
)
from unsway.models.weights import Dtype, Weights, load_model

if TYPE_CHECKING:
    import torch

ROWS_A_BATCH = {"cpu": 64, "cuda": 512}
"""Most replies of one batch. On 2 CPU cores decoding a 135M model gains little beyond 64 rows (140 tokens/s at 16, 190 at
64); a GPU takes about as long for one row as for hundreds."""
TOKENS_A_BATCH = 16_384
"""Padded prompt and reply tokens of one batch on a CPU: about 1.5 GB of keys and values for a 135M model in float32."""
LOGITS_A_BATCH = 2**27
"""Most numbers that the output layer gives for one batch that is scored: 0.5 GB in float32, and its softmax as much again."""
SHARE_OF_FREE = 0.3
"""Of a GPU's free memory, what keys and values of one batch may take; activations and copies take about as much again."""


class TorchEngine(Engine):
    """Generates with transformers on the best device there is."""

    name = "torch"
    can_score = True

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        super().__init__(weights, dtype)
        self.model: Any = load_model(weights, dtype).eval()
        self.ends = weights.ends
        self.pad = min(weights.ends)
        self.rows = ROWS_A_BATCH[self.model.device.type]
        self.most_waiting = 4 * self.rows

    @classmethod
    def rank(cls, weights: Weights) -> int:
        """Runs everything."""
        return 1

    def serve(self, requests: list[Pending]) -> None:
        """Answer in batches of like length, longest first, so memory peaks at the start and not at the end."""
        for batch in _batches(requests, self.rows, self._tokens()):
            generations = self._generate([request for request, _ in batch])
            for (_, result), generation in zip(batch, generations, strict=True):
                result.set_result(generation)

    def serve_scores(self, requests: list[PendingScore]) -> None:
        """Score in batches of like length, longest first; only the places of completions go through the output layer."""
        vocabulary = self.model.get_output_embeddings().weight.shape[0]
        for batch in _score_batches(requests, self.rows, self._tokens(), LOGITS_A_BATCH // vocabulary):
            scores = self._score([request for request, _ in batch])
            for (_, result), logprobs in zip(batch, scores, strict=True):
                result.set_result(logprobs)

    def free(self) -> None:
        """Release the model."""
        self.model = None

    def _tokens(self) -> int:
        """Padded tokens of one batch: on a GPU as many as their keys and values may take memory."""
        import torch

        if self.model.device.type == "cpu":
            return TOKENS_A_BATCH
        free, _ = torch.cuda.mem_get_info(self.model.device)
        cached = torch.cuda.memory_reserved(self.model.device) - torch.cuda.memory_allocated(self.model.device)
        return int(SHARE_OF_FREE * (free + cached) / bytes_a_token(self.model))

    def _generate(self, requests: list[Request]) -> list[Generation]:
        import torch

        ids_BT, mask_BT = self._pad([request.tokens for request in requests])
        first = requests[0]
        sampling = {"do_sample": True, "temperature": first.temperature, "top_p": first.top_p, "top_k": 0}
        if first.temperature > 0:
            torch.manual_seed(first.seed)
        with torch.inference_mode():
            out_BT = self.model.generate(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                max_new_tokens=first.max_tokens,
                eos_token_id=sorted(self.ends),
                pad_token_id=self.pad,
                **(sampling if first.temperature > 0 else {"do_sample": False}),
            )
        return [Generation(*first_end(row, self.ends)) for row in out_BT[:, ids_BT.shape[1] :].tolist()]

    def _score(self, requests: list[ScoreRequest]) -> list[Scores]:
        """Log-probabilities of completions: one forward pass, logits only from the place before the longest one."""
        import torch

        ids_BT, mask_BT = self._pad([request.tokens + request.completion for request in requests])
        longest = max(len(request.completion) for request in requests)
        with torch.inference_mode():
            logits_BCV = self.model(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                position_ids=(mask_BT.cumsum(dim=1) - 1).clamp(min=0),
                logits_to_keep=longest + 1,
                use_cache=False,
            ).logits[:, :-1]
            targets_BC1 = ids_BT[:, ids_BT.shape[1] - longest :, None]
            logprobs_BC = logits_BCV.float().log_softmax(dim=-1).gather(-1, targets_BC1).squeeze(-1)
        rows = zip(logprobs_BC.tolist(), requests, strict=True)
        return [tuple(row[longest - len(request.completion) :]) for row, request in rows]

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


def _batches(requests: list[Pending], rows: int, tokens: int) -> Iterator[list[Pending]]:
    """Batches of equal decoding and like length, within the budget of rows and padded tokens."""

    def decoding(request: Request) -> tuple[float, float, int]:
        return (request.temperature, request.top_p, request.max_tokens)

    batch: list[Pending] = []
    for item in sorted(requests, key=lambda item: (decoding(item[0]), len(item[0].tokens)), reverse=True):
        longest = len(batch[0][0].tokens) + batch[0][0].max_tokens if batch else 0
        full = len(batch) >= rows or (len(batch) + 1) * longest > tokens
        if batch and (full or decoding(item[0]) != decoding(batch[0][0])):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _score_batches(requests: list[PendingScore], rows: int, tokens: int, places: int) -> Iterator[list[PendingScore]]:
    """Batches of like length, within the budget of rows, of padded tokens, and of padded places that are scored."""

    def length(request: ScoreRequest) -> int:
        return len(request.tokens) + len(request.completion)

    batch: list[PendingScore] = []
    for item in sorted(requests, key=lambda item: length(item[0]), reverse=True):
        more = [*batch, item]
        scored = max(len(request.completion) for request, _ in more)
        if batch and (len(more) > rows or len(more) * length(more[0][0]) > tokens or len(more) * scored > places):
            yield batch
            more = [item]
        batch = more
    if batch:
        yield batch


engines.add("torch", TorchEngine)
