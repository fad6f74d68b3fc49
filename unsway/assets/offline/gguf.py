"""Turns a quantised GGUF file of a Llama-architecture model once into a folder of float32 weights for transformers.

In: the GGUF file. Out: `model.safetensors`, `config.json`, the tokenizer with its chat template.
float32, because the dequantised values (a 4-bit number times a float16 step plus a float16 offset) are not exact in
bfloat16; this way the loaded weights are exactly the GGUF's. Takes a few seconds and 2 GB of memory.

transformers reads such files too, with identical results. But it goes through the file's 100,000 tokens and merges three
times (tokenizer, config, weights), one value at a time, which is 22 of its 27 s.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.errors import ModelError
from unsway.extras import check_installed, requires
from unsway.progress import Track

if TYPE_CHECKING:
    from gguf import GGUFReader
    from numpy.typing import NDArray
    from transformers import LlamaForCausalLM

WHAT = "Turning the embedded model's GGUF file into weights"
CONFIG = {
    "general.name": "_model_name_or_path",
    "llama.vocab_size": "vocab_size",
    "llama.block_count": "num_hidden_layers",
    "llama.context_length": "max_position_embeddings",
    "llama.embedding_length": "hidden_size",
    "llama.feed_forward_length": "intermediate_size",
    "llama.attention.head_count": "num_attention_heads",
    "llama.attention.head_count_kv": "num_key_value_heads",
    "llama.attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "llama.rope.dimension_count": "head_dim",
}
"""Keys of the GGUF file, and the matching names in the transformers config."""
SPECIAL = {"bos": "bos", "eos": "eos", "unknown": "unk", "padding": "pad"}
"""Names of special tokens in the GGUF file, and the matching names in the transformers config."""
ROPE_THETA = "llama.rope.freq_base"


def require_libraries() -> None:
    """Raise `MissingExtra` unless torch, transformers and gguf are installed."""
    check_installed("local,offline", WHAT, "gguf", "torch", "transformers")


def dequantise(path: Path, out: Path, track: Track) -> dict[str, object]:
    """Write the transformers folder of a GGUF file into `out`; returns the entries for the manifest.

    Raises:
        MissingExtra: A library is not installed.
        ModelError: The tokenizer or the chat template does not reproduce its input, or the model is not a plain Llama.
    """
    with requires("local,offline", WHAT):
        from gguf import GGUFReader

    size = path.stat().st_size
    with track(f"Dequantising {path.name} (some seconds, once)", size) as advance, _quiet():
        reader = GGUFReader(path)
        tokenizer, model = _tokenizer(path, reader), _model(reader)
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
        (out / "model.safetensors").chmod(0o644)
        advance(size)
    return {"gguf": path.name, "dtype": "float32", "parameters": sum(p.numel() for p in model.parameters())}


def _model(reader: GGUFReader) -> LlamaForCausalLM:
    """The model, in float32.

    Raises:
        ModelError: The file has fields or tensors that a plain Llama model does not have.
    """
    with requires("local,offline", WHAT):
        import torch
        from gguf import MODEL_ARCH, dequantize, get_tensor_name_map
        from transformers import LlamaConfig, LlamaForCausalLM

    tensors = {tensor.name: tensor for tensor in reader.tensors}
    ids = {f"tokenizer.ggml.{key}_token_id": f"{name}_token_id" for key, name in SPECIAL.items()}
    config = LlamaConfig(
        **{name: reader.fields[key].contents() for key, name in (CONFIG | ids).items()},
        rope_parameters={"rope_type": "default", "rope_theta": reader.fields[ROPE_THETA].contents()},
        tie_word_embeddings="output.weight" not in tensors,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    state = {}
    unknown = set(tensors) | {key for key in reader.fields if key.startswith("llama.")}
    unknown -= {*CONFIG, ROPE_THETA}
    for name in model.state_dict():
        weight_name = "model.embed_tokens.weight" if name == "lm_head.weight" and config.tie_word_embeddings else name
        tensor = tensors[names.get_name(weight_name, try_suffixes=(".weight",))]
        unknown.discard(tensor.name)
        array = dequantize(tensor.data, tensor.tensor_type)
        state[name] = torch.tensor(rotary_rows(name, array, heads, in_file=False))
    if unknown:
        raise ModelError(f"The GGUF file holds entries that a plain Llama model lacks: {', '.join(sorted(unknown))}.")
    model.load_state_dict(state, assign=True)
    model.tie_weights()
    return model


def rotary_rows(name: str, array: NDArray[Any], heads: Mapping[str, int], *, in_file: bool) -> NDArray[Any]:
    """The rows of a tensor, converted between a GGUF file's order and the model's. Only the q and k weights differ.

    Args:
        name: The tensor's name in the model.
        array: Its values; for q and k of shape (heads x dim, in).
        heads: The number of heads of q and of k, by a part of the tensor's name.
        in_file: Whether each head's halves are interleaved, as a file has them, or follow one another.
    """
    n = next((n for key, n in heads.items() if key in name), None)
    if n is None:
        return array
    half = array.shape[0] // n // 2
    halves = array.reshape(n, *((2, half) if in_file else (half, 2)), *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)


def _tokenizer(path: Path, reader: GGUFReader) -> Any:
    """The tokenizer of a GGUF file, checked.

    transformers does not read `tokenizer.ggml.pre`, which is `smollm` for this model: each digit is separated before the text
    is split into words (as in the model's published tokenizer). Without it, white space before a digit is split differently
    from what the model learned.
    """
    with requires("local,offline", WHAT):
        from tokenizers import pre_tokenizers
        from transformers import PreTrainedTokenizerFast

    # AutoTokenizer would read the whole file to find the class name, and end with this class
    tokenizer = PreTrainedTokenizerFast.from_pretrained(path.parent, gguf_file=path.name)  # nosec B615  # a checked file
    if reader.fields["tokenizer.ggml.pre"].contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    question = "What is 2 + 2,\n\n40 and  7?"
    chat = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    if question not in text or tokenizer.decode(tokenizer(text).input_ids) != text:
        raise ModelError(f"{path.name}: its tokenizer or chat template does not reproduce the text that it gets.")
    return tokenizer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the libraries' own progress bars. What they printed is added to an error as a note."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stderr(output):
            yield
    except Exception as error:
        error.add_note(output.getvalue()[-2000:])
        raise
