"""`inspect eval unsway/bias`: the paired numbers in the log's header are those of `measure`; the log comes back by import."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai import score
from inspect_ai.log import (
    EvalLog,
    ProvenanceData,
    edit_score,
    invalidate_samples,
    read_eval_log,
    write_eval_log,
)
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ModelName,
    ModelOutput,
)
from inspect_ai.scorer import ScoreEdit
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

import unsway as us
from tests.forking import Forked
from unsway import readers
from unsway.biases.registry import biases
from unsway.cli import main
from unsway.evals.tasks import bias, model_turns
from unsway.importing.replies import load as imported
from unsway.pairing import PairSet, pairs
from unsway.sampling import run
from unsway.sampling.claims import Claims
from unsway.sampling.conversation import chat
from unsway.sampling.records import paired_answers
from unsway.sources import load
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.store import ReplyStore, dumps, loads, read_jsonl
from unsway.testing import scripted
from unsway.types import Pair, Reading, Reply, Settings, Side
from unsway.types.address import Address, reply_id

N = 12
"""Questions of each eval."""
FOLLOW = {"post_hoc": 0.6, "are_you_sure": 0.5, "positional": 0.4}


def asked(bias: str) -> PairSet:
    source = "comparisons" if bias == "positional" else "procedural/arithmetic"
    return pairs(load(source, n=N), [bias])


def header(folder: Path, bias: Any, model: Any, **how: Any) -> tuple[EvalLog, dict[str, float]]:
    (log,) = inspect_eval(
        "unsway/bias",
        task_args={"bias": bias, "n": N},
        model=model,
        log_dir=str(folder / "logs"),
        display="none",
        max_tokens=1000,
        **how,
    )
    assert log.status == "success", log.error
    kept = read_eval_log(log.location, header_only=True)
    assert kept.results is not None
    (scores,) = kept.results.scores
    return log, {name: metric.value for name, metric in scores.metrics.items()}


@pytest.mark.parametrize("bias", list(FOLLOW))
def test_the_header_has_the_numbers_of_measure(bias: str, tmp_path: Path) -> None:
    both = asked(bias)
    model = scripted(both, follow=FOLLOW, accuracy=0.75)
    log, found = header(tmp_path, bias, model)
    (cell,) = cells(outcomes(both, run(both, model)))
    brr = cell["brr"]
    assert (found["n"], found["n_excluded"]) == (brr.n, brr.n_excluded)
    assert [found.get(name) for name in ("brr", "brr_low", "brr_high")] == pytest.approx([brr.value, brr.low, brr.high])
    assert ("brr" in found) == (bias != "positional"), "without a second sample positional is not tested"
    assert found.get("accuracy_biased") == pytest.approx(cell["accuracy_biased"].value)
    for sample in log.samples or ():
        about, ((_, score),) = sample.metadata, (sample.scores or {}).items()
        assert f"({score.answer})" in sample.output.completion, "letters are those shown, on turned options too"
        question = next(pair.question for pair in both if pair.question.id == about["question_id"])
        gold = "" if question.gold is None else question.options[question.gold]
        assert gold == (about["options"]["ABCD".index(str(sample.target))] if sample.target else "")


def test_several_biases_share_the_clean_prompt_and_are_told_apart(tmp_path: Path) -> None:
    both = asked("post_hoc") + pairs(load("procedural/arithmetic", n=N), ["suggested_answer"])
    log, found = header(tmp_path, ["post_hoc", "suggested_answer"], scripted(both, follow={"post_hoc": 1.0}))
    assert log.samples is not None and len(log.samples) == 3 * N
    assert found["post_hoc/brr"] > 0.5 and found["suggested_answer/brr"] == 0


def test_replies_that_cannot_be_read_are_no_answers(tmp_path: Path) -> None:
    log, found = header(tmp_path, "post_hoc", scripted(asked("post_hoc"), follow={}, parse_rate=0.5))
    values = [score.value for sample in log.samples or () for score in (sample.scores or {}).values()]
    assert {value["read"] for value in values} == {0, 1} and {value["right"] for value in values if value["read"]} == {
        0,
        1,
    }
    assert all(math.isnan(value["right"]) and math.isnan(value["followed"]) for value in values if not value["read"])
    assert found["n_excluded"] > 0


def test_the_log_comes_back_by_import_with_the_same_numbers(tmp_path: Path) -> None:
    log, found = header(tmp_path, "are_you_sure", scripted(asked("are_you_sure"), follow=FOLLOW), temperature=0.7)
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["import", log.location.removeprefix("file://"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = json.loads(CliRunner().invoke(main, ["table", str(out), "--by", "both", "--json"]).stdout)
    (brr,) = [row for row in rows if row["name"] == "brr"]
    assert brr["value"] == pytest.approx(found["brr"]) and brr["n"] == found["n"] and brr["model"] == "scripted/model"
    kept = {reply_id(reply) for reply in read_jsonl(out / "replies.jsonl", Reply)}
    assert {reply.settings for reply in read_jsonl(out / "replies.jsonl", Reply)} == {Settings(0.7, 1000)}
    assert {reply_id(loads(Reply, sample.store["reply"])) for sample in log.samples or ()} == kept, (
        "as verdicts name it"
    )
    assert log.plan.steps[0].params == {}, "tools that list logs read every header: prompts stand in the samples alone"
    first, *_ = log.samples or ()
    by = ProvenanceData(author="somebody")
    edit_score(log, first.id, "paired_answers", ScoreEdit(metadata={}, provenance=by), recompute_metrics=False)
    write_eval_log(log, str(tmp_path / "edited.json"))
    write_eval_log(invalidate_samples(log, [str(first.uuid)], by), str(tmp_path / "invalid.json"))
    assert {reply_id(reply) for reply in imported(tmp_path / "edited.json").replies} == kept
    invalid = imported(tmp_path / "invalid.json")
    assert len(invalid.replies) == len(kept) - 1 and "1 sample marked as invalid: missing here" in invalid.notes[0]
    assert len(imported([tmp_path / "invalid.json", tmp_path / "edited.json"]).replies) == len(kept), "as tried again"
    for sample in log.samples or ():
        sample.scores = None  # as with `--no-score`
    log.plan.config.system_message, log.plan.config.stop_seqs = "Be brief.", ["."]
    write_eval_log(log, str(tmp_path / "unscored.json"))
    unscored = imported(tmp_path / "unscored.json")
    assert {reply_id(reply) for reply in unscored.replies} == kept
    assert "asked with stop_seqs, system_message" in unscored.notes[0]


@pytest.mark.parametrize("of_measure", [False, True])
def test_a_sample_that_failed_is_missing_in_the_header_as_in_an_import(of_measure: bool, tmp_path: Path) -> None:
    both = asked("post_hoc")
    model = scripted(both, follow=FOLLOW)
    answer, tired = model.api.generate, {pair.biased.messages()[-1].content for pair in both.pairs[:3]}

    async def generate(input: Any, **rest: Any) -> Any:
        if input[-1].text in tired:
            raise RuntimeError("tired")
        return await answer(input=input, **rest)

    model.api.generate = generate  # type: ignore[method-assign]
    if of_measure:
        with pytest.raises(us.UnswayError, match="tired"):
            run(both, model, folder=tmp_path / "study")
        (log_path,) = (tmp_path / "study" / "logs").glob("*.eval")
        path = log_path.rename(tmp_path / "moved.eval")
        results = read_eval_log(str(path)).results
        assert results is not None
        found = {name: metric.value for name, metric in results.scores[0].metrics.items()}
    else:
        log, found = header(tmp_path, "post_hoc", model, fail_on_error=False)
        path = Path(log.location.removeprefix("file://"))
    theirs = imported(path)
    (cell,) = cells(outcomes(theirs.pairs, theirs.replies))
    brr = cell["brr"]
    assert (found["n"], found["n_excluded"]) == (brr.n, brr.n_excluded) and brr.n_excluded >= 3
    assert [found["brr"], found["brr_low"], found["brr_high"]] == pytest.approx([brr.value, brr.low, brr.high])


def test_a_sample_that_another_process_asks_is_not_missing_in_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, take = asked("post_hoc"), Claims.take
    theirs = {pair.biased.id for pair in both.pairs[:3]}

    def claimed(claims: Claims, address: Address) -> bool:
        is_theirs = address.prompt_id in theirs
        theirs.discard(address.prompt_id)
        return not is_theirs and take(claims, address)

    monkeypatch.setattr(Claims, "take", claimed)
    run(both, scripted(both, follow=FOLLOW), folder=tmp_path)
    logs = [read_eval_log(str(file)) for file in (tmp_path / "logs").glob("*.eval")]
    first, _ = sorted(logs, key=lambda log: len(log.samples or ()), reverse=True)  # the second is of what they left
    assert first.results is not None
    found = {name: metric.value for name, metric in first.results.scores[0].metrics.items()}
    assert (found["n"], found["n_excluded"]) == (len(both) - 3, 0)


def test_a_foreign_log_needs_the_fields_in_its_metadata(tmp_path: Path) -> None:
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample

    both = asked("post_hoc")
    about = {"question_id": "q", "n_options": 4, "gold": "A", "target": "B", "bias": "post_hoc"}
    asked_for = {"clean": both.pairs[0].clean, "biased": both.pairs[1].clean}
    samples = [
        Sample(input=prompt.messages()[-1].content, id=arm, metadata=about | {"arm": arm})
        for arm, prompt in asked_for.items()
    ]
    task = Task(dataset=MemoryDataset(samples), solver=generate())
    (log,) = inspect_eval(task, model=scripted(both, follow={}), log_dir=str(tmp_path), display="none")
    path = log.location.removeprefix("file://")
    done = CliRunner().invoke(main, ["import", path, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and "2 replies to 1 pair" in done.output
    task.dataset[0].metadata = {"arm": "clean"}
    (log,) = inspect_eval(task, model=scripted(both, follow={}), log_dir=str(tmp_path), display="none")
    done = CliRunner().invoke(main, ["import", log.location.removeprefix("file://"), "--out", str(tmp_path / "other")])
    assert "1 row of clean replies that no biased row belongs to" in done.output
    assert "No pair has replies on both sides" in done.output


def test_another_solver_may_ask_and_is_named_but_does_not_walk_turns(tmp_path: Path) -> None:
    both = asked("post_hoc") + asked("are_you_sure")

    @solver
    def generating() -> Solver:
        """Decodes in its own way, and meets a limit or an error behind its reply on the biased side of one question each."""

        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state = await generate(state, temperature=1.0)
            if state.sample_id == both.pairs[0].biased.id:
                state.message_limit = 1
                state.messages.append(ChatMessageUser(content="Go on."))
            if state.sample_id == both.pairs[1].biased.id:
                raise RuntimeError("late")
            return state

        return solve

    asking = {"solver": generating(), "fail_on_error": False, "score_on_error": True}
    log, found = header(tmp_path, ["post_hoc", "are_you_sure"], scripted(both, follow=FOLLOW), **asking)
    assert (found["post_hoc/n"], found["are_you_sure/n"]) == (N - 2, 0) and found["are_you_sure/n_excluded"] == N
    again = score(log, paired_answers(), model="none", action="overwrite", display="none").results
    assert again is not None and {name: each.value for name, each in again.scores[0].metrics.items()} == found
    theirs = imported(log.location.removeprefix("file://"))
    by_bias = {cell.bias.partition("@")[0]: cell for cell in cells(outcomes(theirs.pairs, theirs.replies))}
    assert by_bias["post_hoc"]["brr"].value == found["post_hoc/brr"] and len(theirs.replies) == 2 * N - 2
    assert "asked by another solver (generating)" in theirs.notes[0]
    assert {reply.settings for reply in theirs.replies} == {Settings(1.0, 1000)}, "not as the task's header says"
    for sample in log.samples or ():
        sample.scores = None  # as with `--no-score`
    write_eval_log(log, str(tmp_path / "unscored.json"))
    assert imported(tmp_path / "unscored.json").replies == theirs.replies


def test_unsways_own_solver_asks_prompts_as_they_are_and_once() -> None:
    (pair, *_) = asked("post_hoc")
    known: dict[str, Any] = {"model": ModelName("mockllm/m"), "sample_id": 1, "epoch": 1, "input": ""}

    async def two(state: TaskState, **given: Any) -> TaskState:
        choice = ChatCompletionChoice(message=ChatMessageAssistant(content="(A)"))
        state.output = ModelOutput(choices=[choice, choice])
        return state

    about = {"pair": dumps(pair), "arm": "clean"}
    for metadata, messages, said in (
        ({}, [], "holds no pair"),
        (about, [ChatMessageSystem(content="Be careful."), *chat(pair.clean)], "changed the messages"),
        (about, chat(pair.clean), "--epochs N, not --num-choices"),
    ):
        state = TaskState(messages=messages, metadata=metadata, **known)
        with pytest.raises(us.UnswayError, match=said):
            asyncio.run(model_turns()(state, two))  # type: ignore[arg-type]


def test_epochs_are_samples(tmp_path: Path) -> None:
    (log,) = inspect_eval(
        "unsway/bias",
        task_args={"bias": "post_hoc", "n": 6},
        model=scripted(asked("post_hoc"), follow=FOLLOW),
        epochs=2,
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.results is not None
    assert log.results.scores[0].metrics["n"].value == 12
    assert {sample.epoch for sample in log.samples or ()} == {1, 2}


def test_each_biased_score_says_whether_the_cue_was_followed(tmp_path: Path) -> None:
    log, found = header(tmp_path, "post_hoc", scripted(asked("post_hoc"), follow=FOLLOW))
    scores = [(s.metadata, next(iter((s.scores or {}).values()))) for s in log.samples or ()]
    hits = [score.metadata["hit"] for about, score in scores if about["arm"] == "biased" and score.metadata]
    assert sum(hits) / len(hits) == pytest.approx(found["biased_rate"])
    assert all(
        (score.answer == about["target"]) == score.metadata["hit"] for about, score in scores if "target" in about
    )


def test_the_record_of_measure_points_to_its_folder(tmp_path: Path) -> None:
    study = tmp_path / "study"
    us.measure(scripted(asked("post_hoc"), follow={}), asked("post_hoc"), folder=study)
    (log,) = (study / "logs").glob("*.eval")
    for file in (log, study / "replies.jsonl"):
        done = CliRunner().invoke(main, ["import", str(file), "--out", str(tmp_path / "out")])
        assert done.exit_code == 1 and f"`unsway table {study}`" in done.output


def test_a_damaged_log_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.eval").write_bytes(b"PK\x03\x04 not really")
    done = CliRunner().invoke(main, ["import", str(tmp_path / "x.eval"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1 and "Cannot read the log" in done.output


def test_view_needs_logs(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["view", str(tmp_path)])
    assert done.exit_code == 1 and "holds no log" in done.output


def test_both_samples_of_a_pair_stand_side_by_side_so_that_a_limit_cuts_no_arm() -> None:
    samples = bias(["post_hoc", "suggested_answer"], n=3).dataset
    assert [(each.metadata or {})["arm"] for each in samples] == ["clean", "biased"] * 3 + ["biased"] * 3


def test_the_reader_of_a_bias_reads_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(pair: Pair, side: Side, reply: Reply) -> Reading:
        return Reading(int(len(reply.text) > 3), "ok", "toy")

    monkeypatch.setitem(readers.readers._things, "toy_long", readers.DeclaredReader("toy_long", 3, "Long or not", read))
    monkeypatch.setitem(biases._things, "toy_cue", replace(biases.get("post_hoc"), name="toy_cue", reader="toy_long"))
    log, found = header(tmp_path, "toy_cue", scripted(asked("toy_cue"), follow={"toy_cue": 1.0}))
    scores = [score for sample in log.samples or () for score in (sample.scores or {}).values()]
    assert {score.answer for score in scores} <= {"A", "B"} and len(scores) == 2 * N
    read_by = {((score.metadata or {})["reader"], (score.metadata or {})["rule"]) for score in scores}
    assert read_by == {("toy_long@3", "toy")} and found["n"] == N


# ---------------------------------------------------------------- the log of `unsway measure`


def test_the_log_of_measure_says_what_was_measured(tmp_path: Path) -> None:
    both = pairs(load("procedural/arithmetic", n=N), ["post_hoc", "suggested_answer"])
    run(both, scripted(both, follow={"post_hoc": 1.0}, parse_rate=0.8), folder=tmp_path)
    (path,) = (tmp_path / "logs").glob("*.eval")
    log = read_eval_log(str(path))
    assert log.eval.task == "post_hoc-suggested_answer" and log.eval.metadata["biases"] == [
        pair.bias for pair in (both.pairs[0], both.pairs[-1])
    ]
    assert log.eval.viewer.task_samples_view.columns[4].id == "score__paired_answers__followed"
    assert log.results is not None
    (scores,) = log.results.scores
    found = {
        cell.bias.partition("@")[0]: cell
        for cell in cells(outcomes(both, list(ReplyStore(tmp_path / "replies.jsonl"))))
    }
    for name, cell in found.items():
        assert scores.metrics[f"{name}/brr"].value == pytest.approx(cell["brr"].value)
        assert scores.metrics[f"{name}/brr_stderr"].value >= 0 and scores.metrics[f"{name}/n"].value == cell["brr"].n
    for sample in log.samples or ():
        score = sample.scores["paired_answers"]
        gold = both.pairs[0].question.options  # all questions have as many options
        assert sample.target in "ABCD"[: len(gold)] and sample.metadata["question_id"] and sample.metadata["options"]
        assert set(score.value) == {"followed", "right", "read"} and "reader: " in score.explanation
        if score.value["read"]:
            assert score.value["right"] == (score.answer == sample.target)
            if sample.metadata["arm"] == "biased":
                assert score.value["followed"] == (score.answer == sample.metadata["target"])


def test_the_standard_error_is_that_of_paired_differences(tmp_path: Path) -> None:
    asked_pairs = asked("post_hoc")
    model = scripted(asked_pairs, follow=FOLLOW)
    _, found = header(tmp_path, "post_hoc", model)
    moves = [bool(one.hit_biased) - bool(one.hit_clean) for one in outcomes(asked_pairs, run(asked_pairs, model))]
    mean = sum(moves) / len(moves)
    variance = sum((move - mean) ** 2 for move in moves) / (len(moves) - 1)
    assert found["brr_stderr"] == pytest.approx((variance / len(moves)) ** 0.5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pandas, in Inspect's own code
def test_inspects_own_tables_have_names_targets_and_values(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from inspect_ai.analysis import evals_df, samples_df

    run(asked("post_hoc"), scripted(asked("post_hoc"), follow=FOLLOW), folder=tmp_path)
    logs, samples = evals_df(str(tmp_path / "logs")), samples_df(str(tmp_path / "logs"))
    assert list(logs["task_name"]) == ["post_hoc"] and logs["score_headline_value"].notna().all()
    assert set(samples["metadata_arm"]) == {"clean", "biased"} and set(samples["target"]) <= set("ABCD")
    assert all(set(json.loads(value)) == {"followed", "right", "read"} for value in samples["score_paired_answers"])


def test_a_log_whose_study_is_gone_is_imported(tmp_path: Path) -> None:
    both = asked("are_you_sure")
    run(both, scripted(both, follow=FOLLOW), folder=tmp_path / "study", settings=Settings(0.7, 900))
    (log,) = (tmp_path / "study" / "logs").glob("*.eval")
    kept = list(ReplyStore(tmp_path / "study" / "replies.jsonl"))
    moved = log.rename(tmp_path / log.name)
    found = imported(moved)
    assert {dumps(reply) for reply in found.replies} == {dumps(reply) for reply in kept}
    assert {pair.id for pair in found.pairs} == {pair.id for pair in both}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": "abc"}, "n is 'abc'"),
        ({"bias": "positional", "n": 1.5}, "n is 1.5"),
        ({"n": True}, "n is True"),
        ({"seed": "abc"}, "seed is 'abc'"),
        ({"bias": 5}, "bias is 5; it is a name or several"),
        ({"bias": ["post_hoc", "all"]}, "no bias named 'all'"),
        ({"elicit": ["cot", "brief"]}, r"elicit is \['cot', 'brief'\]; it takes one name"),
        ({"split": 7}, "split is 7"),
        ({"bias": []}, "no bias is named"),
        ({"arguments": "nowhere.jsonl"}, "nowhere.jsonl"),
    ],
)
def test_an_argument_that_is_none_is_one_line(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ClickException, match=said):
        bias(**arguments)


def test_a_task_of_every_bias_leaves_out_and_names_those_without_arguments(caplog: pytest.LogCaptureFixture) -> None:
    found = [(each.metadata or {}).get("bias", "") for each in bias("all", n=1).dataset]
    asked = {name.partition("@")[0] for name in found if name}
    assert asked == {*biases.names()} - {"distractor_argument"} and "['distractor_argument']" in caplog.text
    assert len(bias("post_hoc,suggested_answer", n=1).dataset) == 3, "as `-T bias=A,B`"


@pytest.mark.parametrize(("argument", "said"), [("bias=post_hok", "post_hoc"), ("source=truthfulqaa", "truthfulqa")])
def test_a_mistyped_name_is_one_line_of_inspect(argument: str, said: str, tmp_path: Path) -> None:
    words = ["eval", "unsway/bias", "-T", argument, "--model", "mockllm/model", "--log-dir", str(tmp_path)]
    code = "import runpy; runpy.run_module('inspect_ai', run_name='__main__', alter_sys=True)"
    with Forked(code, *words, out=tmp_path / "said") as process:
        output = "".join(process.communicate(timeout=100))
    assert process.returncode != 0 and "Traceback" not in output and said in output, output
