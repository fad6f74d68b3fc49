"""Adapters, rows and results go to the hub and come back, through huggingface_hub and real HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import unsway as us
from tests.hub_server import TOKEN, HubRepo, HubServer
from tests.shell import unsway
from unsway.data.formats import write_rows
from unsway.errors import BadInput, ModelError
from unsway.models.weights import read_checkpoint
from unsway.pairing import pairs
from unsway.reporting import hub
from unsway.store import dumps, loads
from unsway.studies import Study, Task, run
from unsway.studies.running import StudyRun
from unsway.testing import scripted, toy_questions
from unsway.training.card import card
from unsway.types import Checkpoint

pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # how huggingface_hub sends a file
MADE = Checkpoint("x", "smollm2-135m@abc", "local", "x", "Bct(epochs=1.0)", "f" * 64, 3, 900, trained_on=("post_hoc",))
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@pytest.fixture(scope="module")
def server() -> Iterator[HubServer]:
    with HubServer() as running:
        yield running


@pytest.fixture
def home(server: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HubServer:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # large files then go by LFS, which the server speaks
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return server


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("study")
    asked = Study(models="scripted/a", biases="post_hoc", tasks="procedural/dates", n=6)
    run(asked, place, using={"scripted/a": scripted(asked.pairs(), follow={"post_hoc": 0.8}, name="a")})
    return place


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    for name in ("adapter_config.json", *TOKENIZER):
        (folder / name).write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 40)
    (folder / "training_state.pt").write_bytes(b"a pickle")
    (folder / ".fit.lock").write_text("")
    own = replace(MADE, model=str(folder), uri=str(folder))
    (folder / "checkpoint.json").write_text(dumps(own))
    return folder


def test_an_adapter_goes_there_and_back_with_its_card(
    home: HubServer, adapter: Path, study: Path, tmp_path: Path
) -> None:
    done = unsway("push", adapter, "me/bct", "--study", study)
    assert done.exit_code == 0, done.output
    assert f"{home.url}/me/bct" in done.output
    there = home.repos["me/bct"]
    assert there.private and there.large == {"adapter_model.safetensors"}
    own = {"adapter_config.json", "adapter_model.safetensors", "checkpoint.json", "README.md"}
    assert set(there.files) == own | set(TOKENIZER)
    text = there.files["README.md"].decode()
    assert 'base_model: "HuggingFaceTB/SmolLM2-135M-Instruct"' in text and "f" * 64 in text and "`post_hoc`" in text
    assert "| bias | arm |" in text and "post hoc" in text
    assert 'AutoTokenizer.from_pretrained("me/bct")' in text
    back = unsway("pull", "me/bct", tmp_path / "back")
    assert back.exit_code == 0, back.output
    same = (tmp_path / "back/adapter_model.safetensors").read_bytes()
    assert same == (adapter / "adapter_model.safetensors").read_bytes()


def test_the_header_of_a_card_has_the_numbers_of_its_own_arm(
    home: HubServer, adapter: Path, study: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from huggingface_hub import ModelCard

    asked = pairs(toy_questions(12), ["post_hoc", "positional"])
    for name, follow, made in (("base", 0.9, None), ("trained", 0.3, read_checkpoint(adapter))):
        model = scripted(asked, follow={"post_hoc": follow}, name=name)
        found = us.measure(model, asked, folder=tmp_path / "mine", how=us.Measurement(checkpoint=made))
    hub.push(adapter, "me/bct", study=tmp_path / "mine")
    header = ModelCard(home.repos["me/bct"].files["README.md"].decode()).data
    assert header.model_name == "bct" and header.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    told = {one.metric_config: one for one in header.eval_results or ()}
    (arm,) = (arm for arm in found.arms if arm.role == "trained")
    assert sorted(told) == sorted(found.biases)
    for bias, one in told.items():
        brr = found.cell(arm, bias).brr  # type: ignore[union-attr]
        assert (one.metric_type, one.metric_value) == ("brr", brr.value)
        assert one.metric_args == {"low": brr.low, "high": brr.high, "level": 0.95, "pairs": brr.n}
        assert f"{one.dataset_type}@{one.dataset_revision}" in found.sources
    hub.push(adapter, "me/other", study=study)
    assert not ModelCard(home.repos["me/other"].files["README.md"].decode()).data.eval_results
    assert "none of its arms is this checkpoint" in caplog.text


def test_rows_load_with_datasets_as_the_card_says(home: HubServer, tmp_path: Path) -> None:
    from tests.tiny import example

    rows = tmp_path / "rows"
    rows.mkdir()
    write_rows(rows / "examples.jsonl", [example(i) for i in range(5)], seed=0)
    address = hub.push(rows, "me/rows", public=True)
    assert address == f"{home.url}/datasets/me/rows" and not home.repos["datasets/me/rows"].private
    place = hub.pull("me/rows", tmp_path / "back")
    assert (place / "examples.jsonl").read_bytes() == (rows / "examples.jsonl").read_bytes()
    assert '"config_name": "examples"' in (place / "README.md").read_text(encoding="utf-8")
    code = f"import datasets; print(datasets.load_dataset({str(place)!r}, 'examples', split='train').num_rows)"
    asked = [sys.executable, "-c", code]
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(asked, capture_output=True, text=True, env=environment)
    assert done.stdout.split()[-1:] == ["5"], done.stderr[-1500:]


def test_a_repository_without_a_file_that_is_pulled_is_refused(home: HubServer, tmp_path: Path) -> None:
    home.repos["me/code"] = HubRepo(
        False, {"model.bin": b"0", "run.py": b"", ".gitattributes": b"", "logs/a.json": b"{}"}
    )
    found = unsway("pull", "me/code", tmp_path / "here")
    assert found.exit_code == 1 and "'me/code' has nothing to pull: none of its files" in found.output
    assert not (tmp_path / "here").exists()


def test_no_file_of_a_repository_lands_outside_its_folder(home: HubServer, tmp_path: Path) -> None:
    home.repos["me/climbs"] = HubRepo(False, {"../../climbed.json": b"{}", "ok.json": b"{}"})
    hub.pull("me/climbs", tmp_path / "a" / "b" / "c")
    home.repos["me/absolute"] = HubRepo(False, {f"{tmp_path}/absolute.json": b"{}"})
    with pytest.raises(ModelError, match="did not accept or deliver 'me/absolute': Invalid filename"):
        hub.pull("me/absolute", tmp_path / "d")
    assert (tmp_path / "a" / "b" / "c" / "ok.json").is_file()
    assert not [*tmp_path.rglob("climbed.json"), *tmp_path.rglob("absolute.json")]


def test_a_study_that_was_pulled_gives_the_same_table(home: HubServer, study: Path, tmp_path: Path) -> None:
    hub.push(study, "me/study")
    there = home.repos["datasets/me/study"].files
    assert {"replies.jsonl", "pairs.jsonl", "outcomes.jsonl", "README.md"} <= set(there)
    assert not [name for name in there if name.startswith((".", "logs/", "running/"))]
    place = hub.pull("me/study", tmp_path / "back")
    here, pulled = (unsway("table", folder, "--json").output for folder in (study, place))
    assert json.loads(here) == json.loads(pulled)


def test_a_page_becomes_a_space_that_shows_it(home: HubServer, study: Path, tmp_path: Path) -> None:
    page = tmp_path / "mine.html"
    assert unsway("report", study, "--page", page, "--title", "Mine & theirs").exit_code == 0
    done = unsway("push", page, "me/cues", "--public")
    assert done.exit_code == 0 and f"{home.url}/spaces/me/cues" in done.output, done.output
    there = home.repos["spaces/me/cues"]
    assert not there.private and set(there.files) == {"README.md", "index.html"}
    assert there.files["index.html"] == page.read_bytes() and b"sdk: static" in there.files["README.md"]
    head = page.read_text(encoding="utf-8").partition("<style>")[0]
    assert '<meta property="og:title" content="Mine &amp; theirs · unsway">' in head
    assert re.search(r'<meta property="og:description" content="[^"]{40,}">', head)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.html"]  # no card is left beside it
    other = tmp_path / "other.html"
    other.write_text("<!doctype html><title>unsway</title>", encoding="utf-8")
    refused = unsway("push", other, "me/other")
    assert refused.exit_code == 1 and "is no page that `unsway report`" in refused.output
    assert "spaces/me/other" not in home.repos


def test_refusals_say_what_to_do(
    home: HubServer, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match="holds no checkpoint"):
        hub.push(tmp_path, "me/nothing")
    with pytest.raises(ModelError, match=r"'me/absent'.*HF_TOKEN"):
        hub.pull("me/absent", tmp_path / "absent")
    with pytest.raises(ModelError, match="OWNER/NAME"):
        hub.push(adapter, "not a name")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ModelError, match="token with write access") as refused:
        hub.push(adapter, "me/other")
    assert "hf_wrong" not in str(refused.value)


def test_a_card_names_no_path_of_this_machine(tmp_path: Path) -> None:
    base = tmp_path / "models" / "mine"
    base.mkdir(parents=True)
    text = card(replace(MADE, base=f"{base}@abc"), tmp_path)
    assert str(tmp_path) not in text and "`mine`" in text and "base_model" not in text
    control = card(replace(MADE, base="org/name@abc", role="control"), tmp_path)
    assert 'base_model: "org/name"' in control and "without cues" in control and "`post_hoc`" not in control


def test_what_is_pushed_names_no_folder_of_this_machine(home: HubServer, adapter: Path, tmp_path: Path) -> None:
    base = tmp_path / "models" / "mine"
    base.mkdir(parents=True)
    here = replace(MADE, model=str(adapter), uri=str(adapter), base=f"{base}@abc")
    (adapter / "checkpoint.json").write_text(dumps(here))
    (adapter / "adapter_config.json").write_text(json.dumps({"r": 8, "base_model_name_or_path": str(base)}))
    hub.push(adapter, "me/bct")
    there = home.repos["me/bct"].files
    assert not [name for name, content in there.items() if str(tmp_path).encode() in content]
    assert json.loads(there["adapter_config.json"]) == {"r": 8, "base_model_name_or_path": "mine"}
    assert loads(Checkpoint, there["checkpoint.json"].decode()) == replace(
        here, model="adapter", uri="adapter", base="mine@abc"
    )
    assert read_checkpoint(adapter).base == f"{base}@abc", "the folder itself stays as it is"
    asked = pairs(toy_questions(6), ["post_hoc"])
    rows = [{"question": f"How many {n}?", "options": ["one", "two"], "answer": "A"} for n in range(3)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    noted = Study(models=str(base), biases="post_hoc", tasks=Task(str(tmp_path / "mine.jsonl"), 3))
    StudyRun(noted, tmp_path / "study").load()
    us.measure(scripted(asked, {}), asked, folder=tmp_path / "study", how=us.Measurement(checkpoint=here))
    for state in ("waiting", "done"):
        row = {"arm": "mine", "state": state, "host": "node-7", "pid": 1, "gpus": "", "at": 1.0}
        with (tmp_path / "study" / "where.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
    hub.push(tmp_path / "study", "me/study")
    there = home.repos["datasets/me/study"].files
    assert not [name for name, content in there.items() if str(tmp_path).encode() in content]
    assert json.loads(there["study.json"])["models"] == ["mine"] and b"mine.jsonl" in there["study.json"]
    assert "where.jsonl" not in there
    (arm,) = json.loads(there["arms.json"])["arms"]
    assert (arm["checkpoint"]["uri"], arm["checkpoint"]["base"]) == ("adapter", "mine@abc")


def test_whole_weights_are_opened_without_peft(home: HubServer, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_text(dumps(replace(MADE, model=str(tmp_path), uri=str(tmp_path))))
    (tmp_path / "model.safetensors").write_bytes(b"whole")
    hub.push(tmp_path, "me/whole")
    text = home.repos["me/whole"].files["README.md"].decode()
    assert "library_name: transformers" in text and "peft" not in text.lower()
    assert 'AutoModelForCausalLM.from_pretrained("me/whole")' in text


def test_a_hosted_checkpoint_has_nothing_to_push(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_text(dumps(replace(MADE, model="openai/ft:x", uri="ft:x", backend="openai")))
    with pytest.raises(BadInput, match="kept by openai"):
        hub.push(tmp_path, "me/hosted")
