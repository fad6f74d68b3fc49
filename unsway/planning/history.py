"""Records what was planned in a folder and what it cost, so that later plans know the rate and the error of such plans.

In: the folder's newest plan (`plan.json`, written by `plan.keep_plan`), and a finished call of `unsway.sampling`. Out:
`past.jsonl`, with a row for each call that asked at least one prompt; and `PastRun`s from it, which `plan.plan` uses.
A call that asks only planned prompts is compared with its share of the planned calls. So a run in parts, or one that stopped
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
    """A finished run: what was planned, and what it cost."""

    model: str
    """The name that its replies carry."""
    calls: int
    """Calls of the model: more than replies if it has several turns."""
    seconds: float
    """Seconds from its start to its end."""
    planned_seconds: float | None = None
    """Planned seconds; None if nothing was planned, and then the run still shows the rate."""
    tokens: float | None = None
    """Tokens in and out; None if a reply's tokens are estimated or unknown."""
    planned_tokens: float | None = None
    """Planned tokens in and out; None if nothing was planned."""
    plan: str = ""
    """Id of its plan; empty if nothing was planned."""


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """The plan for one model."""

    model: str
    """The name that its replies carry."""
    calls: int
    """Calls still to be made."""
    seconds: float
    """Seconds they take at the planned rate."""
    tokens: float
    """Tokens in and out."""


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan as stored in a folder."""

    id: str
    """Content id of the other fields."""
    shares: tuple[PlannedModel, ...]
    """One for each model."""
    prompts: tuple[str, ...]
    """Ids of the prompts that it covers."""


def kept_plan(folder: str | Path) -> KeptPlan | None:
    """The newest plan of a folder, or None. Raises `BadInput` if the file is not a plan."""
    path = Path(folder) / layout.PLAN
    try:
        return loads(KeptPlan, path.read_bytes()) if path.exists() else None
    except ValueError as error:
        raise BadInput(f"{path} is no plan ({why(error)}). Delete it, or plan again (`unsway plan --out`).") from None


@contextmanager
def record_run(folder: Path, model: str) -> Iterator[Callable[[Reply], None]]:
    """Append a row to the folder's history when the block ends, even by an error; yields a function to call with each reply.

    Raises:
        BadInput: The folder's plan is invalid; nothing was asked yet.
    """
    plan = kept_plan(folder)
    share = next((s for s in plan.shares if s.model == model and s.calls), None) if plan else None
    calls = 0
    tokens: list[int | None] = []
    prompts: set[str] = set()

    def count_reply(reply: Reply) -> None:
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
            fraction = calls / share.calls
            row = replace(
                row, planned_seconds=share.seconds * fraction, planned_tokens=share.tokens * fraction, plan=plan.id
            )
        append_row(folder / layout.PAST, dumps(row))

    start = time.monotonic()
    try:
        yield count_reply
    except BaseException:
        with suppress(OSError):  # on a full disk, the first error is the one to report
            append()
        raise
    append()


def past_runs(folder: str | Path) -> tuple[PastRun, ...]:
    """The finished runs of a folder; the parts of one plan and model are one run. Raises `BadRow`."""
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
