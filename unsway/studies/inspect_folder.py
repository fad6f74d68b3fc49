"""Inspect a folder without asking any model: what is done, missing and running, what it cost, how two folders differ.

In: a folder of a study or of `unsway measure`. Out: `Status`; the `Difference` of two folders.

    status("runs/mine").n_replies
    diff("runs/mine", "runs/other").numbers
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, TypeAlias

from unsway import layout
from unsway.planning.prices import Price, cost_of, prices, total
from unsway.sampling.heartbeat import Heartbeat, running
from unsway.spelling import expression
from unsway.stats.compare import brr_difference
from unsway.store import read_appended
from unsway.studies.folder import arms_of, asked_ids_of, pairs_of, results, study_folder
from unsway.studies.kept_replies import reply_table
from unsway.studies.results import Results, plain_name
from unsway.studies.running import load_if_installed
from unsway.studies.study import Study
from unsway.studies.whereabouts import ArmPlace, places
from unsway.types import ArmKey, Estimate, Pair, Settings

Run: TypeAlias = tuple[str, str, Settings]
"""Model, weights and settings."""


@dataclass(frozen=True, slots=True)
class FailedCall:
    """The fields of a row of `failures.jsonl` that are used here."""

    model: str
    prompt_id: str


class CellStatus(NamedTuple):
    """How far one arm is under one bias and source."""

    arm: str
    """The model and what was done to it."""
    bias: str
    """`name@version`."""
    source: str
    """`name@revision`."""
    n_replies: int
    """Replies to both sides of its pairs; a reply to a clean prompt counts in every cell that shares the prompt."""
    n_planned: int
    """Replies that it will have."""
    n_failed: int
    """Unanswered prompts with at least one failed call (`failures.jsonl` says how)."""

    @property
    def state(self) -> str:
        """One of: done, failed, partly, missing."""
        if self.n_replies >= self.n_planned:
            return "done"
        return "failed" if self.n_failed else "partly" if self.n_replies else "missing"


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a folder."""

    cells: tuple[CellStatus, ...]
    """One for each arm, bias and source, including arms that are still to be asked."""
    running: tuple[Heartbeat, ...]
    """The calls that run now."""
    n_replies: int
    """Replies of all arms."""
    n_planned: int
    """Replies that the arms will have when the study is done."""
    cost: float | None
    """US dollars for all replies of the folder; None if any price is unknown."""
    cost_to_come: float | None
    """US dollars for the missing replies, at the mean cost of the existing ones; None if that is unknown."""
    places: tuple[ArmPlace, ...] = ()
    """Where each arm is, of a study that runs on several machines."""
    n_estimated: int = 0
    """Replies whose tokens are estimated, because their provider reports none."""
    n_unknown: int = 0
    """Replies whose tokens are not known, such as imported ones."""


def status(folder: str | Path, price_table: Mapping[str, Price] | None = None) -> Status:
    """The progress of a folder. Raises `BadInput` if it holds no study, `BadRow` if a row of its files is damaged."""
    path = study_folder(folder)
    pairs, arms = pairs_of(path), arms_of(path)
    price_by_name = prices() if price_table is None else price_table
    counts_by_run: dict[Run, Counter[str]] = {}
    table = reply_table(path)
    n_estimated, n_unknown = table.total("estimated"), table.n_unknown_tokens()
    costs: list[float | None] = []
    for number, run in enumerate(table.runs):
        run_replies = table.of_runs((number,))
        counts_by_run.setdefault((run.model, run.weights, run.settings), Counter()).update(run_replies.by_prompt())
        usage = run_replies.total("tokens_in"), run_replies.total("tokens_out"), run_replies.n_unknown_tokens()
        costs.append(cost_of(run.model, *usage, price_by_name))
    cost = total(costs)
    n = sum(counts.total() for counts in counts_by_run.values())
    prompts = {prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)}
    instead = asked_ids_of(path)
    replies: dict[str, Counter[str]] = {}
    for arm in arms:
        arm_runs = [
            run for run in counts_by_run if run[:2] == (arm.model, arm.weights) and arm.settings in (None, run[2])
        ]
        by_prompt: Counter[str] = sum((counts_by_run[run] for run in arm_runs), Counter())
        asked_ids = instead.get(arm.key, {})
        asked_by_prompt = {
            prompt_id: asked_ids.get(prompt_id, "" if arm.intervention else prompt_id) for prompt_id in prompts
        }
        replies[arm.planned_name] = Counter(
            {prompt_id: by_prompt[asked_id] for prompt_id, asked_id in asked_by_prompt.items()}
        )
    failed_ids: defaultdict[str, set[str]] = defaultdict(set)
    names = {arm.model: arm.planned_name for arm in arms if not arm.intervention}
    for call in read_appended(path / layout.FAILURES, FailedCall):
        failed_ids[names.get(call.model, "") if arms else call.model].add(call.prompt_id)
    if not arms:  # no arm is noted because no server ever answered
        replies = {name: Counter() for name in failed_ids}

    cells: list[CellStatus] = []
    n_replies = n_planned = 0
    for name, arm_pairs, samples in _plan_arms(load_if_installed(path), pairs, replies):
        counts = {prompt_id: min(n, samples) for prompt_id, n in replies.get(name, Counter()).items()}
        by_cell: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for pair in arm_pairs:
            by_cell[pair.bias, pair.question.source] |= {pair.clean.id, pair.biased.id}
        for (bias, source), ids in by_cell.items():
            n_failed = sum(prompt_id in failed_ids[name] and counts.get(prompt_id, 0) < samples for prompt_id in ids)
            cells.append(
                CellStatus(
                    name, bias, source, sum(counts.get(prompt_id, 0) for prompt_id in ids), len(ids) * samples, n_failed
                )
            )
        prompt_ids = set[str]().union(*by_cell.values())
        n_replies += sum(counts.get(prompt_id, 0) for prompt_id in prompt_ids)
        n_planned += samples * len(prompt_ids)

    to_come = (n_planned - n_replies) * cost / n if n and cost is not None else None
    return Status(
        tuple(cells), running(path), n_replies, n_planned, cost, to_come, places(path), n_estimated, n_unknown
    )


def watch_status(
    folder: str | Path, price_table: Mapping[str, Price] | None = None, *, every: float | None = None
) -> Iterator[Status]:
    """Yield the status every `every` seconds until nothing runs or is missing; None yields once. Raises as `status`."""
    yield (current := status(folder, price_table))
    while every is not None and (current.running or current.n_replies < current.n_planned):
        time.sleep(every)
        yield (current := status(folder, price_table))


def studies(root: str | Path) -> tuple[Path, ...]:
    """The folders that hold a study: the root itself and all folders below it."""
    folders = (path.parent for path in Path(root).rglob(layout.ARMS))
    return tuple(sorted(folder for folder in folders if (folder / layout.PAIRS).is_file()))


def _plan_arms(
    study: Study | None, pairs: tuple[Pair, ...], replies: Mapping[str, Counter[str]]
) -> Iterator[tuple[str, list[Pair], int]]:
    """Name, pairs and samples of every arm of the study; without a study, of every measured arm."""
    if study is None:
        for name, counts in replies.items():
            yield name, list(pairs), max((1, *counts.values()))
        return
    for arm in study.arms():
        parts = [part for part in study.parts() if arm in set(part.arms())]
        yield arm.name, [pair for pair in pairs if any(part.asks(pair) for part in parts)], parts[0].samples


# ---------------------------------------------------------------- two folders


@dataclass(frozen=True, slots=True)
class Change:
    """The number of one arm and bias in two folders."""

    arm: str
    """Label of the arm; both labels if the folders differ."""
    bias: str
    """Name, without its version."""
    one: Estimate | None
    """BRR in the first folder; None if it has no such cell, or several (versions of the bias)."""
    other: Estimate | None
    """BRR in the second folder; None likewise."""
    difference: Estimate | None
    """BRR of the second minus that of the first, paired by shared questions; None if a folder has no outcome of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What two folders asked differently, and what changed in the numbers."""

    asked: tuple[tuple[str, str, str], ...]
    """Triples: what differs (a study field, a bias version, an arm's model, …), and its value in each folder."""
    numbers: tuple[Change, ...]
    """One for each arm and bias that either folder has."""


def diff(first_folder: str | Path, second_folder: str | Path) -> Difference:
    """Compare two folders, matching biases by name, arms by label, else by model. Raises `BadInput` if one holds no study."""
    folders = study_folder(first_folder), study_folder(second_folder)
    first, second = (results(folder) for folder in folders)
    changes = []
    for name in dict.fromkeys(plain_name(bias) for study in (first, second) for bias in study.biases):
        for label, *keys_of in _match_arms(first, second):
            outcomes, brrs = [], []
            for study, keys in zip((first, second), keys_of, strict=True):
                cells = [cell for cell in study.cells if cell.arm in keys and plain_name(cell.bias) == name]
                outcomes.append([o for o in study.outcomes if o.arm in keys and plain_name(o.bias) == name])
                brrs.append(cells[0]["brr"] if len(cells) == 1 else None)
            a, b = outcomes
            if a or b:
                changes.append(Change(label, name, brrs[0], brrs[1], brr_difference(b, a) if a and b else None))
    return Difference(tuple(_list_differences(folders, first, second)), tuple(changes))


def _match_arms(first: Results, second: Results) -> Iterator[tuple[str, set[ArmKey], set[ArmKey]]]:
    """Arms of both folders: name, and keys in each folder. Arms match by label, else by model."""
    ours, theirs = (
        {label: {arm.key for arm in study.arms if arm.label == label} for label in (arm.label for arm in study.arms)}
        for study in (first, second)
    )
    new_labels = {
        label: other_label
        for label, keys in ours.items()
        for other_label, other_keys in theirs.items()
        if label not in theirs and other_label not in ours and keys == other_keys
    }
    for label, keys in ours.items():
        other_label = new_labels.get(label, label)
        yield (
            label if other_label == label else f"{label} here, {other_label} there",
            keys,
            theirs.get(other_label, set()),
        )
    for label, keys in theirs.items():
        if label not in ours and label not in new_labels.values():
            yield label, set(), keys


def _list_differences(folders: tuple[Path, Path], first: Results, second: Results) -> Iterator[tuple[str, str, str]]:
    a, b = (load_if_installed(folder) for folder in folders)
    if a is not None and b is not None:
        for field in fields(Study):
            values = getattr(a, field.name), getattr(b, field.name)
            if values[0] != values[1]:
                yield field.name, expression(values[0]), expression(values[1])
    for kind, versions in (
        ("bias", [study.biases for study in (first, second)]),
        ("source", [study.sources for study in (first, second)]),
        ("elicitation", [dict.fromkeys(pair.elicit for pair in study.pairs) for study in (first, second)]),
    ):
        ours, theirs = ({plain_name(version): version for version in names} for names in versions)
        for name in dict.fromkeys([*ours, *theirs]):
            if ours.get(name) != theirs.get(name):
                yield f"{kind} {name}", ours.get(name, "not asked"), theirs.get(name, "not asked")
    for label, *keys_of in _match_arms(first, second):
        models, decodings = [], []
        for study, keys in zip((first, second), keys_of, strict=True):
            models.append(", ".join(sorted(key.name + (f"@{key.weights[:8]}" if key.weights else "") for key in keys)))
            settings = (
                arm_settings for arm in study.arms if arm.key in keys for arm_settings in study.said_by(arm).settings()
            )
            decodings.append(" and ".join(str(arm_settings or "not known") for arm_settings in dict.fromkeys(settings)))
        for kind, (here, there) in (("model", models), ("decoding", decodings)):
            if all(keys_of) and here != there:
                yield f"{kind} of {label}", here, there
    first_ids, second_ids = ({pair.question.id for pair in study.pairs} for study in (first, second))
    if first_ids != second_ids:
        yield (
            "questions",
            f"{len(first_ids)}, {len(first_ids - second_ids)} of them only here",
            f"{len(second_ids)}, {len(second_ids - first_ids)} of them only here",
        )
