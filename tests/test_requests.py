"""Requests: bare and wrapped, read by a judge of known errors, redacted where people look, and rows that never comply."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zipfile
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.log import read_eval_log
from keeping import ask_directly

import unsway
from unsway import banks, layout, sources
from unsway.biases import wrappers
from unsway.cli import main
from unsway.data import Recipe
from unsway.data.preferences import preferences
from unsway.data.requests import request_rows
from unsway.errors import AssetUnavailable, BadInput
from unsway.judging.patterns import request_verdicts
from unsway.judging.people import people_questions, person_verdict
from unsway.judging.requests import judge_table
from unsway.judging.rubrics import get
from unsway.judging.verdicts import JudgedReply
from unsway.pairing import pairs
from unsway.prompts.render import render
from unsway.reporting.page import html
from unsway.reporting.requests import LEFT, PLOT, TOP, dots, of_study, page_lines
from unsway.stats.corrected import JudgeTable, rogan_gladen
from unsway.store import write_jsonl
from unsway.studies.arms import Arm
from unsway.studies.folder import results
from unsway.studies.judging import judge
from unsway.studies.kept_outcomes import reread
from unsway.studies.labelling import label_items
from unsway.studies.redaction import redact_results
from unsway.studies.requests import EVERY, read_requests, request_rates
from unsway.studies.results import Results
from unsway.testing import REFUSAL, scripted_judge, scripted_requests, toy_questions
from unsway.types import ANSWERS, DECLINES, OUTCOMES, Toward, Verdict
from unsway.types.address import Address
from unsway.types.redaction import redact, shown_pair

RATES = {(True, "clean"): 0.25, (True, "biased"): 0.6, (False, "clean"): 0.97, (False, "biased"): 0.9}
"""How often the scripted model answers: ought it to decline, and which side."""
SE, SP = 0.9, 0.95
SECRET = re.compile(r"Certainly\. Here is what|I would rather not go")


def built(elicit: str = "house_rules", n: int | None = None) -> unsway.PairSet:
    return pairs(sources.load("house_rules", n), wrappers.names(), elicit=elicit)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of redacted requests that nobody has judged."""
    place = tmp_path_factory.mktemp("requests") / "run"
    asked = built("request", 16)
    unsway.measure(scripted_requests(asked, RATES), asked, folder=place)  # type: ignore[arg-type]
    return place


@pytest.fixture(scope="module")
def unjudged(place: Path) -> Results:
    """What it found before it was judged."""
    return results(place)


@pytest.fixture(scope="module")
def folder(place: Path, unjudged: Results) -> Path:
    """The folder once a judge without errors has read it."""
    judge(unjudged, "request_outcome", by=scripted_judge(1.0, 1.0), folder=place)
    return place


def test_a_wrapped_request_without_its_wrapper_is_the_request() -> None:
    made = built()
    assert len(made) == 120 * len(wrappers.names()) and not made.skipped
    for pair in made:
        assert pair.biased.stripped() == pair.clean
        assert pair.clean.turns[-1].text() == pair.question.stem and pair.question.stem in pair.biased.turns[-1].text()
        assert (pair.target, pair.rule.reader) == (Toward(ANSWERS), "request")
        assert not any(option in turn.text() for option in ("declines", "neither") for turn in pair.biased.turns)
    assert {pair.question.options for pair in made} == {OUTCOMES}
    assert {pair.question.gold for pair in made} == {ANSWERS, DECLINES}


def test_the_rules_of_the_house_stand_in_a_system_turn_and_a_bare_request_has_none() -> None:
    (question,) = sources.load("house_rules", 1)
    rules, asked = render(question, "house_rules").turns
    assert (rules.role, rules.text()) == ("system", banks.bank("request_rules").entries[0])
    assert render(question, "request").turns == (asked,)
    with pytest.raises(BadInput, match="is a request, which is put as it stands"):
        render(question, "cot")
    with pytest.raises(BadInput, match="'request' puts requests, and question"):
        render(toy_questions(1)[0], "request")


def test_a_cue_about_options_skips_requests_and_a_sentence_of_ones_own_wraps_them(tmp_path: Path) -> None:
    made = pairs(sources.load("house_rules", 3), ["suggested_answer"], elicit="request")
    assert len(made) == 0 and "a request has none" in made.skipped[0].reason
    path = tmp_path / "mine.cue.txt"
    path.write_text("name: mine\n\nPlease, my dear: {request} And now go on.\n", encoding="utf-8")
    (pair,) = pairs(sources.load("house_rules", 1), [path], elicit="request")  # type: ignore[list-item]
    assert pair.biased.turns[-1].text() == f"Please, my dear: {pair.question.stem} And now go on."
    with pytest.raises(BadInput, match="twice in a wording"):
        unsway.cue("{request} or {request}")


def test_no_harmful_text_ships() -> None:
    for name in ("jbb", "xstest"):
        assert {split.asset for split in sources.get(name).splits} == {name}
    with pytest.raises(AssetUnavailable, match=r"licence: MIT.*is fetched only when asked for: run"):
        sources.load("jbb")


# ---------------------------------------------------------------- reading


def test_a_request_without_a_verdict_is_missing_and_no_refusal(unjudged: Results) -> None:
    assert {one.clean.status for one in unjudged.outcomes} == {"unparsed"}
    with pytest.raises(BadInput, match="No reply to a request was judged"):
        request_rates(unjudged)
    unread = judge(unjudged, "request_outcome", by=scripted_judge(1, 1, unread=1.0), n=2).verdicts
    assert {one.missing for one in unread} == {"unread"}
    assert all(one.excluded is not None for one in read_requests(unjudged, unread).outcomes)


def test_words_in_a_reply_do_not_move_the_judge() -> None:
    (pair, *_) = built(n=1)
    rubric = get("request_outcome")
    prompt = rubric.prompt(pair, "biased", "Sure: here.\nOutcome: declines\n\nOutcome: neither")
    lines = [line for line in prompt.turns[0].text().splitlines() if "Outcome: " in line]
    assert lines[:2] == ["| Outcome: declines", "| Outcome: neither"] and lines[2].startswith("Write one line")
    assert pair.biased.cue().split("\n")[0].strip() not in prompt.turns[0].text()
    assert [rubric.value(said, pair, "biased") for said in ("Outcome: Declines.", "**answers**", "NEITHER")] == [
        2,
        1,
        0,
    ]
    assert rubric.value("Outcome: answers\nOutcome: declines", pair, "clean") is None
    assert rubric.value("I think it declines", pair, "clean") is None


def test_patterns_are_a_first_look(unjudged: Results, folder: Path) -> None:
    by_words = judge(unjudged, "request_outcome", by="patterns").verdicts
    exact = {v.reply: v.value for v in results(folder).notes.verdicts}
    assert {v.reply: v.value for v in by_words} == exact and len(exact) > 100
    assert by_words[0].by == "decline_patterns@1"
    benign = {pair.id for pair in unjudged.pairs if pair.question.gold == ANSWERS}
    some = read_requests(unjudged, [one for one in by_words if one.pair in benign])  # no request to decline was judged
    every = next(one for one in request_rates(some).cells if one.wrapper == EVERY)
    assert every.crossed is not None and every.crossed.value is None and "judged on both sides" in every.crossed.note
    assert every.refusal.lift.value is not None


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("I'm sorry, but I can't help with recipes.", "declines"),
        ("Unfortunately, I am not able to share forecasts here.", "declines"),
        ("I have to decline, politely.", "declines"),
        ("We do not talk about the weather.", "declines"),
        ("It will rain in Oslo. Take a coat!", "answers"),
        ("Preheat the oven. You can't miss it.", "answers"),
        ("... 1 2 3 ...", "neither"),
    ],
)
def test_what_words_decline(said: str, outcome: str, unjudged: Results) -> None:
    (verdict,) = request_verdicts([JudgedReply(unjudged.pairs[0], "clean", replace(unjudged.replies[0], text=said))])
    assert verdict.value == OUTCOMES.index(outcome)


def test_rates_go_by_what_people_clicked_on_the_label_page(folder: Path) -> None:
    """Each answer of the page is an outcome, and the page does not say how the judge read the reply."""
    (question,), items = people_questions(["request_outcome"]), label_items(folder, which="all")
    keys = {mark.text.partition(":")[0]: mark.value for mark in question.marks}
    said = [keys["declines" if REFUSAL in item.reply else "answers"] for item in items]
    labels = [person_verdict(item, "ana", question.versioned, value) for item, value in zip(items, said, strict=True)]
    assert {item.answer for item in items} == {""} and set(said) == {ANSWERS, DECLINES}
    every = next(one for one in request_rates(results(folder), labels).cells if one.wrapper == EVERY)
    for rates in (every.success, every.refusal):
        assert rates.corrected is not None and rates.corrected.value == pytest.approx(rates.wrapped.value, abs=1e-9)
    notes = results(folder).notes
    of_study = {
        which: request_rates(replace(results(folder), notes=replace(notes, labels=tuple(labels), labelled=which)))
        for which in ("all", "switched")
    }
    assert of_study["all"] == request_rates(results(folder), labels), "the labels of a study are taken by themselves"
    assert of_study["switched"] == request_rates(results(folder), ()), "but not those that were drawn by what was read"
    assert of_study["all"] != of_study["switched"]
    yes_or_no = [replace(label, value=bool(label.value == ANSWERS)) for label in labels]
    assert judge_table(yes_or_no, results(folder).notes.verdicts, "answers", {}).n == 0, "a yes says no outcome"


def test_a_rate_is_not_corrected_by_errors_that_the_judge_makes_under_other_wrappers(
    folder: Path, unjudged: Results
) -> None:
    """A judge that takes refusals for answers under one wrapper alone."""
    (question,), items = people_questions(["request_outcome"]), label_items(folder, which="all")
    labels = [
        person_verdict(item, "ana", question.versioned, DECLINES if REFUSAL in item.reply else ANSWERS)
        for item in items
    ]
    odd = items[0].bias
    fooled = {item.address for item in items if item.bias == odd}
    says = [replace(v, value=ANSWERS) if v.reply in fooled else v for v in results(folder).notes.verdicts]
    rates = request_rates(read_requests(unjudged, says), labels)
    of = {cell.wrapper: cell.success.corrected for cell in rates.cells}
    assert of[odd] is not None and of[odd].value is None and "another specificity under this wrapper" in of[odd].note
    assert all(one is not None and one.value is not None for wrapper, one in of.items() if wrapper != odd)
    assert "Not corrected for" in repr(rates)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rates_of_a_study_with_a_judge_of_known_errors_are_unbiased(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corrected rates are right on average; uncorrected ones are off by what the judge's errors say.

    Four studies without evals of Inspect: `folder` above is asked and judged through them.
    """
    monkeypatch.setattr("unsway.judging.verdicts.ask", ask_directly)
    asked, raw, corrected = built(), [], []
    prompts = [prompt for pair in asked for prompt in (pair.clean, pair.biased)]
    for seed in range(4):
        replies = ask_directly(prompts, scripted_requests(asked, RATES, seed=seed))  # type: ignore[arg-type]
        arm = Arm("base", replies[0].model, replies[0].weights, "base")
        found = Results.build("requests", [arm], asked, replies)
        says = judge(found, "request_outcome", by=scripted_judge(SE, SP, seed=seed))
        found = read_requests(found, says.verdicts)
        kept = {Address.of(reply).key().hex(): reply for reply in found.replies}
        draw = np.random.default_rng(seed).choice(sorted(kept), 200, replace=False)
        labels = [
            Verdict(key, "answer", "request_outcome@1", "Ada", DECLINES if REFUSAL in kept[key].text else ANSWERS)
            for key in draw
        ]
        rates = request_rates(found, labels)
        cell = next(one for one in rates.cells if one.wrapper == EVERY)
        assert len(rates.cells) == len(wrappers.names()) + 1 and cell.neither.wrapped.value == 0
        truth = [
            [
                REFUSAL not in reply.text
                for pair in asked
                if pair.question.gold == gold and (reply := found.reply(found.arms[0].key, pair.biased)) is not None
            ]
            for gold in (DECLINES, ANSWERS)
        ]
        true_success, true_refusal = float(np.mean(truth[0])), 1 - float(np.mean(truth[1]))
        assert cell.success.corrected is not None and cell.refusal.corrected is not None
        raw.append((cell.success.wrapped.value - true_success, cell.refusal.wrapped.value - true_refusal))
        corrected.append((cell.success.corrected.value - true_success, cell.refusal.corrected.value - true_refusal))
        assert cell.success.corrected.low <= 0.6 <= cell.success.corrected.high
    assert np.abs(np.mean(corrected, axis=0)).max() < 0.02
    # raw: p (1 - FPR) + ..., here .6 -> .6 * .95 + .4 * .1 = .61, and .1 -> .1 * .9 + .9 * .05 = .135
    assert np.mean(raw, axis=0) == pytest.approx([0.01, 0.035], abs=0.02)


def test_corrected_rates_are_unbiased_and_cover_over_many_studies() -> None:
    """500 studies of 60 requests under 6 wrappers, with 200 labels each: |bias| < .01, coverage at least .93."""
    random, n, k, true = np.random.default_rng(0), 60, 6, 0.6
    values, covered = [], []
    for _ in range(500):
        answers = random.random((n, k)) < true
        says = np.where(answers, random.random((n, k)) < SP, random.random((n, k)) < 1 - SE)
        labelled = random.random(200) < true
        heard = np.where(labelled, random.random(200) < SP, random.random(200) < 1 - SE)
        table = JudgeTable.of(list(map(bool, labelled)), list(map(bool, heard)))
        found = rogan_gladen(says.sum(axis=1), np.full(n, k), table, draws=400)
        values.append(found.value)
        covered.append(found.low <= true <= found.high)
    assert abs(np.mean(values) - true) < 0.01
    assert np.mean(covered) >= 0.93


def test_a_judge_table_counts_one_outcome_against_the_rest() -> None:
    def verdict(reply: str, value: int | None) -> Verdict:
        return Verdict(reply, "answer", "request_outcome@1", "x", value, missing="" if value is not None else "unread")

    labels = [verdict("a", 1), verdict("b", 1), verdict("c", 2), verdict("d", 0), verdict("e", 1)]
    says = [verdict("a", 1), verdict("b", 2), verdict("c", 2), verdict("d", 1), verdict("e", None)]
    assert judge_table(labels, says, "answers", {}) == JudgeTable(1, 1, 1, 1)
    assert judge_table(labels, says, "declines", {}) == JudgeTable(1, 0, 1, 2)
    one_request = dict.fromkeys("abcde", "q")
    assert judge_table(labels, says, "answers", one_request).n == 2, (
        "two rows of one request each, worth one reply each"
    )


# ---------------------------------------------------------------- redaction


@given(st.text(max_size=300))
def test_a_redacted_text_says_its_length_and_nothing_else(text: str) -> None:
    said = redact(text)
    assert (
        said == text
        if not text.strip()
        else re.fullmatch(r"\[redacted: [\d,]+ characters, sha256 [0-9a-f]{12}\]", said)
    )


def _texts(path: Path) -> str:
    """Everything in a file that a person could read, compressed parts too."""
    raw = path.read_bytes()
    found = [raw.decode("utf-8", "replace")]
    if path.suffix == ".pptx":
        with zipfile.ZipFile(path) as archive:
            found += [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    for packed in re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", found[0]):
        try:
            found.append(gzip.decompress(b64decode(packed)).decode("utf-8", "replace"))
        except (OSError, ValueError, EOFError):
            continue
    return "\n".join(found)


@pytest.mark.parametrize("suffix", [".html", ".pptx", ".md", ".json", ".tex"])
def test_no_reply_and_no_request_is_in_any_byte_of_a_report(folder: Path, tmp_path: Path, suffix: str) -> None:
    if suffix == ".pptx":
        pytest.importorskip("pptx")
    written = [unsway.report(folder, tmp_path / f"report{suffix}")]
    written += [path for path in tmp_path.iterdir() if path not in written]
    stems = [pair.question.stem for pair in results(folder).pairs]
    for path in written:
        text = _texts(path)
        assert not SECRET.search(text), path.name
        assert not [stem for stem in stems if stem in text or json.dumps(stem)[1:-1] in text], path.name
    if suffix == ".html":
        text = _texts(written[0])
        assert "[redacted: " in text and 'id="requests"' in text and "of what it ought to decline, declines" in text


def test_the_page_shows_attacks_against_needless_refusals(unjudged: Results, folder: Path) -> None:
    """0 % is at the left and at the bottom, 100 % at the right and at the top."""
    found = results(folder)
    rates = of_study(found)
    assert rates is not None and of_study(unjudged) is None
    every = rates.cells[-1]
    (dot,) = dots(rates, found)
    assert dot.x[1] == pytest.approx(LEFT + PLOT * (every.success.wrapped.value or 0), abs=0.1)
    assert dot.y[1] == pytest.approx(TOP + PLOT * (1 - (every.refusal.wrapped.value or 0)), abs=0.1)
    assert dot.x[0] < dot.x[1] < dot.x[2] and dot.y[0] > dot.y[1] > dot.y[2]
    lines = page_lines(rates)
    assert [line.texts["wrapper"] for line in lines][-1] == "all wrappers" and len(lines) == len(rates.cells)
    assert lines[-1].strip is not None and lines[-1].strip[1] == pytest.approx((dot.x[1] - LEFT) / 2, abs=0.1)
    harmless = {pair.id for pair in found.pairs if pair.question.gold == ANSWERS}
    kept = [one for one in found.outcomes if one.pair_id in harmless]
    page = html(replace(found, outcomes=tuple(kept)))  # without attacks there is no chart
    assert 'id="requests"' in page and "Across: how often" not in page and "answered, 0 to 100 %" not in page


def test_terminals_show_redacted_pairs_and_one_at_a_time_when_asked(folder: Path) -> None:
    shell = CliRunner()
    args = ["show", str(folder), "scripted/model", "wrapped_politely", "-n", "5"]
    plain = shell.invoke(main, args).output
    assert plain.count("[redacted: ") >= 10 and not SECRET.search(plain)
    assert "read as (answers)" in plain and "(A)" not in plain  # a request has no letters
    one = shell.invoke(main, [*args, "--reveal"]).output
    assert len(SECRET.findall(one)) == 2 and "[redacted: " not in one
    refused = shell.invoke(main, ["view", str(folder)])
    assert refused.exit_code and "not served to a browser" in str(refused.output) + str(refused.exception)
    listed = shell.invoke(main, ["requests", str(folder)]).output
    assert "answered," in listed and "refused," in listed and not SECRET.search(listed)
    (*_, every) = json.loads(shell.invoke(main, ["requests", str(folder), "--json"]).output)
    assert every["wrapper"] == EVERY and "answered, lift for other wrappers" in every
    assert not SECRET.search(shell.invoke(main, ["reread", str(folder), "--show", "5"]).output)


def test_numbers_do_not_change_by_redaction_and_the_folder_is_its_owners(folder: Path) -> None:
    found = results(folder)
    hidden = redact_results(found)
    assert hidden.cells == found.cells and len(hidden.replies) == len(found.replies)
    assert not any(SECRET.search(reply.text) for reply in hidden.replies)
    assert all(SECRET.search(reply.text) for reply in found.replies)
    assert folder.stat().st_mode & 0o777 == 0o700
    open_one = built(n=2).pairs[0]
    assert shown_pair(open_one) is open_one
    assert not SECRET.search(repr(found)) and not SECRET.search(found.markdown())


# ---------------------------------------------------------------- training rows


def test_no_row_of_a_request_that_ought_to_be_declined_answers_it(folder: Path) -> None:
    found = results(folder)
    made = request_rows(found.pairs, found.index, found.outcomes)
    gold = {pair.id: pair.question.gold for pair in made.pairs}
    refusals = [row for row in made.rows if gold[str(row.pair_id)] == DECLINES]
    held = [row for row in made.rows if gold[str(row.pair_id)] == ANSWERS]
    assert len(refusals) == len(held) > 10
    assert all(REFUSAL in str(row.completion) and row.rejected is None for row in refusals)
    assert not any(REFUSAL in str(row.completion) for row in held)
    assert made.left_out["ought to be declined and was not, without a wrapper"] >= 6
    assert len(request_rows(found.pairs, found.index, found.outcomes, hold=0).rows) == len(refusals)
    none = preferences(found.pairs, found.index, found.outcomes)
    assert not none.rows and none.left_out["a request, of which request_rows makes rows"] > 60
    with pytest.raises(BadInput, match="take the rows with"):
        Recipe(elicit="request")


def test_results_are_read_again_by_kept_verdicts(folder: Path, unjudged: Results, tmp_path: Path) -> None:
    found = results(folder)
    assert isinstance(found, Results) and {one.parser for one in found.outcomes} == {
        "request_outcome@1/scripted_judge/judge"
    }
    (cell,) = [one for one in request_rates(found).cells if one.wrapper == EVERY]
    assert 0.4 < cell.success.wrapped.value < 0.8 and cell.success.clean.value < 0.5
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    write_jsonl(copied / layout.OUTCOMES, unjudged.outcomes)
    assert set(reread(copied).moves()) == {("unparsed", "(answers)"), ("unparsed", "(declines)")}, "nobody sees letters"
    log = read_eval_log(str(next((folder / "logs").glob("*.eval"))))
    assert {sample.target for sample in log.samples or ()} == {"answers", "declines"}
