"""Prompts to replies through Inspect AI: each unique prompt once, every reply kept, only what is missing asked.

In: pairs (or prompts) and a model. Out: `Reply` rows, from the store where they were asked before.
The store is the source of truth, not Inspect's cache (whose key lacks model arguments) and not its logs (a record for
reading: they open in Inspect View). Processes that share a folder share the work: what one is asking, another leaves to it
and waits for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from unsway import layout
from unsway.disk import refused
from unsway.errors import BudgetReached, ModelError, StoreError
from unsway.models.patience import plain
from unsway.models.session import LOCAL, Session, Subject, session
from unsway.planning.budget import Budget
from unsway.planning.history import noting
from unsway.progress import Advance, track
from unsway.sampling.calls import CallFailed, Calls
from unsway.sampling.claims import Claims, claims
from unsway.sampling.conversation import chat, reply_of, text_of
from unsway.sampling.disk_reservation import Room, room
from unsway.sampling.heartbeat import beating
from unsway.seeds import seed_int
from unsway.store import Asked, ReplyStore
from unsway.types import Pair, Prompt, Reply, Settings

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.model import GenerateConfig, Model, ModelOutput
    from inspect_ai.solver import Solver, TaskState

    from unsway.models.session import ModelLike


AT_A_TIME = 2000
"""Replies of one Inspect eval, which holds all its samples in memory; to start one takes 0.03 s."""
LOOK_AGAIN = 0.5
"""Seconds between two looks at what another process is asking."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reply that is wanted: a prompt and the number of its sample."""

    prompt: Prompt
    asked: Asked


@dataclass(frozen=True, slots=True)
class _Asking:
    """What the parts of one call share."""

    session: Session
    settings: Settings
    store: ReplyStore
    held: Claims
    logs: Path
    advance: Advance
    budget: Budget | None
    batch: bool | int
    came: Callable[[Reply], None]
    room: Room
    calls: Calls | None
    """What is known of the endpoint of a hosted model; None for a local one."""
    busy: set[Asked] = field(default_factory=set)
    """What another process was asking when we came to it."""
    errors: list[str] = field(default_factory=list)
    """What went wrong, in the words of the provider."""
    full: list[StoreError] = field(default_factory=list)
    """What the disk did not take; after the first, nothing more is asked."""


def run(
    pairs: Iterable[Pair],
    model: ModelLike,
    *,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    samples: int = 1,
    folder: str | Path | None = None,
    label: str = "",
    budget: Budget | None = None,
    batch: bool | int = False,
    read: bool = True,
    **model_args: Any,
) -> tuple[Reply, ...]:
    """Ask a model both arms of every pair and return its replies; see `ask`.

    The clean prompt that pairs of one question share is asked once.
    """
    prompts = [prompt for pair in pairs for prompt in (pair.clean, pair.biased)]
    return tuple(
        ask(
            prompts,
            model,
            settings=settings,
            samples=samples,
            folder=folder,
            label=label,
            budget=budget,
            batch=batch,
            read=read,
            **model_args,
        )
    )


def ask(
    prompts: Iterable[Prompt],
    model: ModelLike,
    *,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    samples: int = 1,
    folder: str | Path | None = None,
    label: str = "",
    budget: Budget | None = None,
    batch: bool | int = False,
    read: bool = True,
    **model_args: Any,
) -> tuple[Reply, ...]:
    """Ask a model each unique prompt `samples` times; what the folder holds already is not asked again.

    Args:
        prompts: What to ask; equal text is the same prompt.
        model: See `unsway.models.session.subject`.
        settings: How to decode.
        samples: Replies to each prompt; more than one is of use only above temperature 0.
        folder: Where replies (`replies.jsonl`) and Inspect's logs (`logs/`) are kept; None keeps nothing.
        label: What the progress bar says; the model's name by default.
        budget: Stops before a prompt that could pass its limit; counts what the folder's replies did cost.
        batch: Use the provider's batch mode (half the price, hours later) where Inspect has one; a number is the size.
        read: Give the replies back; False leaves them in the folder, and gives none.
        model_args: Arguments of the model's provider, such as `engine="torch"`.

    Returns:
        The replies, in the order of the unique prompts, sample after sample.

    Raises:
        ModelError: Some prompt got no reply; every reply that came is kept, so that a second call asks the rest.
        BudgetReached: The limit was reached; every reply that came is kept.
        BadInput: There is a budget, and the price of the model is not known.
        StoreError: The disk takes no more; every reply that came is kept.
    """
    with ExitStack() as stack:
        asked = session(model, **model_args)
        who = asked.who
        if budget is not None:
            budget.price(who.name)
        if asked is not model:
            stack.enter_context(asked)
        place = Path(folder) if folder is not None else Path(stack.enter_context(TemporaryDirectory()))
        store = ReplyStore(place / layout.REPLIES)
        wanted = _wanted(prompts, who, settings, samples)
        missing = [w for w in wanted if w.asked not in store]
        if missing:
            done = len(wanted) - len(missing)
            _ask_all(missing, _asking(missing, done, asked, place, store, settings, label, budget, batch, stack))
        return tuple(reply for w in wanted if read and (reply := store.get(w.asked)) is not None)


def _asking(
    missing: Sequence[Wanted],
    done: int,
    asked: Session,
    place: Path,
    store: ReplyStore,
    settings: Settings,
    label: str,
    budget: Budget | None,
    batch: bool | int,
    stack: ExitStack,
) -> _Asking:
    """What an asking needs, until the stack is closed."""
    name, total = asked.who.name, done + len(missing)
    advance = stack.enter_context(track(f"Asking {label or name}", total, done=done))
    advance = stack.enter_context(beating(place, label or name, total, done, advance))
    held = stack.enter_context(claims(store.path))
    if budget is not None:
        budget.count(store)
    came = stack.enter_context(noting(place, name))
    calls = None if name.startswith(LOCAL) else Calls(place, name, asked.patience())
    at_once = AT_A_TIME if batch else asked.at_once() or asked.model().api.max_connections()
    spare = stack.enter_context(room(place, at_once, settings, 1 + max(w.prompt.n_model_turns for w in missing)))
    return _Asking(asked, settings, store, held, place / layout.LOGS, advance, budget, batch, came, spare, calls)


def _wanted(prompts: Iterable[Prompt], who: Subject, settings: Settings, samples: int) -> tuple[Wanted, ...]:
    unique = {prompt.id: prompt for prompt in prompts}
    return tuple(
        Wanted(prompt, Asked(prompt_id, who.name, who.weights, settings, sample))
        for prompt_id, prompt in unique.items()
        for sample in range(samples)
    )


# ---------------------------------------------------------------- through Inspect


def _ask_all(missing: Sequence[Wanted], asking: _Asking) -> None:
    """Ask until everything is there, a part at a time; raises where something is not to be had."""
    for start in range(0, len(missing), AT_A_TIME):
        part = [w for w in missing[start : start + AT_A_TIME] if w.asked not in asking.store]
        came = _evaluate(part, asking) if part else 0
        if asking.full or (part and not came and asking.errors):
            break
    while not asking.full and (left := [*_left_to_others(missing, asking)]):
        asking.busy.clear()
        if not _evaluate(left, asking) and asking.errors:
            break
    _require_all(missing, asking)


def _left_to_others(missing: Sequence[Wanted], asking: _Asking) -> Iterator[Wanted]:
    """Wait for what others are asking; yields what they gave up."""
    for w in missing:
        if w.asked not in asking.busy:
            continue
        while not asking.held.take(w.asked):
            time.sleep(LOOK_AGAIN)
        asking.held.release(w.asked)
        asking.store.refresh()
        if w.asked in asking.store:
            asking.advance(1)
        else:
            yield w


def _evaluate(part: Sequence[Wanted], asking: _Asking) -> int:
    """One Inspect eval; replies land in the store one by one. Returns how many of the wanted ones are there then."""
    from inspect_ai import eval as inspect_eval

    model = asking.session.model()
    at_once = asking.session.at_once()
    try:
        (log,) = inspect_eval(
            _task(part, asking),
            model=model,
            log_dir=str(asking.logs),
            log_realtime=False,
            display="none",
            score=False,
            fail_on_error=False,
            max_connections=at_once,
            max_samples=at_once,
            batch=asking.batch or None,
        )
    except OSError as error:  # of the disk: those of calls are the samples' own
        raise refused(asking.logs, error) from error
    if log.status == "cancelled":
        raise KeyboardInterrupt
    came = sum(w.asked in asking.store for w in part)
    if came < len(part):  # the samples of a log are read from its file
        asking.errors.extend(sample.error.message for sample in log.samples or () if sample.error is not None)
    asking.errors.extend([log.error.message] if log.error else [])
    return came


def _task(part: Sequence[Wanted], asking: _Asking) -> Task:
    """An Inspect task with one sample for each reply that is wanted."""
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample

    from unsway.seeds import digest

    by_id = {f"{w.asked.prompt_id}/{w.asked.sample}": w for w in part}
    samples = [Sample(input=chat(w.prompt, ()), id=key) for key, w in by_id.items()]
    version = digest(sorted(by_id))[:12]
    return Task(
        dataset=MemoryDataset(samples, name="unsway"),
        solver=_solver(by_id, asking),
        name="unsway",
        version=version,
    )


def _solver(by_id: dict[str, Wanted], asking: _Asking) -> Solver:
    from inspect_ai.solver import Generate, solver

    @solver(name="unsway_walk")
    def walk() -> Solver:
        """Walk a prompt's turns, unless somebody else does or did."""

        async def solve(state: TaskState, generate: Generate) -> TaskState:
            wanted = by_id[str(state.sample_id)]
            if asking.full:
                return state
            if not asking.held.take(wanted.asked):
                asking.busy.add(wanted.asked)
                return state
            try:
                asking.store.refresh()
                if wanted.asked not in asking.store:
                    await _one(wanted, state, asking)
            finally:
                asking.held.release(wanted.asked)
            return state

        return solve

    return walk()


async def _one(wanted: Wanted, state: TaskState, asking: _Asking) -> None:
    """Ask for one reply and keep it, unless it might pass the budget."""
    from inspect_ai.model import get_model

    budget, reply, reserved = asking.budget, None, None
    if budget is not None:
        reserved = await budget.reserve(wanted.asked.model, wanted.prompt, asking.settings)
        if reserved is None:
            return
    try:
        outputs = await _speak(get_model(), wanted, state, asking)
        reply = reply_of(wanted.asked, outputs)
        _keep(reply, asking)
        asking.came(reply)
        asking.advance(1)
    except CallFailed as error:  # not Inspect's to render: a traceback for each of 2,000 prompts takes minutes
        asking.errors.append(str(error))
        state.metadata["failed"] = str(error)
    except StoreError as error:
        asking.full.append(error)
        state.metadata["failed"] = str(error)
    finally:
        if budget is not None and reserved is not None:
            budget.settle(reserved, reply)


def _keep(reply: Reply, asking: _Asking) -> None:
    """Keep a reply; on a disk that takes no more, in the room that was set aside.

    Not in a thread: to hand a row to the operating system takes a fifth of what a thread does.
    """
    try:
        asking.store.add(reply)
    except StoreError as error:
        asking.full.append(error)
        asking.room.give()
        asking.store.add(reply)


async def _speak(model: Model, wanted: Wanted, state: TaskState, asking: _Asking) -> list[ModelOutput]:
    """The model's outputs, one for each turn in which it speaks; the last is the reply that is read."""
    outputs: list[ModelOutput] = []
    for turn in range(wanted.prompt.n_model_turns + 1):
        if turn:
            state.messages = chat(wanted.prompt, tuple(text_of(output) for output in outputs))
        config = _config(asking.settings, wanted.asked, turn)
        if asking.calls is None:
            state.output = await model.generate(state.messages, config=config)
        else:
            config.attempt_timeout = None if asking.batch else asking.calls.patience.answer
            state.output = await asking.calls.generate(model, state.messages, config, wanted.asked.prompt_id)
        outputs.append(state.output)
    state.messages.append(state.output.message)
    return outputs


def _config(settings: Settings, asked: Asked, turn: int) -> GenerateConfig:
    """Inspect's generation config; a sampled reply has a seed of its own, which depends on what is asked alone."""
    from inspect_ai.model import GenerateConfig

    config = GenerateConfig(temperature=settings.temperature, max_tokens=settings.max_tokens)
    if settings.temperature > 0:
        config.top_p = settings.top_p
        config.seed = seed_int(settings.seed, "sample", asked.prompt_id, asked.sample, turn) % 2**31
    return config


def _require_all(missing: Sequence[Wanted], asking: _Asking) -> None:
    """Raise unless every wanted reply is in the store; names the first error."""
    lost = sum(w.asked not in asking.store for w in missing)
    who, budget = asking.session.who, asking.budget
    if not lost:
        return
    if asking.full:
        raise StoreError(f"{who.name}: {lost} of {len(missing)} prompts were not asked. {asking.full[0]}")
    if budget is not None and budget.refused and not asking.errors:
        raise BudgetReached(
            f"{who.name}: stopped before the limit of ${budget.limit:g}: ${budget.spent:.4f} is spent, and {lost} prompts "
            "more could pass it. Everything so far is kept: run the same again with a higher limit to ask the rest."
        )
    over = asking.calls.over if asking.calls else None
    first = plain(str(over) if over else next(iter(asking.errors), "no error was recorded"))
    failures = f"Failures: {asking.calls.summary()}. " if asking.calls and asking.calls.counts else ""
    raise ModelError(
        f"{who.name}: {lost} of {len(missing)} prompts got no reply. First error: {first} {failures}"
        f"The {len(missing) - lost} replies that came are kept: run the same again to ask only the rest."
    )
