"""What a provider raises or records is cleaned before Inspect sees it; this pins the calls of Inspect that this relies on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, Model, ModelAPI, ModelCall, ModelOutput, get_model, modelapi
from inspect_ai.solver import generate

from unsway.errors import BadInput
from unsway.models.secrets import IN_PLACE, guard, read_dotenv, without

KEY = "sk-quoted-back-31337"


@modelapi(name="indiscreet")
class Indiscreet(ModelAPI):
    """Quotes its key in the way that `how` names, and notes when it is called."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        how: str = "raises",
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.how = how
        self.calls: list[str] = []

    async def generate(self, **asked: Any) -> Any:
        self.calls.append(self.how)
        call = ModelCall.create({"messages": []}, {"error": f"the key {KEY} is not valid"})
        if self.how == "raises":
            raise ValueError(f"bad key {KEY}") from KeyError(KEY)
        if self.how == "returns an error":
            return ValueError(f"bad key {KEY}"), call
        return ModelOutput.from_content(self.model_name, "fine"), call


def evaluated(model: Model, folder: Path) -> EvalLog:
    task = Task(dataset=MemoryDataset([Sample(input="Hello")]), solver=generate())
    (log,) = inspect_eval(task, model=model, log_dir=str(folder), display="none", fail_on_error=False)
    return log


def test_no_part_of_a_key_stays_that_begins_with_another() -> None:
    keys = ("abcdefgh", "abcdefgh1234")
    assert {without("key abcdefgh1234!", order) for order in (keys, keys[::-1])} == {f"key {IN_PLACE}!"}


@pytest.mark.parametrize("how", ["raises", "returns an error", "records"])
def test_inspect_sees_only_what_the_guard_lets_through(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Inspect looks `generate` up on the provider itself, once a call, before it completes the event that it logs."""
    model = guard(get_model("indiscreet/m", memoize=False, api_key=KEY, how=how))
    log = evaluated(model, tmp_path)
    assert getattr(model.api, "calls") == [how]  # noqa: B009
    assert log.samples is not None
    (sample,) = log.samples
    (event,) = [event for event in sample.events if event.event == "model"]
    if how == "records":
        assert event.call is not None and event.call.response == {"error": f"the key {IN_PLACE} is not valid"}
    else:
        assert event.error is not None and f"bad key {IN_PLACE}" in event.error
        assert sample.error is not None and f"bad key {IN_PLACE}" in sample.error.message
    assert KEY not in log.model_dump_json() + "".join(capfd.readouterr())


def test_without_the_guard_the_key_would_be_in_the_log(tmp_path: Path) -> None:
    log = evaluated(get_model("indiscreet/m", memoize=False, api_key=KEY, how="raises"), tmp_path)
    assert KEY in log.model_dump_json()


def test_a_key_of_the_environment_is_cleaned_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_ACCESS_KEY", KEY)
    model = guard(get_model("indiscreet/m", memoize=False, api_key="another", how="raises"))
    assert KEY not in evaluated(model, tmp_path).model_dump_json()


def test_a_dotenv_file_with_a_byte_order_mark_is_read_and_one_of_another_encoding_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", dict(os.environ))
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfFROM_DOTENV_TEST=yes\n")
    read_dotenv()
    assert os.environ["FROM_DOTENV_TEST"] == "yes"
    for content in (b"OTHER_DOTENV_TEST=\xe9\n", "OTHER=1\n".encode("utf-16")):
        (tmp_path / ".env").write_bytes(content)
        with pytest.raises(BadInput, match=r"\.env is not UTF-8 text"):
            read_dotenv()
