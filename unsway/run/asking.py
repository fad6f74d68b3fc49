"""Prompts to replies through Inspect AI: each unique prompt once, every reply kept, only what is missing asked.

In: pairs (or prompts) and a model. Out: `Reply` rows, from the store where they were asked before.
The store is the source of truth, not Inspect's cache (whose key lacks model arguments) and not its logs (a record for
reading: they open in Inspect View).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from unsway.errors import ModelError
from unsway.progress import Advance, track
from unsway.run.models import Session, Subject, session
from unsway.seeds import seed_int
from unsway.store import Asked, ReplyStore
from unsway.types import Pair, Prompt, Reply, Settings, Stop

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog
    from inspect_ai.model import GenerateConfig, Model, ModelOutput
    from inspect_ai.solver import Solver

    from unsway.run.models import ModelLike


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reply that is wanted: a prompt and the number of its sample."""

    prompt: Prompt
    asked: Asked


def run(
    pairs: Iterable[Pair],
    model: ModelLike,
    *,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    samples: int = 1,
    folder: str | Path | None = None,
    label: str = "",
    **model_args: Any,
) -> tuple[Reply, ...]:
    """Ask a model both arms of every pair and return its replies; see `ask`.

    The clean prompt that pairs of one question share is asked once.
    """
    prompts = [prompt for pair in pairs for prompt in (pair.clean, pair.biased)]
    return ask(prompts, model, settings=settings, samples=samples, folder=folder, label=label, **model_args)


def ask(
    prompts: Iterable[Prompt],
    model: ModelLike,
    *,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    samples: int = 1,
    folder: str | Path | None = None,
    label: str = "",
    **model_args: Any,
) -> tuple[Reply, ...]:
    """Ask a model each unique prompt `samples` times; what the folder holds already is not asked again.

    Args:
        prompts: What to ask; equal text is the same prompt.
        model: See `unsway.run.models.subject`.
        settings: How to decode.
        samples: Replies to each prompt; more than one is of use only above temperature 0.
        folder: Where replies (`replies.jsonl`) and Inspect's logs (`logs/`) are kept; None keeps nothing.
        label: What the progress bar says; the model's name by default.
        model_args: Arguments of the model's provider, such as `engine="torch"`.

    Returns:
        The replies, in the order of the unique prompts, sample after sample.

    Raises:
        ModelError: Some prompt got no reply; every reply that came is kept, so that a second call asks the rest.
    """
    with ExitStack() as stack:
        asked = session(model, **model_args)
        who = asked.who
        if asked is not model:
            stack.enter_context(asked)
        place = Path(folder) if folder is not None else Path(stack.enter_context(TemporaryDirectory()))
        store = ReplyStore(place / "replies.jsonl")
        wanted = _wanted(prompts, who, settings, samples)
        missing = [w for w in wanted if store.get(w.asked) is None]
        if missing:
            what = label or who.name
            advance = stack.enter_context(track(f"Asking {what}", len(wanted), done=len(wanted) - len(missing)))
            log = _evaluate(missing, asked, settings, store, place / "logs", advance)
            _require_all(missing, store, log, who)
        return tuple(reply for w in wanted if (reply := store.get(w.asked)) is not None)


def _wanted(prompts: Iterable[Prompt], who: Subject, settings: Settings, samples: int) -> tuple[Wanted, ...]:
    unique = {prompt.id: prompt for prompt in prompts}
    return tuple(
        Wanted(prompt, Asked(prompt_id, who.name, who.weights, settings, sample))
        for prompt_id, prompt in unique.items()
        for sample in range(samples)
    )


# ---------------------------------------------------------------- through Inspect


def _evaluate(
    missing: Sequence[Wanted], asked: Session, settings: Settings, store: ReplyStore, logs: Path, advance: Advance
) -> EvalLog:
    """One Inspect eval of what is missing; replies land in the store one by one."""
    from inspect_ai import eval as inspect_eval

    model = asked.model()
    at_once = model.api.max_connections() if asked.who.weights else None
    (log,) = inspect_eval(
        _task(missing, settings, store, advance),
        model=model,
        log_dir=str(logs),
        log_realtime=False,
        display="none",
        score=False,
        fail_on_error=False,
        max_connections=at_once,
        max_samples=at_once,
    )
    if log.status == "cancelled":
        raise KeyboardInterrupt
    return log


def _task(missing: Sequence[Wanted], settings: Settings, store: ReplyStore, advance: Advance) -> Task:
    """An Inspect task with one sample for each reply that is wanted."""
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample

    from unsway.seeds import digest

    by_id = {f"{w.asked.prompt_id}/{w.asked.sample}": w for w in missing}
    samples = [Sample(input=_chat(w.prompt, ()), id=key) for key, w in by_id.items()]
    version = digest(sorted(by_id))[:12]
    return Task(
        dataset=MemoryDataset(samples, name="unsway"),
        solver=_solver(by_id, settings, store, advance),
        name="unsway",
        version=version,
    )


def _solver(by_id: dict[str, Wanted], settings: Settings, store: ReplyStore, advance: Advance) -> Solver:
    from inspect_ai.model import get_model
    from inspect_ai.solver import Generate, TaskState, solver

    @solver(name="unsway_walk")
    def walk() -> Solver:
        """Walk a prompt's turns: the model speaks where it is its turn, and once more at the end."""

        async def solve(state: TaskState, generate: Generate) -> TaskState:
            wanted = by_id[str(state.sample_id)]
            outputs = await _speak(get_model(), wanted, settings)
            said = tuple(_text(output) for output in outputs[:-1])
            state.messages = [*_chat(wanted.prompt, said), outputs[-1].message]
            state.output = outputs[-1]
            reply = _reply(wanted.asked, outputs)
            await asyncio.to_thread(store.add, reply)
            advance(1)
            return state

        return solve

    return walk()


async def _speak(model: Model, wanted: Wanted, settings: Settings) -> list[ModelOutput]:
    """The model's outputs, one for each turn in which it speaks; the last is the reply that is read."""
    outputs: list[ModelOutput] = []
    for turn in range(wanted.prompt.n_model_turns + 1):
        said = tuple(_text(output) for output in outputs)
        config = _config(settings, wanted.asked, turn)
        outputs.append(await model.generate(_chat(wanted.prompt, said), config=config))
    return outputs


def _config(settings: Settings, asked: Asked, turn: int) -> GenerateConfig:
    """Inspect's generation config; a sampled reply has a seed of its own, which depends on what is asked alone."""
    from inspect_ai.model import GenerateConfig

    config = GenerateConfig(temperature=settings.temperature, max_tokens=settings.max_tokens)
    if settings.temperature > 0:
        config.top_p = settings.top_p
        config.seed = seed_int(settings.seed, "sample", asked.prompt_id, asked.sample, turn) % 2**31
    return config


def _chat(prompt: Prompt, said: tuple[str, ...]) -> list[Any]:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    return [kinds[m.role](content=m.content) for m in prompt.messages(said)]


# ---------------------------------------------------------------- replies

_STOPS: dict[str, Stop] = {"stop": "end", "max_tokens": "length", "model_length": "length", "content_filter": "filter"}


def _reply(asked: Asked, outputs: Sequence[ModelOutput]) -> Reply:
    last = outputs[-1]
    usages = [output.usage for output in outputs if output.usage is not None]
    return Reply(
        prompt_id=asked.prompt_id,
        model=asked.model,
        weights=asked.weights,
        sample=asked.sample,
        text=_text(last),
        reasoning=_reasoning(last),
        turns=tuple(_text(output) for output in outputs[:-1]),
        stop=_STOPS.get(last.stop_reason, "unknown"),
        settings=replace(asked.settings),
        tokens_in=sum(usage.input_tokens for usage in usages),
        tokens_out=sum(usage.output_tokens for usage in usages),
    )


def _text(output: ModelOutput) -> str:
    """The reply's text as valid Unicode (a lone surrogate becomes a question mark, so that it can be kept)."""
    return output.completion.encode("utf-8", "replace").decode("utf-8")


def _reasoning(output: ModelOutput) -> str | None:
    content = output.message.content if output.choices else ""
    texts = [part.reasoning for part in content if part.type == "reasoning"] if isinstance(content, list) else []
    return "\n".join(texts) or None


def _require_all(missing: Sequence[Wanted], store: ReplyStore, log: EvalLog, who: Subject) -> None:
    """Raise unless every wanted reply is in the store; names the first error."""
    lost = [w for w in missing if store.get(w.asked) is None]
    if not lost:
        return
    errors = [sample.error.message for sample in log.samples or () if sample.error is not None]
    first = errors[0] if errors else log.error.message if log.error else "no error was recorded"
    raise ModelError(
        f"{who.name}: {len(lost)} of {len(missing)} prompts got no reply. First error: {first} "
        f"The {len(missing) - len(lost)} replies that came are kept: run the same again to ask only the rest."
    )
