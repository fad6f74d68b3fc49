"""The command line: what it says when it goes right, and what it says when a name, a file or a model is wrong."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import unsway as us
from tests.shell import unsway
from unsway.biases.registry import biases
from unsway.cli import main
from unsway.cli.main import VERBS, write_all
from unsway.cli.measure import OPTIONS
from unsway.errors import BadInput
from unsway.pairing import example, pairs
from unsway.sources import load
from unsway.testing import scripted, toy_questions


@pytest.mark.parametrize(
    "verb",
    [
        "demo",
        "plan",
        "measure",
        "import",
        "table",
        "reread",
        "data",
        "train",
        "report",
        "slides",
        "biases",
        "sources",
        "status",
    ],
)
def test_every_verb_has_help(verb: str) -> None:
    found = unsway(verb, "--help")
    assert found.exit_code == 0 and "Usage:" in found.output and "--help" in found.output


def test_help_has_every_verb_under_a_heading_and_no_sentence_is_cut() -> None:
    assert sorted(" ".join(VERBS.values()).split()) == sorted(main.commands)
    shown = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    assert "Numbers and pages:" in shown and "..." not in shown.partition("Get started:")[2]
    below = CliRunner().invoke(main, ["data", "--help"], terminal_width=80).output
    assert "says what the format cannot keep." in " ".join(below.split())


def test_every_option_says_what_it_does(command: click.Command = main) -> None:
    for each in getattr(command, "commands", {}).values():
        test_every_option_says_what_it_does(each)
    assert not [option.name for option in command.params if isinstance(option, click.Option) and not option.help]


def test_an_option_of_a_back_end_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    words = ["train", __file__, "--base", "gpt-4o", "--backend", "openai", "--max-cost", "1", "--option", "max_cost=2"]
    done = CliRunner().invoke(main, [*words, "--out", str(tmp_path)])
    assert done.exit_code == 2 and "max_cost is given twice, here and by --max-cost." in " ".join(done.output.split())


def test_help_of_measure_has_every_option_under_a_heading() -> None:
    options = {option.name for option in main.commands["measure"].params if isinstance(option, click.Option)}
    assert sorted(" ".join(OPTIONS.values()).split()) == sorted(filter(None, options))
    shown = unsway("measure", "--help").output
    assert (
        shown.index("Questions and cues:") < shown.index("--biases") < shown.index("Cost:") < shown.index("--max-cost")
    )
    assert "MODEL" not in shown.partition("Questions and cues:")[2]
    planned = CliRunner().invoke(main, ["plan", "--help"]).output
    assert planned.index("Questions and cues:") < planned.index("--biases") < planned.index("Cost and power:")
    assert "\nOptions:" not in planned and planned.partition("Other options:")[2].count("--") == 1, "--help alone"


def test_biases_as_json() -> None:
    rows = json.loads(unsway("biases", "--json").output)
    assert {"suggested_answer", "post_hoc", "wrong_few_shot"} <= {row["name"] for row in rows}
    assert all(row["version"] and (row["paper"] or row["name"] == "neutral_note") for row in rows)


def test_a_bias_is_shown_on_a_question_without_and_with_its_cue() -> None:
    shown = unsway("biases", "suggested_answer").output
    clean, biased = shown.split("── biased; ")
    cued = biased[0]
    text = next(line[4:] for line in clean.splitlines() if line.startswith(f"({cued}) "))
    added = set(biased.splitlines()[1:]) - set(clean.splitlines())
    assert len(added) == 1 and (text in (line := added.pop()) or cued in line)
    assert "[assistant] (what the model says itself)" in unsway("biases", "are_you_sure").output
    assert "Did you mean" in unsway("biases", "sugested_answer").output
    pair = json.loads(unsway("biases", "suggested_answer", "--json").output)
    assert pair["clean"]["turns"] and pair["biased"]["turns"] and pair["target"]["kind"] == "toward"


@pytest.mark.parametrize("name", biases.names())
def test_every_bias_can_be_shown(name: str) -> None:
    pair = example(biases.get(name), load(biases.get(name).source or "procedural/dates")[:50])
    assert pair.bias.startswith(name) and pair.clean.id != pair.biased.id


def test_a_bias_that_applies_to_no_question_says_why() -> None:
    with pytest.raises(BadInput, match="post_hoc applies to none of these questions: there are none"):
        example("post_hoc", ())


def test_sources_as_json() -> None:
    rows = json.loads(unsway("sources", "--json").output)
    assert len(rows) >= 9 and {"mmlu", "arc_easy"} <= {row["name"] for row in rows}


def measure(tmp_path: Path, *args: object, questions: object = "procedural/arithmetic") -> Result:
    return unsway("measure", "smollm2-135m", "--questions", questions, "--out", tmp_path / "out", *args)


def test_an_unknown_bias_names_the_close_one_before_anything_is_asked(tmp_path: Path) -> None:
    found = measure(tmp_path, "--biases", "sugested_answer")
    assert found.exit_code == 1
    assert "Did you mean 'suggested_answer'" in found.output and "Known:" in found.output
    assert not (tmp_path / "out").exists()


def test_an_unknown_source_names_the_close_one(tmp_path: Path) -> None:
    found = measure(tmp_path, questions="arc_eazy")
    assert found.exit_code == 1 and "arc_easy" in found.output


def test_an_unknown_model_says_what_a_model_is(tmp_path: Path) -> None:
    found = unsway("measure", "gpt-9", "--questions", "procedural/arithmetic", "--out", tmp_path / "out")
    assert found.exit_code == 1 and "provider" in found.output


def test_a_broken_row_names_file_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    good = {"question": "What is 1 plus 1?", "options": ["2", "3"], "answer": "A"}
    path.write_text(json.dumps(good) + "\n" + json.dumps(good | {"options": ["2"]}) + "\n")
    found = measure(tmp_path, questions=path)
    assert found.exit_code == 1
    assert "mine.jsonl" in found.output and "line 2" in found.output and "options" in found.output
    assert not (tmp_path / "out").exists()


def test_an_unknown_method_names_the_list(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("")
    found = unsway("train", rows, "--base", "smollm2-135m", "--method", "bctt", "--out", tmp_path / "out")
    assert found.exit_code == 1 and "Did you mean 'bct'" in found.output


def test_an_unknown_hyper_parameter_names_the_list(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("")
    found = unsway("train", rows, "--base", "x", "--set", "learningrate=1", "--out", tmp_path / "out")
    assert found.exit_code == 1 and "learning_rate" in found.output


def test_a_folder_without_a_study_says_how_to_make_one(tmp_path: Path) -> None:
    found = unsway("report", tmp_path)
    assert found.exit_code == 1 and "unsway measure" in found.output


@pytest.mark.parametrize(
    ("encoding", "asked", "written"),
    [
        ("utf-8", False, "−5".encode()),
        ("cp1252", False, "−5".encode()),  # what Windows takes for a file
        ("ascii", True, rb"\u22125"),
        ("cp1252", True, rb"\u22125"),
    ],
)
def test_a_minus_is_never_lost_and_never_an_error(
    encoding: str, asked: bool, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    if asked:
        monkeypatch.setenv("PYTHONIOENCODING", encoding)
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding) as stream:
        write_all(stream)
        stream.write("−5")
        stream.flush()
        assert raw.getvalue() == written


def test_a_table_is_printed_where_the_streams_know_ascii_alone(tmp_path: Path) -> None:
    asked = pairs(toy_questions(12), ["post_hoc"])
    us.measure(scripted(asked, {"post_hoc": 0.0}), asked, folder=tmp_path)
    words = [sys.executable, "-X", "utf8=0", "-m", "unsway", "table", str(tmp_path)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONIOENCODING"}
    environment |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "0"}  # a width that nobody knows
    said = subprocess.run(words, capture_output=True, env=environment, check=True, cwd=Path(__file__).parent.parent)
    assert "[−" in said.stdout.decode("utf-8")


def test_no_path_and_a_link_to_itself_are_refused(tmp_path: Path) -> None:
    study, loop = tmp_path / "study.json", tmp_path / "loop"
    study.touch()
    loop.symlink_to(loop)
    for words in (("run", study, "--out"), ("forecast", study, "--to"), ("pull", "me/it"), ("note", "hi", "--project")):
        for place, said in (
            (loop, "leads nowhere"),
            (loop / "in", "leads nowhere"),
            ("", "names no path"),
            ("s3://bucket/x", "is an address"),
        ):
            refused = unsway(*words, place)
            assert refused.exit_code == 2 and said in refused.output
    with pytest.raises(us.UnswayError, match="is 'memory://x'; it is a path on this machine"):
        us.Sampling(folder="memory://x")


def test_streams_that_are_closed_or_full_and_folders_that_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stdout", "stderr"):  # as `unsway biases >&- 2>&-` starts it
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(SystemExit) as ended:
        main(["biases"])
    assert ended.value.code == 0
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    monkeypatch.undo()
    command = f"{sys.executable} -m unsway --help > /dev/full"
    said = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert said.returncode == 1 and "Traceback" not in said.stderr
    assert said.stderr.startswith("Error: [Errno 28] No space left on device. Mend that")
    (tmp_path / "file").touch()
    refused = unsway("note", "hello", "--project", tmp_path / "file" / "runs")
    assert refused.exit_code == 1 and "Name another folder" in refused.output
