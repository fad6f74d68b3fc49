"""What was planned in a folder and what it took, so that later plans know the rate and how far such plans have been off.

In: a plan; an asking that is over. Out: `plan.json`, the newest plan of the folder; `past.jsonl`, a row for each asking that
asked at least one prompt; and `PastRun`s from it, which `measure.power.plan` takes.
An asking of planned prompts alone is held against the plan by its share of the planned calls, so that a run in parts, or one
that stopped early, says as much as a whole one; its parts count as one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unsway import layout
from unsway.disk import append_row
from unsway.errors import BadInput
from unsway.seeds import content_id
from unsway.store import dumps, loads, read_jsonl, write_text
from unsway.types import Pair, Reply

if TYPE_CHECKING:
    from unsway.planning.plan import PastRun, Plan


@dataclass(frozen=True, slots=True)
class Share:
    """What was planned for one model."""

    model: str
    calls: int
    seconds: float
    tokens: float
    """Tokens in and out."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A plan as it is kept."""

    id: str
    """Content id of the rest."""
    shares: tuple[Share, ...]
    prompts: tuple[str, ...]
    """Ids of the prompts that it is about."""


def keep_plan(folder: str | Path, plan: Plan, pairs: Iterable[Pair]) -> Path:
    """Keep a plan in a folder, in place of an earlier one, for the next asking there to be held against."""
    shares = tuple(Share(m.model, m.n_calls, 60 * m.minutes, m.tokens_in + m.tokens_out) for m in plan.models)
    prompts = tuple(sorted({prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)}))
    own = content_id([(s.model, s.calls, s.seconds, s.tokens) for s in shares], prompts)
    return write_text(Path(folder) / layout.PLAN, dumps(Kept(own, shares, prompts)) + "\n")


def kept_plan(folder: str | Path) -> Kept | None:
    """The newest plan of a folder, or None where it has none. Raises `BadInput` where the file is no plan."""
    path = Path(folder) / layout.PLAN
    try:
        return loads(Kept, path.read_bytes()) if path.exists() else None
    except ValueError as error:
        raise BadInput(
            f"{path} is no plan ({str(error)[:200]}). Delete it, or plan again (`unsway plan --out`)."
        ) from None


@contextmanager
def noting(folder: Path, model: str) -> Iterator[Callable[[Reply], None]]:
    """Note an asking when it ends, however it ends; yields what counts each reply that came.

    Raises:
        BadInput: The folder's plan is no plan; nothing was asked yet.
    """
    from unsway.planning.plan import PastRun

    kept = kept_plan(folder)
    calls = tokens = 0
    prompts: set[str] = set()

    def came(reply: Reply) -> None:
        nonlocal calls, tokens
        calls += 1 + len(reply.turns)
        tokens += reply.tokens_in + reply.tokens_out
        prompts.add(reply.prompt_id)

    def note() -> None:
        if calls:
            row = _against(kept, prompts, PastRun(model, calls, time.monotonic() - start, tokens=tokens or None))
            append_row(folder / layout.PAST, dumps(row))

    start = time.monotonic()
    try:
        yield came
    except BaseException:
        with suppress(OSError):  # on a full disk, what went wrong first is what is told
            note()
        raise
    note()


def _against(kept: Kept | None, prompts: set[str], row: PastRun) -> PastRun:
    """The row of an asking, with its share of what was planned where all its prompts were."""
    share = next((s for s in kept.shares if s.model == row.model and s.calls), None) if kept else None
    if kept is None or share is None or not prompts <= set(kept.prompts):
        return row
    part = row.calls / share.calls
    return replace(row, planned_seconds=share.seconds * part, planned_tokens=share.tokens * part, plan=kept.id)


def past_runs(folder: str | Path) -> tuple[PastRun, ...]:
    """The runs of a folder that are over; the parts of one plan and model are one run. Raises `BadRow`."""
    from unsway.planning.plan import PastRun

    path = Path(folder) / layout.PAST
    runs: dict[tuple[str, str], PastRun] = {}
    for number, row in enumerate(read_jsonl(path, PastRun) if path.exists() else ()):
        key = (row.model, row.plan or str(number))
        runs[key] = _joined(runs[key], row) if key in runs else row
    return tuple(runs.values())


def _joined(one: PastRun, other: PastRun) -> PastRun:
    def both(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a + b

    return replace(
        one,
        calls=one.calls + other.calls,
        seconds=one.seconds + other.seconds,
        planned_seconds=both(one.planned_seconds, other.planned_seconds),
        tokens=None if one.tokens is None or other.tokens is None else one.tokens + other.tokens,
        planned_tokens=both(one.planned_tokens, other.planned_tokens),
    )
