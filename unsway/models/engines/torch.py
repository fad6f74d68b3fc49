"""The reference engine: `transformers.generate` in batches of similar length.

In: a folder of safetensors (and an adapter). Out: replies, token-identical to plain greedy decoding in float32, the default.
Prompts are sorted by length and batched within a limit of padded tokens, so little is computed on padding. The common
beginning of a batch's prompts passes through the model once.
A sampled reply depends on its own seed and not on the batch: each row has its own random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from unsway.errors import ModelError
from unsway.models.beginnings import Beginnings, common, keeps_all
from unsway.models.engines.base import Engine, Generation, Pending, PendingScore, Request, engines, first_end
from unsway.models.weights import Dtype, Weights, load_model

if TYPE_CHECKING:
    import torch

ROWS_A_BATCH = {"cpu": 64, "cuda": 512}
"""Most replies per batch. On 2 CPU cores decoding a 135M model gains little beyond 64 rows (140 tokens/s at 16, 190 at
64); a GPU takes about as long for one row as for hundreds."""
TOKENS_A_BATCH = 16_384
"""Padded prompt and reply tokens per batch on a CPU: about 1.5 GB of keys and values for a 135M model in float32."""
LOGITS_A_BATCH = 2**27
"""Most numbers from the output layer per scored batch: 0.5 GB in float32, and as much again for the softmax."""
SHARE_OF_FREE = 0.3
"""Share of a GPU's free memory for the keys and values of a batch; activations and copies take about as much again."""

LEAST_SHARED = 32
"""Fewest common tokens that are worth a separate pass through the model; our choice."""

T = TypeVar("T")


class TorchEngine(Engine):
    """Generates with transformers on the best available device."""

    name = "torch"
    can_score = True
    can_choose = True

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        super().__init__(weights, dtype)
        self.model: Any = load_model(weights, dtype).eval()
        self.weights = weights
        self.beginnings = Beginnings()
        self.can_share = keeps_all(self.model.config.get_text_config())
        """Whether the keys and values of a common beginning can be cached for all prompts."""
        self.ends = weights.ends
        self.pad = min(weights.ends)
        self.rows = ROWS_A_BATCH[self.model.device.type]
        self.most_waiting = 4 * self.rows

    @classmethod
    def rank(cls, weights: Weights, dtype: Dtype = "float32") -> int:
        """Runs everything."""
        return 1

    def serve(self, requests: list[Pending]) -> None:
        """Answer in batches of similar length, longest first, so memory peaks at the start and not at the end."""
        import torch
        from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

        most_tokens = self._tokens_a_batch()

        def decoding(item: Pending) -> tuple[float, float, int]:
            return (item[0].temperature, item[0].top_p, item[0].max_tokens)

        def fits(batch: list[Pending]) -> bool:
            longest = len(batch[0][0].tokens) + batch[0][0].max_tokens
            is_same = decoding(batch[0]) == decoding(batch[-1])
            return is_same and len(batch) <= self.rows and len(batch) * longest <= most_tokens

        for batch in _batches(requests, lambda item: (decoding(item), len(item[0].tokens)), fits):
            rows = [request for request, _ in batch]
            prompts = [request.tokens for request in rows]
            # the common beginning, if it can be cached and is long enough
            shared = min(common(min(prompts), max(prompts)), min(map(len, prompts)) - 1)
            shared = shared if self.can_share and len(prompts) > 1 and shared >= LEAST_SHARED else 0
            ids_NT, mask_NT = self._pad(prompts, shared)
            processors: list[Any] = []
            if any(request.endings for request in rows):
                processors.append(RowEndings(rows, ids_NT.shape[1], self.weights.tokenizer, self.ends))
            if rows[0].temperature > 0:
                noise = RowNoise([request.seed for request in rows], self.model.device)
                processors += [TemperatureLogitsWarper(rows[0].temperature), TopPLogitsWarper(rows[0].top_p), noise]
            with torch.inference_mode():
                out_NT = self.model.generate(
                    input_ids=ids_NT,
                    attention_mask=mask_NT,
                    past_key_values=self._begun(rows[0].tokens[:shared], len(rows)) if shared else None,
                    max_new_tokens=rows[0].max_tokens,
                    eos_token_id=sorted(self.ends),
                    pad_token_id=self.pad,
                    do_sample=False,
                    logits_processor=LogitsProcessorList(processors),
                )
            for (_, result), tokens in zip(batch, out_NT[:, ids_NT.shape[1] :].tolist(), strict=True):
                result.set_result(Generation(*first_end(tokens, self.ends)))

    def serve_scores(self, requests: list[PendingScore]) -> None:
        """Score in batches of similar length, longest first; only completion positions pass through the output layer."""
        import torch

        vocabulary = self.model.get_output_embeddings().weight.shape[0]
        most_tokens, most_scored = self._tokens_a_batch(), LOGITS_A_BATCH // vocabulary

        def length(item: PendingScore) -> int:
            return len(item[0].tokens) + len(item[0].completion)

        def longest_completion(batch: list[PendingScore]) -> int:
            return max(len(request.completion) for request, _ in batch)

        def fits(batch: list[PendingScore]) -> bool:
            n = len(batch)
            n_padded, n_scored = n * length(batch[0]), n * longest_completion(batch)
            return n <= self.rows and n_padded <= most_tokens and n_scored <= most_scored

        for batch in _batches(requests, length, fits):
            ids_NT, mask_NT = self._pad([request.tokens + request.completion for request, _ in batch])
            longest = longest_completion(batch)
            with torch.inference_mode():
                logits_NCV = self.model(
                    input_ids=ids_NT,
                    attention_mask=mask_NT,
                    position_ids=(mask_NT.cumsum(dim=1) - 1).clamp(min=0),
                    logits_to_keep=longest + 1,  # from the position before the longest completion
                    use_cache=False,
                ).logits[:, :-1]
                targets_NC1 = ids_NT[:, ids_NT.shape[1] - longest :, None]
                logprobs_NC = logits_NCV.float().log_softmax(dim=-1).gather(-1, targets_NC1).squeeze(-1)
            for (request, result), logprobs in zip(batch, logprobs_NC.tolist(), strict=True):
                result.set_result(tuple(logprobs[longest - len(request.completion) :]))

    def free(self) -> None:
        """Release the model."""
        self.model = None
        self.beginnings = Beginnings()

    def _tokens_a_batch(self) -> int:
        """Padded tokens per batch; on a GPU, as many as fit the memory for keys and values."""
        import torch

        if self.model.device.type == "cpu":
            return TOKENS_A_BATCH
        free, _ = torch.cuda.mem_get_info(self.model.device)
        cached = torch.cuda.memory_reserved(self.model.device) - torch.cuda.memory_allocated(self.model.device)
        return int(SHARE_OF_FREE * (free + cached) / bytes_a_token(self.model))

    def _begun(self, beginning: tuple[int, ...], n_rows: int) -> Any:
        """Keys and values of the common beginning for each row; computed once, also for later batches."""
        import torch

        if self.beginnings.known(beginning) < len(beginning):
            ids_1T = torch.tensor([beginning], device=self.model.device)
            cache = self.model(input_ids=ids_1T, use_cache=True, logits_to_keep=1).past_key_values
            self.beginnings.keep(beginning, cache)
        return self.beginnings.repeated(beginning, n_rows)

    def _pad(self, prompts: list[tuple[int, ...]], shared: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask, shape (batch, longest): the common part, then padding, then the rest of each prompt."""
        import torch

        longest = max(map(len, prompts))
        ids = [[*p[:shared], *[self.pad] * (longest - len(p)), *p[shared:]] for p in prompts]
        mask = [[1] * shared + [0] * (longest - len(p)) + [1] * (len(p) - shared) for p in prompts]
        device = self.model.device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


class RowNoise:
    """Adds Gumbel noise to the scores of each row, from only that row's seed; the highest sum is then a sample.

    transformers draws all rows of a batch from one generator, so a reply would depend on the rest of its batch. This is a
    logits processor for greedy decoding; it must come after temperature and `top_p`. The Gumbel-max trick (Maddison et al.
    2014, arXiv 1411.0030, §2) changes a token only if two sums are within rounding error; inverting a cumulative
    distribution accumulates the errors of the whole vocabulary.
    """

    def __init__(self, seeds: list[int], device: torch.device) -> None:
        """One seed for each row."""
        import torch

        self.generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores, shape (rows, vocabulary), with noise.

        Raises:
            ModelError: A score is NaN.
        """
        import torch

        if scores.amax(dim=-1).isnan().any():
            raise ModelError(
                "The model's scores of the next token are no numbers (NaN), so nothing can be sampled. Check its weights, "
                "or take -M dtype=float32."
            )
        exponential_NV = torch.empty_like(scores)
        for row_V, generator in zip(exponential_NV, self.generators, strict=True):
            row_V.exponential_(generator=generator)
        return exponential_NV.log_().neg_().add_(scores)


class RowEndings:
    """Restricts each row to its endings, and then the end token, after its trigger words; before them, it changes nothing.

    So a greedy reply that ends with one of the endings anyway stays the same. Otherwise the model chooses the ending token by
    token, by probability.
    """

    def __init__(self, rows: list[Request], n_prompt: int, tokenizer: Any, ends: frozenset[int]) -> None:
        """Takes the requests in batch order, and the length of their padded prompts in tokens.

        Raises:
            ModelError: The tokenizer merges the trigger words with the text after them into one token.
        """
        self.rows, self.n_prompt, self.tokenizer, self.ends = rows, n_prompt, tokenizer, sorted(ends)
        self.endings: list[list[tuple[int, ...]]] = []
        """The tokens of each row's endings as they follow its trigger words."""
        for row in rows:
            self.endings.append([])
            for ending in row.endings:
                texts = (row.after, row.after + ending)
                trigger_ids, all_ids = (tokenizer.encode(text, add_special_tokens=False) for text in texts)
                if all_ids[: len(trigger_ids)] != trigger_ids:
                    raise ModelError(
                        f"The tokenizer joins {row.after!r} and {ending!r} after it into one token, so replies cannot be "
                        "restricted to the options. Take words that end before a space."
                    )
                self.endings[-1].append(tuple(all_ids[len(trigger_ids) :]))
        self.begun: dict[int, int] = {}
        """Rows that have produced their trigger words, with their number of tokens by then."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores, shape (rows, vocabulary), with minus infinity for tokens that must not follow."""
        import torch

        mask = torch.zeros_like(scores)
        for row, (request, tokens) in enumerate(zip(self.rows, input_ids[:, self.n_prompt :].tolist(), strict=True)):
            is_waiting = request.endings and row not in self.begun
            # tokens as many as the trigger has characters are enough to decode, instead of the whole reply each time
            if is_waiting and self.tokenizer.decode(tokens[-len(request.after) :]).endswith(request.after):
                self.begun[row] = len(tokens)
            if row in self.begun:
                tail = tuple(tokens[self.begun[row] :])
                n = len(tail)
                following = {ending[n] for ending in self.endings[row] if len(ending) > n and ending[:n] == tail}
                mask[row] = -torch.inf
                mask[row, sorted(following) or self.ends] = 0
        return scores + mask


def bytes_a_token(model: Any) -> int:
    """Bytes of one token's keys and values: for every layer, two vectors per key-value head."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * model.dtype.itemsize)


def _batches(items: Iterable[T], size: Callable[[T], Any], fits: Callable[[list[T]], bool]) -> Iterator[list[T]]:
    """Group items of similar size, largest first, each group as long as it fits; a single item always does."""
    batch: list[T] = []
    for item in sorted(items, key=size, reverse=True):
        if batch and not fits([*batch, item]):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


engines.add("torch", TorchEngine)
