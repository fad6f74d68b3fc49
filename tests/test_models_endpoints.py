"""What a hosted model is, besides its name: its address, its arguments and its own config tell its replies apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelOutput,
    get_model,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from tests.openai_server import OpenAiServer, let_go
from unsway.errors import ModelError
from unsway.models.session import OURS, session, subject
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.seeds import content_id
from unsway.testing import toy_questions

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
ASKED = pairs(toy_questions(2), ["suggested_answer"])


@modelapi(name="persona")
class PersonaModel(ModelAPI):
    """A provider that is not Inspect's own; says who it was told to be."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # Inspect's own signature
        persona: Any = "nobody",
        timeout: int = 9,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.persona = persona

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        said = next((m.text for m in input if m.role == "system"), "nothing")
        return ModelOutput.from_content(self.model_name, f"{self.persona}, {said}, {self.base_url}, {config.stop_seqs}")


@dataclass(frozen=True)
class Role:
    """An argument that is no plain value."""

    name: str

    def __str__(self) -> str:
        return self.name


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for service in ("LOCAL", "OPENAI"):
        monkeypatch.setenv(f"{service}_API_KEY", "sk-endpoints-secret")
        monkeypatch.delenv(f"{service}_BASE_URL", raising=False)
    yield
    let_go()


def persona(**given: Any) -> Model:
    return get_model("persona/x", memoize=False, **given)


def said(model: Any, folder: Path, **args: Any) -> set[str]:
    return {reply.text for reply in run(ASKED, model, folder=folder, model_args=args)}


def test_another_model_of_the_same_name_is_asked_for_its_own_replies(tmp_path: Path) -> None:
    assert said(persona(), tmp_path) == {"nobody, nothing, None, None"}
    assert said(persona(persona="A"), tmp_path) == {"A, nothing, None, None"}
    assert said(persona(persona="B"), tmp_path) == {"B, nothing, None, None"}
    assert said(persona(persona=Role("C")), tmp_path) == {"C, nothing, None, None"}
    assert said(persona(persona=Role("D")), tmp_path) == {"D, nothing, None, None"}
    assert said(persona(base_url="http://a"), tmp_path) == {"nobody, nothing, http://a, None"}
    assert said(persona(base_url="http://b"), tmp_path) == {"nobody, nothing, http://b, None"}
    assert said(persona(config=GenerateConfig(system_message="Say B")), tmp_path) == {"nobody, Say B, None, None"}
    assert said(persona(config=GenerateConfig(stop_seqs=["x"])), tmp_path) == {"nobody, nothing, None, ['x']"}
    assert said("persona/x", tmp_path, persona="E") == {"E, nothing, None, None"}
    assert said("persona/x", tmp_path, persona="F") == {"F, nothing, None, None"}
    assert said(persona(persona="E"), tmp_path) == {"E, nothing, None, None"}


def test_a_model_by_name_and_the_same_one_as_a_value_share_their_replies() -> None:
    given = {"persona": "A", "base_url": "http://a"}
    assert session("persona/x", **given).subject.weights == subject(persona(**given)).weights != ""


def test_what_changes_no_reply_changes_no_address() -> None:
    assert subject(persona()).weights == subject("persona/x").weights == ""
    assert {
        subject(persona(config=config)).weights
        for config in (
            GenerateConfig(temperature=0.7, max_tokens=9, top_p=0.5, seed=3),
            GenerateConfig(max_connections=3, timeout=9, max_retries=1, cache_prompt=True),
            GenerateConfig(extra_headers={"X-Api-Key": "one"}),
        )
    } == {""}
    assert subject(persona(api_key="sk-1", timeout=3)).weights == subject("persona/x", api_key="sk-2").weights == ""
    for name, value in {"max_connections": 3, "patience": {"tries": 2}, "answers_as": "y"}.items():
        assert name in OURS and session("persona/x", **{name: value}).subject.weights == ""


def test_a_name_for_what_answers_stands_for_the_arguments(tmp_path: Path) -> None:
    first = subject("persona/x", persona="A", weights="w").weights
    assert first == subject("persona/x", persona="B", weights="w").weights == content_id("", "w")
    assert first != subject("persona/x", persona="B", weights="v").weights
    assert said("persona/x", tmp_path, persona=print, weights="v") != said(
        "persona/x", tmp_path, persona=len, weights="w"
    )


def test_the_addresses_of_replies_that_are_kept_stay_what_they_were() -> None:
    url = "http://127.0.0.1:1/v1"
    where = content_id("address", url)
    assert subject("openai-api/local/m", base_url=url, max_connections=4, patience={"tries": 2}).weights == where
    assert subject("openai-api/local/m", base_url=url, weights="seed1").weights == content_id(where, "seed1")
    assert subject("openai/gpt-4o").weights == subject(get_model("openai/gpt-4o", memoize=False)).weights == ""


def test_a_providers_own_default_address_is_no_address_of_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pins `_explicit_base_url`: Inspect fills `api.base_url` itself, for vLLM with a port that varies."""
    pytest.importorskip("openai")
    monkeypatch.setenv("TOGETHER_API_KEY", "sk-endpoints-secret")
    monkeypatch.delenv("TOGETHER_BASE_URL", raising=False)
    model = get_model("together/org/m", memoize=False)
    assert model.api.base_url and model._explicit_base_url is None
    assert subject(model).weights == subject("together/org/m").weights == ""
    elsewhere = get_model("together/org/m", memoize=False, base_url="http://127.0.0.1:1/v1")
    assert elsewhere._explicit_base_url == "http://127.0.0.1:1/v1"
    assert subject(elsewhere).weights == subject("together/org/m", base_url="http://127.0.0.1:1/v1").weights != ""


def test_two_servers_that_are_given_as_models_are_told_apart(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with OpenAiServer(answer=lambda body: "A") as ours, OpenAiServer(answer=lambda body: "B") as theirs:
        for server, text in ((ours, "A"), (theirs, "B")):
            assert said(get_model("openai-api/local/m", base_url=server.url, memoize=False), tmp_path) == {text}
        assert said("openai-api/local/m", tmp_path, base_url=ours.url) == {"A"}
        assert len(ours.calls) == len(theirs.calls) == len(ASKED) * 2


def test_a_model_that_was_made_by_hand_is_told_apart_by_its_address() -> None:
    url = "http://gpu-7:8000/v1"
    by_hand = [Model(PersonaModel("m", each), GenerateConfig()) for each in (url, "http://gpu-8:8000/v1", None)]
    ids = [subject(each).weights for each in by_hand]
    assert ids[0] == subject("persona/m", base_url=url).weights and len(set(ids)) == 3 and ids[2] == ""
    openai = pytest.importorskip("inspect_ai.model._providers.openai")
    nameless = Model(openai.OpenAIAPI("gpt-4o-mini", url, api_key="sk-x"), GenerateConfig())
    with pytest.raises(ModelError, match=r'made of OpenAIAPI itself.*get_model\("provider/name"'):
        subject(nameless)
