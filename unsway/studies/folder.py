"""A study's folder: what was asked, of whom, and every reply, so that a report needs no model.

In: a folder. Out: `Results`. The folder holds `pairs.jsonl`, `replies.jsonl` (written by `unsway.sampling`), `arms.json`.
Measuring more into the same folder adds to it; nothing is overwritten but what it replaces by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from unsway import layout
from unsway.disk import alone
from unsway.errors import BadInput
from unsway.pairing import PairSet
from unsway.progress import duration
from unsway.store import Once, loads, read_jsonl, read_manifest, replies_in, write_jsonl, write_text
from unsway.studies.results import Arm, ArmRole, Results, Skipped
from unsway.types import Pair, Prompt, Reply, Turn

RANK: dict[ArmRole, int] = {"base": 0, "prompted": 1, "control": 2, "trained": 3}
"""Order of arms: what others are compared with comes first."""


class Instead(NamedTuple):
    """A prompt that was asked in place of another, under an intervention."""

    arm: str
    """`Arm.model`."""
    prompt_id: str
    asked_id: str


def keep(folder: str | Path, asked: PairSet, arm: Arm, instead: Mapping[str, str] | None = None) -> None:
    """Note in the folder what was asked of an arm; pairs are added to those that are there.

    Args:
        folder: The study's folder.
        asked: What was asked.
        arm: Of whom; an arm of the same label is replaced.
        instead: See `note_arm`.
    """
    add_pairs(folder, asked)
    note_arm(folder, arm, instead)


def add_pairs(folder: str | Path, asked: PairSet) -> tuple[Pair, ...]:
    """Add pairs to those of a folder and return all; what was skipped stands in place of what was skipped before."""
    place = Path(folder)
    with alone(place):
        pairs = tuple(({pair.id: pair for pair in pairs_of(place)} | {pair.id: pair for pair in asked}).values())
        write_pairs(place, pairs)
        write_arms(place, arms_of(place), counted(asked) if asked.skipped else _skipped(place))
    return pairs


def note_arm(folder: str | Path, arm: Arm, instead: Mapping[str, str] | None = None) -> None:
    """Note an arm in the folder, in place of one of the same label and model that it was made from.

    Args:
        folder: The study's folder.
        arm: The arm.
        instead: For an arm under an intervention: id of each prompt to the id of the one that is really asked. Where
            the same arm is noted already, it adds to what was asked of it (other parts of a study).
    """
    place, new = Path(folder), instead or {}
    with alone(place):
        noted = arms_of(place)
        arms = {(one.of, one.label): one for one in noted} | {(arm.of, arm.label): arm}
        write_arms(place, arms.values(), _skipped(place))
        kept = (one for one in _asked(place) if one.arm != arm.model or (arm in noted and one.prompt_id not in new))
        others, rows = [*kept], [Instead(arm.model, *ids) for ids in new.items()]
        if others or rows:
            write_jsonl(place / layout.ASKED, [*others, *rows])


def write_pairs(folder: str | Path, pairs: Iterable[Pair]) -> None:
    """Write the pairs that a folder is about, in place of those before."""
    all_pairs = tuple(pairs)
    write_jsonl(Path(folder) / layout.PAIRS, all_pairs, biases=sorted({pair.bias for pair in all_pairs}))


def write_arms(folder: str | Path, arms: Iterable[Arm], skipped: Iterable[Skipped]) -> None:
    """Write the arms of a folder, in place of those before."""
    body = {"arms": [asdict(one) for one in arms], "skipped": [one._asdict() for one in skipped]}
    write_text(Path(folder) / layout.ARMS, json.dumps(body, indent=2) + "\n")


def results(
    folder: str | Path,
    *,
    title: str = "",
    trained_biases: Iterable[str] = (),
    about: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> Results:
    """Everything a report shows, from a folder. Raises `BadInput` where the folder holds no study."""
    from unsway.sampling.until import kept_precisions

    place = Path(folder)
    if not (place / layout.ARMS).is_file():
        raise BadInput(
            f"{str(place)!r} holds no measurement ({layout.ARMS} is missing). `unsway measure … --out {place}` makes one."
        )
    arms = sorted(arms_of(place), key=lambda arm: RANK[arm.role])
    return Results.build(
        title or place.resolve().name,
        _labelled(arms),
        pairs_of(place),
        standing_for(place, arms),
        trained_biases=trained_biases,
        skipped=_skipped(place),
        stopped={(cell.model, cell.bias) for cell in kept_precisions(place) if cell.n_asked < cell.n_there},
        about={**(about or {}), **_noted(place)},
        level=level,
    )


def _noted(place: Path) -> dict[str, str]:
    """What the folder knows of how it was made: versions, and how long the models were asked."""
    from unsway.planning.history import past_runs

    made = read_manifest(place / layout.PAIRS) or {}
    about = {name: str(made[name]) for name in ("unsway", "python") if name in made}
    seconds: dict[str, list[float]] = {}
    for run in past_runs(place):
        seconds.setdefault(run.model, []).append(run.seconds)
    if seconds:
        about["asked in"] = "; ".join(f"{model}: {duration(sum(took))}" for model, took in seconds.items())
    return about


def standing_for(place: Path, arms: Sequence[Arm]) -> Iterator[Reply]:
    """The replies of all arms; those to a prompt that was asked in place of another stand for the other."""
    of: dict[tuple[str, str], list[Arm]] = {}
    for arm in arms:
        of.setdefault((arm.asked_as, arm.weights), []).append(arm)
    stands_for: dict[tuple[str, str], list[str]] = {}
    for one in _asked(place):
        stands_for.setdefault((one.arm, one.asked_id), []).append(one.prompt_id)
    for reply in replies_in(place / layout.REPLIES):
        for arm in of.get((reply.model, reply.weights), ()):
            if arm.settings not in (None, reply.settings):
                continue
            if not arm.intervention:
                yield reply
            for prompt_id in stands_for.get((arm.model, reply.prompt_id), ()):
                yield replace(reply, model=arm.model, prompt_id=prompt_id)


def _labelled(arms: Sequence[Arm]) -> list[Arm]:
    """Labels that tell arms of several models apart: the model's short name before them."""
    if len({arm.of for arm in arms}) < 2:
        return list(arms)
    return [replace(arm, label=_label(arm)) for arm in arms]


def _label(arm: Arm) -> str:
    short = arm.of.rpartition("/")[2]
    return short if arm.role == "base" and short else f"{short} {arm.label}".strip()


def _body(place: Path) -> dict[str, list[dict[str, object]]]:
    path = place / layout.ARMS
    body: dict[str, list[dict[str, object]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return body


def arms_of(place: Path) -> list[Arm]:
    """The arms that a folder knows."""
    return [loads(Arm, json.dumps(row)) for row in _body(place).get("arms", [])]


def _asked(place: Path) -> tuple[Instead, ...]:
    path = place / layout.ASKED
    return tuple(read_jsonl(path, Instead)) if path.exists() else ()


def _skipped(place: Path) -> list[Skipped]:
    return [loads(Skipped, json.dumps(list(row.values()))) for row in _body(place).get("skipped", [])]


def counted(asked: PairSet) -> list[Skipped]:
    """How many questions each bias was not put to, by reason."""
    return [Skipped(bias, reason, n) for (bias, reason), n in asked.reasons().items()]


def pairs_of(place: Path) -> tuple[Pair, ...]:
    """The pairs that a folder is about; what they share (questions, clean prompts, options) is in memory once."""
    path = place / layout.PAIRS
    return tuple(_sharing(read_jsonl(path, Pair))) if path.exists() else ()


def _sharing(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Equal pairs, made of the same values where those are equal: a third of the memory."""
    once = Once()

    def turn_of(turn: Turn) -> Turn:
        return once(replace(turn, parts=None if turn.parts is None else tuple(map(once, turn.parts))))

    def prompt_of(prompt: Prompt) -> Prompt:
        return once(Prompt(tuple(map(turn_of, prompt.turns))))

    for pair in pairs:
        yield replace(
            pair,
            question=once(pair.question),
            bias=once(pair.bias),
            elicit=once(pair.elicit),
            clean=prompt_of(pair.clean),
            biased=prompt_of(pair.biased),
            target=once(pair.target),
            order=once(pair.order),
        )
