"""Outcomes kept under an older reader are read again; exactly the answers that changed are reported, safely."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unsway import layout
from unsway.cli import main
from unsway.disk import write_text
from unsway.errors import BadInput
from unsway.pairing import PairSet, pairs
from unsway.readers.parse import PARSER
from unsway.sampling import run
from unsway.store import ReplyStore, read_manifest, write_jsonl
from unsway.store import dumps as line
from unsway.studies.arms import Arm
from unsway.studies.folder import keep
from unsway.studies.kept_outcomes import keep_outcomes, kept_outcomes, reread
from unsway.testing import scripted, toy_questions
from unsway.types import Excluded, Outcome, Reading

BIASES = ["post_hoc", "distractor_fact"]
OLDER = "mcq@0"


@pytest.fixture(scope="module")
def made() -> PairSet:
    return pairs(toy_questions(10), BIASES)


@pytest.fixture(scope="module")
def measured(made: PairSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("measured")
    model = scripted(made, {"post_hoc": 0.5})
    run(made, model, folder=place)
    keep(place, made, Arm("base", "scripted/model", str(model.model_args["weights"]), "base"))
    keep_outcomes(place)
    return place


@pytest.fixture
def folder(measured: Path, tmp_path: Path) -> Path:
    """A copy, for each test writes into it."""
    return Path(shutil.copytree(measured, tmp_path, dirs_exist_ok=True))


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["reread", *(str(arg) for arg in args)])


def older(folder: Path, altered: dict[int, Reading], *, side: str = "biased") -> tuple[Outcome, ...]:
    """Put outcomes of an older reader in place of those that are kept, some of them with another answer."""
    rows = [replace(outcome, parser=OLDER) for outcome in kept_outcomes(folder)]
    for i, answer in altered.items():
        rows[i] = replace(rows[i], **{side: answer})
    write_jsonl(folder / layout.OUTCOMES, rows, parser=[OLDER])
    return tuple(rows)


def test_outcomes_are_kept_with_the_version_of_the_reader(folder: Path) -> None:
    kept = kept_outcomes(folder)
    assert len(kept) == 20 and {outcome.parser for outcome in kept} == {PARSER}
    manifest = read_manifest(folder / layout.OUTCOMES)
    assert manifest is not None and manifest["parser"] == [PARSER] and manifest["rows"] == 20


def test_nothing_changed_where_nothing_did(folder: Path) -> None:
    older(folder, {})
    found = reread(folder)
    assert (found.before, found.now) == ((OLDER,), PARSER)
    assert (found.n_answers, found.n_new, found.changed) == (30, 0, ()), "10 clean ones are shared by two biases"
    assert reread(folder).before == (PARSER,)


def test_exactly_the_altered_answers_are_reported(folder: Path, made: PairSet) -> None:
    kept = kept_outcomes(folder)
    other = (kept[3].biased.choice or 0) ^ 1
    rows = older(folder, {3: Reading(other, "ok", "old"), 8: Reading(None, "unparsed", "nothing"), 11: kept[11].biased})
    found = reread(folder)
    by_id = {pair.id: pair for pair in made}
    assert [(one.prompt.id, one.side) for one in found.changed] == [
        (by_id[rows[i].pair_id].biased.id, "biased") for i in (3, 8)
    ]
    assert [one.old for one in found.changed] == [rows[3].biased, rows[8].biased]
    assert [one.new for one in found.changed] == [kept[3].biased, kept[8].biased]
    assert sum(found.moves().values()) == 2 and ("unparsed", f"({'ABCD'[kept[8].biased.choice or 0]})") in found.moves()
    assert kept_outcomes(folder) == kept, "today's reading is what is kept now"


def test_letters_are_those_that_the_model_was_shown(tmp_path: Path) -> None:
    made = pairs(toy_questions(2, n_options=2), ["positional"])
    model = scripted(made, {})
    run(made, model, folder=tmp_path)
    keep(tmp_path, made, Arm("base", "scripted/model", str(model.model_args["weights"]), "base"))
    keep_outcomes(tmp_path)
    none = Reading(None, "unparsed", "nothing")
    older(tmp_path, {0: none, 1: none})
    found = reread(tmp_path)
    said = [re.findall(r"\((\w)\)\.?$", one.reply.text)[-1] for one in found.changed]
    assert len(said) == 2 and set(found.moves()) == {("unparsed", f"({letter})") for letter in said}


def test_a_shared_clean_answer_is_one_change_and_counting_is_told(folder: Path) -> None:
    kept = kept_outcomes(folder)
    none = Reading(None, "ambiguous", "several")
    rows = older(folder, {0: none, 1: none}, side="clean")
    assert kept[0].question_id == kept[1].question_id
    rows = tuple(replace(o, excluded=Excluded("clean", "ambiguous")) if o.clean == none else o for o in rows)
    write_jsonl(folder / layout.OUTCOMES, rows, parser=[OLDER])
    found = reread(folder)
    assert [(one.side, one.old.status) for one in found.changed] == [("clean", "ambiguous")]
    assert (found.n_counted, found.n_uncounted) == (2, 0)


def test_another_rule_or_place_is_no_change(folder: Path) -> None:
    kept = kept_outcomes(folder)
    older(folder, {2: replace(kept[2].biased, rule="other", span=None)})
    assert reread(folder).changed == ()


def test_measuring_more_does_not_hide_what_an_older_reader_read(folder: Path) -> None:
    older(folder, {5: Reading(None, "unparsed", "nothing")})
    more = pairs(toy_questions(12), BIASES)
    model = scripted(more, {"post_hoc": 0.5})
    run(more, model, folder=folder)
    keep(folder, more, Arm("base", "scripted/model", str(model.model_args["weights"]), "base"))
    keep_outcomes(folder)
    assert {outcome.parser for outcome in kept_outcomes(folder)} == {OLDER, PARSER}
    found = reread(folder)
    assert found.before == (OLDER, PARSER) and len(found.changed) == 1


def test_a_reply_that_came_later_is_no_change(folder: Path) -> None:
    older(folder, {4: Reading(None, "no_reply")})
    found = reread(folder)
    assert (found.n_new, found.changed) == (1, ())


def test_the_command_counts_and_cuts_and_escapes(folder: Path) -> None:
    store = ReplyStore(folder / "replies.jsonl")
    evil = [replace(reply, text=reply.text + " \x1b[31mred\x07 " + "long " * 100) for reply in store]
    write_text(folder / "replies.jsonl", "".join(line(reply) + "\n" for reply in evil))
    older(folder, {i: Reading(None, "refused", "refusal") for i in range(7)})
    said = call(folder, "--show", 2)
    assert said.exit_code == 0, said.output
    assert f"read by {OLDER}, were read again by {PARSER}: 7 changed (23%)" in said.output
    assert "× refused → (" in said.output
    assert "\x1b" not in said.output and "\x07" not in said.output
    assert said.output.count("scripted/model, prompt") == 2
    assert max(map(len, said.output.splitlines())) < 200
    older(folder, {0: Reading(None, "refused", "refusal")})
    found = json.loads(call(folder, "--json").stdout)
    assert (found["n_changed"], found["n_answers"], found["before"]) == (1, 30, [OLDER])
    assert found["changed"][0]["old"]["status"] == "refused" and "\x1b" not in found["changed"][0]["reply"]


def test_nothing_kept_is_kept_now_and_a_folder_without_a_study_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / layout.OUTCOMES).unlink()
    said = call(folder).output
    assert "No stored readings" in said and "30 answers, read by" in said
    assert len(kept_outcomes(folder)) == 20
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BadInput, match="holds no study"):
        reread(empty)
    assert call(empty).exit_code == 1


def test_a_second_reader_that_cannot_be_asked_leaves_what_changed_to_be_told(folder: Path) -> None:
    older(folder, {0: Reading(None, "unparsed", "none")})
    assert call(folder, "--second-reader", "nobody/here").exit_code == 1
    assert "1 changed" in call(folder).output and "0 changed" in call(folder).output
