"""Whether a server serves an adapter: asked of a real HTTP server over a tiny model, and of the local engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.openai_server import OpenAiServer, let_go
from tests.tiny import loads_torch, real, tiny_model
from unsway.cli import main
from unsway.errors import BadInput, ModelError
from unsway.models.weights import load_model, locate
from unsway.studies.served import check_served, max_lora_rank
from unsway.types import Message

pytestmark = [real, loads_torch]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny base, and an adapter of it that changes what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = tiny_model(tmp_path_factory.mktemp("base"))
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules=["q_proj", "v_proj"])
    )
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=2.0)
    adapter = tmp_path_factory.mktemp("adapter")
    model.save_pretrained(adapter)
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": str(base)}))
    return base, adapter


@pytest.fixture(scope="module")
def says(folders: tuple[Path, Path]) -> Callable[[str, tuple[Message, ...], int], str]:
    """What each of both models says; it is greedy, so it is computed once."""
    import torch

    known = {name: locate(str(folder)) for name, folder in zip(("base", "bct"), folders, strict=True)}
    models = {name: load_model(weights) for name, weights in known.items()}

    @cache
    def said(name: str, messages: tuple[Message, ...], max_tokens: int) -> str:
        ids = known["base"].encode(messages)
        with torch.no_grad():
            out = models[name].generate(torch.tensor([ids]), do_sample=False, max_new_tokens=max_tokens)
        return str(known["base"].tokenizer.decode(out[0][len(ids) :], skip_special_tokens=True))

    return said


@pytest.fixture
def server(says: Callable[[str, tuple[Message, ...], int], str]) -> Iterator[Any]:
    """Serves both by name; `lost(n)` says which calls of the adapter are answered by the base."""
    numbers = count()

    def answer(body: dict[str, Any]) -> str:
        name = body["model"]
        used = "base" if name == "bct" and made.lost(next(numbers)) else name  # type: ignore[attr-defined]
        return says(used, tuple(Message(m["role"], m["content"]) for m in body["messages"]), body["max_tokens"])

    with OpenAiServer(answer=answer) as made:
        made.lost = lambda n: False  # type: ignore[attr-defined]
        yield made
    let_go()


def test_a_server_that_serves_the_adapter(server: Any, folders: tuple[Path, Path]) -> None:
    (found,) = check_served(folders[1], "bct", "base", [server.url], replies=1)
    assert found.is_right and found.n_adapter >= 8 and found.n_like_served_base == 0, found
    assert found.verdict.startswith("serves the adapter")


def test_a_server_that_drops_it_and_a_replica_that_does(server: Any, folders: tuple[Path, Path]) -> None:
    server.lost = lambda n: True
    (found,) = check_served(folders[1], "bct", "base", [server.url], replies=1)
    assert not found.is_right and found.n_adapter == 0 and found.n_like_served_base >= 8
    assert found.verdict.startswith("does not serve the adapter")
    server.lost = lambda n: n % 2 == 0
    words = ["served", str(folders[1]), "--name", "bct", "--base-name", "base", "--url", server.url, "--replies", "2"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1 and "a replica does not serve the adapter" in " ".join(done.output.split())


def test_whole_weights_have_no_adapter(folders: tuple[Path, Path]) -> None:
    with pytest.raises(BadInput, match="holds no adapter"):
        check_served(folders[0], "bct", "base", [])
    (folders[0] / "adapter_config.json").write_text('{"r": 8}')
    with pytest.raises(ModelError):
        check_served(folders[0], "bct", "base", [])
    (folders[0] / "adapter_config.json").unlink()


@pytest.mark.parametrize(("rank", "most"), [(1, 1), (4, 8), (16, 16), (48, 64), (300, 320), (512, 512)])
def test_the_rank_that_vllm_is_told(rank: int, most: int, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": rank}))
    assert max_lora_rank(tmp_path) == most


def test_without_an_address_the_rank_is_all_that_is_asked(tmp_path: Path) -> None:
    """Its base need not be here, and no model is loaded."""
    (tmp_path / "adapter_config.json").write_text('{"r": 8, "base_model_name_or_path": "/nowhere"}')
    done = CliRunner().invoke(main, ["served", str(tmp_path), "--name", "bct", "--base-name", "base"])
    assert done.exit_code == 0 and done.stderr == "--max-lora-rank 8\n"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"r": 600}, "has rank 600; vLLM takes at most 512"),
        ({"r": 8, "rank_pattern": {"q_proj": 513}}, "has rank 513"),
        ({"r": 8, "use_dora": True}, "no adapter with use_dora"),
        ({"r": 8, "modules_to_save": ["lm_head"], "bias": "all"}, "no adapter with modules_to_save, bias"),
        ({}, "r: Field required"),
        ({"r": 8, "rank_pattern": [1]}, "rank_pattern: Input should be an object"),
    ],
)
def test_what_vllm_does_not_take_is_refused_before(config: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(BadInput, match=said + r".*(unsway export|vLLM takes no other)"):
        check_served(tmp_path, "bct", "base", ["http://127.0.0.1:1/v1"])
