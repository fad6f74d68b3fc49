"""Which clean row belongs to which biased row, where a file of transcripts does not say.

In: checked rows (`Transcript`). Out: the same rows, each with the number of its sample. Both sides join by source, question,
bias, model and sample. A cue gets a clean row of its own where it cannot share one: because clean replies differ from bias to
bias, or because the cues of one question and bias have several targets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from unsway.importing.transcripts import Transcript
from unsway.types import Target

Numbered: TypeAlias = tuple[Transcript, int]
"""A row and the number of its sample."""
Cue: TypeAlias = tuple[str, str, str]
"""Source, question and bias."""
Place: TypeAlias = tuple[str, str, str, str, int]
"""Source, question, bias, model and sample: at most one row of each side."""


def number_samples(rows: Sequence[Transcript]) -> list[Numbered]:
    """Rows with the number of their sample: their own, or the next free one. Rows that repeat another are left out."""
    found: dict[tuple[object, ...], Numbered] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        place = (row.source, row.question_id, row.bias, row.side, row.model)
        sample = counts[place] if row.sample is None else row.sample
        counts[place] += row.sample is None
        found.setdefault((*place, sample), (row, sample))
    return list(found.values())


def count_unpaired(rows: Sequence[Transcript]) -> int:
    """The number of clean rows that belong to no pair, because neither they nor a biased row name a target."""
    cues = {_cue(row) for row in rows if row.bias and row.target is not None}
    questions = {cue[:2] for cue in cues}
    return sum(
        row.side == "clean" and (_cue(row) not in cues if row.bias else _cue(row)[:2] not in questions) for row in rows
    )


def share_clean_rows(rows: Sequence[Numbered]) -> list[Numbered]:
    """Repeat clean rows for each cue that cannot share them. Rows of most files are returned as they are."""
    biased: dict[Place, Transcript] = {_place(*each): each[0] for each in rows if each[0].side == "biased"}
    targets: defaultdict[Cue, set[Target | None]] = defaultdict(set)
    for row in biased.values():
        targets[_cue(row)].add(row.target)
    several = {cue for cue, found in targets.items() if len(found) > 1}
    own = {_place(*each) for each in rows if each[0].side == "clean" and each[0].bias}
    shared = {_place(*each): each[0] for each in rows if each[0].side == "clean" and not each[0].bias}
    if not several and not {place[:2] for place in own} & {place[:2] for place in shared}:
        return list(rows)

    def with_variants() -> Iterator[Numbered]:
        """All rows; where a cue has several targets, with that of the biased row to which a row belongs."""
        for row, sample in rows:
            target = biased.get(_place(row, sample), row).target
            is_one_of_several = _cue(row) in several and target is not None
            yield row._replace(target=target, variant=_in_words(target)) if is_one_of_several else row, sample

    def repeated() -> Iterator[Numbered]:
        """The clean row that stands for every bias, for each cue whose bias has clean rows or targets of its own."""
        biases = {place[:3] for place in own}
        for place, row in biased.items():
            clean, cue = shared.get((*place[:2], "", *place[3:])), place[:3]
            if clean is not None and place not in own and (cue in several or cue in biases):
                variant = _in_words(row.target) if cue in several else ""
                yield clean._replace(bias=row.bias, target=row.target, variant=variant), place[4]

    return [*with_variants(), *repeated()]


def _cue(row: Transcript) -> Cue:
    return (row.source, row.question_id, row.bias)


def _place(row: Transcript, sample: int) -> Place:
    return (row.source, row.question_id, row.bias, row.model, sample)


def _in_words(target: Target | None) -> str:
    return "any change" if target is None else target.label()
