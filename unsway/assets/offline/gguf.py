"""A quantised GGUF file, turned once into a folder of float32 weights that transformers loads like any other.

In: the GGUF file. Out: `model.safetensors`, `config.json`, the tokenizer with its chat template.
float32, because the dequantised values (a 4-bit number times a float16 step plus a float16 offset) are not exact in
bfloat16: what is loaded is exactly what the GGUF says. Takes about 30 s on two cores and 2 GB of memory.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unsway.errors import ModelError
from unsway.extras import check_installed, requires
from unsway.progress import Track

WHAT = "Turning the embedded model's GGUF file into weights"


def require_libraries() -> None:
    """Raise `MissingExtra` unless torch, transformers and gguf are installed."""
    check_installed("local,offline", WHAT, "gguf", "torch", "transformers")


def dequantise(path: Path, out: Path, track: Track) -> dict[str, object]:
    """Write the transformers folder of a GGUF file into `out`; returns what its manifest says of it.

    Raises:
        MissingExtra: A library is not installed.
        ModelError: The tokenizer or the chat template does not give back the text that it is given.
    """
    with requires("local,offline", WHAT):
        import torch
        from transformers import AutoModelForCausalLM

    size = path.stat().st_size
    with track(f"Dequantising {path.name} (about 30 s, once)", size) as advance, _quiet():
        tokenizer = _tokenizer(path)
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)  # nosec B615
        del model.config.quantization_config  # the weights are plain numbers now; saving is refused while it is there
        model.hf_quantizer = None
        model.is_quantized = False
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
        (out / "model.safetensors").chmod(0o644)
        advance(size)
    return {"gguf": path.name, "dtype": "float32", "parameters": sum(p.numel() for p in model.parameters())}


def _tokenizer(path: Path) -> Any:
    """The tokenizer of a GGUF file, checked.

    transformers does not read `tokenizer.ggml.pre`, which for this model says `smollm`: each digit stands alone before
    the text is cut into words (as in the published tokenizer of the model). Without it, white space before a digit is
    cut in another way than the model learned.
    """
    with requires("local,offline", WHAT):
        from gguf import GGUFReader
        from tokenizers import pre_tokenizers
        from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)  # nosec B615  # a checked file
    if GGUFReader(path).fields["tokenizer.ggml.pre"].contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    question = "What is 2 + 2,\n\n40 and  7?"
    chat = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    if question not in text or tokenizer.decode(tokenizer(text).input_ids) != text:
        raise ModelError(f"{path.name}: its tokenizer or chat template does not give back the text that it is given.")
    return tokenizer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' own progress bars off the terminal; an error gets what they printed as a note."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            yield
    except Exception as error:
        error.add_note(printed.getvalue()[-2000:])
        raise
