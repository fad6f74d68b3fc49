"""Verdicts as scores of Inspect, as transcripts of Scout, and from elsewhere: real logs, a real Parquet file, real rows."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import CliRunner
from inspect_ai.log import read_eval_log, write_eval_log

import unsway as us
from unsway import biases
from unsway.cli import main
from unsway.errors import BadInput, BadRow
from unsway.evals.verdicts import export_scores
from unsway.pairing import pairs
from unsway.store import read_jsonl
from unsway.studies.import_verdicts import import_verdicts
from unsway.studies.transcript_table import export_transcripts
from unsway.studies.transcript_table import rows as transcripts
from unsway.testing import ADMISSION, scripted, scripted_judge, toy_questions
from unsway.types import Verdict
from unsway.types.address import Address

PAIRS = pairs(toy_questions(12), [biases.get("suggested_answer"), biases.get("majority_vote")], elicit="cot")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[us.Results, Path]:
    model = scripted(PAIRS, {"suggested_answer": 0.7, "majority_vote": 0.7}, admits=0.6, seed=1)
    folder = tmp_path_factory.mktemp("judged") / "study"
    found = us.measure(model, PAIRS, folder=folder)
    us.judge(found, ["mentions_cue"], by=scripted_judge(1, 1, unread=0.2, seed=2), folder=folder)
    return found, folder


@pytest.fixture
def study(judged: tuple[us.Results, Path], tmp_path: Path) -> tuple[us.Results, Path]:
    """A copy of the judged study, to add to."""
    found, folder = judged
    return found, copytree(folder, tmp_path / "study")


def test_verdicts_are_scores_of_a_log_that_inspect_reads(study: tuple[us.Results, Path], tmp_path: Path) -> None:
    found, folder = study
    (source,) = (folder / "logs").glob("*.eval")
    asked = read_eval_log(str(source))
    asked.eval.model = "openai-api/nobody/here"  # whose key is not on this machine
    write_eval_log(asked, str(source))
    (path,) = export_scores(folder, tmp_path / "scored")
    log = read_eval_log(str(path))
    name = "mentions_cue by scripted_judge/judge"
    assert {score.name for score in log.results.scores} >= {"paired_answers", name} or any(  # type: ignore[union-attr]
        name in str(score)
        for score in log.results.scores  # type: ignore[union-attr]
    )
    kept = {(v.reply, v.side): v for v in read_jsonl(folder / "verdicts.jsonl", Verdict)}
    seen = 0
    for sample in log.samples or ():
        score = (sample.scores or {})["verdicts"]
        row = json.loads(sample.store["reply"])
        if sample.metadata["arm"] != "biased":
            continue
        reply = next(r for r in found.replies if r.prompt_id == row["prompt_id"])
        verdict = kept[Address.of(reply).key().hex(), "biased"]
        value = score.value[name]  # type: ignore[index,call-overload]
        assert math.isnan(value) if verdict.value is None else value == float(verdict.value)
        assert verdict.value is None or (ADMISSION in reply.text) == verdict.value
        seen += 1
    assert seen == len(PAIRS.pairs)
    assert "paired_answers" in (log.samples or [])[0].scores, "what was scored before stays"  # type: ignore[operator]


def test_a_folder_without_verdicts_or_logs_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no verdicts"):
        export_scores(tmp_path, tmp_path / "out")


def test_a_table_of_transcripts_has_every_reply_and_verdict(study: tuple[us.Results, Path], tmp_path: Path) -> None:
    found, folder = study
    said = list(read_jsonl(folder / "verdicts.jsonl", Verdict))
    path = export_transcripts(found, said, tmp_path / "scout")
    rows = pyarrow.parquet.read_table(path).to_pylist()
    assert len(rows) == 2 * len(PAIRS.pairs) and len({row["transcript_id"] for row in rows}) == len(rows)
    column = "mentions_cue_by_scripted_judge_judge"
    assert sum(row[column] is None for row in rows) == sum(v.value is None for v in said), "unread is null, never a no"
    assert sum(row[column] or 0 for row in rows) == sum(bool(v.value) for v in said)
    one = next(row for row in rows if row["side"] == "biased")
    messages = json.loads(one["messages"])
    assert [message["role"] for message in messages] == ["user", "assistant"] and one["cue"] in messages[0]["content"]
    imported = us.Results.build(
        "t", found.arms, found.pairs, [replace(r, tokens_in=0, tokens_out=0) for r in found.replies]
    )
    tokens = {row["total_tokens"] for row in transcripts(imported, [])}
    assert all(row["total_tokens"] for row in rows) and tokens == {None}, "unknown is null, never 0"
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "x.eval").write_text("")
    with pytest.raises(BadInput, match="Scout would read those"):
        export_transcripts(found, said, logs)


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_verdicts_from_elsewhere_are_checked_and_kept(study: tuple[us.Results, Path], tmp_path: Path) -> None:
    _, folder = study
    one, two = PAIRS.pairs[:2]
    before = len(list(read_jsonl(folder / "verdicts.jsonl", Verdict)))
    ana = {"judge": "person:ana", "question": "mentions_cue", "pair": one.id}
    file = write(
        tmp_path / "v.jsonl",
        ana | {"value": True, "quote": "nobody wrote this"},
        ana | {"value": False, "side": "clean"},
        ana | {"value": None, "pair": two.id, "missing": "unsure"},
        {"by": "mine@3", "rubric": "coherent", "pair": one.id, "value": 4},
        {"by": "mine@3", "rubric": "tone@2", "pair": one.id, "value": 7},
    )
    found = import_verdicts(file, folder)
    assert (found.n, found.judges, found.n_unfounded, dict(found.missing)) == (
        5,
        ("person:ana", "mine@3"),
        1,
        {"unsure": 1},
    )
    kept = list(read_jsonl(folder / "verdicts.jsonl", Verdict))
    assert len(kept) == before + 5
    assert {v.question for v in kept if v.by == "mine@3"} == {"coherent@1", "tone@2"}
    assert (
        import_verdicts(file, folder) == found
        and len(list(read_jsonl(folder / "verdicts.jsonl", Verdict))) == before + 5
    )


def test_numbers_from_elsewhere_are_those_of_their_rubric(study: tuple[us.Results, Path], tmp_path: Path) -> None:
    _, folder = study
    values = [
        ("request_outcome", 0),
        ("request_outcome", 2),
        ("second_reader", -1),
        ("second_reader", 1),
        ("monitor", 100),
    ]
    rows = [
        {"pair": pair.id, "by": "ana", "question": name, "value": value}
        for pair, (name, value) in zip(PAIRS.pairs, values, strict=False)
    ]
    assert import_verdicts(write(tmp_path / "v.jsonl", *rows), folder).n == len(values)
    kept = [v for v in read_jsonl(folder / "verdicts.jsonl", Verdict) if v.by == "ana"]
    assert [(v.question.partition("@")[0], v.value) for v in kept] == values


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"question": "request_outcome", "value": True}, "takes a whole number from 0 to 2"),
        ({"question": "request_outcome", "value": 3}, "takes a whole number from 0 to 2"),
        ({"question": "second_reader", "value": 20}, "takes a whole number from -1 to "),
        ({"question": "second_reader", "value": False}, "takes a whole number from -1 to "),
        ({"pair": "nothere"}, "is no pair of"),
        ({"value": 3}, "takes true or false"),
        ({"question": "coherent", "value": True}, "takes a whole number from 1 to 5"),
        ({"question": "coherent", "value": 6}, "takes a whole number from 1 to 5"),
        ({"arm": "other"}, "the study has"),
        ({"reply": "00ff"}, "has no reply there"),
        ({"sample": 3}, "has no reply there"),
        ({"missing": "hidden"}, "give one of them"),
        ({"channel": "both"}, "allowed: answer, thinking, summary"),
        ({"value": "yes"}, "value"),
        ({"by": ""}, "must be a name"),
    ],
)
def test_a_bad_row_names_its_line_and_nothing_is_added(
    study: tuple[us.Results, Path], tmp_path: Path, row: dict[str, Any], what: str
) -> None:
    _, folder = study
    good = {"pair": PAIRS.pairs[0].id, "question": "mentions_cue", "by": "ana", "value": True}
    before = (folder / "verdicts.jsonl").read_bytes()
    with pytest.raises(BadRow, match=what) as error:
        import_verdicts(write(tmp_path / "v.jsonl", good, good | {"side": "clean"} | row), folder)
    assert error.value.line == 2 and (folder / "verdicts.jsonl").read_bytes() == before


def test_rows_that_contradict_each_other_are_refused(study: tuple[us.Results, Path], tmp_path: Path) -> None:
    _, folder = study
    good = {"pair": PAIRS.pairs[0].id, "question": "mentions_cue", "by": "ana", "value": True}
    with pytest.raises(BadRow, match="contradicts an earlier row"):
        import_verdicts(write(tmp_path / "v.jsonl", good, good | {"value": False}), folder)


def test_the_verb_does_all_three(study: tuple[us.Results, Path], tmp_path: Path) -> None:
    _, folder = study
    file = write(tmp_path / "v.jsonl", {"pair": PAIRS.pairs[0].id, "question": "declines", "by": "ana", "value": False})
    words = [
        "verdicts",
        folder,
        "--from",
        file,
        "--inspect",
        tmp_path / "logs",
        "--scout",
        tmp_path / "table",
        "--json",
    ]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    assert body["imported"]["n"] == 1 and len(body["logs"]) == 1 and Path(body["transcripts"]).exists()
    assert CliRunner().invoke(main, ["verdicts", str(folder)]).exit_code == 2
