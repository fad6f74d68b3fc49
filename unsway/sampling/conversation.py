"""Between our prompts and replies and Inspect's messages and outputs.

In: a `Prompt` and what the model said so far; a model's outputs. Out: chat messages; a `Reply`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unsway.store import Asked
from unsway.types import Prompt, Reply, Stop

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput, ModelUsage

STOPS: dict[str, Stop] = {"stop": "end", "max_tokens": "length", "model_length": "length", "content_filter": "filter"}
"""Inspect's stop reasons in our words; others are unknown."""


def chat(prompt: Prompt, said: tuple[str, ...]) -> list[Any]:
    """The messages of a prompt up to where the model speaks next."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [kinds[m.role](content=m.content) for m in prompt.messages(said)]


def reply_of(asked: Asked, outputs: Sequence[ModelOutput]) -> Reply:
    """What a model said at an address: one output for each turn in which it speaks, the last is the reply that is read."""
    last = outputs[-1]
    usages = [output.usage for output in outputs if output.usage is not None]
    return Reply(
        prompt_id=asked.prompt_id,
        model=asked.model,
        weights=asked.weights,
        sample=asked.sample,
        text=text_of(last),
        reasoning=_reasoning(last),
        turns=tuple(text_of(output) for output in outputs[:-1]),
        stop=_stop(last, asked),
        settings=replace(asked.settings),
        tokens_in=sum(_read(usage) for usage in usages),
        tokens_out=sum(usage.output_tokens for usage in usages),
    )


def _stop(last: ModelOutput, asked: Asked) -> Stop:
    """Why a reply ended: one that took every token it was allowed was cut, whatever its server says."""
    used = last.usage.output_tokens if last.usage is not None else 0
    return "length" if used >= asked.settings.max_tokens else STOPS.get(last.stop_reason, "unknown")


def _read(usage: ModelUsage) -> int:
    """Prompt tokens, those that came from a provider's cache too (Inspect counts them apart)."""
    return usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)


def text_of(output: ModelOutput) -> str:
    """The reply's text as valid Unicode (a lone surrogate becomes a question mark, so that it can be kept)."""
    return output.completion.encode("utf-8", "replace").decode("utf-8")


def _reasoning(output: ModelOutput) -> str | None:
    content = output.message.content if output.choices else ""
    texts = [part.reasoning for part in content if part.type == "reasoning"] if isinstance(content, list) else []
    return "\n".join(texts) or None
