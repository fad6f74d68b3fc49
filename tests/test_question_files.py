"""Files of questions as people have them: each gives the questions that were meant, or a sentence that says what to do."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from unsway import sources
from unsway.errors import BadInput, BadRow
from unsway.sources.files import QuestionFile
from unsway.sources.files.layouts import LAYOUTS, find, plain

DATA = Path(__file__).parent / "data/question_files.jsonl"
CASES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").split("\n") if line]
"""Files in the layouts of published sets, other harnesses and spreadsheets, in words of our own: the text of the right option
by stem, or words of the sentence that refuses the file; where it matters, the options, their order, and what is logged."""
Q1, O1 = "Which planet has rings?", ["Venus", "Saturn", "Mars"]


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_a_file_gives_what_was_meant_or_says_what_to_do(
    tmp_path: Path, case: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / case["file"]
    path.write_bytes(bytes.fromhex(case["hex"]) if "hex" in case else case["content"].encode())
    how = case.get("how", {})
    if "refused" in case:
        with pytest.raises(BadInput) as error:
            sources.load(path, **how)
        assert all(word in str(error.value) for word in case["refused"]), str(error.value)
        return
    with caplog.at_level(logging.WARNING):
        found = sources.load(str(path), **how)
    assert {q.stem: None if q.gold is None else q.options[q.gold] for q in found} == case["right"]
    for q in found:
        assert sorted(q.options) == case.get("options", {}).get(q.stem, sorted(q.options))
        assert list(q.options) == case.get("order", {}).get(q.stem, list(q.options))
    assert case.get("log", "") in caplog.text


# ---------------------------------------------------------------- what only a whole file says, and how to say the rest

MANY = [{"question": f"Which {n}?", "options": ["p", "q", "r"], "answer": 1 + n % 2} for n in range(6)]


def test_numbers_that_count_from_either_are_asked_about_with_both_readings(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*MANY))
    with pytest.raises(BadRow) as error:
        sources.load(path)
    for words in (
        "option B ('q') where numbers count from 0",
        "option A ('p') where they count from 1",
        "None of the 6",
    ):
        assert words in str(error.value)
    golds = {}
    for way in ("0-based", "1-based"):
        assert f"--columns answer=answer:{way}" in str(error.value)
        loaded = sources.load(path, columns=f"answer=answer:{way}")
        golds[way] = {q.stem: q.options[q.gold or 0] for q in loaded}
    assert golds["0-based"]["Which 0?"] == "q" and golds["1-based"]["Which 0?"] == "p"


@pytest.mark.parametrize(("last", "expected"), [({"answer": 0}, "q"), ({"answer": 3}, "p"), ({"answer": "3"}, "p")])
def test_one_row_with_the_first_or_the_last_option_decides(
    tmp_path: Path, last: dict[str, object], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*MANY, {"question": "Last?", "options": ["p", "q", "r"]} | last))
    golds = {q.stem: q.options[q.gold or 0] for q in sources.load(path)}
    assert golds["Which 0?"] == expected
    assert ("counting from 1: line 7 names 3" in caplog.text) == (expected == "p")


def test_a_letter_next_to_a_number_decides_and_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    both = [row | {"answer_letter": "QABC"[row["answer"]]} for row in MANY]  # type: ignore[index]
    path.write_text(lines(*both))
    assert {q.stem: q.options[q.gold or 0] for q in sources.load(path)}["Which 0?"] == "p"
    path.write_text(lines(*both[:-1], both[-1] | {"answer_letter": "C"}))
    with pytest.raises(
        BadRow,
        match="line 6, field 'answer': names another option than the rest of the row: answer = 2 and answer_letter = 'C'",
    ):
        sources.load(path)


def test_one_number_alone_counts_from_0_and_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(MANY[0], {"question": "Other?", "options": ["x", "y"], "answer": "A"}))
    golds = {q.stem: q.options[q.gold or 0] for q in sources.load(path)}
    assert golds == {"Which 0?": "q", "Other?": "x"}
    assert "if it counts from 1, and option A ('p') is meant, say --columns answer=answer:1-based" in caplog.text


def test_a_number_that_is_a_text_is_refused_until_it_is_said_which_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines({"question": "5 + 2?", "options": [6, 7, 1, 0], "answer": 1}))
    with pytest.raises(BadRow, match=r"1 is the text of option C, and counted from 0 it is option B \('7'\)"):
        sources.load(path)
    for way, right in (("text", "1"), ("0-based", "7"), ("1-based", "6")):
        (found,) = sources.load(path, columns=f"answer=answer:{way}")
        assert found.options[found.gold or 0] == right


def test_bad_rows_are_counted_by_reason_with_an_example(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.jsonl"
    good = [{"question": f"Is {n} even?", "options": ["yes", "no"], "answer": "A"} for n in range(3)]
    twins = [{"question": f"Twin {n}?", "options": ["a", f"b{n}", "a"], "answer": "B"} for n in range(2)]
    path.write_text(lines(*good, *twins, {"question": "One?", "options": ["a"], "answer": "A"}))
    with pytest.raises(
        BadRow, match=r"line 4, field 'options': option 0 and option 2 both read 'a'.*3 of 6.*--skip-bad"
    ):
        sources.load(path)
    assert len(sources.load(path, skip_bad=True)) == 3
    assert "3 rows skipped (2 × options: option … and option … both read" in caplog.text
    assert "(first: line 4)" in caplog.text and "(first: line 6)" in caplog.text


def test_what_is_said_of_a_file_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*({"question": f"{n}?", "options": O1, "answer": "A", "mood": n} for n in range(9))))
    for _ in range(3):
        sources.load(path)
    assert caplog.text.count("not used: mood") == 1


def test_columns_are_taken_as_a_dictionary_too_and_kept_in_json(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_text("Pregunta;R1;R2;Correcta\n¿Cuál?;sí;no;R2\n", encoding="utf-8")
    given = {"question": "Pregunta", "options": ["R1", "R2"], "answer": "Correcta"}
    (found,) = sources.load(path, columns=given)
    assert found.options[found.gold or 0] == "no"
    file = sources.resolve(path, given, skip_bad=True)
    assert file == QuestionFile(path, "question=Pregunta,options=R1+R2,answer=Correcta", skip_bad=True)
    assert sources.SOURCE.read(json.loads(json.dumps(sources.SOURCE.write(file)))) == file
    assert sources.SOURCE.write(sources.resolve(path)) == str(path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("quest=A", "has 'quest=A'"),
        ("question", "has 'question'"),
        ("question=A,stem=B", "names the stem twice"),
        ("answer=", "has 'answer'"),
    ],
)
def test_columns_that_cannot_be_read_say_how_they_are_written(given: str, said: str) -> None:
    with pytest.raises(BadInput, match="ROLE=COLUMN") as error:
        QuestionFile(Path("mine.csv"), given)
    assert said in str(error.value)


def test_a_file_that_is_there_is_never_a_source_that_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("exam", "exam.dat", "exam.txt", "mein fragebogen.questions"):
        Path(name).write_text(lines({"question": Q1, "options": O1, "answer": "B"}))
        assert len(sources.load(name)) == 1
    for name in ("absent.csv", "./absent", str(tmp_path / "absent")):
        with pytest.raises(BadInput) as error:
            sources.load(name)
        assert "no source" not in str(error.value)


def test_numbers_as_names_of_questions_are_told_apart_by_their_file(tmp_path: Path) -> None:
    ids = set()
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text(lines({"id": 0, "question": f"{name}?", "options": O1, "answer": "B"}))
        ids |= {q.id for q in sources.load(tmp_path / name)}
    assert ids == {"one/0", "two/0"}


def test_a_study_takes_all_of_a_small_file(tmp_path: Path) -> None:
    from unsway.studies import Task

    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*({"question": f"{n}?", "options": O1, "answer": "A"} for n in range(7))))
    assert len(Task(path).load(600, 0)) == 7
    with pytest.raises(BadInput, match="has 7 questions"):
        Task(path, 8).load(600, 0)


# ---------------------------------------------------------------- options that speak of places

PLACES = (
    *(
        "Die ersten zwei",
        "Beide oben genannten",
        "Toutes les propositions ci-dessus",
        "Las dos primeras",
        "Acima: as opções acima",
    ),
    *(
        "Le prime due",
        "Alle bovenstaande antwoorden",
        "Все вышеперечисленные",
        "以上都不是",
        "B和C",
        "上記のすべて",
        "위의 모든 것",
    ),
    *(
        "The last three",
        "Answers 2 and 4",
        "Either B or D",
        "C only",
        "The first and the last",
        "All except B",
        "2 and 3",
    ),
    *(
        "Two of the above",
        "The previous two options",
        "the answers above",
        "Option D",
        "A & C",
        "None of the preceding",
    ),
)


@pytest.mark.parametrize("option", PLACES)
def test_options_that_speak_of_places_keep_theirs(option: str) -> None:
    options = ("oak", "elm", "ash", option)
    assert all(sources.order_of_options(str(n), options) == (0, 1, 2, 3) for n in range(12))


@pytest.mark.parametrize(
    "option",
    [
        *(
            "The first two weeks",
            "the former Yugoslavia",
            "above sea level",
            "Vitamin B",
            "the last emperor",
            "1 and a half",
        ),
        *(
            "Grade A beef",
            "anterior lobe",
            "the option price",
            "The following day",
            "answering a letter",
            "Hepatitis B or worse",
        ),
    ],
)
def test_options_that_only_sound_so_are_shuffled(option: str) -> None:
    orders = {sources.order_of_options(str(n), ("oak", "elm", "ash", option)) for n in range(60)}
    assert len(orders) > 10


def test_options_of_a_declared_source_obey_too() -> None:
    from unsway.sources import Split, source
    from unsway.types import Question

    @source("lettered_toy", revision="1", license="CC0", splits=(Split("test", 3),), summary="toy")
    def rows(split: str):  # type: ignore[no-untyped-def]
        yield Question("Which tree?", ("a) oak", "b) iron", "c) salt"), 0, "", split)
        yield Question("Which metal?", ("iron", "zinc", "Nur A und B", "salt"), 2, "", split)
        yield Question("Which letter?", ("A", "B", "C"), 1, "", split)

    found = {q.stem: q for q in sources.load("lettered_toy")}
    assert set(found["Which tree?"].options) == {"oak", "iron", "salt"}
    assert found["Which tree?"].options[found["Which tree?"].gold or 0] == "oak"
    assert found["Which metal?"].options == ("iron", "zinc", "Nur A und B", "salt")
    assert found["Which letter?"].options == ("A", "B", "C")


# ---------------------------------------------------------------- the table of layouts, and the command line


def test_every_name_of_the_table_is_plain_and_every_layout_is_found() -> None:
    for layout in LAYOUTS:
        for name in (*layout.needs, *layout.question, *layout.passage, *layout.options, *layout.answer, *layout.also):
            assert all(part == plain(part) or part[-1] == "#" for part in name.split("+")), name
    assert find(["Question", "Option_A", "Option_B", "Correct Answer"]).options == ("Option_A", "Option_B")
    assert find(["goal", "sol1", "sol2", "label"]).counts_from == 0


def test_the_command_line_takes_columns_and_all_of_a_file(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from unsway.cli.main import main

    path = tmp_path / "prüfung.csv"
    rows = "".join(f"Was ist {n}?;eins;zwei;drei;B\n" for n in range(130))
    path.write_text(f"Frage;A;B;C;Lösung\n{rows};;;;\nLeer?;x;x;;A\n", encoding="utf-8")
    asked = ["plan", "openai/gpt-4o-mini", "--questions", str(path), "--json"]
    refusal = CliRunner().invoke(main, asked)
    assert refusal.exit_code and "--columns question=Frage,options=A..C,answer=Lösung" in refusal.output
    columns = ["--columns", "question=Frage,options=A..C,answer=Lösung"]
    assert "line 133" in CliRunner().invoke(main, [*asked, *columns]).output
    for more, n in (([], 130), (["-n", "20"], 20)):
        done = CliRunner().invoke(main, [*asked, *columns, "--skip-bad", *more])
        assert done.exit_code == 0, done.output
        body = json.loads(done.stdout)
        assert body["biases"][0]["n_questions"] == n, body["biases"][0]
