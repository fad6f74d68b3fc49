"""Memory of a fit: how many rows it holds at once."""

from __future__ import annotations

from unsway.models.weights import Weights, load_config

ROWS_ON_CPU = 4
"""Rows of one forward pass on a CPU; more cost memory and gain no speed (`benchmarks/training.py --sides ours,eight,two`)."""
SHARE_OF_FREE = 0.5
"""Share of the GPU memory available after the weights that estimated activations may use. Ours: half, because the estimate
is rough."""


def rows_that_fit(weights: Weights, longest: int, *, all_weights: bool) -> int:
    """Rows of one forward pass, each of at most `longest` tokens; on a GPU, an estimate of what fits into its memory.

    A layer keeps for the backward pass about 20 bytes a token for each unit of its width and 8 for each unit of its MLP's:
    57 kB in the shape of Qwen2.5 0.5B and 197 kB in that of Llama 3.1 8B, where 60 and 208 were measured (LoRA, bfloat16).
    """
    import torch

    if not torch.cuda.is_available():
        return ROWS_ON_CPU
    config = load_config(weights)
    mlp_width = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    bytes_of_a_token = config.num_hidden_layers * (20 * config.hidden_size + 8 * mlp_width)
    bytes_of_weights = sum(path.stat().st_size for path in weights.folder.glob("*.safetensors"))
    # float32 weights, gradients and the optimiser's two moments are 8 times bfloat16 weights
    cached = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # cached by the allocator from earlier work
    free = torch.cuda.mem_get_info()[0] + cached - bytes_of_weights * (8 if all_weights else 1)
    return max(1, int(SHARE_OF_FREE * free / (bytes_of_a_token * longest)))
