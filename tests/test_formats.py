"""Tables in every format, and the exit codes that docs/settings.md promises."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.shell import unsway
from unsway.cli import main
from unsway.pairing import pairs
from unsway.reporting.formats import format_rows
from unsway.reporting.listing import source_rows
from unsway.reporting.terminal import as_text, fitted
from unsway.sources import table
from unsway.studies import Study, run
from unsway.studies.measuring import measure
from unsway.testing import scripted, toy_questions


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


def test_several_tables_have_a_blank_line_between_them(folder: Path) -> None:
    said = unsway("judge", folder, "--ask", "mentions_cue", "--format", "csv").stdout
    tables = [[*csv.reader(io.StringIO(part))] for part in said.split("\n\n")]
    assert len(tables) > 1 and all(len({len(row) for row in table}) == 1 for table in tables)


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


def test_the_longest_name_of_a_source_stays_whole_on_80_columns() -> None:
    rows, _ = source_rows(table())
    out = io.StringIO()
    Console(file=out, width=80).print(fitted(rows, 80))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert {row["name"] for row in rows} <= {line.split()[0] for line in lines if line[:1].strip()}
    words = {word for row in rows for value in row.values() for word in value.split()}
    assert {word for line in lines[1:] for word in line.split()} == words


def test_heads_over_short_cells_wrap_and_are_not_cut() -> None:
    row = {
        "bias": "suggested answer",
        "quote not found": 0,
        "it says so if it": "mentions",
        "given a switch": "0 [0, 9]",
    }
    out = io.StringIO()
    Console(file=out, width=44).print(fitted([row], 44))
    assert sorted(" ".join([*row, *map(str, row.values())]).split()) == sorted(out.getvalue().split())


def test_verbs_that_print_tables_take_a_format() -> None:
    found = {" ".join(verb) for verb in verbs(main)}
    assert found >= set(
        "demo status biases sources list measure plan report table judge requests monitor interrogate next forecast score ls "
        "show diff effects label run served".split()
    )


def test_rows_survive_what_a_cell_may_hold() -> None:
    rows = [{"a b": 'x,"y"\nz', "n": 0.5, "why": {"cut": 2}}, {"a b": "50 % & |_<", "more": None}]
    again = list(csv.DictReader(io.StringIO(format_rows(rows, "csv"))))
    assert again[0] == {"a b": 'x,"y"\nz', "n": "0.5", "why": '{"cut": 2}', "more": ""}
    assert format_rows(rows[1:], "latex").splitlines()[4] == r"50 \% \& |\_\textless{} &  \\"
    assert format_rows(rows[1:], "md").splitlines()[2] == r"| 50 % &amp; \|\_&lt; |  |"
    lines = [{"a": "x \n\n| y\r\nz"}]
    assert format_rows(lines, "md").splitlines()[2:] == [r"| x \| y z |"]
    assert format_rows(lines, "latex").splitlines()[4] == r"x | y z \\"


def test_a_name_that_looks_like_markup_or_a_formula_is_shown_as_it_is(tmp_path: Path) -> None:
    rows = [{"arm": "[red]x", "what": "odd[/x]", "[/head]": "=1+1"}]
    for text in (as_text(rows), _printed(fitted(rows, 100))):
        assert all(each in text for each in ("[red]x", "odd[/x]", "[/head]", "=1+1"))
    moving = [{"a\x1b[2J": "b\x1b]0;x\x07\u202e"}]
    for text in (as_text(moving), _printed(fitted(moving, 100))):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text) and r"b\x1b]0;x\x07\u202e" in text
    cells = [
        "=1+1",
        "@x",
        "+cmd|x",
        "-1+cmd|x!A0",
        "-x",
        "\tx",
        "+31 [+22, +40]",
        "-0.5",
        "−3 [−9, ∞]",
        "+8 [<+1, +15]",
        "+9 to +64",
        "-1e-05",
        "a=b",
    ]
    (_, *again) = csv.reader(io.StringIO(format_rows([{"c": cell} for cell in cells], "csv")))
    assert [row[0] for row in again] == [f"'{cell}" for cell in cells[:6]] + cells[6:]
    asked = pairs(toy_questions(4), ["post_hoc"])
    place = tmp_path / "odd[red]x"
    measure(scripted(asked, {}), asked, folder=place, label="evil[/x]")
    for words, wanted in (
        (("ls", tmp_path), place.name),
        *(((verb, place), "evil[/x]") for verb in ("show", "table", "status")),
    ):
        found = unsway(*words)
        assert found.exit_code == 0 and wanted in found.output, (words, found.output)


def _printed(table: object) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


NASTY = "50 % of $x_1$ & more: {a} #2"


@pytest.mark.parametrize("words", [(), ("--by", "source")], ids=["table", "parts"])
def test_latex_takes_a_caption_and_a_label(folder: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    plain = unsway("table", folder, *words, "--format", "latex").stdout
    named = unsway("table", folder, *words, "--format", "latex", "--caption", NASTY, "--label", "tab:brr_1")
    assert named.exit_code == 0, named.output
    comments = [line for line in plain.splitlines() if line.startswith("%")]
    head = r"\caption{50 \% of \$x\_1\$ \& more: \{a\} \#2}"
    wrapped = [
        r"\begin{table}",
        r"\centering",
        head,
        r"\label{tab:brr_1}",
        *plain.splitlines()[len(comments) :],
        r"\end{table}",
    ]
    assert named.stdout.splitlines() == [*comments, *wrapped]
    if shutil.which("pdflatex"):
        setup = r"\documentclass{article}\usepackage{booktabs}\begin{document}See Table~\ref{tab:brr_1}."
        (tmp_path / "paper.tex").write_text(f"{setup}\n{named.stdout}\\end{{document}}\n", encoding="utf-8")
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-2000:]


def test_a_caption_is_for_latex_and_a_label_is_one_word(folder: Path) -> None:
    told = [
        unsway("table", folder, "--caption", "x"),
        unsway("table", folder, "--format", "md", "--label", "x"),
        unsway("table", folder, "--arms", "--format", "latex", "--label", "x"),
        unsway("table", folder, "--format", "latex", "--label", "a}b"),
    ]
    assert [each.exit_code for each in told] == [2, 2, 2, 2], [each.output for each in told]
    assert "--format latex" in told[0].stderr and "tab:brr" in told[3].stderr


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
