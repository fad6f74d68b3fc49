"""The openai backend through the real SDK against a local server: every way a job may go, and what it leaves."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.forking import Forked
from tests.openai_server import OpenAiServer
from unsway.backends import backend
from unsway.backends.openai import OpenAi
from unsway.backends.openai.rows import chat_jsonl, limits
from unsway.cli import main
from unsway.errors import BadInput, StoreError, TrainingError
from unsway.models.weights import read_checkpoint
from unsway.planning.prices import price_of, prices
from unsway.store import write_jsonl
from unsway.training import Bct, Control, Method, Policy, Tuner, WhiteBox, fit
from unsway.types import Checkpoint, Example, Part, Prompt, Role, Toward, Turn

pytest.importorskip("openai")
KEY = "sk-very-secret-0123456789"
BASE = "openai/gpt-4o-mini-2024-07-18"


def chat(*turns: tuple[Role, str]) -> Prompt:
    return Prompt(tuple(Turn(role, (Part("stem", text),)) for role, text in turns))


def example(i: int) -> Example:
    clean, biased = (chat(("user", f"{cue}Pick a letter, number {i}.")) for cue in ("", "Not (D). "))
    return Example(clean, biased, f"({'ABCD'[i % 4]})", Toward(3), tuple("abcd"), "consistency", f"p{i}", BASE)


BCT = Bct()
ROWS = tuple(example(i) for i in range(12))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAiServer]:
    with OpenAiServer() as running:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


def quick(**more: float) -> OpenAi:
    return OpenAi(waits=(0.01, 0.05), **more)  # type: ignore[arg-type]


def train(folder: Path, rows: tuple[Example, ...] = ROWS, how: Method = BCT, where: OpenAi | None = None) -> Checkpoint:
    return fit(rows, how, BASE, where or quick(), folder)


def leaks(folder: Path, *texts: str) -> list[str]:
    """Where the key is: it must be in no file and no text."""
    found = [str(path) for path in folder.rglob("*") if path.is_file() and KEY in path.read_text(errors="replace")]
    return found + [text for text in texts if KEY in text or "\x1b" in text]


# ---------------------------------------------------------------- the happy path


def test_a_job_from_rows_to_a_checkpoint(
    server: OpenAiServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = train(tmp_path)
    assert made.model == "openai/ft:gpt-4o-mini-2024-07-18:org::ftjob-1"
    assert made.uri == f"{server.url}#ft:gpt-4o-mini-2024-07-18:org::ftjob-1"
    assert (made.steps, made.tokens, made.backend) == (4, 123456, "openai")
    assert made.cost == pytest.approx(123456 * 3.0 / 1e6)
    assert read_checkpoint(tmp_path) == made
    estimated, billed = (line for line in caplog.messages if "tokens" in line)
    assert (
        estimated.startswith("Training openai/gpt-4o-mini-2024-07-18 on about ")
        and "under $0.01 (price of" in estimated
    )
    assert billed.startswith("Trained on 123,456 tokens, $0.37 (price of")

    (create,) = server.said("POST", "/fine_tuning/jobs")
    sent = create.body["method"]["supervised"]["hyperparameters"]
    assert sent == {"n_epochs": 1, "batch_size": 16, "learning_rate_multiplier": 1.6}
    assert (create.body["model"], create.body["seed"]) == ("gpt-4o-mini-2024-07-18", 0)
    (uploaded,) = server.contents.values()
    rows = [json.loads(line) for line in uploaded.splitlines()]
    assert [row["messages"][-1]["content"] for row in rows] == [row.completion for row in ROWS]
    assert leaks(tmp_path) == []


def test_losses_and_messages_are_noted_once(server: OpenAiServer, tmp_path: Path) -> None:
    train(tmp_path)
    losses = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in losses] == [(1, 2.0), (2, 1.0), (3, 2 / 3), (4, 0.5)]
    (event,) = (json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines())
    assert event["message"] == "Created  [31mfine-tuning job"


def test_what_is_done_is_not_done_again(server: OpenAiServer, tmp_path: Path) -> None:
    first = train(tmp_path)
    n = len(server.calls)
    assert train(tmp_path) == first and len(server.calls) == n


def test_the_same_file_is_uploaded_once_whatever_the_folder(server: OpenAiServer, tmp_path: Path) -> None:
    train(tmp_path / "one")
    train(tmp_path / "two", how=Bct(learning_rate_multiplier=2.0))
    assert len(server.files) == 1 and len(server.jobs) == 2


def test_earlier_turns_of_the_model_bear_no_loss(server: OpenAiServer, tmp_path: Path) -> None:
    turns = chat(("system", "Be brief."), ("user", "Hi"), ("assistant", "(A)"), ("user", "Sure?"))
    train(tmp_path, (*ROWS, replace(ROWS[0], biased=turns)))
    (uploaded,) = server.contents.values()
    row = json.loads(uploaded.splitlines()[-1])["messages"]
    assert [turn.get("weight") for turn in row] == [None, None, 0, None, None]


# ---------------------------------------------------------------- refused before anything is sent


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"completion": "  "}, "row 4 has no completion"),
        ({"biased": chat(("tool", "x"), ("user", "y"))}, "row 4: role 'tool'"),  # type: ignore[arg-type]
        ({"biased": chat(("user", "y"), ("assistant", "x"))}, "row 4: the turn before the completion"),
        ({"biased": chat()}, "row 4: the turn before"),
        ({"biased": chat(("user", ""))}, "row 4: an empty turn"),
        ({"completion": "word " * 40_000}, "row 4: perhaps 100,0.. tokens .* may have 65,536"),
        ({"completion": None}, "row 4 has no completion"),
        ({"completion": "It ends with <|fim_middle|>."}, r"row 4: the special token '<\|fim_middle\|>'"),
        (
            {"biased": chat(("user", "What is <|reserved_200013|>?"))},
            r"row 4: the special token '<\|reserved_200013\|>'",
        ),
    ],
)
def test_rows_are_refused_by_number(
    change: dict[str, object], words: str, server: OpenAiServer, tmp_path: Path
) -> None:
    rows = (*ROWS[:3], replace(ROWS[3], **change), *ROWS[4:])  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=words):
        train(tmp_path, rows)
    assert server.calls == [] and list(tmp_path.iterdir()) == []


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(BadInput, match="row 12: text that is not valid Unicode"):
        chat_jsonl([BCT.texts(row) for row in (*ROWS[:11], replace(ROWS[11], completion="a \ud800 surrogate"))], BASE)


def test_many_bad_rows_are_counted(server: OpenAiServer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"12 problems in 12 rows .* and 7 more"):
        train(tmp_path, tuple(replace(row, biased=chat(("user", ""))) for row in ROWS))


def test_too_few_rows_and_what_the_api_has_no_place_for(server: OpenAiServer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="9 examples; OpenAI's API takes at least 10"):
        train(tmp_path, ROWS[:9])
    with pytest.raises(
        BadInput, match=r"takes no lora_rank; it takes batch_size, epochs, learning_rate_multiplier, seed"
    ):
        train(tmp_path, how=Bct(lora_rank=8))
    with pytest.raises(BadInput, match=r"whole epochs, not 0\.5"):
        train(tmp_path, how=Bct(epochs=0.5))
    assert server.calls == []


def test_the_control_of_the_same_rows_has_their_clean_prompts(server: OpenAiServer, tmp_path: Path) -> None:
    train(tmp_path / "bct")
    train(tmp_path / "control", how=Control())
    bct, control = ([json.loads(line)["messages"] for line in text.splitlines()] for text in server.contents.values())
    assert [row[1] for row in bct] == [row[1] for row in control]
    assert all(a[0]["content"] == "Not (D). " + b[0]["content"] for a, b in zip(bct, control, strict=True))


def test_a_method_that_needs_more_is_refused(server: OpenAiServer, tmp_path: Path) -> None:
    class Samples(Bct):
        needs = frozenset({Policy})

    class Reads(Bct):
        needs = frozenset({Tuner, WhiteBox})

    with pytest.raises(
        BadInput, match="needs a back-end that can sample, score and step; 'openai' can only fit replies"
    ):
        train(tmp_path, how=Samples())
    with pytest.raises(BadInput, match="needs a back-end that can show inner states; 'openai' can only fit replies"):
        train(tmp_path, how=Reads())
    assert server.calls == []


def test_a_cost_above_the_limit_is_refused(server: OpenAiServer, tmp_path: Path) -> None:
    rows = tuple(replace(row, completion="word " * 2000) for row in ROWS)
    with pytest.raises(BadInput, match=r"about \$0\.0\d+, more than the \$0.01 allowed"):
        train(tmp_path, rows, where=quick(max_cost=0.01))
    with pytest.raises(BadInput, match="price of 'openai/mine' is not known"):
        fit(ROWS, Bct(), "mine", quick(max_cost=1), tmp_path)
    assert server.calls == []


def test_a_key_is_needed_and_one_that_is_refused_is_not_repeated(
    server: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.trouble = lambda method, path, n: "401"
    with pytest.raises(TrainingError, match=r"OPENAI_API_KEY was refused: .*\(key\)") as refused:
        train(tmp_path)
    assert leaks(tmp_path, str(refused.value)) == []
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(BadInput, match="variable OPENAI_API_KEY"):
        train(tmp_path)


# ---------------------------------------------------------------- trouble on the way


def test_passing_trouble_with_every_kind_of_call_passes(server: OpenAiServer, tmp_path: Path) -> None:
    kinds = cycle(["429", "500", "dropped", "429-after", "503"])
    server.trouble = lambda method, path, n: next(kinds) if n == 0 else None
    made = train(tmp_path)
    assert made.tokens == 123456 and len(server.jobs) == 1 and len(server.files) == 1
    assert {call.trouble for call in server.calls} == {"429", "429-after", "500", "dropped", "503", None}
    first, second = server.said("POST", "/fine_tuning/jobs")
    assert first.trouble == "429-after" and second.when - first.when >= 1.0


def test_a_creation_whose_answer_was_lost_makes_no_second_job(server: OpenAiServer, tmp_path: Path) -> None:
    server.trouble = lambda method, path, n: "lost" if (method, path, n) == ("POST", "/fine_tuning/jobs", 0) else None
    assert train(tmp_path).model.endswith("ftjob-1")
    assert len(server.jobs) == 1 and len(server.said("POST", "/fine_tuning/jobs")) == 1


def test_the_upload_is_rejected(server: OpenAiServer, tmp_path: Path) -> None:
    server.trouble = lambda method, path, n: "400" if (method, path) == ("POST", "/files") else None
    with pytest.raises(TrainingError, match=r"refused: .*Bad request by .*\(key\).*not allowed") as refused:
        train(tmp_path)
    assert leaks(tmp_path, str(refused.value)) == [] and server.jobs == {}


def test_a_failed_job_says_why_and_a_cancelled_one_that_it_was(server: OpenAiServer, tmp_path: Path) -> None:
    server.course = ("running", "failed")
    with pytest.raises(TrainingError, match=r"ftjob-1 failed: The file holds 3 rows .*\(invalid_training_file\)"):
        train(tmp_path)
    server.course = ("running", "cancelled")
    with pytest.raises(TrainingError, match="ftjob-2 was cancelled"):
        train(tmp_path)
    assert not (tmp_path / "checkpoint.json").exists()
    server.course = ("running", "succeeded")
    assert train(tmp_path).model.endswith("ftjob-3") and len(server.files) == 1


def test_a_job_that_succeeded_without_a_model_is_an_error_and_is_not_waited_for_again(
    server: OpenAiServer, tmp_path: Path
) -> None:
    server.makes_model = False
    for number in (1, 2):
        with pytest.raises(
            TrainingError, match=rf"ftjob-{number} is said to have succeeded, but 127.0.0.1 names no model"
        ):
            train(tmp_path)
        assert not (tmp_path / "checkpoint.json").exists()
    server.makes_model = True
    assert train(tmp_path).model.endswith("ftjob-3")


def test_the_network_goes_away_while_it_waits(server: OpenAiServer, tmp_path: Path) -> None:
    server.course = (*["running"] * 5, "succeeded")
    away = threading.Timer(0, lambda: None)

    def cut(method: str, path: str, n: int) -> str | None:
        nonlocal away
        if (path, n) == ("/fine_tuning/jobs/ftjob-1", 2):
            server_stops = threading.Thread(target=server.stop)
            away = threading.Timer(0.7, server.start)
            server_stops.start()
            away.start()
            return "hang"
        return None

    server.hang, server.trouble = 0.2, cut
    assert train(tmp_path).tokens == 123456
    away.join()
    assert len(server.jobs) == 1


WAITING = """
import sys
from unsway.backends.openai import OpenAi
from unsway.store import read_jsonl
from unsway.training import Bct, fit
from unsway.types import Example
made = fit(sys.argv[1], Bct(), sys.argv[2], OpenAi(waits=(0.05, 0.05)), sys.argv[3])
print(made.model)
"""


def start(rows: Path, folder: Path) -> Forked:
    return Forked(WAITING, str(rows), BASE, str(folder), out=rows.with_suffix(".said"))


def stop_while_it_waits(rows: Path, folder: Path, how: signal.Signals) -> str:
    """Start, stop by a signal once it waits for the job, and return what it said."""
    metrics = folder / "metrics.jsonl"
    before = metrics.stat().st_size if metrics.exists() else 0
    with start(rows, folder) as waiting:
        deadline = time.monotonic() + 60
        while not metrics.exists() or metrics.stat().st_size == before:
            assert waiting.returncode is None and time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(waiting.pid, how)
        _, said = waiting.communicate(timeout=120)
    assert waiting.returncode != 0
    return said


def test_stopped_while_it_waits_it_goes_on_with_the_same_job(server: OpenAiServer, tmp_path: Path) -> None:
    server.course = ("running",)
    rows, folder = write_jsonl(tmp_path / "rows.jsonl", ROWS), tmp_path / "out"
    said = stop_while_it_waits(rows, folder, signal.SIGINT)
    assert "The job ftjob-1 goes on without us. Run the same again to wait for it, or with --cancel" in said
    stop_while_it_waits(rows, folder, signal.SIGKILL)
    assert server.jobs["ftjob-1"]["status"] == "running"
    server.course = ("succeeded",)
    with start(rows, folder) as again:
        out, said = again.communicate(timeout=120)
    assert again.returncode == 0 and out.strip().endswith("ftjob-1")
    assert len(server.said("POST", "/fine_tuning/jobs")) == 1 and len(server.said("POST", "/files")) == 1
    events = [json.loads(line)["event"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert len(events) == len(set(events)) > 2
    assert leaks(tmp_path, out, said) == []


def test_a_folder_that_waits_for_another_fit_is_refused_until_that_is_cancelled(
    server: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as meanwhile, pytest.raises(KeyboardInterrupt):
        meanwhile.setattr(OpenAi, "_wait", interrupted)
        train(tmp_path)
    with pytest.raises(BadInput, match="waits for the job ftjob-1 of another fit"):
        train(tmp_path, how=Bct(epochs=2))
    assert quick().cancel(tmp_path) == "cancelled"
    with pytest.raises(TrainingError, match="ftjob-1 was cancelled"):
        train(tmp_path)
    with pytest.raises(BadInput, match="knows of no job"):
        quick().cancel(tmp_path / "elsewhere")


def test_a_folder_in_which_another_process_waits_is_refused(server: OpenAiServer, tmp_path: Path) -> None:
    with (tmp_path / "openai.json.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another process waits for its job"):
            train(tmp_path)
    assert server.calls == []


def test_a_server_that_counts_no_tokens_has_no_cost(server: OpenAiServer, tmp_path: Path) -> None:
    server.trained_tokens = None
    made = train(tmp_path)
    assert made.cost is None and made.tokens > 100


def test_rows_torn_by_a_kill_and_a_damaged_record(server: OpenAiServer, tmp_path: Path) -> None:
    train(tmp_path)
    (tmp_path / "checkpoint.json").unlink()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"event": "ftjob-1-5", "st')
    train(tmp_path)
    assert len([json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]) == 4
    (tmp_path / "checkpoint.json").unlink()
    (tmp_path / "openai.json").write_text("{}")
    with pytest.raises(StoreError, match="no record of a job"):
        train(tmp_path)


def test_an_address_with_a_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"host 'api\.example'") as refused:
        fit(ROWS, Bct(), BASE, OpenAi(f"https://me:{KEY}@api.example/v1"), tmp_path)
    assert leaks(tmp_path, str(refused.value)) == []


def test_by_name() -> None:
    assert isinstance(backend("openai"), OpenAi)


# ---------------------------------------------------------------- the verb, and prices


def verb(*words: str) -> list[str]:
    return ["train", *words, "--base", BASE, "--backend", "openai"]


def test_the_verb_trains_refuses_and_cancels(server: OpenAiServer, tmp_path: Path) -> None:
    rows, out = str(write_jsonl(tmp_path / "rows.jsonl", ROWS)), str(tmp_path / "out")
    refused = CliRunner().invoke(main, verb(rows, "--out", out, "--max-cost", "0"))
    assert refused.exit_code == 1 and "more than the $0 allowed" in refused.stderr and server.calls == []
    local = CliRunner().invoke(main, ["train", rows, "--base", "x", "--out", out, "--cancel"])
    assert local.exit_code == 1 and "'local' trains in this process and has no jobs to cancel" in local.stderr
    packed = CliRunner().invoke(main, verb(rows, "--out", out, "--packing"))
    assert packed.exit_code == 1 and "'openai' has no option 'packing'; it has base_url, max_cost" in packed.stderr
    typed = CliRunner().invoke(main, verb(rows, "--out", out, "--set", "batch_size=many"))
    assert typed.exit_code == 2 and "batch_size is int" in typed.stderr
    none = CliRunner().invoke(main, verb(rows, "--out", out, "--cancel"))
    assert none.exit_code == 1 and "knows of no job" in none.stderr
    server.course = ("cancelled",)
    ended = CliRunner().invoke(main, verb(rows, "--out", out))
    assert ended.exit_code == 1 and "ftjob-1 was cancelled" in ended.stderr
    again = CliRunner().invoke(main, verb(rows, "--out", out, "--cancel"))
    assert again.exit_code == 0 and again.stdout.strip().endswith("cancelled")
    server.course = ("succeeded",)
    done = CliRunner().invoke(main, verb(rows, "--out", out, "--json"))
    assert done.exit_code == 0 and json.loads(done.stdout)["model"].endswith("ftjob-2")
    assert leaks(tmp_path, done.stdout, done.stderr, ended.stderr) == []


def test_a_fine_tuned_model_has_the_price_of_its_base() -> None:
    price = price_of("openai/ft:gpt-4o-mini-2024-07-18:org::9xyz", prices())
    assert price is not None and (price.tokens_in, price.tokens_out) == (0.30, 1.20)
    assert price_of("openai/ft:some-model:org::1", prices()) is None
    assert limits("openai/gpt-4.1-mini-2025-04-14").price is not None
    assert limits("openai/gpt-3.5-turbo-0125").longest == 16385
