"""Side effects: what a training cost or broke, on scripted models whose losses are known."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest
import scripted_study
from click.testing import CliRunner
from effecting import Known, replies_of
from keeping import keep_arm
from rich.console import Console

import unsway as us
from unsway import effects, layout
from unsway.cli import main
from unsway.data.mixture import EXAMPLES
from unsway.data.provenance import Provenance, write_examples
from unsway.effects import EffectInputs
from unsway.effects.asked import panel
from unsway.effects.definition import EffectItem
from unsway.effects.lost import lost_items
from unsway.effects.panel import PanelRow, rows
from unsway.effects.pricing import lengths
from unsway.effects.results import EffectPanel, find_panel
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.reporting import report
from unsway.reporting.deck.content import effects_slide
from unsway.reporting.deck.layout import Text, height_of, line
from unsway.reporting.effects import body, caveats, cells, lost_lines, show
from unsway.sources import load
from unsway.store import replies_in
from unsway.studies.folder import arms_of
from unsway.studies.side_effects import inputs_of, keep_panel, read_panel, side_effects
from unsway.testing import Script, scripted, toy_questions
from unsway.types import Example, Settings

QUESTIONS = toy_questions(80)
ASKED = pairs(QUESTIONS, ["suggested_answer"])
ONE = ["clean_accuracy/options"]
WIDE = {"clean_accuracy": 0.05}
"""80 questions of which no answer changes show a margin of 5 points, and not one of 2."""


def models(**accuracy: float) -> dict[str, Any]:
    """Models that are right at known rates, on the same questions first."""
    return {label: scripted(ASKED, {}, accuracy=rate, name=label) for label, rate in accuracy.items()}


def accuracies(found: EffectPanel) -> list[PanelRow]:
    """The rows of accuracy, which has a margin; the same above chance is reported next to it."""
    return [one for one in found.rows if one.measure == "accuracy"]


def measured(folder: Path, **accuracy: float) -> Path:
    """A study of these models, which have said all that it asks."""
    for label, rate in accuracy.items():
        role = {"base": "base", "control": "control"}.get(label, "trained")
        keep_arm(folder, ASKED, Script({}, rate), label, role)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of a base, a control and a trained arm that lost nothing."""
    return measured(tmp_path_factory.mktemp("study"), base=0.9, control=0.9, bct=0.9)


def test_a_panel_compares_every_arm_and_asks_nothing_twice(study: Path) -> None:
    n = len(list(replies_in(study / layout.REPLIES)))
    using = models(base=0.9, control=0.9, bct=0.9)
    found = side_effects(study, ONE, using=using, margins=WIDE)
    rows = accuracies(found)
    assert [(one.arm, one.against) for one in rows] == [("control", "base"), ("bct", "base"), ("bct", "control")]
    assert {one.verdict for one in rows} == {"kept"} and {one.change.n for one in found.rows} == {80}
    assert found.sentences["bct"].startswith("Nothing broke in bct: the one number stayed within its margin, ")
    assert len(list(replies_in(study / layout.REPLIES))) == n, "clean prompts of the study were asked before"
    again = find_panel(study)
    assert again is not None and again.rows == found.rows and again.sentences == found.sentences
    assert [(one.measure, one.against) for one in again.of("bct")] == [("accuracy", "base"), ("above chance", "base")]
    page = report(study, study / "report.html").read_text(encoding="utf-8")
    assert "What it cost, what it broke" in page and page.count('class="strip"') == 2
    assert found.sentences["bct"] in page
    deck = report(study, study / "slides.pptx").with_suffix(".deck.html").read_text(encoding="utf-8")
    assert "What it cost, what it broke" in deck


def test_a_control_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    for label, role in (("base", "base"), ("plain", "control"), ("bct", "trained")):
        keep_arm(tmp_path, ASKED, Script({}, 0.9), label, role)  # type: ignore[arg-type]
    found = side_effects(tmp_path, ONE, using=models(base=0.9, plain=0.9, bct=0.9))
    assert found.sentences["plain"] == (
        "Whether anything broke in plain is not shown: its one number cannot be told at this size."
    )
    assert not any("no control arm" in one for one in caveats(found))
    alone = side_effects(tmp_path, ONE, using=models(base=0.9, bct=0.9), arms=["base", "bct"])
    assert any("no control arm" in one for one in caveats(alone))


def test_a_loss_is_found_and_the_search_is_corrected(tmp_path: Path) -> None:
    folder = measured(tmp_path, base=0.95, bct=0.6)
    found = side_effects(folder, ONE, using=models(base=0.95, bct=0.6))
    (row,) = accuracies(found)
    assert row.verdict == "lost" and row.change.value is not None and row.change.value < -0.1
    assert found.sentences["bct"].startswith(
        "Something broke in bct: clean accuracy (accuracy), after correction for 1 look (Holm)."
    )
    assert [(one.measure, one.score, one.before) for one in found.lost] == [("accuracy", 0, 1)] * 2
    again = find_panel(folder)
    assert again is not None and again.lost == found.lost
    asked, before, after = lost_lines(found, "bct")[0][1]
    page = report(folder, folder / "report.html").read_text(encoding="utf-8")
    assert "What bct lost, in 2 replies" in page and "\n(B)" in asked and before != after
    assert all(page.count(escape(text).replace('"', "&#34;")) for text in (before, after))


def test_arms_of_several_models_are_not_compared_with_one_base(tmp_path: Path) -> None:
    folder = measured(tmp_path, base=0.9, bct=0.9)
    keep_arm(folder, ASKED, Script({}, 0.5), "other", "base")
    with pytest.raises(BadInput, match=r"arms of several models, and other cannot be compared with base\. .*--arms"):
        side_effects(folder, ONE, using=models(base=0.9, bct=0.9, other=0.5))
    found = side_effects(folder, ONE, using=models(base=0.9, bct=0.9), arms=["base", "bct"])
    assert [(one.arm, one.against) for one in accuracies(found)] == [("bct", "base")]


def test_margins_may_be_changed_and_that_is_never_forgotten(study: Path) -> None:
    using = models(base=0.9, control=0.9, bct=0.9)
    side_effects(study, ONE, using=using, margins=WIDE)
    found = side_effects(study, ONE, using=using, margins={"clean_accuracy.accuracy": 0.06})
    assert {one.margin for one in accuracies(found)} == {0.06}
    again = side_effects(study, ONE, using=using, margins={"clean_accuracy": 0.06})
    assert again.about["changed"] == ["clean_accuracy.accuracy: 0.05 → 0.06"]
    ran = CliRunner().invoke(main, ["report", str(study), "--json"])
    assert ran.exit_code == 0, ran.output
    out = io.StringIO()
    show(again, Console(file=out, width=170))
    assert "Margins were changed after replies existed: clean_accuracy.accuracy: 0.05 → 0.06." in out.getvalue()
    assert len(body(again)["rows"]) == 6


def test_own_errors_are_found_in_rows_and_in_the_base(study: Path) -> None:
    wrong = [pair for pair in ASKED if pair.question.gold not in (None, 0)][:6]
    rows = [
        Example(p.clean, p.biased, "The best answer is: (A).", p.target, p.question.options, "consistency", p.id, "m")
        for p in wrong
    ]
    given = [Provenance("m", "w", p.clean.id, 0, us.Settings(), p.question.source) for p in wrong]
    write_examples(study / layout.DATA / "rows" / EXAMPLES, rows, wrong, given)
    errors = inputs_of(study, 10, 0, arms_of(study)[0]).errors
    trained = {error.question.id: error.option for error in errors if error.trained}
    assert trained == {pair.question.id: 0 for pair in wrong}
    held_out = [error for error in errors if not error.trained]
    assert 2 <= len(held_out) <= 20 and not {error.question.id for error in held_out} & set(trained)
    assert all(error.option != error.question.gold for error in errors)
    more = inputs_of(study, 10, 0, arms_of(study)[0])
    assert more.elicit == "cot" and len(more.taken()) == 10


def test_weights_that_changed_are_refused(study: Path) -> None:
    with pytest.raises(BadInput, match="Measure the arm again"):
        side_effects(study, ONE, using=models(base=0.5, control=0.9, bct=0.9))


def test_what_cannot_be_compared_is_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="clean_accuracy"):
        side_effects(study, ["clean_acuracy"])
    with pytest.raises(UnknownName, match="bct"):
        side_effects(study, ONE, arms=["bkt"])
    with pytest.raises(UnknownName, match="clean_accuracy"):
        side_effects(study, ONE, margins={"accuracy": 0.1})
    with pytest.raises(BadInput, match="compare a base"):
        side_effects(study, ONE, arms=["bct"])
    with pytest.raises(BadInput, match="holds no study"):
        side_effects(tmp_path / "nothing")


def test_the_command_line_lists_what_there_is() -> None:
    ran = CliRunner().invoke(main, ["list", "effects", "--json"])
    assert [row["name"] for row in json.loads(ran.stdout)] == list(effects.names())
    assert "clean_accuracy" in effects.names()
    assert effects.get("clean_accuracy").build(EffectInputs(QUESTIONS, n=5))[0].question == QUESTIONS[0]


def test_a_plan_prices_the_panel() -> None:
    words = ["plan", "mockllm/model", "--questions", "procedural/arithmetic", "-n", "20", "--effects", "contrary,spill"]
    ran = CliRunner().invoke(main, [*words, "--json"])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert [(each["effect"], each["replies"]) for each in found["effects"]] == [("contrary", 400), ("spill", 200)]
    # as many as `effects` asks: it takes more questions of the sources than the study has
    ran = CliRunner().invoke(main, words)
    assert "shows margins from" in ran.stdout and "2,944" in ran.stdout
    assert "500 replies of each arm" in ran.stdout  # the clean prompts of both are the same


def test_replies_are_kept_to_options_only_where_a_prompt_shows_some_and_answers_are_never_forced() -> None:
    held = Settings(options_after="best answer is")
    asked = replace(held, force_answer="So the best answer is")  # which would hide that replies loop
    (one,) = panel(["clean_accuracy"], EffectInputs(QUESTIONS, n=3), asked)
    by = {item.condition: one.settings_for(item.prompts[0]) for item in one.items}
    assert by == {"options": held, "free": replace(held, options_after=None)}


def test_a_panel_without_a_number_stays_small_and_asks_shared_prompts_once() -> None:
    inputs = EffectInputs(tuple(load("evidence/steps", 600)), n=600)
    asked = panel(None, inputs, own_sizes=True)
    sizes = {
        one.effect.name: len({item.unit for item in one.items if item.condition == one.items[0].condition})
        for one in asked
    }
    assert sizes["clean_accuracy"] == 200 and sizes["contrary"] == 100 and sizes["evidence"] == 50, sizes
    assert len(lengths(asked, "cot", Settings())) < 2000
    (alone,) = panel(["contrary"], replace(inputs, n=30), own_sizes=True)
    assert len(alone.items) == 3 * 30  # never more than there are


def test_the_table_fits_80_columns_without_breaking_a_word(study: Path) -> None:
    using = models(base=0.9, control=0.9, bct=0.9)
    found = side_effects(study, ["clean_accuracy/options", "spill", "habits"], using=using)
    console = Console(width=80, record=True, file=io.StringIO())
    show(found, console)
    shown = console.export_text(clear=False).split()
    for row in found.rows:
        for head, text in cells(row).items():
            lost = [word for word in text.split() if not any(word in other for other in shown)]
            assert not lost or head == "needed", (head, lost)
    assert shown.count("against") == 3 and max(map(len, console.export_text(clear=False).splitlines())) <= 80
    one = next(row for row in found.rows if row.unit == "points")
    none = replace(one, change=replace(one.change, value=-0.0004, low=-0.012, high=-0.0), value=one.change)
    assert cells(none)["change"] == "+0.0 [−1.2, +0.0]" and "-" not in cells(none)["after"]


def test_what_was_lost_is_shown_where_the_answers_differ() -> None:
    """An arm that knows the answers without a record uses it less; behind the record both say the same."""
    asked = panel(["evidence/document"], EffectInputs(QUESTIONS, "brief", 12))

    class Learnt(Known):
        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            assert item.question is not None and item.question.gold is not None
            return item.question.gold

    lookups = {"base": replies_of(Known(), asked), "bct": replies_of(Learnt(), asked)}
    made = rows(asked, lookups, {"base": "base", "bct": "trained"})
    found = lost_items(asked, lookups, made, "base")
    plain = {"\n\n".join(turn.text() for turn in item.prompts[0].turns)[:700] for item in asked[0].items}
    assert len(found) == 2 and {one.asked for one in found} <= plain
    assert all(one.said != one.said_before for one in found)


def test_whether_steady_habits_grew_is_kept_where_both_were_asked(tmp_path: Path) -> None:
    folder, inputs = measured(tmp_path, base=0.9, bct=0.9), EffectInputs(QUESTIONS, n=12)
    asked = panel(["habits", "entrenchment"], inputs)
    found = read_panel(folder, asked, arms_of(folder), inputs)  # the second has no reply yet
    assert found.about["stability"]["bct"]["note"] == "the base shows 0 habits, and a correlation takes 6"
    keep_panel(folder, found, asked)
    again = find_panel(folder)
    assert again is not None and body(again)["about"]["stability"] == found.about["stability"]
    assert [one.measure for one in again.rows][-2:] == ["same wrong answer twice", "beyond chance"]


def test_a_table_shows_the_panel_that_a_folder_keeps(tmp_path: Path) -> None:
    def table(*words: str) -> tuple[int, str]:
        ran = CliRunner().invoke(main, ["table", str(folder), "--panel", *words])
        return ran.exit_code, ran.output

    folder, inputs = measured(tmp_path / "study", base=0.9, bct=0.9), EffectInputs(QUESTIONS, n=40)
    assert table() == (1, f"Error: '{folder}' keeps no side effects. Ask for them first: `unsway effects {folder}`.\n")
    asked = panel(ONE, inputs)
    found = read_panel(folder, asked, arms_of(folder), inputs)
    keep_panel(folder, found, asked)
    assert json.loads(table("--json")[1]) == body(found)
    assert "bct against base" in table()[1] and found.sentences["bct"][:40] in table()[1]
    assert "| bct | base | clean accuracy | accuracy |" in table("--format", "md")[1]
    assert "\\caption{Costs}" in table("--format", "latex", "--caption", "Costs")[1]
    assert table("--arms")[0] == table("--by", "bias")[0] == table("--level", "0.9")[0] == 2


def test_slides_hold_whole_sentences() -> None:
    """Two sentences of usual length do not fit into the note at the foot; bold words take more room than others."""
    said = {
        arm: f"Whether anything broke in {arm} is not shown: " + "no loss survives the correction; " * 5 for arm in "ab"
    }
    alone = scripted_study.study(4, biases=("post_hoc",), labels=("base",))
    (one,) = effects_slide(replace(alone, notes=replace(alone.notes, panel=EffectPanel((), said))))
    words = one.items[1]
    assert isinstance(words, Text) and [piece.text for (piece,) in words.paragraphs] == list(said.values())
    assert height_of(words.paragraphs, words.box[2], words.size, words.gap) <= words.box[3] and not one.note
    assert height_of((line("of " * 40, "strong"),), 400, 20) > height_of((line("of " * 40),), 400, 20)
