"""The columns of a large folder give the very outcomes that reading its replies gives, or are not used."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import scripted_study

from unsway import layout
from unsway.reporting.table import rows
from unsway.store import write_jsonl
from unsway.studies import kept_columns
from unsway.studies.folder import results, write_arms, write_pairs
from unsway.studies.results import Results


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of three arms and nine biases, taken for a large one."""
    who, asked = scripted_study.arms(), scripted_study.pairs(6)
    write_pairs(tmp_path, asked)
    write_arms(tmp_path, who, ())
    write_jsonl(tmp_path / layout.REPLIES, scripted_study.replies(asked, who))
    monkeypatch.setattr(kept_columns, "LARGE", 1)
    return tmp_path


def is_from_columns(found: Results) -> bool:
    return "_made_of" in vars(found.index)


def test_columns_give_what_reading_gives(folder: Path) -> None:
    first = results(folder)
    assert not is_from_columns(first) and (folder / layout.COLUMNS).exists()
    again = results(folder)
    assert is_from_columns(again)
    assert again == first and again.outcomes == first.outcomes and rows(again) == rows(first)
    assert is_from_columns(results(folder)), "nobody looked at a reply"
    assert again.replies == first.replies and not is_from_columns(again)


@pytest.mark.parametrize("name", [layout.REPLIES, layout.PAIRS, layout.ARMS])
def test_a_file_that_changed_makes_them_stale(folder: Path, name: str) -> None:
    results(folder)
    os.utime(folder / name, ns=(1, 1))
    assert not is_from_columns(results(folder))
    assert is_from_columns(results(folder)), "they were made again"


def test_another_reply_counts_at_once(folder: Path) -> None:
    before = results(folder)
    reply = replace(before.replies[0], sample=1)
    with (folder / layout.REPLIES).open("ab") as file:
        from unsway.store import dumps

        file.write(dumps(reply).encode() + b"\n")
    after = results(folder)
    assert len(after.outcomes) > len(before.outcomes)


def test_another_reader_reads_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results(folder)
    monkeypatch.setattr(kept_columns, "_code", lambda: "other")
    assert not is_from_columns(results(folder))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04torn", b"\x93NUMPY"])
def test_a_torn_file_is_made_again(folder: Path, content: bytes) -> None:
    first = results(folder)
    (folder / layout.COLUMNS).write_bytes(content)
    assert results(folder) == first
    assert is_from_columns(results(folder))


def test_a_small_folder_and_a_closed_one_keep_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_columns, "LARGE", 10**9)
    results(folder)
    assert not (folder / layout.COLUMNS).exists()
