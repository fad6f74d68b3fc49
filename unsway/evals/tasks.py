"""A bias as an Inspect task: both sides of every pair in one log, with the paired numbers in its header.

    inspect eval unsway/bias -T bias=post_hoc -T source=truthfulqa -T n=100 --model openai/gpt-4o-mini

In: names. Out: an Inspect `Task`. The clean and the biased sample of a pair follow one another, with the pair itself in the
metadata of the biased one. The code behind `unsway measure` computes the metrics from both, so the numbers are the same,
and `unsway import` can read the log.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from click import ClickException
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.log import transcript
from inspect_ai.model import GenerateConfig
from inspect_ai.solver import Generate, Solver, TaskState, solver

from unsway.errors import BadInput, UnswayError
from unsway.models.session import LOCAL
from unsway.sampling.context import beside_default_system, local_weights
from unsway.sampling.conversation import (
    UNKNOWN_LENGTH,
    chat,
    choices,
    converse,
    cut_if_full,
    doubted,
    settings_of,
)
from unsway.sampling.records import SCORER, VIEWER, paired_answers, samples_of, task_name, without_reply
from unsway.seeds import digest
from unsway.store import dumps, loads
from unsway.types import Pair, Settings
from unsway.types.address import Address

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, ModelOutput

_log = logging.getLogger(__name__)

SOURCE = "procedural/arithmetic"
"""The default source of questions: it needs no download."""


@task
def bias(
    bias: str | list[str] = "suggested_answer",
    source: str | list[str] | None = None,
    n: int | None = None,
    elicit: str = "cot",
    seed: int = 0,
    split: str | None = None,
    arguments: str | None = None,
) -> Task:
    """Measure how strongly cues sway a model.

    Args:
        bias: One bias or several, A,B (`unsway biases` lists them); "all" means every bias, but biases that quote arguments
            only if a file of arguments is given.
        source: One source of questions or several; by default the bias's own, else procedural arithmetic.
        n: Questions per source, by default 100, or all of a file. A bias with its own questions uses those, and all of them
            if there are fewer.
        elicit: How questions are asked (`unsway list elicitations`).
        seed: Seed of questions, cued options and cues.
        split: A split of the sources.
        arguments: File of arguments, for biases that quote them.

    Raises:
        ClickException: A name is unknown, or a source is not available; Inspect prints it as one line.
    """
    from unsway import biases, sources
    from unsway.biases import arguments as banks
    from unsway.pairing import pairs

    all_pairs: list[Pair] = []
    try:
        # `-T` may turn numbers into other types
        numbers: dict[str, object] = {"n": 1 if n is None else n, "seed": seed}
        for argument, number in numbers.items():
            if type(number) is not int or (argument == "n" and number < 1):
                raise BadInput(
                    f"{argument} is {number!r}; it is a whole number{', 1 or more' if argument == 'n' else ''}."
                )
        for argument, text in {"elicit": elicit, "split": split or "", "arguments": arguments or ""}.items():
            if not isinstance(text, str):
                raise BadInput(f"{argument} is {text!r}; it takes one name. Run the task once for each.")
        bias_names, source_names = _names("bias", bias), _names("source", source or SOURCE)
        bank = banks.load(arguments) if arguments else None
        if bias_names == ["all"]:
            bias_names = [name for name in biases.names() if bank or "arguments" not in biases.get(name).wants]
            if quoting_biases := sorted({*biases.names()} - {*bias_names}):
                _log.warning(
                    "Left out, as they quote arguments and none are named (-T arguments=FILE): %s.", quoting_biases
                )
        for name in bias_names:
            own_source = biases.resolve(name).source
            if own_source:
                questions = sources.load(own_source, seed=seed)[: n or sources.N]
            else:
                question_lists = (
                    sources.load(source_name, sources.how_many(source_name, n), seed=seed, split=split)
                    for source_name in source_names
                )
                questions = tuple(question for question_list in question_lists for question in question_list)
            all_pairs += pairs(questions, [name], elicit=elicit, seed=seed, arguments=bank)
        if not all_pairs:
            raise BadInput("There is no pair to ask: no bias is named, or its cue applies to none of the questions.")
    except (UnswayError, OSError) as error:
        raise ClickException(str(error)) from error
    return Task(
        dataset=MemoryDataset(samples_of(all_pairs), name=task_name(all_pairs)),
        solver=model_turns(),
        scorer=paired_answers(),
        display_name=task_name(all_pairs),
        version=digest([pair.id for pair in all_pairs])[:12],
        # the settings of `unsway measure`; flags of `inspect eval` override them, and they override the model's config
        config=GenerateConfig(temperature=Settings().temperature, max_tokens=Settings().max_tokens),
        metadata={"biases": list(dict.fromkeys(pair.bias for pair in all_pairs)), "elicit": elicit, "seed": seed},
        viewer=VIEWER,
    )


def _names(argument: str, value: object) -> list[str]:
    """The names in an argument: one name, several separated by commas (which `-T` splits), or a list."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadInput(f"{argument} is {value!r}; it is a name or several: -T {argument}=A,B.")
    return list(dict.fromkeys(name.strip() for name in names))


@solver
def model_turns() -> Solver:
    """Let the model write each of its turns, then its final reply, as `unsway measure` does.

    The pair is in the sample's metadata. Raises `BadInput` if another solver inserted a message or if a second reply is
    requested (`num_choices`): neither could be distinguished from what `unsway measure` asks.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if "pair" not in state.metadata:
            raise BadInput("unsway/model_turns asks the samples of unsway/bias; this one's metadata holds no pair.")
        pair: Pair = loads(Pair, state.metadata["pair"])
        prompt = pair.clean if state.metadata["arm"] == "clean" else pair.biased
        if [(message.role, message.text) for message in state.messages] != [
            (message.role, message.text) for message in chat(prompt)
        ]:
            raise BadInput(
                "A solver before unsway's own changed the messages, and it asks prompts as they are. Give a system message "
                "by --system-message, or take the other solver instead of unsway's."
            )
        local_name = state.model.name if state.model.api == LOCAL.rstrip("/") else ""
        full_prompt = beside_default_system([pair], local_weights(local_name) if local_name else None).get(
            prompt.id, prompt
        )
        config = GenerateConfig()

        async def output(messages: list[ChatMessage], turn: int) -> ModelOutput:
            nonlocal state, config
            state.messages = messages
            state = await generate(state, extra_body=choices(full_prompt, turn, str(state.model), Settings()))
            if len(state.output.choices) > 1:
                raise BadInput(
                    "Each sample of unsway/bias has one reply. Ask for several by --epochs N, not --num-choices."
                )
            config = next(event.config for event in reversed(transcript().events) if event.event == "model")
            return cut_if_full(state.output, config.max_tokens)

        address = Address(prompt.id, str(state.model), "", UNKNOWN_LENGTH, state.epoch - 1)  # each epoch is a sample
        try:
            reply = await converse(full_prompt, address, output, doubts=doubted([pair]).get(prompt.id))
        except Exception as error:
            state.scores = {SCORER: without_reply(str(error))}
            raise
        settings, is_known = settings_of(config)
        state.store.set("reply", dumps(replace(reply, settings=settings, settings_known=is_known)))
        return state

    return solve
