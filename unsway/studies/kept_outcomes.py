"""Store outcomes next to the replies they were read from, so a newer reader can report which answers it reads differently.

In: a study's folder. Out: `outcomes.jsonl` with the version of the reader in each row and in its manifest; `Reread`.
A row stays as it was first read until `reread` replaces it with the current reading. So measuring more with a newer reader
neither loses nor hides what changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from unsway import layout, readers
from unsway.disk import exclusive
from unsway.errors import BadRow
from unsway.judging.requests import request_readings
from unsway.prompts.render import answer_on
from unsway.readers.requests import REQUEST
from unsway.stats.outcomes import OutcomeKey, ReplyIndex, key_of
from unsway.store import read_jsonl, read_manifest, write_jsonl
from unsway.studies import first_edition
from unsway.studies.folder import arms_of, index_of, kept_verdicts, pairs_of, study_folder
from unsway.types import ArmKey, Outcome, Pair, Prompt, Reading, Reply, Side
from unsway.types.redaction import shown_reply

if TYPE_CHECKING:
    from unsway.judging.second_reader import SecondReading
    from unsway.models.session import ModelLike


class ChangedReading(NamedTuple):
    """An answer that is now read differently."""

    arm: ArmKey
    pair: Pair
    """The pair it belongs to; for a clean answer, one of the pairs that share it."""
    prompt: Prompt
    """The prompt of the pair, even if an intervention asked another one instead."""
    sample: int
    side: Side
    old: Reading
    new: Reading
    reply: Reply

    def words(self) -> tuple[str, str]:
        """The reading before and now: the letter as shown to the model, or why there is none.

        For a request, it is what the reply does with it.
        """
        old, new = (
            answer.status if answer.choice is None else f"({answer_on(self.pair, self.side, answer.choice)})"
            for answer in (self.old, self.new)
        )
        return old, new


@dataclass(frozen=True, slots=True)
class Reread:
    """How a folder's answers were read before and are read now."""

    before: tuple[str, ...]
    """Versions of the reader in the stored outcomes; empty if nothing was stored."""
    now: str
    n_answers: int
    """Stored answers of both sides that were read again; a clean answer shared by several biases counts once."""
    n_new: int
    """Answers that were not stored before."""
    changed: tuple[ChangedReading, ...]
    n_counted: int
    """Outcomes that count now but did not before."""
    n_uncounted: int
    """Outcomes that counted before but do not now."""

    def moves(self) -> Mapping[tuple[str, str], int]:
        """How many answers changed from one reading to another, most frequent first: letters as shown, or why none."""
        return dict(Counter(change.words() for change in self.changed).most_common())


def kept_outcomes(folder: str | Path) -> tuple[Outcome, ...]:
    """The outcomes that a folder stores; empty if it stores none. Raises `BadRow` for a row that is no outcome."""
    root = Path(folder)
    path = root / layout.OUTCOMES
    if not path.exists():
        return ()
    if first_edition.has_key(path, "arm"):
        return tuple(read_jsonl(path, Outcome))
    keys = {arm.name: arm.key for arm in arms_of(root)}
    outcomes = []
    for number, row in enumerate(read_jsonl(path, dict[str, Any]), 1):
        try:
            outcomes.append(first_edition.outcome(row, keys))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadRow(path, number, "row", f"is no outcome ({error!r})") from None
    return tuple(outcomes)


def keep_outcomes(folder: str | Path, computed_outcomes: Iterable[Outcome] | None = None) -> Path:
    """Store the outcomes of a folder. Called whenever something was measured.

    Rows that another version of the reader wrote stay unchanged, unless a reply was missing then. Raises `BadInput`
    if the folder holds no measurement.

    Args:
        folder: The study's folder.
        computed_outcomes: Its outcomes, if they were just computed; None reads its replies.
    """
    from unsway.stats.outcomes import outcomes

    if computed_outcomes is None:
        computed_outcomes = outcomes(*pairs_and_replies(folder), readings=request_readings(kept_verdicts(Path(folder))))
    current = {key_of(outcome): outcome for outcome in computed_outcomes}
    with exclusive(folder):
        path = Path(folder) / layout.OUTCOMES
        stored_outcomes = {key_of(outcome): outcome for outcome in kept_outcomes(folder)}
        unchanged = {
            key: o
            for key, o in stored_outcomes.items()
            if key in current
            and o.parser != current[key].parser
            and "no_reply" not in (o.clean.status, o.biased.status)
            and o.parser != readers.get(REQUEST).versioned  # no judge had read this request's reply yet
        }
        rows = {key: unchanged.get(key, outcome) for key, outcome in current.items()}
        return path if rows == stored_outcomes and read_manifest(path) else _write(folder, rows)


def reread(folder: str | Path) -> Reread:
    """Read the replies of a folder again, store the current outcomes, and return which answers changed.

    Raises:
        BadInput: The folder holds no measurement.
    """
    from unsway.stats.outcomes import outcomes

    pairs, index = pairs_and_replies(folder)
    readings = request_readings(kept_verdicts(Path(folder)))
    current = {key_of(outcome): outcome for outcome in outcomes(pairs, index, readings=readings)}
    with exclusive(folder):
        earlier = {key_of(outcome): outcome for outcome in kept_outcomes(folder)}
        _write(folder, current)
    by_id = {pair.id: pair for pair in pairs}
    pair_of = {prompt.id: pair.id for pair in pairs for prompt in (pair.clean, pair.biased)}
    shared = [key for key in current if key in earlier]
    old = {
        slot: (side, prompt, reading)
        for key in shared
        for slot, side, prompt, reading in _readings(earlier[key], by_id)
    }
    new = {slot: reading for o in current.values() for slot, _, _, reading in _readings(o, by_id)}
    changed = []
    for slot in (slot for slot in new if slot in old):
        (arm, _, sample), (side, prompt, before), after = slot, old[slot], new[slot]
        reply = index.reply(arm, prompt, sample)
        # another option, or another reason for none; a change of only the rule or the place does not count
        if reply is not None and (before.value, before.status) != (after.value, after.status):
            pair = by_id[pair_of[prompt.id]]
            changed.append(ChangedReading(arm, pair, prompt, sample, side, before, after, shown_reply(pair, reply)))
    n_answers = len(old.keys() & new.keys())
    exclusions = [(earlier[key].excluded, current[key].excluded) for key in shared]
    return Reread(
        before=tuple(sorted({outcome.parser for outcome in earlier.values()})),
        now=", ".join(sorted({outcome.parser for outcome in current.values()})),
        n_answers=n_answers,
        n_new=len(new) - n_answers,
        changed=tuple(changed),
        n_counted=sum(before is not None and after is None for before, after in exclusions),
        n_uncounted=sum(before is None and after is not None for before, after in exclusions),
    )


def second_reading(
    folder: str | Path,
    model: ModelLike,
    *,
    n: int | None = None,
    seed: int = 0,
    model_args: Mapping[str, Any] | None = None,
) -> SecondReading:
    """Have a model read a folder's replies as a second reader; its readings are stored, and reports show the agreement.

    Args:
        folder: The study's folder.
        model: The second reader.
        n: Maximum number of replies, drawn by the seed; None takes all.
        seed: Seed of that draw.
        model_args: Arguments of the model's provider.

    Raises:
        BadInput: The folder holds no measurement.
        ModelError: As `unsway.ask`; everything so far is kept.
    """
    from unsway.judging.second_reader import second_reader

    path = Path(folder)
    options: Any = {"folder": path / layout.SECOND_READER, "model_args": model_args}
    reading = second_reader(*pairs_and_replies(path), model, n=n, seed=seed, **options)
    write_jsonl(path / layout.SECOND_READINGS, reading.verdicts)
    return reading


def pairs_and_replies(folder: str | Path) -> tuple[tuple[Pair, ...], ReplyIndex]:
    """The pairs of a folder and the replies of its arms.

    Raises:
        BadInput: It holds no measurement.
    """
    path = study_folder(folder)
    return pairs_of(path), index_of(path, arms_of(path))


def _write(folder: str | Path, rows: Mapping[OutcomeKey, Outcome]) -> Path:
    readers = sorted({outcome.parser for outcome in rows.values()})
    return write_jsonl(Path(folder) / layout.OUTCOMES, rows.values(), parser=readers)


def _readings(
    outcome: Outcome, by_id: Mapping[str, Pair]
) -> Iterator[tuple[tuple[ArmKey, str, int], Side, Prompt, Reading]]:
    """(arm, prompt id, sample), side, prompt and reading of each reply of an outcome that exists."""
    pair = by_id[outcome.pair_id]
    sides: tuple[tuple[Side, Prompt, Reading], ...] = (
        ("clean", pair.clean, outcome.clean),
        ("biased", pair.biased, outcome.biased),
    )
    for side, prompt, reading in sides:
        if reading.status != "no_reply":
            yield (outcome.arm, prompt.id, outcome.sample), side, prompt, reading
