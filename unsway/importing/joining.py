"""Which clean row belongs to which biased row, where a file of transcripts does not say it plainly.

In: checked rows (`import_rows.Row`). Out: the same with the numbers of their samples, and with a clean row of its own for
every cue that cannot share one: because clean replies differ from bias to bias, or because cues of one question and bias
have several targets. Both arms join by source, question, bias, model and sample.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import TypeAlias

from unsway.importing.rows import Row
from unsway.types import AnyChange, AwayFrom, Target

Numbered: TypeAlias = tuple[Row, int]
"""A row and the number of its sample."""
Cue: TypeAlias = tuple[str, str, str]
"""Source, question and bias."""
Place: TypeAlias = tuple[str, str, str, str, int]
"""Source, question, bias, model and sample: one row of each arm."""


def numbered(rows: Sequence[Row]) -> list[Numbered]:
    """Rows with the number of their sample, their own or the next one; those that say the same twice are left out."""
    found: dict[tuple[object, ...], Numbered] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for row in rows:
        place = (row.source, row.question_id, row.bias, row.arm, row.model)
        sample = counts[place] if row.sample is None else row.sample
        counts[place] += row.sample is None
        found.setdefault((*place, sample), (row, sample))
    return list(found.values())


def alone(rows: Sequence[Row]) -> int:
    """How many clean rows belong to no pair: they name no target, and no biased row does it for them."""
    cues = {_cue(row) for row in rows if row.bias and row.target is not None}
    questions = {cue[:2] for cue in cues}
    return sum(
        row.arm == "clean" and (_cue(row) not in cues if row.bias else _cue(row)[:2] not in questions) for row in rows
    )


def spread(rows: Sequence[Numbered]) -> list[Numbered]:
    """Give clean rows to each cue that cannot share them; most files have none such, and stay as they are."""
    cued: dict[Place, Row] = {_place(*each): each[0] for each in rows if each[0].arm == "biased"}
    targets: defaultdict[Cue, set[Target | None]] = defaultdict(set)
    for row in cued.values():
        targets[_cue(row)].add(row.target)
    own = {_place(*each) for each in rows if each[0].arm == "clean" and each[0].bias}
    questions = {place[:2] for place in own}
    several = {cue for cue, found in targets.items() if len(found) > 1}
    if not several and not any(row.arm == "clean" and not row.bias and _cue(row)[:2] in questions for row, _ in rows):
        return list(rows)
    return [*_with_variants(rows, cued, several), *_shared(rows, cued, own, several)]


def _with_variants(rows: Sequence[Numbered], cued: Mapping[Place, Row], several: set[Cue]) -> Iterator[Numbered]:
    """Rows of cues with several targets, told apart by the target of the biased row that they belong to."""
    for row, sample in rows:
        target = cued.get(_place(row, sample), row).target
        known = _cue(row) in several and target is not None
        yield (row._replace(target=target, variant=_variant(target)) if known else row), sample


def _shared(
    rows: Sequence[Numbered], cued: Mapping[Place, Row], own: set[Place], several: set[Cue]
) -> Iterator[Numbered]:
    """The clean row that stands for every bias, again for each cue that has one of its own elsewhere."""
    stands = {_place(row, sample): row for row, sample in rows if row.arm == "clean" and not row.bias}
    named = {place[:3] for place in own}
    for place, row in cued.items():
        clean = stands.get((*place[:2], "", *place[3:]))
        if clean is not None and place not in own and (place[:3] in several or place[:3] in named):
            variant = _variant(row.target) if place[:3] in several else ""
            yield clean._replace(bias=row.bias, target=row.target, variant=variant), place[4]


def _cue(row: Row) -> Cue:
    return (row.source, row.question_id, row.bias)


def _place(row: Row, sample: int) -> Place:
    return (row.source, row.question_id, row.bias, row.model, sample)


def _variant(target: Target | None) -> str:
    """The target in words."""
    if target is None or isinstance(target, AnyChange):
        return "any change"
    return ("away from " if isinstance(target, AwayFrom) else "toward ") + ascii_uppercase[target.option]
