"""The page as text: whole, self-contained, equal for equal studies; what it embeds is what measure gave."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import odd_studies
import pytest
import scripted_study

from tests.forking import elsewhere
from unsway.reporting import charts, markup, page, table, transcripts
from unsway.reporting.chips import chips
from unsway.reporting.plots import Axis, Palette, colours, draw
from unsway.studies.results import Results
from unsway.types import Reading, Reply, Settings

SHOWN = ("suggested_answer", "post_hoc", "are_you_sure", "positional")


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(30, biases=SHOWN)


@pytest.fixture(scope="module")
def text(study: Results) -> str:
    return page.html(study)


class Elements(HTMLParser):
    """Tags with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in ("script", "style"):
            self.raw.append((self.found[-1][0], data))


def embedded(text: str) -> dict[str, Any]:
    match = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', text)
    assert match
    body: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(match[1])))
    return body


# ---------------------------------------------------------------- one file, nothing outside


def test_nothing_points_outside(text: str) -> None:
    for tag, attributes in Elements(text).found:
        assert tag not in ("link", "base", "iframe", "object", "img"), tag
        assert "src" not in attributes and not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]


def test_the_policy_names_exactly_what_is_there(text: str) -> None:
    elements = Elements(text)
    policy = next(a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    hashes = set(re.findall(r"'sha256-([^']+)'", policy))
    code = re.findall(r'<(?:style|script type="module")>(.*?)</(?:style|script)>', text, re.DOTALL)
    assert {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in code} == hashes and len(
        code
    ) == 3


def _page() -> str:
    return page.html(scripted_study.study(30, biases=SHOWN))


def test_equal_studies_give_equal_pages_in_every_process(text: str) -> None:
    assert elsewhere(_page) == text


def test_the_script_of_charts_is_made_once_and_made_again_where_its_copy_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda ours: made.append(ours) or f"{ours} // ü </script>")
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path))
    new = page._chart_runtime.__wrapped__
    first = new()
    assert "ü <\\/script>" in first and new() == first and len(made) == 1
    (kept,) = tmp_path.iterdir()
    for damaged in (kept.read_bytes()[:-3], b"", kept.read_bytes()[:-8] + bytes(8), b"var a"):
        kept.write_bytes(damaged)
        assert new() == first == new()
    assert len(made) == 5
    monkeypatch.setenv("UNSWAY_CACHE", str(kept))  # a file, in which nothing can be kept
    assert new() == first and len(made) == 6


def test_the_licences_of_what_is_embedded_are_there(text: str) -> None:
    assert "University of Washington Interactive Data Lab" in text and "Mike Bostock" in text


def test_a_folder_gets_a_report(study: Results, tmp_path: Path) -> None:
    assert page.write_page(study, tmp_path) == tmp_path / "report.html"
    assert page.write_page(study, tmp_path / "a" / "b.html").read_text().startswith("<!doctype html>")


def test_importing_the_report_costs_nothing() -> None:
    heavy = "altair", "vl_convert", "jinja2", "rich", "numpy", "scipy", "pydantic"
    code = "import sys, unsway.reporting.page, unsway.reporting.table, unsway.studies.results; "
    code += f"print([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_full_study_stays_under_five_megabytes() -> None:
    """3 arms, 9 biases, 150 questions; replies of random letters compress far worse than words do."""
    arms, pairs, noise = scripted_study.arms(), scripted_study.pairs(150), scripted_study.rng(0, "noise")
    replies = scripted_study.replies(pairs, arms)
    said = tuple(replace(one, text=f"{noise.randbytes(300).hex()} {one.text}") for one in replies)
    assert len(pairs) == 9 * 150 and sum(len(one.text) for one in said) / len(said) > 700
    assert len(page.html(Results.build("Full", arms, pairs, said))) < 5_000_000


# ---------------------------------------------------------------- what it says


def test_it_says_what_one_needs_to_run_it_again(text: str) -> None:
    for said in (
        "unsway demo --seed 0",
        "suggested_answer@1",
        "made_sums@2",
        "cot@1",
        "mcq@",
        "greedy, at most 1000 tokens",
    ):
        assert said in text
    assert "bct(rank=16)" in text and "412,800" in text and "abababababababab" in text


def test_the_embedded_rows_are_those_of_the_table(study: Results, text: str) -> None:
    body = embedded(text)
    assert body["rows"] == json.loads(json.dumps(table.rows(study)))
    assert body["by_source"] == json.loads(json.dumps(table.rows_by_source(study)))


def test_a_study_without_training_has_a_page() -> None:
    text = page.html(scripted_study.study(8, biases=("post_hoc",), labels=("base",)))
    assert 'id="figure-brr"' in text and 'id="figure-ratio"' not in text


def test_a_study_without_replies_has_a_page() -> None:
    text = page.html(
        Results.build("Nothing yet", scripted_study.arms(("base",)), scripted_study.pairs(2, ("post_hoc",)), ())
    )
    assert "gave no reply that could be counted" in text and 'class="plot"' not in text
    assert 'href="#results"' not in text and 'id="results"' not in text and '<a class="skip" href="#table">' in text


def test_a_notebook_shows_headline_and_table(study: Results) -> None:
    html = study._repr_html_()
    assert "On 30 questions" in html and html.count("<tbody>") == 4 and "<script" not in html


# ---------------------------------------------------------------- json that stays in its element


@pytest.mark.parametrize("nasty", ["</script>", "<!--<script>", "\u2028\u2029", "]]>", "&lt;", "\ud800", "\x00"])
def test_json_cannot_leave_its_element(nasty: str) -> None:
    written = markup.as_json({nasty: [nasty]})
    assert json.loads(written) == {nasty: [nasty]}
    assert written.isascii() and not set(written) & set("<>&\x00")


# ---------------------------------------------------------------- charts


def test_figures_hold_the_numbers_of_the_cells(study: Results) -> None:
    figures = {figure.id: figure for figure in charts.figures(study)}
    assert list(figures) == ["brr", "rates", "ratio", "source", "accuracy", "switch_toward", "switch_away"]
    data = [row for plot in figures["brr"].spec["vconcat"] for row in _data(figures["brr"].spec, plot)]
    told = {(row["bias"], row["arm"]): row for row in data}
    for cell in study.cells:
        arm = next(arm.label for arm in study.arms if arm.key == cell.arm)
        value = cell["brr"].value
        if value is None:
            assert cell.bias == "positional@1" and (cell.bias, arm) not in told
            continue
        assert told[cell.bias, arm]["value"] == pytest.approx(100 * value, abs=1e-3)
        assert told[cell.bias, arm]["n"] == str(cell["brr"].n)


def _data(spec: charts.Spec, plot: charts.Spec) -> list[dict[str, object]]:
    """The data of a plot, which Altair puts above it where there is one plot only."""
    rows: list[dict[str, object]] = plot.get("data", spec.get("data"))["values"]
    return rows


def test_trained_and_held_out_are_told_apart(study: Results) -> None:
    spec = charts.figures(study)[0].spec
    assert [plot["title"]["text"] for plot in spec["vconcat"]] == ["Trained on", "Held out"]
    assert {row["bias"] for row in _data(spec, spec["vconcat"][1])} == {"are_you_sure@1"}


def test_refused_ratios_are_in_the_numbers_but_not_in_the_chart() -> None:
    study = scripted_study.study(30, biases=("suggested_answer", "post_hoc", "distractor_fact"))
    figure = next(figure for figure in charts.figures(study) if figure.id == "ratio")
    refused = [row for row in figure.rows if row[3] == "—"]
    assert {row[1] for row in refused} == {"distractor fact", "held-out biases"}
    assert all("touches 0" in row[-1] for row in refused)
    drawn = [row for plot in figure.spec["vconcat"] for row in _data(figure.spec, plot)]
    assert len(drawn) == len(figure.rows) - len(refused)


def test_what_has_no_number_is_named(study: Results) -> None:
    captions = {figure.id: figure.caption for figure in charts.figures(odd_studies.empty_cell())}
    assert captions["brr"].endswith("Without a number: bct under post hoc and bct under wrong few shot.")
    assert "bct under post hoc (made sums)" in captions["source"] and "and 1 more." in captions["source"]
    untested = "base under positional, control under positional and bct under positional"
    assert charts.figures(study)[0].caption.endswith(f"Without a number: {untested}.")
    text = page.html(odd_studies.refused())
    assert 'id="figure-ratio"' not in text
    assert "No ratio to the base can be given: the interval of the base BRR touches 0." in text


def test_bounds_of_missing_replies_are_named_by_what_they_bound(text: str) -> None:
    asked, who = scripted_study.pairs(8, ("suggested_answer",)), scripted_study.arms(("base",))
    clean = {pair.clean.id for pair in asked}
    said = scripted_study.replies(asked, who, follows_of={"suggested_answer": (1.0,)})
    lost = (replace(one, text="Hm.") if one.prompt_id in clean else one for one in said)
    (cell,) = Results.build("t", who, asked, lost).cells  # had every missing reply followed the cue, this would be 0
    assert (cell["brr_missing_hit"].value, cell["brr_missing_miss"].value) == (1, 0)
    assert "all followed" not in text and 'at most</th><th scope="col">at least</th>' in text


def test_long_names_are_shortened_and_stay_apart() -> None:
    study = odd_studies.several_models()
    legend = charts.figures(study)[0].spec["vconcat"][0]["layer"][3]["encoding"]["color"]["scale"]["domain"]
    assert len(set(legend)) == 9 and all(len(name) <= 26 for name in legend)
    assert "A-Rather-Long…2026 control" in legend
    alike = ({"group": "", "label": f"an expert who {what} sure", "arm": "base"} for what in ("is", "is not"))
    layers = draw([*alike], scripted_study.arms(("base",)), Palette(), Axis("%", (0, 1), 0), "dots")["vconcat"][0][
        "layer"
    ]
    assert layers[3]["encoding"]["y"]["scale"]["domain"] == ["an expert…o is sure", "an expert…not sure"]


def test_an_axis_of_zeros_has_a_length() -> None:
    asked, who = scripted_study.pairs(4, ("post_hoc",)), scripted_study.arms(("base",))
    said = (replace(reply, text="The best answer is: (A).") for reply in scripted_study.replies(asked, who))
    none_cued = [pair for pair in asked if pair.target.cued]
    figure = charts.figure(Results.build("t", who, none_cued, said), "rates")
    assert [dot["value"] for dot in figure.data] == [0.0] and figure.axis.domain == (0.0, 10.4)


def test_every_arm_in_words_is_there_and_out_of_the_way() -> None:
    text = page.html(odd_studies.many_arms())
    assert "Each of 5 arms in words" in text and text.count("<li>") == 5


def test_the_axis_ends_where_a_ratio_has_no_upper_end(study: Results) -> None:
    endless = tuple(
        one._replace(estimate=replace(one.estimate, value=0.5, low=0.1, high=float("inf"))) for one in study.ratios
    )
    figure = next(figure for figure in charts.figures(replace(study, ratios=endless)) if figure.id == "ratio")
    domain = figure.spec["vconcat"][0]["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert 3.0 <= domain[1] < 3.5 and "0.10 to ∞" in figure.rows[0]
    json.dumps(figure.spec, allow_nan=False)


def test_several_trained_arms_have_several_colours() -> None:
    arms = scripted_study.arms()
    more = (*arms, replace(arms[2], label="act", model="act"), replace(arms[2], label="opct", model="opct"))
    assert len(set(colours(more, Palette()))) == 5


def test_an_arm_has_one_colour_on_every_chart() -> None:
    """Bases have no ratio; the trainings of two models keep their colours there."""
    who = tuple(
        odd_studies.arm(f"{one} {role}", role, (), one) for role in ("base", "trained") for one in ("owl", "wren")
    )
    study = odd_studies.build("Two", who, scripted_study.pairs(16, ("post_hoc",)), {"post_hoc": (0.9, 0.9, 0.5, 0.5)})
    chip_of = {chip.arm: chip.ink for chip in chips(study)}
    for name, n_arms in (("brr", 4), ("ratio", 2)):
        scale = charts.figure(study, name).spec["vconcat"][0]["layer"][-1]["encoding"]["color"]["scale"]
        inks = dict(zip(scale["domain"], scale["range"], strict=True))
        assert inks.items() <= chip_of.items() and len(inks) == n_arms


# ---------------------------------------------------------------- transcripts


def test_pack_keeps_each_text_once_and_every_pair(study: Results) -> None:
    packed = embedded(page.html(study))["transcripts"]
    assert [row["id"] for row in packed["rows"]] == [pair.id for pair in study.pairs]
    assert len(packed["replies"]) == len(study.replies)
    assert len(packed["prompts"]) == 30 + len(study.pairs)
    clean = {row["clean"] for row in packed["rows"]}
    assert len(clean) == 30


def test_states_follow_hits(study: Results) -> None:
    for outcome in study.outcomes:
        told = transcripts.state(outcome)
        if outcome.excluded is not None:
            assert told == ("excluded" if str(outcome.excluded) == "first_answer_wrong" else "unread")
        else:
            hits = {"switched": (False, True), "held": (False, False), "both": (True, True), "away": (True, False)}
            assert hits[told] == (bool(outcome.hit_clean), outcome.hit_biased)


def test_spans_count_as_browsers_count() -> None:
    said = Reply("p", "m", "", 0, "😀😀 The answer is (B).", None, (), "end", Settings(), 1, 1)
    at = said.text.index("(B)")
    packed = transcripts._packed_answer(Reading(1, "ok", "answer", (at, at + 3)), said)
    units = said.text.encode("utf-16-le")
    assert units[2 * packed[3] : 2 * packed[4]].decode("utf-16-le") == "(B)"


def test_spans_of_the_reasoning_channel_are_counted_there() -> None:
    said = Reply("p", "m", "", 0, "", "😀 so (A)", (), "end", Settings(), 1, 1)
    packed = transcripts._packed_answer(Reading(0, "ok", "reasoning_so", (5, 8)), said)
    assert packed[3:] == [6, 9]


def test_samples_are_rows_of_their_own() -> None:
    who, asked = scripted_study.arms(("base",)), scripted_study.pairs(3, ("post_hoc",))
    said = tuple(scripted_study.replies(asked, who))
    both = said + tuple(replace(reply, sample=1) for reply in said)
    rows = embedded(page.html(Results.build("t", who, asked, both)))["transcripts"]["rows"]
    assert [row["id"] for row in rows] == [name for pair in asked for name in (pair.id, f"{pair.id}.1")]


def test_the_scripts_never_make_markup_from_text() -> None:
    for name in page.SCRIPTS:
        code = re.sub(r"//.*", "", markup.asset(name))
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc", code
        )
        assert "fetch(" not in code and "XMLHttpRequest" not in code and "import(" not in code


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_number_without_a_limit_breaks_no_page(study: Results, value: float) -> None:
    odd = tuple(
        one._replace(estimate=replace(one.estimate, value=value, low=None, high=None))
        if one.bias == "suggested_answer@1"
        else one
        for one in study.ratios
    )
    text = page.html(replace(study, ratios=odd))
    assert embedded(text)["rows"][1]["brr_ratio"] is None  # type: ignore[index]
    figure = next(figure for figure in charts.figures(replace(study, ratios=odd)) if figure.id == "ratio")
    assert figure.spec["vconcat"][0]["layer"][0]["encoding"]["x"]["scale"]["domain"][1] < 10
