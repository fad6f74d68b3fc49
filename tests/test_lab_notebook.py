"""The notebook of a project: rows are appended by several processes, never rewritten, and edited ones are seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forking import SERVER
from unsway.errors import BadRow
from unsway.planning.decisions import Decided, FreeNote, StatedDecision
from unsway.studies.deciding import open_decisions
from unsway.studies.notebook import Notebook


def fill(project: str, name: str) -> None:
    book = Notebook(project)
    for i in range(500):
        book.append(FreeNote(f"{name} {i}"))


def test_two_processes_append_to_one_chain(tmp_path: Path) -> None:
    both = [SERVER.Process(target=fill, args=(str(tmp_path), name)) for name in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    book = Notebook(tmp_path)
    rows = book.rows()
    assert len(rows) == 1000 and not book.problems()
    assert len({row.body.text for row in rows if isinstance(row.body, FreeNote)}) == 1000


def test_an_edited_row_is_seen_and_not_used(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    for text in ("one", "two", "three"):
        book.append(FreeNote(text))
    lines = book.path.read_text().splitlines()
    book.path.write_text("\n".join([lines[0], lines[1].replace("two", "2"), lines[2]]) + "\n")
    assert [one.text for one in book.all(FreeNote)] == ["one", "three"]
    assert "row 2 was edited" in book.problems()[0]
    book.path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    assert book.problems() == ("what stood between rows 1 and 2 was removed or changed",)
    book.path.write_text("{}\n")
    with pytest.raises(BadRow, match="none of a notebook"):
        book.rows()


def test_a_notebook_that_was_opened_in_an_editor_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    book = Notebook(tmp_path)
    for text in ("one", "two"):
        book.append(FreeNote(text))
    whole = book.path.read_bytes()
    book.path.write_bytes(whole[:-1])  # no line end behind the last row
    assert [one.text for one in book.all(FreeNote)] == ["one", "two"]
    book.append(FreeNote("three"))
    assert [one.text for one in book.all(FreeNote)] == ["one", "two", "three"] and not book.problems()
    book.path.write_bytes(whole + b'{"kind": "note", "at"')  # torn by a kill
    book.append(FreeNote("three"))
    assert [one.text for one in book.all(FreeNote)] == ["one", "two", "three"] and not book.problems()
    other = Notebook(tmp_path / "torn")
    other.project.mkdir()
    other.path.write_bytes(b'{"kind": "note", "at"')  # so was the first
    other.append(FreeNote("one"))
    assert [one.text for one in other.all(FreeNote)] == ["one"] and not other.problems()
    book.path.write_bytes(whole.replace(b"one", b"ONE"))
    assert [one.text for _ in range(3) for one in book.all(FreeNote)] == ["two"] * 3
    assert caplog.text.count("row 1 was edited") == 1  # said once, however often it is read
    for broken in (whole + b"\n", whole[:-9] + b"\n"):
        book.path.write_bytes(broken)
        with pytest.raises(BadRow, match="Restore the line, or delete it"):
            book.append(FreeNote("three"))
        assert book.path.read_bytes() == broken


def test_notebooks_of_other_machines_are_read_with_it(tmp_path: Path) -> None:
    Notebook(tmp_path).append(FreeNote("second"), at="2026-11-28T10:00:00")
    other = Notebook(tmp_path / "there")
    other.append(FreeNote("first"), at="2026-11-28T09:00:00")
    other.path.rename(tmp_path / "notebook-there.jsonl")
    assert [one.text for one in Notebook(tmp_path).all(FreeNote)] == ["first", "second"]


def test_a_decision_that_is_taken_stays_taken_where_the_clock_was_set_back(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    stated = StatedDecision.of("train?", "brr(post_hoc, a/b) > .05")
    book.append(stated, at="2026-11-30T12:00:00")
    book.append(Decided(stated.id, "yes", "because"), at="2026-11-30T11:00:00")
    (tmp_path / "notebook-b.jsonl").write_bytes(book.path.read_bytes())
    assert [row.kind for row in book.rows()] == ["decision", "decided"] * 2
    assert open_decisions(tmp_path) == ()
