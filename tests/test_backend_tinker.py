"""The back-end `tinker` end to end, against a service over the tiny model: its losses are the local ones, step by step."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.openai_server import OpenAiServer, let_go
from tests.tinker_service import BASE, TinkerService
from tests.tiny import example, loads_torch, losses, metrics, prompt, real
from unsway.backends.local import Local
from unsway.backends.local.live import LiveModel
from unsway.backends.tinker import Tinker
from unsway.backends.tinker.backend import SERVICE
from unsway.backends.tinker.costs import TinkerTokens, price_of_base
from unsway.cli import main
from unsway.errors import BadInput, StoreError, TrainingError
from unsway.models.weights import read_checkpoint
from unsway.store import write_jsonl
from unsway.training import Act, Bct, Control, Dpo, Method, Npo, Opct, Rmct, check, fit
from unsway.training.seams import Tokens
from unsway.types import Example

pytestmark = [real, loads_torch, pytest.mark.timeout(400)]
KEY = "tml-very-secret-0123456789"
ROWS = tuple(example(i, rejected="(D) it is") for i in range(8))
SHORT: dict[str, Any] = {"batch_size": 4, "learning_rate": 1e-2}
ROLLS = SHORT | {"rollouts": 3, "max_tokens": 6}
METHODS: tuple[Method, ...] = (
    Bct(**SHORT),
    Control(**SHORT),
    Dpo(**SHORT, warmup=0.0),
    Npo(**SHORT),
    Opct(form="sampled", discount=0.5, **ROLLS),
    Rmct(**ROLLS),
)


@pytest.fixture
def service(base: Path, monkeypatch: pytest.MonkeyPatch) -> TinkerService:
    """The service, in place of the SDK; the arithmetic of both sides is float32."""
    running = TinkerService(base)
    monkeypatch.setitem(sys.modules, "tinker", running.sdk())
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    for module in ("live", "trainers"):
        monkeypatch.setattr(f"unsway.backends.local.{module}.training_dtype", lambda: "float32")
    return running


def where(base: Path, **more: Any) -> Tinker:
    return Tinker(tokenizer=str(base), **more)


def leaks(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and KEY in path.read_text(errors="replace")]


# ---------------------------------------------------------------- losses are the local ones


def replayed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the local model draw what the service drew: a method then meets the same replies."""

    def sample(self: LiveModel, prompts: Sequence[Tokens], n: int, settings: Any) -> Any:
        lines = (folder / "rollouts" / f"step-{self.steps + 1:05d}.jsonl").read_text(encoding="utf-8").splitlines()
        ids = [tuple(json.loads(line)["ids"]) for line in lines]
        ends = self.weights.ends
        return tuple(
            tuple(Tokens(p.prompt, each, each[-1] in ends) for each in ids[i * n : (i + 1) * n])
            for i, p in enumerate(prompts)
        )

    monkeypatch.setattr(LiveModel, "sample", sample)


@pytest.mark.parametrize("how", METHODS, ids=lambda how: how.name)
def test_losses_are_those_of_the_local_back_end(
    how: Method, service: TinkerService, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the tiny model's replies cannot be read
    monkeypatch.setattr(sys.modules[Rmct.__module__], "trait", lambda row, reply, text: len(text) % 2 == 0)
    rows = [replace(row, rejected=f"(D) {'as you say ' * i}") for i, row in enumerate(ROWS[:7])]
    made = fit(rows, how, BASE, where(base), tmp_path / "tinker")
    if how.n_sampled:
        replayed(tmp_path / "tinker", monkeypatch)
    # the second step has a pass of two rows and one of one
    local = fit(rows, how, str(base), Local(rows_at_once=2), tmp_path / "local")
    ours, theirs = losses(tmp_path / "tinker"), losses(tmp_path / "local")
    assert set(ours) == set(theirs) == {1, 2} and made.steps == local.steps == 2
    assert [ours[step] for step in (1, 2)] == pytest.approx([theirs[step] for step in (1, 2)], rel=1e-4, abs=1e-5)
    assert made.tokens == local.tokens and made.backend == "tinker" and made.method == repr(how)
    assert [each.learning_rate for each in (given["params"] for given in service.named("optim_step"))] == pytest.approx(
        [row["learning_rate"] for row in metrics(tmp_path / "tinker") if "loss" in row]
    )
    assert read_checkpoint(tmp_path / "tinker") == made and leaks(tmp_path) == []
    assert not isinstance(how, Rmct) or abs(ours[2]) > 1e-3
    is_custom = not isinstance(how, Bct | Control)
    assert len(service.named("forward_backward_custom")) == 2 * is_custom
    assert len(service.named("sample")) == (0 if not how.n_sampled else 7 * (how.n_sampled // 3))


def test_steps_move_the_weights_as_here(service: TinkerService, base: Path, tmp_path: Path) -> None:
    how = replace(METHODS[0], epochs=3.0)
    fit(ROWS, how, BASE, where(base), tmp_path / "tinker")
    fit(ROWS, how, str(base), Local(), tmp_path / "local")
    ours, theirs = losses(tmp_path / "tinker"), losses(tmp_path / "local")
    assert len(ours) == 6 and ours == pytest.approx(theirs, rel=1e-4) and ours[6] < ours[1]


def test_opct_is_null_at_the_base_without_a_cue(service: TinkerService, base: Path, tmp_path: Path) -> None:
    rows = tuple(replace(each, biased=each.clean) for each in ROWS)
    fit(rows, Opct(form="sampled", **ROLLS), BASE, where(base), tmp_path)
    assert losses(tmp_path)[1] == pytest.approx(0, abs=1e-5)


# ---------------------------------------------------------------- resumed, repeated, refused


@pytest.mark.parametrize("how", [METHODS[0], replace(METHODS[4], rollouts=1)], ids=lambda how: how.name)
def test_cut_off_and_started_again_it_ends_the_same(
    how: Method, service: TinkerService, base: Path, tmp_path: Path
) -> None:
    how = replace(how, batch_size=2)
    fit(ROWS, how, BASE, where(base, save_every=1), tmp_path / "whole")
    whole = service.kept[read_checkpoint(tmp_path / "whole").uri.partition("#")[2]]
    n = len(service.named("optim_step"))
    gone = sys.modules["tinker"].APIConnectionError
    refusal = _error(gone, f"Connection lost, {KEY}.")
    service.fails = lambda name, k: refusal if name == "optim_step" and k == n + 2 else None
    with pytest.raises(TrainingError, match=r"Connection lost, \(key\)\. Run the same again") as caught:
        fit(ROWS, how, BASE, where(base, save_every=1), tmp_path / "cut")
    assert KEY not in str(caught.value) and caught.value.__cause__ is None
    service.fails = lambda name, k: None
    made = fit(ROWS, how, BASE, where(base, save_every=1), tmp_path / "cut")
    again = service.kept[made.uri.partition("#")[2]]
    assert made.steps == 4 and losses(tmp_path / "cut") == pytest.approx(losses(tmp_path / "whole"))
    assert all((a == b).all() for a, b in zip(whole, again, strict=True))
    assert service.named("resume")[0]["path"].endswith("-00002") and leaks(tmp_path) == []


def test_what_is_safe_to_repeat_is_repeated(
    service: TinkerService, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    busy = _error(sys.modules["tinker"].RateLimitError, "Too many.")
    service.fails = lambda name, k: busy if name in ("create", "sample", "compute_logprobs") and k < 2 else None
    fit(ROWS[:4], METHODS[4], BASE, where(base), tmp_path)
    assert [len(service.named(name)) for name in ("create", "sample", "optim_step")] == [3, 6, 1]
    service.fails = lambda name, k: busy if name == "forward_backward_custom" else None
    n = len(service.named("forward_backward_custom"))
    with pytest.raises(TrainingError, match="RateLimitError"):
        fit(ROWS[:4], METHODS[4], BASE, where(base), tmp_path / "busy")
    assert len(service.named("forward_backward_custom")) == n + 1


def _error(kind: type[Exception], words: str) -> Exception:
    """An error of the SDK's, whatever its constructor wants."""
    error = kind.__new__(kind)
    Exception.__init__(error, words)
    return error


def test_what_is_done_is_not_done_again(service: TinkerService, base: Path, tmp_path: Path) -> None:
    first = fit(ROWS, METHODS[0], BASE, where(base), tmp_path)
    n = len(service.calls)
    assert fit(ROWS, METHODS[0], BASE, where(base), tmp_path) == first and len(service.calls) == n
    (tmp_path / "tinker.json").write_text("{", encoding="utf-8")
    (tmp_path / "checkpoint.json").unlink()
    with pytest.raises(StoreError, match="is no record of a fit"):
        fit(ROWS, METHODS[0], BASE, where(base), tmp_path)


@pytest.mark.parametrize("how", [Act(), Opct()], ids=lambda how: how.name)
def test_what_reads_inner_states_is_refused_before_anything_is_sent(how: Method) -> None:
    with pytest.raises(BadInput, match="needs a back-end that can show inner states; 'tinker' can only") as caught:
        check(how, Tinker(), "Qwen/Qwen3-8B")
    assert ("or set form=sampled" in str(caught.value)) == isinstance(how, Opct)


@pytest.mark.parametrize(
    ("how", "asked", "words"),
    [
        (Bct(lora_rank=0), BASE, "no place for lora_rank=0"),
        (Bct(lora_alpha=64), BASE, "no place for lora_alpha"),
        (Opct(form="sampled", temperature=0.7), BASE, "a temperature other than 1"),
        (Bct(), "smollm2-135m", "its bases have the hub's names"),
        (Bct(), "tiny/asked-only", r"does not train 'tiny/asked-only'\. It trains tiny/llama"),
    ],
)
def test_what_it_has_no_place_for_is_refused(
    how: Method, asked: str, words: str, service: TinkerService, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=words):
        fit(ROWS, how, asked, where(base), tmp_path)
    assert not service.named("create")


def test_rows_are_refused_by_number(service: TinkerService, base: Path, tmp_path: Path) -> None:
    marked: list[Example] = [*ROWS[:2], replace(ROWS[2], completion="(A)<|im_end|>")]
    for how in (METHODS[0], METHODS[4]):
        rows = (
            marked
            if how is METHODS[0]
            else [*ROWS[:2], replace(ROWS[2], biased=prompt("Hm?", "<|im_end|> I say (D)."))]
        )
        with pytest.raises(BadInput, match=r"row 3 holds '<\|im_end\|>'"):
            fit(rows, how, BASE, where(base), tmp_path / how.name)
    long = [*ROWS[:2], replace(ROWS[2], completion="word " * 600)]
    with pytest.raises(TrainingError, match=r"1 of 3 examples are longer than the context .* the first is row 3"):
        fit(long, METHODS[0], BASE, where(base), tmp_path / "long")
    assert not service.named("create")


def test_a_loss_that_is_no_number_stops_before_the_step(service: TinkerService, base: Path, tmp_path: Path) -> None:
    class Spoilt(Npo):
        def loss(self, rows: Any, model: Any) -> Any:
            return super().loss(rows, model) * float("nan")  # type: ignore[misc]

    with pytest.raises(TrainingError, match=r"The loss is nan at step 1, on rows [1-8, ]+ of the training set"):
        fit(ROWS, Spoilt(**SHORT), BASE, where(base), tmp_path)
    assert not service.named("optim_step")


def test_without_a_key_it_says_where_one_goes(
    service: TinkerService, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = sys.modules["tinker"].TinkerError("The api_key client option must be set.")
    service.fails = lambda name, k: missing if name == "capabilities" else None
    with pytest.raises(BadInput, match="Put yours into the variable TINKER_API_KEY"):
        fit(ROWS, METHODS[0], BASE, where(base), tmp_path)


# ---------------------------------------------------------------- costs


def test_what_it_may_cost_is_said_before_and_what_it_did_cost_after(
    service: TinkerService, base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    priced = where(base, price=(1.0, 3.0, 2.0))
    made = fit(ROWS, METHODS[0], BASE, priced, tmp_path / "bct")
    assert made.cost == pytest.approx(made.tokens * 2.0 / 1e6)
    before, after = (line for line in caplog.messages if "sampled" in line)  # a slow machine says how far it is
    assert before.startswith(f"Training {BASE} at Tinker on at most {made.tokens} tokens trained on, 0 sampled")
    assert after.startswith(f"Trained at Tinker on {made.tokens} tokens trained on, 0 sampled")
    caplog.clear()
    made = fit(ROWS, METHODS[5], BASE, priced, tmp_path / "rmct")
    kept = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "rmct/rollouts").iterdir())
    sampled = [len(json.loads(line)["ids"]) for line in kept.splitlines()]
    before, after = (line for line in caplog.messages if "sampled" in line)
    assert f" {sum(sampled)} sampled" in after and f" {8 * 6 * 6} sampled" in before
    assert made.cost is not None and made.cost > 0
    with pytest.raises(BadInput, match=r"could cost .* more than the \$1e-06 allowed"):
        fit(ROWS, METHODS[5], BASE, priced.limited(1e-6), tmp_path / "dear")
    with pytest.raises(BadInput, match="prices of 'tiny/llama' are not known"):
        fit(ROWS, METHODS[0], BASE, where(base, max_cost=1.0), tmp_path / "unknown")
    with pytest.raises(
        BadInput, match=r"could cost .* more than the \$1e-06 allowed"
    ):  # its rejected replies are scored
        fit(ROWS, Npo(), BASE, priced.limited(1e-6), tmp_path / "npo")
    assert not (tmp_path / "dear/tinker.json").exists() and not (tmp_path / "npo/tinker.json").exists()


def test_prices_by_hand() -> None:
    price = price_of_base("Qwen/Qwen3-8B", ())
    assert price is not None and (price.read, price.sampled, price.trained) == (0.195, 0.6, 0.44)
    assert TinkerTokens(1e6, 2e6, 3e6).dollars(price) == pytest.approx(0.195 + 1.2 + 1.32)
    assert price_of_base("tiny/llama", ()) is None
    with pytest.raises(BadInput, match="three amounts"):
        Tinker(price=(1.0, 2.0))


# ---------------------------------------------------------------- from the shell to a measurement


def test_from_the_shell_and_measured_at_its_openai_address(
    service: TinkerService, base: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    write_jsonl(tmp_path / "rows.jsonl", ROWS)
    with OpenAiServer() as server:
        words = ["train", str(tmp_path / "rows.jsonl"), "--base", f"openai-api/tinker/{BASE}", "--backend", "tinker"]
        words += ["--option", f"tokenizer={base}", "--option", f"chat_url={server.url}", "--option", "price=1,1,1"]
        words += ["--max-cost", "5", "--method", "opct", "--set", "form=sampled", "--set", "rollouts=2"]
        words += ["--set", "max_tokens=4", "--out", str(tmp_path / "opct"), "--json"]
        ran = CliRunner().invoke(main, words)
        assert ran.exit_code == 0, ran.output
        assert not [each for each in recwarn if "is_gradient_checkpointing" in str(each.message)]
        made = read_checkpoint(tmp_path / "opct")
        assert made.model.startswith("openai-api/tinker/tinker://run-") and made.base == f"openai-api/tinker/{BASE}"
        assert made.uri == f"{server.url}#{made.model.removeprefix('openai-api/tinker/')}"
        words = ["measure", str(tmp_path / "opct"), "--questions", "procedural/arithmetic", "-n", "3", "--biases"]
        ran = CliRunner().invoke(main, [*words, "suggested_answer", "--out", str(tmp_path / "study"), "--json"])
        assert ran.exit_code == 0, ran.output
        asked = server.said("POST", "/chat/completions")
        assert {call.body["model"] for call in asked} == {made.uri.partition("#")[2]} and len(asked) == 6
    assert leaks(tmp_path) == [] and Tinker()._chat() == f"{SERVICE}/oai/api/v1"
    let_go()


# ---------------------------------------------------------------- the SDK itself


def test_the_names_and_arguments_that_are_used_are_the_sdk_s() -> None:
    tinker = pytest.importorskip("tinker")
    used: dict[str, dict[str, set[str]]] = {
        "ServiceClient": {
            "__init__": {"base_url"},
            "__enter__": set(),
            "get_server_capabilities": set(),
            "create_lora_training_client": {"base_model", "rank", "seed", "train_unembed"},
            "create_training_client_from_state_with_optimizer": {"path"},
            "create_sampling_client": {"base_model"},
        },
        "TrainingClient": {
            "forward": {"data", "loss_fn"},
            "forward_backward": {"data", "loss_fn"},
            "forward_backward_custom": {"data", "loss_fn"},
            "optim_step": {"optim_params"},
            "save_state": {"name", "ttl_seconds", "overwrite"},
            "save_weights_for_sampler": {"name"},
            "save_weights_and_get_sampling_client": set(),
        },
        "SamplingClient": {"sample": {"prompt", "num_samples", "sampling_params"}, "compute_logprobs": {"prompt"}},
    }
    for client, calls in used.items():
        for name, arguments in calls.items():
            known = inspect.signature(getattr(getattr(tinker, client), name)).parameters
            assert arguments <= set(known), (client, name)
            rest = {p.name for p in known.values() if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD}
            assert rest - {"self"} <= arguments, f"{client}.{name} wants {rest}"
    ours = {"max_tokens": 3, "temperature": 1.0, "top_p": 1.0, "seed": 1, "stop": [2]}
    assert tinker.SamplingParams(**ours).stop == [2]
    adam = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "grad_clip_norm": 1.0}
    assert tinker.AdamParams(learning_rate=1e-4, **adam).grad_clip_norm == 1.0
    for error in ("APIConnectionError", "InternalServerError", "RateLimitError", "AuthenticationError"):
        assert issubclass(getattr(tinker, error), tinker.TinkerError)
