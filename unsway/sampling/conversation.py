"""One conversation with a model through Inspect: turns become messages, and outputs become a reply.

In: a `Prompt` and a function that generates. Out: the model's outputs, and the `Reply` made from them. Both `unsway.sampling`
and Inspect's own `inspect eval` (`unsway.evals`) walk a prompt's turns here.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from unsway.errors import BadInput
from unsway.models.engines.base import AFTER, CHOICES
from unsway.models.session import LOCAL
from unsway.models.thoughts import shown_thought
from unsway.planning.budget import estimated_tokens
from unsway.prompts.render import letters_asked, options_shown
from unsway.readers.parse import read
from unsway.sampling.calls import is_metered
from unsway.stats.outcomes import first_is_wrong
from unsway.types import Pair, Prompt, Reply, Settings, Stop
from unsway.types.address import Address

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput

STOPS: dict[str, Stop] = {"stop": "end", "max_tokens": "length", "model_length": "length", "content_filter": "filter"}
"""Inspect's stop reasons and ours; all others are unknown."""
INSPECTS_NAMES = {"effort": "reasoning_effort", "thinking_budget": "reasoning_tokens"}
"""Fields of `Settings` that have another name in Inspect's generation config."""
UNKNOWN_LENGTH = Settings(max_tokens=sys.maxsize)
"""Settings for a reply whose maximum length is unknown; its stop reason is then the provider's."""


def settings_of(*configs: GenerateConfig) -> tuple[Settings, bool]:
    """The settings in Inspect's generation configs (later ones win), and whether they give temperature and length."""
    decoding: dict[str, Any] = {}
    for config in configs:
        for field in fields(Settings):
            value = getattr(config, INSPECTS_NAMES.get(field.name, field.name), None)  # not all exist in Inspect
            decoding |= {} if value is None else {field.name: value}
    return Settings(**decoding), decoding.keys() >= {"temperature", "max_tokens"}


def chat(prompt: Prompt, earlier: tuple[str, ...] = ()) -> list[ChatMessage]:
    """The messages of a prompt up to the model's next turn; `earlier` holds its replies in the turns before."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [kinds[message.role](content=message.content) for message in prompt.messages(earlier)]


async def walk(
    prompt: Prompt,
    generate: Callable[[list[ChatMessage], int], Awaitable[ModelOutput]],
    ends: Callable[[ModelOutput], bool],
) -> list[ModelOutput]:
    """Let the model write each of its turns, then its final reply.

    Args:
        prompt: The prompt.
        generate: Returns the model's output for the messages so far; the number is the turn's, from 0.
        ends: Whether the first output ends the conversation although other turns would follow.

    Returns:
        One output for each of the model's turns; the last one has the answer.
    """
    outputs: list[ModelOutput] = []
    for turn in range(prompt.n_model_turns + 1):
        messages = chat(prompt, tuple(text_of(output) for output in outputs))
        outputs.append(await generate(messages, turn))
        if turn == 0 < prompt.n_model_turns and ends(outputs[0]):
            break
    return outputs


def doubted(pairs: Iterable[Pair]) -> dict[str, Pair]:
    """Pairs that count only if the model's own first answer is right, by the id of the prompt that doubts the answer."""
    return {
        pair.biased.id: pair for pair in pairs if pair.rule.counts_if == "first_right" and pair.biased.n_model_turns
    }


async def converse(
    prompt: Prompt,
    address: Address,
    generate: Callable[[list[ChatMessage], int], Awaitable[ModelOutput]],
    begun: str = "",
    doubts: Pair | None = None,
) -> Reply:
    """Walk a prompt to its reply. If `doubts` is given, a wrong first answer ends it: that pair will not count."""

    def is_wrong(output: ModelOutput) -> bool:
        return doubts is not None and first_is_wrong(doubts, reply_of(address, [output]))

    unreported: list[tuple[int, int]] = []  # (tokens in, tokens out)

    async def generate_counted(messages: list[ChatMessage], turn: int) -> ModelOutput:
        """The output; its tokens are estimated if the provider reports none, because the reply would look free otherwise."""
        output = await generate(messages, turn)
        if not is_metered(output):
            text = "".join(choice.message.text for choice in output.choices)
            thought = shown_thought(output, address.model, "unknown").text if output.choices else ""
            n_characters = sum(len(message.text) for message in messages)
            max_tokens = address.settings.max_tokens
            unreported.append((estimated_tokens(n_characters), min(estimated_tokens(len(text + thought)), max_tokens)))
        return output

    outputs = await walk(prompt, generate_counted, is_wrong)
    if len(outputs) <= prompt.n_model_turns:
        reply = replace(reply_of(address, outputs), stop="first_wrong")
    else:
        reply = reply_of(address, outputs, begun)
        words = address.settings.force_answer
        # after a thought, which a chat template may remove from the turn, an answer would not be the model's
        if words is not None and reply.thought == "none":
            reading = read(reply.text, options=options_shown(prompt), stop=reply.stop)
            if reading.choice is None:
                reply = await _force_answer(prompt, address, reply, words, generate_counted)
    unreported_in, unreported_out = (sum(tokens) for tokens in zip((0, 0), *unreported, strict=True))
    return replace(
        reply,
        tokens_in=reply.tokens_in + unreported_in,
        tokens_out=reply.tokens_out + unreported_out,
        tokens_estimated=bool(unreported),
    )


async def _force_answer(
    prompt: Prompt,
    address: Address,
    reply: Reply,
    words: str,
    generate: Callable[[list[ChatMessage], int], Awaitable[ModelOutput]],
) -> Reply:
    """The reply followed by the words and the option that the model chooses; unchanged if that option is cut off."""
    from inspect_ai.model import ChatMessageAssistant

    beginning = f"{reply.text}\n{words}" if reply.text else words
    messages = [*chat(prompt, reply.turns), ChatMessageAssistant(content=beginning)]
    answer = reply_of(address, [await generate(messages, prompt.n_model_turns + 1)])
    if answer.stop == "length":
        return reply
    return replace(
        reply,
        text=beginning + answer.text,
        stop="forced",
        tokens_in=reply.tokens_in + answer.tokens_in,
        tokens_out=reply.tokens_out + answer.tokens_out,
    )


def choices(prompt: Prompt, turn: int, model: str, settings: Settings) -> dict[str, Any] | None:
    """The choices for a turn in its request's extra body, for local models.

    These are the letters of an answer turn, or the options after the words in the settings. If an answer is forced, the
    options follow at once in the turn after the last. None for hosted models.

    Raises:
        BadInput: Replies are restricted to options, but the prompt shows none.
    """
    if not model.startswith(LOCAL):
        return None
    letters = letters_asked(prompt) if turn == prompt.n_model_turns else ()
    if letters:
        return {CHOICES: list(letters)}
    if settings.options_after is None:
        return None
    options = options_shown(prompt)
    if not options or not all(options):
        raise BadInput(f"Prompt {prompt.id} shows no options that replies could be kept to. Leave options_after out.")
    return {CHOICES: list(options), AFTER: settings.options_after if turn <= prompt.n_model_turns else ""}


def opening(prompt: Prompt, turn: int, settings: Settings) -> str:
    """The text with which the model's answer to a turn begins: for an answer turn, the one in the settings; else empty."""
    is_begun = settings.letter_begins and turn == prompt.n_model_turns and letters_asked(prompt)
    return settings.letter_begins or "" if is_begun else ""


def reply_of(address: Address, outputs: Sequence[ModelOutput], begun: str = "") -> Reply:
    """The reply at an address, from the outputs of `walk`; the text that began it, if any, is put before it."""
    last = outputs[-1]
    usages = [output.usage for output in outputs if output.usage is not None]
    stops = [stop_of(output, address.settings.max_tokens) for output in outputs]
    *earlier, thought = [
        shown_thought(output, address.model, stop) for output, stop in zip(outputs, stops, strict=True)
    ]
    reasoning_tokens = [usage.reasoning_tokens for usage in usages if usage.reasoning_tokens is not None]
    return Reply(
        prompt_id=address.prompt_id,
        model=address.model,
        weights=address.weights,
        sample=address.sample,
        text=text_of(last) if text_of(last).startswith(begun) else begun + text_of(last),
        reasoning=valid(thought.text) or None,
        turns=tuple(text_of(output) for output in outputs[:-1]),
        stop=stops[-1],
        settings=address.settings,
        # Inspect counts tokens from a provider's cache separately
        tokens_in=sum(
            usage.input_tokens + (usage.input_tokens_cache_read or 0) + (usage.input_tokens_cache_write or 0)
            for usage in usages
        ),
        tokens_out=sum(usage.output_tokens for usage in usages),
        thought=thought.kind,
        reasoning_tokens=sum(reasoning_tokens) if reasoning_tokens else None,
        reported_model=last.model,
        asked_on=datetime.now(UTC).date().isoformat(),
        turn_stops=tuple(stops[:-1]),
        turn_reasoning=tuple(valid(thought.text) for thought in earlier),
        turn_thoughts=tuple(thought.kind for thought in earlier),
    )


def stop_of(output: ModelOutput, max_tokens: int) -> Stop:
    """Why an output ended; one that used all its allowed tokens was cut, whatever its server says."""
    is_cut = output.usage is not None and output.usage.output_tokens >= max_tokens
    return "length" if is_cut else STOPS.get(output.stop_reason, "unknown")


def cut_if_full(output: ModelOutput, max_tokens: int | None) -> ModelOutput:
    """The output marked as cut if it used all its allowed tokens; otherwise unchanged."""
    if not output.choices or max_tokens is None or stop_of(output, max_tokens) != "length":
        return output
    choice = output.choices[0].model_copy(update={"stop_reason": "max_tokens"})
    return output.model_copy(update={"choices": [choice]})


def text_of(output: ModelOutput) -> str:
    """The text of an output."""
    return valid(output.completion)


def valid(text: str) -> str:
    """A text as valid Unicode: lone surrogates become question marks, so the text can be written."""
    return text.encode("utf-8", "replace").decode("utf-8")
