"""A quantised GGUF file, turned once into a folder of float32 weights that transformers loads like any other.

In: the GGUF file. Out: `model.safetensors`, `config.json`, the tokenizer with its chat template.
float32, because the dequantised values (a 4-bit number times a float16 step plus a float16 offset) are not exact in
bfloat16: what is loaded is exactly what the GGUF says. Takes about 30 s on two cores and 2 GB of memory.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.errors import MissingExtra, ModelError
from unsway.extras import requires

if TYPE_CHECKING:
    from unsway.assets.progress import DownloadProgress

STEPS = 3
WHAT = "Turning the embedded model's GGUF file into weights"


def dequantise(gguf: Path, out: Path, progress: DownloadProgress) -> dict[str, object]:
    """Write the transformers folder of a GGUF file into `out`; what is to be said about it.

    Raises `ModelError` where the tokenizer or the chat template does not give back the text that it is given.
    """
    with requires("local,offline", WHAT):
        import torch
        from transformers import AutoModelForCausalLM

    what = f"Dequantising {gguf.name} (about 30 s, once)"
    progress(what, 0, STEPS)
    with _quiet():
        tokenizer = _tokenizer(gguf)
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)  # nosec B615
        progress(what, 2, STEPS)
        del model.config.quantization_config  # the weights are plain numbers now; saving is refused while it is there
        model.hf_quantizer = None
        model.is_quantized = False
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
    (out / "model.safetensors").chmod(0o644)
    progress(what, STEPS, STEPS)
    return {"gguf": gguf.name, "dtype": "float32", "parameters": sum(p.numel() for p in model.parameters())}


def require_libraries() -> None:
    """Raise `MissingExtra` unless torch, transformers and gguf are installed; imports none of the large ones."""
    with requires("local,offline", WHAT):
        import gguf  # noqa: F401
    for library in ("torch", "transformers"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtra(WHAT, "local,offline", library)


def _tokenizer(gguf: Path) -> Any:
    """The tokenizer of a GGUF file, checked.

    transformers does not read `tokenizer.ggml.pre`, which for this model says `smollm`: each digit stands alone before
    the text is cut into words (as in the published tokenizer of the model). Without it white space before a digit is
    cut otherwise than the model learned.
    """
    with requires("local,offline", WHAT):
        from gguf import GGUFReader
        from tokenizers import pre_tokenizers
        from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)  # nosec B615  # a checked file
    if GGUFReader(gguf).fields["tokenizer.ggml.pre"].contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    said = "What is 2 + 2,\n\n40 and  7?"
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": said}], tokenize=False, add_generation_prompt=True
    )
    if said not in text or tokenizer.decode(tokenizer(text).input_ids) != text:
        raise ModelError(f"{gguf.name}: its tokenizer or chat template does not give back the text that it is given.")
    return tokenizer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' own progress bars off the terminal; what they said goes with the error, if there is one."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            yield
    except Exception as error:
        error.add_note(said.getvalue()[-2000:])
        raise
