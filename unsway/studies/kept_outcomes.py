"""Outcomes beside the replies they were read from, so that a newer reader can say which answers it reads otherwise.

In: a study's folder. Out: `outcomes.jsonl` with the version of the reader in each row and in its manifest; `Reread`.
A row stands as it was first read until `reread` puts today's reading in its place: measuring more with a newer reader
neither loses nor hides what changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from unsway import layout
from unsway.disk import alone
from unsway.errors import BadInput
from unsway.prompts.render import letter
from unsway.readers.parse import PARSER
from unsway.store import read_jsonl, read_manifest, write_jsonl
from unsway.studies.folder import arms_of, pairs_of, standing_for
from unsway.types import Answer, Outcome, Pair, Reply

Side: TypeAlias = Literal["clean", "biased"]
Key: TypeAlias = tuple[str, str, int]
"""Model, pair id and sample of an outcome."""


class Changed(NamedTuple):
    """An answer that is read otherwise than before."""

    model: str
    prompt_id: str
    sample: int
    side: Side
    old: Answer
    new: Answer
    reply: Reply


@dataclass(frozen=True, slots=True)
class Reread:
    """What a folder's answers were and are."""

    before: tuple[str, ...]
    """Versions of the reader in what was kept; none where nothing was."""
    now: str
    n_answers: int
    """Answers of both arms that were kept and read again; a clean one that biases share counts once."""
    n_new: int
    """Answers that were not kept before."""
    changed: tuple[Changed, ...]
    n_counted: int
    """Outcomes that count now and did not before."""
    n_uncounted: int
    """Outcomes that counted before and do not now."""

    def moves(self) -> Mapping[tuple[str, str], int]:
        """How many answers went from what to what, the most frequent first: letters, or why there is none."""
        return dict(Counter((named(one.old), named(one.new)) for one in self.changed).most_common())


def named(answer: Answer) -> str:
    """The letter of an answer, or why there is none."""
    return answer.status if answer.choice is None else f"({letter(answer.choice)})"


def kept_outcomes(folder: str | Path) -> tuple[Outcome, ...]:
    """The outcomes that a folder keeps; none where it keeps none. Raises `BadRow` for a row that is not one."""
    path = Path(folder) / layout.OUTCOMES
    return tuple(read_jsonl(path, Outcome)) if path.exists() else ()


def keep_outcomes(folder: str | Path, found: Iterable[Outcome] | None = None) -> Path:
    """Keep the outcomes of a folder; call it whenever something was measured.

    Rows that another version of the reader wrote stay as they are, unless a reply was missing then. Raises `BadInput`
    where the folder holds no measurement.

    Args:
        folder: The study's folder.
        found: Its outcomes, where they were just read; None reads its replies.
    """
    from unsway.stats.outcomes import outcomes

    now = {_key(outcome): outcome for outcome in (outcomes(*replies_of(folder)) if found is None else found)}
    with alone(folder):
        path, kept = Path(folder) / layout.OUTCOMES, {_key(outcome): outcome for outcome in kept_outcomes(folder)}
        stay = {k: o for k, o in kept.items() if o.parser != PARSER and "no_reply" not in (o.clean.rule, o.biased.rule)}
        rows = {key: stay.get(key, outcome) for key, outcome in now.items()}
        return path if rows == kept and read_manifest(path) else _write(folder, rows)


def reread(folder: str | Path) -> Reread:
    """Read the replies of a folder again, keep today's outcomes, and say which answers changed.

    Raises:
        BadInput: The folder holds no measurement.
    """
    from unsway.stats.outcomes import outcomes

    pairs, replies = replies_of(folder)
    now = {_key(outcome): outcome for outcome in outcomes(pairs, replies)}
    with alone(folder):
        then = {_key(outcome): outcome for outcome in kept_outcomes(folder)}
        found = _compared(pairs, replies, then, now)
        _write(folder, now)
    return found


def replies_of(folder: str | Path) -> tuple[tuple[Pair, ...], tuple[Reply, ...]]:
    """The pairs of a folder and the replies of its arms. Raises `BadInput` where it holds no measurement."""
    place = Path(folder)
    if not (place / layout.ARMS).is_file():
        raise BadInput(
            f"{str(place)!r} holds no measurement ({layout.ARMS} is missing). `unsway measure … --out {place}` makes one."
        )
    return pairs_of(place), tuple(standing_for(place, arms_of(place)))


def _write(folder: str | Path, rows: Mapping[Key, Outcome]) -> Path:
    readers = sorted({outcome.parser for outcome in rows.values()})
    return write_jsonl(Path(folder) / layout.OUTCOMES, rows.values(), parser=readers)


def _key(outcome: Outcome) -> Key:
    return outcome.model, outcome.pair_id, outcome.sample


# ---------------------------------------------------------------- then and now


def _compared(
    pairs: Iterable[Pair], replies: Iterable[Reply], then: Mapping[Key, Outcome], now: Mapping[Key, Outcome]
) -> Reread:
    by_id = {pair.id: pair for pair in pairs}
    said = {(reply.model, reply.prompt_id, reply.sample): reply for reply in replies}
    old = {
        address: (side, answer) for key, o in then.items() if key in now for address, side, answer in _answers(o, by_id)
    }
    new = {address: answer for o in now.values() for address, _, answer in _answers(o, by_id)}
    both = [address for address in new if address in old]
    changed = tuple(
        Changed(*address, old[address][0], old[address][1], new[address], said[address])
        for address in both
        if _differ(old[address][1], new[address])
    )
    counted = [(then[key].excluded, now[key].excluded) for key in now if key in then]
    return Reread(
        before=tuple(sorted({outcome.parser for outcome in then.values()})),
        now=PARSER,
        n_answers=len(both),
        n_new=len(new) - len(both),
        changed=changed,
        n_counted=sum(a is not None and b is None for a, b in counted),
        n_uncounted=sum(a is None and b is not None for a, b in counted),
    )


def _answers(outcome: Outcome, by_id: Mapping[str, Pair]) -> Iterator[tuple[tuple[str, str, int], Side, Answer]]:
    """The address (model, prompt, sample), arm and answer of both replies of an outcome, where they are there."""
    pair = by_id[outcome.pair_id]
    sides: tuple[tuple[Side, str, Answer], ...] = (
        ("clean", pair.clean.id, outcome.clean),
        ("biased", pair.biased.id, outcome.biased),
    )
    for side, prompt_id, answer in sides:
        if answer.rule != "no_reply":
            yield (outcome.model, prompt_id, outcome.sample), side, answer


def _differ(one: Answer, other: Answer) -> bool:
    """Another option, or another reason for none; the rule and the place alone change nothing."""
    return (one.choice, one.status) != (other.choice, other.status)
