"""Finds, fingerprints and loads the weights of local models.

In: a name: an asset (`smollm2-135m`), a folder, a hub name (`org/name`), a checkpoint's folder (base + adapter), or an
adapter as PEFT, TRL and Tinker write it, whose config names its base.
Out: `Weights`, and a transformers model with the adapter merged. Only safetensors are read: a pickle can run code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from unsway import assets, layout
from unsway.errors import BadInput, ModelError, UnknownName
from unsway.extras import requires
from unsway.models.adapters import ADAPTER_FILE, ADAPTER_WEIGHTS, adapted
from unsway.seeds import content_id, digest
from unsway.store import loads, read_json, sha256_file, why
from unsway.types import Checkpoint, Message

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

CHECKPOINT_FILE = "checkpoint.json"
"""The file that makes a folder a checkpoint: a `types.Checkpoint` next to the adapter."""
TEXT_FILES = ["*.json", "*.jinja", "*.txt", "tokenizer.model"]
"""Config, tokenizer and chat template, as the hub names them."""

Dtype: TypeAlias = Literal["float32", "bfloat16"]
"""The precision in which weights are stored and computed."""
DTYPES: tuple[Dtype, ...] = get_args(Dtype)


def known_dtype(name: str) -> Dtype:
    """The name, if it is one of `DTYPES`. Raises `UnknownName`."""
    for dtype in DTYPES:
        if name == dtype:
            return dtype
    raise UnknownName("dtype", name, DTYPES)


@dataclass(frozen=True)
class Weights:
    """A local model: a folder of safetensors, and an adapter on top if it was trained."""

    name: str
    """The name by which it was requested."""
    folder: Path
    """The folder with safetensors, config and tokenizer."""
    adapter: Path | None = None
    """Folder of the adapter; None if it was not trained."""

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of everything that decides a reply (16 hex digits): weights, config, tokenizer, template, adapter."""
        kinds = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
        sums = []
        for folder in (self.folder, self.adapter):
            if folder is not None:
                records = {folder / CHECKPOINT_FILE, folder / "manifest.json"}  # they do not affect replies
                files = sorted({path for kind in kinds for path in folder.glob(kind)} - records)
                stats = [(path, path.stat()) for path in files]
                sums.append(digest([(path.name, _sum(path, stat.st_size, stat.st_mtime_ns)) for path, stat in stats]))
        return content_id(sums)

    def answering(self, dtype: Dtype) -> str:
        """The fingerprint for replies: of the weights in float32, the reference; otherwise of weights and precision."""
        return self.fingerprint if dtype == "float32" else content_id(self.fingerprint, dtype)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer with the model's chat template; the adapter's own if its folder has one, as TRL writes it.

        Raises:
            ModelError: It cannot be read, or has no chat template.
        """
        folder = self.folder
        if self.adapter is not None and (self.adapter / "tokenizer_config.json").is_file():
            folder = self.adapter
        try:
            stats = [(path, path.stat()) for kind in TEXT_FILES for path in sorted(folder.glob(kind))]
            tokenizer = _tokenizer(folder, tuple((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in stats))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{self.name!r} has no tokenizer that transformers can read ({' '.join(str(error).split())[:200]}). Put "
                f"the files of its tokenizer into {str(folder)!r}."
            ) from error
        if not tokenizer.chat_template:
            raise ModelError(
                f"{self.name!r} has no chat template, so it cannot be asked as a chat model. Take an instruction-tuned "
                "model, or put a chat_template.jinja into its folder."
            )
        return deepcopy(tokenizer)  # callers may change it, as TRL does

    @cached_property
    def ends(self) -> frozenset[int]:
        """Token ids that end a reply."""
        config: dict[str, Any] = {}
        for name in ("config.json", "generation_config.json"):
            path = self.folder / name
            config |= json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        ids = config.get("eos_token_id")
        ends = {ids} if isinstance(ids, int) else set(ids or ())
        ends |= {self.tokenizer.eos_token_id} - {None}
        return frozenset(ends)

    @cached_property
    def end(self) -> int:
        """The end token for training: the one that the chat template puts after a reply, if it is among `ends`.

        The tokenizer's own end token may be a different one (Gemma has `<eos>` and `<end_of_turn>`).
        """
        mark = "\N{SNOWMAN}"
        chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": mark}]
        text = str(self.tokenizer.apply_chat_template(chat, tokenize=False))
        ids = self.tokenizer.encode(text.rpartition(mark)[2], add_special_tokens=False)
        return int(next((token for token in ids if token in self.ends), self.tokenizer.eos_token_id))

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Texts of the special tokens, which separate turns and mark the start and end of a reply."""
        added_tokens = self.tokenizer.added_tokens_decoder.values()
        special = {token.content for token in added_tokens if token.special}
        return tuple(sorted(special | set(self.tokenizer.all_special_tokens)))

    def check_plain(self, text: str) -> None:
        """Raise `ModelError` if a text contains special tokens, which would forge a turn."""
        marks = [mark for mark in self.marks if mark in text]
        if marks:
            raise ModelError(
                f"A text holds {marks[0]!r}, which {self.name!r} reads as a mark between turns: the chat template was "
                f"applied already, or the text forges a turn. Take it out. The text begins {text[:60]!r}."
            )

    def rendered(self, messages: Sequence[Message]) -> str:
        """A conversation in the format of the chat template, up to the point where the model replies."""
        chat = [{"role": message.role, "content": message.content} for message in messages]
        return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    @cached_property
    def default_system(self) -> str:
        """The system prompt that the chat template adds to a conversation without one; empty if it adds none."""
        from jinja2 import TemplateError

        mark, user = "\N{SNOWMAN}", Message("user", "a")
        try:
            front, _, rest = self.rendered((Message("system", mark), user)).partition(mark)
        except TemplateError:  # the template accepts no system turn
            return ""
        plain = self.rendered((user,))
        is_framed = plain.startswith(front) and plain.endswith(rest) and len(plain) > len(front) + len(rest)
        return plain[len(front) : len(plain) - len(rest)] if is_framed else ""

    @property
    def context(self) -> int:
        """Greatest length of prompt and reply together, in tokens."""
        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        text_config = config.get("text_config") or config  # models that also see images
        names = ("max_position_embeddings", "n_positions")  # GPT-2's and StarCoder's configs have the second
        return int(next((part[name] for part in (text_config, config) for name in names if part.get(name)), 2048))

    def encode(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        """Token ids of a conversation, with the chat template applied once, ready for the model to reply.

        Raises:
            ModelError: A message contains a mark that only the template may write.
        """
        for message in messages:
            self.check_plain(message.content)
        chat = [{"role": m.role, "content": m.content} for m in messages]
        ends_open = chat[-1]["role"] == "assistant"
        ids = self.tokenizer.apply_chat_template(
            chat,
            add_generation_prompt=not ends_open,
            continue_final_message=ends_open,
            tokenize=True,
            return_dict=False,
        )
        return tuple(ids)


# ---------------------------------------------------------------- finding


def locate(name: str) -> Weights:
    """Find a local model by name, downloading an asset or a hub model if necessary.

    Raises:
        ModelError: There is no such model, its weights are not safetensors, or a checkpoint does not fit its base.
    """
    folder = Path(name).expanduser()
    if (folder / CHECKPOINT_FILE).is_file():
        checkpoint = read_checkpoint(folder)
        if (folder / "config.json").is_file():  # a fully trained model
            return Weights(str(folder), _check_weights(folder))
        base_name, _, trained_from = checkpoint.base.rpartition("@")
        if not base_name:
            raise ModelError(f"The base of {str(folder)!r} is {checkpoint.base!r}; write it as NAME@FINGERPRINT.")
        base = _base_of(folder, base_name)
        if base.fingerprint != trained_from:
            raise ModelError(
                f"The checkpoint {str(folder)!r} was trained from {base_name!r} with weights {trained_from}, but the weights "
                f"there are {base.fingerprint}. Put the same base model back, or train again from this one."
            )
        return Weights(str(folder), base.folder, _check_weights(folder, ADAPTER_WEIGHTS))
    if (folder / ADAPTER_FILE).is_file():
        origin = read_json(folder / ADAPTER_FILE).get("base_model_name_or_path", str)
        if not origin:
            raise ModelError(
                f"The adapter {name!r} does not say what it was trained from. Write the folder or the hub's name of its base "
                f"into {ADAPTER_FILE}, as base_model_name_or_path."
            )
        local_base = folder / origin
        base_folder = local_base if local_base.is_dir() else Path(origin.removeprefix("unsway/")).expanduser()
        if (base_folder / ADAPTER_FILE).is_file():
            raise ModelError(
                f"The adapter {name!r} was trained from {origin!r}, which is itself a base with an adapter. Merge that one "
                f"first (unsway export {origin} --out FOLDER) and name FOLDER as base_model_name_or_path in {ADAPTER_FILE}."
            )
        base = _base_of(folder, str(local_base) if local_base.is_dir() else origin.removeprefix("unsway/"))
        return Weights(str(folder), base.folder, _check_weights(folder, ADAPTER_WEIGHTS))
    if folder.is_dir():
        return Weights(name, _check_weights(folder))
    if any(status.name == name and status.kind == "model" for status in assets.assets()):
        return Weights(name, assets.model_folder(name))
    return Weights(name, _check_weights(_from_hub(name, ["*.safetensors", *TEXT_FILES])))


def _base_of(adapter: Path, base: str) -> Weights:
    """The weights that an adapter was trained from. Raises `ModelError`, which names both."""
    try:
        return locate(base)
    except ModelError as error:
        raise ModelError(f"{str(adapter)!r} was trained from {base!r}, which cannot be opened here: {error}") from error


def locate_tokenizer(name: str) -> Weights:
    """The tokenizer, chat template and config of a folder or a hub model whose weights are asked elsewhere.

    Raises:
        ModelError: There is no such folder, and the hub does not provide it.
    """
    folder = Path(name).expanduser()
    return Weights(name, folder if folder.is_dir() else _from_hub(name, TEXT_FILES))


def checkpoint_of(model: object) -> Checkpoint | None:
    """The checkpoint of a model: the value itself, or the record in its folder; None if it is not a checkpoint."""
    if isinstance(model, Checkpoint):
        return model
    if not isinstance(model, str | os.PathLike):
        return None
    folder = Path(os.fspath(model).removeprefix("unsway/")).expanduser()
    return read_checkpoint(folder) if (folder / CHECKPOINT_FILE).is_file() else None


def read_checkpoint(folder: str | Path) -> Checkpoint:
    """The checkpoint in a folder. Raises `BadInput` if there is no readable one."""
    path = Path(folder) / CHECKPOINT_FILE
    if not path.is_file():
        raise BadInput(f"{str(folder)!r} holds no checkpoint ({CHECKPOINT_FILE} is missing). `unsway train` makes one.")
    try:
        checkpoint = loads(Checkpoint, path.read_bytes())
    except ValueError as error:
        raise BadInput(f"{path} is damaged ({why(error)}). Restore it from a copy.") from None
    if checkpoint.is_hosted:
        return checkpoint
    return replace(checkpoint, model=str(folder), uri=str(folder))  # the folder may have been moved


def training_costs(study: Path) -> list[float | None]:
    """US dollars of each training in a study's folder: 0 for a local one, None if its provider did not report a cost."""
    records = sorted((study / layout.TRAINED).glob(f"*/{CHECKPOINT_FILE}"))
    checkpoints = [read_checkpoint(record.parent) for record in records]
    return [0.0 if c.cost is None and not c.is_hosted else c.cost for c in checkpoints]


def _check_weights(folder: Path, pattern: str = "*.safetensors") -> Path:
    """The folder, if it contains safetensors. Raises `ModelError`, which names a pickle if there is one."""
    if any(folder.glob(pattern)):
        return folder
    pickles = sorted(p.name for kind in ("*.bin", "*.pt", "*.pth", "*.ckpt") for p in folder.glob(kind))
    if pickles:
        raise ModelError(
            f"{str(folder)!r} holds {pickles[0]!r}: a pickle can run any code when it is opened, so it is not. Convert "
            "it to safetensors where you trust it (model.save_pretrained does)."
        )
    raise ModelError(f"{str(folder)!r} holds no weights: {pattern} and its config are needed.{steps_in(folder)}")


def steps_in(folder: Path) -> str:
    """A hint for a folder of training steps (as Trainer writes): a sentence that names the last step; else empty."""
    steps = [step for step in folder.glob("checkpoint-*") if step.name[len("checkpoint-") :].isdigit()]
    last = max(steps, key=lambda step: int(step.name[len("checkpoint-") :]), default=None)
    return "" if last is None else f" {str(folder)!r} holds steps of a training: name one of them, as {str(last)!r}."


def _from_hub(name: str, patterns: list[str]) -> Path:
    """A hub model's folder in the hub's own cache, with the files of these patterns."""
    names = ", ".join(sorted(s.name for s in assets.assets() if s.kind == "model"))
    if name.count("/") != 1:
        raise ModelError(f"There is no local model {name!r}: it is no folder, none of ours ({names}), no `org/name`.")
    with requires("local", f"Taking {name!r} from the Hugging Face hub"):
        from huggingface_hub import snapshot_download
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))  # nosec B615  # identified by its content
    except Exception as error:  # the hub raises many types, which all mean the same here
        raise ModelError(
            f"{name!r} is no folder here and the Hugging Face hub did not give it ({type(error).__name__}: {error}). "
            f"Check the name and the network, or name a folder with safetensors, or one of: {names}."
        ) from error


# ---------------------------------------------------------------- loading


CPU_BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""Instruction sets that compute in bfloat16, as `torch.cpu.get_capabilities` names them."""


@lru_cache(maxsize=4)
def _tokenizer(folder: Path, files: tuple[tuple[str, int, int], ...]) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder, cached while its files' sizes and times of change stay the same."""
    return _transformers().AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


@cache
def _sum(path: Path, size: int, changed_ns: int) -> str:
    """sha256 of a file, cached while its size and time of change stay the same."""
    return sha256_file(path)


def load_config(weights: Weights) -> PreTrainedConfig:
    """The text model's shape as transformers describes it, under transformers' own names."""
    return _transformers().AutoConfig.from_pretrained(weights.folder, trust_remote_code=False).get_text_config()


def load_model(weights: Weights, dtype: Dtype = "float32") -> PreTrainedModel:
    """The model with its adapter merged, on the best available device; never runs code shipped with the weights.

    The caller decides how to decode. Penalties and cut-offs shipped with the weights (`repetition_penalty` in Qwen2.5's) are
    ignored; otherwise replies sampled in training would not come from the model that is scored.
    The default float32 is the reference; bfloat16 changes one greedy reply in five of a 135M model.

    Raises:
        ModelError: The adapter's weights do not match its config, or no library here reads the quantised weights.
    """
    with requires("local", "A local model"):
        import torch

    try:
        model = _transformers().AutoModelForCausalLM.from_pretrained(
            weights.folder, dtype=getattr(torch, dtype), use_safetensors=True, trust_remote_code=False
        )
    except ImportError as error:  # of what reads quantised weights
        raise ModelError(f"{weights.name!r} cannot be loaded here: {' '.join(str(error).split())}") from error
    if weights.adapter is not None:
        model = adapted(model, weights.adapter).merge_and_unload()
    config = model.generation_config
    ids = {name: getattr(config, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model.generation_config = _transformers().GenerationConfig(**ids)
    if (head := model.get_output_embeddings()) is not None:
        head.register_forward_pre_hook(_in_one_piece)
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def _in_one_piece(_: object, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The last layer's inputs as contiguous memory: torch copies frozen weights for each row of a slice.

    Without this, a prompt's last position took 0.04 s with a base and 14 s with the same base merged with an adapter (8 rows,
    152k tokens, bfloat16, one core).
    """
    return tuple(tensor.contiguous() for tensor in inputs)


def training_dtype() -> Dtype:
    """bfloat16 if the GPU or the CPU computes in it, otherwise float32 (emulated bfloat16 is slower and coarser)."""
    with requires("local", "Training here"):
        import torch

    if torch.cuda.is_available():
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        has_bfloat16 = any(capabilities.get(name) for name in CPU_BF16)
    return "bfloat16" if has_bfloat16 else "float32"


def _transformers() -> Any:
    with requires("local", "A local model"):
        import transformers
    transformers.utils.logging.disable_progress_bar()
    return transformers
