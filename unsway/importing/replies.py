"""Transcripts that somebody else sampled, as pairs and replies like our own.

In: JSONL (or `.gz`) rows, or an Inspect `.eval` log whose samples carry the same fields as metadata. Out: `Imported`:
pairs, replies, and every row that was left out, with its line, field and reason.

A row has `question_id`, `n_options` or `options`, `gold`, `target`, `bias`, `arm` ("clean" or "biased"), `model`, `reply`;
and may have `source`, `sample`, `prompt`, `stop`, `elicit`. Options are named by letter or index from 0; a target "NOT X"
means any answer but X, null any change. A clean row without a bias stands for every bias of its question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unsway.errors import BadInput, BadRow
from unsway.importing.joining import alone, numbered, spread
from unsway.importing.released import GOLD
from unsway.importing.rows import VERSION, Row, Side, read_log, rows_of
from unsway.pairing import Skipped
from unsway.prompts.render import option_parts
from unsway.seeds import content_id
from unsway.store import loads
from unsway.types import Pair, Part, Prompt, Question, Reply, Settings, Target, Toward, Turn

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

FIELDS = "question_id, n_options (or options), gold, target, bias, arm; source is optional"
"""What the samples of a log must say of themselves; model and reply are the log's own."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held."""

    pairs: tuple[Pair, ...]
    replies: tuple[Reply, ...]
    models: tuple[str, ...]
    """In the order of the file."""
    n_rows: int
    n_duplicates: int
    """Rows that say again what another said."""
    n_gold: int
    """Rows whose cue points to the right option, left out: following such a cue is no bias (SPEC §2)."""
    n_empty: int
    """Rows without a reply (null); their pairs count as missing."""
    bad: tuple[BadRow, ...]
    """Rows that are none, left out."""
    n_alone: int = 0
    """Clean rows that no biased row belongs to, and whose target nobody says: no pair can be made of them."""
    skipped: tuple[Skipped, ...] = ()
    """Questions whose cue points to the right option, as they stand in reports."""


class Asked(NamedTuple):
    """What one prompt was asked for; the bias is empty where a clean prompt stands for every bias."""

    source: str
    question_id: str
    bias: str
    arm: Side
    variant: str


def load(path: str | Path, *, skip_bad: bool = False, keep_gold: bool = False) -> Imported:
    """Read a file of transcripts.

    Args:
        path: `.jsonl`, `.jsonl.gz` or an Inspect `.eval` log.
        skip_bad: Leave bad rows out and go on.
        keep_gold: Keep rows whose cue points to the right option, under the bias `NAME/gold`.

    Raises:
        BadInput: The file cannot be read, or holds bad rows (the first ten are named, all are counted) or no good one.
    """
    file = Path(path)
    log = read_log(file) if file.suffix == ".eval" else None
    own = None if log is None else _own_log(file, log)
    if own is not None:
        return own
    rows, bad = rows_of(file, log)
    if bad and not skip_bad:
        raise BadInput(
            f"{file}: {len(bad)} of {len(bad) + len(rows)} rows cannot be used.\n"
            + "\n".join(f"  {error}" for error in bad[:10])
            + "\nMend them, or leave them out with --skip-bad (skip_bad=True)."
            + (f"\nThe metadata of each sample of a log must have {FIELDS}." if log is not None else "")
        )
    good, at_gold = _without_gold(rows, keep_gold)
    n_gold = len(rows) - len(good)
    if not good:
        raise BadInput(
            f"{file} holds no row that can be used ({len(bad)} bad, {n_gold} whose cue is the right option)."
        )
    once = numbered(good)
    placed = spread(once)
    prompts = _prompts(placed)
    return Imported(
        pairs=_pairs([row for row, _ in placed], prompts),
        replies=tuple(_replies(placed, prompts)),
        models=tuple(dict.fromkeys(row.model for row in good)),
        n_rows=len(bad) + len(rows),
        n_duplicates=len(good) - len(once),
        n_gold=n_gold,
        n_empty=sum(row.reply is None for row in good),
        bad=bad,
        n_alone=alone(good),
        skipped=at_gold,
    )


def _own_log(file: Path, log: EvalLog) -> Imported | None:
    """A log of the task `unsway/bias`, whose samples carry pairs and replies; None for any log that is not ours."""
    about = [sample.metadata or {} for sample in log.samples or ()]
    if log.eval.task == "unsway" and not any(about):
        raise BadInput(
            f"{file} is the record of what `unsway measure` asked. Its replies are in the study's folder, with the pairs "
            f"that they belong to: `unsway estimate {file.resolve().parent.parent}`."
        )
    if not any("pair" in each for each in about):
        return None
    scores = [score for sample in log.samples or () for score in (sample.scores or {}).values()]
    replies = [
        loads(Reply, score.metadata["reply"]) for score in scores if score.metadata and "reply" in score.metadata
    ]
    return Imported(
        pairs=tuple(loads(Pair, each["pair"]) for each in about if "pair" in each),
        replies=tuple(replace(reply, model=log.eval.model, settings=_settings(log)) for reply in replies),
        models=(log.eval.model,),
        n_rows=len(about),
        n_duplicates=0,
        n_gold=0,
        n_empty=len(about) - len(replies),
        bad=(),
    )


def _settings(log: EvalLog) -> Settings:
    """How a log's replies were decoded; our defaults stand where the log leaves it to the provider."""
    said = {field.name: getattr(log.plan.config, field.name) for field in fields(Settings)}
    return Settings(**{name: value for name, value in said.items() if value is not None})


def _asked(row: Row) -> Asked:
    return Asked(row.source, row.question_id, row.bias, row.arm, row.variant)


def _without_gold(rows: list[Row], keep: bool) -> tuple[list[Row], tuple[Skipped, ...]]:
    """Rows of pairs whose cue points to the right option leave, or go under a name of their own."""

    def place(row: Row) -> tuple[object, ...]:
        return (row.source, row.question_id, row.bias, row.model, row.sample)

    at_gold = {place(row) for row in rows if row.bias and row.gold is not None and row.target == Toward(row.gold)}
    is_gold = [place(row) in at_gold for row in rows]
    if keep:
        named = [
            row._replace(bias=f"{row.bias}/gold") if gold else row for row, gold in zip(rows, is_gold, strict=True)
        ]
        return named, ()
    left = dict.fromkeys(_skipped(row) for row, gold in zip(rows, is_gold, strict=True) if gold)
    return [row for row, gold in zip(rows, is_gold, strict=True) if not gold], tuple(left)


def _skipped(row: Row) -> Skipped:
    return Skipped(_question_id(row), _versioned(row.bias), GOLD)


def _versioned(name: str) -> str:
    return name if "@" in name else f"{name}@{VERSION}"


def _question_id(row: Row) -> str:
    return row.question_id if row.source == VERSION else f"{row.source}/{row.question_id}"


# ---------------------------------------------------------------- prompts


def _prompts(rows: Sequence[tuple[Row, int]]) -> dict[Asked, Prompt]:
    """One prompt for each thing asked. Equal text is the same prompt only for clean rows that say the same.

    Prompts may not have been given, or not in full: two arms may have the same text. Those get a mark.
    """
    first: dict[Asked, Row] = {}
    for row, _ in rows:
        known = first.setdefault(_asked(row), row)
        if row.prompt and not known.prompt:
            first[_asked(row)] = row
    sharing: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    apart = _told_apart(rows)
    for asked, row in first.items():
        sharing[_text(row)].add(_owner(asked, apart))
    return {
        asked: _prompt(row, asked, marked=(not row.prompt and asked.arm == "biased") or len(sharing[_text(row)]) > 1)
        for asked, row in first.items()
    }


def _told_apart(rows: Sequence[tuple[Row, int]]) -> set[tuple[str, str]]:
    """Questions whose clean replies differ from bias to bias: each bias then has a clean prompt of its own."""
    texts: defaultdict[tuple[str, str, str, int], set[str | None]] = defaultdict(set)
    for row, sample in rows:
        if row.arm == "clean":
            texts[row.source, row.question_id, row.model, sample].add(row.reply)
    return {key[:2] for key, replies in texts.items() if len(replies) > 1}


def _owner(asked: Asked, apart: set[tuple[str, str]]) -> tuple[str, ...]:
    """Whose a prompt is: clean prompts of a question that say the same have one owner."""
    shared = asked.arm == "clean" and asked[:2] not in apart and not asked.variant
    return asked[:2] if shared else asked


def _text(row: Row) -> str:
    return row.prompt or f"Question {row.question_id} of {row.source}"


def _prompt(row: Row, asked: Asked, marked: bool) -> Prompt:
    """The prompt as given; else the name of the question and its options. A mark tells it from others of equal text."""
    parts = [Part("stem", _text(row))]
    if not row.prompt:
        parts += option_parts(row.options)
    if marked:
        what = f"{asked.arm}, question {asked.question_id} of {asked.source}" + (asked.bias and f", bias {asked.bias}")
        what += asked.variant and f", {asked.variant}"
        parts.append(Part("cue" if asked.arm == "biased" else "instruction", f"\n\n[imported: {what}]"))
    return Prompt((Turn("user", tuple(parts)),))


# ---------------------------------------------------------------- pairs and replies


def _pairs(rows: Sequence[Row], prompts: Mapping[Asked, Prompt]) -> tuple[Pair, ...]:
    """A pair for each question and bias, both arms there or not; an arm without rows has a prompt that nobody answered."""
    found: dict[str, Pair] = {}
    for row in rows:
        if row.bias and row.target is not None:
            pair = _pair(row, row.target, prompts)
            found.setdefault(pair.id, pair)
    return tuple(found.values())


def _pair(row: Row, target: Target, prompts: Mapping[Asked, Prompt]) -> Pair:
    keys = {arm: Asked(row.source, row.question_id, row.bias, arm, row.variant) for arm in ("clean", "biased")}
    own, shared = prompts.get(keys["clean"]), prompts.get(keys["clean"]._replace(bias="", variant=""))
    clean = own or shared or _prompt(row._replace(prompt=""), keys["clean"], marked=True)
    biased = prompts.get(keys["biased"]) or _prompt(row._replace(prompt=""), keys["biased"], marked=True)
    bias, elicit = _versioned(row.bias), _versioned(row.elicit)
    question = Question(
        _text(row._replace(prompt="")),
        row.options,
        row.gold,
        row.source,
        VERSION,
        id=_question_id(row),
    )
    return Pair(
        id=content_id(question.id, clean.id, biased.id, bias, elicit, asdict(target)),
        question=question,
        bias=bias,
        elicit=elicit,
        clean=clean,
        biased=biased,
        target=target,
        order=tuple(range(len(row.options))),
        seed=0,
    )


def _replies(rows: Sequence[tuple[Row, int]], prompts: Mapping[Asked, Prompt]) -> list[Reply]:
    """The replies, one for each prompt, model and sample; rows without one give none."""
    found: dict[tuple[str, str, int], Reply] = {}
    for row, sample in rows:
        if row.reply is not None:
            prompt_id = prompts[_asked(row)].id
            reply = Reply(prompt_id, row.model, "", sample, row.reply, None, (), row.stop, Settings(), 0, 0)
            found.setdefault((prompt_id, row.model, sample), reply)
    return list(found.values())
