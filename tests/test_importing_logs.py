"""Logs of Inspect that others made: both formats, two logs of one run, runs that did not finish, encrypted thoughts."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from click.testing import CliRunner
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.solver import generate

from tests.forking import Forked
from unsway.cli import main
from unsway.errors import BadInput
from unsway.evals.tasks import bias
from unsway.importing.bodies import Description
from unsway.importing.replies import load
from unsway.pairing import pairs
from unsway.reporting.caveats import caveats
from unsway.reporting.page import about
from unsway.sampling import run
from unsway.sources import load as questions
from unsway.studies.folder import results
from unsway.studies.import_replies import import_replies
from unsway.studies.measuring import measure
from unsway.testing import scripted, toy_questions
from unsway.types import AwayFrom, Reply, Settings, Toward

CIPHER = "Q2lwaGVy" * 40
THOUGHT = "The hint says tin, but salt is no metal."


def log_of(folder: Path, samples: list[Sample], answer: Callable[[str], Any], **options: Any) -> Path:
    def output(messages: list[Any], *_: object) -> ModelOutput:
        content = answer(messages[-1].text)
        message = ChatMessageAssistant(content=content)
        usage = ModelUsage(input_tokens=3, output_tokens=3, total_tokens=6)
        return ModelOutput(
            model="mock", choices=[ChatCompletionChoice(message=message, stop_reason="stop")], usage=usage
        )

    model = get_model("mockllm/model", custom_outputs=output, memoize=False)
    task = Task(dataset=samples, solver=generate(), name=options.pop("name", "theirs"))
    (log,) = inspect_eval(task, model=model, log_dir=str(folder), display="none", **options)
    return Path(log.location.removeprefix("file://"))


def sample(number: int, side: str, **about: Any) -> Sample:
    known = {"options": ["tin", "salt"], "bias": "hint", "target": "B", "condition": side, "question_id": f"q{number}"}
    return Sample(id=f"{number}-{side}", input=f"Which is a metal ({side})?", target="A", metadata=known | about)


def follow(text: str) -> str:
    return "(B)" if "hinted" in text else "(A)"


def frozen(number: int, side: str) -> Sample:
    """A sample as mcq-bias makes them: one log a side, paired by the id of the sample."""
    options = "\n\nAnswer choices:\n(A) tin\n(B) salt\n(C) wood\n\nGive your answer like this: (X)."
    about = {"variant": side, "source_dataset": "metals", "prompt_style": "none"}
    if side == "biased":
        about |= {"bias_type": "post_hoc", "biased_option": "NOT A" if number else "B", "biasing_text": "x"}
    return Sample(
        id=f"h{number}", input=[ChatMessageUser(content=f"Set {number}, {side}{options}")], target="A", metadata=about
    )


@pytest.mark.parametrize("kind", ["eval", "json"])
def test_both_formats_are_read(tmp_path: Path, kind: str) -> None:
    samples = [sample(n, side) for n in range(3) for side in ("plain", "hinted")]
    path = log_of(tmp_path, samples, follow, log_format=kind)
    assert path.suffix == f".{kind}"
    done = CliRunner().invoke(main, ["import", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and "6 replies to 3 pairs" in done.output, done.output
    found = load(path)
    assert {reply.asked_on for reply in found.replies} != {""} and found.pairs[0].question.gold == 0
    assert "hinted" in found.pairs[0].biased.turns[0].text()


def test_every_answer_of_a_prompt_that_was_answered_several_times_at_once_is_a_reply(tmp_path: Path) -> None:
    path = log_of(
        tmp_path, [sample(n, side) for n in range(2) for side in ("plain", "hinted")], follow, log_format="json"
    )
    log = json.loads(path.read_text())
    for one in log["samples"]:
        other = json.loads(json.dumps(one["output"]["choices"][0]))
        other["message"]["content"] = "(A)"
        one["output"]["choices"].append(other)
    path.write_text(json.dumps(log))
    found = load(path)
    assert len(found.replies) == 8 and len(found.pairs) == 2
    biased = {pair.biased.id for pair in found.pairs}
    said = sorted((reply.sample, reply.text) for reply in found.replies if reply.prompt_id in biased)
    assert said == [(0, "(B)"), (0, "(B)"), (1, "(A)"), (1, "(A)")]


def test_what_an_agent_submitted_is_its_reply_and_one_that_met_a_limit_has_none(tmp_path: Path) -> None:
    path = log_of(
        tmp_path, [sample(n, side) for n in range(2) for side in ("plain", "hinted")], follow, log_format="json"
    )
    log = json.loads(path.read_text())
    for one in log["samples"]:
        one["output"]["completion"] = "I submit (A)."
    log["samples"][0]["limit"] = {"type": "message", "limit": 1, "reason": "Message limit reached."}
    path.write_text(json.dumps(log))
    found = load(path)
    assert {reply.text for reply in found.replies} == {"I submit (A)."} and (len(found.replies), found.n_empty) == (
        3,
        1,
    )
    for one in log["samples"]:
        one["limit"] = log["samples"][0]["limit"]
    path.write_text(json.dumps(log))
    with pytest.raises(BadInput, match=r"is a log, and it holds no reply\. Each sample failed or met a limit"):
        load(path)


def test_a_pair_that_was_damaged_in_a_log_of_ours_is_said(tmp_path: Path) -> None:
    path = log_of(tmp_path, [Sample(id="1", input="x", metadata={"pair": {"id": 7}})], follow, log_format="json")
    with pytest.raises(BadInput, match="a pair or a reply that was damaged"):
        load(path)


def test_two_logs_of_one_measurement_join(tmp_path: Path) -> None:
    biased = log_of(tmp_path, [frozen(n, "biased") for n in range(3)], lambda text: "(B)", name="b")
    clean = log_of(tmp_path, [frozen(n, "unbiased") for n in range(4)], lambda text: "(A)", name="u")
    found = load([biased, clean])
    assert len(found.pairs) == 3 and len(found.replies) == 7 and found.n_alone == 1
    by_id = {pair.question.id: pair for pair in found.pairs}
    assert by_id["metals/h0"].target == Toward(1) and by_id["metals/h1"].target == AwayFrom(0)
    assert by_id["metals/h0"].question.options == ("tin", "salt", "wood")
    assert {pair.bias for pair in found.pairs} == {"post_hoc@imported"}


def test_logs_that_know_choices_and_targets_alone(tmp_path: Path) -> None:
    def plain(side: str) -> list[Sample]:
        return [Sample(id=n, input=f"Which ({side})?", choices=["tin", "salt"], target="A") for n in range(3)]

    hinted = log_of(tmp_path, plain("hinted"), follow, name="h")
    clean = log_of(tmp_path, plain("plain"), follow, name="p")
    found = load([hinted], Description(clean=(clean,), given={"bias": "hint", "target": "B"}))
    assert len(found.pairs) == 3 and len(found.replies) == 6


INTERRUPTED = """
import asyncio, sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate
n_quick = int(sys.argv[2])
about = dict(options=["tin", "salt"], bias="hint", target="B", arm="biased")
samples = [Sample(id=n, input="Which?", target="A", metadata=about | {"question_id": f"q{n}"}) for n in range(4)]
asked = 0
async def answer(*_):
    global asked
    asked += 1
    if asked > n_quick:
        print("waiting", flush=True)
        await asyncio.sleep(100)
    output = ModelOutput.from_content("mock", "(B)")
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output
model = get_model("mockllm/model", custom_outputs=answer)
task = Task(dataset=samples, solver=generate())
eval(task, model=model, log_dir=sys.argv[1], display="none", max_connections=1, max_samples=1, limit=3)
"""


@pytest.mark.parametrize("n_quick", [0, 2])
def test_a_run_that_was_interrupted_is_said(tmp_path: Path, n_quick: int) -> None:
    with Forked(INTERRUPTED, str(tmp_path / "logs"), str(n_quick), out=tmp_path / "said") as process:
        process.says("waiting")
        os.kill(process.pid, signal.SIGINT)
        process.wait(60)
    (path,) = (tmp_path / "logs").glob("*.eval")
    done = CliRunner().invoke(main, ["import", str(path), "--out", str(tmp_path / "out")])
    assert "did not finish" in done.output, done.output
    if n_quick:
        assert done.exit_code == 0 and "It holds 2 replies to 3 samples" in done.output, done.output
    else:
        assert done.exit_code == 1 and "it holds no reply" in done.output and not (tmp_path / "out").exists(), (
            done.output
        )


# ---------------------------------------------------------------- encrypted thoughts


def hidden_and_shown(text: str) -> list[ContentReasoning | ContentText]:
    """A thought as Inspect records Claude's: the signature as the reasoning, what can be read as its summary."""
    parts = [
        ContentReasoning(reasoning=CIPHER, summary=THOUGHT, redacted=True),
        ContentReasoning(reasoning=CIPHER, redacted=True),
    ]
    return [
        *parts,
        ContentText(text="" if "silent" in text else f"So the best answer is: ({'B' if 'hint' in text else 'A'})."),
    ]


def test_encrypted_thoughts_of_a_log_are_not_imported(tmp_path: Path) -> None:
    samples = [sample(n, side) for n in range(2) for side in ("plain", "hinted")]
    found = load(log_of(tmp_path, samples, hidden_and_shown))
    assert {(reply.reasoning, reply.thought) for reply in found.replies} == {(THOUGHT, "unknown")}


def test_encrypted_thoughts_reach_no_reader_page_or_label(tmp_path: Path) -> None:
    asked = pairs(questions("procedural/arithmetic", n=3), ["post_hoc"])

    def output(messages: list[Any], *_: object) -> ModelOutput:
        content = hidden_and_shown("silent" if messages[-1].role == "user" and len(messages) > 1 else "")
        usage = ModelUsage(input_tokens=3, output_tokens=3, total_tokens=6, reasoning_tokens=9)
        message = ChatMessageAssistant(content=content)
        return ModelOutput(
            model="mock", choices=[ChatCompletionChoice(message=message, stop_reason="stop")], usage=usage
        )

    from unsway.pairing import PairSet
    from unsway.studies.arms import Arm
    from unsway.studies.folder import add_pairs, note_arm

    model = get_model("mockllm/model", custom_outputs=output, memoize=False)
    study = tmp_path / "study"
    replies = run(asked, model, folder=study)
    add_pairs(study, PairSet(asked.pairs, ()))
    note_arm(study, Arm(replies[0].model, replies[0].model, replies[0].weights, "base"))
    assert {reply.reasoning for reply in replies} == {THOUGHT} and {reply.reasoning_tokens for reply in replies} == {9}
    for args in (
        ["report", study],
        ["table", study, "--by", "both"],
        ["label", study, "--export", tmp_path / "labels.jsonl"],
    ):
        CliRunner().invoke(main, [str(arg) for arg in args])
    written = [path for path in study.rglob("*") if path.is_file() and path.suffix != ".eval"]
    assert any(path.suffix == ".html" for path in written) and (study / "replies.jsonl") in written
    assert not [path for path in written if CIPHER[:30].encode() in path.read_bytes()]
    assert json.loads((study / "replies.jsonl").read_text().splitlines()[0])["reasoning"] == THOUGHT


def test_a_damaged_json_log_is_said(tmp_path: Path) -> None:
    text = '{"version": 2, "status": "success", "eval": {"task": "x", "created": 7}, "samples": []}'
    (tmp_path / "log.json").write_text(text)
    with pytest.raises(BadInput, match="Cannot read the log"):
        load(tmp_path / "log.json")


def test_a_packed_log_that_would_fill_the_memory_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unsway.importing.logs.MOST_UNPACKED", 1_000_000)
    with ZipFile(tmp_path / "bomb.eval", "w", ZIP_DEFLATED) as archive:
        archive.writestr("samples/q_epoch_1.json", bytes(2_000_000))
    with pytest.raises(BadInput, match="unpack to 2,000,000 bytes, more than 200 times"):
        load(tmp_path / "bomb.eval")


def test_the_log_of_a_model_with_weights_gives_its_numbers_again(tmp_path: Path) -> None:
    asked = pairs(toy_questions(12), ["suggested_answer"])
    found = measure(scripted(asked, {"suggested_answer": 0.8}), asked, folder=tmp_path / "mine")
    (log,) = (tmp_path / "mine" / "logs").iterdir()
    elsewhere = shutil.copy(log, tmp_path)
    import_replies(elsewhere, tmp_path / "theirs")
    theirs = results(tmp_path / "theirs")
    assert [arm.key for arm in theirs.arms] == [arm.key for arm in found.arms] and theirs.arms[0].weights
    assert [cell.brr for cell in theirs.cells] == [cell.brr for cell in found.cells]
    import_replies(elsewhere, tmp_path / "mine")
    assert results(tmp_path / "mine").arms == found.arms, "the arm is noted already"


# ---------------------------------------------------------------- how replies were decoded


def decoding_of(folder: Path, **options: Any) -> tuple[str, list[Reply], list[GenerateConfig]]:
    """What the page says of the decoding, the replies that are kept, and what the model was asked with."""
    asked: list[GenerateConfig] = []
    n_out = options.pop("n_out", 6)

    def answer(input: Any, tools: Any, tool_choice: Any, config: GenerateConfig) -> ModelOutput:
        asked.append(config)
        output = ModelOutput.from_content("mockllm/model", "The best answer is: (A).")
        # without it Inspect counts, with a download
        output.usage = ModelUsage(input_tokens=9, output_tokens=n_out, total_tokens=9 + n_out)
        return output

    own = options.pop("own", GenerateConfig())
    model = get_model("mockllm/model", custom_outputs=answer, memoize=False, config=own)
    task = bias(n=2)
    task.config = options.pop("of_task", task.config)
    (log,) = inspect_eval(task, model=model, log_dir=str(folder / "logs"), display="none", **options)
    found = import_replies(log.location, folder / "out")
    return dict(about(results(folder / "out")))["decoding"], list(found.replies), asked


def test_the_task_decodes_as_measure_does_whatever_the_models_own_config_says(tmp_path: Path) -> None:
    own = GenerateConfig(temperature=0.7, max_tokens=77)
    said, kept, asked = decoding_of(tmp_path, own=own, n_out=1000)
    assert {(config.temperature, config.max_tokens) for config in asked} == {(0.0, 1000)}
    assert {(reply.settings, reply.stop) for reply in kept} == {(Settings(), "length")}, "every token was taken"
    assert said == "greedy, at most 1000 tokens, seed 0"


def test_flags_of_inspect_come_before_what_the_task_says(tmp_path: Path) -> None:
    said, kept, asked = decoding_of(tmp_path, temperature=0.5, max_tokens=4000, top_p=0.9, n_out=1500)
    assert {(config.temperature, config.max_tokens) for config in asked} == {(0.5, 4000)}
    settings = Settings(temperature=0.5, max_tokens=4000, top_p=0.9)
    assert {(reply.settings, reply.stop) for reply in kept} == {(settings, "end")}, "1,500 of 4,000 tokens are no cut"
    assert said == "temperature 0.5, top_p 0.9, at most 4000 tokens, seed 0"


def test_an_older_log_says_what_the_models_own_config_said(tmp_path: Path) -> None:
    own, none = GenerateConfig(temperature=0.7, max_tokens=77), GenerateConfig()
    said, kept, _ = decoding_of(tmp_path / "own", own=own, of_task=none)
    assert {reply.settings for reply in kept} == {Settings(temperature=0.7, max_tokens=77)} and said.startswith(
        "temperature 0.7, "
    )
    said, kept, _ = decoding_of(tmp_path / "none", of_task=none)
    assert {reply.settings for reply in kept} == {Settings()} and said == "not known"  # the address is what it was


def test_two_runs_of_one_task_are_not_joined_in_silence(tmp_path: Path) -> None:
    model = scripted(pairs(questions("procedural/arithmetic", n=2), ["suggested_answer"]), {})
    (log,) = inspect_eval(bias(n=2), model=model, log_dir=str(tmp_path), display="none")
    first, other, warm = log.location, f"{tmp_path}/other.json", f"{tmp_path}/warm.json"
    log.plan.config.temperature = 0.5
    write_eval_log(log, warm)
    log = read_eval_log(first)
    for arm, path in (("clean", f"{tmp_path}/clean.json"), ("biased", other)):
        sample = next(one for one in log.samples or [] if one.metadata["arm"] == arm)
        sample.store["reply"] = sample.store["reply"].replace("answer", "choice")
        write_eval_log(log, path)
    once = load([first, first])
    assert (len(once.replies), once.n_rows, once.n_duplicates, once.n_empty) == (4, 8, 4, 0), "as a run tried again"
    both = load([first, f"{tmp_path}/clean.json"])
    assert both.replies == once.replies and "1 reply without a cue not taken" in both.notes[0]
    for second in (other, warm):
        with pytest.raises(BadInput, match="different replies of 'scripted/model'"):
            load([first, second])
    import_replies(first, tmp_path / "out")
    with pytest.raises(BadInput, match=r"with temperature 0\.0; these are with temperature 0\.5"):
        import_replies(warm, tmp_path / "out")


def test_a_folder_of_logs_is_imported_and_says_which_it_leaves_out(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for file, said in ((logs, "holds no log of Inspect"), (tmp_path, "part of a study|folder of a study")):
        file.mkdir(exist_ok=True)
        (tmp_path / "arms.json").write_text("[]")
        with pytest.raises(BadInput, match=said):
            load(file)
    model = scripted(pairs(questions("procedural/arithmetic", n=2), ["suggested_answer"]), {})
    (log,) = inspect_eval(bias(n=2), model=model, log_dir=str(logs / "deeper"), display="none")
    alone = load(log.location)
    theirs = log_of(logs, [sample(n, side) for n in range(2) for side in ("plain", "hinted")], follow)
    (logs / "listing.json").write_text("{}")
    log = read_eval_log(log.location)
    (logs / "logs.json").write_text(
        f'{{"deeper/x.eval": {log.model_dump_json()[:9000]}'
    )  # as `inspect eval-set` lists them
    for one in log.samples or []:
        one.output.choices, one.scores = [], {}
    log.status = "error"
    write_eval_log(log, f"{logs}/0_failed.json")
    found = load(logs)
    assert (found.pairs, found.replies, found.n_rows) == (alone.pairs, alone.replies, alone.n_rows)
    assert len(found.notes) == 2 and "0_failed.json" in found.notes[0] and "holds no reply" in found.notes[0]
    assert theirs.name in found.notes[1] and "another task" in found.notes[1]
    done = CliRunner().invoke(main, ["import", str(logs), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and "4 replies to 2 pairs" in done.output, done.output
    shutil.rmtree(logs / "deeper")
    assert len(load(logs).pairs) == 2, "without logs of ours, those of others are taken"
    theirs.unlink()
    with pytest.raises(BadInput, match=r"holds no log of Inspect with a reply(.|\n)*0_failed"):
        load(logs)


def test_rows_that_do_not_say_how_they_were_decoded_are_not_called_greedy(tmp_path: Path) -> None:
    rows = [
        {"question_id": str(i), "options": ["a", "b"], "gold": "A", "target": "B", "bias": "x", "arm": side}
        | {"model": "m", "reply": f"The best answer is: ({'AB'[sample]}).", "sample": sample}
        for i in range(60)
        for side in ("clean", "biased")
        for sample in range(2)
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    import_replies(file, tmp_path / "out")
    found = results(tmp_path / "out")
    assert dict(about(found))["decoding"] == "not known"
    assert not any("decode greedily" in each for each in caveats(found))
    assert {reply.settings for reply in found.replies} == {Settings()}  # the address is what it was
