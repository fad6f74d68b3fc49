"""Any OpenAI-compatible server: measured, trained from and told apart, through Inspect's own providers and the real SDK."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import inspect_ai
import pytest
from click.testing import CliRunner
from inspect_ai.model import get_model

from tests.forking import Forked
from tests.openai_server import OpenAiServer, let_go
from unsway.cli import main
from unsway.data.mixture import mixture
from unsway.data.recipe import Recipe
from unsway.disk import write_text
from unsway.errors import BadInput, ModelError
from unsway.models.endpoints import ADDRESS_VARIABLES, FOR_EVERY_PROVIDER, address, address_variables, is_own_server
from unsway.models.session import PROVIDERS, session, subject
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.sampling.calls import is_same_model
from unsway.store import dumps
from unsway.testing import toy_questions
from unsway.types import Checkpoint

pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # inspect_ai leaves connections to the collector
KEY = "sk-server-secret-987"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("LOCAL", "OPENAI", "VLLM"):
        monkeypatch.setenv(f"{service}_API_KEY", KEY)
        monkeypatch.delenv(f"{service}_BASE_URL", raising=False)


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    let_go()


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as running:
        yield running


def says_who(body: dict[str, Any]) -> str:
    """A reply that names the model that was asked for."""
    return f"I am {body['model']}. The best answer is: (B)."


@pytest.mark.parametrize("model", ["openai-api/local/org/Lora-7:8b", "openai/gpt-4o-mini"])
def test_both_arms_through_a_server_of_ones_own(model: str, server: OpenAiServer, tmp_path: Path) -> None:
    server.answer = says_who
    asked = pairs(toy_questions(6), ["suggested_answer"])
    replies = run(asked, model, folder=tmp_path, model_args={"base_url": server.url, "max_connections": 3})
    name = model.removeprefix("openai-api/local/").removeprefix("openai/")
    assert len(replies) == 12 and {reply.text for reply in replies} == {f"I am {name}. The best answer is: (B)."}
    assert {reply.model for reply in replies} == {model}
    calls = server.said("POST", "/chat/completions")
    assert {call.body["model"] for call in calls} == {name} and len(calls) == 12
    assert {(call.body["temperature"], call.body.get("max_tokens")) for call in calls} == {(0.0, 1000)}
    assert server.most_at_once <= 3
    assert (
        run(asked, model, folder=tmp_path, model_args={"base_url": server.url}) == replies and len(server.calls) == 12
    )


def test_vllm_with_an_adapter_that_is_served_by_name(
    server: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_BASE_URL", server.url)
    server.models = {"bct": {"id": "bct", "object": "model", "created": 1, "owned_by": "vllm", "max_model_len": 4096}}
    server.answer = says_who
    asked = pairs(toy_questions(2), ["suggested_answer"])
    replies = run(asked, "vllm/org/base:bct", folder=tmp_path)
    assert {reply.text.split(".")[0] for reply in replies} == {"I am bct"}
    assert subject("vllm/org/base:bct").weights == subject("vllm/org/base:bct", base_url=server.url).weights != ""


def test_the_verb_measures_through_a_server(server: OpenAiServer, tmp_path: Path) -> None:
    arguments = [
        "measure",
        "openai-api/local/m",
        "-M",
        f"base_url={server.url}",
        "--questions",
        "basic_skills/arithmetic",
        "-n",
        "3",
    ]
    found = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
    assert found.exit_code == 0, found.output
    assert len(server.said("POST", "/chat/completions")) == 6
    assert [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []


def test_a_key_that_is_given_as_an_argument_lands_nowhere(
    server: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "another")
    asked = pairs(toy_questions(2), ["suggested_answer"])
    run(asked, "openai-api/local/m", folder=tmp_path, model_args={"base_url": server.url, "api_key": KEY})
    said = "".join(capfd.readouterr())
    logs = [ZipFile(path) for path in tmp_path.rglob("*.eval")]
    texts = [log.read(name) for log in logs for name in log.namelist()]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert logs and not [text for text in (*texts, *files, said.encode()) if KEY.encode() in text]


def test_targets_are_sampled_from_a_server(server: OpenAiServer, tmp_path: Path) -> None:
    server.answer = says_who
    with session("openai-api/local/base", base_url=server.url) as base:
        made = mixture(Recipe(n=8, instruct=2), toy_questions(12), base, folder=tmp_path)
    assert {row.said_by for row in made.examples} == {"openai-api/local/base"}
    assert {row.completion for row in made.examples} == {"I am base. The best answer is: (B)."}


def test_verbs_after_measure_take_the_address_too_and_say_when_it_is_another(
    server: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_BASE_URL", raising=False)
    out, here = str(tmp_path / "study"), ["-M", f"base_url={server.url}"]

    def said(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*words])
        return done.exit_code, " ".join(done.output.split())

    folder = (
        tmp_path / "bct"
    )  # what the server answers with as bct; there are no weights in it that could be asked here
    write_text(
        folder / "checkpoint.json", dumps(Checkpoint(str(folder), "m@0", "local", str(folder), "Bct()", "", 1, 1))
    )
    asked = ["--questions", "basic_skills/arithmetic", "-n", "3", "--out", out, *here]
    assert said("measure", "openai-api/local/m", *asked)[0] == 0
    assert said("measure", "openai-api/local/bct", *asked, "--checkpoint", str(folder))[0] == 0
    n = len(server.calls)
    for verb in (["effects", out, "--effects", "clean_accuracy", "-n", "2"], ["interrogate", out, "-n", "2"]):
        code, words = said(*verb)
        assert code == 1 and "openai-api/local/m was asked at another address than that of its provider" in words
        assert "Set LOCAL_BASE_URL" in words and "-M base_url=…" in words and "weights back" not in words
        code, words = said(*verb, "-M", "base_url=http://127.0.0.1:9/v1")
        assert code == 1 and "at another address than http://127.0.0.1:9/v1" in words
        assert len(server.calls) == n, "nothing was asked"
    for verb in (
        ["effects", out, "--effects", "clean_accuracy", "-n", "2"],
        ["interrogate", out, "-n", "2", "--mode", "quoted"],
        ["judge", out, "--by", "patterns,openai-api/local/j", "-n", "2"],
        ["judge", out, "--by", "openai-api/local/j", "-n", "2", "--check", "padding"],
        ["monitor", out, "--by", "openai-api/local/j", "-n", "2"],
    ):
        code, words = said(*verb, *here)
        assert code == 0, words
    calls = [call.body["model"] for call in server.said("POST", "/chat/completions")[6:]]
    assert {"m", "bct", "j"} <= set(calls)
    code, words = said("judge", out, "--by", "openai-api/local/j,openai/gpt-4o", *here)
    assert code == 1 and "are of one model, and several judge" in words
    with session("openai-api/local/m") as own:
        assert own.subject.elsewhere("0" * 16) and "own address, and now" in own.subject.elsewhere("")
    monkeypatch.setenv("LOCAL_BASE_URL", "http://127.0.0.1:9/v1")
    assert "Unset LOCAL_BASE_URL" in subject("openai-api/local/m").elsewhere("")


# ---------------------------------------------------------------- two servers, one name


def test_two_servers_under_one_name_are_told_apart(server: OpenAiServer, tmp_path: Path) -> None:
    asked = pairs(toy_questions(3), ["suggested_answer"])
    server.answer = lambda body: "The best answer is: (A)."
    with OpenAiServer(answer=lambda body: "The best answer is: (B).") as other:
        ours = run(asked, "openai-api/local/m", folder=tmp_path, model_args={"base_url": server.url})
        theirs = run(asked, "openai-api/local/m", folder=tmp_path, model_args={"base_url": other.url})
    assert {r.text for r in ours} == {"The best answer is: (A)."} and {r.text for r in theirs} == {
        "The best answer is: (B)."
    }
    assert len({r.weights for r in (*ours, *theirs)}) == 2 and "" not in {r.weights for r in ours}


def test_other_weights_at_one_address_have_a_name_that_one_gives_them(server: OpenAiServer, tmp_path: Path) -> None:
    asked = pairs(toy_questions(2), ["suggested_answer"])
    first = run(
        asked, "openai-api/local/m", folder=tmp_path, model_args={"base_url": server.url, "weights": "step-100"}
    )
    again = run(
        asked, "openai-api/local/m", folder=tmp_path, model_args={"base_url": server.url, "weights": "step-200"}
    )
    assert len(server.calls) == 8 and first[0].weights != again[0].weights


def test_an_address_counts_by_what_it_is_not_by_how_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    own, given = subject("openai/gpt-4o"), subject("openai/gpt-4o", base_url="http://127.0.0.1:1/v1/")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert own.weights == "" and subject("openai/gpt-4o").weights == given.weights != ""
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1")
    assert subject("openai/gpt-4o").weights == ""
    monkeypatch.setenv("INSPECT_EVAL_MODEL_BASE_URL", "http://127.0.0.1:1/v1")
    assert subject("openai/gpt-4o").weights == "", "the provider's own variable goes before that of all"
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert subject("openai/gpt-4o").weights == subject(get_model("openai/gpt-4o", api_key="k")).weights == given.weights
    for name, model in (
        ("AZURE_OPENAI_ENDPOINT", "openai/azure/m"),
        ("LOCAL_BASE_URL", "openai-api-completions/local/m"),
        ("LITELLM_PROXY_API_BASE", "litellm-proxy/m"),
        ("VLLM_BASE_URL", "vllm-completions/m"),
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:4/v1")
        there = subject(model)
        monkeypatch.delenv(name)
        assert there.weights == subject(model, base_url="http://127.0.0.1:4/v1").weights != subject(model).weights, (
            model
        )
        assert name in there.elsewhere(""), model
    assert address("grok/m", {"base_url": "eu.api.x.ai"}) == "eu.api.x.ai", "xAI's library takes a host"
    monkeypatch.setenv("LOCAL_BASE_URL", "http://127.0.0.1:2/v1")
    assert (
        subject("openai-api/local/m").weights != subject("openai-api/local/m", base_url="http://127.0.0.1:3/v1").weights
    )
    with pytest.raises(BadInput, match=r"host '127\.0\.0\.1'") as refused:
        subject("openai/gpt-4o", base_url="http://me:secret@127.0.0.1:1/v1")
    assert "secret" not in str(refused.value)


# ---------------------------------------------------------------- checkpoints at a provider


def test_a_checkpoint_at_a_provider_is_measured_where_it_was_trained(server: OpenAiServer, tmp_path: Path) -> None:
    made = Checkpoint(
        model="openai/ft:gpt-4o-mini:org::1",
        base="openai/gpt-4o-mini",
        backend="openai",
        uri=f"{server.url}#ft:gpt-4o-mini:org::1",
        method="Bct()",
        data_sha256="0" * 64,
        steps=1,
        tokens=1,
    )
    folder = tmp_path / "trained"
    write_text(folder / "checkpoint.json", json.dumps({name: getattr(made, name) for name in made.__slots__}))
    asked = pairs(toy_questions(2), ["suggested_answer"])
    for each in (made, folder, str(folder)):
        assert {r.model for r in run(asked, each, folder=tmp_path / "study")} == {"openai/ft:gpt-4o-mini:org::1"}
    assert {call.body["model"] for call in server.calls} == {"ft:gpt-4o-mini:org::1"} and len(server.calls) == 4

    arguments = [
        "measure",
        str(folder),
        "--questions",
        "basic_skills/arithmetic",
        "-n",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    found = CliRunner().invoke(main, [*arguments, "--role", "trained"])
    assert found.exit_code == 0, found.output


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_API_KEY")
    with pytest.raises(ModelError, match=r"openai-api/local/m cannot be asked: .*No LOCAL_API_KEY defined"):
        run(
            pairs(toy_questions(1), ["suggested_answer"]),
            "openai-api/local/m",
            model_args={"base_url": "http://127.0.0.1:1/v1"},
        )


def test_a_server_that_answers_under_another_name_is_believed_where_one_says_so(
    server: OpenAiServer, tmp_path: Path
) -> None:
    server.trouble = lambda method, path, n: "other-model"
    words = "measure openai-api/local/mine --questions procedural/arithmetic -n 3 --biases suggested_answer".split()
    words += ["-M", f"base_url={server.url}", "--out", str(tmp_path), "-M", 'patience={"tries": 2, "first": 0.01}']
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 1
    assert "'somebody-else' answered instead of 'mine'" in refused.output
    (said,) = {word.rstrip(".,") for word in refused.output.split() if word.startswith("answers_as=")}
    found = CliRunner().invoke(main, [*words, "-M", said])
    assert found.exit_code == 0, found.output
    wrong = CliRunner().invoke(main, [*words, "-M", "answers_as=a-third", "--out", str(tmp_path / "other")])
    assert wrong.exit_code == 1 and "'somebody-else' answered instead of 'a-third'" in wrong.output


@pytest.mark.parametrize(
    ("asked", "answered", "own", "hosted"),
    [
        ("bct", "bct", True, True),
        ("org/Bct", "bct", True, True),
        ("bct", "/models/bct", True, True),
        ("bct-other", "bct-other-control", False, False),
        ("bct", "bct2", False, False),
        ("bct", "bct-1000", False, True),  # of a provider, the name of a snapshot
        ("gpt-4o", "gpt-4o-2024-08-06", False, True),
        ("gpt-4o", "gpt-4o-mini", False, False),
        ("bct", "other-bct", False, False),
        ("one/bct", "two/bct", False, False),
        ("bct-2024", "bct", False, False),
    ],
)
def test_which_names_are_those_of_the_model_that_was_asked(asked: str, answered: str, own: bool, hosted: bool) -> None:
    assert is_same_model(asked, answered, is_own=True) is own
    assert is_same_model(asked, answered, is_own=False) is hosted


def test_every_variable_for_an_address_that_inspect_reads_is_known() -> None:
    folder = Path(inspect_ai.__file__).parent / "model" / "_providers"
    read = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(r'"([A-Z_]+_(?:BASE_URL|ENDPOINT_URL|ENDPOINT|API_BASE))"', path.read_text())
    }
    known = {name for model in {*PROVIDERS, *ADDRESS_VARIABLES} for name in address_variables(f"{model}/x")}
    assert (
        read <= known | {FOR_EVERY_PROVIDER}
        and {name for names in ADDRESS_VARIABLES.values() for name in names} <= read
    )


def test_which_addresses_are_those_of_a_server_of_ones_own() -> None:
    own = ("127.0.0.1:8000/v1", "localhost:8000", "10.0.0.7", "[::1]:8000/v1", "gpu7:8000/v1", "gpu7.lan")
    assert all(is_own_server(f"http://{place}") for place in own)
    assert not any(is_own_server(url) for url in (None, "https://api.example.com/v1", "http://8.8.8.8/v1"))


def test_an_adapter_whose_name_begins_like_the_one_that_was_asked_is_not_believed(tmp_path: Path) -> None:
    patience = {"tries": 2, "first": 0.01}
    with OpenAiServer(answers_as="bct-other-control") as server, pytest.raises(ModelError, match="answered instead of"):
        run(
            pairs(toy_questions(2), ["suggested_answer"]),
            "openai-api/local/bct-other",
            folder=tmp_path,
            model_args={"base_url": server.url, "patience": patience},
        )


VERBS = """
import os, sys
from unsway.cli import main
os.chdir(sys.argv[1])
for words in {verbs!r}:
    main(words, standalone_mode=False)
"""


def test_keys_and_addresses_in_a_dotenv_file_reach_every_verb(
    server: OpenAiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, whose folder is below that of the file."""
    key = "sk-from-a-dotenv-file-123"
    names = {f"{name}_API_KEY={key}\n{name}_BASE_URL={server.url}" for name in ("LOCAL", "OPENAI")}
    (tmp_path / ".env").write_text("\n".join(names) + "\n")
    below = tmp_path / "work"
    below.mkdir()
    rows = [
        {"messages": [{"role": "user", "content": f"Say {i}."}, {"role": "assistant", "content": str(i)}]}
        for i in range(12)
    ]
    (below / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    asked = "--questions procedural/arithmetic -n 3 --biases suggested_answer".split()
    verbs = [
        ["plan", "openai-api/local/m", *asked],
        ["measure", "openai-api/local/m", *asked, "--out", "measured"],
        ["data", "import", "rows.jsonl", "--out", "examples.jsonl"],
        "train examples.jsonl --base openai/gpt-4o-mini-2024-07-18 --backend openai --out trained".split(),
    ]
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL"))]:
        monkeypatch.delenv(name)
    with Forked(VERBS.format(verbs=verbs), str(below), out=tmp_path / "said.txt") as done:
        _, errors = done.communicate(110)
    assert done.returncode == 0, errors
    assert len(server.said("POST", "/chat/completions")) == 6 and len(server.jobs) == 1
    for file in below.rglob("*"):
        assert file.is_dir() or key.encode() not in file.read_bytes(), file
