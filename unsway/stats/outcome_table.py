"""Outcomes as columns: arrays of numbers that refer to values stored once.

In: `Outcome`s. Out: the same sequence of `Outcome`s, created while reading it, in a tenth of the memory; and its columns,
from which `unsway.stats` computes the numbers for a million outcomes in seconds.

    table = OutcomeTable.of(outs)
    table[0] == outs[0]
    table.only(bias="post_hoc@1").distinct("question_id")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from unsway.readers import Reader
from unsway.stats.outcomes import ReplyIndex, read_outcomes
from unsway.types import ArmKey, Excluded, Outcome, Pair, Reading, Rule

TRUTH: tuple[bool | None, ...] = (None, False, True)
"""The values for the numbers in a column of hits."""
HITS = ("hit_clean", "hit_biased", "right_clean", "right_biased")
NOT_ASKED = Excluded("biased", "no_reply")
PART = 50_000
"""Outcomes created at a time while a table is read."""

T = TypeVar("T", bound=Hashable)


class AskedPair(NamedTuple):
    """The fields of a pair that each of its outcomes repeats."""

    pair_id: str
    question_id: str
    source: str
    bias: str
    elicit: str
    rule: Rule


@dataclass(frozen=True, eq=False)
class OutcomeValues:
    """The values behind the numbers of a table; tables made from one share them."""

    asked: Sequence[AskedPair]
    """Values of the column `pair`."""
    arm: Sequence[ArmKey]
    """Values of the column `arm`."""
    reading: Sequence[Reading]
    """Values of the columns `clean` and `biased`."""
    excluded: Sequence[Excluded | None]
    """Values of the column `excluded`: why an outcome does not count."""
    parser: Sequence[str]
    """Values of the column `parser`: versions of readers."""
    _of_pairs: dict[str, tuple[Sequence[Any], NDArray[np.intp]]] = field(default_factory=dict, init=False)

    def of_pairs(self, name: str) -> tuple[Sequence[Any], NDArray[np.intp]]:
        """The distinct values of a field of `asked`, and each pair's index into them."""
        if name not in self._of_pairs:
            number = Numbered[Any]()
            value_index = np.array([number(getattr(pair, name)) for pair in self.asked], np.intp)
            self._of_pairs[name] = tuple(number), value_index
        return self._of_pairs[name]


class Numbered(dict[T, int]):
    """Numbers distinct values from 0, equal values alike: `numbered(value)`."""

    def __call__(self, value: T) -> int:
        """The number of a value."""
        return self.setdefault(value, len(self))


class OutcomeTable(Sequence[Outcome]):
    """Outcomes as columns. `columns` has an array of shape (outcomes,) for each field, or of indices to its values."""

    def __init__(self, values: OutcomeValues, columns: Mapping[str, NDArray[Any]]) -> None:
        """Columns `pair`, `arm`, `sample`, `clean`, `biased`, `excluded`, `parser`, and `HITS`, which index `TRUTH`."""
        self.values, self.columns = values, columns

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> OutcomeTable:
        """The columns of some outcomes; a table is returned unchanged."""
        if isinstance(outcomes, cls):
            return outcomes
        pairs, arms, readings = Numbered[AskedPair](), Numbered[ArmKey](), Numbered[Reading]()
        reasons, parsers = Numbered[Excluded | None](), Numbered[str]()
        pair_of = attrgetter(*AskedPair._fields)
        truth = {value: number for number, value in enumerate(TRUTH)}
        rows = np.fromiter(
            (
                (
                    *(pairs(AskedPair(*pair_of(o))), arms(o.arm), o.sample, readings(o.clean), readings(o.biased)),
                    *(reasons(o.excluded), parsers(o.parser), truth[o.hit_clean], truth[o.hit_biased]),
                    *(truth[o.right_clean], truth[o.right_biased]),
                )
                for o in outcomes
            ),
            [*((name, np.int32) for name in WIDE), *((name, np.int8) for name in HITS)],
        )
        values = OutcomeValues(tuple(pairs), tuple(arms), tuple(readings), tuple(reasons), tuple(parsers))
        return cls(values, {name: np.ascontiguousarray(rows[name]) for name in (*WIDE, *HITS)})

    @classmethod
    def read(
        cls,
        pairs: Iterable[Pair],
        index: ReplyIndex,
        readings: Mapping[str, Reader],
        stopped: Collection[tuple[str, str]] = (),
    ) -> OutcomeTable:
        """The outcomes of the replies to some pairs, as `unsway.stats.outcomes.outcomes` reads them.

        For models and biases in `stopped` (asked only in part), pairs without a biased reply are left out.
        """
        unique_pairs = tuple({pair.id: pair for pair in pairs}.values())
        numbers = list[int]()

        def read_asked() -> Iterator[Outcome]:
            for number, outcome in read_outcomes(unique_pairs, index, readings=readings, grouped=True):
                if outcome.excluded != NOT_ASKED or (outcome.arm.name, outcome.bias) not in stopped:
                    numbers.append(number)
                    yield outcome

        table = cls.of(read_asked())
        return table.where(np.argsort(np.array(numbers, np.intp), kind="stable"))  # in the order of the pairs

    def __len__(self) -> int:
        """The number of outcomes."""
        return len(self.columns["pair"])

    @overload
    def __getitem__(self, at: int) -> Outcome: ...
    @overload
    def __getitem__(self, at: slice) -> OutcomeTable: ...
    def __getitem__(self, at: int | slice) -> Outcome | OutcomeTable:
        """One outcome, or a table of several."""
        if isinstance(at, slice):
            return self.where(np.arange(len(self))[at])
        return next(iter(self.where(np.array([range(len(self))[at]]))))

    def __iter__(self) -> Iterator[Outcome]:
        """Every outcome, created on demand."""
        values = self.values
        pairs, arms, readings = values.asked, values.arm, values.reading
        reasons, parsers = values.excluded, values.parser
        names = ("pair", "arm", "sample", "clean", "biased", *HITS, "excluded", "parser")
        for start in range(0, len(self), PART):
            part = (self.columns[name][start : start + PART].tolist() for name in names)
            for pair, arm, sample, clean, biased, hit_c, hit_b, right_c, right_b, reason, parser in zip(
                *part, strict=True
            ):
                pair_id, question_id, source, bias, elicit, rule = pairs[pair]
                yield Outcome(
                    pair_id=pair_id,
                    question_id=question_id,
                    source=source,
                    bias=bias,
                    elicit=elicit,
                    arm=arms[arm],
                    sample=sample,
                    clean=readings[clean],
                    biased=readings[biased],
                    hit_clean=TRUTH[hit_c],
                    hit_biased=TRUTH[hit_b],
                    right_clean=TRUTH[right_c],
                    right_biased=TRUTH[right_b],
                    excluded=reasons[reason],
                    rule=rule,
                    parser=parsers[parser],
                )

    def __eq__(self, other: object) -> bool:
        """Whether another sequence contains equal outcomes in the same order."""
        if not isinstance(other, Sequence) or len(self) != len(other):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """The number of outcomes, as text."""
        return f"OutcomeTable({len(self):,} outcomes)"

    # ------------------------------------------------------------ parts of it

    def where(self, rows: NDArray[Any]) -> OutcomeTable:
        """Some of the outcomes: by a mask of shape (outcomes,), or by their indices."""
        return OutcomeTable(self.values, {name: column[rows] for name, column in self.columns.items()})

    def only(self, **field_values: object) -> OutcomeTable:
        """The outcomes with these values in these fields: `only(arm=key, bias={"post_hoc@1"})`."""
        mask = np.ones(len(self), bool)
        for name, value in field_values.items():
            values, index = self.numbers(name)
            allowed = value if isinstance(value, Set) else {value}
            mask &= np.array([v in allowed for v in values], bool)[index]
        return self.where(mask)

    def split(self, names: Iterable[str]) -> list[OutcomeTable]:
        """Parts with equal values in these fields, in order of first occurrence."""
        if not len(self):
            return []
        code = np.zeros(len(self), np.int64)
        for name in names:
            values, index = self.numbers(name)
            code = code * len(values) + index
        group = in_order(code)
        rows = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group))
        return [self.where(part) for part in np.split(rows, ends[:-1])]

    # ------------------------------------------------------------ one field

    def numbers(self, name: str) -> tuple[Sequence[Any], NDArray[np.intp]]:
        """The values of `arm`, `parser`, `excluded` or a field of `AskedPair`, and each outcome's index into them."""
        if name in AskedPair._fields:
            values, value_index = self.values.of_pairs(name)
            return values, value_index[self.columns["pair"]]
        return getattr(self.values, name), self.columns[name]

    def distinct(self, name: str) -> list[Any]:
        """The distinct values of a field that `numbers` accepts, in order of first occurrence."""
        values, index = self.numbers(name)
        indices, first = np.unique(index, return_index=True)
        return [values[i] for i in indices[np.argsort(first)]]

    def of_readings(self, name: str, value: Callable[[Reading], float | None]) -> NDArray[np.float64]:
        """A function of each reading in a column (`clean`, `biased`); NaN for None."""
        values = np.array([value(reading) for reading in self.values.reading], float)
        return np.asarray(values[self.columns[name]], float)

    def truth(self, name: str) -> NDArray[np.float64]:
        """A column of hits as 1, 0 and NaN."""
        values = np.array([np.nan, 0.0, 1.0])
        return np.asarray(values[self.columns[name]], float)


WIDE = ("pair", "arm", "sample", "clean", "biased", "excluded", "parser")
"""Columns of indices that may be large."""


def in_order(code: NDArray[Any]) -> NDArray[np.intp]:
    """An index for each entry, equal for equal entries, from 0 in order of first occurrence."""
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[group]


@dataclass(frozen=True, slots=True)
class ReadReplies:
    """Replies, with their outcomes."""

    index: ReplyIndex
    """The replies by arm, prompt and sample."""
    outcomes: OutcomeTable | None = None
    """The outcomes; None if the replies have not been read yet."""
