"""Known subtle faults of consistency methods, each excluded by a test."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tiny import MODEL, example, loads_torch, losses, metrics, prompt, real, tiny_model
from unsway import sources
from unsway.backends.local import Local
from unsway.backends.local.live import LiveModel
from unsway.errors import BadInput, TrainingError
from unsway.models.weights import locate
from unsway.pairing import pairs
from unsway.training import Act, ActBct, AttCt, Bct, MlpCt, Npo, Opct, Rmct, fit
from unsway.training.alignment import align
from unsway.types import Example, Part, Prompt, Settings, Turn

pytestmark = [real, loads_torch, pytest.mark.timeout(300), pytest.mark.usefixtures("float32")]
ROWS = tuple(
    replace(example(i), biased=prompt(f"Pick a letter, number {i}.", f"I {'am ' * i}say (D). ")) for i in range(8)
)


@pytest.fixture
def live(base: Path, tmp_path: Path) -> Iterator[LiveModel]:
    """A live model that a step has moved away from its base."""
    how = Bct(learning_rate=2e-2, warmup=0.0)
    with Local().open(ROWS, how, str(base), tmp_path / "live") as model:
        model.step(ROWS, lambda rows, m: -sum(m.logprobs([m.encode(r.clean.messages(), "(A)") for r in rows])[0]))
        yield model


def gradients(model: LiveModel, loss: Any) -> list[Any]:
    """What one loss over all rows sends to each trained tensor."""
    model.is_stepping = True
    loss.backward()
    model.is_stepping = False
    found = [p.grad.clone() if p.grad is not None else p.detach() * 0 for p in model.trained]
    model.optimiser.zero_grad()
    return found


# ---------------------------------------------------------------- alignment


@pytest.mark.slow
def test_the_page_s_table_of_aligned_tokens_is_what_is_aligned() -> None:
    weights = locate(MODEL)
    page = (Path(__file__).parent.parent / "docs/consistency.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    assert len(lines) == 8
    questions = sources.load("sciq", n=24, seed=0)
    for name, *figures in lines:
        of = pairs(questions, [name], elicit="direct").pairs
        sums = [0.0] * 5
        for pair in of:
            sizes = [len(weights.encode(side.messages())) for side in (pair.clean, pair.biased)]
            sizes += [len(align(weights, pair.clean, pair.biased, w)) for w in ("shared", "after", "suffix")]  # type: ignore[arg-type]
            sums = [a + b for a, b in zip(sums, sizes, strict=True)]
        assert [f"{each / len(of):.1f}" for each in sums] == figures, name


def test_a_row_without_aligned_tokens_is_refused_by_number(base: Path, tmp_path: Path) -> None:
    glued = [Prompt((Turn("user", (Part("stem", "hel"), *more)),)) for more in ((), (Part("cue", "lo there"),))]
    odd = replace(ROWS[2], clean=glued[0], biased=glued[1])
    with pytest.raises(BadInput, match="row 3 has no aligned tokens in the window 'content', so 'mlpct' cannot train"):
        fit([*ROWS[:2], odd], MlpCt(), str(base), Local(), tmp_path / "odd")
    assert not losses(tmp_path / "odd")


# ---------------------------------------------------------------- what is compared


def test_a_step_does_not_depend_on_how_many_rows_go_through_at_once(base: Path, tmp_path: Path) -> None:
    """Rows differ in length, so a mean over a part's tokens, or a part divided twice, would show."""
    import torch

    how = Act(batch_size=8, learning_rate=1e-2, warmup=0.0, epochs=2)
    weights = []
    for n in (1, 3, 8):
        with Local(rows_at_once=n).open(ROWS, how, str(base), tmp_path / str(n)) as model:
            how.train(ROWS, model)
            weights.append([p.detach().clone() for p in model.trained])
    assert losses(tmp_path / "1") == pytest.approx(losses(tmp_path / "3"), rel=1e-4)
    assert losses(tmp_path / "1") == pytest.approx(losses(tmp_path / "8"), rel=1e-4)
    for other in weights[1:]:
        apart = [torch.cat([each.flatten() for each in of]) for of in (weights[0], other)]
        assert float((apart[0] - apart[1]).norm() / apart[0].norm()) < 1e-2


def test_the_target_is_the_base_to_the_bit_after_training(base: Path, tmp_path: Path) -> None:
    import torch

    with Local().open(ROWS, Act(learning_rate=1e-2, warmup=0.0), str(base), tmp_path / "out") as model:
        model.can_share = False  # equal shapes on both sides
        texts = [model.encode(each.clean.messages()) for each in ROWS[:3]]
        before, ours = (model.forward(texts, "hidden", base=side) for side in (True, False))
        assert all(torch.equal(a, b) for a, b in zip(before, ours, strict=True))  # a new adapter adds 0
        for _ in range(3):
            model.step(ROWS, Act().loss)
        after, moved = (model.forward(texts, "hidden", base=side) for side in (True, False))
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        assert not any(torch.equal(a, b) for a, b in zip(before, moved, strict=True))


def test_in_training_two_passes_are_one_and_distances_are_float32(
    live: LiveModel, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    texts = [live.encode(each.clean.messages()) for each in ROWS[:2]]
    live.model.train()
    assert all(torch.equal(a, b) for a, b in zip(*(live.forward(texts, "hidden") for _ in range(2)), strict=True))
    monkeypatch.setattr("unsway.backends.local.live.training_dtype", lambda: "bfloat16")
    with Local().open(ROWS, Act(), str(base), tmp_path / "half") as half:
        assert next(half.model.get_base_model().parameters()).dtype == torch.bfloat16
        for how in (Act(), MlpCt(), AttCt(keys="bucket", window="after")):
            assert how.loss(ROWS[:2], half).dtype == torch.float32
    with Local().open(ROWS, Act(lora_rank=0), str(base), tmp_path / "all"):  # float32 weights, bfloat16 arithmetic
        assert metrics(tmp_path / "all")[0]["about"]["dtype"] == "bfloat16"  # type: ignore[index]
    big = torch.full((1, 1, 4), 4096.0)
    assert float(Act(scale="plain").distance((big + 1).float(), big)) == 4.0  # bfloat16 has no 4097


def test_rows_of_attention_with_a_bucket_are_distributions(live: LiveModel) -> None:
    import torch

    row = ROWS[3]
    assert row.biased is not None
    (found,) = live.forward([live.encode(row.biased.messages())], "attention")
    keys = [b for _, b in live.align(row.clean, row.biased, "shared")]
    kept = found[..., keys]
    rest = 1 - kept.sum(-1, keepdim=True)
    torch.testing.assert_close(torch.cat([kept, rest], -1).sum(-1), torch.ones(kept.shape[:-1]))
    assert float(rest.max()) > 0.01 and float(rest.min()) > -1e-5  # what is paid to the cue


def test_a_model_whose_layers_do_not_all_show_their_states_is_refused(live: LiveModel) -> None:
    layers = live.model.get_base_model().get_decoder().layers
    texts = [live.encode(ROWS[0].clean.messages())]
    kept, layers[1].mlp = layers[1].mlp, torch_identity()
    with pytest.raises(BadInput, match="MLPs without a `down_proj`"):
        live.forward(texts, "mlp")
    layers[1].mlp = kept
    layers[1].forward, before = (lambda hidden, *_, **__: hidden), layers[1].forward
    with pytest.raises(BadInput, match=r"1 of 2 layers .* showed their mlp states"):
        live.forward(texts, "mlp")
    layers[1].forward = before
    assert live.forward(texts, "mlp")[0].shape[0] == 2
    live.model.get_base_model().get_decoder().layers, kept = None, layers
    with pytest.raises(BadInput, match="has no `layers`"):
        live.forward(texts, "hidden")
    live.model.get_base_model().get_decoder().layers = kept


def test_an_adapter_on_attention_is_on_all_of_it() -> None:
    """Phi-3 has queries, keys and values in one layer: an adapter on the output alone would move no attention."""
    import torch

    from unsway.backends.local.lora import adapter_of

    fused = torch.nn.ModuleDict({name: torch.nn.Linear(2, 2) for name in ("qkv_proj", "o_proj")})
    with pytest.raises(
        BadInput, match=r"'phi3' has no modules \['q_proj', 'k_proj', 'v_proj'\], which lora_on='attention'"
    ):
        adapter_of(MlpCt(), fused, "phi3")
    assert adapter_of(MlpCt(lora_on="all-linear"), fused, "phi3")


def torch_identity() -> Any:
    import torch

    return torch.nn.Identity()


def test_a_window_that_slides_over_the_prompt_is_refused() -> None:
    import torch

    from unsway.backends.local.states import Caught, _record

    state = torch.randn(1, 2, 6, 4)
    module = SimpleNamespace(layer_idx=0)
    _record(Caught([[5]], 0), module, state, state, sliding_window=6)
    with pytest.raises(BadInput, match="A prompt has 6 tokens, and a layer of this model sees the last 5 alone"):
        _record(Caught([[5]], 0), module, state, state, sliding_window=5)


# ---------------------------------------------------------------- what is left behind


@pytest.mark.parametrize("how", [Bct(), AttCt(), Opct(rollouts=2, max_tokens=4)], ids=lambda how: how.name)
def test_no_weights_of_a_fit_outlive_it(how: Any, base: Path, tmp_path: Path) -> None:
    """A study fits many models in one process: it would need the memory of all of them."""
    import torch

    def alive() -> int:
        return sum(isinstance(each, torch.nn.Parameter) for each in gc.get_objects())

    gc.collect()
    before = alive()
    fit(ROWS, how, str(base), Local(), tmp_path / "out")
    assert alive() == before
    if how.name != "bct":  # an error holds on to whoever raised it
        with pytest.raises(ZeroDivisionError) as stopped, Local().open(ROWS, how, str(base), tmp_path / "no") as model:
            raise ZeroDivisionError
        assert alive() == before and stopped.tb and model.steps == 0


# ---------------------------------------------------------------- act and bct at once


def test_both_parts_are_what_they_are_alone(live: LiveModel) -> None:
    """The sum of the gradients is the gradient of the sum; each part is counted in its own units."""
    import torch

    def of(weight: float) -> list[Any]:
        kept: list[Any] = []
        model = SimpleNamespace(
            encode=live.encode, logprobs=live.logprobs, align=live.align, forward=live.forward, note=lambda parts: None
        )
        model.step = lambda rows, loss: kept.extend(gradients(live, loss(rows, model)))
        live.is_stepping = True
        ActBct(weight=weight).update(ROWS[:4], model)  # type: ignore[arg-type]
        return kept

    live.is_stepping = True
    alone = gradients(live, Act().loss(ROWS[:4], live))
    both, words = of(1.0), of(0.0)
    for a, b, c in zip(both, words, alone, strict=True):
        torch.testing.assert_close(a, b + c, atol=1e-6, rtol=1e-4)
    assert max(float(each.abs().max()) for each in alone) > 1e-6


def test_without_its_weight_it_is_bct_s_own_trainer(base: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    shared: dict[str, Any] = {"batch_size": 8, "learning_rate": 1e-2, "warmup": 0.0}
    for how in (Bct(**shared), ActBct(**shared, weight=0.0)):
        fit(ROWS, how, str(base), Local(rows_at_once=4), tmp_path / how.name)
    assert losses(tmp_path / "act_bct") == pytest.approx(losses(tmp_path / "bct"), rel=1e-4)
    ours, theirs = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("act_bct", "bct"))
    assert all(float((ours[name] - theirs[name]).norm() / theirs[name].norm()) < 2e-2 for name in theirs)


# ---------------------------------------------------------------- sampling


def test_replies_are_drawn_from_the_distribution_that_is_scored(base: Path, tmp_path: Path) -> None:
    """A penalty on repetition or a top k of the folder's generation_config.json would bend what is sampled."""
    import shutil

    bent = tmp_path / "bent"
    shutil.copytree(base, bent)
    config = json.loads((bent / "generation_config.json").read_text(encoding="utf-8"))
    (bent / "generation_config.json").write_text(
        json.dumps(config | {"repetition_penalty": 9.0, "top_k": 1, "do_sample": True}), encoding="utf-8"
    )
    drawn = []
    for folder in (base, bent):
        with Local().open(ROWS, Rmct(), str(folder), tmp_path / f"{folder.name}-out") as model:
            asked = [model.encode(each.clean.messages()) for each in ROWS[:2]]
            drawn.append(model.sample(asked, 4, Settings(temperature=1.0, max_tokens=6, seed=3)))
            hot = model.sample(asked, 2, Settings(temperature=0.5, max_tokens=6, seed=3))
            replies = [reply for of in hot for reply in of]
            by_hand = [
                logits.log_softmax(-1).gather(-1, _column(reply.completion))[:, 0]
                for logits, reply in zip(model.forward(replies, "logits"), replies, strict=True)
            ]
            for score, hand in zip(model.logprobs(replies), by_hand, strict=True):
                assert score.tolist() == pytest.approx(hand.tolist(), abs=1e-5)  # raw, whatever they were drawn at
            cut = [reply for of in drawn[-1] for reply in of if not reply.ended]
            assert cut and all(len(reply.completion) == 6 for reply in cut)
            assert not any(set(reply.completion) & model.weights.ends for reply in cut)
    assert drawn[0] == drawn[1]


def _column(ids: tuple[int, ...]) -> Any:
    import torch

    return torch.tensor(ids)[:, None]


# ---------------------------------------------------------------- refused or stopped


def test_a_method_with_a_loop_of_its_own_runs_in_one_process(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BadInput, match="'rmct' has a loop of its own, which runs in one process, and 2 were launched"):
        fit(ROWS, Rmct(), str(base), Local(), tmp_path / "out")


@pytest.mark.parametrize(
    ("how", "row"),
    [
        (Npo(), replace(example(3), rejected="word " * 500)),
        (Opct(max_tokens=500), example(3)),
        (Rmct(max_tokens=500), example(3)),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_what_the_context_does_not_hold_is_refused_before_the_first_step(
    how: Any, row: Example, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"1 of 1 examples? are longer than the context .* the first is row 1"):
        fit([row], how, str(base), Local(), tmp_path / "out")
    assert not (tmp_path / "out/metrics.jsonl").exists()


@pytest.mark.parametrize(
    "how",
    [Act(batch_size=4), AttCt(batch_size=4), Opct(batch_size=4, rollouts=1, max_tokens=2)],
    ids=lambda how: how.name,
)
def test_what_is_no_number_names_its_rows(how: Any, tmp_path: Path) -> None:
    spoilt = tiny_model(tmp_path / "base", spoilt="zebra")
    rows: list[Example] = [*ROWS[:3], replace(example(3), biased=prompt("Pick a letter, number 3.", "See a zebra. "))]
    with pytest.raises(TrainingError, match="nan at step 1, on rows 1, 2, 3, 4 of the training set"):
        fit(rows, how, str(spoilt), Local(), tmp_path / "out")
    assert not (tmp_path / "out/checkpoint.json").exists()


@pytest.mark.parametrize("how", [Bct(batch_size=8), Act(batch_size=8)])
def test_a_fit_of_one_step_learns(how: Bct | Act, base: Path, tmp_path: Path) -> None:
    """The warm-up never takes the only step, at whose beginning the rate is 0."""
    assert [how.warmup_steps(n) for n in (1, 2, 24, 100)] == [0, 1, 1, 3]
    from safetensors.torch import load_file

    fit(ROWS, how, str(base), Local(), tmp_path / "out")
    weights = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert list(losses(tmp_path / "out")) == [1] and all(
        w.abs().max() > 0 for key, w in weights.items() if "lora_B" in key
    )


def test_norms_do_not_decay_where_all_weights_are_trained(base: Path, tmp_path: Path) -> None:
    with Local().open(ROWS, Act(lora_rank=0, weight_decay=0.1), str(base), tmp_path / "out") as model:
        groups = model.optimiser.param_groups
        assert {(p.ndim > 1, group["weight_decay"]) for group in groups for p in group["params"]} == {
            (True, 0.1),
            (False, 0.0),
        }
