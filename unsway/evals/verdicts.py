"""Judges' verdicts as Inspect scores, appended to the logs of the judged replies through Inspect's own `score`.

In: a log, and verdicts on its replies. Out: a log with one more score, with an entry for each question and judge.

    inspect score LOG.eval --scorer unsway/verdicts -S folder=runs/mine --action append

Yes is 1, no is 0, a number is itself; a missing verdict is NaN, which Inspect's metrics leave out. A clean reply that was
judged for several cues gets their mean.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr

from unsway import layout
from unsway.errors import BadInput
from unsway.registry import Ref
from unsway.store import dumps, loads, read_jsonl
from unsway.types import Reply, Verdict
from unsway.types.address import reply_id

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog
    from inspect_ai.solver import TaskState


def entry_of(verdict: Verdict) -> str:
    """The score entry of a verdict: the question, the judge, and the channel if it is not the answer."""
    channel = "" if verdict.channel == "answer" else f", {verdict.channel}"
    return f"{Ref.parse(verdict.question).unversioned} by {verdict.by}{channel}"


@scorer(name="verdicts", metrics={"*": [mean(), stderr()]})
def verdicts(folder: str) -> Scorer:
    """The judges' verdicts on each reply in a study's folder (`unsway judge`, `unsway monitor`).

    Args:
        folder: The folder of the study.

    Raises:
        BadInput: The folder has no verdicts.
    """
    path = Path(folder) / layout.VERDICTS
    if not path.exists():
        raise BadInput(
            f"{folder!r} holds no verdicts ({layout.VERDICTS} is missing). `unsway judge {folder}` makes some."
        )
    by_reply: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in read_jsonl(path, Verdict):
        if not verdict.placebo:
            by_reply[verdict.reply].append(verdict)
    entries = sorted({entry_of(verdict) for reply_verdicts in by_reply.values() for verdict in reply_verdicts})

    async def score(state: TaskState, target: Target) -> Score:
        row = state.store.get("reply")
        reply_verdicts = by_reply.get(reply_id(loads(Reply, row)), []) if row else []
        if not reply_verdicts:
            return Score.unscored(explanation="no judge was asked about this reply")
        values: dict[str, list[float]] = defaultdict(list)
        for verdict in reply_verdicts:
            if verdict.value is not None:
                values[entry_of(verdict)].append(float(verdict.value))
        lines = [
            f"{entry_of(v)}: {v.missing or v.value}" + (f" (“{v.quote}”)" if v.quote else "") for v in reply_verdicts
        ]
        return Score(
            value={name: sum(values[name]) / len(values[name]) if values[name] else math.nan for name in entries},
            explanation="\n".join(lines),
            metadata={"verdicts": [dumps(verdict) for verdict in reply_verdicts]},
        )

    return score


def with_verdicts(log: EvalLog, folder: str | Path) -> EvalLog:
    """The log with the folder's verdicts as one more score, and their means in its header."""
    from inspect_ai import score

    # with model unset, Inspect would open the log's model, which needs its key or its weights
    return score(log, verdicts(str(folder)), model="none", action="append", display="none")


def export_scores(folder: str | Path, out: str | Path) -> tuple[Path, ...]:
    """Write copies of a study's logs with its verdicts as scores.

    Args:
        folder: The folder of the study.
        out: The folder for the new logs, which keep their names.

    Returns:
        The logs written: those with a judged reply.

    Raises:
        BadInput: The folder has no verdicts, or no log with a judged reply (imported replies have none).
    """
    from inspect_ai.log import read_eval_log, write_eval_log

    path = Path(folder) / layout.VERDICTS
    judged_ids = {verdict.reply for verdict in read_jsonl(path, Verdict)} if path.exists() else set()
    if not judged_ids:
        raise BadInput(f"{str(folder)!r} holds no verdicts. `unsway judge {folder}` makes some.")
    new_logs = []
    for log_path in sorted((Path(folder) / layout.LOGS).glob("*.eval")):
        log = read_eval_log(str(log_path))
        rows: Iterable[str | None] = (sample.store.get("reply") for sample in log.samples or ())
        if any(row and reply_id(loads(Reply, row)) in judged_ids for row in rows):
            target = Path(out) / log_path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_eval_log(with_verdicts(log, folder), str(target))
            new_logs.append(target)
    if not new_logs:
        raise BadInput(
            f"No log in {Path(folder) / layout.LOGS} has a reply that was judged: replies that were imported have no log of "
            "unsway's. Export them as a table of transcripts (--scout)."
        )
    return tuple(new_logs)
