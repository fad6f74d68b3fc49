"""Compute numbers from the logits of many tokens without keeping the logits.

In: last hidden states, the output layer, and a function of logits. Out: one number per token, with its gradient.
A distribution over 49,152 tokens takes 0.2 MB in float32, and a loss keeps several per token until the backward pass. Here
the gradient of each number is computed immediately, and only that of the hidden state is kept, 2 kB per token.
Letters: N tokens, n tokens of a chunk, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unsway.training.seams import Tensor

LOGITS_AT_ONCE = {"cpu": 2**22, "cuda": 2**27}
"""Maximum logits in a chunk: 16 MB in float32 on a CPU, which a core's cache nearly holds; 0.5 GB on a GPU. Ours."""


def by_chunk(hidden_ND: Tensor, head: Any, score: Callable[[Tensor, slice], Tensor]) -> Tensor:
    """Apply a function to the logits of each token; returns (N,).

    Args:
        hidden_ND: Last hidden states.
        head: Computes their logits in float32; see `heads.py`.
        score: From the logits of some tokens, (n, V) in float32, and their places among all, to (n,): each number from the
            logits of its own token alone.
    """
    import torch

    vocabulary = head.weight.shape[0]
    n = max(1, LOGITS_AT_ONCE[hidden_ND.device.type] // vocabulary)
    chunks = [slice(start, start + n) for start in range(0, max(1, len(hidden_ND)), n)]

    def score_states(states_nD: Tensor, chunk: slice) -> Tensor:
        return score(head(states_nD), chunk)

    if head.weight.requires_grad or not hidden_ND.requires_grad:  # an output layer that is trained has its own gradient
        return torch.cat([score_states(hidden_ND[chunk], chunk) for chunk in chunks])
    values, gradients = [], []
    for chunk in chunks:
        states_nD = hidden_ND[chunk].detach().requires_grad_()
        value_n = score_states(states_nD, chunk)
        gradients.append(torch.autograd.grad(value_n.sum(), states_nD)[0])
        values.append(value_n.detach())
    along_N = (hidden_ND * torch.cat(gradients)).float().sum(-1)
    return torch.cat(values) + (along_N - along_N.detach())  # adds 0 to the value, but attaches the gradient
