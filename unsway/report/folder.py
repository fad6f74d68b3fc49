"""A study's folder: what was asked, of whom, and every reply, so that a report needs no model.

In: a folder. Out: `Results`. The folder holds `pairs.jsonl`, `replies.jsonl` (written by `unsway.run`), `arms.json`.
Measuring more into the same folder adds to it; nothing is overwritten but what it replaces by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from unsway.errors import BadInput
from unsway.pairs import PairSet
from unsway.report.study import Arm, Results, Skipped
from unsway.store import ReplyStore, loads, read_jsonl, write_jsonl, write_text
from unsway.types import Pair

PAIRS, REPLIES, ARMS = "pairs.jsonl", "replies.jsonl", "arms.json"


def keep(folder: str | Path, asked: PairSet, arm: Arm) -> None:
    """Note in the folder what was asked of an arm; an arm of the same label is replaced, pairs are added."""
    place = Path(folder)
    arms = {one.label: one for one in _arms(place)} | {arm.label: arm}
    known = {pair.id: pair for pair in _pairs(place)} | {pair.id: pair for pair in asked}
    skipped = _counted(asked) if asked.skipped else _skipped(place)
    write_jsonl(place / PAIRS, known.values(), biases=sorted({pair.bias for pair in known.values()}))
    body = {"arms": [asdict(one) for one in arms.values()], "skipped": [one._asdict() for one in skipped]}
    write_text(place / ARMS, json.dumps(body, indent=2) + "\n")


def results(
    folder: str | Path, *, title: str = "", trained_biases: Iterable[str] = (), about: Mapping[str, str] | None = None
) -> Results:
    """Everything a report shows, from a folder. Raises `BadInput` where the folder holds no study."""
    place = Path(folder)
    if not (place / ARMS).is_file():
        raise BadInput(
            f"{str(place)!r} holds no measurement ({ARMS} is missing). `unsway measure … --out {place}` makes one."
        )
    return Results.build(
        title or place.resolve().name,
        _in_order(_arms(place)),
        _pairs(place),
        ReplyStore(place / REPLIES),
        trained_biases=trained_biases,
        skipped=_skipped(place),
        about=about,
    )


def _in_order(arms: Iterable[Arm]) -> list[Arm]:
    """The base first, then controls, then what was trained."""
    rank = {"base": 0, "control": 1, "trained": 2}
    return sorted(arms, key=lambda arm: rank[arm.role])


def _body(place: Path) -> dict[str, list[dict[str, object]]]:
    path = place / ARMS
    body: dict[str, list[dict[str, object]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return body


def _arms(place: Path) -> list[Arm]:
    return [loads(Arm, json.dumps(row)) for row in _body(place).get("arms", [])]


def _skipped(place: Path) -> list[Skipped]:
    return [loads(Skipped, json.dumps(list(row.values()))) for row in _body(place).get("skipped", [])]


def _counted(asked: PairSet) -> list[Skipped]:
    groups = dict.fromkeys((one.bias, one.reason) for one in asked.skipped)
    counts = {group: sum((one.bias, one.reason) == group for one in asked.skipped) for group in groups}
    return [Skipped(bias, reason, n) for (bias, reason), n in counts.items()]


def _pairs(place: Path) -> tuple[Pair, ...]:
    path = place / PAIRS
    return tuple(read_jsonl(path, Pair)) if path.exists() else ()
