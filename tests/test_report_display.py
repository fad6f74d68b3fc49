"""Results show themselves: in a terminal, a notebook and Markdown, as charts to restyle, and as files by suffix."""

from __future__ import annotations

import json
from pathlib import Path

import altair as alt
import pytest
import scripted_study
from keeping import kept

import unsway as us
from unsway.errors import BadInput, UnknownName
from unsway.reporting import charts, page, table
from unsway.studies.results import Results


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(20, biases=("suggested_answer", "post_hoc", "distractor_argument"))


def test_every_view_begins_with_the_headline_and_holds_the_table(
    study: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert repr(study) == str(study) and "On 20 questions asked of owl-135m" in str(study)
    assert study.markdown() == study._repr_markdown_() == table.to_markdown(study)
    assert study._repr_html_() == page.fragment(study)
    for cells in table.cells_as_text(study):
        assert cells[6] in str(study)


def test_a_narrow_terminal_gets_a_narrow_table(study: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, str(study).splitlines())) <= 80


@pytest.mark.parametrize("name", ["brr", "rates", "ratio", "source", "accuracy", "switch_toward", "switch_away"])
def test_charts_are_altair_objects_with_the_numbers_of_the_page(study: Results, name: str) -> None:
    drawn = us.chart(study, name)
    spec = drawn.to_dict()
    assert isinstance(drawn, alt.VConcatChart) and (name != "brr" or spec == study.chart(name).to_dict())
    figure = charts.figure(study, name)
    plots = [plot.get("data", spec.get("data"))["values"] for plot in spec["vconcat"]]
    shown = {(row["arm"], row["label"], row["value"]) for rows in plots for row in rows}
    assert shown == {(row["arm"], row["label"], row["value"]) for row in figure.data}


def test_a_chart_can_be_restyled(study: Results) -> None:
    drawn = study.chart("brr", width=500).properties(title="Mine").configure_axis(grid=False).to_dict()
    assert drawn["title"] == "Mine" and drawn["config"]["axis"]["grid"] is False
    assert drawn["vconcat"][0]["width"] < 500 and "var(--" not in json.dumps(drawn)


def test_an_unknown_chart_names_those_there_are(study: Results) -> None:
    with pytest.raises(UnknownName, match="rates"):
        study.chart("rate")
    alone = scripted_study.study(6, biases=("post_hoc",), labels=("base",))
    with pytest.raises(UnknownName, match="figure of this study"):
        alone.chart("ratio")


def test_a_report_takes_the_format_of_its_suffix(study: Results, tmp_path: Path) -> None:
    folder = kept(study, tmp_path / "study")
    assert us.report(study, folder) == folder / "report.html"
    assert us.report(study, tmp_path / "a.html").read_text().startswith("<!doctype html>")
    assert us.report(study, tmp_path / "a.md").read_text() == study.markdown()
    assert r"\begin{tabular}" in us.report(study, tmp_path / "a.tex").read_text()
    assert json.loads(us.report(study, tmp_path / "a.json").read_text()) == list(table.rows(study))
    assert us.report(study, tmp_path / "a.pptx").exists() and (tmp_path / "a.html").exists()


def test_a_report_of_a_folder_is_that_of_its_results(study: Results, tmp_path: Path) -> None:
    folder = kept(study, tmp_path / "study")
    found = json.loads(us.report(folder, tmp_path / "a.json").read_text())
    assert [row["brr"] for row in found] == [row["brr"] for row in table.rows(study)]


def test_another_suffix_is_refused_before_anything_is_written(study: Results, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.html, \.pptx, \.md, \.tex, \.json"):
        us.report(study, tmp_path / "a.docx")
    assert not list(tmp_path.iterdir())
