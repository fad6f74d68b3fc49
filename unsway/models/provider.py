"""Our own Inspect provider for local models: `unsway/NAME` generates through an engine, in batches, with one chat template.

In: Inspect's chat messages and generation config. Out: Inspect's `ModelOutput` with true stop reasons and token counts.
Inspect finds it through the entry point `inspect_ai`; once installed, `inspect eval … --model unsway/smollm2-135m` works.
Source of the interface: Inspect AI's extension guide (ModelAPI).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    Content,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from unsway.errors import ModelError
from unsway.models.engines.base import (
    AFTER,
    CHOICES,
    Engine,
    Generation,
    Request,
    ScoreRequest,
    known_engine,
    make_engine,
)
from unsway.models.weights import known_dtype, locate
from unsway.prompts.render import letter
from unsway.readers.channels import split
from unsway.types import Message

MAX_TOKENS = 1000
"""Longest reply if the caller gives no limit, as in `types.Settings`."""

PREFILL = "("
"""The beginning of the reply to an answer turn."""

OPENED_WITHIN = 16
"""Tokens at the end of a prompt that are searched for a thought opened by the chat template."""


def content_of(tokenizer: Any, prompt: Sequence[int], tokens: Sequence[int]) -> str | list[Content]:
    """A local model's reply: its text, or thought and text separately if special tokens mark them.

    Args:
        tokenizer: The model's tokenizer.
        prompt: Tokens of the prompt; a chat template may open a thought at its end.
        tokens: Tokens of the reply.

    Returns:
        The text without special tokens, with thoughts between their marks. If removing special tokens would remove the
        marks, the thought is a separate part. A thought that never closes keeps its mark, or gets one, so it is not
        mistaken for the reply.
    """
    text: str = tokenizer.decode(list(tokens), skip_special_tokens=True)
    marked: str = tokenizer.decode(list(tokens), skip_special_tokens=False)
    kind = split(text).thought_kind
    channels = split(marked)
    if channels.thought_kind == "cut":
        return text if kind == "cut" else marked
    if channels.thought_kind == "full":
        closing = marked[channels.thought_span[1] : channels.said_span[0]].strip()
        is_kept = closing in text
        return text if is_kept else [ContentReasoning(reasoning=channels.thought), ContentText(text=channels.said)]
    return opened_thought(tokenizer.decode(list(prompt[-OPENED_WITHIN:]), skip_special_tokens=False)) + text


@lru_cache(maxsize=1024)
def opened_thought(end: str) -> str:
    """The opening mark of a thought at the end of a prompt; empty if the prompt opens none."""
    tails = ((end[start:], split(end[start:])) for start in range(len(end) - 1, -1, -1))
    return next((mark for mark, channels in tails if channels.thought_kind == "cut" and not channels.thought), "")


def endings(options: Sequence[str]) -> tuple[str, ...]:
    """The possible endings of a reply with an option: its words, with and without its letter."""
    return tuple(f" {letter_}{text}." for i, text in enumerate(options) for letter_ in ("", f"({letter(i)}) "))


class LocalModel(ModelAPI):
    """A model with local weights. Model arguments: `engine` (auto or a name), `dtype` (float32 or bfloat16)."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
        engine: str = "auto",
        dtype: str = "float32",
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.weights = locate(model_name)
        self._engine = known_engine(engine), known_dtype(dtype)

    @cached_property
    def engine(self) -> Engine:
        """The engine, loaded at first use, because Inspect makes extra instances only to look up a model's context length."""
        return make_engine(self.weights, *self._engine)

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """One reply to a conversation.

        Raises:
            ModelError: Tools are given, or the prompt does not fit the model's context.
        """
        if tools:
            raise ModelError("The local provider calls no tools. Take them out of the task, or use another provider.")
        messages = []
        for message in input:
            if message.role == "tool":
                raise ModelError("The local provider takes no tool messages.")
            messages.append(Message(message.role, message.text))
        body = config.extra_body or {}
        letters = () if AFTER in body else body.get(CHOICES)
        if letters:
            messages.append(Message("assistant", PREFILL))
        prompt = self.weights.encode(tuple(messages))
        longest = self.weights.context - len(prompt)
        if longest < 1:
            raise ModelError(
                f"A prompt of {len(prompt)} tokens does not fit {self.model_name!r}, whose context is "
                f"{self.weights.context} tokens. Take shorter questions or fewer demos."
            )
        request = Request(
            tokens=prompt,
            max_tokens=min(config.max_tokens or MAX_TOKENS, longest),
            temperature=config.temperature or 0.0,
            top_p=1.0 if config.top_p is None else config.top_p,
            # where none is named each reply is another draw, as of any provider: epochs would otherwise be copies
            seed=secrets.randbits(31) if config.seed is None and config.temperature else (config.seed or 0) % 2**31,
            after=body.get(AFTER, ""),
            endings=endings(body[CHOICES]) if AFTER in body else (),
        )
        content: str | list[Content]
        if letters and self.engine.can_score:
            content, generation = await self._likeliest(messages[:-1], letters)
        else:
            generation = await asyncio.wrap_future(self.engine.submit(request))
            content = content_of(self.weights.tokenizer, prompt, generation.tokens)
            content = PREFILL + content if letters and isinstance(content, str) else content
        answer = ChatMessageAssistant(content=content, model=self.model_name, source="generate")
        choice = ChatCompletionChoice(message=answer, stop_reason="stop" if generation.stop == "end" else "max_tokens")
        n_in, n_out = len(prompt), len(generation.tokens)
        usage = ModelUsage(input_tokens=n_in, output_tokens=n_out, total_tokens=n_in + n_out)
        return ModelOutput(model=self.model_name, choices=[choice], usage=usage)

    async def _likeliest(self, messages: list[Message], letters: Sequence[str]) -> tuple[str, Generation]:
        """The letter with the highest probability after the prefill, tokenized as the model's tokenizer writes it."""
        prompts = [self.weights.encode((*messages, Message("assistant", PREFILL + letter))) for letter in letters]
        shared = next(
            (i for i, ids in enumerate(zip(*prompts, strict=False)) if len(set(ids)) > 1), min(map(len, prompts))
        )
        futures = [self.engine.score(ScoreRequest(ids[:shared], ids[shared:])) for ids in prompts]
        logprobs = [await asyncio.wrap_future(future) for future in futures]
        best = max(range(len(letters)), key=lambda i: sum(logprobs[i]))
        return f"{PREFILL}{letters[best]})", Generation(prompts[best][shared:], "end")

    def max_connections(self) -> int:
        """The number of prompts that the engine wants in its queue."""
        return self.engine.most_waiting

    async def count_text_tokens(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer (Inspect's default would download one)."""
        return len(self.weights.tokenizer.encode(text))

    def close(self) -> None:
        """Stop the engine's worker and release the weights."""
        if "engine" in vars(self):
            self.engine.close()
