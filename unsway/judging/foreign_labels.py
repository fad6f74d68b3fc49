"""Labels that others made, people or a model, as JSONL; and the same schema out.

In: a file with a reply a row. Out: items and labels on the shelf. Fields of a row:

    labeller      who; required
    reply         the text that was labelled; required
    coherence     1 to 5, or null
    mentions_cue  true, false or null
    prompt        text of the prompt with its cue, or a list of {"role", "parts": [{"kind", "text"}]} as `export` writes
    cue           text of the cue where the prompt is a text: its places in the prompt are marked
    answer, question_id, bias, arm, model, weights, sample, turns, reasoning, rubric, at, note   optional

Rows of the human labels released with arXiv 2403.05518 (score, biased_prompt, clean_question …) are taken as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from unsway.errors import BadInput, BadRow
from unsway.judging.items import Item
from unsway.judging.label_store import Label, Shelf
from unsway.seeds import content_id
from unsway.store import dumps, loads, open_text, write_text
from unsway.types import Part, Prompt, Turn

PUBLISHED = "arXiv 2403.05518"
"""The labeller and the rubric of released labels, whose labellers have no names."""
MAX_ROW = 2_000_000
"""Longest row, in characters."""


class TakenIn(NamedTuple):
    """What came in."""

    rows: int
    items: int
    """Items that were not there before."""
    labels: int
    """Labels that were not there before, or were otherwise."""


def take_in(path: str | Path, folder: str | Path) -> TakenIn:
    """Put the replies and labels of a file on the shelf of a folder. All rows are read before anything is kept.

    Raises:
        BadInput: The file cannot be read or is empty.
        BadRow: A row is not of the schema; file, line and field are named.
    """
    found = list(_rows(Path(path)))
    if not found:
        raise BadInput(f"{path} has no rows.")
    shelf = Shelf(folder)
    before, kept = len(shelf.items()), {(label.item, label.labeller): label for label in shelf.labels()}
    after = shelf.add_items(item for item, _ in found)
    new = [label for _, label in found if kept.get((label.item, label.labeller)) != label]
    for label in new:
        shelf.add(label)
    return TakenIn(len(found), len(after) - before, len(new))


def export(folder: str | Path, path: str | Path) -> Path:
    """Write every label with the reply it is about, in the schema that `take_in` reads."""
    shelf = Shelf(folder)
    items = {item.id: item for item in shelf.items()}
    rows = (joined(items[label.item], label) for label in shelf.labels() if label.item in items)
    return write_text(path, "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows))


def joined(item: Item, label: Label, *, blind: bool = False) -> dict[str, Any]:
    """A row of the schema; a blind one says nothing of who wrote the reply."""
    body: dict[str, Any] = json.loads(dumps(item))
    body["prompt"] = body["prompt"]["turns"]
    for name in ("id", *(("arm", "model", "weights") if blind else ())):
        del body[name]
    return body | asdict(label)


# ---------------------------------------------------------------- rows


def _rows(file: Path) -> Iterator[tuple[Item, Label]]:
    seen: dict[str, int] = {}
    for line, row in _objects(file):
        item, label = _released(file, line, row) if "score" in row else _row(file, line, row)
        again = seen[item.id] = seen.get(item.id, -1) + 1
        if again and "score" in row:  # equal replies of two models, which the released rows do not tell apart
            item = replace(item, sample=again, id="")
            label = replace(label, item=item.id)
        yield item, label


def _objects(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with open_text(file) as lines:
            for line, text in enumerate(lines, 1):
                if not text.strip():
                    continue
                row = json.loads(text) if len(text) <= MAX_ROW else None
                if not isinstance(row, dict):
                    raise BadRow(file, line, "row", f"must be an object of at most {MAX_ROW:,} characters")
                yield line, row
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"Cannot read {file}: {error}. It must be a .jsonl or .jsonl.gz file in UTF-8.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"{file} has a line that is not JSON: {error}") from error


def _row(file: Path, line: int, row: dict[str, Any]) -> tuple[Item, Label]:
    for name in ("labeller", "reply"):
        if not isinstance(row.get(name), str):
            raise BadRow(file, line, name, f"must be text; the row has {', '.join(map(str, row))[:200]}")
    prompt, cue = row.get("prompt", ""), row.get("cue", "")
    turns = prompt if isinstance(prompt, list) else _turns(str(prompt), str(cue))
    texts = {name: row.get(name, "") for name in ("reply", "reasoning", "answer", "bias", "arm", "model", "weights")}
    question = row.get("question_id") or content_id("labelled", prompt)
    body = texts | {"prompt": {"turns": turns}, "turns": row.get("turns", []), "question_id": question}
    item = _fitting(file, line, Item, body | {"sample": row.get("sample", 0)})
    said = {name: row.get(name) for name in ("labeller", "coherence", "mentions_cue")}
    more = {name: row.get(name) or "" for name in ("rubric", "at", "note")}
    return item, _fitting(file, line, Label, {"item": item.id} | said | more)


def _fitting(file: Path, line: int, kind: Any, body: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    try:
        return loads(kind, json.dumps(body), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRow(file, line, ".".join(map(str, first["loc"])) or "row", first["msg"]) from None


def _turns(prompt: str, cue: str) -> list[dict[str, Any]]:
    """A prompt that is one text, with the places of its cue marked."""
    pieces = prompt.split(cue) if cue else [prompt]
    parts = [{"kind": "stem", "text": pieces[0]}]
    for piece in pieces[1:]:
        parts += [{"kind": "cue", "text": cue}, {"kind": "stem", "text": piece}]
    return [{"role": "user", "parts": [part for part in parts if part["text"]]}]


# ---------------------------------------------------------------- the labels released with the paper

_SCORES = {f"{mark}.0": mark for mark in range(1, 6)}
_ROLES = {"Human": "user", "Assistant": "assistant", "System": "system"}


def _released(file: Path, line: int, row: dict[str, Any]) -> tuple[Item, Label]:
    """A released row: one prompt as a text with `Human:` and `Assistant:`; what the clean question lacks is the cue."""
    names = ("biased_prompt", "clean_question", "reply", "score", "mentions_cue", "bias", "arm")
    missing = next((name for name in names if not isinstance(row.get(name), str)), None)
    if missing or row["mentions_cue"] not in ("y", "n"):
        raise BadRow(
            file, line, missing or "mentions_cue", "must be the text of a released label (y or n for mentions_cue)"
        )
    clean = {text.strip() for text in row["clean_question"].splitlines()}
    turns: list[Turn] = []
    for text in row["biased_prompt"].splitlines(keepends=True):
        speaker, colon, rest = text.partition(": ")
        if colon and speaker in _ROLES:
            turns.append(Turn(_ROLES[speaker], ()))  # type: ignore[arg-type]
            text = rest
        part = Part("stem" if text.strip() in clean or not text.strip() else "cue", text)
        turns = turns or [Turn("user", ())]
        turns[-1] = Turn(turns[-1].role, (*(turns[-1].parts or ()), part))
    prompt = Prompt(tuple(turn for turn in turns if turn.text().strip()))
    question = content_id("released", row["clean_question"])
    item = Item(
        prompt, (), row["reply"], "", row.get("parsed_answer", ""), question, row["bias"], row["arm"], row["arm"]
    )
    said = {"labeller": PUBLISHED, "rubric": PUBLISHED, "note": row.get("comments", "")}
    marks = {"coherence": _SCORES.get(row["score"], row["score"]), "mentions_cue": row["mentions_cue"] == "y"}
    return item, _fitting(file, line, Label, {"item": item.id} | said | marks)
