"""Ask until the result is precise enough: questions are asked in batches, and each bias stops at a narrow enough interval.

In: pairs, a model, the half-width to reach. Out: the replies, and the precision of each bias for this model.
The order of the questions depends only on the seed, and all biases of a question are asked in the same batch, so they share
the clean prompt. After each batch the anytime-valid interval of every bias is computed (`unsway.stats.anytime`), which
stays valid however often one looks. A bias with a narrow interval stops; the others continue until their questions are used
up.

    stopped = run_until(pairs, "openai/gpt-4o-mini", StopRule(0.05), folder="runs/x")
    [(bias.bias, bias.estimate.value, bias.narrow, bias.n_asked) for bias in stopped.precisions]
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from unsway import layout
from unsway.disk import exclusive, write_text
from unsway.errors import BadInput
from unsway.sampling.asker import run
from unsway.sampling.options import Sampling, SamplingOptions, opened
from unsway.store import loads, why
from unsway.types import Estimate, Pair, Reply

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

EVERY = 25
"""Questions of each bias between two looks: at most that many are asked in excess, and a look takes well under a second."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """When to stop asking a bias. Raises `BadInput` if a number is out of range."""

    half_width: float
    """The half-width of the BRR's interval to reach; 0.05 is five points on either side."""
    level: float = 0.95
    """Nominal coverage over all looks together."""
    every: int = EVERY
    """Questions of each bias between two looks."""
    seed: int = 0
    """Seed of the order of the questions."""

    def __post_init__(self) -> None:
        from unsway.stats.anytime import anytime_interval

        anytime_interval((), self.half_width, low=0.0, level=self.level)  # fails now, not at the first look
        if self.every < 1:
            raise BadInput(f"There are {self.every} questions between two looks; there must be at least 1.")


class Precision(NamedTuple):
    """The precision of one bias of a model after the last look."""

    model: str
    """The name that its replies carry."""
    bias: str
    """`name@version`."""
    estimate: Estimate
    """`brr_anytime`: covers at all looks together, so stopping early does not spoil it."""
    narrow: bool
    """Whether its half-width is small enough; otherwise its questions are used up."""
    n_asked: int
    """Number of questions asked."""
    n_there: int
    """Number of questions available."""


@dataclass(frozen=True, slots=True)
class UntilResult:
    """The pairs asked, the replies, and the precision of each bias."""

    pairs: tuple[Pair, ...]
    """The pairs asked, in the order given."""
    replies: tuple[Reply, ...]
    """The replies to both sides of those pairs."""
    precisions: tuple[Precision, ...]
    """One for each bias."""


def run_until(
    pairs: Iterable[Pair],
    model: ModelLike,
    rule: StopRule,
    sampling: Sampling = Sampling(),  # noqa: B008  # frozen
    *,
    on_look: Callable[[tuple[Precision, ...]], None] | None = None,
    model_args: Mapping[str, Any] | None = None,
    **options: Unpack[SamplingOptions],
) -> UntilResult:
    """Ask a model batch after batch, until the BRR of every bias is precise enough or its questions are used up.

    The same call on the same folder asks nothing again and stops at the same points.

    Args:
        pairs: All pairs that may be asked; more pairs widen the range of rates for which the half-width can be reached.
        model: See `unsway.models.session.subject`.
        rule: When a bias stops.
        sampling: As in `ask`; several replies to a prompt count once, as their mean, and `batch` is the provider's
            batch mode, not the number of questions between two looks.
        on_look: Called after each look with the precision of every bias.
        model_args: Arguments of the model's provider.
        options: Fields of `sampling` as keywords.

    Raises:
        ModelError, BudgetReached: As `ask`; all replies received are stored, so a second call continues.
    """
    from unsway.stats.anytime import question_order, watch
    from unsway.stats.outcomes import outcomes

    sampling = replace(sampling, **options)
    pairs_by_id = {pair.id: pair for pair in pairs}
    groups: defaultdict[str, defaultdict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs_by_id.values():
        groups[pair.bias][pair.question.id].append(pair)
    queues = {
        bias: [by_question[key] for key in question_order(by_question, rule.seed)]
        for bias, by_question in groups.items()
    }
    with opened(model, sampling, model_args) as (session, full_sampling, folder):
        label = sampling.label or session.subject.name
        asked_ids: set[str] = set()
        replies: dict[tuple[str, int], Reply] = {}
        precisions: dict[str, Precision] = {}
        start = 0
        unfinished = list(queues)
        while unfinished:
            batch = [
                pair for bias in unfinished for group in queues[bias][start : start + rule.every] for pair in group
            ]
            batch_label = f"{label}, from question {start + 1}"
            for reply in run(batch, session, replace(full_sampling, label=batch_label)):
                replies[reply.prompt_id, reply.sample] = reply
            asked_ids |= {pair.id for pair in batch}
            start += rule.every
            for bias in unfinished:
                n_questions = len(queues[bias])
                pairs_so_far = [pair for group in queues[bias][:start] for pair in group]
                (look,) = watch(
                    outcomes(pairs_so_far, replies.values()), rule.half_width, seed=rule.seed, level=rule.level
                )
                n_asked = min(start, n_questions)
                precisions[bias] = Precision(
                    session.subject.name, bias, look.estimate, look.narrow, n_asked, n_questions
                )
            if on_look is not None:
                on_look(tuple(precisions.values()))
            unfinished = [bias for bias in unfinished if not precisions[bias].narrow and start < len(queues[bias])]
        if sampling.folder is not None:
            keep_precisions(folder, precisions.values())
    asked_pairs = tuple(pair for pair_id, pair in pairs_by_id.items() if pair_id in asked_ids)
    return UntilResult(asked_pairs, tuple(replies.values()), tuple(precisions.values()))


def kept_precisions(folder: str | Path) -> tuple[Precision, ...]:
    """The stored precision of each model and bias in a folder; empty if nothing was asked with a `StopRule`.

    Raises `BadInput` if the file is damaged.
    """
    path = Path(folder) / layout.UNTIL
    try:
        return loads(tuple[Precision, ...], path.read_bytes()) if path.exists() else ()
    except ValueError as error:
        raise BadInput(f"{path} is damaged ({why(error)}). Restore it, or delete it and measure again.") from None


def keep_precisions(folder: str | Path, precisions: Iterable[Precision]) -> None:
    """Store these, replacing earlier ones of the same model and bias and keeping all others."""
    with exclusive(folder):
        merged = {(precision.model, precision.bias): precision for precision in (*kept_precisions(folder), *precisions)}
        rows = [precision._asdict() | {"estimate": asdict(precision.estimate)} for precision in merged.values()]
        write_text(Path(folder) / layout.UNTIL, json.dumps(rows, indent=2) + "\n")
