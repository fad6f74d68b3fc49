"""Our own Inspect provider for local models: `unsway/NAME` answers through an engine, batched, templated once.

In: Inspect's chat messages and generation config. Out: Inspect's `ModelOutput` with true stop reasons and token counts.
Inspect finds it by the entry point `inspect_ai`; `inspect eval … --model unsway/smollm2-135m` works once installed.
Source of the interface: Inspect AI's extension guide (ModelAPI).
"""

from __future__ import annotations

import asyncio

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from unsway.errors import ModelError, UnknownName
from unsway.models.engines.base import Ask, Engine, Said
from unsway.models.engines.gguf_export import unfit
from unsway.models.weights import Dtype, Weights, known_dtype, locate
from unsway.types import Message, Role

ENGINES = ("auto", "openvino", "torch")
MAX_TOKENS = 1000
"""The longest reply where the caller names none, as in `types.Settings`."""


class LocalModel(ModelAPI):
    """A model whose weights are here. Model arguments: `engine` (auto, torch or openvino), `dtype` (float32 or bfloat16)."""

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
        self.engine = make_engine(self.weights, engine, known_dtype(dtype))

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """One reply to a conversation."""
        if tools:
            raise ModelError("The local provider calls no tools. Take them out of the task, or use another provider.")
        tokens = self.weights.encode(tuple(Message(_role(m), m.text) for m in input))
        longest = self.weights.context - len(tokens)
        if longest < 1:
            raise ModelError(
                f"A prompt of {len(tokens)} tokens does not fit {self.model_name!r}, whose context is "
                f"{self.weights.context} tokens. Take shorter questions or fewer demos."
            )
        ask = Ask(
            tokens=tokens,
            max_tokens=min(config.max_tokens or MAX_TOKENS, longest),
            temperature=config.temperature or 0.0,
            top_p=1.0 if config.top_p is None else config.top_p,
            seed=(config.seed or 0) % 2**31,
        )
        said = await asyncio.wrap_future(self.engine.submit(ask))
        return self._output(said, len(tokens))

    def _output(self, said: Said, tokens_in: int) -> ModelOutput:
        text = self.weights.tokenizer.decode(list(said.tokens), skip_special_tokens=True)
        message = ChatMessageAssistant(content=text, model=self.model_name, source="generate")
        usage = ModelUsage(
            input_tokens=tokens_in, output_tokens=len(said.tokens), total_tokens=tokens_in + len(said.tokens)
        )
        choice = ChatCompletionChoice(message=message, stop_reason="stop" if said.stop == "end" else "max_tokens")
        return ModelOutput(model=self.model_name, choices=[choice], usage=usage)

    def max_connections(self) -> int:
        """As many prompts as the engine likes to choose its batches from."""
        return self.engine.most_waiting

    async def count_text_tokens(self, text: str) -> int:
        """Tokens of a text by the model's own tokenizer (Inspect's default would download one)."""
        return len(self.weights.tokenizer.encode(text))

    def close(self) -> None:
        """End the engine's worker and let go of the weights."""
        self.engine.close()


def make_engine(weights: Weights, engine: str = "auto", dtype: Dtype = "float32") -> Engine:
    """The engine of that name; auto takes openvino where it is installed, fits the model and there is no GPU."""
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if engine == "openvino" or (engine == "auto" and _openvino_fits(weights)):
        from unsway.models.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(weights, dtype)
    from unsway.models.engines.torch import TorchEngine

    return TorchEngine(weights, dtype)


def _openvino_fits(weights: Weights) -> bool:
    from importlib.util import find_spec

    import torch

    return find_spec("openvino_genai") is not None and not torch.cuda.is_available() and unfit(weights) is None


def _role(message: ChatMessage) -> Role:
    if message.role == "tool":
        raise ModelError("The local provider takes no tool messages.")
    return message.role
