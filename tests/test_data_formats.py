"""Rows of other programs: out and back in, and what is wrong with a row by line and field."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unsway.data.foreign import read_examples
from unsway.data.formats import FORMATS, Format, export
from unsway.errors import BadInput, BadRow
from unsway.store import dumps, read_manifest, write_jsonl
from unsway.types import Example, Part, Prompt, Toward, Turn

TEXT = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)
TURNS = st.lists(TEXT, min_size=1, max_size=3)


def prompt(*texts: str) -> Prompt:
    turns = (Turn("assistant" if i % 2 else "user", (Part("stem", text),)) for i, text in enumerate(texts))
    return Prompt(tuple(turns))


def chat(said: list[str], completion: str) -> Example:
    return Example(prompt(*said), None, completion, None, (), "instruct", None, "")


OURS = Example(prompt("Q"), prompt("It is A. Q"), "A", Toward(0), ("a", "b"), "consistency", "p1", "smollm", "B")


ROWS = st.lists(st.builds(chat, TURNS, TEXT), min_size=1, max_size=4)


@pytest.mark.parametrize("format", FORMATS)
@given(rows=ROWS)
def test_out_and_back_in(tmp_path_factory: pytest.TempPathFactory, format: Format, rows: list[Example]) -> None:
    path = tmp_path_factory.mktemp("formats") / "out.jsonl"
    export(rows, path, format)
    assert read_examples(path) == tuple(rows)


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    lost = export([OURS], tmp_path / "out.jsonl", "openai")
    assert [line.split()[0] for line in lost] == ["kind", "clean", "pair_id", "rejected", "said_by"]
    manifest = read_manifest(tmp_path / "out.jsonl")
    assert manifest is not None and manifest["not_kept"] == list(lost)
    assert read_examples(write_jsonl(tmp_path / "own.jsonl", [OURS])) == (OURS,)


def test_one_prompt_is_written_the_biased_one_or_that_of_the_control(tmp_path: Path) -> None:
    for side, said, rejected in (("biased", "It is A. Q", "B"), ("clean", "Q", None)):
        export([OURS], tmp_path / "out.jsonl", "trl", side)  # type: ignore[arg-type]
        (row,) = read_examples(tmp_path / "out.jsonl", said_by="smollm")
        assert row == Example(prompt(said), None, "A", None, (), "instruct", None, "smollm", rejected)
    with pytest.raises(BadInput, match="row 1 has no completion"):
        export([replace(OURS, completion=None)], tmp_path / "out.jsonl", "trl")


def test_openai_bears_no_loss_on_earlier_replies(tmp_path: Path) -> None:
    export([chat(["a", "b", "c"], "d")], tmp_path / "x.jsonl", "openai")
    messages = json.loads((tmp_path / "x.jsonl").read_text())["messages"]
    assert [m.get("weight") for m in messages] == [None, 0, None, None]


USER = {"role": "user", "content": "Q"}
REPLY = {"role": "assistant", "content": "A"}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("{", "row"),
        ("[1]", "row"),
        ({"text": "x"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [USER]}, "messages"),
        ({"messages": [REPLY]}, "messages"),
        ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages.1.role"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "messages.1.content"),
        ({"messages": [USER, {"role": "assistant", "content": " "}]}, "completion"),
        ({"prompt": [USER], "completion": 3}, "completion"),
        ({"prompt": [USER]}, "prompt"),
        ("[" * 100_000, "row"),
    ],
)
def test_a_bad_row_is_named_by_line_and_field(tmp_path: Path, row: object, field: str) -> None:
    path = tmp_path / "rows.jsonl"
    good = json.dumps({"messages": [USER, REPLY]})
    path.write_text(good + "\n\n" + (row if isinstance(row, str) else json.dumps(row)) + "\n")
    with pytest.raises(BadRow, match="line 3") as caught:
        read_examples(path)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changed", "field"), [({"kind": "odd"}, "kind"), ({"pair_id": 3}, "pair_id"), ({"biased": {}}, "biased.turns")]
)
def test_a_bad_row_of_ours_is_named_too(tmp_path: Path, changed: dict[str, object], field: str) -> None:
    good = json.loads(dumps(OURS))
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{dumps(OURS)}\n{json.dumps(good | changed)}\n")
    with pytest.raises(BadRow, match="line 2") as caught:
        read_examples(path)
    assert caught.value.field == field


def test_files_that_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("\n")
    with pytest.raises(BadInput, match="no rows"):
        read_examples(path)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(BadInput, match="UTF-8"):
        read_examples(path)
    path.write_text(json.dumps({"prompt": "x" * 4_000_001, "completion": "y"}))
    with pytest.raises(BadRow, match="characters"):
        read_examples(path)
    packed = tmp_path / "x.jsonl.gz"
    with gzip.open(packed, "wt") as file:
        file.write(json.dumps({"messages": [USER, REPLY]}) + "\n")
    assert read_examples(packed)[0].completion == "A"
