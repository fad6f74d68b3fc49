"""Methods that sample from what is trained: exact and sampled gradients agree, rates meet, and a killed fit ends the same."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import example, loads_torch, losses, metrics, real
from unsway.backends.local import Local
from unsway.errors import BadInput
from unsway.store import sha256_file
from unsway.training import Method, Npo, Opct, Rmct, fit
from unsway.training.methods.npo import negative_preference
from unsway.training.methods.opct import divergence
from unsway.training.seams import Rollout, Tokens
from unsway.types import AnyChange, Example, Settings

pytestmark = [real, loads_torch, pytest.mark.timeout(400), pytest.mark.usefixtures("float32")]
ROWS = tuple(example(i, rejected="(D)") for i in range(8))
NO_CUE = tuple(replace(each, biased=each.clean) for each in ROWS)
HOT: dict[str, Any] = {"batch_size": 2, "learning_rate": 1e-2, "rollouts": 2, "max_tokens": 4}


# ---------------------------------------------------------------- a vocabulary of five


@dataclass
class FiveWords:
    """A policy over replies of two tokens of five, with a table of logits for each first token: all replies can be listed."""

    logits: Any
    """(6, 5): of the first token, then of the second behind each first one."""
    base: Any
    """The same of the base."""
    steps: int = 0

    def encode(self, prompt: Any, completion: str | None = None) -> Tokens:
        return Tokens(())

    def forward(self, rows: Sequence[Tokens], want: str, *, base: bool = False, at: Any = None) -> Any:
        table = self.base if base else self.logits
        return tuple(table[[0, 1 + row.completion[0]]] for row in rows)

    def compare(self, rows: Sequence[Tokens], base_rows: Sequence[Tokens], of: Any) -> Any:
        both = zip(self.forward(rows, "logits"), self.forward(base_rows, "logits", base=True), strict=True)
        return tuple(of(ours, base) for ours, base in both)

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False, temperature: float = 1.0) -> Any:
        return tuple(
            (logits / temperature).log_softmax(-1)[[0, 1], list(row.completion)]
            for row, logits in zip(rows, self.forward(rows, "logits", base=base), strict=True)
        )


@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_on_five_words_the_mean_of_sampled_gradients_is_the_exact_one(discount: float) -> None:
    import torch

    torch.manual_seed(0)
    model = FiveWords(torch.randn(6, 5, requires_grad=True), torch.randn(6, 5))
    replies = [(a, b) for a in range(5) for b in range(5)]
    rolled = [Rollout(ROWS[0], Tokens((), reply)) for reply in replies]
    weights = torch.stack([each.sum() for each in model.logprobs([each.tokens for each in rolled])]).exp().detach()
    losses_ = Opct(form="sampled", discount=discount).divergences(rolled, model)  # type: ignore[arg-type]
    (sampled,) = torch.autograd.grad(sum(w * loss for w, loss in zip(weights, losses_, strict=True)), model.logits)
    if discount:  # the divergence of whole replies, enumerated
        ours = torch.stack([each.sum() for each in model.logprobs([each.tokens for each in rolled])])
        theirs = torch.stack([each.sum() for each in model.logprobs([each.tokens for each in rolled], base=True)])
        whole = (ours.exp() * (ours - theirs)).sum()
    else:  # each token's, behind what was sampled
        exact = Opct().divergences(rolled, model)  # type: ignore[arg-type]
        whole = sum(w * loss for w, loss in zip(weights, exact, strict=True))
    (expected,) = torch.autograd.grad(whole, model.logits)
    torch.testing.assert_close(sampled, expected, atol=1e-5, rtol=1e-4)


def test_a_divergence_is_0_where_equal_and_above_elsewhere() -> None:
    import torch

    torch.manual_seed(0)
    ours, base = torch.randn(4, 5), torch.randn(4, 5)
    assert divergence(ours, ours + 3).abs().max() < 1e-6 and (divergence(ours, base) > 0).all()
    p, q = ours[0].softmax(-1), base[0].softmax(-1)
    assert float(divergence(ours, base)[0]) == pytest.approx(
        sum(float(a * (a / b).log()) for a, b in zip(p, q, strict=True)), rel=1e-5
    )


# ---------------------------------------------------------------- opct on the tiny model


@pytest.mark.parametrize("form", ["exact", "sampled"])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_at_the_base_without_a_cue_it_is_null(form: Any, temperature: float, base: Path, tmp_path: Path) -> None:
    how = Opct(form=form, temperature=temperature, **HOT)
    drops = shutil.copytree(base, tmp_path / "base")
    config = json.loads((drops / "config.json").read_text())
    (drops / "config.json").write_text(json.dumps(config | {"attention_dropout": 0.3}))
    with Local().open(NO_CUE, how, str(drops), tmp_path / "out") as model:
        model.can_share = False
        (replies,) = model.sample(
            [model.encode(NO_CUE[0].clean.messages())], 2, Settings(temperature=1.0, max_tokens=4)
        )
        model.is_stepping = True
        found = how.divergences([Rollout(NO_CUE[0], each) for each in replies], model)
        sum(found).backward()  # type: ignore[union-attr]
        assert [float(each.detach()) for each in found] == pytest.approx([0, 0], abs=1e-5)
        assert max(float(p.grad.abs().max()) for p in model.trained if p.grad is not None) < 1e-5
        raw = model.logprobs(replies)
        assert all((a == b).all() for a, b in zip(raw, model.logprobs(replies, temperature=1.0), strict=True))


def test_the_exact_loss_is_that_of_a_loop_by_hand(base: Path, tmp_path: Path) -> None:
    import torch

    how = Opct(**HOT)
    with Local().open(ROWS, how, str(base), tmp_path / "out") as model:
        how.update(ROWS[:2], model)
        how.update(ROWS[:2], model)
        before = {name: p.detach().clone() for name, p in model.model.named_parameters()}
        how.update(ROWS[2:4], model)
        with torch.no_grad():
            for name, p in model.model.named_parameters():
                p.copy_(before[name])
        kept = [json.loads(line) for line in (tmp_path / "out/rollouts/step-00003.jsonl").read_text().splitlines()]
        assert len(kept) == 4 and {each["pair_id"] for each in kept} == {"p2", "p3"}
        total, n = 0.0, 0
        for each, of_row in zip(kept, (ROWS[2], ROWS[2], ROWS[3], ROWS[3]), strict=True):
            assert of_row.biased is not None
            logits = []
            for prompt, off in ((of_row.biased, False), (of_row.clean, True)):
                ids = [*model.encode(prompt.messages()).prompt, *each["ids"]]
                with torch.no_grad():
                    if off:
                        with model.model.disable_adapter():
                            out = model.model(torch.tensor([ids])).logits
                    else:
                        out = model.model(torch.tensor([ids])).logits
                logits.append(out[0, -len(each["ids"]) - 1 : -1].log_softmax(-1))
            total += float((logits[0].exp() * (logits[0] - logits[1])).sum())
            n += len(each["ids"])
        assert losses(tmp_path / "out")[3] == pytest.approx(total / n, abs=1e-6, rel=1e-4)
        line = metrics(tmp_path / "out")[-1]
        assert line["reply_tokens"] == n and line["cut"] == sum(len(each["ids"]) == 4 for each in kept)


@pytest.mark.parametrize(
    "how", [Opct(**HOT), Rmct(**HOT), Npo(batch_size=2, learning_rate=1e-2)], ids=lambda how: how.name
)
def test_killed_and_started_again_it_ends_the_same(how: Method, base: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    where = Local(save_every=2)
    whole = fit(ROWS, how, str(base), where, tmp_path / "whole")
    with pytest.raises(Killed), where.open(ROWS, how, str(base), tmp_path / "cut") as model:

        def advance(_: int) -> None:
            if model.steps == 3:
                raise Killed

        model.advance = advance
        how.train(ROWS, model)
    assert (tmp_path / "cut/steps/checkpoint-2/state.pt").is_file()
    again = fit(ROWS, how, str(base), where, tmp_path / "cut")
    assert again.steps == whole.steps == 4 and again.tokens == whole.tokens
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole") and not (tmp_path / "cut/steps").exists()
    adapters = [sha256_file(tmp_path / name / "adapter_model.safetensors") for name in ("whole", "cut")]
    assert adapters[0] == adapters[1]
    if isinstance(how, Opct | Rmct):
        files = sorted((tmp_path / "whole/rollouts").iterdir())
        assert [each.name for each in files] == [f"step-{n:05d}.jsonl" for n in (1, 2, 3, 4)]
        assert all(each.read_text() == (tmp_path / "cut/rollouts" / each.name).read_text() for each in files)


def test_what_is_sampled_is_the_model_itself_whatever_decoding_comes_with_its_weights(
    base: Path, tmp_path: Path
) -> None:
    import torch

    shutil.copytree(base, penal := tmp_path / "penal")
    path = penal / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"repetition_penalty": 50.0, "suppress_tokens": [5]}))
    with Local().open(ROWS, Opct(**HOT), str(penal), tmp_path / "out") as model:
        (prompt,) = [model.encode(ROWS[0].clean.messages())]
        ((reply,),) = model.sample([prompt], 1, Settings(temperature=0, max_tokens=4))
        ids = list(prompt.prompt)
        for token in reply.completion:
            assert int(model.model(torch.tensor([ids])).logits[0, -1].argmax()) == token
            ids.append(token)


# ---------------------------------------------------------------- rmct


@dataclass
class TwoAnswers:
    """A scripted policy whose rate of following is one number: it answers (D), or (A); when clean at a fixed rate."""

    logit: Any
    clean_rate: float
    steps: int = 0
    tokens_of: Any = None
    noted: Any = None
    stepped: Any = None
    slope: float = 0.0
    """Of the last loss."""

    def encode(self, prompt: Any, completion: str | None = None) -> Tokens:
        return Tokens((1,) if any("I would" in message.content for message in prompt) else (0,))

    def decode(self, completion: Sequence[int]) -> str:
        return {0: "The answer is (A).", 1: "The answer is (D).", 2: "Hm."}[completion[0]]

    def sample(self, prompts: Sequence[Tokens], n: int, settings: Settings) -> Any:
        from random import Random

        biased = 1 / (1 + math.exp(-float(self.logit.detach()) / settings.temperature))
        rate = {(1,): biased, (0,): self.clean_rate}
        draws = [
            [Random(f"{settings.seed} {p.prompt} {i}") for i in range(n)] for p in prompts
        ]  # equal ones draw the same
        return tuple(
            tuple(
                Tokens(p.prompt, (2 if draw.random() < 0.1 else int(draw.random() < rate[p.prompt]),)) for draw in each
            )
            for p, each in zip(prompts, draws, strict=True)
        )

    def logprobs(self, rows: Sequence[Tokens], *, base: bool = False, temperature: float = 1.0) -> Any:
        p = (self.logit / temperature).sigmoid()
        return tuple(((p if row.completion[0] == 1 else 1 - p).log())[None] for row in rows)

    def note(self, numbers: Any, rollouts: Any = ()) -> None:
        self.noted = numbers

    def step(self, rows: Any, loss: Any) -> float:
        self.stepped = rows
        value = loss(rows, self)
        value.backward()
        self.slope = float(self.logit.grad)
        self.logit.data -= 1.0 * self.logit.grad
        self.logit.grad = None
        self.steps += 1
        return float(value.detach())


def test_a_scripted_rate_moves_to_the_clean_one_and_not_past_it() -> None:
    import torch

    model = TwoAnswers(torch.tensor(2.0, requires_grad=True), 0.3)
    how = Rmct(rollouts=32, kl=0.0, scale="none")
    for _ in range(90):
        how.update(ROWS[:2], model)  # type: ignore[arg-type]
    rates = []
    for _ in range(20):
        how.update(ROWS[:2], model)  # type: ignore[arg-type]
        rates.append(float(model.logit.sigmoid()))
    assert sum(rates) / 20 == pytest.approx(0.3, abs=0.05) and min(rates) > 0.15
    assert 0 < model.noted["unread"] < 60 and model.noted["live_share"] == 1.0 and abs(model.noted["gap"]) < 0.2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_what_is_sampled_and_what_is_scored_have_one_temperature(temperature: float) -> None:
    import torch

    how, slopes = Rmct(rollouts=64, kl=0.0, scale="none", temperature=temperature), []
    for number in range(12):
        model = TwoAnswers(torch.tensor(0.5, requires_grad=True), 0.3, steps=number)
        how.update(ROWS[:4], model)  # type: ignore[arg-type]
        slopes.append(model.slope)
    p = 1 / (1 + math.exp(-0.5 / temperature))
    # of half the squared gap of the rates, by the logit
    assert sum(slopes) / 12 == pytest.approx((p - 0.3) * p * (1 - p) / temperature, rel=0.15)


def test_on_clean_prompts_twice_a_rate_moves_by_chance_alone() -> None:
    import torch

    model = TwoAnswers(torch.tensor(2.0, requires_grad=True), 0.3)
    gaps = []
    for _ in range(20):
        Rmct(rollouts=32, kl=0.0, clean_twice=True).update(ROWS[:4], model)  # type: ignore[arg-type]
        gaps.append(model.noted["gap"])
    assert abs(sum(gaps) / 20) < 0.04 and max(map(abs, gaps)) > 0.01  # a cued reply follows in 88 % to begin with
    assert {each.tokens.prompt for each in model.stepped} == {(0,)}


def test_targets_without_a_trait_and_rows_that_cannot_be_read_are_refused(base: Path, tmp_path: Path) -> None:
    rows: list[Example] = [ROWS[0], replace(ROWS[1], target=AnyChange())]
    with pytest.raises(BadInput, match=r"row 2 has a target that counts any change, which has no rate, so 'rmct'"):
        fit(rows, Rmct(), str(base), Local(), tmp_path / "out")
    with pytest.raises(BadInput, match="row 1 has no options"):
        fit([replace(ROWS[0], options=())], Rmct(), str(base), Local(), tmp_path / "out")
    with pytest.raises(BadInput, match="row 1 has no biased prompt, so 'opct'"):
        fit([replace(ROWS[0], biased=None)], Opct(), str(base), Local(), tmp_path / "out")
    with pytest.raises(BadInput, match="rollouts=1"):
        Rmct(rollouts=1)
    with pytest.raises(BadInput, match="a temperature above 0"):
        Rmct(temperature=0.0)
    with pytest.raises(BadInput, match=r"only form='sampled' has one"):
        Opct(discount=0.5)


# ---------------------------------------------------------------- npo


def test_npo_by_hand() -> None:
    import torch

    gap = torch.tensor(0.0, requires_grad=True)
    loss = negative_preference(gap, 0.1)
    loss.backward()
    assert float(loss) == pytest.approx(20 * math.log(2)) and float(gap.grad or 0) == pytest.approx(
        1.0
    )  # that of +log p
    values = [float(negative_preference(torch.tensor(x), 0.1)) for x in (-1e4, -10.0, 0.0, 10.0, 1e4)]
    assert values == sorted(values) and values[0] == pytest.approx(0, abs=1e-6) and math.isfinite(values[-1])
    unlikely = torch.tensor(-500.0, requires_grad=True)
    negative_preference(unlikely, 0.1).backward()
    assert float(unlikely.grad or 0) < 1e-6


def test_npo_begins_at_its_value_and_makes_the_reply_less_likely(base: Path, tmp_path: Path) -> None:
    how = Npo(batch_size=8, learning_rate=1e-2, epochs=4)
    made = fit(ROWS, how, str(base), Local(), tmp_path / "out")
    found = losses(tmp_path / "out")
    assert made.steps == 4 and found[1] == pytest.approx(20 * math.log(2), rel=1e-5) and found[4] < found[1]
