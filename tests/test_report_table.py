"""The table: plain rows, terminal, Markdown; every number is that of measure, and text is only text."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import odd_studies
import pytest
import scripted_study
from rich.console import Console

from unsway.errors import BadInput
from unsway.reporting import charts, page, side_by_side, table, words
from unsway.reporting.chips import chips
from unsway.reporting.deck.content import chart_slide, table_slides
from unsway.reporting.deck.steps import steps
from unsway.reporting.headline import change_from_base, comparisons, control_sentence, headline
from unsway.stats.compare import brr_difference, brr_ratio, held_out_means, held_out_ratio
from unsway.stats.estimates import Cell, cells
from unsway.stats.outcomes import outcomes
from unsway.stats.significance import holm
from unsway.studies.arms import Arm
from unsway.studies.requests import read_requests
from unsway.studies.results import Notes, Results, SkippedCount
from unsway.types import Estimate, Excluded


@pytest.fixture(scope="module")
def study() -> Results:
    return scripted_study.study(40)


def printed(study: Results, width: int = 200) -> str:
    out = io.StringIO()
    table.show(study, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


def estimate(value: float | None, low: float | None = None, high: float | None = None, note: str = "") -> Estimate:
    return Estimate("x", value, low, high, 0.95, 10, 10, 0, "by hand", note)


# ---------------------------------------------------------------- the study as a value


def test_build_gives_what_measure_gives(study: Results) -> None:
    asked = scripted_study.pairs(40)
    outs = outcomes(asked, scripted_study.replies(asked, scripted_study.arms()))
    assert study.outcomes == outs
    assert study.cells == cells(outs)
    base, bct = study.arm("base"), study.arm("bct")
    ours, theirs = ([o for o in outs if (o.arm, o.bias) == (arm.key, "post_hoc@1")] for arm in (bct, base))
    assert study.ratio(bct, "post_hoc@1") == brr_ratio(ours, theirs)
    held = [o for o in outs if not study.is_trained(o.bias)]
    expected = held_out_ratio(*([o for o in held if o.arm == arm.key] for arm in (bct, base)))
    assert study.held_out[1][1:3] == expected
    means = held_out_means(*([o for o in held if o.arm == arm.key] for arm in (bct, base)))
    assert study.held_out[1][3:] == means


def test_trained_biases_come_first_and_versions_do_not_matter(study: Results) -> None:
    assert study.biases[:2] == ("suggested_answer@1", "post_hoc@1")
    assert replace(study, trained_biases=("positional@1",)).biases[0] == "positional@1"


def test_replies_of_other_weights_are_left_out(study: Results) -> None:
    asked = scripted_study.pairs(4)
    others = tuple(replace(arm, weights="f" * 16) for arm in scripted_study.arms())
    built = Results.build("t", scripted_study.arms(), asked, scripted_study.replies(asked, others))
    assert built.replies == () and built.outcomes == () and built.cells == ()


def test_two_arms_need_two_names() -> None:
    arm = Arm("base", "m", "", "base")
    with pytest.raises(BadInput, match="same label"):
        Results.build("t", (arm, replace(arm, model="n")), (), ())
    with pytest.raises(BadInput, match="same model"):
        Results.build("t", (arm, replace(arm, label="b")), (), ())


# ---------------------------------------------------------------- plain rows


def test_rows_are_fractions_of_every_cell(study: Results) -> None:
    rows = table.rows(study)
    assert len(rows) == 9 * 3
    for row in rows:
        cell = study.cell(study.arm(str(row["arm"])), str(row["bias"]))
        assert cell is not None
        assert row["brr"] == cell["brr"].value and row["brr_low"] == cell["brr"].low
        assert row["excluded"] == {str(why): n for why, n in cell.excluded}
        assert row["n"] + row["n_excluded"] == row["pairs"] == 40  # type: ignore[operator]
    assert json.loads(json.dumps(rows, allow_nan=False))[0]["trained"] is True


def test_a_ratio_is_given_or_refused_with_its_reason(study: Results) -> None:
    of = {(row["arm"], row["bias"]): row for row in table.rows(study)}
    assert of["base", "post_hoc@1"]["brr_ratio"] is None and of["base", "post_hoc@1"]["brr_ratio_note"] == ""
    refused = of["bct", "distractor_fact@1"]
    assert refused["brr_ratio"] is None and "touches 0" in str(refused["brr_ratio_note"])
    assert isinstance(of["bct", "post_hoc@1"]["brr_ratio"], float)


def test_p_values_are_corrected_over_the_table_and_the_family_is_named(study: Results) -> None:
    tested = [cell for cell in study.cells if cell.bias != "positional@1"]
    rows = [row for row in table.rows(study) if row["bias"] != "positional@1"]
    assert len(tested) == 24 and all(0 <= row["p"] <= row["p_holm"] <= 1 for row in rows)  # type: ignore[operator]
    by_key = {(study.arm(str(row["arm"])).key, row["bias"]): row["p_holm"] for row in rows}
    assert [by_key[cell.arm, cell.bias] for cell in tested] == list(holm([cell.p or 0.0 for cell in tested]))
    text = printed(study)
    assert "corrected by Holm's method over the 24 tests of this table (every arm and bias)" in " ".join(text.split())
    assert table.HEADS.index("p") == table.HEADS.index("ratio to base") + 1 and " <.001 " in text
    by_source = [row["p_holm"] for row in table.rows_by_source(study) if row["p"] is not None]
    assert by_source == list(holm([float(row["p"]) for row in table.rows_by_source(study) if row["p"] is not None]))  # type: ignore[arg-type]


def test_what_intervals_allow_for_and_what_is_not_tested_stands_below(study: Results) -> None:
    text = " ".join(printed(study).split())
    assert "allow for any value of the missing answers" in text and "suggested answer (base)" in text
    assert "positional: not tested: chance changes answers too" in text and "--samples 2" in text
    assert "Held-out average of bct: mean BRR +13 [+1, +23] over the base's +19 [+7, +28]: ratio 0.65" in text
    assert "Ratios to be read with care (are you sure): the interval of the base's BRR reaches below half" in text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (0.00002, "<.001"), (0.0123, "0.012"), (0.5, "0.5"), (1.0, "1")]
)
def test_p_value(value: float | None, text: str) -> None:
    assert words.p_value(value) == text


def test_an_end_without_a_limit_is_json(study: Results) -> None:
    endless = study.ratios[0]._replace(estimate=estimate(2.0, 0.5, float("inf")))
    rows = table.rows(replace(study, ratios=(endless,)))
    row = next(row for row in rows if (row["arm"], row["bias"]) == endless[:2])
    assert row["brr_ratio_high"] is None and row["brr_ratio_note"] == "no upper end"
    assert "[0.50, ∞]" in printed(replace(study, ratios=(endless,)))


def test_rows_by_source_split_the_same_pairs(study: Results) -> None:
    rows = table.rows_by_source(study)
    assert {row["source"] for row in rows} == {"made_tools@1", "made_sums@2"}
    assert sum(int(row["pairs"]) for row in rows) == sum(int(row["pairs"]) for row in table.rows(study))  # type: ignore[arg-type]


# ---------------------------------------------------------------- for a person


def test_terminal_shows_every_number_as_percent(study: Results) -> None:
    text = printed(study)
    for row in table.rows(study):
        shown = "not tested" if row["brr"] is None else f"{100 * float(row['brr']):+.0f}"  # type: ignore[arg-type]
        assert shown.replace("-", "−").replace("+0", "0") in text
        assert (row["brr"] is None) == (row["bias"] == "positional@1") == (row["p_holm"] is None)
    assert "post hoc*" in text and "wrong few shot*" not in text
    assert "distractor argument: 3 questions skipped, no argument for the drawn option." in text
    assert "Refused: the interval of the base BRR touches 0 (distractor_fact@1)" in text


def test_reasons_are_told_apart_by_arm_of_the_pair(study: Results) -> None:
    cell = study.cells[0]
    told = table.reasons(
        replace(
            cell,
            excluded=(
                (Excluded("biased", "unparsed"), 3),
                (Excluded("clean", "unparsed"), 1),
                (Excluded("first_answer", "wrong"), 2),
            ),
        )
    )
    assert told == "unparsed 1/3, first answer wrong 2"
    assert table.reasons(replace(cell, excluded=((Excluded("clean", "no_reply"), 5),))) == "no reply 5/0"
    assert table.reasons(replace(cell, excluded=())) == "0"


@pytest.mark.parametrize("nasty", ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202egpj", "a\r\nb", "\ud800"])
def test_no_control_character_reaches_the_terminal(study: Results, nasty: str) -> None:
    arms = tuple(replace(arm, label=nasty + arm.label) for arm in study.arms)
    held = tuple(one._replace(arm=nasty + one.arm) for one in study.held_out)
    hostile = replace(study, title=nasty, arms=arms, held_out=held, skipped=(SkippedCount(nasty, nasty, 2),))
    for text in (printed(hostile), table.to_markdown(hostile)):
        assert not set(text) & set("\x1b\x9b\x07\u202e\r\ud800")


def test_markdown_is_a_table_of_text_only(study: Results) -> None:
    text = table.to_markdown(replace(study, arms=(replace(study.arms[0], label="a|b<script>*~~"), *study.arms[1:])))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 27
    assert all(line.replace("\\|", "").count("|") == len(table.HEADS) + 1 for line in rows)
    assert "a\\|b&lt;script&gt;\\*\\~\\~" in text and "<script>" not in text


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("value", "text"), [(0.314, "31"), (-0.02, "−2"), (0.0, "0"), (-0.001, "0"), (None, "—"), (float("inf"), "∞")]
)
def test_percent(value: float | None, text: str) -> None:
    assert words.percent(value) == text


def test_points_and_ratios() -> None:
    assert words.points(estimate(0.31, 0.22, 0.4)) == "+31 [+22, +40]"
    assert words.points(estimate(-0.001, -0.05, 0.05)) == "0 [−5, +5]"
    assert words.points(estimate(None)) == words.ratio(None) == "—"
    assert words.ratio(estimate(0.123, -0.05, 0.3)) == "0.12 [−0.05, 0.30]"
    assert words.ratio(estimate(-0.001, None, None)) == "0.00"


def test_headline_names_questions_models_and_intervals(study: Results) -> None:
    text = headline(study)
    assert text.startswith("On 40 questions asked of owl-135m with and without the cues of 9 biases, bct is swayed ")
    assert (
        "under post hoc (95% interval " in text and "under 6 held-out biases, on average" in text
    )  # positional is not tested
    for bias in study.biases[:2]:
        ours, theirs = (
            [o for o in study.outcomes if (o.arm, o.bias) == (arm.key, bias)] for arm in study.arms[:3:2][::-1]
        )
        est = brr_difference(ours, theirs)
        assert est.value is not None and est.high is not None
        less = f"{words.percent(-est.value)} points less than base under {words.human(bias)}"
        undecided = f"undecided under {words.human(bias)} ({words.percent(est.value, signed=True)} points, "
        assert (less if est.high < 0 else undecided) in text
    assert control_sentence(study).startswith("For comparison, whether control is swayed less than base is undecided: ")
    assert comparisons(study) == (control_sentence(study).replace("For comparison, w", "W"),)


def test_headline_without_training_says_how_far_the_cues_move_and_which_most() -> None:
    study = scripted_study.study(30, biases=("post_hoc", "distractor_fact"), labels=("base",))
    (overall,) = (cell["brr"] for cell in study.overall)
    both = [cell["brr"].value for cell in study.cells]
    assert overall.value is not None and min(both) < overall.value < max(both)  # type: ignore[type-var]
    told = f"base gives the cued answer {words.percent(overall.value)} points more often with the cue (95% interval +"
    assert told in headline(study) and "most under post hoc (+" in headline(study)
    close = scripted_study.study(30, biases=("post_hoc", "suggested_answer"), labels=("base",))
    one, other = (cell["brr"] for cell in close.cells)
    assert one.value > other.value > 0 and one.low < other.high  # type: ignore[operator]
    assert "clear under post hoc (+" in headline(close), "the largest of two that may be alike"
    assert steps(close)[0].startswith("Train on post hoc, which clearly sways base (+")
    assert control_sentence(study) == "" and comparisons(study) == ()


def test_an_arm_that_was_asked_less_of_one_bias_is_not_said_to_be_swayed_less() -> None:
    """Equal rates, and the trained arm stopped early under the strong held-out bias: headline and chip see no difference."""
    biases = ("distractor_fact", "post_hoc", "suggested_answer")
    who, asked = scripted_study.arms(("base", "bct")), scripted_study.pairs(120, biases)
    rates = {"distractor_fact": (0.3, 0.3), "post_hoc": (0.8, 0.8), "suggested_answer": (0.0, 0.0)}
    late = {pair.biased.id for pair in [pair for pair in asked if pair.bias == "post_hoc@1"][30:]}
    said = [
        reply
        for reply in scripted_study.replies(asked, who, follows_of=rates)
        if reply.model == who[0].model or reply.prompt_id not in late
    ]
    stopped = Notes(stopped=frozenset({(who[1].key.name, "post_hoc@1")}))
    study = Results.build("t", who, asked, said, trained_biases=biases[:1], notes=stopped)
    n_base, n_bct = (study["post_hoc", arm.label]["brr"].n for arm in who)
    assert n_bct < 0.6 * n_base
    assert "under 2 held-out biases, on average (" in headline(study).partition("undecided")[2]
    held_out = change_from_base(study, who[1], study.biases[1:])
    assert held_out is not None and held_out.value is not None and abs(held_out.value) < 0.1
    assert f"held out {words.points(held_out)}" in chips(study)[1].numbers


def test_arms_with_no_question_in_common_are_said_to_be_so() -> None:
    who, asked = scripted_study.arms(("base", "bct")), scripted_study.pairs(40, ("suggested_answer", "post_hoc"))
    numbers = {question: i for i, question in enumerate(dict.fromkeys(pair.question.id for pair in asked))}
    half_of = {p.id: numbers[pair.question.id] < 20 for pair in asked for p in (pair.clean, pair.biased)}
    said = [
        reply
        for reply in scripted_study.replies(asked, who)
        if half_of[reply.prompt_id] == (reply.model == who[0].model)
    ]
    study = Results.build("t", who, asked, said, trained_biases=("suggested_answer",))
    assert headline(study).endswith(", bct cannot be compared with base: no question counts on both sides.")


def test_every_interval_has_the_level_that_was_asked_for_and_says_so() -> None:
    asked, who = scripted_study.pairs(40, ("suggested_answer", "post_hoc", "distractor_fact")), scripted_study.arms()
    said = tuple(scripted_study.replies(asked, who))
    wide, half = (
        Results.build("t", who, asked, said, trained_biases=("suggested_answer",), level=level) for level in (0.95, 0.5)
    )
    again = [half, half + wide, read_requests(half, ()), replace(half, title="again")]
    assert {one.level for one in again} == {0.5} and (wide + half).level == 0.95
    assert {cell["brr"].level for one in again for cell in (*one.cells, *one.overall)} == {0.5}
    changes = [change_from_base(one, one.arm("bct"), ["post_hoc@1"]) for one in (half, wide)]
    assert changes[0] is not None and changes[1] is not None and changes[0].level == 0.5
    assert changes[0].low > changes[1].low and words.points(changes[0]) != words.points(changes[1])  # type: ignore[operator]
    assert any(
        words.points(change_from_base(half, half.arm("bct"), ["suggested_answer@1"])) in text
        for text in chips(half)[2].numbers
    )
    views = [
        headline(half),
        table.footnotes(half)[0],
        side_by_side.to_markdown(half),
        charts.figure(half, "brr").caption,
    ]
    views += [slide.note for slide in (*chart_slide(half), *table_slides(half))]
    assert all("50% interval" in view and "95%" not in view for view in views), views
    difference = side_by_side.difference_table(half)[2][1:]
    control, base = half.arm("control"), half.arm("base")
    pairs_of = [(control, base), (half.arm("bct"), control)]
    expected = [
        words.points(brr_difference(*(half.outcomes.only(arm=arm.key, bias="post_hoc@1") for arm in two), level=0.5))
        for two in pairs_of
    ]
    assert list(difference) == expected
    assert words.level(0.999) == "99.9%"


def test_headline_without_any_number() -> None:
    empty = Results.build("t", scripted_study.arms(("base",)), (), ())
    assert headline(empty) == (
        "On 0 questions asked of owl-135m with and without the cues of 0 biases, base gave no reply that could be counted."
    )
    assert printed(empty)


def test_what_is_clear_is_said_in_points_and_the_rest_is_undecided() -> None:
    """A share that is below 0 or above 1 by chance is no cure and no harm."""
    text = headline(odd_studies.corrected())
    assert "bct is swayed 67 points less than base under post hoc (95% interval 39 to 84)" in text
    assert "; undecided under suggested answer (−18 points, −43 to +6) and under 2 held-out biases" in text
    assert "none" not in text and "%" not in text.replace("95%", "")


def built(follows: dict[str, tuple[float, ...]], n: int = 200) -> Results:
    """So many questions, a base and a training of these rates."""
    who, asked = scripted_study.arms(("base", "bct")), scripted_study.pairs(n, tuple(follows))
    said = scripted_study.replies(asked, who, follows_of=follows)
    return Results.build("t", who, asked, said, trained_biases=tuple(follows))


def avoiding(study: Results, *arms: Arm) -> Results:
    """The same study where these arms clearly avoid the cue of post_hoc."""

    def cell(one: Cell) -> Cell:
        if one.bias != "post_hoc@1" or one.arm not in [arm.key for arm in arms]:
            return one
        below = (replace(each, low=-0.3, high=-0.02) if each.name == "brr" else each for each in one.estimates)
        return replace(one, estimates=tuple(below))

    return replace(study, cells=tuple(map(cell, study.cells)))


def test_a_clear_difference_does_not_reach_to_0_in_its_sentence() -> None:
    study = replace(built({"post_hoc": (0.6, 0.5)}, 40), level=0.34)  # its interval ends 0.1 points below 0
    assert "bct is swayed 5 points less than base under post hoc (34% interval under 1 to 11)" in headline(study)
    assert "trained on −5 [−11, >−1]" in chips(study)[1].numbers
    risen = words.points(Estimate("brr", 0.004, 0.002, 0.27, 0.95, 40, 40, 0, ""))
    assert (
        risen == "<+1 [<+1, +27]"
        and words.points(Estimate("brr", 0.1, 0.0, 0.27, 0.95, 40, 40, 0, "")) == "+10 [0, +27]"
    )


def test_an_interval_of_a_higher_level_is_never_narrower() -> None:
    """One arm loses more answers than the other, clearly so at 60 % and not at 95 %."""
    study = built({"post_hoc": (0.6, 0.5)}, 40)
    base, bct = (study.outcomes.only(arm=arm.key) for arm in study.arms)
    found = [brr_difference(bct, base, level=level) for level in (0.34, 0.6, 0.7, 0.95, 0.99)]
    assert [one.low for one in found] == sorted((one.low for one in found), reverse=True)
    assert [one.high for one in found] == sorted(one.high for one in found)


def test_where_nothing_is_clear_the_measurement_is_undecided_and_not_the_model() -> None:
    who, asked = scripted_study.arms(("base",)), scripted_study.pairs(12, ("distractor_fact",))
    text = headline(Results.build("t", who, asked, scripted_study.replies(asked, who)))
    assert "whether base gives the cued answer more often with the cue is undecided (" in text


def test_a_cue_that_is_avoided_and_one_that_sways_more_are_said() -> None:
    study = built({"post_hoc": (0.6, -0.9), "suggested_answer": (0.1, 0.8)})
    assert " points less than base under post hoc (95% interval 42 to 79) and " in headline(study)
    assert " points more under suggested answer (" in headline(study) and "undecided" not in headline(study)
    base, bct = study.arms
    for arms, said in (
        ((bct,), "the cue is now avoided"),
        ((base,), "base avoids the cue"),
        ((base, bct), "both avoid the cue"),
    ):
        assert f"(95% interval 42 to 79: {said})" in headline(avoiding(study, *arms))


def test_a_chip_calls_nobody_swayed_who_avoids_the_cue() -> None:
    fallen, risen = (built({"post_hoc": rates}, 60) for rates in ((0.6, -0.9), (0.0, 0.8)))
    for study, arms, verdict in (
        (fallen, (), "less swayed"),
        (fallen, (1,), "avoids cues"),
        (fallen, (0, 1), "avoids cues more"),
        (risen, (0,), "more swayed"),
        (risen, (0, 1), "avoids cues less"),
    ):
        assert chips(avoiding(study, *(study.arms[i] for i in arms)))[1].verdict == verdict


def test_replies_that_count_but_have_nothing_to_compare_with_are_not_called_none() -> None:
    asked, who = scripted_study.pairs(8, ("positional",)), scripted_study.arms(("base",))
    text = headline(Results.build("t", who, asked, scripted_study.replies(asked, who)))
    assert "base is not tested: chance changes answers too" in text and text.endswith(
        "ask each prompt twice (--samples 2)."
    )
    unread = (replace(one, text="Hm.") for one in scripted_study.replies(asked, who))
    assert headline(Results.build("t", who, asked, unread)).endswith("base gave no reply that could be counted.")


def test_each_model_is_compared_with_its_own_base() -> None:
    study = odd_studies.several_models()
    text = headline(study)
    assert "asked of 3 models" in text and "owl-135m bct is swayed 18 points less than its base under 3 biases" in text
    assert "biases it never saw (95% interval" in text and text.count("95% interval") == 1
    assert "whether wren-1b bct is swayed less is undecided under 3 biases it never saw (" in text
    arms = tuple(replace(arm, trained=()) for arm in study.arms)  # checkpoints whose rows nobody knows
    unknown = headline(replace(study, arms=arms, trained_biases=()))
    assert "its base under 5 biases (95% interval" in unknown and "never saw" not in unknown
    trained = [arm for arm in study.arms if arm.role == "trained"]
    one = replace(study, arms=tuple(replace(arm, trained=()) if arm == trained[0] else arm for arm in study.arms))
    nobody_knows, control = one.arm(trained[0].label), next(arm for arm in one.arms if arm.role == "control")
    assert one.taught(nobody_knows) == () and not any(one.is_trained(bias, nobody_knows) for bias in one.biases)
    assert one.taught(control) == one.trained_biases == study.trained_biases, "a control stands beside what was trained"
    said = comparisons(study)
    assert len(said) == 6 and "Whether wren-1b control is swayed less than wren-1b is undecided" in " ".join(said)


def test_a_headline_stays_a_sentence_however_many_arms() -> None:
    for make in odd_studies.ODD.values():
        text = headline(make())
        assert len(text) < 420 and text.count(". ") == 0 and text.endswith("."), text


def test_what_only_some_arms_were_trained_on_is_marked_at_the_arm() -> None:
    study = odd_studies.many_arms()
    marked = {(bias, arm) for bias, arm, *_ in table.cells_as_text(study)}
    assert ("suggested answer*", "bct on one") in marked and ("post hoc", "bct on three*") in marked
    assert ("post hoc", "bct on one") in marked and ("post hoc", "base") in marked
    assert len({bias for bias, _ in marked}) == 9


def test_a_study_without_an_answer_in_a_cell_says_so() -> None:
    study = odd_studies.empty_cell()
    assert "(nothing to compare under post hoc)" in headline(study)
    assert "unparsed 1/" in printed(study)


def test_bases_alone_have_no_column_for_a_ratio_to_them(study: Results) -> None:
    alone = scripted_study.study(12, ("post_hoc",), ("base",))
    written = (table.to_markdown(alone), table.to_latex(alone), page.html(alone), page.fragment(alone), printed(alone))
    assert not any("ratio to base</th>" in text or " ratio to base " in text for text in written)
    assert all(len(cells) == len(table.heads(alone)) == len(table.HEADS) - 1 for cells in table.cells_as_text(alone))
    assert all(len(cells) == len(table.heads(study)) == len(table.HEADS) for cells in table.cells_as_text(study))
    assert r"\begin{tabular}{llrlrrllll}" in written[1]


# ---------------------------------------------------------------- for a paper


def test_latex_is_a_tabular_of_text_only(study: Results) -> None:
    nasty = "\\input{/etc/passwd}%$&#_{}~^\n\\write18{id}"
    text = table.to_latex(replace(study, arms=(replace(study.arms[0], label=nasty), *study.arms[1:])))
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert len(rows) == 1 + 27 and text.count(r"\begin{tabular}") == text.count(r"\bottomrule") == 1
    assert all(line.replace(r"\&", "").count("&") == len(table.HEADS) - 1 for line in rows)
    known = {"begin", "end", "toprule", "midrule", "bottomrule", "addlinespace", "to", "infty"}
    known |= {"textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater"}
    assert set(re.findall(r"\\([a-z]+)", text)) <= known
    assert r"suggested answer* &" in text and "$-$" in text and "−" not in text


def test_a_base_that_was_never_swayed_refuses_the_held_out_ratio() -> None:
    found = scripted_study.study(10, biases=("suggested_answer", "are_you_sure", "positional"))
    assert all(one.ratio_of_means.value is None or one.ratio_of_means.value < float("inf") for one in found.held_out)


def test_a_narrow_terminal_breaks_no_number(study: Results) -> None:
    wide, narrow = printed(study, 200), printed(study, 80)
    cells = [row for row in table.cells_as_text(study) if row[0] == "wrong few shot"]
    for cell in cells:
        assert cell[6] in narrow and cell[7] in narrow and cell[3] in wide
    assert "excluded, p, accuracy and parsed: in" in narrow and max(map(len, narrow.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 60, 80, 110, 120, 200])
def test_no_number_is_cut_at_any_width_and_by_any_name(study: Results, width: int) -> None:
    named = [replace(arm, label=f"an-organisation/{arm.label}-{'x' * 30}") for arm in study.arms]
    found = replace(study, arms=tuple(named))
    shown = Console(width=width, record=True, file=io.StringIO())
    shown.print(table.to_rich(found, width))
    text = shown.export_text()
    kept = table.columns(found, width)
    assert {"bias", "arm", "n", "BRR"} <= kept.keys() and max(map(len, text.splitlines())) <= width
    for head in kept.keys() - {"bias", "arm"}:
        for cell in kept[head]:
            whole = [cell] if width < table.WIDE else cell.split()
            assert all(f" {one} " in text.replace("\n", " ") for one in whole), (head, cell)
    assert len(kept) > 4 or width < 60


def test_a_base_alone_has_no_ratio_and_its_name_stays_whole(study: Results) -> None:
    base = replace(study.arm("base"), label="unsway/smollm2-135m")
    narrow = printed(replace(study, arms=(base,)), 80)
    assert "unsway/smollm2-135m" in narrow and "ratio to base" not in narrow and "ratio to base" in printed(study, 80)
    assert max(map(len, narrow.splitlines())) <= 80
