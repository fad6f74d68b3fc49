"""Import verdicts that were made elsewhere into a study's folder, from a checked JSONL file.

In: rows with a question, a judge, a value, and the reply they are about. Out: the folder's `verdicts.jsonl`, and a summary.

    {"pair": "1f0c…", "side": "biased", "question": "mentions_cue", "by": "person:ana", "value": true, "quote": "as you said"}
    {"reply": "9a3b…", "pair": "1f0c…", "question": "coherent", "by": "my-judge@3", "value": 4, "channel": "thinking"}

A reply is identified by its pair, side and sample; if several arms gave one, also by `arm` or its address. A row whose value
is null counts as missing, never as a no, for the reason in `missing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from unsway.errors import BadRow
from unsway.judging import rubrics
from unsway.judging.rubrics import second_reader
from unsway.judging.verdicts import JudgedReply, quote_stands
from unsway.rows import ForeignRow, Name, NeededName, TextOrNull, read_rows
from unsway.studies.folder import results
from unsway.studies.judging import keep_verdicts
from unsway.studies.results import Results
from unsway.types import MissingVerdict, Pair, Reply, Side, Verdict
from unsway.types.address import reply_id


class ForeignVerdict(ForeignRow):
    """One verdict that was made elsewhere."""

    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("rubric", "asks"),
        "by": ("judge",),
        "why": ("reason", "explanation"),
        "pair": ("pair_id",),
    }
    pair: NeededName = Field(description="write the id of the pair (`pairs.jsonl`)")
    question: NeededName = Field(description="write the name of the question, such as mentions_cue")
    by: NeededName = Field(description="write who judged, such as person:ana or a model with its version")
    value: bool | int | None = Field(description="write true, false or a number; null where there is no verdict")
    reply: Name = ""
    """Address of the reply."""
    arm: Name = ""
    """Label of the arm that gave it."""
    side: Side = "biased"
    sample: int = 0
    channel: Literal["answer", "thinking", "summary"] = "answer"
    missing: MissingVerdict = ""
    why: TextOrNull = ""
    quote: TextOrNull = ""
    at: Name = ""


class ImportedVerdicts(NamedTuple):
    """What was imported."""

    n: int
    """Verdicts, those without a value included."""
    judges: tuple[str, ...]
    """Names of the judges."""
    questions: tuple[str, ...]
    """The questions (rubrics) that were answered."""
    missing: Mapping[str, int]
    """Verdicts without a value, by reason."""
    n_unfounded: int
    """Yes verdicts whose quote does not occur in the text."""


def import_verdicts(path: str | Path, folder: str | Path) -> ImportedVerdicts:
    """Check a file of verdicts and add them to a folder; nothing is added if a row is bad.

    Args:
        path: The file; JSONL, or a table with these columns.
        folder: The folder of the study.

    Raises:
        BadInput: The folder holds no study, or the file cannot be read.
        BadRow: A row names an unknown pair, reply or arm, has a value its question does not allow, or contradicts another.
    """
    study_results = results(folder)
    pairs = {pair.id: pair for pair in study_results.pairs}
    verdicts: dict[tuple[str, str, str, str, str, str], Verdict] = {}
    unfounded = 0
    for line, row in read_rows(path, ForeignVerdict):
        if row.pair not in pairs:
            raise BadRow(path, line, "pair", f"is {row.pair!r}, which is no pair of {folder}")
        pair = pairs[row.pair]
        judged_reply = JudgedReply(pair, row.side, _reply(study_results, row, pair, path, line))
        question, value = _check_value(row, pair, path, line)
        if value is None and not row.missing:
            row = row.model_copy(update={"missing": "unread"})
        verdict = Verdict(
            reply=reply_id(judged_reply.reply),
            channel=row.channel,
            question=question,
            by=row.by,
            value=value,
            why=row.why,
            quote=row.quote,
            at=row.at,
            pair=row.pair,
            side=row.side,
            missing=row.missing,
        )
        key = (verdict.reply, verdict.pair, verdict.side, verdict.channel, verdict.question, verdict.by)
        if verdicts.setdefault(key, verdict) != verdict:
            raise BadRow(path, line, "value", f"contradicts an earlier row on the same question by {row.by!r}")
        unfounded += value is True and not quote_stands(verdict, judged_reply.text(row.channel)[0])
    keep_verdicts(folder, verdicts.values())
    all_verdicts = verdicts.values()
    return ImportedVerdicts(
        len(verdicts),
        tuple(dict.fromkeys(verdict.by for verdict in all_verdicts)),
        tuple(dict.fromkeys(verdict.question for verdict in all_verdicts)),
        Counter(verdict.missing for verdict in all_verdicts if verdict.missing),
        unfounded,
    )


def _reply(study_results: Results, row: ForeignVerdict, pair: Pair, path: str | Path, line: int) -> Reply:
    """The reply that a row is about. Raises `BadRow`."""
    prompt = pair.biased if row.side == "biased" else pair.clean
    labels = {arm.label: arm for arm in study_results.arms}
    if row.arm and row.arm not in labels:
        raise BadRow(path, line, "arm", f"is {row.arm!r}; the study has {', '.join(labels)}")
    arms = [labels[row.arm]] if row.arm else list(study_results.arms)
    replies = [reply for arm in arms if (reply := study_results.reply(arm.key, prompt, row.sample)) is not None]
    if row.reply:
        replies = [reply for reply in replies if reply_id(reply) == row.reply]
    if len(replies) != 1:
        problem = (
            "no reply there" if not replies else f"{len(replies)} replies there: name the arm ({', '.join(labels)})"
        )
        raise BadRow(
            path, line, "reply" if row.reply else "pair", f"has {problem} on the {row.side} side, sample {row.sample}"
        )
    return replies[0]


def _check_value(row: ForeignVerdict, pair: Pair, path: str | Path, line: int) -> tuple[str, bool | int | None]:
    """Return the question with its version, and the checked value. Raises `BadRow`."""
    rubric = rubrics.of_question(row.question)
    if rubric is None:
        return row.question, row.value
    if rubric.name == second_reader.NAME:
        rubric = replace(rubric, scale=(second_reader.NO_OPTION, len(pair.question.options) - 1))
    if row.value is not None and not rubric.allows(row.value):
        problem = f"is {row.value!r}; {rubric.name} takes {rubric.allowed}, or null where there is no verdict"
        raise BadRow(path, line, "value", problem)
    if row.value is not None and row.missing:
        raise BadRow(path, line, "missing", f"is {row.missing!r} next to the value {row.value!r}; give one of them")
    return row.question if "@" in row.question else rubric.versioned, row.value
