"""The columns of a large folder give the very outcomes and replies that reading its file gives, or are not used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import scripted_study

from unsway import layout
from unsway.reporting.page import html
from unsway.reporting.table import rows
from unsway.stats import outcome_table
from unsway.stats.reply_table import IndexOfFile
from unsway.store import dumps, rows_from, write_jsonl
from unsway.studies import kept_columns, kept_replies
from unsway.studies.folder import pairs_of, results, write_arms, write_pairs
from unsway.studies.inspect_folder import status
from unsway.types import Reply


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of three arms and three biases, taken for a large one."""
    who, asked = scripted_study.arms(), scripted_study.pairs(4, ("suggested_answer", "are_you_sure", "positional"))
    write_pairs(tmp_path, asked)
    write_arms(tmp_path, who, ())
    write_jsonl(tmp_path / layout.REPLIES, scripted_study.replies(asked, who))
    monkeypatch.setattr(kept_replies, "LARGE", 1)
    return tmp_path


def has_columns(folder: Path) -> bool:
    """Whether the outcomes that are kept are believed."""
    return kept_columns.kept_columns(folder, pairs_of(folder), kept_columns.stamp(folder)) is not None


def append(folder: Path, row: bytes) -> None:
    with (folder / layout.REPLIES).open("ab") as file:
        file.write(row)


def test_columns_give_what_reading_gives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as small:
        small.setattr(kept_replies, "LARGE", 10**9)
        in_memory = results(folder)
    assert not isinstance(in_memory.index, IndexOfFile) and not has_columns(folder)
    first = results(folder)
    assert has_columns(folder)
    monkeypatch.setattr(outcome_table, "read_outcomes", lambda *_, **__: pytest.fail("a reply was read"))
    again = results(folder)
    for found in (first, again):
        assert isinstance(found.index, IndexOfFile)
        assert found == in_memory and found.outcomes == in_memory.outcomes and rows(found) == rows(in_memory)
        assert set(found.replies) == set(in_memory.replies)
    assert html(again) == html(in_memory)


@pytest.mark.parametrize("name", [layout.REPLIES, layout.PAIRS, layout.ARMS])
def test_a_file_that_changed_makes_them_stale(folder: Path, name: str) -> None:
    results(folder)
    os.utime(folder / name, ns=(1, 1))
    assert not has_columns(folder)
    results(folder)
    assert has_columns(folder), "they were made again"


def test_another_reply_counts_at_once(folder: Path) -> None:
    before = results(folder)
    append(folder, dumps(replace(before.replies[0], sample=1)).encode() + b"\n")
    assert len(results(folder).outcomes) > len(before.outcomes)


def test_another_reader_reads_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results(folder)
    monkeypatch.setattr(kept_columns, "_code", lambda: "other")
    assert not has_columns(folder)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04torn", b"\x93NUMPY"])
@pytest.mark.parametrize("name", [layout.COLUMNS, layout.REPLY_COLUMNS])
def test_a_torn_file_is_made_again(folder: Path, name: str, content: bytes) -> None:
    first = results(folder)
    (folder / name).write_bytes(content)
    assert results(folder) == first
    assert (folder / name).read_bytes() != content and has_columns(folder)


def test_a_small_folder_keeps_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_replies, "LARGE", 10**9)
    results(folder)
    assert not (folder / layout.COLUMNS).exists() and not (folder / layout.REPLY_COLUMNS).exists()


# ---------------------------------------------------------------- replies as columns


@pytest.fixture
def read_from(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where each reading of the file of replies began, in bytes."""
    starts: list[int] = []

    def noted(path: Path, start: int = 0) -> Iterator[tuple[int, bytes, Reply]]:
        starts.append(start)
        return rows_from(path, start)

    monkeypatch.setattr(kept_replies, "rows_from", noted)
    return starts


def test_of_a_file_that_grew_only_the_new_rows_are_read(folder: Path, read_from: list[int]) -> None:
    path = folder / layout.REPLIES
    before, size = status(folder), path.stat().st_size
    assert status(folder) == before and read_from == [0]
    said = next(reply for _, _, reply in rows_from(path))
    append(folder, dumps(said).encode() + b"\n" + dumps(replace(said, prompt_id="another")).encode() + b"\n{torn")
    table = kept_replies.reply_table(folder)
    assert read_from == [0, size]
    assert len(table) == before.n_replies + 1, "a second reply to one address does not count, nor does half a row"
    assert kept_replies.reply_table(folder).by_prompt() == table.by_prompt()


def test_a_row_that_was_changed_is_noticed_when_the_file_grew(folder: Path, read_from: list[int]) -> None:
    status(folder)
    path = folder / layout.REPLIES
    path.write_bytes(path.read_bytes().replace(b'"tokens_in":120', b'"tokens_in":999', 1))
    append(folder, next(row for _, row, _ in rows_from(path)))
    table = kept_replies.reply_table(folder)
    assert read_from == [0, 0] and 999 in table.columns["tokens_in"]
