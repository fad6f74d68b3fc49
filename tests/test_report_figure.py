"""Charts for a paper: real files in each format, with the numbers of the page and no colour that only CSS knows."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
import scripted_study

from unsway.errors import BadInput, UnknownName
from unsway.reporting.charts import PNG_SCALE, write_figure
from unsway.reporting.markup import asset
from unsway.reporting.plots import EDGE, LABEL_ROOM
from unsway.studies.results import Results


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(30, biases=("suggested_answer", "post_hoc", "distractor_argument"))


def test_png_has_the_width_asked_for(study: Results, tmp_path: Path) -> None:
    body = write_figure(study, "brr", tmp_path / "new" / "a.png", width=300).read_bytes()
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    assert abs(struct.unpack(">I", body[16:20])[0] - 300 * PNG_SCALE) <= 15 * PNG_SCALE


def test_svg_says_what_the_chart_says(study: Results, tmp_path: Path) -> None:
    text = write_figure(study, "brr", tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg") and "var(--" not in text
    for said in ("Trained on", "Held out", "distractor argument", "percentage points", "control", "#17697f"):
        assert said in text


def test_a_figure_of_hostile_names_is_text_only(tmp_path: Path) -> None:
    hostile = scripted_study.hostile_study()
    drawn = ElementTree.fromstring(write_figure(hostile, "brr", tmp_path / "a.svg").read_text(encoding="utf-8"))
    tags = {element.tag.rpartition("}")[2] for element in drawn.iter()}
    assert tags <= {"svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath", "title"}
    names = {name.rpartition("}")[2] for element in drawn.iter() for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or name in ("href", "src", "style")]


def test_pdf_is_one(study: Results, tmp_path: Path) -> None:
    assert write_figure(study, "ratio", tmp_path / "a.pdf").read_bytes()[:5] == b"%PDF-"


def test_what_cannot_be_is_refused_before_anything_is_written(study: Results, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\.png, \.svg, \.pdf"):
        write_figure(study, "brr", tmp_path / "a.gif")
    with pytest.raises(BadInput, match="no room"):
        write_figure(study, "brr", tmp_path / "a.png", width=100)
    with pytest.raises(UnknownName, match="rates"):
        write_figure(study, "rate", tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_page_and_file_leave_the_same_room() -> None:
    assert f"const ROOM = {LABEL_ROOM} + {EDGE};" in asset("charts.js")
