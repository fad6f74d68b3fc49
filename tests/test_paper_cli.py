"""The verbs that write for a paper: `figure` and `table`, over a folder that was really measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.shell import unsway
from unsway.studies import Study, run
from unsway.testing import scripted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("study")
    study = Study(models="scripted/a", biases=("post_hoc", "distractor_fact"), tasks="procedural/dates", n=12)
    run(study, place, using={"scripted/a": scripted(study.pairs(), follow={"post_hoc": 0.8}, name="a")})
    return place


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF")])
def test_a_figure_is_a_file_of_its_kind(folder: Path, tmp_path: Path, suffix: str, start: bytes) -> None:
    out = tmp_path / f"a.{suffix}"
    done = unsway("figure", folder, "brr", "--out", out)
    assert done.exit_code == 0 and str(out) in done.output
    assert out.read_bytes().startswith(start)


def test_a_figure_that_is_not_there_is_named_with_those_that_are(folder: Path, tmp_path: Path) -> None:
    done = unsway("figure", folder, "ratio", "--out", tmp_path / "a.svg")
    assert done.exit_code == 1 and "rates" in done.output and not list(tmp_path.iterdir())
    assert "a figure can be .png, .svg, .pdf" in unsway("figure", folder, "brr", "--out", tmp_path / "a.gif").output


def test_a_table_is_text_markdown_latex_or_json(folder: Path) -> None:
    said = {
        form: unsway("table", folder, *form.split()).output for form in ("", "--format md", "--format latex", "--json")
    }
    assert "On 12 questions" in said[""] and "post hoc" in said[""]
    assert said["--format md"].count("\n| ") == 1 + 2 and "\\begin{tabular}" in said["--format latex"]
    rows = json.loads(said["--json"])
    assert [row["bias"].partition("@")[0] for row in rows] == ["post_hoc", "distractor_fact"]
    assert f"{100 * rows[0]['brr']:+.0f}" in said["--format md"]


def test_the_page_of_a_folder_holds_its_study(folder: Path) -> None:
    done = unsway("report", folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert done.exit_code == 0 and "Study(models=" in text and "asked in" in text
