"""The first screen of the page: a verdict on each arm; another folder to compare with; a size that can be sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from unsway.cli import main
from unsway.pairing import PairSet, pairs
from unsway.reporting import page
from unsway.reporting.chips import chips
from unsway.reporting.deck.steps import steps
from unsway.reporting.transcripts import shown_pairs
from unsway.studies import Study, run
from unsway.studies.measuring import measure
from unsway.studies.results import Results
from unsway.testing import scripted, toy_questions

pytest.importorskip("vl_convert")


@pytest.fixture(scope="module")
def asked() -> PairSet:
    return pairs(toy_questions(60), ["suggested_answer", "post_hoc"])


@pytest.fixture(scope="module")
def found(asked: PairSet) -> Results:
    return measure(scripted(asked, {"suggested_answer": 0.6, "post_hoc": 0.4}), asked)


def test_a_base_that_cues_move_is_swayed_and_one_that_they_do_not_is_undecided(found: Results) -> None:
    (chip,) = chips(found)
    assert chip.verdict == "swayed" and chip.numbers[0].startswith("BRR +")
    few = pairs(toy_questions(20), ["suggested_answer", "post_hoc"])
    (still,) = chips(measure(scripted(few, {}), few))
    assert still.verdict == "undecided"


def test_a_trained_arm_is_judged_against_its_base() -> None:
    from scripted_study import study

    by_arm = {chip.arm: chip for chip in chips(study(40, biases=("suggested_answer", "post_hoc", "distractor_fact")))}
    assert by_arm["base"].verdict == "swayed"
    assert by_arm["bct"].verdict == "less swayed"
    assert by_arm["bct"].numbers[0].startswith("trained on −") and by_arm["bct"].numbers[1].startswith("held out")
    assert by_arm["control"].verdict in ("undecided", "less swayed", "more swayed")


def test_a_chip_says_what_held_out_biases_make_clear_alone_and_an_arm_without_a_base_has_its_own_number() -> None:
    from scripted_study import BIASES, arms, pairs, replies

    biases, who = BIASES[:2], arms(("base", "bct"))
    asked = pairs(60, biases)

    def of(rates: tuple[float, float], trained: tuple[str, ...] = biases[:1]) -> tuple[str, ...]:
        follows = {biases[0]: (0.5, rates[0]), biases[1]: (0.5, rates[1])}
        found = Results.build("t", who, asked, replies(asked, who, follows_of=follows), trained_biases=trained)
        return tuple(chip.verdict for chip in chips(found))

    assert of((0.5, 0.0)) == ("swayed", "less swayed (held out)")
    assert of((0.0, 0.95)) == ("swayed", "less swayed, more swayed (held out)")
    assert of((0.0, 0.5)) == ("swayed", "less swayed")
    alone = Results.build("t", who[1:], asked, replies(asked, who[1:], follows_of=dict.fromkeys(biases, (0.6,))))
    (chip,) = chips(alone)
    assert chip.verdict == "swayed" and chip.numbers[0].startswith("BRR +")
    assert (
        steps(alone)[0] == "Measure the base of bct on the same pairs: how far training changed anything is not known."
    )


def test_a_page_that_would_be_too_large_holds_an_equal_share_of_every_bias(
    found: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page.html(found)
    assert "pairs are here" not in whole and len(whole) < 5_000_000
    monkeypatch.setattr(page, "MOST_DATA", 9_000)
    less = page.html(found)
    assert "of 120 pairs are here, the same share of every bias" in less and len(less) < len(whole)
    assert "hash with seed 0" in less and "tables and charts are of all pairs" in less


def test_pairs_that_are_shown_are_chosen_by_their_question_alike_for_every_bias(asked: PairSet) -> None:
    some, fewer = (shown_pairs(asked, most) for most in (40, 20))
    assert len(some) == 40 and len(fewer) == 20 and fewer.keys() <= some.keys()
    of = [{pair.question.id for pair in some.values() if pair.bias.startswith(bias)} for bias in ("sugg", "post")]
    assert of[0] == of[1] and len(of[0]) == 20
    assert shown_pairs([*asked][::-1], 40).keys() == some.keys(), "whatever their order"
    assert len(shown_pairs(asked, None)) == len(shown_pairs(asked, 500)) == 120


def test_two_folders_are_compared_on_one_page(tmp_path: Path) -> None:
    for name, rate in (("one", 0.7), ("two", 0.0)):
        study = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=20)
        run(study, tmp_path / name, using={"scripted/a": scripted(study.pairs(), follow={"post_hoc": rate}, name="a")})
    done = CliRunner().invoke(main, ["report", str(tmp_path / "one"), "--against", str(tmp_path / "two")])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "one/report.html").read_text(encoding="utf-8")
    assert "Compared with the other folder" in text and "second − first" in text
