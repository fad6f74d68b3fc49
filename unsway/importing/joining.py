"""Matches clean rows with biased rows, if a file of transcripts does not.

In: checked rows (`Transcript`). Out: the same rows, each with a sample number. Both sides are matched by source, question,
bias, model and sample. A cue gets its own clean row if it cannot share one: because clean replies differ between biases, or
because the cues of one question and bias have several targets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from unsway.importing.transcripts import Transcript
from unsway.types import Target

Numbered: TypeAlias = tuple[Transcript, int]
"""A row and its sample number."""
Cue: TypeAlias = tuple[str, str, str]
"""Source, question and bias."""
Place: TypeAlias = tuple[str, str, str, str, int]
"""Source, question, bias, model and sample; each side has at most one row for it."""


def number_samples(rows: Sequence[Transcript]) -> list[Numbered]:
    """Rows with their sample number: their own, or the next free one. Rows that repeat another are left out."""
    numbered: dict[tuple[object, ...], Numbered] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        key = (row.source, row.question_id, row.bias, row.side, row.model)
        sample = counts[key] if row.sample is None else row.sample
        counts[key] += row.sample is None
        numbered.setdefault((*key, sample), (row, sample))
    return list(numbered.values())


def count_unpaired(rows: Sequence[Transcript]) -> int:
    """The number of clean rows without a pair, because neither they nor a biased row name a target."""
    cues = {_cue(row) for row in rows if row.bias and row.target is not None}
    questions = {cue[:2] for cue in cues}
    return sum(
        row.side == "clean" and (_cue(row) not in cues if row.bias else _cue(row)[:2] not in questions) for row in rows
    )


def share_clean_rows(rows: Sequence[Numbered]) -> list[Numbered]:
    """Repeat clean rows for every cue that cannot share them. For most files, the rows are returned unchanged."""
    biased: dict[Place, Transcript] = {
        _place(*numbered): numbered[0] for numbered in rows if numbered[0].side == "biased"
    }
    targets: defaultdict[Cue, set[Target | None]] = defaultdict(set)
    for row in biased.values():
        targets[_cue(row)].add(row.target)
    multi_target_cues = {cue for cue, cue_targets in targets.items() if len(cue_targets) > 1}
    own = {_place(*numbered) for numbered in rows if numbered[0].side == "clean" and numbered[0].bias}
    shared = {
        _place(*numbered): numbered[0] for numbered in rows if numbered[0].side == "clean" and not numbered[0].bias
    }
    if not multi_target_cues and not {place[:2] for place in own} & {place[:2] for place in shared}:
        return list(rows)

    def add_variants() -> Iterator[Numbered]:
        """All rows; if a cue has several targets, each row gets the target of the biased row it belongs to."""
        for row, sample in rows:
            target = biased.get(_place(row, sample), row).target
            is_one_of_several = _cue(row) in multi_target_cues and target is not None
            yield row._replace(target=target, variant=_in_words(target)) if is_one_of_several else row, sample

    def repeat_clean_rows() -> Iterator[Numbered]:
        """The clean row shared by all biases, repeated for each cue whose bias has its own clean rows or several targets."""
        own_cues = {place[:3] for place in own}
        for place, row in biased.items():
            clean = shared.get((*place[:2], "", *place[3:]))
            cue = place[:3]
            if clean is not None and place not in own and (cue in multi_target_cues or cue in own_cues):
                variant = _in_words(row.target) if cue in multi_target_cues else ""
                yield clean._replace(bias=row.bias, target=row.target, variant=variant), place[4]

    return [*add_variants(), *repeat_clean_rows()]


def _cue(row: Transcript) -> Cue:
    return (row.source, row.question_id, row.bias)


def _place(row: Transcript, sample: int) -> Place:
    return (row.source, row.question_id, row.bias, row.model, sample)


def _in_words(target: Target | None) -> str:
    return "any change" if target is None else target.label()
