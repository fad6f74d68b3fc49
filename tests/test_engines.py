"""Engines: how they are found, what `auto` takes, and log-probabilities of given tokens."""

from __future__ import annotations

import json
import math
import os
import sys
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import pytest

from tests.tiny import loads_torch, real, tiny_model
from unsway.errors import BadInput, MissingExtra, ModelError, UnknownName
from unsway.models.engines import base
from unsway.models.engines.base import Engine, Generation, PendingScore, Request, ScoreRequest, engines, make_engine
from unsway.models.weights import Weights, load_model, locate
from unsway.sampling import ask
from unsway.types import Part, Prompt, Turn

WORD, AGAIN = (Prompt((Turn("user", (Part("stem", f"Say a word{end}"),)),)) for end in ".!")


class CountingEngine(Engine):
    """Replies with the number of its prompt's tokens; scores only where a subclass says so."""

    name = "counting"
    most_waiting = 8

    def serve(self, requests: list[base.Pending]) -> None:
        for request, result in requests:
            result.set_result(Generation((len(request.tokens),), "end"))

    def free(self) -> None: ...


class ScoringEngine(CountingEngine):
    can_score = True

    def serve_scores(self, requests: list[PendingScore]) -> None:
        for request, result in requests:
            if request.completion == (0,):
                raise ModelError("0 is no token")
            result.set_result(tuple(-1.0 for _ in request.completion))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return locate(str(tiny_model(tmp_path_factory.mktemp("tiny"))))


def test_engines_are_found_and_unknown_ones_refused() -> None:
    assert {"openvino", "torch"} <= set(engines.names())
    with pytest.raises(UnknownName, match=r"no engine named 'tortch'\. Did you mean 'torch'.*Known: auto, .*torch"):
        base.known_engine("tortch")


@pytest.mark.parametrize("name", engines.names())
def test_an_engine_that_is_declared_says_what_it_is(name: str) -> None:
    kind = engines.get(base.known_engine(name))
    assert issubclass(kind, Engine) and kind.name == name and (kind.__doc__ or "").strip()
    assert kind.serve is not Engine.serve and kind.free is not Engine.free
    assert kind.can_score == (kind.serve_scores is not Engine.serve_scores)


@real
@loads_torch
def test_auto_takes_the_engine_that_ranks_highest(
    weights: Weights, monkeypatch: pytest.MonkeyPatch, torch_first: None
) -> None:
    assert make_engine(weights).name == "torch"
    monkeypatch.setattr(CountingEngine, "rank", classmethod(lambda cls, weights, dtype: 9))
    monkeypatch.setitem(engines._things, "counting", CountingEngine)
    assert make_engine(weights).name == "counting"


@real
@loads_torch
def test_an_engine_that_cannot_score_says_which_can(weights: Weights) -> None:
    with pytest.raises(ModelError, match=r"The counting engine gives no log-probabilities.*engine='torch'"):
        CountingEngine(weights).score(ScoreRequest((1,), (2,)))


@real
@loads_torch
def test_what_breaks_in_an_engine_is_the_error_that_is_told(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenEngine(CountingEngine):
        def serve(self, requests: list[base.Pending]) -> None:
            raise RuntimeError("no more memory on the device")

    monkeypatch.setitem(engines._things, "broken", BrokenEngine)
    with pytest.raises(ModelError, match="no more memory on the device"):
        ask([WORD, AGAIN], str(weights.folder), model_args={"engine": "broken"})


@real
@loads_torch
def test_scores_and_replies_share_one_queue_and_an_error_reaches_only_its_own(weights: Weights) -> None:
    engine = ScoringEngine(weights)
    asked: list[Future[Generation]] = [engine.submit(Request((1,) * n, 4, 0.0, 1.0, 0)) for n in (1, 2)]
    scored = engine.score(ScoreRequest((1,), (5, 6)))
    assert scored.result(10) == (-1.0, -1.0)
    broken = engine.score(ScoreRequest((1,), (0,)))
    late = engine.submit(Request((1, 1, 1), 4, 0.0, 1.0, 0))
    assert [answer.result(10).tokens for answer in (*asked, late)] == [(1,), (2,), (3,)]
    with pytest.raises(ModelError, match="0 is no token"):
        broken.result(10)
    last = engine.score(ScoreRequest((1,), (7,)))
    engine.close()
    assert last.result(10) == (-1.0,)


@real
@loads_torch
def test_torch_scores_as_a_plain_forward_pass_does(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from unsway.models.engines import torch as torch_engine

    pairs = [((1, 5, 9, 200), (7, 300)), ((4,), (8, 8, 8, 12, 900)), ((3, 2, 1, 0, 5, 6, 7), ()), ((11, 12), (13,))]
    monkeypatch.setattr(torch_engine, "LOGITS_A_BATCH", 3 * 49_152)  # so that there are several batches
    engine = make_engine(weights, "torch")
    found = [engine.score(ScoreRequest(*pair)) for pair in pairs]
    model = load_model(weights).eval()
    for (prompt, completion), future in zip(pairs, found, strict=True):
        with torch.inference_mode():
            logits_TV = model(input_ids=torch.tensor([prompt + completion])).logits[0].log_softmax(-1)
        expected = [float(logits_TV[len(prompt) + i - 1, token]) for i, token in enumerate(completion)]
        assert future.result(60) == pytest.approx(expected, abs=1e-5)
    engine.close()


@real
@loads_torch
def test_a_greedy_reply_is_its_own_most_likely_continuation(weights: Weights) -> None:
    engine = make_engine(weights, "torch")
    prompt = (1, 5, 9, 200)
    said = engine.submit(Request(prompt, 3, 0.0, 1.0, 0)).result(60)
    others = [said.tokens[:1], *((token,) for token in range(40, 60))]
    scores = [engine.score(ScoreRequest(prompt, one)).result(60)[0] for one in others]
    engine.close()
    assert max(scores) == scores[0] and all(math.isfinite(score) and score < 0 for score in scores)


# ---------------------------------------------------------------- sampling


@real
@loads_torch
@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_a_sampled_reply_does_not_depend_on_its_batch(
    name: str, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts of several lengths, some with one beginning, asked all at once, in another order, a few at a time and alone."""
    pytest.importorskip("openvino_genai") if name == "openvino" else None
    requests = [Request(tuple(range(9 + i, 20 + 3 * i)), 10, 1.0, 0.95, 1000 + i) for i in range(12)]
    requests += [Request((*range(100, 170), *range(300, 300 + 50 * i)), 10, 1.0, 1.0, 2000 + i) for i in range(8)]
    engine = make_engine(weights, name)

    def tokens(*parts: list[Request]) -> dict[int, tuple[int, ...]]:
        found = {}
        for part in parts:
            results = [engine.submit(request) for request in part]
            found |= {request.seed: result.result(60).tokens for request, result in zip(part, results, strict=True)}
        return found

    together = tokens(requests)
    assert len(set(together.values())) == len(requests), "each seed gives a reply of its own"
    assert tokens(requests[::-1]) == tokens(requests[5:], requests[:5]) == together
    alone = tokens(*([one] for one in requests[3:15]))
    assert alone == {seed: together[seed] for seed in alone}
    assert tokens([replace(requests[0], seed=7)])[7] != together[1000]
    mixed = [replace(one, temperature=float(i % 2)) for i, one in enumerate(requests)]
    assert {key: said for key, said in tokens(mixed).items() if key % 2} == {
        key: said for key, said in together.items() if key % 2
    }
    engine.close()
    again = make_engine(weights, name)  # as after a kill: a new process has less to ask
    assert again.submit(requests[17]).result(60).tokens == together[requests[17].seed]
    again.close()


@loads_torch
def test_tokens_are_drawn_with_their_probabilities() -> None:
    torch = pytest.importorskip("torch")
    from unsway.models.engines.torch import RowNoise

    n = 20_000
    logits_V = torch.tensor([2.0, -1.0, 0.5, 1.5, -4.0, 0.0, 1.4, -torch.inf])
    noisy_NV = RowNoise(list(range(n)), torch.device("cpu"))(None, logits_V.expand(n, -1))
    share_V = torch.bincount(noisy_NV.argmax(-1), minlength=8) / n
    assert share_V[-1] == 0
    assert (share_V - logits_V.softmax(-1)).abs().max() < 4 * 0.5 / n**0.5


@loads_torch
def test_scores_that_are_no_numbers_are_refused() -> None:
    torch = pytest.importorskip("torch")
    from unsway.models.engines.torch import RowNoise

    with pytest.raises(ModelError, match="NaN"):
        RowNoise([0], torch.device("cpu"))(None, torch.tensor([[0.0, torch.nan]]))


@real
@loads_torch
def test_what_prompts_begin_with_is_gone_over_once_and_changes_no_reply(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Greedy and sampled replies of a batch that shares a beginning, against prompts that each go through whole."""
    from unsway.models.engines import torch as module

    start = tuple(weights.tokenizer.encode("Reason in a sentence or two, then say which answer is best. " * 4))
    ends = [
        tuple(weights.tokenizer.encode(text)) for text in ("A leaf.", "Which animal gives us wool?", "A tree, then.")
    ]
    asked = [
        Request(start + end, 12, temperature, 1.0, number)
        for number, end in enumerate(ends)
        for temperature in (0.0, 1.0)
    ]
    seen: list[int] = []
    said = {}
    for least in (10**6, module.LEAST_SHARED):
        monkeypatch.setattr(module, "LEAST_SHARED", least)
        engine = make_engine(weights, "torch")
        engine.model.register_forward_pre_hook(
            lambda _, args, kwargs: seen.append(kwargs["input_ids"].numel()), with_kwargs=True
        )
        try:
            said[least] = [future.result() for future in [engine.submit(each) for each in asked]]
        finally:
            engine.close()
        said[least, "tokens"] = sum(seen)
        seen.clear()
    assert said[10**6] == said[module.LEAST_SHARED]
    assert said[module.LEAST_SHARED, "tokens"] <= said[10**6, "tokens"] - 3 * len(start)


# ---------------------------------------------------------------- vLLM


class StandInLoRARequest(NamedTuple):
    """A stand-in with the published signature of `vllm.lora.request.LoRARequest`."""

    lora_name: str
    lora_int_id: int
    lora_path: str


class StandInLLM:
    """A stand-in with the published signature of `vllm.LLM`, where there is none: transformers, one prompt at a time."""

    given: ClassVar[dict[str, Any]] = {}

    def __init__(self, model: str, *, dtype: str = "auto", generation_config: str = "auto", **options: Any) -> None:
        StandInLLM.given = {"model": model, "dtype": dtype, "generation_config": generation_config} | options
        self.model: Any = load_model(locate(model)).eval()

    def generate(
        self, prompts: list[dict[str, list[int]]], sampling_params: list[Any], *, use_tqdm: bool, lora_request: Any
    ) -> list[Any]:
        StandInLLM.given["adapter"] = lora_request
        return [self._one(one["prompt_token_ids"], how) for one, how in zip(prompts, sampling_params, strict=True)]

    def _one(self, tokens: list[int], how: Any) -> Any:
        import torch

        with torch.inference_mode():
            ids = torch.tensor([tokens])
            said = self.model.generate(input_ids=ids, max_new_tokens=how.max_tokens, do_sample=False, pad_token_id=0)
            logs_TV = self.model(input_ids=ids).logits[0].log_softmax(-1)
        logs = [{token: SimpleNamespace(logprob=logs_TV[i, token])} for i, token in enumerate(tokens[1:])]
        return SimpleNamespace(
            outputs=[SimpleNamespace(token_ids=said[0, len(tokens) :].tolist())], prompt_logprobs=[None, *logs]
        )


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    named: Any = ModuleType("vllm"), ModuleType("vllm.lora"), ModuleType("vllm.lora.request")
    named[0].LLM, named[0].SamplingParams, named[2].LoRARequest = StandInLLM, SimpleNamespace, StandInLoRARequest
    for module in named:
        monkeypatch.setitem(sys.modules, module.__name__, module)


@real
@loads_torch
def test_vllm_is_asked_as_it_says_and_gives_what_torch_gives(weights: Weights, stand_in: None) -> None:
    """Our side of the interface alone: vLLM itself was not run."""
    asked, scored = [Request((1, 5, 9, n), 3, 0.0, 1.0, 0) for n in (200, 300)], ScoreRequest((1, 5, 9), (7, 300))
    found = []
    for name in ("torch", "vllm"):
        engine = make_engine(weights, name)
        replies = [engine.submit(one) for one in asked]
        scores = engine.score(scored).result(60)
        found.append(([reply.result(60) for reply in replies], scores))
        engine.close()
    assert found[0][0] == found[1][0] and found[0][1] == pytest.approx(found[1][1], abs=1e-5)
    given = StandInLLM.given
    assert given["model"] == str(weights.folder) and given["dtype"] == "float32" and given["adapter"] is None
    assert "enable_lora" not in given and given["generation_config"] == "vllm"
    assert os.environ["VLLM_NO_USAGE_STATS"] == "1"


@real
@loads_torch
def test_vllm_takes_an_adapter_as_one_and_refuses_a_rank_that_it_does_not_take(
    weights: Weights, stand_in: None, tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    get_peft_model(load_model(weights), LoraConfig(r=12, target_modules=["q_proj"])).save_pretrained(tmp_path)
    file = tmp_path / "adapter_config.json"
    engine = make_engine(replace(weights, adapter=tmp_path), "vllm")
    engine.submit(Request((1, 5), 1, 0.0, 1.0, 0)).result(60)
    engine.close()
    assert StandInLLM.given["enable_lora"] and StandInLLM.given["max_lora_rank"] == 16
    assert StandInLLM.given["adapter"] == StandInLoRARequest("adapter", 1, str(tmp_path))
    about = json.loads(file.read_text())
    file.write_text(json.dumps(about | {"target_modules": ["q_proj", "k_proj"]}))
    with pytest.raises(ModelError, match=r"does not hold .*k_proj.* as if these were not trained"):
        make_engine(replace(weights, adapter=tmp_path), "vllm")
    file.write_text(json.dumps({"r": 1024}))
    with pytest.raises(BadInput, match="has rank 1024; vLLM takes at most 512"):
        make_engine(replace(weights, adapter=tmp_path), "vllm")


@real
@loads_torch
def test_openvino_is_not_trusted_with_bfloat16_where_it_is_known_to_fail(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unsway.models.engines import openvino

    assert openvino.error_of_a_product("float32") < 1e-6 and openvino.error_of_a_product("bfloat16") < openvino.MOST_OFF
    for name, known, reason in (
        ("usable_cpus", lambda: 1, r"in bfloat16 on a single CPU it dies of a division by zero"),
        ("error_of_a_product", lambda dtype: 4.5, r"its products in bfloat16 are off by 450% on this CPU"),
    ):
        with monkeypatch.context() as here:
            here.setattr(openvino, "usable_cpus", lambda: 2)
            here.setattr(openvino, name, known)
            assert openvino.unsound("float32") is None
            with pytest.raises(ModelError, match=reason + r".*Use engine='torch'"):
                make_engine(weights, "openvino", "bfloat16")
            assert make_engine(weights, dtype="bfloat16").name == "torch"


@real
@loads_torch
def test_without_vllm_its_engine_says_so_and_auto_never_takes_it(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtra, match=r"needs 'vllm', which is not installed. Run: pip install 'unsway\[vllm\]'"):
        make_engine(weights, "vllm")
    assert engines.get("vllm").rank(weights) == 0
