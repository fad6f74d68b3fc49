"""Export a study's replies and their verdicts as a table of transcripts that Inspect Scout reads.

In: `Results` and verdicts. Out: a folder with one Parquet file in the schema of Scout's transcript databases
(meridianlabs-ai.github.io/inspect_scout, "Transcript Database"): a row for each reply, its conversation as messages, side,
cue and reading as columns, and a column for each question and judge, which is null where there is no verdict.

    scout scan scanner.py --transcripts OUT
"""

from __future__ import annotations

import importlib
import json
from collections import defaultdict
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from unsway.disk import write_bytes
from unsway.errors import BadInput
from unsway.extras import requires
from unsway.judging.trust import name_of
from unsway.readers.channels import split
from unsway.sampling.conversation import chat
from unsway.studies.outcome_replies import outcome_replies
from unsway.studies.results import Results
from unsway.types import Outcome, Prompt, Reply, Verdict

FILE = "transcripts.parquet"
"""Name of the table in the folder."""


def rows(results: Results, verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """A row for each biased and each clean reply of every pair.

    Args:
        results: The study.
        verdicts: Verdicts on its replies.
    """
    labels = {arm.key: arm.label for arm in results.arms}
    by_reply: dict[tuple[str, str, str], list[Verdict]] = defaultdict(list)
    columns = set()
    for verdict in (verdict for verdict in verdicts if not verdict.placebo):
        by_reply[verdict.reply, verdict.pair, verdict.side].append(verdict)
        columns.add(_column(verdict))
    transcripts = []
    for outcome, pair, side, prompt, reply, key in outcome_replies(results):
        row = _row(outcome, side, prompt, reply, key) | {"arm": labels[outcome.arm]} | dict.fromkeys(sorted(columns))
        for verdict in by_reply[key, pair.id, side]:
            row[_column(verdict)] = None if verdict.value is None else float(verdict.value)
            row[f"{_column(verdict)}_quote"] = verdict.quote or None
        transcripts.append(row)
    quotes = sorted({name for row in transcripts for name in row if name.endswith("_quote")})
    return [dict.fromkeys(quotes) | row for row in transcripts]


def export_transcripts(results: Results, verdicts: Iterable[Verdict], out: str | Path) -> Path:
    """Write the table; returns its file.

    Args:
        results: The study.
        verdicts: Verdicts on its replies.
        out: A separate folder, which becomes a transcript database.

    Raises:
        BadInput: There is no reply, or the folder holds Inspect logs, which Scout would read instead.
        MissingExtra: pyarrow is not installed.
    """
    transcripts = rows(results, verdicts)
    path = Path(out)
    if not transcripts:
        raise BadInput("The study holds no reply, so there is no transcript to write.")
    if next(path.rglob("*.eval"), None) is not None:
        raise BadInput(f"{path} holds logs of Inspect, and Scout would read those. Name a folder of its own.")
    with requires("hub", "A table of transcripts"):
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    buffer = BytesIO()
    parquet.write_table(arrow.Table.from_pylist(transcripts), buffer)
    return write_bytes(path / FILE, buffer.getvalue())


def _column(verdict: Verdict) -> str:
    """Column name of a verdict: question, judge, and the channel unless it is the answer."""
    channel = "" if verdict.channel == "answer" else f"_{verdict.channel}"
    judge = "".join(char if char.isalnum() else "_" for char in verdict.by)
    return f"{name_of(verdict)}{channel}_by_{judge}"


def _row(outcome: Outcome, side: str, prompt: Prompt, reply: Reply, key: str) -> dict[str, Any]:
    """One row: the columns of Scout's schema, then our own."""
    reading, hit = (outcome.biased, outcome.hit_biased) if side == "biased" else (outcome.clean, outcome.hit_clean)
    thought = split(reply.text).thought or reply.reasoning
    content: Any = reply.text
    if reply.reasoning:
        content = [{"type": "reasoning", "reasoning": reply.reasoning}, {"type": "text", "text": reply.text}]
    messages = [json.loads(message.model_dump_json(exclude_none=True)) for message in chat(prompt, reply.turns)]
    messages.append({"role": "assistant", "content": content, "source": "generate", "model": reply.model})
    return {
        "transcript_id": f"{key}-{outcome.pair_id}-{side}",
        "source_type": "unsway",
        "source_id": key,
        "date": reply.asked_on or None,
        "task_set": outcome.bias,
        "task_id": outcome.question_id,
        "task_repeat": outcome.sample,
        "model": reply.model,
        "model_options": json.dumps(
            {"temperature": reply.settings.temperature, "max_tokens": reply.settings.max_tokens}
            if reply.settings_known
            else {}
        ),
        "score": json.dumps({"followed": hit, "status": reading.status}),
        "success": None if hit is None else not hit,
        "message_count": len(messages),
        "total_tokens": reply.tokens_in + reply.tokens_out if reply.tokens_in else None,
        "trust_content": False,
        "messages": json.dumps(messages, ensure_ascii=False),
        "side": side,
        "pair": outcome.pair_id,
        "cue": prompt.cue() or None,
        "thought_kind": reply.thought,
        "thought_characters": len(thought or ""),
    }
