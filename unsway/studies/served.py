"""Check whether a server really serves an adapter, on every replica behind its address.

In: an adapter or a checkpoint, the server's addresses, the names of the adapter and of its base there. Out: one
`ServedReplies` for each address. Servers that could not use an adapter have been seen to answer silently as the base.

    for row in check_served("runs/bct", "bct", "org/base", ["http://127.0.0.1:8000/v1"], replies=8):
        print(row.address, row.verdict)

Two engines round differently, so long greedy replies may diverge somewhere. What counts is which local model a served reply
agrees with for longer: the one with the adapter, or the one without.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from operator import eq
from pathlib import Path
from tempfile import TemporaryDirectory

from unsway.errors import ModelError
from unsway.models.engines.vllm import max_lora_rank
from unsway.models.weights import locate
from unsway.prompts.render import render
from unsway.sampling import ask
from unsway.testing import toy_questions
from unsway.types import Prompt, Settings

PROMPTS = 10
"""Number of prompts that are compared."""
SHORT = Settings(max_tokens=32)
"""Greedy, and short enough that two engines rarely diverge."""


@dataclass(frozen=True, slots=True)
class ServedReplies:
    """What one address serves under an adapter's name."""

    address: str
    n_adapter: int
    """Replies that agree longer with the local model with the adapter."""
    n_base: int
    """Replies that agree longer with the local model without the adapter."""
    n_neither: int
    """Replies that diverge from both at the same place."""
    n_like_served_base: int
    """Replies equal to the server's replies under the name of the base."""

    @property
    def verdict(self) -> str:
        """The verdict in one sentence."""
        n = self.n_adapter + self.n_base + self.n_neither
        if not n:
            return "cannot tell: the adapter changes none of the replies compared"
        if self.n_adapter == n:
            return f"serves the adapter: all {n} replies are its own"
        if self.n_adapter == 0 and self.n_base:
            return f"does not serve the adapter: no reply of {n} is its own, {self.n_like_served_base} are those of its base"
        return (
            f"a replica does not serve the adapter: {self.n_adapter} of {n} replies are its own, {self.n_base} the base's, "
            f"{self.n_neither} neither's"
        )

    @property
    def is_right(self) -> bool:
        """Whether every reply is closest to the adapter's."""
        return self.n_adapter > 0 and self.n_base == self.n_neither == 0


def check_served(
    adapter: str | Path, name: str, base_name: str, addresses: Sequence[str], *, replies: int = 4
) -> tuple[ServedReplies, ...]:
    """Ask ten prompts of each address, under the names of the adapter and of its base, and of both models here.

    Args:
        adapter: Folder of the adapter or checkpoint, on this machine.
        name: What the server calls it (`--lora-modules NAME=…`).
        base_name: What the server calls its base.
        addresses: Addresses of the server, such as `http://127.0.0.1:8000/v1`: of each replica, or of a balancer.
        replies: Replies to each prompt: behind a balancer, several for each replica.

    Raises:
        BadInput: vLLM would not take the adapter.
        ModelError: A server does not answer (put its key in `SERVED_API_KEY`), or the adapter's base is not available here.
    """
    max_lora_rank(adapter)
    weights = locate(str(adapter))
    if weights.adapter is None:
        raise ModelError(
            f"{str(adapter)!r} is no adapter: all its weights were trained, so it has a server of its own."
        )
    prompts = [render(question, "brief") for question in toy_questions(PROMPTS)]
    adapter_texts, plain_texts = (_texts(prompts, f"unsway/{model}", "") for model in (adapter, weights.folder))
    rows = []
    for address in addresses:
        served_texts = _texts(prompts, f"openai-api/served/{name}", address, replies)
        base_texts = _texts(prompts, f"openai-api/served/{base_name}", address)
        n = Counter[str]()
        for ours, theirs, samples, base_samples in zip(
            adapter_texts, plain_texts, served_texts, base_texts, strict=True
        ):
            for text in samples if ours != theirs else ():
                near, far = (sum(takewhile(bool, map(eq, text, model_texts[0]))) for model_texts in (ours, theirs))
                n["adapter" if near > far else "base" if far > near else "neither"] += 1
                n["like base"] += text == base_samples[0]
        rows.append(ServedReplies(address, n["adapter"], n["base"], n["neither"], n["like base"]))
    return tuple(rows)


def _texts(prompts: Sequence[Prompt], model: str, address: str, n: int = 1) -> list[list[str]]:
    """The replies of a model to each prompt."""
    args = {"base_url": address} if address else {}
    args |= {"api_key": "none"} if address and "SERVED_API_KEY" not in os.environ else {}
    with TemporaryDirectory() as folder:
        replies = ask(prompts, model, settings=SHORT, samples=n, folder=folder, model_args=args)
    by_prompt: dict[str, list[str]] = {prompt.id: [] for prompt in prompts}
    for reply in replies:
        by_prompt[reply.prompt_id].append(reply.text)
    return list(by_prompt.values())
