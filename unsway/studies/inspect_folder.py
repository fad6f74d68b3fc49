"""What stands in a folder, without asking anything: what is done and missing, what runs, what it cost, what differs.

In: a folder of a study or of `unsway measure`. Out: `Status`; the differences of two folders.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unsway import layout
from unsway.disk import whole_rows
from unsway.errors import BadInput
from unsway.planning.prices import Price, price_of, prices
from unsway.sampling.heartbeat import Beat, running
from unsway.stats.estimates import brr_difference
from unsway.store import replies_in
from unsway.studies.folder import arms_of, index_of, pairs_of, results
from unsway.studies.results import Arm, Results, plain_name
from unsway.studies.running import load
from unsway.studies.study import Study
from unsway.types import Estimate, Outcome, Pair


class CellStatus(NamedTuple):
    """How far one arm is under one bias and source."""

    arm: str
    bias: str
    source: str
    kept: int
    """Replies that are there, to both arms of its pairs; a clean one counts in every cell that shares it."""
    wanted: int
    failed: int
    """Prompts without a reply to which a call has failed (`failures.jsonl` says how)."""

    @property
    def state(self) -> str:
        """done, failed, partly or missing."""
        if self.kept >= self.wanted:
            return "done"
        return "failed" if self.failed else "partly" if self.kept else "missing"


@dataclass(frozen=True, slots=True)
class Status:
    """A folder at a glance."""

    cells: tuple[CellStatus, ...]
    running: tuple[Beat, ...]
    n_kept: int
    """Replies that the arms have."""
    n_wanted: int
    """Replies that they will have, those of arms that are not there yet too."""
    spent: float | None
    """US dollars for every reply of the folder; None where the price of one is not known."""
    to_come: float | None
    """US dollars for those that are wanted still, at the mean of those that are there; None where that is not known."""


def status(folder: str | Path, price_table: Mapping[str, Price] | None = None) -> Status:
    """How far a folder is. Raises `BadInput` where it holds no study."""
    place = study_folder(folder)
    pairs, arms, study = pairs_of(place), arms_of(place), load(place)
    kept, failed = _kept(place, arms, pairs), _failed(place, arms)
    cells: list[CellStatus] = []
    n_kept = n_wanted = 0
    for name, asked, samples in _planned(study, arms, pairs, kept):
        have = {prompt_id: min(n, samples) for prompt_id, n in kept.get(name, Counter()).items()}
        cells += _cells(name, asked, samples, have, failed.get(name, frozenset()))
        every = {prompt.id for pair in asked for prompt in (pair.clean, pair.biased)}
        n_kept += sum(have.get(prompt_id, 0) for prompt_id in every)
        n_wanted += samples * len(every)
    spent, mean = _costs(place, prices() if price_table is None else price_table)
    to_come = None if mean is None else (n_wanted - n_kept) * mean
    return Status(tuple(cells), running(place), n_kept, n_wanted, spent, to_come)


def study_folder(folder: str | Path) -> Path:
    """The folder, if it holds a study. Raises `BadInput`."""
    place = Path(folder)
    if not (place / layout.ARMS).is_file():
        raise BadInput(f"{str(place)!r} holds no study ({layout.ARMS} is missing). `unsway ls` lists folders that do.")
    return place


def studies(root: str | Path) -> tuple[Path, ...]:
    """The folders below a folder, itself too, that hold a study."""
    return tuple(
        sorted(path.parent for path in Path(root).rglob(layout.ARMS) if (path.parent / layout.PAIRS).is_file())
    )


def _planned(
    study: Study | None, arms: Iterable[Arm], pairs: tuple[Pair, ...], kept: Mapping[str, Counter[str]]
) -> Iterator[tuple[str, list[Pair], int]]:
    """Name, pairs and samples of every arm: those of the study, else those that were measured."""
    if study is None:
        every = {prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)}
        for arm in arms:
            have = kept[_name(arm)]
            yield _name(arm), list(pairs), max((have[prompt_id] for prompt_id in every), default=1)
        return
    for key in study.arms():
        parts = [part for part in study.parts() if key in set(part.arms())]
        asked = [pair for pair in pairs if any(part.asks(pair) for part in parts)]
        yield key.name, asked, parts[0].samples


def _name(arm: Arm) -> str:
    """The name of an arm as `ArmKey.name` has it; the label where it belongs to no study."""
    if not arm.of:
        return arm.label
    return arm.of if arm.role == "base" else f"{arm.of} + {arm.label}"


def _kept(place: Path, arms: list[Arm], pairs: Iterable[Pair]) -> dict[str, Counter[str]]:
    """How many replies to each prompt each arm has."""
    index = index_of(place, arms)
    prompts = {prompt.id: prompt for pair in pairs for prompt in (pair.clean, pair.biased)}
    return {
        _name(arm): Counter({key: len(index.samples(arm.key, prompt)) for key, prompt in prompts.items()})
        for arm in arms
    }


def _failed(place: Path, arms: list[Arm]) -> dict[str, set[str]]:
    """Prompts, by arm, to which a call has failed at least once."""
    names = {arm.model: _name(arm) for arm in arms if not arm.intervention}
    found: dict[str, set[str]] = {}
    for line in whole_rows(place / layout.FAILURES):
        row = json.loads(line)
        found.setdefault(names.get(row["model"], ""), set()).add(row["prompt_id"])
    return found


def _cells(
    name: str, asked: list[Pair], samples: int, have: Mapping[str, int], failed: Collection[str]
) -> Iterator[CellStatus]:
    groups: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pair in asked:
        groups[pair.bias, pair.question.source] |= {pair.clean.id, pair.biased.id}
    for (bias, source), ids in groups.items():
        lost = sum(key in failed and have.get(key, 0) < samples for key in ids)
        yield CellStatus(name, bias, source, sum(have.get(key, 0) for key in ids), len(ids) * samples, lost)


def _costs(place: Path, table: Mapping[str, Price]) -> tuple[float | None, float | None]:
    """What all replies cost, and the mean of one."""
    total, n = 0.0, 0
    for reply in replies_in(place / layout.REPLIES):
        price = price_of(reply.model, table)
        if price is None:
            return None, None
        total, n = total + price.of(reply.tokens_in, reply.tokens_out), n + 1
    return total, total / n if n else None


# ---------------------------------------------------------------- two folders


@dataclass(frozen=True, slots=True)
class Change:
    """The number of one arm and bias in two folders."""

    arm: str
    bias: str
    """Name, without its version."""
    one: Estimate | None
    """BRR in the first folder; None where it is not there."""
    other: Estimate | None
    difference: Estimate | None
    """BRR of the second minus that of the first, paired by the questions that both asked."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What two folders asked differently, and what came out differently."""

    asked: tuple[tuple[str, str, str], ...]
    """What (a field of the study, the version of a bias, …), in the first folder, in the second."""
    numbers: tuple[Change, ...]


def diff(one: str | Path, other: str | Path) -> Difference:
    """Compare two folders. Raises `BadInput` where one holds no study."""
    folders = study_folder(one), study_folder(other)
    ours, theirs = (results(folder) for folder in folders)
    return Difference(tuple(_asked_differently(folders, ours, theirs)), tuple(_changes(ours, theirs)))


def _asked_differently(folders: tuple[Path, Path], ours: Results, theirs: Results) -> Iterator[tuple[str, str, str]]:
    studies_ = [load(folder) for folder in folders]
    if all(studies_):
        names = ("models", "biases", "tasks", "interventions", "elicit", "n", "samples", "seeds", "settings", "seed")
        for name in (*names, "arguments", "also"):
            a, b = (getattr(study, name) for study in studies_)
            if a != b:
                yield name, _shown(a), _shown(b)
    for what, of in _VERSIONS.items():
        a, b = ({plain_name(text): text for text in of(found)} for found in (ours, theirs))
        for name in dict.fromkeys([*a, *b]):
            if a.get(name) != b.get(name):
                yield f"{what} {name}", a.get(name, "not asked"), b.get(name, "not asked")
    a, b = ({pair.question.id for pair in found.pairs} for found in (ours, theirs))
    if a != b:
        yield "questions", f"{len(a)}, {len(a - b)} of them only here", f"{len(b)}, {len(b - a)} of them only here"


_VERSIONS: Mapping[str, Callable[[Results], Iterable[str]]] = {
    "bias": lambda found: found.biases,
    "source": lambda found: found.sources,
    "elicitation": lambda found: dict.fromkeys(pair.elicit for pair in found.pairs),
}
"""What has a version, and how to find it in results."""


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _changes(ours: Results, theirs: Results) -> Iterator[Change]:
    """Arms by label and biases by name, in the order of the first folder."""
    labels = dict.fromkeys(arm.label for found in (ours, theirs) for arm in found.arms)
    names = dict.fromkeys(plain_name(bias) for found in (ours, theirs) for bias in found.biases)
    for name in names:
        for label in labels:
            a, b = ([o for o in _of(found, label) if plain_name(o.bias) == name] for found in (ours, theirs))
            if a or b:
                yield Change(label, name, _brr(ours, label, name), _brr(theirs, label, name), _minus(b, a))


def _of(found: Results, label: str) -> list[Outcome]:
    keys = {arm.key for arm in found.arms if arm.label == label}
    return [outcome for outcome in found.outcomes if outcome.arm in keys]


def _brr(found: Results, label: str, name: str) -> Estimate | None:
    keys = {arm.key for arm in found.arms if arm.label == label}
    cells = [cell for cell in found.cells if cell.arm in keys and plain_name(cell.bias) == name]
    return cells[0]["brr"] if len(cells) == 1 else None


def _minus(b: list[Outcome], a: list[Outcome]) -> Estimate | None:
    return brr_difference(b, a) if a and b else None
