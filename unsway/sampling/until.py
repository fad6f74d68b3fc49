"""Stop when you would no longer change your mind: questions are asked in batches, and a cell stops once it is narrow enough.

In: pairs, a model, the half-width that is wanted. Out: the replies, and what each cell (a bias of this model) has reached.
Questions come in an order that depends on the seed alone, and every bias of a question is asked in the same batch, so that
the clean prompt is shared. After each batch the anytime-valid interval of every cell is looked at (`measure.anytime`), which
costs no validity; what is narrow is not asked further, the others go on until their questions are used up.

    found = run_until(pairs, "openai/gpt-4o-mini", 0.05, folder="runs/x")
    [(cell.bias, cell.estimate.value, cell.narrow, cell.n_asked) for cell in found.cells]
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from unsway import layout
from unsway.errors import BadInput
from unsway.models.session import session
from unsway.planning.budget import Budget
from unsway.sampling.asker import run
from unsway.seeds import seed_int
from unsway.store import write_text
from unsway.types import Estimate, Pair, Reply, Settings

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

EVERY = 25
"""Questions of each bias between two looks: at most that many too many are asked, and a look takes well under a second."""


class Reached(NamedTuple):
    """One cell, as it stands after the last look."""

    model: str
    bias: str
    """`name@version`."""
    estimate: Estimate
    """`brr_anytime`: covers at every look at once, so that stopping does not spoil it."""
    narrow: bool
    """Whether its half-width is at most what was wanted; otherwise its questions are used up."""
    n_asked: int
    """Questions that were asked."""
    n_there: int
    """Questions that there were."""


Told: TypeAlias = Callable[[tuple[Reached, ...]], None]


@dataclass(frozen=True, slots=True)
class Until:
    """What was asked, what came, and where each cell stands."""

    pairs: tuple[Pair, ...]
    """The pairs that were asked, in the order in which they were given."""
    replies: tuple[Reply, ...]
    """The replies to both arms of those pairs."""
    cells: tuple[Reached, ...]


def run_until(
    pairs: Iterable[Pair],
    model: ModelLike,
    half_width: float,
    *,
    every: int = EVERY,
    seed: int = 0,
    level: float = 0.95,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    samples: int = 1,
    folder: str | Path | None = None,
    label: str = "",
    budget: Budget | None = None,
    batch: bool | int = False,
    told: Told | None = None,
    **model_args: Any,
) -> Until:
    """Ask a model batch after batch, until the BRR of every bias is known well enough or its questions are used up.

    The same call on the same folder asks nothing again and stops at the same places.

    Args:
        pairs: All pairs that may be asked; the more there are, the wider a spread of rates can be had.
        model: See `unsway.models.session.subject`.
        half_width: The half-width at which a cell stops; 0.05 is five points to either side.
        every: Questions of each bias between two looks.
        seed: Seed of the order of the questions.
        level: Nominal coverage, for all looks together.
        settings: How to decode.
        samples: Replies to each prompt; a question counts once, as their mean.
        folder: Where replies and `until.json` are kept; None keeps nothing.
        label: What the progress bar says; the model's name by default.
        budget: As for `ask`.
        batch: As for `ask`: the provider's batch mode, not the questions between two looks.
        told: Called with all cells after each look.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: The half-width is not between 0 and 1, or there is less than one question between looks.
        ModelError, BudgetReached: As `ask`; every reply that came is kept, so that a second call goes on.
    """
    _check(half_width, every, level)
    given = {pair.id: pair for pair in pairs}
    with ExitStack() as stack:
        one = session(model, **model_args)
        if one is not model:
            stack.enter_context(one)
        place = Path(folder) if folder is not None else Path(stack.enter_context(TemporaryDirectory()))
        ask = partial(run, model=one, settings=settings, samples=samples, folder=place, budget=budget, batch=batch)
        asked = _Asked(one.who.name, half_width, level)
        _rounds(asked, _queues(given.values(), seed), every, ask, label or one.who.name, told)
        found = asked.found(given)
        if folder is not None:
            keep_reached(place, found.cells)
        return found


def reached(folder: str | Path) -> tuple[Reached, ...]:
    """What the cells of a folder have reached; none where nothing was asked in this way."""
    path = Path(folder) / layout.UNTIL
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return tuple(Reached(**row | {"estimate": Estimate(**row["estimate"])}) for row in rows)


def keep_reached(folder: str | Path, cells: Iterable[Reached]) -> None:
    """Keep what cells have reached, in place of the same cells and beside the others."""
    all_cells = {(cell.model, cell.bias): cell for cell in (*reached(folder), *cells)}
    rows = [cell._asdict() | {"estimate": asdict(cell.estimate)} for cell in all_cells.values()]
    write_text(Path(folder) / layout.UNTIL, json.dumps(rows, indent=2) + "\n")


def _check(half_width: float, every: int, level: float) -> None:
    """Refuse before anything is asked what looking would refuse after it."""
    from unsway.stats.anytime import anytime_interval

    anytime_interval((), half_width, low=0.0, level=level)
    if every < 1:
        raise BadInput(f"There are {every} questions between two looks; there must be at least 1.")


def _queues(pairs: Iterable[Pair], seed: int) -> dict[str, list[list[Pair]]]:
    """For each bias its questions in seeded order, each with its pairs; the order is the same for all biases."""
    groups: defaultdict[str, defaultdict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        groups[pair.bias][pair.question.id].append(pair)
    return {
        bias: [mine[key] for key in sorted(mine, key=lambda key: seed_int(seed, "until", key))]
        for bias, mine in groups.items()
    }


def _rounds(
    asked: _Asked,
    queues: Mapping[str, Sequence[Sequence[Pair]]],
    every: int,
    ask: Callable[..., tuple[Reply, ...]],
    label: str,
    told: Told | None,
) -> None:
    """Ask the next questions of every cell that is open, look, and close those that are narrow or used up."""
    start, open_ = 0, list(queues)
    while open_:
        part = [pair for bias in open_ for group in queues[bias][start : start + every] for pair in group]
        asked.add(part, ask(part, label=f"{label}, from question {start + 1}"))
        start += every
        for bias in open_:
            asked.look(bias, queues[bias], start)
        if told is not None:
            told(tuple(asked.cells.values()))
        open_ = [bias for bias in open_ if not asked.cells[bias].narrow and start < len(queues[bias])]


class _Asked:
    """What was asked so far; grows by a batch at a time."""

    def __init__(self, model: str, half_width: float, level: float) -> None:
        self.model, self.half_width, self.level = model, half_width, level
        self.pairs: set[str] = set()
        self.replies: dict[tuple[str, int], Reply] = {}
        self.cells: dict[str, Reached] = {}

    def add(self, part: Iterable[Pair], replies: Iterable[Reply]) -> None:
        self.pairs |= {pair.id for pair in part}
        self.replies |= {(reply.prompt_id, reply.sample): reply for reply in replies}

    def look(self, bias: str, queue: Sequence[Sequence[Pair]], so_far: int) -> None:
        """Where a bias stands after so many questions."""
        from unsway.stats.anytime import watch
        from unsway.stats.outcomes import outcomes

        mine = [pair for group in queue[:so_far] for pair in group]
        (seen,) = watch(outcomes(mine, self.replies.values()), self.half_width, level=self.level)
        n_asked = min(so_far, len(queue))
        self.cells[bias] = Reached(self.model, bias, seen.estimate, seen.narrow, n_asked, len(queue))

    def found(self, given: dict[str, Pair]) -> Until:
        asked = tuple(pair for key, pair in given.items() if key in self.pairs)
        return Until(asked, tuple(self.replies.values()), tuple(self.cells.values()))
