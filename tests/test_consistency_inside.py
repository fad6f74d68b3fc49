"""Methods that compare inner states: losses equal those of a hand-written loop, and only the intended weights change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import example, loads_torch, losses, metrics, real
from unsway.backends.local import Local
from unsway.backends.local.live import LiveModel
from unsway.errors import BadInput
from unsway.models.weights import load_model, locate
from unsway.training import Act, ActBct, AttCt, Bct, MlpCt, fit
from unsway.training.inside import Inside
from unsway.training.methods.attct import jensen_shannon
from unsway.types import Example, Part, Prompt, Turn

pytestmark = [real, loads_torch, pytest.mark.timeout(300), pytest.mark.usefixtures("float32")]


def row(i: int) -> Example:
    """A question of its own length, with a cue behind the stem."""
    stem, end = Part("stem", f"Which tree is number {'very ' * (i % 3)}{i}?"), Part("instruction", " Say a letter.")
    clean = Prompt((Turn("user", (stem, end)),))
    cue = (Part("cue", f" I would say {'really ' * (i % 2)}(D)."),)
    return replace(example(i), clean=clean, biased=Prompt((Turn("user", (stem, *cue, end)),)))


ROWS = tuple(row(i) for i in range(8))
NO_CUE = tuple(replace(each, biased=each.clean) for each in ROWS)
KINDS: tuple[Inside, ...] = (
    Act(),
    Act(scale="plain", window="suffix"),
    MlpCt(),
    AttCt(),
    AttCt(keys="shared"),
    AttCt(keys="bucket", window="after"),
)


@pytest.fixture(scope="module")
def moved(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveModel]:
    """A live model that two steps have moved away from its base."""
    how = Bct(learning_rate=2e-2, batch_size=8, epochs=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unsway.backends.local.live.training_dtype", lambda: "float32")
        with Local().open(ROWS, how, str(base), tmp_path_factory.mktemp("live")) as model:
            for _ in range(2):
                model.step(
                    ROWS, lambda rows, m: -sum(m.logprobs([m.encode(r.clean.messages(), "(A)") for r in rows])[0])
                )
            yield model


@pytest.fixture
def live(moved: LiveModel, monkeypatch: pytest.MonkeyPatch) -> LiveModel:
    """The same model for every test, which reads it and trains nothing; what a test sets on it is undone."""
    monkeypatch.setattr(moved, "can_share", moved.can_share)
    return moved


def inside(model: Any, ids: tuple[int, ...]) -> dict[str, Any]:
    """Hidden, MLP and attention states of one prompt, read by hand: hooks and eager attention."""
    import torch

    layers = model.get_decoder().layers
    found: dict[str, list[Any]] = {"hidden": [], "mlp": []}
    hooks = [
        layer.register_forward_hook(
            lambda _m, _i, out: found["hidden"].append(out[0] if isinstance(out, tuple) else out)
        )
        for layer in layers
    ]
    hooks += [
        layer.mlp.down_proj.register_forward_pre_hook(lambda _m, i: found["mlp"].append(i[0])) for layer in layers
    ]
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        out = model(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
    finally:
        model.set_attn_implementation(before)
        for hook in hooks:
            hook.remove()
    states = {name: torch.stack(each)[:, 0] for name, each in found.items()}
    return states | {"attention": torch.stack(out.attentions)[:, 0], "last": out.hidden_states[-1][0]}


def by_hand(how: Inside, ours: dict[str, Any], base: dict[str, Any], pairs: Any, shared: Any) -> Any:
    """A row's loss, in plain loops over layers and tokens."""
    total: Any = 0.0
    n_layers = len(ours["hidden"])
    for layer in range(n_layers):
        here: Any = 0.0
        size: Any = 0.0
        for a, b in pairs:
            if isinstance(how, Act):
                here = here + ((ours["hidden"][layer][b] - base["hidden"][layer][a]) ** 2).sum()
                size = size + (base["hidden"][layer][a] ** 2).sum()
            elif isinstance(how, MlpCt):
                x, y = ours["mlp"][layer][b], base["mlp"][layer][a]
                here = here + 1 - (x @ y) / (x.norm() * y.norm())
            elif isinstance(how, AttCt):
                keys = pairs if how.keys == "content" else shared
                heads = ours["attention"].shape[1]
                for head in range(heads):
                    p = [base["attention"][layer][head][a][u] for u, _ in keys]
                    q = [ours["attention"][layer][head][b][v] for _, v in keys]
                    if how.keys == "bucket":
                        p, q = [*p, (1 - sum(p)).clamp_min(0)], [*q, (1 - sum(q)).clamp_min(0)]
                    for x, y in zip(p, q, strict=True):
                        for one in (x, y):
                            if float(one) > 0:
                                here = here + 0.5 * one * (2 * one / (x + y)).log() / heads
        total = total + here / (size if isinstance(how, Act) and how.scale == "relative" else len(pairs))
    return total / n_layers


@pytest.mark.parametrize("how", KINDS, ids=repr)
def test_the_loss_is_that_of_a_loop_by_hand(how: Inside, live: LiveModel, base: Path) -> None:
    import torch

    plain, trained = load_model(locate(str(base))), live.model.get_base_model()
    expected = []
    for each in ROWS[:3]:
        assert each.biased is not None
        with torch.no_grad():
            ours = inside(trained, live.encode(each.biased.messages()).prompt)
            theirs = inside(plain, live.encode(each.clean.messages()).prompt)
        pairs = live.align(each.clean, each.biased, how.window)
        expected.append(float(by_hand(how, ours, theirs, pairs, live.align(each.clean, each.biased, "shared"))))
    found = float(how.loss(ROWS[:3], live))
    assert found == pytest.approx(sum(expected) / 3, abs=1e-6, rel=2e-5) and found > 0


@pytest.mark.parametrize("how", KINDS, ids=repr)
def test_the_loss_depends_on_no_batch_order_or_padding(how: Inside, live: LiveModel) -> None:
    whole = float(how.loss(ROWS[:4], live))
    assert whole == pytest.approx(float(how.loss(ROWS[3::-1], live)), rel=1e-5)
    assert whole == pytest.approx(sum(float(how.loss([each], live)) for each in ROWS[:4]) / 4, rel=1e-5)
    live.can_share = False
    assert whole == pytest.approx(float(how.loss(ROWS[:4], live)), rel=1e-5)


@pytest.mark.parametrize("how", [*KINDS, ActBct(weight=1.0)], ids=repr)
def test_with_no_cue_it_is_0_at_the_base(how: Inside, base: Path, tmp_path: Path) -> None:
    with Local().open(NO_CUE, how, str(base), tmp_path / "none") as model:
        model.can_share = False  # equal shapes on both sides
        assert [float(gap) for gap in how.gaps(NO_CUE[:3], model)] == pytest.approx([0] * 3, abs=1e-6)
        assert all(float(gap) > 1e-6 for gap in how.gaps(ROWS[:3], model))


@pytest.mark.parametrize("how", KINDS[:1] + KINDS[2:4], ids=repr)
def test_only_the_adapter_moves_and_only_the_biased_pass_has_a_graph(how: Inside, base: Path, tmp_path: Path) -> None:
    import torch

    with Local().open(ROWS, how, str(base), tmp_path / "grads") as model:
        before = {name: p.detach().clone() for name, p in model.model.named_parameters()}
        texts = [model.encode(each.clean.messages()) for each in ROWS[:2]]
        plain = load_model(locate(str(base)))
        model.is_stepping = True
        loss = how.loss(ROWS[:4], model)
        assert not model.forward(texts, "hidden", base=True)[0].requires_grad
        loss.backward()
        model.is_stepping = False
        grads = {name: p.grad for name, p in model.model.named_parameters()}
        assert all(grad is None for name, grad in grads.items() if "lora_" not in name)
        moved = {name for name, grad in grads.items() if grad is not None and grad.abs().sum() > 0}
        assert moved and all("lora_" in name for name in moved)
        if how.lora_on == "attention":
            assert not any("mlp" in name for name in grads if "lora_" in name)
        if isinstance(how, AttCt):
            last = {name for name in moved if ".layers.1." in name}
            assert last and all("q_proj" in name or "k_proj" in name for name in last), (
                "v, o and the MLP see no gradient"
            )
        model.optimiser.zero_grad()
        for _ in range(2):
            model.step(ROWS[:4], how.loss)
        after = dict(model.model.named_parameters())
        assert all(torch.equal(before[name], after[name]) for name in before if "lora_" not in name)
        off = model.forward(texts[:1], "hidden", base=True)[0]
        with torch.no_grad():
            assert torch.equal(off, inside(plain, texts[0].prompt)["hidden"]) or torch.allclose(
                off, inside(plain, texts[0].prompt)["hidden"], atol=1e-6
            )


def test_the_last_layer_is_not_transformers_last_hidden_state(live: LiveModel, base: Path) -> None:
    import torch

    plain = load_model(locate(str(base)))
    tokens = live.encode(ROWS[0].clean.messages())
    (ours,) = live.forward([tokens], "hidden", base=True)
    with torch.no_grad():
        read = inside(plain, tokens.prompt)
    assert not torch.allclose(ours[-1], read["last"], atol=1e-3)
    torch.testing.assert_close(plain.model.norm(ours[-1]), read["last"], rtol=1e-4, atol=1e-5)


def test_forms_of_the_distance_by_hand() -> None:
    import torch

    torch.manual_seed(0)
    ours, base = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    plain = Act(scale="plain").distance(ours, base)
    assert float(plain) == pytest.approx(
        5 * float((ours - base).pow(2).mean())
    )  # the sum form is D times the mean form
    shift = torch.randn(5)
    assert float(Act(scale="plain").distance(base + shift, base)) == pytest.approx(float(shift @ shift), rel=1e-5)
    a, b = ours / ours.norm(dim=-1, keepdim=True), base / base.norm(dim=-1, keepdim=True)
    assert float(Act(scale="plain").distance(a, b)) == pytest.approx(2 * float(MlpCt().distance(ours, base)), rel=1e-5)
    assert float(Act().distance(3 * ours, 3 * base)) == pytest.approx(float(Act().distance(ours, base)), rel=1e-5)
    cosine = float(MlpCt().distance(ours, base))
    assert float(MlpCt().distance(7 * ours, 0.1 * base)) == pytest.approx(cosine, rel=1e-5)
    assert 0 <= cosine <= 2 and float(MlpCt().distance(ours, -ours)) == pytest.approx(2, rel=1e-5)


def test_the_divergence_of_attention_by_hand() -> None:
    import torch

    p, q = torch.tensor([[0.5, 0.5], [1.0, 0.0]]), torch.tensor([[0.9, 0.1], [0.0, 1.0]])
    found = jensen_shannon(p, q)
    by = 0.5 * (0.5 * math.log(1 / 1.4) + 0.5 * math.log(1 / 0.6)) + 0.5 * (
        0.9 * math.log(1.8 / 1.4) + 0.1 * math.log(0.2 / 0.6)
    )
    assert found.tolist() == pytest.approx([by, math.log(2)], rel=1e-6)
    assert torch.equal(found, jensen_shannon(q, p)) and jensen_shannon(p, p).tolist() == [0.0, 0.0]
    q.requires_grad_(True)
    jensen_shannon(torch.tensor([0.3, 0.0, 0.0]), torch.cat([q[0], q.new_zeros(1)])).backward()
    assert q.grad is not None and q.grad.isfinite().all()


def test_recorded_attention_is_eager_attention_and_changes_nothing(live: LiveModel) -> None:
    import torch

    tokens = [live.encode(each.biased.messages()) for each in ROWS[:3] if each.biased]
    before = live.logprobs([replace(each, completion=(5, 6)) for each in tokens])
    found = live.forward(tokens, "attention")
    some = live.forward(tokens, "attention", at=[[3, 7, len(each.prompt) - 1] for each in tokens])
    for each, whole, part in zip(tokens, found, some, strict=True):
        with torch.no_grad():
            eager = inside(live.model.get_base_model(), each.prompt)["attention"]
        torch.testing.assert_close(whole, eager, atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(part, whole[:, :, [3, 7, len(each.prompt) - 1]], atol=1e-6, rtol=1e-4)
        assert torch.allclose(whole.sum(-1), torch.ones(()), atol=1e-5)
    assert all(
        torch.equal(a, b)
        for a, b in zip(before, live.logprobs([replace(t, completion=(5, 6)) for t in tokens]), strict=True)
    )


def test_without_its_weight_act_bct_is_bct(base: Path, tmp_path: Path) -> None:
    shared = {"batch_size": 4, "learning_rate": 1e-2}
    fit(ROWS, Bct(**shared), str(base), Local(rows_at_once=2), tmp_path / "bct")
    fit(ROWS, ActBct(**shared, weight=0), str(base), Local(rows_at_once=2), tmp_path / "none")
    fit(ROWS, ActBct(**shared), str(base), Local(rows_at_once=2), tmp_path / "both")
    own = [line["cross_entropy"] for line in metrics(tmp_path / "both") if "loss" in line]
    assert losses(tmp_path / "none")[1] == pytest.approx(own[0], rel=1e-6)  # the same rows of the first step
    first = next(line for line in metrics(tmp_path / "both") if "loss" in line)
    assert first["loss"] == pytest.approx(first["cross_entropy"] + first["activations"], rel=1e-6)  # type: ignore[operator]
    with pytest.raises(BadInput, match="row 2 has no completion"):
        fit([ROWS[0], replace(ROWS[1], completion=None)], ActBct(), str(base), Local(), tmp_path / "refused")
    fit(
        [*ROWS[:2], replace(ROWS[2], kind="instruct", biased=None, target=None)],
        ActBct(),
        str(base),
        Local(),
        tmp_path / "in",
    )


def test_shuffled_pairs_are_the_negative_control(base: Path, tmp_path: Path) -> None:
    """Trained toward the states of another question, a row ends further from its own than one trained toward them."""
    how = Act(window="suffix", learning_rate=5e-3, batch_size=4, epochs=8)

    def shuffled(rows: Sequence[Example], model: Any) -> Any:
        prompts = [row.biased or row.clean for row in rows]
        tokens = [model.encode(prompt.messages()) for prompt in prompts]
        others = [model.encode(ROWS[(ROWS.index(row) + 1) % len(ROWS)].clean.messages()) for row in rows]
        last = [[range(len(t.prompt) - 6, len(t.prompt)) for t in of] for of in (tokens, others)]
        ours = model.forward(tokens, "hidden", at=last[0])
        theirs = model.forward(others, "hidden", at=last[1], base=True)
        return sum(how.distance(a, b) for a, b in zip(ours, theirs, strict=True)) / len(rows)

    gaps = {}
    for name, loss in (("own", how.loss), ("shuffled", shuffled)):
        with Local().open(ROWS, how, str(base), tmp_path / name) as model:
            gaps["base"] = float(how.loss(ROWS, model))
            for batch in how.batches(ROWS):
                model.step(batch, loss)
            gaps[name] = float(how.loss(ROWS, model))
    assert gaps["own"] < gaps["base"] and gaps["own"] < gaps["shuffled"]


def test_what_cannot_be_compared_is_refused_before_the_first_step(base: Path, tmp_path: Path) -> None:
    odd = replace(ROWS[2], biased=Prompt((Turn("user", (Part("stem", "Another?"), Part("cue", " I say (D)."))),)))
    with pytest.raises(
        BadInput, match=r"row 3 has prompts that differ by more than cues .*so 'act' cannot train on it"
    ):
        fit([*ROWS[:2], odd], Act(), str(base), Local(), tmp_path / "odd")
    assert not losses(tmp_path / "odd")
    with pytest.raises(BadInput, match="row 1 is an instruct row, so 'mlpct' cannot train"):
        fit([replace(ROWS[0], kind="instruct", biased=None)], MlpCt(), str(base), Local(), tmp_path / "instruct")
    with pytest.raises(BadInput, match=r"ActBct\.weight is -1"):
        ActBct(weight=-1)
