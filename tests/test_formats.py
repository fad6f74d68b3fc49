"""Tables in every format, and the exit codes that docs/settings.md promises."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from unsway.cli import main
from unsway.reporting.formats import written
from unsway.reporting.terminal import fitted
from unsway.studies import Study, run
from unsway.testing import scripted


def unsway(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("study")
    study = Study(models="scripted/a", biases=("post_hoc", "suggested_answer"), tasks="procedural/dates", n=8)
    run(study, place, using={"scripted/a": scripted(study.pairs(), follow={"post_hoc": 0.8}, name="a")})
    return place


def verbs(command: click.Command, *words: str) -> list[tuple[str, ...]]:
    """Every verb that takes `--format`."""
    if isinstance(command, click.Group):
        return [verb for name, below in sorted(command.commands.items()) for verb in verbs(below, *words, name)]
    return [words] if any("--format" in parameter.opts for parameter in command.params) else []


FOLDER_VERBS = [
    ("status",),
    ("table",),
    ("table", "--by", "both"),
    ("report",),
    ("show",),
    ("judge", "--ask", "mentions_cue"),
]


@pytest.mark.parametrize("words", [("biases",), ("list", "methods"), *FOLDER_VERBS], ids="-".join)
def test_a_table_is_the_same_in_every_format(folder: Path, words: tuple[str, ...]) -> None:
    where = [folder] if words in FOLDER_VERBS else []
    said = {form: unsway(*words, *where, "--format", form) for form in ("json", "csv", "md", "latex", "text")}
    assert {form: one.exit_code for form, one in said.items()} == dict.fromkeys(said, 0)
    assert json.loads(said["json"].stdout)
    first = said["csv"].stdout.partition("\n\n")[0]
    heads, *rows = csv.reader(io.StringIO(first))
    assert rows and all(len(row) == len(heads) for row in rows)
    assert "|---" in said["md"].stdout and "\\toprule" in said["latex"].stdout
    assert unsway(*words, *where, "--json").stdout == said["json"].stdout


@pytest.mark.parametrize("width", [80, 100, 160])
def test_names_stay_whole_in_a_narrow_terminal(width: int) -> None:
    rows = [
        {"name": f"wrong_few_shot_arbitrary{i}", "paper": "arXiv:2403.05518", "what_it_is": "many words " * 9}
        for i in range(3)
    ]
    out = io.StringIO()
    Console(file=out, width=width).print(fitted(rows, width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width and lines[0].split() == ["name", "paper", "what", "it", "is"]
    assert [line.split()[0] for line in lines if "arXiv" in line] == [str(row["name"]) for row in rows]


def test_verbs_that_print_tables_take_a_format() -> None:
    found = {" ".join(verb) for verb in verbs(main)}
    assert found >= set(
        "demo status biases sources list measure plan report table judge requests monitor interrogate next forecast score ls "
        "show diff effects label run served".split()
    )


def test_rows_survive_what_a_cell_may_hold() -> None:
    rows = [{"a b": 'x,"y"\nz', "n": 0.5, "why": {"cut": 2}}, {"a b": "50 % & |_<", "more": None}]
    again = list(csv.DictReader(io.StringIO(written(rows, "csv"))))
    assert again[0] == {"a b": 'x,"y"\nz', "n": "0.5", "why": '{"cut": 2}', "more": ""}
    assert written(rows[1:], "latex").splitlines()[4] == r"50 \% \& |\_\textless{} &  \\"
    assert written(rows[1:], "md").splitlines()[2] == r"| 50 % &amp; \|\_&lt; |  |"


def test_exit_codes_are_those_of_the_docs(folder: Path) -> None:
    told = [
        unsway("table", folder),
        unsway("figure", folder, "no_such_chart", "--out", folder / "a.svg"),
        unsway("table", folder, "--no-such-option"),
        unsway("table", folder / "nowhere"),
    ]
    assert [each.exit_code for each in told] == [0, 1, 2, 2], [each.output for each in told]
    assert all("Error: " in each.stderr for each in told if each.exit_code)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (("measure", "m", "--biases", "post_hoc,sugg"), "post_hoc,suggested_answer"),
        (("biases", "are_y"), "are_you_sure"),
        (("train", "rows", "--method", "bc"), "bct"),
        (("measure", "m", "--effort", "lo"), "low"),
    ],
)
def test_the_shell_completes_names(line: tuple[str, ...], wanted: str) -> None:
    environment = {
        "_UNSWAY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("unsway", *line)),
        "COMP_CWORD": str(len(line)),
    }
    done = CliRunner().invoke(main, [], env=environment, prog_name="unsway")
    assert wanted in {item.partition(",")[2] for item in done.output.splitlines()}
