"""Transcripts that somebody else sampled, as pairs and replies like our own.

In: JSONL (or `.gz`) rows, or an Inspect `.eval` log whose samples carry the same fields as metadata. Out: `Imported`: pairs,
replies, and every row that was left out, with its line, field and reason.

A row has `question_id`, `n_options` or `options`, `gold`, `target`, `bias`, `arm` ("clean" or "biased"), `model`, `reply`;
`source`, `sample`, `prompt`, `stop` and `elicit` are optional. Options are named by letter or by index from 0; the target
"NOT X" means any answer but X, null any change. A clean row without a bias stands for every bias of its question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unsway import biases, layout
from unsway.errors import BadInput, BadRow
from unsway.importing.joining import Numbered, count_unpaired, number_samples, share_clean_rows
from unsway.importing.released import GOLD
from unsway.importing.transcripts import VERSION, Side, Transcript, read_log, read_transcripts
from unsway.pairing import Skipped
from unsway.prompts.render import option_parts
from unsway.seeds import content_id
from unsway.store import loads
from unsway.types import Pair, Part, Prompt, Question, Reply, Settings, Toward, Turn

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held."""

    pairs: tuple[Pair, ...]
    """The pairs, whether or not both of their sides have a reply."""
    replies: tuple[Reply, ...]
    """The replies to them."""
    models: tuple[str, ...]
    """The models, in the order of the file."""
    n_rows: int
    """Rows of the file, good or bad."""
    n_duplicates: int
    """Rows that repeat another row."""
    n_gold: int
    """Rows left out because their cue points to the right option: following it is no bias (arXiv 2403.05518, §3)."""
    n_empty: int
    """Rows without a reply (null); their pairs count as missing."""
    bad: tuple[BadRow, ...]
    """Rows that cannot be used, left out."""
    n_alone: int = 0
    """Clean rows that belong to no pair, because no row names their target."""
    skipped: tuple[Skipped, ...] = ()
    """Questions whose cue points to the right option, as reports list them."""

    def counts(self) -> dict[str, int]:
        """How many rows there were, and how many of them were left out, by the reason."""
        names = ("n_rows", "n_duplicates", "n_gold", "n_empty", "n_alone")
        return {name: getattr(self, name) for name in names} | {"n_bad": len(self.bad)}

    def __str__(self) -> str:
        """What was imported and what was left out, a line each, with the first ten bad rows."""
        left_out = {
            "bad": len(self.bad),
            "that repeat another row": self.n_duplicates,
            "whose cue points to the right option (--keep-gold keeps them, as NAME/gold)": self.n_gold,
            "of clean replies that no biased row belongs to": self.n_alone,
            "without a reply, whose pairs count as missing": self.n_empty,
        }
        sizes = f"{len(self.replies)} replies to {len(self.pairs)} pairs, of {len(self.models)} models"
        lines = [f"{sizes}, from {self.n_rows} rows."]
        lines += [f"Left out: {n} rows {why}." for why, n in left_out.items() if n]
        return "\n".join(lines + [f"  {error}" for error in self.bad[:10]])


class PromptKey(NamedTuple):
    """What tells one imported prompt from another."""

    source: str
    """Where the question comes from."""
    question_id: str
    """The file's name for the question."""
    bias: str
    """Name of the bias; empty for a clean prompt that stands for every bias."""
    side: Side
    """Whether it has the cue."""
    variant: str
    """`Transcript.variant`."""


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
    own = None if log is None else _read_own_log(file, log)
    if own is not None:
        return own
    rows, bad = read_transcripts(file, log)
    if bad and not skip_bad:
        shown = "\n".join(f"  {error}" for error in bad[:10])
        advice = "Fix them, or leave them out with --skip-bad (skip_bad=True)."
        if log is not None:
            needed = "question_id, n_options (or options), gold, target, bias and arm"
            advice += f"\nThe metadata of each sample of a log must have {needed}."
        raise BadInput(f"{file}: {len(bad)} of {len(bad) + len(rows)} rows cannot be used.\n{shown}\n{advice}")
    good, at_gold = _without_gold(rows, keep_gold)
    n_gold = len(rows) - len(good)
    if not good:
        raise BadInput(
            f"{file} holds no row that can be used ({len(bad)} bad, {n_gold} whose cue is the right option)."
        )
    once = number_samples(good)
    placed = share_clean_rows(once)
    prompts = _prompts(placed)
    replies: dict[tuple[str, str, int], Reply] = {}
    for row, sample in placed:
        if row.reply is not None:
            prompt_id = prompts[_key(row)].id
            reply = Reply(prompt_id, row.model, "", sample, row.reply, None, (), row.stop, Settings(), 0, 0)
            replies.setdefault((prompt_id, row.model, sample), reply)
    return Imported(
        pairs=_pairs([row for row, _ in placed], prompts),
        replies=tuple(replies.values()),
        models=tuple(dict.fromkeys(row.model for row in good)),
        n_rows=len(bad) + len(rows),
        n_duplicates=len(good) - len(once),
        n_gold=n_gold,
        n_empty=sum(row.reply is None for row in good),
        bad=bad,
        n_alone=count_unpaired(good),
        skipped=at_gold,
    )


def _read_own_log(file: Path, log: EvalLog) -> Imported | None:
    """A log of the task `unsway/bias`, whose samples carry pairs and replies; None for any other log."""
    about = [sample.metadata or {} for sample in log.samples or ()]
    study = file.resolve().parent.parent
    if (log.eval.metadata or {}).get("asked_by") == "unsway" and (study / layout.REPLIES).exists():
        raise BadInput(
            f"{file} is the record of what `unsway measure` asked. Its replies are in the study's folder, with their pairs: "
            f"`unsway estimate {study}`."
        )
    if not any("pair" in each for each in about):
        return None
    scores = [score for sample in log.samples or () for score in (sample.scores or {}).values()]
    replies = [
        loads(Reply, score.metadata["reply"]) for score in scores if score.metadata and "reply" in score.metadata
    ]
    if (log.eval.metadata or {}).get(
        "asked_by"
    ) != "unsway":  # Inspect's own door: what it knows is in the log's header
        decoding = {field.name: getattr(log.plan.config, field.name) for field in fields(Settings)}
        settings = Settings(**{name: value for name, value in decoding.items() if value is not None})
        replies = [replace(reply, model=log.eval.model, settings=settings) for reply in replies]
    pairs = {each["pair"]: loads(Pair, each["pair"]) for each in about if each.get("arm") == "biased"}
    return Imported(
        pairs=tuple(pairs.values()),
        replies=tuple(replies),
        models=tuple(dict.fromkeys(reply.model for reply in replies)),
        n_rows=len(about),
        n_duplicates=0,
        n_gold=0,
        n_empty=len(about) - len(replies),
        bad=(),
    )


def _without_gold(rows: list[Transcript], keep: bool) -> tuple[list[Transcript], tuple[Skipped, ...]]:
    """Leave out the rows of pairs whose cue points to the right option, or keep them under the bias `NAME/gold`."""

    def place(row: Transcript) -> tuple[object, ...]:
        return (row.source, row.question_id, row.bias, row.model, row.sample)

    at_gold = {place(row) for row in rows if row.bias and row.gold is not None and row.target == Toward(row.gold)}
    if keep:
        return [row._replace(bias=f"{row.bias}/gold") if place(row) in at_gold else row for row in rows], ()
    left = (Skipped(_question_id(row), _versioned(row.bias), GOLD) for row in rows if place(row) in at_gold)
    return [row for row in rows if place(row) not in at_gold], tuple(dict.fromkeys(left))


def _versioned(name: str) -> str:
    return name if "@" in name else f"{name}@{VERSION}"


def _question_id(row: Transcript) -> str:
    return row.question_id if row.source == VERSION else f"{row.source}/{row.question_id}"


def _key(row: Transcript) -> PromptKey:
    return PromptKey(row.source, row.question_id, row.bias, row.side, row.variant)


# ---------------------------------------------------------------- prompts


def _prompts(rows: Sequence[Numbered]) -> dict[PromptKey, Prompt]:
    """One prompt for each key, with a mark where two that must differ have equal text.

    Files may leave prompts out, or give only a part of them, and then both sides have the same text. The clean rows of a
    question share a prompt where they have no variant and their replies do not differ from bias to bias.
    """
    first: dict[PromptKey, Transcript] = {}
    said: defaultdict[tuple[str, str, str, int], set[str | None]] = defaultdict(set)
    for row, sample in rows:
        known = first.setdefault(_key(row), row)
        if row.prompt and not known.prompt:
            first[_key(row)] = row
        if row.side == "clean":
            said[row.source, row.question_id, row.model, sample].add(row.reply)
    differing = {place[:2] for place, replies in said.items() if len(replies) > 1}
    owners: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for key, row in first.items():
        is_shared = key.side == "clean" and key[:2] not in differing and not key.variant
        owners[_text(row)].add(key[:2] if is_shared else key)
    return {
        key: _prompt(row, key, marked=(not row.prompt and key.side == "biased") or len(owners[_text(row)]) > 1)
        for key, row in first.items()
    }


def _text(row: Transcript) -> str:
    return row.prompt or f"Question {row.question_id} of {row.source}"


def _prompt(row: Transcript, key: PromptKey, marked: bool) -> Prompt:
    """The prompt as given, or else the name of the question and its options; a mark tells it from others of equal text."""
    parts = [Part("stem", _text(row))]
    if not row.prompt:
        parts += option_parts(row.options)
    if marked:
        what = f"{key.side}, question {key.question_id} of {key.source}" + (key.bias and f", bias {key.bias}")
        what += key.variant and f", {key.variant}"
        parts.append(Part("cue" if key.side == "biased" else "instruction", f"\n\n[imported: {what}]"))
    return Prompt((Turn("user", tuple(parts)),))


# ---------------------------------------------------------------- pairs


def _pairs(rows: Sequence[Transcript], prompts: Mapping[PromptKey, Prompt]) -> tuple[Pair, ...]:
    """A pair for each question, bias and target; a side without rows has a prompt that nobody answered."""
    found: dict[str, Pair] = {}
    for row in rows:
        if not row.bias or row.target is None:
            continue
        unasked, key = row._replace(prompt=""), _key(row)
        clean_key, biased_key = key._replace(side="clean"), key._replace(side="biased")
        own, shared = prompts.get(clean_key), prompts.get(clean_key._replace(bias="", variant=""))
        clean = own or shared or _prompt(unasked, clean_key, marked=True)
        biased = prompts.get(biased_key) or _prompt(unasked, biased_key, marked=True)
        question = Question(_text(unasked), row.options, row.gold, row.source, VERSION, id=_question_id(row))
        bias, elicit = _versioned(row.bias), _versioned(row.elicit)
        pair = Pair(
            id=content_id(question.id, clean.id, biased.id, bias, elicit, asdict(row.target)),
            question=question,
            bias=bias,
            elicit=elicit,
            clean=clean,
            biased=biased,
            target=row.target,
            order=tuple(range(len(row.options))),
            seed=0,
            rule=biases.rule_of(bias),
        )
        found.setdefault(pair.id, pair)
    return tuple(found.values())
