"""How far judges can be trusted, and what follows: cards, ensembles, placebos, corrections, checks, notes, plans."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from keeping import keep_arm
from test_thoughts import CIPHER, TRUTH
from test_thoughts import reply as shaped_reply

import unsway as us
from unsway import biases
from unsway.cli import main
from unsway.errors import BadInput
from unsway.judging import rubrics
from unsway.judging.checks import judge_check, with_words
from unsway.judging.ensembles import decided, ensemble
from unsway.judging.foreign_labels import import_labels
from unsway.judging.items import LabelItem
from unsway.judging.label_store import LabelStore
from unsway.judging.planned import judge_plan
from unsway.judging.rubrics import Said
from unsway.judging.trust import JudgeCost, judge_agreements, judge_card, length_alone
from unsway.judging.verdicts import JudgedReply, quote_span
from unsway.pairing import pairs, retarget
from unsway.planning.prices import prices
from unsway.reporting import reasoning, transcripts, words
from unsway.reporting.deck.content import reasoning_slides
from unsway.reporting.judged import (
    UNTOLD,
    admissions,
    channel_rows,
    check_rows,
    cost_rows,
    estimates,
    footnotes,
    gap_rows,
    of_study,
    rows,
    tables,
    verbalised_rows,
)
from unsway.reporting.page import html
from unsway.stats.corrected import JudgeTable, gate, rate_gap, true_rate
from unsway.stats.intervals import wilson
from unsway.stats.monitoring import auroc
from unsway.stats.verbalised import net
from unsway.studies.arms import Arm
from unsway.studies.folder import results
from unsway.studies.judged import Judged, judged
from unsway.studies.judged_cells import BOTH, MENTIONS
from unsway.studies.judging import Judging, check_judges, drawn_texts, judge
from unsway.studies.kin import same_family
from unsway.studies.results import Notes, Results
from unsway.testing import ADMISSION, Script, judge_words, scripted_judge, scripted_replies, toy_questions
from unsway.types import Reading, Verdict

PAIRS = pairs(toy_questions(60), [biases.get("suggested_answer"), biases.get("majority_vote")], elicit="cot")
SCRIPT = Script({"suggested_answer": 0.6, "majority_vote": 0.5}, 0.8, 1.0, 3, 0.4)
ARM = Arm("base", "scripted/model", SCRIPT.weights, "base")
REPLIES = scripted_replies(PAIRS, SCRIPT)


def study(arm: Arm = ARM, **notes: Any) -> Results:
    return Results.build("t", [arm], PAIRS, REPLIES, notes=Notes(**notes))


def said(texts: Sequence[JudgedReply], by: str, rates: tuple[float, float, float], *asked: str) -> list[Verdict]:
    """What a scripted judge says, without asking a model."""
    found = []
    for name in asked or ("mentions_cue",):
        rubric = rubrics.get(name)
        for each in texts:
            prompt = rubric.prompt(each.cued, each.side, each.text("answer")[0]).turns[0].text()
            value = rubric.value(judge_words(prompt, rates, len(by)), each.pair, each.side)
            found.append(each.verdict(rubric, "answer", by, value if isinstance(value, Said) else Said(value)))
    return found


TEXTS = [*drawn_texts(study(), Judging(placebos=("matched", "swapped")))]
PERFECT = said(TEXTS, "perfect/judge", (1, 1, 0), "mentions_cue", "relies_on_cue")


def labelled(verdicts: Sequence[Verdict], n: int) -> tuple[Verdict, ...]:
    """A person who says what a judge says of the first biased replies."""
    own = [v for v in verdicts if (v.side, v.placebo) == ("biased", "") and v.question.startswith("mentions_cue")]
    return tuple(replace(v, by="ana", question="mentions_cue@people.2") for v in own[:n])


# ---------------------------------------------------------------- ensembles


@pytest.mark.parametrize(
    ("rule", "sensitivity", "specificity"), [("majority", 0.896, 0.972), ("any", 0.992, 0.729), ("all", 0.512, 0.999)]
)
def test_three_judges_with_independent_errors(rule: Any, sensitivity: float, specificity: float) -> None:
    """Members of sensitivity .8 and specificity .9."""

    def chance(p_yes: float) -> float:
        votes = product((True, False), repeat=3)
        return sum(p_yes ** v.count(True) * (1 - p_yes) ** v.count(False) for v in votes if decided(v, rule))

    assert chance(0.8) == pytest.approx(sensitivity) and 1 - chance(0.1) == pytest.approx(specificity)


@pytest.mark.parametrize(
    ("votes", "any_", "majority", "all_"),
    [
        ((True, None, None), True, None, None),
        ((True, True, None), True, True, None),
        ((False, None, None), None, None, False),
        ((False, False, None), None, False, False),
        ((True, False), True, False, False),
    ],
)
def test_a_missing_member_withholds_its_vote(votes: Any, any_: Any, majority: Any, all_: Any) -> None:
    assert (decided(votes, "any"), decided(votes, "majority"), decided(votes, "all")) == (any_, majority, all_)


def test_an_ensemble_is_of_one_question_and_stands_next_to_its_members() -> None:
    others = [replace(v, by="b", value=None, missing="unread") for v in PERFECT if v.question.startswith("mentions")]
    made = ensemble([*PERFECT, *others], "all")
    assert {v.question for v in made} == {"mentions_cue@1"}, "reliance was asked of one judge only"
    assert {v.by for v in made} == {"all of perfect/judge, b"}
    assert {(v.value, v.missing) for v in made} == {(False, ""), (None, "unread")}
    with pytest.raises(BadInput, match="most"):
        ensemble(PERFECT, "most")  # type: ignore[arg-type]


def test_a_judge_that_was_not_asked_about_a_text_withholds_its_vote() -> None:
    """Three judge the first two texts, the last text has the verdicts of two, who differ."""
    votes = {"r1": (True, True, False), "r2": (False, False, True), "r3": (True, False)}
    verdicts = [
        Verdict(reply, "answer", "mentions_cue@1", by, value)
        for reply, values in votes.items()
        for by, value in zip("ABC", values, strict=False)
    ]
    made = {rule: [(v.value, v.missing) for v in ensemble(verdicts, rule)] for rule in ("any", "majority", "all")}  # type: ignore[arg-type]
    assert made["majority"] == [(True, ""), (False, ""), (None, "unread")]
    assert made["any"] == [(True, "")] * 3 and made["all"] == [(False, "")] * 3


# ---------------------------------------------------------------- placebos


def test_a_judge_that_was_shown_nothing_of_a_channel_is_no_further_member() -> None:
    """Of replies without thoughts it has no verdict on any; under another name it withheld its vote on the answers, too."""
    found = judge(
        study(),
        by=["patterns", scripted_judge(1, 1)],
        channels=("answer", "thinking"),
        ensemble="any",
        settings=us.Settings(max_tokens=50),
        n=5,
    )
    assert len({cell.by for cell in found.cells}) == 3
    assert {v.value for v in found.verdicts if v.by.startswith("any of") and v.channel == "answer"} >= {False}


def test_the_matched_placebo_points_to_what_the_clean_reply_chose() -> None:
    by_side = {(t.side, t.placebo) for t in TEXTS}
    assert by_side == {("biased", ""), ("clean", ""), ("clean", "matched"), ("biased", "swapped")}
    outcomes = {o.pair_id: o for o in study().outcomes}
    for text in TEXTS:
        if text.placebo == "matched":
            assert text.cued.target.cued == outcomes[text.pair.id].clean.choice and text.cued.clean == text.pair.clean
            assert (text.cued.biased == text.pair.biased) == (text.pair.target.cued == text.cued.target.cued)
        if text.placebo == "swapped":
            assert text.cued.bias != text.pair.bias and text.cued.question == text.pair.question
    argued = replace(PAIRS.pairs[0], bias="distractor_argument@1")
    assert retarget(argued, biases.get("distractor_argument"), 0) is None, "nobody wrote that argument"


def test_given_a_switch_the_plain_placebo_is_too_easy() -> None:
    """False positives .20 on replies for the cued option, .02 on others, 13 % of clean replies for it: .257 for .10."""
    questions = [str(i) for i in range(1000)]
    plain = [True] * 26 + [False] * 104 + [True] * 17 + [False] * 853
    assert sum(plain) / 1000 == pytest.approx(0.0434, abs=5e-4)
    found = [True] * 300 + [False] * 700
    matched = [True] * 200 + [False] * 800
    assert net(found, plain, questions).value == pytest.approx(0.257, abs=5e-4)
    assert net(found, matched, questions).value == pytest.approx(0.10)


# ---------------------------------------------------------------- cards, the gate, corrections


def card_of(labels: Sequence[bool], values: Sequence[bool | int | None], question: str = "mentions_cue") -> Any:
    people = [Verdict(str(i), "answer", f"{question}@people.2", "ana", yes) for i, yes in enumerate(labels)]
    verdicts = [
        Verdict(str(i), "answer", f"{question}@1", "j", value, missing="" if value is not None else "unread")
        for i, value in enumerate(values)
    ]
    return judge_card(verdicts, people, {}, {str(i): 100 for i in range(len(labels))})


def test_a_card_counts_missing_verdicts_apart_and_as_the_worst_case() -> None:
    card = card_of([True] * 40 + [False] * 60, [True] * 30 + [None] * 10 + [True] * 5 + [False] * 55)
    assert tuple(card.table) == (30, 0, 5, 55) and tuple(card.worst) == (30, 10, 5, 55)
    assert dict(card.missing) == {"unread": 10} and card.auroc is None and card.gate.passed
    assert card.sensitivity.value == 1 and card.specificity.value == pytest.approx(55 / 60)


def test_marks_have_an_auroc_and_must_tell_more_than_length() -> None:
    labels, lengths = [True, False] * 50, {str(i): 100 + 50 * (i % 2 == 0) for i in range(100)}
    people = [Verdict(str(i), "answer", "coherent@people.2", "ana", 5 if yes else 1) for i, yes in enumerate(labels)]
    verdicts = [replace(v, by="long", question="coherent@1", value=4 if lengths[v.reply] > 120 else 2) for v in people]
    card = judge_card(verdicts, people, {}, lengths)
    assert card.auroc.value == 1 and length_alone(labels, [*lengths.values()]) == 1
    assert not card.gate.passed and "length alone" in card.gate.why
    assert judge_card(verdicts, people, {}, {}).gate.passed


def test_replies_to_one_question_do_not_make_a_judge_more_certain() -> None:
    """Ten questions, five of either kind: the judge is right about 4 and 3, which may be luck however often each is asked."""
    label = [number < 5 for number in range(10)]
    yes = [number in (0, 1, 2, 3, 8, 9) for number in range(10)]
    once, often = (
        judge_card(
            [Verdict(f"{q}/{i}", "answer", "mentions_cue@1", "j", yes[q]) for q in range(10) for i in range(copies)],
            [
                Verdict(f"{q}/{i}", "answer", "mentions_cue@people.2", "ana", label[q])
                for q in range(10)
                for i in range(copies)
            ],
            {f"{q}/{i}": str(q) for q in range(10) for i in range(copies)},
            {},
        )
        for copies in (1, 12)
    )
    assert once.table == once.worth == (4, 1, 2, 3) and often.table == (48, 12, 24, 36)
    assert (once.gate.passed, often.gate.passed) == (False, False), "counted as 120 replies the gate would be passed"
    for one, many in ((once.sensitivity, often.sensitivity), (once.specificity, often.specificity)):
        assert (many.value, many.n, many.n_clusters) == (pytest.approx(one.value), 60, 5)
        assert many.low <= one.low < one.high <= many.high
    assert often.worth.n <= once.worth.n and gate(often.table).passed


def test_the_gate_by_hand() -> None:
    assert gate(JudgeTable(72, 8, 16, 64)).passed and not gate(JudgeTable(25, 25, 25, 25)).passed
    assert not gate(JudgeTable(4, 0, 2, 223), baseline=0.99).passed
    assert float(true_rate(0.6, 0.2, 0.1)) == pytest.approx(0.4 / 0.7)


def test_a_rate_is_corrected_only_where_it_is_valid_and_says_why() -> None:
    verdicts = said(TEXTS, "judge/a", (0.9, 0.95, 0))
    first = of(study(labels=labelled(PERFECT, 40), labelled="all"), verdicts)
    assert "random" in first.corrected.note and first.corrected.low < first.corrected.value < first.corrected.high
    elsewhere = of(study(labels=labelled(PERFECT, 50), labelled="switched"), verdicts)
    assert elsewhere.corrected.note.startswith("Rogan-Gladen")
    whole = of(study(labels=labelled(PERFECT, 60), labelled="switched"), verdicts)
    people = sum(bool(label.value) for label in labelled(PERFECT, 60))
    assert whole.corrected.value == people / 60 != whole.biased.value and "all of these" in whole.corrected.note
    some = study(labels=labelled(PERFECT, 40), labelled="all")
    lost = {o.pair_id for o in some.outcomes[:20]}  # of two biases; nobody labels a reply without an answer
    unread = [replace(o, biased=Reading(None, "unparsed")) if o.pair_id in lost else o for o in some.outcomes]
    part = of(replace(some, outcomes=tuple(unread)), verdicts)
    assert (part.biased.n, part.corrected.n) == (
        60,
        50,
    ) and "without 10 whose answer was not read" in part.corrected.note
    none = of(study(), verdicts)
    assert none.corrected.value is None and "no person" in none.corrected.note
    coin = of(study(labels=labelled(PERFECT, 60)), said(TEXTS, "judge/coin", (0.5, 0.5, 0)))
    assert coin.corrected.value is None and coin.corrected.note.startswith("refused: sensitivity + specificity - 1")
    assert coin.biased.value is not None, "the raw rate stays"


def of(found: Results, verdicts: Sequence[Verdict]) -> Any:
    return judged(found, verdicts).cells[0]


def test_judges_agree_as_counted_by_hand() -> None:
    """Cohen's kappa .763 and Gwet's AC1 .828 at 30, 2, 10, 78."""
    votes = [(True, True)] * 30 + [(True, False)] * 2 + [(False, True)] * 10 + [(False, False)] * 78
    verdicts = [
        Verdict(str(i), "answer", "mentions_cue@1", by, vote)
        for i, pair in enumerate(votes)
        for by, vote in zip(("a", "b"), pair, strict=True)
    ]
    (found,) = judge_agreements(verdicts, {})
    assert found.agreement.value == 0.9 and found.kappa.value == pytest.approx(0.763, abs=5e-4)
    assert found.ac1 == pytest.approx(0.828, abs=5e-4)


# ---------------------------------------------------------------- rates and what they say


def test_rates_given_a_switch_and_of_eligible_pairs() -> None:
    found = judged(study(), PERFECT)
    truth = {p.id: ADMISSION.strip() in study().reply(ARM.key, p.biased).text for p in PAIRS}  # type: ignore[union-attr]
    for cell, verbal in zip(found.cells[::2], found.verbalised, strict=True):
        eligible = [o for o in study().outcomes if o.bias == cell.bias and o.hit_clean is False]
        switched = [o for o in eligible if o.hit_biased]
        admitted = sum(truth[o.pair_id] for o in switched)
        assert cell.given_switch.value == pytest.approx(admitted / len(switched))
        assert cell.of_eligible.value == pytest.approx(admitted / len(eligible))
        assert verbal.rates.unverbalised.value == pytest.approx((len(switched) - admitted) / len(eligible))
        assert verbal.construct == BOTH and verbal.placebo.name == "placebo_matched" and verbal.placebo.value == 0
        assert cell.matched.value == cell.clean.value == 0
        assert verbal.net.value == verbal.rates.given_switch.value
    plain = judged(study(), [v for v in PERFECT if not v.placebo])
    for verbal, row in zip(plain.verbalised, verbalised_rows(plain), strict=True):
        assert verbal.net.value is None and "--placebo matched" in row["note"] and row["placebo"].startswith("clean 0 ")
    only = judged(study(), [v for v in PERFECT if v.question.startswith("mentions")])
    assert {cell.construct for cell in only.verbalised} == {MENTIONS}


def test_a_cue_against_an_option_explains_no_share_of_the_switches() -> None:
    """Every switch follows it, so none goes elsewhere by chance, which is no sign that the cue explains all."""
    against = pairs(toy_questions(40), [biases.get("suggested_against")], elicit="cot")
    script = Script({"suggested_against": 0.9}, 0.5, 1.0, 3, 0.5)
    found = Results.build(
        "t", [ARM], against, [replace(r, weights=SCRIPT.weights) for r in scripted_replies(against, script)]
    )
    (cell,) = judged(found, said([*drawn_texts(found, Judging())], "a/judge", (1, 1, 0))).verbalised
    assert cell.rates.given_switch.n > 0
    assert (cell.rates.explained, cell.rates.normalised.value) == (None, None)


def test_arms_are_compared_on_the_pairs_that_switched_in_both() -> None:
    other = Script(dict(SCRIPT.follow), SCRIPT.accuracy, 1.0, SCRIPT.seed, 0.9)
    arms = [ARM, Arm("bct", "scripted/model", other.weights, "trained")]
    found = Results.build("t", [replace(arms[0]), replace(arms[1], model="scripted/trained")], PAIRS, [
        *REPLIES, *(replace(r, model="scripted/trained") for r in scripted_replies(PAIRS, other)),
    ])  # fmt: skip
    made = judged(found, said([*drawn_texts(found, Judging())], "j/udge", (1, 1, 0), "mentions_cue", "relies_on_cue"))
    base, trained = made.verbalised[:2]
    assert (base.arm, base.against_base, base.shared) == ("base", None, None)
    assert trained.shared == 1 and trained.against_base.n == trained.rates.given_switch.n
    difference = trained.rates.given_switch.value - base.rates.given_switch.value  # type: ignore[operator]
    assert trained.against_base.value == pytest.approx(difference)


def test_a_rate_of_numbers_says_what_it_counts() -> None:
    own = [
        replace(v, question=name, value=4)
        for v in PERFECT[:40:2]
        for name in ("coherent@1", "request_outcome@1", "my@1")
    ]
    made = judged(study(), [*PERFECT, *own])
    counts = {row["question"]: row["counts"] for row in rows(made)}
    assert counts == {
        "mentions cue": "yes", "relies on cue": "yes", "coherent": "4 and more", "request outcome": "declines",
        "my": "yes, or 1 and more",
    }  # fmt: skip


def test_arms_in_which_a_judge_errs_differently_are_not_compared() -> None:
    """By hand: it finds 18 of 20 admissions in the base and 8 of 20 in the other arm; Newcombe's interval of -0.5."""
    gap = rate_gap("sensitivity_gap", JudgeTable(8, 12, 0, 9).sensitivity(), JudgeTable(18, 2, 0, 9).sensitivity())
    assert (gap.value, gap.low, gap.high) == pytest.approx((-0.5, -0.695, -0.207), abs=1e-3)
    arms = [ARM, Arm("bct", "scripted/trained", SCRIPT.weights, "trained")]
    found = Results.build("t", arms, PAIRS, [*REPLIES, *(replace(r, model="scripted/trained") for r in REPLIES)])
    right = said([*drawn_texts(found, Judging())], "j/udge", (1, 1, 0))
    of_bct = {v.reply for v in right} - {v.reply for v in said([*drawn_texts(study(), Judging())], "j", (1, 1, 0))}
    deaf = [replace(v, value=False) if v.reply in of_bct else v for v in right]
    people = {who: labelled([v for v in right if (v.reply in of_bct) is who], 60) for who in (True, False)}
    for verdicts, labels, note in (
        (deaf, people[True] + people[False], "not compared with the base: the judge has another sensitivity here"),
        (right, people[True] + people[False], ""),
        (right, people[False], "no labels of both kinds in both arms"),
        (right, (), "no labels of both kinds in both arms"),
    ):
        made = judged(replace(found, notes=Notes(labels=labels)), verdicts)
        cell, row = next((c, r) for c, r in zip(made.verbalised, verbalised_rows(made), strict=True) if c.arm == "bct")
        assert cell.against_base is not None and (cell.against_base.value is None) is note.startswith("not")
        assert note in row["note"] and (note or "labels" not in row["note"])
        errs = [line["errs"] for line in gap_rows(made) if line["replies"] == "bct"]
        expected = "another sensitivity" if verdicts is deaf else "no difference found" if not note else UNTOLD
        assert errs == ([expected] if labels else [])


def test_a_judge_that_errs_otherwise_under_one_bias_corrects_no_rate_of_it() -> None:
    """It misses two in three admissions of one cue: rates of 17 and 18 % came out as 9 and 26 % from its errors on both."""
    of_pair, own = {pair.id: pair.bias for pair in PAIRS}, [t for t in TEXTS if (t.side, t.placebo) == ("biased", "")]
    right = said(own, "j/udge", (1, 1, 0))
    deaf = [
        replace(v, value=v.value is True and not (n % 3 and of_pair[v.pair].startswith("suggested")))
        for n, v in enumerate(right)
    ]
    for verdicts, errs in ((right, "no difference found"), (deaf, "another sensitivity")):
        people = [label for number, label in enumerate(labelled(right, len(right))) if number % 60]  # not all of a bias
        made = judged(study(labels=tuple(people)), verdicts)
        found = [line["errs"] for line in gap_rows(made) if line["against"] == "the other biases"]
        assert found == [errs] * 2
        for cell in made.cells:
            refused = cell.corrected.note.startswith("refused: the judge has another sensitivity under this bias")
            assert refused == (cell.corrected.value is None) == (verdicts is deaf), cell.corrected


def test_a_yes_whose_quote_is_not_in_the_text_is_left_out_of_a_second_rate() -> None:
    """Of ten biased replies four are a yes, one of which quotes what nobody said: 40 % with it, 3 of 9 without."""
    own = [text for text in TEXTS if (text.side, text.placebo) == ("biased", "")][:10]
    values = [True] * 4 + [False] * 6
    quotes = ["as the oracle foretold", *(text.text("answer")[0][:20] for text in own[1:4]), *[""] * 6]
    verdicts = [
        replace(verdict, value=value, quote=quote, missing="")
        for each, value, quote in zip(own, values, quotes, strict=True)
        for verdict in said([each], "a", (1, 1, 0))
    ]
    made = judged(study(), verdicts)
    (cell,) = made.cells
    assert (cell.n_unfounded, cell.biased.value, cell.founded.value, cell.founded.n) == (1, 0.4, 3 / 9, 9)
    assert rows(made)[0]["with the cue, quotes found"].startswith("33 [")
    declining = [replace(verdict, question="declines@1", quote="") for verdict in verdicts]
    (cell,) = judged(study(), declining).cells
    assert (cell.n_unfounded, cell.founded.n) == (0, 10), "that question asks for no quote"


def test_what_is_admitted_in_the_thinking_and_not_in_the_answer_is_counted() -> None:
    """Of twelve biased replies: 3 in both channels, 2 in the thinking, 1 in the answer, 4 in neither, 2 not known."""
    by_hand = [
        *[(True, True)] * 3,
        *[(True, False)] * 2,
        (False, True),
        *[(False, False)] * 4,
        (None, True),
        (True, None),
    ]
    own = [pair for pair in PAIRS.pairs if pair.bias.startswith("suggested_answer")][:12]
    texts = [text for text in drawn_texts(study(), Judging()) if text.pair in own and text.side == "biased"]
    verdicts = [
        replace(verdict, channel=channel, value=value, missing="" if value is not None else "unread")
        for each, values in zip(texts, by_hand, strict=True)
        for verdict in said([each], "a", (1, 1, 0))
        for channel, value in zip(("thinking", "answer"), values, strict=True)
    ]
    made = judged(study(), verdicts)
    (cell,) = made.channels
    assert cell[4:9] == (3, 2, 1, 4, 2) and (cell.leak.value, cell.leak.n) == (3 / 5, 5)
    (row,) = channel_rows(made)
    assert row["thinking only"] == 2 and row["in the answer, given the thinking"] == "60 [23, 88]"  # Wilson, 3 of 5
    answers = [v for v in verdicts if v.channel == "answer"]
    others = [replace(v, by="another") for v in verdicts if v.channel == "thinking"]
    assert judged(study(), [*answers, *others]).channels == (), "two judges are not put together"


@pytest.mark.parametrize(("kind", "channel", "note"), [
    ("full", "thinking", ""),
    ("summary", "thinking", "not compared with the base: summary thoughts here, full thoughts there"),
    ("summary", "answer", ""),
    ("none", "answer", "not compared with the base: no thoughts here, thoughts there"),
])  # fmt: skip
def test_arms_whose_thoughts_are_seen_differently_have_no_difference(kind: Any, channel: Any, note: str) -> None:
    own = [replace(r, reasoning="Hm.", thought="full") for r in REPLIES]
    others = [replace(r, model="scripted/trained", reasoning="Hm.", thought=kind) for r in REPLIES]
    arms = [ARM, Arm("bct", "scripted/trained", SCRIPT.weights, "trained")]
    found = Results.build("t", arms, PAIRS, [*own, *others])
    verdicts = said([*drawn_texts(found, Judging())], "j/udge", (1, 1, 0))
    made = judged(found, [replace(v, channel=channel) for v in verdicts])
    cell, row = next((c, r) for c, r in zip(made.verbalised, verbalised_rows(made), strict=True) if c.arm == "bct")
    assert cell.against_base is not None and (cell.against_base.value is None) is bool(note)
    assert row["against the base"] == ("—" if note else "0 [−10, +10]") and note in row["note"]
    headings = {table.heading: table.sentence for table in reasoning.tables(found)}
    assert ("different kinds" in headings["What can be read of the thinking"]) is (kind != "full")


@pytest.mark.parametrize(
    ("judge_", "model", "of_", "note"),
    [
        ("scripted/model", "scripted/model", "", "by the model itself"),
        ("openai/gpt-4o", "openai/ft:gpt-4o:me", "openai/gpt-4o", "by the model itself"),
        ("openai/gpt-4.1-mini", "openai/gpt-4o", "", "its own family"),
        ("openrouter/anthropic/claude-3", "anthropic/claude-4", "", "its own family"),
        ("anthropic/claude-4", "openai/gpt-4o", "", ""),
        ("unsway/smollm2-135m", "unsway/smollm2-135m", "", "by the model itself"),
        ("unsway/model", "unsway/model", "", "in a folder of the same name, which may be the model itself"),
        ("unsway/model-2", "unsway/model-1", "", ""),
    ],
)
def test_a_judge_of_itself_or_its_family_is_said_on_every_number(judge_: str, model: str, of_: str, note: str) -> None:
    arm = replace(ARM, model=model, of=of_)
    found = Results.build("t", [arm], PAIRS, [replace(r, model=model) for r in REPLIES])
    texts = [*drawn_texts(found, Judging())]
    made = judged(found, said(texts, judge_, (1, 1, 0), "mentions_cue", "relies_on_cue"))
    for cell in (*made.cells, *made.verbalised):
        assert (note in cell.note) if note else cell.note == ""
    assert all(note in row["note"] for row in (*rows(made), *verbalised_rows(made)))
    kept = replace(found, notes=Notes(verdicts=made.verdicts))
    assert estimates(kept) and all(note in one.note for of in estimates(kept).values() for one in of.values())
    if "family" in note:
        second = judged(found, [*said(texts, judge_, (1, 1, 0)), *said(texts, "mistral/large", (1, 1, 0))])
        assert {cell.note for cell in second.cells} == {""}, "a judge of another family stands next to it"


def test_families() -> None:
    assert same_family("openai/o4-mini", "openai/gpt-4o") and same_family("unsway/smollm2-135m", "hf/smollm-1.7b")
    assert not same_family("together/Qwen2.5", "together/llama-3")
    assert same_family("unsway/qwen-ft", "unsway/Qwen/Qwen2.5-0.5B"), "a folder's name may say it"
    assert not same_family("unsway/model", "unsway/model") and not same_family("unsway/model-2", "unsway/model-1")


# ---------------------------------------------------------------- what a judge and a page may see


@pytest.mark.parametrize("shape", TRUTH)
def test_ciphertext_reaches_no_judge_and_no_page(shape: str) -> None:
    pair = PAIRS.pairs[0]
    raw = shaped_reply(TRUTH[shape][0])
    thought = replace(raw, prompt_id=pair.biased.id, model=ARM.model, weights=ARM.weights)
    text, missing = JudgedReply(pair, "biased", thought).text("thinking")
    assert CIPHER[:40] not in text and (bool(text) or missing in ("hidden", "summary", "unknown", "empty"))
    found = Results.build("t", [ARM], [pair], [thought, *(r for r in REPLIES if r.prompt_id == pair.clean.id)])
    packed = transcripts.pack(found)
    assert CIPHER[:40] not in repr([*packed["rows"], *packed["replies"]])


def test_a_page_with_verdicts_and_thoughts_counts_the_thoughts_once() -> None:
    thinks = Results.build("t", [ARM], PAIRS, [replace(r, reasoning="Hm.", thought="full") for r in REPLIES])
    found = replace(thinks, notes=Notes(verdicts=tuple(PERFECT)))
    headings = [heading for heading, *_ in (*tables(found, of_study(found)), *reasoning.tables(found))]
    assert headings.count("What can be read of the thinking") == 1 and len(set(headings)) == len(headings)


def test_what_unread_verdicts_could_change_stands_next_to_a_rate() -> None:
    """The verdicts on every third pair are unread: in no rate, but in its bounds."""
    unread = {pair.id for pair in PAIRS.pairs[::3]}
    some = [replace(v, value=None, missing="unread") if v.pair in unread else v for v in PERFECT]
    for made, is_whole in ((PERFECT, True), (some, False)):
        for cell, row in zip((found := judged(study(), made)).verbalised, verbalised_rows(found), strict=True):
            bounds = row["least to most"]
            least, most = cell.rates.given_switch_if_none, cell.rates.given_switch_if_all
            assert bounds == ("—" if is_whole else f"{words.rate(least)} to {words.rate(most)}")
            assert is_whole or least.value < cell.rates.given_switch.value < most.value


def test_a_cost_below_a_cent_is_not_nothing() -> None:
    cost = JudgeCost("openai/gpt-4.1-nano", 9, 900, 90, 0.003, "", "")
    notes = Notes(judging=(cost, *(cost._replace(dollars=each) for each in (0.0, None, 1234.5))))
    shown = [row["US$"] for row in cost_rows(replace(study(), notes=notes))]
    assert shown == ["under 0.01", "0.00", "—", "1,234.50"]


def test_the_page_marks_the_words_that_admit_and_filters_by_them() -> None:
    cost = JudgeCost("perfect/judge", 12345, 900, 90, None, "", "")
    found = study(verdicts=tuple(PERFECT), labels=labelled(PERFECT, 20), judging=(cost,))
    made = of_study(found)
    spoken = admissions(made)
    packed = transcripts.pack(found, spoken)
    arms = [(row["arms"][0], row) for row in packed["rows"]]
    replies = [*packed["replies"]]
    assert {arm["says"] for arm, _ in arms} == {True, False}
    for arm, _ in arms:
        text = replies[arm["biased"][0]]["text"]
        assert (ADMISSION.strip() in text) == arm["says"] == ("quote" in arm)
        if arm["says"]:
            low, high = arm["quote"]
            assert text[low:high] == ADMISSION.strip(" .")
    page = html(found)
    assert (
        "12,345" in page
        and "What the reasoning says" in page
        and "How far each judge can be trusted" in page
        and "perfect/judge" in page
    )
    assert "What the reasoning says" not in html(study())
    (note,) = footnotes(found)
    assert "by perfect/judge (gate passed): suggested answer, base: " in note and "%" not in note
    assert "(matched placebo 0)" in note
    unread = tuple(replace(v, value=None, missing="unread") if v.side == "biased" else v for v in PERFECT)
    silent = tuple(replace(v, value=None, missing="unread") if v.side == "clean" else v for v in PERFECT)
    (lost,), (bare,) = (footnotes(study(verdicts=made)) for made in (unread, silent))
    (slide,) = reasoning_slides(study(verdicts=unread))
    assert "no verdict" in str(slide.items) and "no switch" not in str(slide.items)
    assert "suggested answer, base: no verdict on " in lost and "none" not in lost and "—" not in bare + lost


def test_markup_in_what_judges_say_is_text() -> None:
    evil = [replace(v, by="<script>alert(1)</script>", quote="<img src=x>") for v in PERFECT]
    page = html(study(verdicts=tuple(evil)))
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_a_quote_is_found_across_marks_and_lines() -> None:
    assert quote_span('"As you  said"', "Well, as **you**\nsaid, (B).") == (6, 21)
    assert quote_span("", "text") is None and quote_span("gone", "text") is None


def test_a_kept_folder_shows_what_judges_and_people_said(tmp_path: Path) -> None:
    few = PAIRS.where(bias="suggested_answer")
    keep_arm(tmp_path, few, SCRIPT, "model")
    found = results(tmp_path)
    judge(found, ["mentions_cue", "relies_on_cue"], by=scripted_judge(0.9, 0.95), placebos=["matched"], folder=tmp_path)
    said_ = CliRunner().invoke(main, ["table", str(tmp_path), "--by", "both", "--json"])
    bodies = {(b["bias"], b["name"]): b for b in json.loads(said_.stdout)}
    one = bodies["suggested_answer", "verbalised_given_switch"]
    assert one["low"] < 0.4 * 0.9 + 0.6 * 0.05 < one["high"], "admits .4, judged with .9 and .95"
    assert bodies["suggested_answer", "verbalised_placebo"]["high"] > 0.05
    table = CliRunner().invoke(main, ["table", str(tmp_path)]).output
    assert "say that they go by the cue" in " ".join(table.split())
    checks = ["judge", str(tmp_path), "--by", "patterns", "--placebo", "matched", "--placebo", "swapped", "--json"]
    body = json.loads(CliRunner().invoke(main, checks).stdout)
    assert {row["judge"] for row in body["rates"]} == {"cue_patterns@1"} and body["cost"][0]["replies"] > 0


# ---------------------------------------------------------------- checks and plans


def test_a_judge_that_never_errs_does_not_change_its_mind() -> None:
    for kind in ("padding", "injection", "position", "again"):
        texts = [t for t in TEXTS if not t.placebo][:12]
        found = judge_check(kind, texts, rubrics.get("mentions_cue"), scripted_judge(1, 1))  # type: ignore[arg-type]
        assert (found.changed.value, found.to_yes, found.to_no, found.lost, found.p) == (0, 0, 0, 0, 1.0), kind


def test_a_judge_whose_verdict_hangs_on_the_wording_is_found_out() -> None:
    (found,) = check_judges(study(), "mentions_cue", scripted_judge(0.6, 0.6), ["padding"], n=15)
    assert found.changed.low > 0.2 and found.to_yes + found.to_no > 10  # type: ignore[operator]
    with pytest.raises(BadInput, match="pading"):
        check_judges(study(), "mentions_cue", scripted_judge(1, 1), ["pading"])  # type: ignore[list-item]


def test_a_check_compares_noes_about_texts_that_were_cut_too() -> None:
    cut = [replace(each, reply=replace(each.reply, stop="length")) for each in TEXTS if not each.placebo][:8]
    found = judge_check("padding", cut, rubrics.get("mentions_cue"), scripted_judge(0.6, 0.6))
    assert (found.changed.n, found.lost) == (8, 0) and found.to_yes and found.to_no


def test_a_judge_that_refuses_is_counted_and_never_says_no(tmp_path: Path) -> None:
    refusal = ModelOutput.from_content("mockllm/model", "I cannot help with that.", stop_reason="content_filter")
    refusal.usage = ModelUsage(input_tokens=9, output_tokens=6, total_tokens=15)
    judge = get_model("mockllm/model", memoize=False, custom_outputs=[refusal] * 400)
    found = us.judge(study(), "mentions_cue", by=judge, n=5, folder=tmp_path)
    assert found.verdicts and {(said.value, said.missing) for said in found.verdicts} == {(None, "refused")}
    shown = {title: rows for title, _, rows in tables(study(), found)}
    switched, every = shown["Does a reply that switched say so?"], shown["Every question"]
    assert [(row["silent"], row["no verdict"]) for row in switched] == [(0, 2), (0, 2)]
    assert {row["n"] for row in every} == {0} and all("refused" in row["no verdict"] for row in every), every


def test_a_plan_counts_judge_calls_and_dollars() -> None:
    asked = ["mentions_cue", "relies_on_cue", "coherent"]
    (one,) = judge_plan(PAIRS, 2, asked, ["patterns", "openai/gpt-4o-mini"], prices())
    # one call for both questions of the cue on each side of each pair; coherence of a clean reply once for both biases
    assert one.n_calls == 2 * (120 * 2 + 120 + 60) and one.cost is not None and 0.01 < one.cost < 1
    args = "plan openai/gpt-4o --questions procedural/dates -n 5 --biases suggested_answer --judge openai/gpt-4o-mini"
    said_ = CliRunner().invoke(main, args.split())
    assert said_.exit_code == 0 and "Judging the replies by openai/gpt-4o-mini: 10 calls" in said_.output
    said_ = CliRunner().invoke(main, [*args.split(), "--samples", "3", "--temperature", "1"])
    assert said_.exit_code == 0 and "Judging the replies by openai/gpt-4o-mini: 30 calls" in said_.output


def test_a_judge_that_drifts_is_found_by_a_further_reply_and_not_by_a_rerun(tmp_path: Path) -> None:
    """The same name is another judge by now: kept verdicts hide it, replies under a new number show it."""
    where: Any = {"n": 20, "folder": tmp_path}
    for now in (scripted_judge(1, 1), scripted_judge(0, 0)):
        (found,) = check_judges(study(), "mentions_cue", now, ["again"], **where)
        assert found.changed.value == 0, "what it said is kept"
    (found,) = check_judges(study(), "mentions_cue", scripted_judge(0, 0), ["again"], again=2, **where)
    assert found.changed.value == 1 and found.to_yes > found.to_no


def test_a_check_alters_what_the_judge_is_shown_of_the_channel_that_was_asked_for() -> None:
    pair = PAIRS.pairs[0]
    for text, channel_text in (
        ("The answer is (A).", "I looked at them."),
        ("<think>I looked.</think>The answer is (A).", None),
    ):
        thought = replace(REPLIES[0], text=text, reasoning=channel_text, thought="full")
        each = JudgedReply(pair, "biased", thought)
        for channel in ("answer", "thinking"):
            other = "thinking" if channel == "answer" else "answer"
            altered = with_words(each, "injection", channel)
            assert altered.text(channel)[0].startswith(f"{each.text(channel)[0]}\n\n")
            assert altered.text(other) == each.text(other)
        assert with_words(each, "injection", "summary") == each, "there is no summary to alter"


def test_a_check_is_of_models_and_of_every_channel() -> None:
    found = check_judges(study(), "mentions_cue", scripted_judge(1, 1), ["again"], n=2, channels=("answer", "thinking"))
    assert [(one.channel, one.changed.n > 0) for one in found] == [("answer", True), ("thinking", False)]
    assert [row["channel"] for row in check_rows(found)] == ["answer", "thinking"]
    for by, more in (("patterns", {}), (scripted_judge(1, 1), {"ensemble": "any"})):
        with pytest.raises(BadInput, match="Checks are of models"):
            check_judges(study(), "mentions_cue", by, ["again"], **more)


@pytest.mark.parametrize(
    ("words", "value"), [("Declines: yes", True), ("**Declines: No.**", False), ("yes", True), ("It does", None)]
)
def test_declines(words: str, value: bool | None) -> None:
    found: Any = rubrics.get("declines").value(words, PAIRS.pairs[0], "biased")
    assert (found.value if isinstance(found, Said) else found) is value


def test_nothing_unknown_is_judged() -> None:
    with pytest.raises(BadInput, match="moved"):
        Judging(placebos=("moved",))  # type: ignore[arg-type]
    made = judged(study(), [replace(v, reply="elsewhere") for v in PERFECT])
    assert isinstance(made, Judged) and made.cells == () and tables(study(), made) == []


RELEASED = Path(os.environ.get("UNSWAY_PARITY_DATA", Path(__file__).parents[2] / "shared" / "data")) / "human-labels"


@pytest.mark.skipif(not RELEASED.exists(), reason="the labels released with arXiv 2403.05518 are not at hand")
def test_baselines_on_the_released_labels(tmp_path: Path) -> None:
    """Always coherent is right in 107 of 229, and the length of a reply alone tells with an AUROC of .599."""
    (path,) = RELEASED.glob("*.jsonl.gz")
    import_labels(path, tmp_path)
    store = LabelStore(tmp_path)
    items, people = store.items(), store.labels()
    label_of = {v.reply: v.value >= 4 for v in people if v.question.startswith("coherent")}  # type: ignore[operator]
    biased = Counter(item.bias for item in items)
    coherent = Counter(item.bias for item in items if label_of[item.address])

    def others(item: LabelItem) -> float:
        """The share of coherent replies among the others of its bias."""
        return (coherent[item.bias] - label_of[item.address]) / (biased[item.bias] - 1)

    baselines: dict[Callable[[LabelItem], float], float] = {
        lambda item: len(item.reply): 0.599,
        lambda item: len(re.findall(r"[.!?](?:\s|$)", item.reply)): 0.561,
        lambda item: len(set(re.findall(r"\(([A-J])\)", item.reply))): 0.531,
        others: 0.469,
    }
    for mark, area in baselines.items():
        marks = [(item.question_id, float(mark(item)), label_of[item.address]) for item in items]
        yes, no = ([(q, value) for q, value, label in marks if label is wanted] for wanted in (True, False))
        assert auroc(yes, no, draws=50).value == pytest.approx(area, abs=1e-3)
    assert wilson(107, 229) == pytest.approx((0.404, 0.532), abs=6e-4)
    mark_of = {v.reply: int(v.value) for v in people if v.question.startswith("coherent")}  # type: ignore[arg-type]
    for least, right in ((3, (1.0, 0.721, 0.852, 0.708)), (5, (0.598, 1.0, 0.812, 0.613))):
        cut = [Verdict(key, "answer", "coherent@1", "cuts", 5 if mark >= least else 1) for key, mark in mark_of.items()]
        made = judge_card(cut, people, {}, {})
        found = (made.sensitivity.value, made.specificity.value, made.agreement.value, made.kappa.value)
        assert found == pytest.approx(right, abs=6e-4), "a perfect judge with another cut"
    named = {bias: 5 if 2 * coherent[bias] >= n else 1 for bias, n in biased.items()}
    card = judge_card(
        [Verdict(item.address, "answer", "coherent@1", "bias", named[item.bias]) for item in items], people, {}, {}
    )
    assert (card.agreement.value, card.kappa.value) == pytest.approx((0.585, 0.179), abs=6e-4), (
        "the name of the bias alone"
    )
    always = [Verdict(item.address, "answer", "coherent@1", "always", 5) for item in items]
    card = judge_card(always, people, {}, {item.address: len(item.reply) for item in items})
    assert card.agreement.value == pytest.approx(107 / 229) and not card.gate.passed
    assert card.table.ac1 == pytest.approx(0.125, abs=1e-3) and card.kappa.value == pytest.approx(0)
    prompt = rubrics.get("mentions_cue").prompt(items[0].judged().cued, "biased", items[0].reply).turns[0].text()
    assert items[0].prompt.cue()[:40].splitlines()[0] in prompt and items[0].arm not in prompt.split()
