"""Each side effect: what it asks, how a reply scores, and the verdicts on models whose losses are known."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from effecting import Known, cut, questions, replies_of

from unsway import effects
from unsway.biases import evidence as forms
from unsway.effects import EffectInputs, OwnError
from unsway.effects.adviser import RATES, is_right
from unsway.effects.asked import AskedEffect, judge_free, panel
from unsway.effects.definition import EffectItem
from unsway.effects.panel import PanelRow, row, rows, sentence
from unsway.effects.pricing import effect_plans, lengths
from unsway.effects.stance import stance
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.reporting.effects import FAR, ZERO, strip
from unsway.seeds import rng
from unsway.sources import load
from unsway.sources.evidence import KINDS, grounded
from unsway.stats.compared import Scores
from unsway.stats.margins import slope
from unsway.store import loads
from unsway.types import Prompt, Question, Reply, Settings

QUESTIONS = questions(80)
ERRORS = tuple(OwnError(q, ((q.gold or 0) + 1) % 4, trained=i % 2 == 0) for i, q in enumerate(QUESTIONS))
INPUTS = EffectInputs(QUESTIONS, "brief", 40, errors=ERRORS)


@cache
def everything() -> tuple[AskedEffect, ...]:
    """Every side effect that needs no judge, with what it asks."""
    return panel(judge_free(), INPUTS)


def compared(
    names: list[str] | None, n: int, base: Known, trained: Known, every: int = 0
) -> Mapping[tuple[str, str], PanelRow]:
    """Every number of a base and a trained model, by side effect and name; of the trained one every n-th reply may be cut."""
    asked = panel(names, EffectInputs(questions(n), "brief", n))
    after = replies_of(trained, asked)
    lookups = {"base": replies_of(base, asked), "bct": cut(after, every) if every else after}
    found = rows(asked, lookups, {"base": "base", "bct": "trained"})
    return {(one.effect.partition("@")[0], one.measure): one for one in found if one.arm == "bct"}


@pytest.mark.parametrize("name", judge_free())
def test_each_asks_what_it_says_and_the_same_every_time(name: str) -> None:
    effect = effects.get(name)
    items = effect.build(INPUTS)
    assert items == effect.build(INPUTS) and effect.question.endswith("?")
    conditions = {item.condition for item in items}
    for measure in effect.measures:
        assert set(measure.conditions) <= conditions, measure.name
        assert not measure.summary.endswith(".")
    for item in items:
        assert item.prompts and all(prompt.turns[-1].role == "user" for prompt in item.prompts)
        if item.pair is not None:
            assert item.pair.biased.stripped() == item.pair.clean.stripped()
    lookup = replies_of(Known(), everything())
    (asked,) = [one for one in everything() if one.effect.name == name]
    for measure in effect.measures:
        for item in items:
            if measure.conditions and item.condition not in measure.conditions:
                continue
            replies = [lookup(prompt, asked.settings, effect.samples) for prompt in item.prompts]
            value = measure.score(item, replies)
            assert value is not None, (measure.name, item.condition)
            assert (
                measure.span == (0, 0)
                or measure.kind == "median"
                or math.isnan(value)
                or (measure.span[0] <= value <= measure.span[1])
            )
            assert measure.score(item, [() for _ in item.prompts]) is None, f"{measure.name}: no reply is missing"


def test_guessing_is_0_above_chance_however_many_options_there_are() -> None:
    """Of 3 questions of 4 options 2 are right, and of 3 of 2 options 2: (2 - 1/3)/3 = 5/9 and (2 - 1)/3, on average 4/9."""
    posed = tuple(
        Question(f"What is {i}?", ("a", "b", "c", "d")[: 4 - 2 * (i > 2)], 1, "made@1", "test") for i in range(6)
    )

    class Right(Known):
        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            return int(item.unit not in (posed[0].id, posed[3].id))

    asked = panel(["clean_accuracy/options"], EffectInputs(posed, "brief", 6))
    lookup = replies_of(Right(), asked)
    found = rows(asked, {"base": lookup, "bct": lookup}, {"base": "base", "bct": "trained"})
    assert [(one.measure, one.value.value, one.verdict) for one in found] == [
        ("accuracy", pytest.approx(4 / 6), "cannot tell"),
        ("above chance", pytest.approx(4 / 9), "reported"),
    ]


def test_a_cut_reply_is_missing_and_not_wrong() -> None:
    found = compared(["clean_accuracy/options"], 300, Known(), Known(), every=10)
    one = found["clean_accuracy", "accuracy"]
    assert 15 < one.n_missing < 50 and one.change.n == 300 - one.n_missing and one.change.value == 0
    assert one.verdict == "cannot tell" and one.why == "missing answers decide"
    assert one.bounds is not None and one.bounds[0] < -0.02 < one.bounds[1]


def test_replies_that_are_missing_in_either_arm_decide_what_they_could_carry_across_its_margin() -> None:
    asked = panel(["clean_accuracy/options", "habits", "spill"], EffectInputs(questions(200), "brief", 200))
    whole = replies_of(Known(), asked)

    def half(prompt: Prompt, settings: Settings, samples: int) -> Sequence[Reply]:
        return () if int(prompt.id, 16) % 2 else whole(prompt, settings, samples)

    for base, arm in ((half, whole), (whole, half)):
        found = rows(asked, {"base": base, "bct": arm}, {"base": "base", "bct": "trained"})
        for one in found:
            if (one.measure in ("accuracy", "letter prior", "cut") and arm is half) or one.measure == "length":
                assert (one.verdict, one.why, one.needed) == ("cannot tell", "missing answers decide", None), (
                    one.measure
                )
            assert 80 < one.n_missing + one.n_missing_before < 120
        length = next(one for one in found if one.measure == "length")
        assert length.bounds == (None, 0.0) and loads(PanelRow, json.dumps(asdict(length), allow_nan=False)) == length


def test_a_model_that_always_says_one_letter_prefers_it() -> None:
    """Every question has four options, whether or not any reply chooses them."""

    class Always(Known):
        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            return 0

    class OneOfTwo(Known):
        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            return rng(0, "one of two", item.unit).randrange(2)

    found = compared(["habits"], 100, OneOfTwo(), Always())["habits", "letter prior"]
    assert found.value.value == pytest.approx(0.75) and found.before is not None
    assert found.before.value == pytest.approx(0.5, abs=0.001)
    assert found.change.value == pytest.approx(0.25, abs=0.001) and found.verdict == "lost"


def test_known_losses_get_the_right_verdicts() -> None:
    worse = Known(accuracy=0.76, use=0.5, contrary=0.125)  # 4 points, half of the use, 10 points of 80 right ones
    found = compared(["clean_accuracy/options"], 1200, Known(), worse)
    assert found["clean_accuracy", "accuracy"].verdict == "lost"
    assert found["clean_accuracy", "accuracy"].change.value == pytest.approx(-0.04, abs=0.015)
    names = ["contrary/gold", "contrary/against", "evidence/document", "evidence/premise"]
    found = compared(names, 300, Known(), worse)
    assert found["contrary", "BRR gold"].verdict == "lost"
    assert found["contrary", "BRR gold"].change.value == pytest.approx(-0.10, abs=0.03)
    assert found["contrary", "leaves gold"].value.value == pytest.approx(0.125, abs=0.04)
    assert found["contrary", "BRR against gold"].verdict == "kept"
    for use in ("use of a document", "use of a premise"):
        assert found["evidence", use].verdict == "lost"
        assert found["evidence", use].change.value == pytest.approx(0.5, abs=0.08)


def test_the_change_of_j_is_that_of_its_two_rates_whatever_is_missing() -> None:
    (asked,) = panel(["evidence"], INPUTS)
    (measure,) = (one for one in asked.effect.measures if one.name == "J")
    groups = ("correction",) * 20 + ("bad_correction",) * 20

    def arm(accepts: int, n_bad_read: int = 20) -> Scores:
        right = np.repeat([1.0, -1.0, 1.0], [accepts, 20 - accepts, 20])
        read = np.where(np.arange(40) < 20 + n_bad_read, right, np.nan)
        ends = (np.where(np.isnan(read), end, read) for end in (-1.0, 1.0))
        return Scores(read, *ends, 20 - n_bad_read, groups)

    for n_bad_read in (20, 5):
        made = row(asked, measure, ("bct", "base"), (arm(15, n_bad_read), arm(5)))
        assert made.change.value == pytest.approx(0.5) and made.value.value == pytest.approx(0.75)
    none = row(asked, measure, ("bct", "base"), (arm(15, 0), arm(5)))
    assert none.change.value is None and none.why == "no question of bad correction was read in both arms"


def test_no_slope_of_an_adviser_is_steeper_than_what_a_missing_answer_counts_as() -> None:
    (measure,) = effects.get("adviser").measures
    turns = product((-1, 0, 1), repeat=len(RATES))
    steepest = max(slope([rate / 20 for rate in RATES], y) for y in turns)
    assert measure.span == pytest.approx((-steepest, steepest))


def test_a_reply_that_grew_is_drawn_where_its_number_is() -> None:
    (spill,) = panel(["spill"], INPUTS)
    (length,) = (one for one in spill.effect.measures if one.name == "length")
    times = np.array([1.0, 1.02, 1.04, 1.06, 1.1, 1.3, 1.3, 1.3, 1.4, 1.4, 1.5])
    made = row(spill, length, ("bct", "base"), (Scores.whole(times), Scores.whole(np.ones(11))))
    assert made.change.value == 1.3 and made.shift == pytest.approx(-0.3)
    assert strip(made).middle == pytest.approx(ZERO - ZERO / FAR * 0.3 / 0.15, abs=0.1)


def test_a_model_that_lost_nothing_is_kept_or_cannot_be_told() -> None:
    found = compared(None, 60, Known(noise=0.05), Known(noise=0.05, seed=1))
    assert [key for key, one in found.items() if one.verdict == "lost"] == []
    assert sentence(list(found.values()), "bct", "base").startswith(
        "Whether anything broke in bct is not shown: no loss"
    )
    unsure = found["clean_accuracy", "accuracy"]
    assert unsure.verdict == "cannot tell" and unsure.needed is not None and unsure.needed > 60
    same = compared(["clean_accuracy"], 240, Known(), Known())
    assert {one.verdict for one in same.values() if one.margin is not None} == {"kept"}
    assert sentence(list(same.values()), "bct", "base").startswith("Nothing broke in bct: all 2 numbers")


def test_a_contrarian_hardly_shows_on_wrong_options() -> None:
    found = compared(["contrary"], 200, Known(accuracy=0.6), Known(accuracy=0.6, contrary=0.4))
    gold, wrong = found["contrary", "BRR gold"], found["contrary", "BRR wrong"]
    assert gold.change.value == pytest.approx(-0.4 * 0.6, abs=0.07) and gold.verdict == "lost"
    assert wrong.value.value is not None and wrong.value.value >= -0.15


def test_a_model_that_uses_documents_and_no_hunches_keeps_its_use() -> None:
    found = compared(["evidence", "contrary/wrong"], 60, Known(use=0.9), Known(use=0.9))
    one = found["evidence", "use of a document"]
    assert one.change.value == pytest.approx(1.0) and one.verdict == "kept"
    assert found["contrary", "BRR wrong"].value.value == 0
    j = found["evidence", "J"]
    assert j.value.how.startswith("MOVER") and j.value.value is not None and j.value.low is not None


@pytest.mark.parametrize(
    ("wrong", "gold", "word"),
    [
        ((0.2, 0.4), (0.1, 0.3), "swayed:"),
        (
            (0.2, 0.4),
            (-0.02, 0.1),
            "swayed towards wrong options, and as far as this size shows not towards the right one",
        ),
        (
            (-0.02, 0.1),
            (0.1, 0.3),
            "swayed towards the right option, and as far as this size shows not towards wrong ones",
        ),
        ((-0.3, -0.1), (0.1, 0.3), "unclear"),
        ((-0.01, 0.02), (-0.02, 0.01), "neither swayed nor contrary"),
        ((-0.1, -0.01), (-0.4, -0.2), "contrarian"),
    ],
)
def test_what_it_does_with_hunches(wrong: tuple[float, float], gold: tuple[float, float], word: str) -> None:
    found = compared(["contrary"], 20, Known(), Known())
    ends = {"BRR wrong": wrong, "BRR gold": gold, "leaves gold": (0.2, 0.3)}
    made = []
    for (_, name), one in found.items():
        if name in ends:
            low, high = ends[name]
            made.append(replace(one, value=replace(one.value, value=(low + high) / 2, low=low, high=high)))
    assert f"Under hunches it is {word}" in stance(made, "bct") and "-" not in stance(made, "bct")
    assert stance([], "bct") == ""


def test_missing_answers_can_change_what_it_does_with_hunches() -> None:
    whole, some, half = ([*compared(["contrary"], 60, Known(), Known(), n).values()] for n in (0, 40, 2))
    known = "Under hunches it is neither swayed nor contrary, as far as this size shows: BRR 0 ["
    assert stance(whole, "bct").startswith(known) and stance(some, "bct").startswith(known)
    assert not any(one.n_missing for one in whole) and 0 < sum(one.n_missing for one in some) < 15
    n = sum(one.n_missing for one in half if one.measure in ("BRR wrong", "BRR gold"))
    assert f"it is unclear, because {n} answers are missing and could change what it is: BRR 0 [" in stance(half, "bct")


def test_errors_that_were_trained_on_stick() -> None:
    asked = panel(["own_errors"], INPUTS)
    wrong = {error.question.id: error.option for error in ERRORS}

    class Stuck(Known):
        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            sticks = item.condition == "trained" and rng(0, "stick", item.unit).random() < 0.6
            assert item.question is not None
            return wrong[item.unit] if sticks else item.question.gold or 0

    lookups = {"base": replies_of(Known(1.0), asked), "bct": replies_of(Stuck(), asked)}
    (one,) = rows(asked, lookups, {"base": "base", "bct": "trained"})
    assert one.verdict == "lost" and one.change.value == pytest.approx(0.6, abs=0.15)
    (same,) = rows(asked, lookups | {"bct": lookups["base"]}, {"base": "base", "bct": "trained"})
    assert same.verdict == "cannot tell" and same.change.value == 0
    assert effects.get("own_errors").build(replace(INPUTS, errors=ERRORS[:1])) == ()


def test_errors_that_a_noisy_base_was_chosen_by_are_not_unlearnt_ones() -> None:
    """All arms answer by chance. Held-out errors were chosen by the base's first reply, trained ones by another."""

    class Chance(Known):
        def answer(self, item: EffectItem, number: int, sample: int) -> int:
            return rng(0, "chance", self.accuracy, item.unit, sample).randrange(4)

    chosen = []
    for i, error in enumerate(ERRORS):
        option = rng(0, "chance", 1.0, error.question.id, 0 if not error.trained else "row").randrange(4)
        chosen.append(replace(error, option=option, trained=i % 2 == 0))
    asked = panel(["own_errors"], replace(INPUTS, errors=tuple(chosen)))
    lookups = {"base": replies_of(Chance(1.0), asked), "bct": replies_of(Chance(0.5), asked)}
    (one,) = rows(asked, lookups, {"base": "base", "bct": "trained"})
    assert one.verdict == "cannot tell" and one.change.low < 0 < one.change.high
    assert one.before.value == pytest.approx(0.25, abs=0.1)


# ---------------------------------------------------------------- evidence


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [1, 2, 3])
def test_grounds_decide_and_do_not_stand_in_the_question(kind: str, level: int) -> None:
    for number in range(60):
        made = KINDS[kind][0](level, rng(0, "made", number))
        right, shown = made.puzzle.right, {made.puzzle.right, *made.puzzle.wrong}
        assert made.grounds not in made.puzzle.stem and len(shown) >= 4
        if kind != "premises":
            assert right in made.grounds
        if kind == "steps":
            a, b, c = map(int, re.findall(r"\d+", made.puzzle.stem))
            assert str(a + b * c) == right and made.reworded != made.puzzle.stem
            assert (
                made.slip.rpartition(" is ")[2] in shown - {right}
                and str(b * c) not in made.slip.split(", ")[0].split()[-1:]
            )


def test_what_is_grounded_is_what_a_source_gives() -> None:
    given = grounded("records", 60)
    assert [each.question for each in given] == list(load("evidence/records", 60))
    assert {each.question.gold for each in given} == {0, 1, 2, 3}
    assert all(each.question.options[each.question.gold or 0] in each.grounds for each in given)


@pytest.mark.parametrize("form", forms.FORMS)
def test_evidence_only_adds_and_a_premise_names_no_letter(form: str) -> None:
    asked, given = forms.evidence(form, 30)
    made = pairs(asked, [given], aim="gold")
    assert len(made) == 30
    for pair in made:
        assert pair.biased.stripped() == pair.clean.stripped() and pair.target.cued == pair.question.gold
        if form != "correction":
            assert not re.search(r"\([A-D]\)", pair.biased.cue())
    assert {q.split for q in asked} == {"train"}


def test_a_correction_and_its_empty_doubt_plant_the_same_answer() -> None:
    given = grounded("steps", 30)
    asked = [each.question for each in given]
    good, empty = (pairs(asked, [forms.correction(given, empty=e)], aim="gold").pairs for e in (False, True))
    for one, other in zip(good, empty, strict=True):
        assert one.biased.turns[1] == other.biased.turns[1], "the planted answer"
        planted = one.biased.turns[1].text()
        assert f"({'ABCD'[one.question.gold or 0]})" not in planted
    bad = pairs(asked, [forms.bad_correction(given)], aim="gold").pairs
    assert all(f"({'ABCD'[p.question.gold or 0]})" in p.biased.turns[1].text() for p in bad)


def test_an_adviser_is_right_as_often_as_his_record_says() -> None:
    asked = load("procedural/arithmetic", 800)
    for rate in RATES:
        found = [is_right(question, rate, seed) for question in asked for seed in range(5)]
        share, error = rate / 20, math.sqrt(rate / 20 * (1 - rate / 20) / len(found))
        assert abs(sum(found) / len(found) - share) < 3 * error, rate


def test_sources_of_evidence_share_nothing_between_splits() -> None:
    train, test = (grounded("records", 100, split=split) for split in ("train", "test"))
    assert not {each.question.stem for each in train} & {each.question.stem for each in test}
    assert len(load("evidence/records@2", 50)) == 50


# ---------------------------------------------------------------- panels


def test_a_condition_is_a_part_of_a_side_effect() -> None:
    (one,) = panel(["contrary/gold", "contrary/wrong"], INPUTS)
    assert {item.condition for item in one.items} == {"gold", "wrong"}
    assert [m.name for m in one.effect.measures] == ["BRR gold", "BRR wrong", "leaves gold"]
    with pytest.raises(UnknownName, match="gold"):
        panel(["contrary/golden"], INPUTS)
    with pytest.raises(BadInput, match="nothing to ask"):
        panel(["contrary"], replace(INPUTS, questions=()))


def test_a_plan_counts_every_reply_once_and_says_what_it_can_show() -> None:
    plain = Settings()
    counts = {each.effect: each for each in effect_plans(everything())}
    assert counts["entrenchment"].replies == 80 and counts["contrary"].replies == 40 * 4
    assert len(lengths(everything(), "brief", plain)) < sum(each.replies for each in counts.values())
    one = counts["clean_accuracy"]
    assert one.questions == 40 and one.shows == pytest.approx(0.17, abs=0.01)
    assert one.margins[0] == ("accuracy", 0.02, 2944)
