"""What was planned in a folder and what it cost, so later plans know the rate and how far such plans have been off.

In: the folder's newest plan (`plan.json`, written by `plan.keep_plan`), and a call of `unsway.sampling` that is over. Out:
`past.jsonl`, a row for each call that asked at least one prompt; and `PastRun`s from it, which `plan.plan` takes.
A call that asks only planned prompts is compared with its share of the planned calls, so a run in parts, or one that stopped
early, is as informative as a whole one; its parts count as one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from unsway import layout
from unsway.disk import append_row
from unsway.errors import BadInput
from unsway.planning.prices import total
from unsway.store import dumps, loads, read_jsonl, why
from unsway.types import Reply


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is over: what was planned, and what it cost."""

    model: str
    """The name that its replies carry."""
    calls: int
    """Calls of the model: more than replies where it speaks several times."""
    seconds: float
    """From its start to its end."""
    planned_seconds: float | None = None
    """None where nothing was planned; the run then still tells the rate."""
    tokens: float | None = None
    """Tokens in and out; None where those of a reply are estimated or not known."""
    planned_tokens: float | None = None
    """Tokens in and out; None where nothing was planned."""
    plan: str = ""
    """Id of its plan; empty where nothing was planned."""


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """What was planned for one model."""

    model: str
    """The name that its replies carry."""
    calls: int
    """Calls still to be made."""
    seconds: float
    """How long they take at the planned rate."""
    tokens: float
    """Tokens in and out."""


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan as it is kept in a folder."""

    id: str
    """Content id of the rest."""
    shares: tuple[PlannedModel, ...]
    """One for each model."""
    prompts: tuple[str, ...]
    """Ids of the prompts that it covers."""


def kept_plan(folder: str | Path) -> KeptPlan | None:
    """The newest plan of a folder, or None where it has none. Raises `BadInput` where the file is no plan."""
    path = Path(folder) / layout.PLAN
    try:
        return loads(KeptPlan, path.read_bytes()) if path.exists() else None
    except ValueError as error:
        raise BadInput(f"{path} is no plan ({why(error)}). Delete it, or plan again (`unsway plan --out`).") from None


@contextmanager
def recording(folder: Path, model: str) -> Iterator[Callable[[Reply], None]]:
    """Append a row to the folder's history when the block ends, however it ends; yields what to call with each reply.

    Raises:
        BadInput: The folder's plan is no plan; nothing was asked yet.
    """
    plan = kept_plan(folder)
    share = next((s for s in plan.shares if s.model == model and s.calls), None) if plan else None
    calls = 0
    tokens: list[int | None] = []
    prompts: set[str] = set()

    def received(reply: Reply) -> None:
        nonlocal calls
        calls += 1 + len(reply.turns)
        is_counted = reply.tokens_in and not reply.tokens_estimated
        tokens.append(reply.tokens_in + reply.tokens_out if is_counted else None)
        prompts.add(reply.prompt_id)

    def append() -> None:
        if not calls:
            return
        row = PastRun(model, calls, time.monotonic() - start, tokens=total(tokens))
        if plan is not None and share is not None and prompts <= set(plan.prompts):
            part = calls / share.calls
            row = replace(row, planned_seconds=share.seconds * part, planned_tokens=share.tokens * part, plan=plan.id)
        append_row(folder / layout.PAST, dumps(row))

    start = time.monotonic()
    try:
        yield received
    except BaseException:
        with suppress(OSError):  # on a full disk, the first error is the one to report
            append()
        raise
    append()


def past_runs(folder: str | Path) -> tuple[PastRun, ...]:
    """The runs of a folder that are over; the parts of one plan and model are one run. Raises `BadRow`."""
    path = Path(folder) / layout.PAST
    parts: dict[tuple[str, str], list[PastRun]] = {}
    for number, row in enumerate(read_jsonl(path, PastRun) if path.exists() else ()):
        parts.setdefault((row.model, row.plan or str(number)), []).append(row)

    return tuple(
        replace(
            rows[0],
            calls=sum(row.calls for row in rows),
            seconds=sum(row.seconds for row in rows),
            planned_seconds=total([row.planned_seconds for row in rows]),
            tokens=total(row.tokens for row in rows),
            planned_tokens=total([row.planned_tokens for row in rows]),
        )
        for rows in parts.values()
    )
