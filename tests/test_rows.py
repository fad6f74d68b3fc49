"""The reader of files that others wrote: bounded, one row at a time, and every complaint names line and field."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field, field_validator

from unsway.errors import BadInput, BadRow
from unsway.rows import ChatTurn, ForeignRow, Name, check_rows, read_rows
from unsway.rows.opening import Opening


class Note(ForeignRow):
    """A row with a field of each sort."""

    OTHER_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": ("body", "content")}
    text: str
    stars: int | None = Field(description="write null where there are none")
    kind: Literal["good", "bad"] = "good"
    name: Name = ""
    turns: list[ChatTurn] = Field(default_factory=list)


class Scored(Note):
    """Another layout of the same rows."""

    @classmethod
    def fits(cls, row: Mapping[str, Any]) -> bool:
        return "score" in row


GOOD = {"text": "a", "stars": 1}


def written(folder: Path, *rows: object, name: str = "notes.jsonl") -> Path:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["notes.jsonl", "notes.jsonl.gz", "notes.txt"])
def test_rows_come_with_their_lines_and_blank_lines_are_skipped(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, "\ufeff" + json.dumps(GOOD), "", "  ", GOOD | {"more": [1]}, name=name)
    assert [(line, note.text) for line, note in read_rows(path, Note)] == [(1, "a"), (4, "a")]


def test_a_field_may_have_another_name_which_errors_then_use(tmp_path: Path) -> None:
    ((_, note),) = read_rows(written(tmp_path, {"body": "a", "stars": None}), Note)
    assert (note.text, note.stars) == ("a", None)
    for row, field in (({"body": 3, "stars": 1}, "body"), ({"body": "a", "content": "b", "stars": 1}, "text")):
        with pytest.raises(BadRow) as error:
            list(read_rows(written(tmp_path, row), Note))
        assert error.value.field == field


def test_the_first_layout_that_fits_takes_a_row(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, GOOD, GOOD | {"score": 1}), Scored, Note)
    assert [type(row) for _, row in rows] == [Note, Scored]


BROKEN: list[tuple[object, str, str]] = [
    ({"stars": 1, "txt": "a"}, "text", "is missing. The row has: stars, txt"),
    ({"text": "a"}, "stars", "is missing; write null where there are none. The row has: text"),
    (GOOD | {"text": 7}, "text", "must be text, is int ('7')"),
    (GOOD | {"stars": "1"}, "stars", "must be a whole number or null, is str ('1')"),
    (GOOD | {"stars": True}, "stars", "must be a whole number or null, is bool"),
    (GOOD | {"kind": "odd"}, "kind", "is 'odd'; allowed: good, bad"),
    (GOOD | {"name": "a\nb"}, "name", "printable"),
    (
        GOOD | {"turns": [{"role": "user", "content": "x"}, {"role": "user"}]},
        "turns.1.content",
        "is missing. The row has: role",
    ),
    (GOOD | {"turns": {}}, "turns", "must be a list, is dict"),
    (GOOD | {"text": "a\ud800"}, "text", "half of a surrogate pair"),
    (GOOD | {"turns": [{"role": "user", "content": "\udfff"}]}, "turns.0.content", "half of a surrogate pair"),
    ("[1]", "row", "must be an object (one JSON object a line), is list"),
    ("{", "row", "is not JSON"),
    ('[{"text": "a"},', "row", "one JSON array must be written as one object a line"),
    ('{"text": "a", "text": "b", "stars": 1}', "row", "a field is given twice, among text, text, stars"),
    ("[" * 100_000, "row", "is not JSON"),
]


@pytest.mark.parametrize(("row", "field", "said"), BROKEN, ids=[f"{i}-{f}" for i, (_, f, _) in enumerate(BROKEN)])
def test_a_broken_row_is_raised_or_collected(tmp_path: Path, row: object, field: str, said: str) -> None:
    path = written(tmp_path, GOOD, row, GOOD)
    with pytest.raises(BadRow) as error:
        list(read_rows(path, Note))
    assert (error.value.path, error.value.line) == (path, 2) and said in str(error.value)
    assert error.value.field == field
    bad: list[BadRow] = []
    assert [line for line, _ in read_rows(path, Note, bad=bad)] == [1, 3]
    assert [str(each) for each in bad] == [str(error.value)]
    str(error.value).encode()


@pytest.mark.parametrize("depth", [100, 800, 900, 1000, 5000])
def test_a_value_that_is_nested_too_deeply_is_named(tmp_path: Path, depth: int) -> None:
    path = written(tmp_path, GOOD, '{"text": ' + "[" * depth + "]" * depth + ', "stars": 1}')
    with pytest.raises(BadRow, match="line 2"):
        list(read_rows(path, Note))


def test_what_is_not_read_may_hold_anything(tmp_path: Path) -> None:
    ((_, note),) = read_rows(written(tmp_path, GOOD | {"more": "\ud800", "\ud800": 1}), Note)
    assert note.text == "a"


def test_values_in_memory_are_checked_the_same_way() -> None:
    bad: list[BadRow] = []
    bodies = [(3, GOOD), (4, GOOD | {"text": None}), (5, BadRow("log", 5, "row", "is odd")), (6, [])]
    assert [(line, note.text) for line, note in check_rows(bodies, Note, path="log", bad=bad)] == [(3, "a")]
    assert [(each.line, each.field) for each in bad] == [(4, "text"), (5, "row"), (6, "row")]
    with pytest.raises(BadRow, match="log, line 4, field 'text': must be text, is NoneType"):
        list(check_rows(bodies, Note, path="log"))


class Cells(ForeignRow):
    """A row of a table, whose cells are texts."""

    text: str
    stars: str | None = None

    @field_validator("stars", mode="after")
    @classmethod
    def check_stars(cls, value: str | None) -> str | None:
        if value == "many":
            raise ValueError("must be a number")
        return value


@pytest.mark.parametrize("name", ["notes.csv", "notes.CSV", "notes.csv.gz"])
def test_a_table_is_read_by_its_columns(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = '\ufeff text ,stars\n"two\nlines",1\n,\n  ,  \nshort\nb,2\n'
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    found = [(line, note.text, note.stars) for line, note in read_rows(path, Cells)]
    assert found == [(3, "two\nlines", "1"), (6, "short", None), (7, "b", "2")]


def test_a_broken_table_is_raised_or_collected(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("text,stars\na,many\na,1,x\nb,2\n")
    with pytest.raises(BadRow, match="line 2, field 'stars': must be a number"):
        list(read_rows(path, Cells))
    bad: list[BadRow] = []
    assert [line for line, _ in read_rows(path, Cells, bad=bad)] == [4]
    assert [(each.line, each.field) for each in bad] == [(2, "stars"), (3, "row")]


ROWS = [{"text": "a; b", "stars": "1"}, {"text": "c, d", "stars": "2"}]


def table(separator: str) -> str:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, ["text", "stars"], delimiter=separator)
    writer.writeheader()
    writer.writerows(ROWS)
    return sink.getvalue()


KINDS: dict[str, tuple[str, str | bytes]] = {
    "comma": ("notes.csv", table(",")),
    "semicolon": ("notes.csv", table(";")),
    "tab": ("notes.tsv", table("\t")),
    "tab under another name": ("notes.csv", table("\t")),
    "bar": ("notes.csv", table("|")),
    "separator named by Excel": ("notes.csv", "sep=;\n" + table(";")),
    "UTF-16 of Excel": ("notes.csv", table("\t").encode("utf-16")),
    "old line ends": ("notes.csv", table(",").replace("\r\n", "\r")),
    "array": ("notes.json", json.dumps(ROWS, indent=1)),
    "array called JSONL": ("notes.jsonl", "\ufeff\n " + json.dumps(ROWS)),
    "JSONL called JSON": ("notes.json", "\n".join(map(json.dumps, ROWS))),
    "under a key": ("notes.json", json.dumps({"version": "1", "data": ROWS})),
    "under a key, indented": ("notes.json", json.dumps({"examples": ROWS, "canary": "x"}, indent=2)),
    "by name": ("notes.json", json.dumps({"first": ROWS[0], "second": ROWS[1]})),
    "lists by column": ("notes.json", json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]})),
    "columns of pandas": (
        "notes.json",
        json.dumps({key: {str(n): row[key] for n, row in enumerate(ROWS)} for key in ROWS[0]}),
    ),
    "pandas, split": (
        "notes.json",
        json.dumps({"columns": [*ROWS[0]], "index": [0, 1], "data": [[*row.values()] for row in ROWS]}),
    ),
    "no ending": ("notes", json.dumps(ROWS)),
    "packed without saying so": ("notes.jsonl", gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_content_says_what_a_file_is(tmp_path: Path, kind: str) -> None:
    name, content = KINDS[kind]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [{"text": row.text, "stars": row.stars} for _, row in read_rows(path, Cells)] == ROWS


def test_an_arrow_file_is_read_like_a_stream_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    pa, ipc = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.ipc")
    pytest.importorskip("nanoarrow")
    table = pa.table({"question": ["What is it?", "And that?"]})
    for name, opened in (("stream", ipc.new_stream), ("file", ipc.new_file)):
        path = tmp_path / f"{name}.arrow"
        with opened(str(path), table.schema) as writer:
            writer.write_table(table)
        assert [row["question"] for _, row in Opening(path, 100)] == ["What is it?", "And that?"]
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(BadInput, match="whole Arrow file"):
            list(Opening(path, 100))


def test_parquet_is_read_a_batch_at_a_time(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "notes.bin")
    assert [row.text for _, row in read_rows(tmp_path / "notes.bin", Cells)] == ["a; b", "c, d"]
    torn = tmp_path / "torn.parquet"
    torn.write_bytes((tmp_path / "notes.bin").read_bytes()[:-8])
    with pytest.raises(BadInput, match="whole Parquet file"):
        list(read_rows(torn, Cells))


def test_elements_of_an_array_have_the_lines_on_which_they_begin(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text(json.dumps([ROWS[0], {"text": 7}, ROWS[1]], indent=2))
    bad: list[BadRow] = []
    assert [line for line, _ in read_rows(path, Cells, bad=bad)] == [2, 9]
    assert [(each.line, each.field) for each in bad] == [(6, "text")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.json", json.dumps({"version": 2, "status": "success", "eval": {}, "samples": []}), "`unsway import"),
        ("log.eval", b"PK\x03\x04 and more", "an Inspect log: `unsway import` reads it"),
        ("sheet.xlsx", b"PK\x03\x04 and more", "save its sheet as CSV in UTF-8"),
        ("notes.zst", b"\x28\xb5\x2f\xfd and more", "Unpack it first"),
        ("notes.json", json.dumps({"train": ROWS, "test": ROWS}), "several lists of rows: train, test"),
        ("notes.csv", "text,stars\n\xfcber,1\n".encode("latin-1"), "in Excel: CSV UTF-8"),
        ("notes.jsonl", "some words\n", "the file begins with 'some words'"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as error:
        list(read_rows(tmp_path / name, Cells))
    assert said in str(error.value)


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "caf\xe9"}')
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:-9])
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    for name in ("absent.jsonl", "latin.jsonl", "torn.jsonl.gz", "plain.jsonl.gz", "."):
        with pytest.raises(BadInput, match="UTF-8"):
            list(read_rows(tmp_path / name, Note, bad=[]))


def test_a_row_that_is_too_long_is_measured_and_passed_over(tmp_path: Path) -> None:
    bad: list[BadRow] = []
    path = written(tmp_path, GOOD, json.dumps(GOOD | {"text": "x" * 5000}), GOOD)
    assert [line for line, _ in read_rows(path, Note, longest=100, bad=bad)] == [1, 3]
    assert "has 5024 characters; at most 100 are allowed" in str(bad[0])


def test_a_file_that_unpacks_to_one_endless_line_fills_no_memory(tmp_path: Path) -> None:
    """One line of 192 MiB, packed into 200 kB, is measured in a quarter of that memory."""
    path = tmp_path / "bomb.jsonl.gz"
    block = b"x" * 2**20
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(192):
            file.write(block)
    tracemalloc.start()
    try:
        with pytest.raises(BadRow, match="has 201326592 characters; at most 4000000 are allowed"):
            list(read_rows(path, Note))
        assert tracemalloc.get_traced_memory()[1] < 48 * 2**20
    finally:
        tracemalloc.stop()
