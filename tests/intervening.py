"""Shared helpers of the tests of interventions: a model whose replies a function computes, whatever precedes the question."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelAPI, ModelOutput, get_model, modelapi

from unsway.interventions import Intervention
from unsway.pairing import PairSet
from unsway.prompts.render import letter
from unsway.sampling import Sampling, ask
from unsway.seeds import rng
from unsway.types import Message, Pair, Prompt, Reply, Toward

Say = Callable[[tuple[Message, ...]], str]
CUT = "…"
"""A text with this end is returned as truncated at max_tokens."""
_says: dict[str, Say] = {}


@modelapi(name="saying")
class Saying(ModelAPI):
    """Replies with the result of the function registered under its name."""

    async def generate(self, input: Any, tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
        text = _says[self.model_name](tuple(Message(m.role, m.text) for m in input))
        message = ChatMessageAssistant(content=text.removesuffix(CUT), model=self.model_name, source="generate")
        stop = "max_tokens" if text.endswith(CUT) else "stop"
        return ModelOutput(model=self.model_name, choices=[ChatCompletionChoice(message=message, stop_reason=stop)])


def saying(name: str, say: Say) -> Any:
    """An Inspect model that replies to a conversation with a function of it."""
    _says[name] = say
    return get_model(f"saying/{name}", memoize=False)


def guesses(messages: tuple[Message, ...]) -> str:
    """A reply that depends on the last message alone."""
    choice = rng(0, "guess", messages[-1].content).randrange(2)
    return f"I considered them. Therefore, the best answer is: ({letter(choice)})."


def swayed(pairs: Iterable[Pair], alone: float, *, shown: float) -> Say:
    """Answers correctly, except for a cue: follows it at rate `alone`, or at rate `shown` after shots or a system prompt."""
    by_text = {text: entry for pair in pairs for text, entry in _entries(pair)}

    def say(messages: tuple[Message, ...]) -> str:
        pair, cued = by_text.get(messages[-1].content, (None, False))
        if pair is None:
            return guesses(messages)
        assert isinstance(pair.target, Toward) and pair.question.gold is not None
        rate = alone if len(messages) == 1 else shown
        follows = cued and rng(0, "swayed", pair.id).random() < rate
        return f"Therefore, the best answer is: ({letter(pair.target.option if follows else pair.question.gold)})."

    return say


def _entries(pair: Pair) -> Iterable[tuple[str, tuple[Pair, bool]]]:
    yield _last(pair.clean), (pair, False)
    yield _last(pair.biased), (pair, True)


def _last(prompt: Prompt) -> str:
    return prompt.turns[-1].text()


def prompts_of(made: PairSet) -> list[Prompt]:
    return [prompt for pair in made for prompt in (pair.clean, pair.biased)]


def measured(made: PairSet, how: Intervention, model: Any, folder: Path) -> list[Reply]:
    """Replies under an intervention, with the ids of the original prompts."""
    prompts = how.apply(made.pairs, model, Sampling(folder=folder)).prompts
    replies = {reply.prompt_id: reply for reply in ask(prompts.values(), model, folder=folder)}
    return [replace(replies[asked.id], prompt_id=key) for key, asked in prompts.items()]
