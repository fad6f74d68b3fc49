"""vLLM in this process, if it is installed: continuous batching and cached prefixes on a GPU (`--engine vllm`).

In: `Weights`; an adapter stays separate (`LoRARequest`), and vLLM must support its rank. Out: replies, and log-probabilities
of given tokens at temperature 1. `auto` never chooses it: it follows vLLM's documented interface, but we have **not run it
on a GPU**. So first compare ten greedy replies with those of the torch engine.
https://docs.vllm.ai/en/latest/api/vllm/entrypoints/llm/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unsway.errors import BadInput
from unsway.extras import requires
from unsway.models.adapters import ADAPTER_FILE, check_adapter
from unsway.models.engines.base import Engine, Generation, Pending, PendingScore, Request, engines, first_end
from unsway.models.weights import Dtype, Weights
from unsway.store import loads, why

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Accepted values of vLLM's `--max-lora-rank` (https://docs.vllm.ai/en/latest/api/vllm/config/lora/)."""


class VllmEngine(Engine):
    """Generates with vLLM's `LLM`, all waiting requests at a time."""

    name = "vllm"
    can_score = True
    most_waiting = 1024

    def __init__(self, weights: Weights, dtype: Dtype = "float32") -> None:
        super().__init__(weights, dtype)
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")  # else it reports the machine and the model to its makers
        with requires("vllm", "The vllm engine"):
            import vllm
            from vllm.lora.request import LoRARequest
        lora: dict[str, Any] = {}
        self.adapter = None
        if weights.adapter is not None:
            lora = {"enable_lora": True, "max_loras": 1, "max_lora_rank": max_lora_rank(weights.adapter)}
            check_adapter(weights.folder, weights.adapter)
            self.adapter = LoRARequest("adapter", 1, str(weights.adapter))
        self.ends = weights.ends
        # use vLLM's own sampling defaults, not those of a model's generation_config.json
        self.llm: Any = vllm.LLM(model=str(weights.folder), dtype=dtype, generation_config="vllm", **lora)

    def serve(self, requests: list[Pending]) -> None:
        """Answer all requests; vLLM batches them as its memory allows."""
        outputs = self._run(
            [request.tokens for request, _ in requests], [self._sampling(request) for request, _ in requests]
        )
        for (_, result), output in zip(requests, outputs, strict=True):
            result.set_result(Generation(*first_end(output.outputs[0].token_ids, self.ends)))

    def serve_scores(self, requests: list[PendingScore]) -> None:
        """Score completions as the end of a prompt; the one token that vLLM then generates is ignored."""
        from vllm import SamplingParams

        params = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
        outputs = self._run([request.tokens + request.completion for request, _ in requests], [params] * len(requests))
        for (request, result), output in zip(requests, outputs, strict=True):
            positions = range(len(request.tokens), len(request.tokens) + len(request.completion))
            targets = zip(positions, request.completion, strict=True)
            result.set_result(
                tuple(float(output.prompt_logprobs[position][token].logprob) for position, token in targets)
            )

    def free(self) -> None:
        """Release the model and its memory."""
        self.llm = None

    def _sampling(self, request: Request) -> Any:
        """The sampling parameters of vLLM for one prompt; a sampled reply uses its own seed."""
        from vllm import SamplingParams

        seed = request.seed if request.temperature > 0 else None
        return SamplingParams(
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            seed=seed,
            stop_token_ids=sorted(self.ends),
            detokenize=False,
        )

    def _run(self, prompts: list[tuple[int, ...]], sampling: list[Any]) -> list[Any]:
        """Run vLLM on prompts of tokens; returns its outputs in order."""
        inputs = [{"prompt_token_ids": list(tokens)} for tokens in prompts]
        outputs: list[Any] = self.llm.generate(inputs, sampling, use_tqdm=False, lora_request=self.adapter)
        return outputs


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """The fields of a LoRA adapter's `adapter_config.json` that matter to vLLM; others are ignored."""

    r: int
    rank_pattern: Mapping[str, int] | None = None
    modules_to_save: Any = None
    use_dora: bool | None = False
    bias: str = "none"


def max_lora_rank(adapter: str | Path) -> int:
    """The smallest `--max-lora-rank` of vLLM that fits an adapter.

    Raises:
        BadInput: None fits, the config is damaged, or vLLM does not support that rank or kind; the message says what to do.
    """
    path = Path(adapter) / ADAPTER_FILE
    if not path.is_file():
        raise BadInput(f"{str(adapter)!r} holds no adapter ({ADAPTER_FILE} is missing). `unsway train` makes one.")
    try:
        config = loads(LoraConfig, path.read_bytes())
    except ValueError as error:
        raise BadInput(f"{path} is damaged, or of no LoRA adapter ({why(error)}); vLLM takes no other.") from None
    rank = max([config.r, *(config.rank_pattern or {}).values()])
    unsupported = [name for name in ("modules_to_save", "use_dora") if getattr(config, name)]
    unsupported += ["bias"] if config.bias != "none" else []
    merge = f"Merge it (`unsway export {adapter} --out FOLDER`) and serve FOLDER as a model of its own."
    if unsupported:
        raise BadInput(f"vLLM takes no adapter with {', '.join(unsupported)}, and {str(adapter)!r} has it. {merge}")
    if rank > VLLM_RANKS[-1]:
        raise BadInput(
            f"{str(adapter)!r} has rank {rank}; vLLM takes at most {VLLM_RANKS[-1]} (--max-lora-rank is one of "
            f"{', '.join(map(str, VLLM_RANKS))}). {merge}"
        )
    return next(size for size in VLLM_RANKS if size >= rank)


engines.add("vllm", VllmEngine)
