"""Transcripts that someone else sampled, as pairs and replies like our own.

In: files of rows (JSONL, JSON, tables, Parquet, compressed or not) or Inspect logs, ours or not. Out: `Imported`: pairs,
replies, and every row left out, with its line, field and reason.

A row has `question_id`, `n_options` or `options`, `gold`, `target`, `bias`, `arm` ("clean" or "biased"), `model`, `reply`;
`source`, `sample`, `prompt`, `stop`, `elicit`, `reasoning` are optional. `words.py` lists the field names and words
that others use, `shapes.py` where providers and harnesses store each field. Options are given by letter, text or index.
The target "NOT X" means any answer but X; null means any change. A clean row without a bias belongs to every bias of
its question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from unsway import biases
from unsway.errors import BadInput, BadRow, number_of
from unsway.importing.bodies import Body, Description, read_bodies
from unsway.importing.joining import Numbered, count_unpaired, number_samples, share_clean_rows
from unsway.importing.logs import read_logs
from unsway.importing.released import GOLD
from unsway.importing.transcripts import VERSION, Transcript, check_bodies
from unsway.pairing import Skipped
from unsway.prompts.render import option_parts
from unsway.seeds import content_id
from unsway.types import Pair, Part, Prompt, Question, Reply, Settings, Side, Toward, Turn


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import."""

    pairs: tuple[Pair, ...]
    """The pairs, whether or not both sides have a reply."""
    replies: tuple[Reply, ...]
    """The replies to those pairs."""
    models: tuple[str, ...]
    """The models, in order of appearance."""
    n_rows: int
    """Rows in the files, good or bad."""
    n_duplicates: int
    """Rows that repeat another row."""
    n_gold: int
    """Rows left out because their cue points to the right option: following it is no bias (arXiv 2403.05518, §3)."""
    n_empty: int
    """Rows without a reply (null); their pairs count as missing."""
    bad: tuple[BadRow, ...]
    """Rows that cannot be used, left out."""
    n_alone: int = 0
    """Clean rows without a pair, because no row gives their target."""
    skipped: tuple[Skipped, ...] = ()
    """Questions whose cue points to the right option, as reports list them."""
    notes: tuple[str, ...] = ()
    """Other notes: runs that did not finish, sides without any reply."""

    def counts(self) -> dict[str, int]:
        """The number of rows, and how many of them were left out, by reason."""
        names = ("n_rows", "n_duplicates", "n_gold", "n_empty", "n_alone")
        return {name: getattr(self, name) for name in names} | {"n_bad": len(self.bad)}

    def __str__(self) -> str:
        """What was imported and what was left out, one line each, with the first ten bad rows."""
        left_out = {
            "bad": len(self.bad),
            "that repeat another row": self.n_duplicates,
            "whose cue points to the right option (--keep-gold keeps them, as NAME/gold)": self.n_gold,
            "of clean replies that no biased row belongs to": self.n_alone,
            "without a reply, whose pairs count as missing (as not asked where neither side has one)": self.n_empty,
        }
        replies, pairs = number_of(len(self.replies), "reply"), number_of(len(self.pairs), "pair")
        models, rows = number_of(len(self.models), "model"), number_of(self.n_rows, "row")
        lines = [f"{replies} to {pairs}, of {models}, from {rows}."]
        lines += [f"Left out: {number_of(n, 'row')} {reason}." for reason, n in left_out.items() if n]
        return "\n".join([*lines, *(f"  {error}" for error in self.bad[:10]), *self.notes])


NEEDED = ("question_id", "model", "arm", "bias", "gold", "target", "reply")
"""Fields that every usable row needs, besides its options."""


class PromptKey(NamedTuple):
    """What distinguishes one imported prompt from another."""

    source: str
    """The source of the question."""
    question_id: str
    """The file's name for the question."""
    bias: str
    """Name of the bias; empty for a clean prompt that belongs to every bias."""
    side: Side
    """Whether it has the cue."""
    variant: str
    """`Transcript.variant`."""


def load(
    files: str | Path | Sequence[str | Path],
    about: Description = Description(),  # noqa: B008  # frozen
    *,
    skip_bad: bool = False,
    keep_gold: bool = False,
) -> Imported:
    """Read files of transcripts; rows of several files are joined as if they were in one.

    Args:
        files: Files of rows, or Inspect logs (`.eval`, `.json`), or folders of logs.
        about: What the files do not say themselves.
        skip_bad: Leave bad rows out and continue.
        keep_gold: Keep rows whose cue points to the right option, under the bias `NAME/gold`.

    Raises:
        BadInput: A file cannot be read, has bad rows (the message lists the first ten and their number) or no reply, or its
            numbers can be read in two ways.
    """
    paths = [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
    logs = read_logs(paths)
    notes = list(logs.notes)
    bodies, n_twice = read_bodies(logs.others, about)
    rows, bad = check_bodies(bodies)
    if bad and not skip_bad:
        raise BadInput(_advice(paths, bodies, bad))
    gold_rows = [row for row in rows if row.bias and row.gold is not None and row.target == Toward(row.gold)]
    gold_keys = {(row.source, row.question_id, row.bias, row.model, row.sample) for row in gold_rows}
    gold_flags = [(row.source, row.question_id, row.bias, row.model, row.sample) in gold_keys for row in rows]
    skipped: dict[Skipped, None] = {}
    good = []  # without the pairs whose cue points to the right option, or with them under the bias NAME/gold
    for row, is_gold in zip(rows, gold_flags, strict=True):
        if is_gold and not keep_gold:
            skipped[Skipped(_question_id(row), _versioned(row.bias), GOLD)] = None
        else:
            good.append(row._replace(bias=f"{row.bias}/gold") if is_gold else row)
    n_gold = len(rows) - len(good)
    if not good and not logs.pairs:
        raise BadInput(
            f"{', '.join(map(str, paths))} holds no row that can be used ({len(bad)} bad, {n_gold} whose cue is the right "
            "option)."
        )
    unique_rows = number_samples(good)
    sample_rows = share_clean_rows(unique_rows)
    prompts = _prompts(sample_rows)
    replies: dict[tuple[str, str, int], Reply] = {}
    for row, sample in sample_rows:
        if row.reply is not None:
            prompt_id = prompts[_key(row)].id
            content = (row.reply, row.reasoning or None, (), row.stop, Settings(), 0, 0)
            details = (row.thought, row.reasoning_tokens, row.reported_model, row.asked_on)
            reply = Reply(prompt_id, row.model, "", sample, *content, *details, settings_known=False)
            replies.setdefault((prompt_id, row.model, sample), reply)
    pairs = (*logs.pairs, *_pairs([row for row, _ in sample_rows], prompts))
    answered_ids = {reply.prompt_id for reply in (*logs.replies, *replies.values())}
    if not answered_ids:
        raise BadInput(
            f"{', '.join(map(str, paths))}: none of its {number_of(len(bodies) + logs.n_samples, 'row')} has a reply, so "
            "there is nothing to import."
        )
    for pair in pairs[:1] if not any({pair.clean.id, pair.biased.id} <= answered_ids for pair in pairs) else ():
        side, other = ("biased", "clean") if pair.biased.id in answered_ids else ("clean", "biased")
        advice = f" Import the {other} ones with them (several files, --clean FILE), under the same names of questions."
        notes.append(f"No pair has replies on both sides: all are {side}.{advice if good else ''}")
    return Imported(
        pairs=pairs,
        replies=(*logs.replies, *replies.values()),
        models=tuple(dict.fromkeys([*(reply.model for reply in logs.replies), *(row.model for row in good)])),
        n_rows=len(bodies) + n_twice + logs.n_samples,
        n_duplicates=len(good) - len(unique_rows) + n_twice + logs.n_twice,
        n_gold=n_gold,
        n_empty=sum(row.reply is None for row in good) + logs.n_empty,
        bad=bad,
        n_alone=count_unpaired(good),
        skipped=tuple(skipped),
        notes=tuple(notes),
    )


def _advice(files: Sequence[Path], bodies: Sequence[Body], bad: Sequence[BadRow]) -> str:
    """What is wrong with unusable rows, and what to do: name columns, set values, correct or skip rows."""
    listing = "\n".join(f"  {error}" for error in bad[:10])
    rows = [body.row for body in bodies if isinstance(body.row, dict)]
    missing = [name for name in NEEDED if rows and not any(name in row for row in rows)]
    if rows and not any("n_options" in row or row.get("options") for row in rows):
        missing.append("options")
    advice = "Fix them, or leave them out with --skip-bad (skip_bad=True)."
    if missing:
        advice = (
            f"No row has {', '.join(missing)}. Name the columns that hold them (--columns {missing[0]}=COLUMN,…), set what "
            f"is the same in all rows (--set {missing[0]}=VALUE), or give a file with a row for each question (--facts FILE)."
        )
    if any(file.suffix in (".eval", ".json") for file in files):
        required = "question_id, n_options (or options), gold, target, bias and arm"
        advice += f"\nThe metadata of each sample of a log must have {required}, where Inspect does not know it."
    return f"{', '.join(map(str, files))}: {len(bad)} of {number_of(len(bodies), 'row')} cannot be used.\n{listing}\n{advice}"


def _versioned(name: str) -> str:
    return name if "@" in name else f"{name}@{VERSION}"


def _question_id(row: Transcript) -> str:
    return row.question_id if row.source == VERSION else f"{row.source}/{row.question_id}"


def _key(row: Transcript) -> PromptKey:
    return PromptKey(row.source, row.question_id, row.bias, row.side, row.variant)


# ---------------------------------------------------------------- prompts


def _prompts(rows: Sequence[Numbered]) -> dict[PromptKey, Prompt]:
    """One prompt for each key, with a mark if two that must differ have the same text.

    Files may leave out prompts, or give only a part; then both sides have the same text. The clean rows of a question share a
    prompt if they have no variant and their replies are the same for all biases.
    """
    first_rows: dict[PromptKey, Transcript] = {}
    clean_replies: defaultdict[tuple[str, str, str, int], set[str | None]] = defaultdict(set)
    for row, sample in rows:
        earlier = first_rows.setdefault(_key(row), row)
        if row.prompt and not earlier.prompt:
            first_rows[_key(row)] = row
        if row.side == "clean":
            clean_replies[row.source, row.question_id, row.model, sample].add(row.reply)
    differing_questions = {sample_key[:2] for sample_key, replies in clean_replies.items() if len(replies) > 1}
    owners: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for key, row in first_rows.items():
        is_shared = key.side == "clean" and key[:2] not in differing_questions and not key.variant
        owners[_text(row)].add(key[:2] if is_shared else key)
    return {
        key: _prompt(row, key, marked=(not row.prompt and key.side == "biased") or len(owners[_text(row)]) > 1)
        for key, row in first_rows.items()
    }


def _text(row: Transcript) -> str:
    return row.prompt or f"Question {row.question_id} of {row.source}"


def _prompt(row: Transcript, key: PromptKey, marked: bool) -> Prompt:
    """The prompt as given, or else the question's name and options; a mark keeps it apart from others with equal text."""
    parts = [Part("stem", _text(row))]
    if not row.prompt:
        parts += option_parts(row.options)
    if marked:
        label = f"{key.side}, question {key.question_id} of {key.source}" + (key.bias and f", bias {key.bias}")
        label += key.variant and f", {key.variant}"
        parts.append(Part("cue" if key.side == "biased" else "instruction", f"\n\n[imported: {label}]"))
    return Prompt((Turn("user", tuple(parts)),))


# ---------------------------------------------------------------- pairs


def _pairs(rows: Sequence[Transcript], prompts: Mapping[PromptKey, Prompt]) -> tuple[Pair, ...]:
    """A pair for each question, bias and target; a side without rows gets a prompt without replies."""
    pairs: dict[str, Pair] = {}
    for row in rows:
        if not row.bias or row.target is None:
            continue
        without_prompt = row._replace(prompt="")
        key = _key(row)
        clean_key, biased_key = key._replace(side="clean"), key._replace(side="biased")
        own_prompt, shared_prompt = prompts.get(clean_key), prompts.get(clean_key._replace(bias="", variant=""))
        clean = own_prompt or shared_prompt or _prompt(without_prompt, clean_key, marked=True)
        biased = prompts.get(biased_key) or _prompt(without_prompt, biased_key, marked=True)
        question = Question(_text(without_prompt), row.options, row.gold, row.source, VERSION, id=_question_id(row))
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
        pairs.setdefault(pair.id, pair)
    return tuple(pairs.values())
