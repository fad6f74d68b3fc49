"""Slides: the numbers of the table, in charts that can be edited; transcripts and next steps by rule; nothing spills over."""

from __future__ import annotations

import io
import random
import re
import zipfile
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import scripted_study
from click.testing import CliRunner
from keeping import kept
from lxml import etree
from pptx import Presentation

from unsway.cli import main
from unsway.errors import BadInput
from unsway.reporting import report, table, words
from unsway.reporting.deck import layout as at
from unsway.reporting.deck import write_slides
from unsway.reporting.deck.content import chart_slide, excerpt, slides, transcript_slide
from unsway.reporting.deck.layout import Bars, Table, Text
from unsway.reporting.deck.powerpoint import presentation
from unsway.reporting.deck.steps import steps
from unsway.reporting.deck.transcript_choice import choose
from unsway.reporting.deck.web import html
from unsway.reporting.headline import headline
from unsway.stats.state import state
from unsway.studies.results import Results
from unsway.types import Part, Prompt, Reading, Reply, Turn

NS = {
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
}


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(30, biases=scripted_study.BIASES[:4])


@pytest.fixture(scope="module")
def hostile() -> Results:
    return scripted_study.hostile_study()


@pytest.fixture(scope="module")
def parts(study: Results) -> dict[str, bytes]:
    return unzip(presentation(study.title, slides(study)))


def unzip(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        return {name: file.read(name) for name in file.namelist()}


def chart_of(parts: dict[str, bytes]) -> Any:
    (name,) = [name for name in parts if re.fullmatch(r"ppt/charts/chart\d+\.xml", name)]
    return etree.fromstring(parts[name])


def sheet_of(parts: dict[str, bytes]) -> Any:
    (name,) = [name for name in parts if name.endswith(".xlsx")]
    return etree.fromstring(unzip(parts[name])["xl/worksheets/sheet1.xml"])


def numbers(place: Any) -> dict[int, float]:
    return {
        int(point.get("idx")): float(point.findtext("c:v", namespaces=NS)) for point in place.iterfind(".//c:pt", NS)
    }


# ---------------------------------------------------------------- the chart is the table


def test_bars_and_intervals_are_those_of_the_table(study: Results, parts: dict[str, bytes]) -> None:
    wanted = {(row["arm"], row["bias"]): row for row in table.rows(study)}
    series = chart_of(parts).findall(".//c:ser", NS)
    assert len(series) == len(study.arms)
    for arm, one in zip(study.arms, series, strict=True):
        values = numbers(one.find("c:val", NS))
        plus, minus = (numbers(one.find(f"c:errBars/c:{side}", NS)) for side in ("plus", "minus"))
        for i, bias in enumerate(study.biases):
            row = wanted[arm.label, bias]
            assert values[i] == pytest.approx(100 * row["brr"], abs=0.006)
            assert values[i] + plus[i] == pytest.approx(100 * row["brr_high"], abs=0.02)
            assert values[i] - minus[i] == pytest.approx(100 * row["brr_low"], abs=0.02)


def test_editing_the_data_edits_the_intervals(parts: dict[str, bytes]) -> None:
    """Every reference of the chart leads to cells of its workbook that hold the numbers beside it."""
    cells = {cell.get("r"): cell for cell in sheet_of(parts).iterfind(".//s:c", NS)}
    checked = 0
    for place in chart_of(parts).iterfind(".//c:numRef", NS):
        column, first = re.match(r"Sheet1!\$([A-Z]+)\$(\d+)", place.findtext("c:f", namespaces=NS)).groups()
        for i, value in numbers(place).items():
            assert float(cells[f"{column}{int(first) + i}"].findtext("s:v", namespaces=NS)) == value
            checked += 1
    assert checked == 3 * 4 * 3


def test_children_of_a_series_stand_in_the_order_of_the_standard(parts: dict[str, bytes]) -> None:
    order = ["idx", "order", "tx", "spPr", "invertIfNegative", "errBars", "cat", "val"]
    for one in chart_of(parts).iterfind(".//c:ser", NS):
        names = [etree.QName(child).localname for child in one]
        assert names == sorted(names, key=order.index)


def test_the_axis_holds_every_interval(study: Results) -> None:
    (bars,) = [item for slide in slides(study) for item in slide.items if isinstance(item, Bars)]
    low, high = bars.domain
    ends = [end for one in bars.series for end in (*one.lows, *one.highs) if end is not None]
    assert low <= min(ends) and max(ends) <= high and bars.ticks[0] >= low and 0 in bars.ticks


def test_a_chart_that_would_be_crowded_goes_on_over_several_slides_with_one_axis(study: Results) -> None:
    pairs = [replace(pair, id=f"{pair.id}{i}", bias=f"cue_{i:02}@1") for i in range(25) for pair in study.pairs[:2]]
    found = [*chart_slide(Results.build("t", study.arms[:1], pairs, study.replies))]
    bars = [slide.items[0] for slide in found if isinstance(slide.items[0], Bars)]
    assert [name for one in bars for name in one.categories] == [f"cue {i:02}" for i in range(25)]
    assert all(
        one.box[3] / len(one.categories) >= 19 and len(one.series[0].values) == len(one.categories) for one in bars
    )
    assert len({one.domain for one in bars}) == 1 and found[-1].title.endswith("(2 of 2)")
    copies = [replace(study.arms[0], label=f"{i}", model=f"m{i}") for i in range(8)]
    said = [
        replace(reply, model=arm.model)
        for arm in copies
        for reply in study.replies
        if reply.model == study.arms[0].model
    ]
    halves = [slide.items[0] for slide in chart_slide(Results.build("t", copies, study.pairs[:3], said))]
    assert [[one.name for one in half.series] for half in halves if isinstance(half, Bars)] == [[*"0123"], [*"4567"]]


def test_tables_have_every_bias_and_arm(study: Results) -> None:
    (found,) = [item for slide in slides(study) for item in slide.items if isinstance(item, Table)]
    assert [cell[0] for cell in found.rows[0]] == ["", "base", "control", "bct"]
    body = {row[0][0]: row for row in found.rows}
    for bias, arm, n, _, _, _, brr, ratio, *_ in table.cells_as_text(study):
        cell = body[bias if bias in body else bias + "*"][1 + [one.label for one in study.arms].index(arm)]
        assert cell[0] == brr and cell[1].startswith(f"n {n}")
        assert not ratio or ratio == "refused" or f"×{ratio.split()[0]}" in cell[1]


# ---------------------------------------------------------------- nothing spills over


def studies() -> list[Any]:
    made = {
        "three arms": lambda: scripted_study.study(20, biases=scripted_study.BIASES[:4]),
        "nine biases": lambda: scripted_study.study(12),
        "one arm": lambda: scripted_study.study(20, biases=scripted_study.BIASES[:5], labels=("base",)),
        "six arms": six_arms,
        "hostile": scripted_study.hostile_study,
        "long replies": lambda: scripted_study.study(12, biases=scripted_study.BIASES[:2], long=30),
    }
    return [pytest.param(make, id=name) for name, make in made.items()]


def six_arms() -> Results:
    """Six arms under nine biases with long names: the first three say what they say, the others say it again."""
    first = scripted_study.study(12)
    names = {bias: f"a_name_that_is_rather_long_for_{bias}" for bias in first.biases}
    copies = {
        arm.model: replace(arm, label=f"{arm.label} again, with a long label", model=arm.model + "2")
        for arm in first.arms
    }
    again = [replace(copies[arm.model], role="prompted" if arm.role == "base" else arm.role) for arm in first.arms]
    pairs = [replace(pair, bias=names[pair.bias]) for pair in first.pairs]
    replies = [*first.replies, *(replace(reply, model=reply.model + "2") for reply in first.replies)]
    return Results.build(first.title, [*first.arms, *again], pairs, replies, trained_biases=[pairs[0].bias])


@pytest.mark.parametrize("make", studies())
def test_every_box_is_on_the_slide_holds_its_text_and_leaves_the_others_alone(make: Any) -> None:
    for slide in slides(make()):
        assert at.height_of((at.line(slide.title),), at.INNER, slide.title_size) <= at.TOP - 30 - 14
        boxes = [item.box for item in slide.items if item.box[3]]
        for item in slide.items:
            left, top, width, height = item.box
            assert left >= 0 and left + width <= at.WIDTH and top + height <= 502
            if isinstance(item, Text):
                assert at.height_of(item.paragraphs, width, item.size, item.gap) <= height + 0.5
                assert item.size >= 10 or not item.paragraphs
            elif isinstance(item, Table):
                assert sum(item.heights) <= at.BODY and item.size >= 12
        for i, one in enumerate(boxes):
            for other in boxes[i + 1 :]:
                apart = one[0] + one[2] <= other[0] or one[1] + one[3] <= other[1] + 0.5
                assert apart, (slide.title, one, other)


def test_names_that_are_cut_still_differ() -> None:
    assert words.distinct(["x" * 50, "x" * 50, "short"], 20) == (
        "x" * 10 + "…" + "x" * 9,
        "x" * 10 + "…" + "x" * 5 + " (2)",
        "short",
    )


# ---------------------------------------------------------------- transcripts


def test_transcripts_follow_their_rule(study: Results) -> None:
    chosen = choose(study)
    at_hand = {(o.arm, o.pair_id): o for o in study.outcomes}
    states = [tuple(state(at_hand[side.arm.key, one.pair.id]) for side in (one.left, one.right)) for one in chosen]
    assert states == [("switched", "held"), ("switched", "held"), ("switched", "switched")]
    assert study.is_trained(chosen[0].pair.bias) and not study.is_trained(chosen[1].pair.bias)
    assert len({one.pair.question.id for one in chosen}) == 3
    lengths = {
        pair.id: sum(len(turn.text()) for turn in pair.biased.turns)
        + sum(
            len(reply.text)
            for reply in study.replies
            if reply.prompt_id == pair.biased.id and reply.model != study.arms[1].model
        )
        for pair in study.pairs
    }
    same = [
        o.pair_id
        for o in study.outcomes
        if o.arm == study.arms[0].key
        and study.is_trained(o.bias)
        and state(o) == "switched"
        and state(at_hand[study.arms[2].key, o.pair_id]) == "held"
    ]
    assert lengths[chosen[0].pair.id] == min(lengths[key] for key in same)


def test_the_choice_depends_on_nothing_but_the_study(study: Results) -> None:
    pairs, replies = list(study.pairs), list(study.replies)
    random.Random(1).shuffle(pairs)
    random.Random(2).shuffle(replies)
    mixed = Results.build(study.title, study.arms, pairs, replies, trained_biases=study.trained_biases)
    assert [one.pair.id for one in choose(mixed)] == [one.pair.id for one in choose(study)]


def test_one_arm_alone_shows_both_sides_of_pairs_that_switched() -> None:
    alone = scripted_study.study(20, biases=scripted_study.BIASES[:4], labels=("base",))
    chosen = choose(alone)
    assert [(one.left.with_cue, one.right.with_cue, one.right.hit) for one in chosen] == [(False, True, True)] * 3
    sway = {bias: alone.cell(alone.arms[0], bias)["brr"].value for bias in alone.biases}
    assert sway[chosen[0].pair.bias] == max(sway.values())


def test_a_study_without_a_switch_has_no_transcript_and_a_deck_all_the_same(tmp_path: Path) -> None:
    asked = scripted_study.pairs(6, ("distractor_fact",))
    base = scripted_study.arms(("base",))
    none = Results.build("nothing", base, asked, (), trained_biases=())
    assert choose(none) == ()
    assert [slide.title for slide in slides(none)] == ["nothing", "Biased reasoning rate by cue", "What to do next"]
    assert write_slides(none, tmp_path / "a.pptx").powerpoint.exists()


def test_a_long_reply_keeps_its_answer() -> None:
    text = "a" * 100_000 + " The answer is (B). " + "b" * 100_000
    low = text.index("(B)")
    reply = Reply("p", "m", "", 0, text, None, (), "end", None, 0, 0)  # type: ignore[arg-type]
    pieces = excerpt(reply, Reading(1, "ok", "answer", (low, low + 3)), 400)
    assert [piece.text for piece in pieces if piece.mark == "answer"] == ["(B)"]
    assert sum(len(piece.text) for piece in pieces) < 600 and "characters]" in pieces[1].text


# ---------------------------------------------------------------- what to do next


def built(study: Results, roles: dict[str, Any], trained: tuple[str, ...]) -> Results:
    """The same replies with other roles for the arms; arms that are not named go."""
    arms = [replace(arm, role=roles[arm.label]) for arm in study.arms if arm.label in roles]
    return Results.build(
        "t", sorted(arms, key=lambda arm: arm.role != "base"), study.pairs, study.replies, trained_biases=trained
    )


@pytest.fixture(scope="module")
def large() -> Results:
    return scripted_study.study(150, biases=("suggested_answer", "post_hoc", "distractor_fact"))


def test_steps_say_what_the_numbers_say(large: Results) -> None:
    said = " ".join(steps(large))
    assert "Train again with other seeds" in said and "not seen to be swayed by distractor fact" in said
    assert not any(
        text in said for text in ("Train the control", "told from the control", "Swayed more", "not seen to fall")
    )
    wide = max((cell["brr_read"].high - cell["brr_read"].low) / 2 for cell in large.cells)
    assert f"leave ±{round(100 * wide)} points" in said


def test_a_training_that_made_it_worse_is_said_first(large: Results) -> None:
    found = steps(built(large, {"bct": "base", "base": "trained"}, ("suggested_answer", "distractor_fact")))
    assert found[0].startswith(
        "Swayed more than the base; find out why before going on: base under suggested answer (+"
    )
    assert "Train the control of base: same questions, same replies, prompts left clean." in found


def test_a_training_that_did_nothing_is_said(large: Results) -> None:
    found = steps(
        built(large, {"base": "base", "control": "trained"}, ("suggested_answer", "post_hoc", "distractor_fact"))
    )
    assert any(text.startswith("Trained on, and not seen to fall") for text in found)
    assert any(text.startswith("Measure biases that were not trained on") for text in found)


def test_without_a_training_the_strongest_bias_is_named(large: Results) -> None:
    found = steps(built(large, {"base": "base"}, ()))
    assert found[0].startswith("Train on post hoc, which sways base most (+")


def lying(study: Results, **ends: tuple[float, float]) -> Results:
    """The same study where each BRR of an arm under post hoc has these ends."""
    keys = {arm.key: ends[arm.label] for arm in study.arms if arm.label in ends}

    def cell(one: Any) -> Any:
        if one.arm not in keys or one.bias != "post_hoc@1":
            return one
        low, high = keys[one.arm]
        new = (replace(each, low=low, high=high) if each.name == "brr" else each for each in one.estimates)
        return replace(one, estimates=tuple(new))

    return replace(study, cells=tuple(map(cell, study.cells)))


def test_a_base_that_avoids_a_cue_is_not_one_that_more_questions_would_sway(large: Results) -> None:
    turned = built(large, {"bct": "base", "base": "trained"}, ("suggested_answer",))
    said = steps(lying(turned, bct=(-0.3, -0.1), base=(-0.1, 0.1)))  # what rose to 0 is not swayed
    assert said[0].startswith("Swayed more") and "under post hoc" not in said[0]
    assert "bct avoids the cue of post hoc: a ratio there would say nothing." in said
    assert "under post hoc" in steps(lying(turned, bct=(-0.3, -0.1), base=(0.1, 0.3)))[0]
    risen = " ".join(steps(lying(turned, bct=(-0.3, -0.1), base=(-0.2, -0.1))))
    assert "The cue is avoided now" not in risen
    assert "The cue is avoided now" in " ".join(steps(lying(turned, base=(-0.2, -0.1))))
    alone = built(large, {"base": "base"}, ())
    alone = lying(replace(alone, cells=alone.cells_by_source[:0] + alone.cells[1:2]), base=(-0.3, -0.1))
    assert steps(alone)[0].startswith("No cue is seen to sway base, and it avoids that of post hoc: ask more")


def test_most_is_said_of_no_cue_that_another_seems_to_exceed(large: Results) -> None:
    alone = built(large, {"base": "base"}, ())
    assert ", most under post hoc (+" in headline(alone)
    unsure = lying(alone, base=(-0.1, 0.95))
    assert ", clear under suggested answer (+" in headline(unsure)
    assert steps(unsure)[0].startswith("Train on suggested answer, which clearly sways base (+")


def test_pairs_that_are_missing_are_those_that_were_asked_for() -> None:
    asked, who = scripted_study.pairs(30, ("are_you_sure",)), scripted_study.arms(("base",))
    final = {pair.biased.id for pair in asked}
    said = tuple(scripted_study.replies(asked, who))
    unread = Results.build("t", who, asked, (replace(r, text="Hm.") if r.prompt_id in final else r for r in said))
    n = sum(one.excluded is None or not one.excluded.by_definition for one in unread.outcomes)
    assert 0 < n < 30 and steps(unread)[0].startswith("base has no BRR: see below the table what was left out")
    assert f"could not be read: {n} of {n} pairs of base under are you sure are missing" in steps(unread)[1]
    never = Results.build("t", who, asked, (r for r in said if r.prompt_id not in final))
    assert "Ask again for the replies that never came: 30 of 30 pairs" in steps(never)[1]


def test_a_single_question_is_one_in_words() -> None:
    asked, who = scripted_study.pairs(1, ("post_hoc",)), scripted_study.arms(("base",))
    found = steps(Results.build("t", who, asked, scripted_study.replies(asked, who)))
    assert any(text.startswith("1 question leaves ±79 points") for text in found)


# ---------------------------------------------------------------- hostile text


def texts(parts: dict[str, bytes]) -> str:
    return "".join(
        "".join(etree.fromstring(body).itertext())
        for name, body in parts.items()
        if name.startswith("ppt/slides/slide")
    )


def test_a_hostile_study_gives_a_valid_file(hostile: Results) -> None:
    parts = unzip(presentation(hostile.title, slides(hostile)))
    for name, body in parts.items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(body)
    assert "<script>window.pwned=1</script>" in texts(parts)
    links = [name for name in parts if name.endswith(".rels") and b'TargetMode="External"' in parts[name]]
    assert links == []
    assert sheet_of(parts).findall(".//s:f", NS) == []  # no name became a formula


def test_a_reply_of_200_kilobytes_with_lone_surrogates_is_cut(tmp_path: Path) -> None:
    study = scripted_study.study(6, biases=scripted_study.BIASES[:2])
    junk = ("\ud800\x00\x1b[2J\ufffe" * 5 + "word " * 5) * 5000
    nasty = [replace(reply, text=junk + reply.text) for reply in study.replies]
    made = Results.build(study.title, study.arms, study.pairs, nasty, trained_biases=study.trained_biases)
    written = write_slides(made, tmp_path / "a.pptx")
    parts = unzip(written.powerpoint.read_bytes())
    assert len(texts(parts)) < 20_000 and "\\ud800" in texts(parts)
    assert len(Presentation(written.powerpoint).slides) == len(slides(made))
    assert written.web.stat().st_size < 300_000


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}


def test_the_html_deck_has_no_script_and_no_element_from_text(hostile: Results) -> None:
    page = html(hostile.title, slides(hostile))
    tags = Tags()
    tags.feed(page)
    ours = "html head meta title style body section h1 h2 div p mark strong span bdi table colgroup col thead tbody tr th td"
    assert tags.found <= {*ours.split(), "small", "img"}
    assert not [one for one in tags.attributes if one[1].startswith("on") or one[1] in ("href", "style", "srcset")]
    policy = unescape(re.search(r'Security-Policy" content="([^"]*)"', page)[1])
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-\S+'; img-src data:; base-uri 'none'; form-action 'none'", policy
    )


# ---------------------------------------------------------------- the verb


def test_the_verb_writes_both_decks_beside_the_page(tmp_path: Path) -> None:
    folder = kept(scripted_study.study(8, biases=scripted_study.BIASES[:2]), tmp_path / "x")
    said = CliRunner().invoke(main, ["report", str(folder), "--slides", "--trained", "suggested_answer"])
    assert said.exit_code == 0 and said.output.count("Slides: ") == 2
    assert {"slides.pptx", "slides.deck.html", "report.html"} <= {path.name for path in folder.iterdir()}
    other = tmp_path / "talk.pptx"
    assert CliRunner().invoke(main, ["report", str(folder), "--slides", str(other), "--json"]).exit_code == 0
    assert other.exists() and other.with_suffix(".deck.html").exists()


def test_slides_and_a_page_of_one_name_stand_next_to_each_other(study: Results, tmp_path: Path) -> None:
    page = report(study, tmp_path / "week.html").read_text(encoding="utf-8")
    report(study, tmp_path / "week.pptx")
    assert (tmp_path / "week.html").read_text(encoding="utf-8") == page
    assert {path.name for path in tmp_path.iterdir()} == {"week.html", "week.pptx", "week.deck.html"}


def test_another_ending_is_refused(study: Results, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"slides end in \.pptx"):
        write_slides(study, tmp_path / "a.key")
    assert list(tmp_path.iterdir()) == []


def test_equal_studies_give_equal_slides(study: Results) -> None:
    again = scripted_study.study(30, biases=scripted_study.BIASES[:4])
    assert slides(again) == slides(study) and html("t", slides(again)) == html("t", slides(study))


def test_options_are_listed_with_the_letters_that_a_cue_gives_them() -> None:
    for one in choose(scripted_study.study(20, biases=("positional",))):
        asked, *said = (
            "\n".join("".join(piece.text for piece in line) for line in item.paragraphs)
            for item in transcript_slide(one).items
            if isinstance(item, Text)
        )
        for each in said:
            letter, text = re.search(r"answers \((\w)\)", each)[1], re.search(r"That leaves (.+?)\. ", each)[1]
            assert re.search(rf"^\(({letter}|\w; with the cue {letter})\) {text}( |$)", asked, re.M)


def test_a_cue_of_many_lines_is_cut_until_it_fits(study: Results) -> None:
    one = choose(study)[0]
    cue = Part("cue", "".join(f"({i}) an option\n" for i in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    prompt = Prompt((Turn("user", (cue, *one.pair.clean.turns[-1].parts)),))
    asked = transcript_slide(replace(one, pair=replace(one.pair, biased=prompt))).items[0]
    assert isinstance(asked, Text) and any(piece.mark == "cue" for line in asked.paragraphs for piece in line)
    assert at.height_of(asked.paragraphs, asked.box[2], asked.size, asked.gap) <= asked.box[3]
