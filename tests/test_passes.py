"""What rows share goes through a model in training once, and changes no number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.tiny import example, loads_torch, real, tiny_model
from unsway.backends.local import Local
from unsway.backends.local.chunks import LOGITS_AT_ONCE
from unsway.backends.local.live import LiveModel
from unsway.backends.local.passes import lines, parts
from unsway.models.beginnings import KEPT
from unsway.training import Opct
from unsway.training.methods.opct import divergence
from unsway.training.seams import Rollout, Tokens
from unsway.types import Example, Prompt, Settings, Turn

pytestmark = [real, loads_torch, pytest.mark.timeout(300)]
LONG = "Read the question, think about every tree that stands in it, and then say one letter and nothing else. " * 2


def row(i: int) -> Example:
    """A question behind the instructions that all of them begin with."""
    one = example(i, f"{LONG}Which tree {'really ' * (i % 3)}is it")
    (turn,) = one.clean.turns
    stem, cue = turn.parts[0], replace(turn.parts[0], kind="cue", text=" I would say (D).")  # type: ignore[index]
    return replace(one, biased=Prompt((Turn("user", (stem, cue)),)))


ROWS = tuple(row(i) for i in range(6))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveModel]:
    """A live model in float32 that a step has moved away from its base."""
    base = tiny_model(tmp_path_factory.mktemp("base"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unsway.backends.local.live.training_dtype", lambda: "float32")
        how = Opct(batch_size=6, learning_rate=5e-2, rollouts=2, max_tokens=4, warmup=1e-9, epochs=2)
        with Local().open(ROWS, how, str(base), tmp_path_factory.mktemp("out")) as live:
            how.update(ROWS, live)
            yield live


def rolled(prompt: int, reply: int) -> Rollout:
    return Rollout(ROWS[prompt], Tokens(tuple(range(prompt + 20)), tuple(range(reply))))


def test_rows_share_a_pass_while_that_spares_tokens_and_replies_stay_with_their_prompt() -> None:
    def alone(n: int, start: int = 0) -> Tokens:
        return Tokens(tuple(range(start, start + n)))

    laid = [alone(n, 100 * n) for n in (30, 10, 40, 10, 50)]  # nothing is shared
    assert [[len(each.prompt) for each in part] for part in parts(laid, 2, lambda row: row)] == [[10, 10, 30], [40, 50]]
    shown = [Tokens((*range(300), *range(1000 * i, 1000 * i + 50 + i))) for i in range(1, 9)]
    mixed = [shown[0], alone(60, 7), *shown[1:]]  # one without what the others begin with
    assert [len(part) for part in parts(mixed, 4, lambda row: row)] == [1, 8]
    assert [len(part) for part in parts(mixed, 1, lambda row: row)] == [1, 1, 1, 1, 1, 1, 1, 1, 1]
    replies = [rolled(i, n) for i in (1, 0) for n in (2, 5, 3)]
    (both,) = parts(replies, 4, lambda each: each.tokens)
    assert both == replies[3:] + replies[:3]
    laid_out = lines([each.tokens for each in replies])
    assert [(line.rows, len(line.ids)) for line in laid_out] == [((3, 4, 5), 27), ((0, 1, 2), 28)]
    assert laid_out[0].predicting == ((19, 20), (19, 21, 22, 23, 24), (19, 25, 26))
    assert laid_out[0].positions[19:] == (19, 20, 20, 21, 22, 23, 20, 21)
    assert [line.rows for line in lines([each.tokens for each in replies], 7)] == [(3, 4), (5,), (0, 1), (2,)]


@pytest.mark.parametrize("base", [False, True])
def test_a_beginning_that_is_gone_over_once_changes_no_state(base: bool, model: LiveModel) -> None:
    import torch

    tokens = [model.encode(each.clean.messages()) for each in ROWS]
    at = [[len(each.prompt) - 2, len(each.prompt) - 1] for each in tokens]
    found = [model.forward(tokens[i : i + 3], "hidden", at=at[i : i + 3], base=base) for i in (0, 3, 2)]
    (one,) = model.forward(tokens[:1], "hidden", at=at[:1], base=base)
    model.can_share = False
    whole = model.forward(tokens, "hidden", at=at, base=base)
    model.can_share = True
    for ours, theirs in zip((*found[0], *found[1], found[2][0], one), (*whole, whole[2], whole[0]), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert 0 < len(model.beginnings.kept) <= KEPT and len(model.beginnings.kept[-1][0]) > len(LONG.split())


@pytest.mark.parametrize("base", [False, True])
def test_replies_to_several_prompts_are_scored_as_each_alone(base: bool, model: LiveModel) -> None:
    import torch

    rows = [
        replace(model.encode(ROWS[i].clean.messages()), completion=reply)
        for i, reply in ((0, (5, 6, 7)), (0, (8,)), (2, (9, 10)), (1, (11,)), (1, (5, 6)))
    ]
    before = model.tokens
    together = model.logprobs(rows, base=base)
    assert model.tokens == before  # outside a step
    for ours, alone in zip(together, rows, strict=True):
        torch.testing.assert_close(ours, model.logprobs([alone], base=base)[0], atol=1e-5, rtol=1e-4)


def test_the_gradient_of_a_group_is_that_of_its_replies_alone(model: LiveModel) -> None:
    import torch

    rows = [
        replace(model.encode(ROWS[i].clean.messages()), completion=reply)
        for i, reply in ((0, (5, 6, 7)), (0, (8,)), (2, (9, 10)))
    ]

    def gradient(groups: list[list[Tokens]]) -> list[Any]:
        model.is_stepping = True
        total: Any = sum(each.sum() for group in groups for each in model.logprobs(group))
        model.is_stepping = False
        found = torch.autograd.grad(total, model.trained)
        return list(found)

    for ours, theirs in zip(gradient([rows]), gradient([[each] for each in rows]), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_a_loss_that_keeps_no_logits_is_that_of_whole_logits(model: LiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setitem(LOGITS_AT_ONCE, "cpu", 2 * model.form.weights.tokenizer.vocab_size + 1)
    sides = ([each.biased or each.clean for each in ROWS[:2]], [each.clean for each in ROWS[:2]])
    ours, base = (
        [
            replace(model.encode(of[i].messages()), completion=reply)
            for i, reply in ((0, (5, 6, 7)), (1, (9,)), (0, (8,)))
        ]
        for of in sides
    )
    model.is_stepping = True
    chunked = model.compare(ours, base, divergence)
    both = zip(model.forward(ours, "logits"), model.forward(base, "logits", base=True), strict=True)
    whole = [divergence(*each) for each in both]
    model.is_stepping = False
    for each, other in zip(chunked, whole, strict=True):
        torch.testing.assert_close(each, other, atol=1e-6, rtol=1e-4)
    weights = (1.0, -2.0, 0.5)  # numbers of a loss have signs and weights
    sums = [sum(w * each.sum() for w, each in zip(weights, found, strict=True)) for found in (chunked, whole)]
    gradients = [torch.autograd.grad(each, model.trained) for each in sums]
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-3)
    assert max(float(each.abs().max()) for each in gradients[1]) > 1e-4


@pytest.mark.parametrize("share", [True, False])
def test_sampled_replies_depend_on_their_seeds_alone(share: bool, model: LiveModel) -> None:
    prompts = [model.encode(each.clean.messages()) for each in (*ROWS[:2], example(9), ROWS[2])]  # one begins otherwise
    how = Settings(temperature=1.0, max_tokens=6, seed=3)
    model.can_share = share
    together = model.sample(prompts, 5, how)
    alone = [model.sample([prompt], 5, how)[0] for prompt in prompts]
    model.can_share = True
    assert together == tuple(alone)
    replies = [reply for of_prompt in together for reply in of_prompt]
    assert len(set(replies)) > 10 and all(len(reply.completion) == 6 or reply.ended for reply in replies)
    greedy = model.sample(prompts, 1, Settings(temperature=0, max_tokens=3))
    for prompt, (reply,) in zip(prompts, greedy, strict=True):
        (logits,) = model.forward([replace(prompt, completion=reply.completion)], "logits")
        assert tuple(logits.argmax(dim=-1).tolist()) == reply.completion
