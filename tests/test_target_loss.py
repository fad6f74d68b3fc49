"""Rows that begin alike are run over their beginning once, and nothing of the loss or its gradients changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import loads_torch, real, tiny_model
from unsway.errors import BadInput

torch = pytest.importorskip("torch")
pytestmark = [real, loads_torch]

IDS = [[7, 8, 9, 11, 12, 13, 14], [7, 8, 9, 21, 22, 2, 2], [7, 8, 9, 31, 32, 33, 2]]
LABELS = [[-100] * 5 + [13, 14], [-100] * 4 + [22, -100, -100], [-100] * 4 + [32, 33, -100]]
SHAPE: dict[str, int] = {"vocab_size": 32, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
SHAPE |= {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 4}


def test_the_start_ends_where_rows_differ_or_a_target_is_predicted() -> None:
    from unsway.backends.local.target_loss import shared_start

    ids, labels = torch.tensor(IDS), torch.tensor(LABELS)
    assert shared_start(ids, labels) == 3
    same = ids[:1].repeat(3, 1)
    early = torch.tensor([[-100, -100, 9, 11, 12, 13, 14]] * 3)
    assert shared_start(same, early) == 1  # position 1 predicts the target at 2
    assert shared_start(ids[:1], labels[:1]) == 0
    assert shared_start(torch.tensor([[7, 8], [9, 8]]), torch.tensor([[-100, 8], [-100, 8]])) == 0


def test_losses_and_gradients_are_those_of_whole_rows(tmp_path: Path) -> None:
    from torch.nn.functional import cross_entropy
    from transformers import LlamaForCausalLM

    from unsway.backends.local.target_loss import IGNORED, _hidden

    model = LlamaForCausalLM.from_pretrained(tiny_model(tmp_path))
    ids, labels = torch.tensor(IDS), torch.tensor(LABELS)
    inputs = {"input_ids": ids, "attention_mask": (ids != 2).long()}
    found = []
    for start in (0, 3):
        model.zero_grad()
        hidden, _ = _hidden(model, model, inputs, start)
        rest = labels[:, start + 1 :]
        assert hidden.shape[:2] == (3, 7 - start)
        loss = cross_entropy(model.lm_head(hidden[:, :-1][rest != IGNORED]), rest[rest != IGNORED])
        loss.backward()
        found.append((loss, {name: p.grad.clone() for name, p in model.named_parameters()}))
    (whole, grads), (shared, others) = found
    torch.testing.assert_close(shared, whole)
    assert sum(bool(grad.abs().sum() > 0) for grad in grads.values()) > 10
    for name, grad in grads.items():
        torch.testing.assert_close(others[name], grad, msg=name, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "own"),
    [
        ("Llama", {}),
        ("Granite", {"logits_scaling": 8.0}),
        ("Cohere", {"logit_scale": 0.1}),
        ("Gemma2", {"final_logit_softcapping": 0.01}),
    ],
)
def test_logits_are_those_of_the_models_own_forward_pass(family: str, own: dict[str, float]) -> None:
    """Bare logits of the output layer are those of another model where its forward pass scales or bends them."""
    import transformers

    from unsway.backends.local.heads import head_of

    config = getattr(transformers, f"{family}Config")(**SHAPE, **own)
    model = getattr(transformers, f"{family}ForCausalLM")(config).eval()
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    head, outputs = head_of(model), model(ids, output_hidden_states=True)
    assert head is not None
    torch.testing.assert_close(head(outputs.hidden_states[-1]), outputs.logits)


def test_logits_that_a_family_makes_in_an_unknown_way_are_found_out() -> None:
    from transformers import CohereConfig, CohereForCausalLM

    from unsway.backends.local.heads import check_head, head_of

    model = CohereForCausalLM(CohereConfig(**SHAPE, logit_scale=0.1))
    model.config.logit_scale = 0.3  # Cohere's layer keeps the one that it was made with
    assert head_of(model) is None
    with pytest.raises(BadInput, match="'cohere' does something to its logits"):
        check_head(model, "cohere")
