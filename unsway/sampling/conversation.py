"""One conversation with a model through Inspect: turns in, messages; outputs, reply out.

In: a `Prompt` and something that generates. Out: the model's outputs, and the `Reply` that they make. Both ways in which a
prompt is asked, `unsway.sampling` and Inspect's own `inspect eval` (`unsway.evals`), walk its turns here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from unsway.models.thoughts import shown_thought
from unsway.store import Address
from unsway.types import Prompt, Reply, Stop

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, ModelOutput

STOPS: dict[str, Stop] = {"stop": "end", "max_tokens": "length", "model_length": "length", "content_filter": "filter"}
"""Inspect's stop reasons in our words; any other is unknown."""


def chat(prompt: Prompt, earlier: tuple[str, ...] = ()) -> list[ChatMessage]:
    """The messages of a prompt up to the model's next turn; `earlier` is what it said in its turns before."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [kinds[message.role](content=message.content) for message in prompt.messages(earlier)]


async def walk(
    prompt: Prompt, generate: Callable[[list[ChatMessage], int], Awaitable[ModelOutput]]
) -> list[ModelOutput]:
    """Let the model speak in each of its turns, then once more.

    Args:
        prompt: What is asked.
        generate: Gives the model's output to the messages so far; the number is that of the turn, from 0.

    Returns:
        One output for each time that the model spoke; the last one holds the answer.
    """
    outputs: list[ModelOutput] = []
    for turn in range(prompt.n_model_turns + 1):
        messages = chat(prompt, tuple(text_of(output) for output in outputs))
        outputs.append(await generate(messages, turn))
    return outputs


def reply_of(address: Address, outputs: Sequence[ModelOutput]) -> Reply:
    """The reply at an address, from the outputs of `walk`."""
    last = outputs[-1]
    usages = [output.usage for output in outputs if output.usage is not None]
    # a reply that took every token it was allowed was cut, whatever its server says
    cut = last.usage is not None and last.usage.output_tokens >= address.settings.max_tokens
    stop: Stop = "length" if cut else STOPS.get(last.stop_reason, "unknown")
    thought = shown_thought(last, address.model, stop)
    thinking = [usage.reasoning_tokens for usage in usages if usage.reasoning_tokens is not None]
    return Reply(
        prompt_id=address.prompt_id,
        model=address.model,
        weights=address.weights,
        sample=address.sample,
        text=text_of(last),
        reasoning=thought.text.encode("utf-8", "replace").decode("utf-8") or None,
        turns=tuple(text_of(output) for output in outputs[:-1]),
        stop=stop,
        settings=address.settings,
        # Inspect counts tokens that came from a provider's cache apart
        tokens_in=sum(
            usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            for usage in usages
        ),
        tokens_out=sum(usage.output_tokens for usage in usages),
        thought=thought.kind,
        reasoning_tokens=sum(thinking) if thinking else None,
        reported_model=last.model,
        asked_on=datetime.now(UTC).date().isoformat(),
    )


def text_of(output: ModelOutput) -> str:
    """The text of an output as valid Unicode: a lone surrogate becomes a question mark, so that it can be written."""
    return output.completion.encode("utf-8", "replace").decode("utf-8")
