"""Local sampling: our provider, Inspect's `hf` provider and plain `transformers.generate`, on the demo's prompts.

    python benchmarks/sampling.py [--prompts 64] [--sides openvino,torch,generate,hf]
    python benchmarks/sampling.py --sides openvino,together,uncached,bf16,few     # levers of the openvino engine
    python benchmarks/sampling.py --sides hf,generate,torch,half,continuous       # on a GPU; --batch 256: rows of the others
    python benchmarks/sampling.py --model FOLDER --dtype bfloat16                 # another model; random weights: shapes.py

The same prompts, templated once, greedy, the same longest reply; each side in its own process, one after another, on the
GPU if there is one. Prints replies a second with the model loaded, CPU seconds (which say more on a shared machine), ratios
to the `hf` provider, how many replies and answers are those of the reference (ours with the torch engine); and what the
measured rates of a matmul and of memory would allow.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from shapes import Size, size

from unsway.demo import STUDY
from unsway.models.engines.prefixes import blocks
from unsway.models.session import session
from unsway.models.weights import Dtype, known_dtype, load_model, locate
from unsway.readers.parse import read
from unsway.sampling import ask
from unsway.types import Pair, Prompt, Settings

SETTINGS = Settings(max_tokens=96)


@dataclass(frozen=True, slots=True)
class Asked:
    """What every side is given."""

    model: str
    """One of ours, or a folder."""
    dtype: Dtype
    batch: int
    """Rows at once of `transformers.generate` and of the `hf` provider."""
    prompts: tuple[Prompt, ...]


def asked_of() -> dict[str, tuple[Prompt, Pair]]:
    """The demo's prompts in the order in which it asks them, each with a pair that it is of."""
    return {prompt.id: (prompt, pair) for pair in STUDY.pairs() for prompt in (pair.clean, pair.biased)}


def prompts(n: int) -> tuple[Prompt, ...]:
    return tuple(prompt for prompt, _ in asked_of().values())[:n]


class Texts(NamedTuple):
    """What a side brings back."""

    took: float
    """Seconds, the model loaded."""
    cpu: float
    texts: list[str]
    tokens_out: int = 0
    """Generated, ends included; of ours."""


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def ours(engine: str, workload: Asked) -> Texts:
    with session(f"unsway/{workload.model}", engine=engine, dtype=workload.dtype) as model:
        ask(workload.prompts[:1], model, settings=Settings(max_tokens=2))
        start, cpu_before = time.perf_counter(), cpu()
        replies = ask(workload.prompts, model, settings=SETTINGS)
        seconds, cpu_seconds = time.perf_counter() - start, cpu() - cpu_before
    tokens_out = sum(reply.tokens_out + (reply.stop == "end") for reply in replies)
    return Texts(seconds, cpu_seconds, [reply.text for reply in replies], tokens_out)


def generate(workload: Asked) -> Texts:
    """Batches in the order of the prompts, as the transformers documentation has it."""
    weights = locate(workload.model)
    model, tokenizer = load_model(weights, workload.dtype).eval(), weights.tokenizer
    tokenizer.padding_side = "left"
    _answered(model, tokenizer, workload.prompts[:1], 2)
    texts: list[str] = []
    start, cpu_before = time.perf_counter(), cpu()
    for first in range(0, len(workload.prompts), workload.batch):
        texts += _answered(model, tokenizer, workload.prompts[first : first + workload.batch], SETTINGS.max_tokens)
    return Texts(time.perf_counter() - start, cpu() - cpu_before, texts)


def _answered(model: Any, tokenizer: Any, prompt_list: Sequence[Prompt], max_tokens: int) -> list[str]:
    import torch

    chats = [[{"role": m.role, "content": m.content} for m in p.messages()] for p in prompt_list]
    batch = tokenizer.apply_chat_template(
        chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    ).to(model.device)
    with torch.inference_mode():
        out = model.generate(**batch, max_new_tokens=max_tokens, do_sample=False)
    texts: list[str] = tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return texts


def continuous(workload: Asked) -> Texts:
    """Continuous batching of transformers: rows leave when they end, prompts that begin alike share pages."""
    from transformers import GenerationConfig

    weights = locate(workload.model)
    model = load_model(weights, workload.dtype).eval()
    config = GenerationConfig(
        max_new_tokens=SETTINGS.max_tokens,
        do_sample=False,
        eos_token_id=sorted(weights.ends),
        pad_token_id=min(weights.ends),
    )
    tokens = [list(weights.encode(prompt.messages())) for prompt in workload.prompts]
    model.generate_batch(inputs=tokens[:1], generation_config=config)
    start, cpu_before = time.perf_counter(), cpu()
    results = list(model.generate_batch(inputs=tokens, generation_config=config).values())
    times = time.perf_counter() - start, cpu() - cpu_before
    errors = [result.error for result in results if result.error is not None]
    if errors or len(results) != len(tokens):
        raise RuntimeError(f"Continuous batching failed: {len(results)} of {len(tokens)} came back; {errors[:2]}")
    return Texts(
        *times, [weights.tokenizer.decode(result.generated_tokens, skip_special_tokens=True) for result in results]
    )


def hf(workload: Asked) -> Texts:
    """Inspect's provider on the same folder; prompts without system turns, as the demo has them."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.log import EvalLog
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, get_model
    from inspect_ai.solver import generate as answer

    folder = str(locate(workload.model).folder)
    model = get_model(
        "hf/local",
        model_path=folder,
        tokenizer_path=folder,
        batch_size=workload.batch,
        dtype=workload.dtype,
        do_sample=False,
        memoize=False,
    )
    kinds = {"user": ChatMessageUser, "assistant": ChatMessageAssistant}
    samples = [
        Sample(input=[kinds[m.role](content=m.content) for m in p.messages()], id=p.id) for p in workload.prompts
    ]

    def evaluate(batch: list[Sample], max_tokens: int) -> EvalLog:
        task, folder = Task(dataset=MemoryDataset(batch), solver=answer()), tempfile.mkdtemp()
        (log,) = inspect_eval(
            task, model=model, max_tokens=max_tokens, max_connections=workload.batch, display="none", log_dir=folder
        )
        return log

    evaluate(samples[:1], 2)
    start, cpu_before = time.perf_counter(), cpu()
    log = evaluate(samples, SETTINGS.max_tokens)
    times = time.perf_counter() - start, cpu() - cpu_before
    errors = [sample.error.message for sample in log.samples or () if sample.error is not None]
    if log.status != "success" or errors:  # a side that failed would look fast
        raise RuntimeError(f"The hf provider failed: {[log.status, *errors][:2]}")
    by_id = {str(sample.id): sample.output.completion for sample in log.samples or ()}
    return Texts(*times, [by_id[p.id] for p in workload.prompts])


# ---------------------------------------------------------------- levers, one taken away or changed


def together(workload: Asked) -> Texts:
    """All prompts start at once, as they did before `unsway.models.engines.prefixes`."""
    from unsway.models.engines.prefixes import Prefixes

    Prefixes.may_start = lambda self, blocks: True  # type: ignore[method-assign]
    return ours("openvino", workload)


def few(workload: Asked) -> Texts:
    from unsway.models.engines import openvino as engine_openvino

    engine_openvino.AT_ONCE = 16
    return ours("openvino", workload)


def rows(n: int) -> Callable[[Asked], Texts]:
    def side(workload: Asked) -> Texts:
        from unsway.models.engines import torch as engine_torch

        engine_torch.ROWS_A_BATCH = {"cpu": n, "cuda": n}
        return ours("torch", workload)

    return side


def scheduled(**fields: object) -> Callable[[Asked], Texts]:
    def side(workload: Asked) -> Texts:
        from unsway.models.engines.openvino import genai

        openvino_genai = genai()
        pipeline = openvino_genai.ContinuousBatchingPipeline

        def make_pipeline(path: str, tokenizer: object, scheduler: object, *rest: object, **precisions: str) -> object:
            for name, value in fields.items():
                setattr(scheduler, name, value)
            return pipeline(path, tokenizer, scheduler, *rest, **precisions)

        openvino_genai.ContinuousBatchingPipeline = make_pipeline
        return ours("openvino", workload)

    return side


SIDES: dict[str, tuple[str, Callable[[Asked], Texts]]] = {
    "openvino": ("ours, openvino engine", lambda workload: ours("openvino", workload)),
    "torch": ("ours, torch engine", lambda workload: ours("torch", workload)),
    "generate": ("transformers.generate", generate),
    "hf": ("Inspect's hf provider", hf),
    "continuous": ("transformers.generate_batch", continuous),
    "vllm": ("ours, vllm engine", lambda workload: ours("vllm", workload)),
    "half": ("torch, in bfloat16", lambda workload: ours("torch", replace(workload, dtype="bfloat16"))),
    "rows64": ("torch, at most 64 rows", rows(64)),
    "rows256": ("torch, at most 256 rows", rows(256)),
    "rows1024": ("torch, at most 1,024 rows", rows(1024)),
    "together": ("openvino, all start at once", together),
    "uncached": ("openvino, no prefix cache", scheduled(enable_prefix_caching=False)),
    "bf16": ("openvino, in bfloat16", lambda workload: ours("openvino", replace(workload, dtype="bfloat16"))),
    "few": ("openvino, 16 replies at once", few),
    "wide": ("openvino, 8,192 tokens a step", scheduled(max_num_batched_tokens=8192)),
    "narrow": ("openvino, 512 tokens a step", scheduled(max_num_batched_tokens=512)),
}


# ---------------------------------------------------------------- what the machine would allow


def on_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def machine() -> str:
    import torch

    return torch.cuda.get_device_name() if on_gpu() else f"{os.cpu_count()} CPU cores"


def matmul_rate(sizes: Size, kind: Dtype = "float32") -> float:
    """Operations a second in matmuls of a layer's shape, on the GPU, or on all cores of the CPU."""
    import torch

    rows_ = 8192 if on_gpu() else 2048
    shapes = ((rows_, sizes.hidden), (sizes.hidden, sizes.intermediate))
    a, b = (torch.randn(shape, device=_device()).to(getattr(torch, kind)) for shape in shapes)
    return 2 * rows_ * sizes.hidden * sizes.intermediate / _least("a @ b", a=a, b=b) * _cores()


def memory_rate() -> float:
    """Bytes a second that the GPU, or one CPU thread, reads: the sum of an array larger than the caches."""
    import torch

    array = torch.ones((16 if on_gpu() else 1) * 64 * 2**20, device=_device())
    return float(array.numel() * 4) / _least("a.sum()", a=array)


def _device() -> str:
    return "cuda" if on_gpu() else "cpu"


def _cores() -> int:
    return 1 if on_gpu() else os.cpu_count() or 1


def _least(work: str, **names: object) -> float:
    """Seconds of one thread, the best of five: a busy machine takes turns, so a CPU is timed by CPU seconds."""
    from torch.utils.benchmark import Timer

    timer = Timer(work, globals=names, num_threads=1, **({} if on_gpu() else {"timer": time.process_time}))
    return min(float(timer.timeit(20).mean) for _ in range(5))


def least_seconds(workload: Asked, tokens_out: int) -> tuple[float, str]:
    """What these replies need at least, and how that was computed.

    Two operations a parameter and token, each shared block of a prompt once; all weights read once a step of the engine's
    rows; attention is left out.
    """
    from unsway.models.engines.torch import ROWS_A_BATCH

    weights = locate(workload.model)
    sizes = size(weights.folder)
    known_blocks: set[int] = set()
    tokens_in = 0
    for prompt in workload.prompts:
        tokens = weights.encode(prompt.messages())
        prompt_blocks = blocks(tokens)
        tokens_in += len(tokens) - 32 * sum(block in known_blocks for block in prompt_blocks)
        known_blocks.update(prompt_blocks)
    operations = 2 * sizes.layers * (tokens_in + tokens_out) + 2 * sizes.head * (len(workload.prompts) + tokens_out)
    matmul, memory = matmul_rate(sizes, workload.dtype), memory_rate()
    bytes_read = (
        tokens_out / ROWS_A_BATCH[_device()] * (4 if workload.dtype == "float32" else 2) * (sizes.layers + sizes.head)
    )
    computing, reading = operations / matmul, bytes_read / memory
    description = (
        f"{tokens_in:,} tokens in, shared blocks once, and {tokens_out:,} out; {matmul / 1e9:,.0f} GFLOP/s in "
    )
    description += (
        f"{workload.dtype}, {memory / 1e9:,.0f} GB/s: {computing:.2f} s of matmuls, {reading:.2f} s of reading"
    )
    return max(computing, reading), description


# ---------------------------------------------------------------- what is printed


def answers(n: int, texts: Sequence[str]) -> list[int | None]:
    pairs = [pair for _, pair in list(asked_of().values())[:n]]
    return [read(text, options=pair.question.options).choice for pair, text in zip(pairs, texts, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--sides", default="hf,generate,torch,openvino")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="float32", type=known_dtype)
    parser.add_argument("--batch", default=32, type=int)
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    workload = Asked(args.model, args.dtype, args.batch, prompts(args.prompts))
    if args.child:
        args.path.write_text(json.dumps(SIDES[args.child][1](workload)._asdict()), encoding="utf-8")
        return
    locate(args.model)
    show(workload, {side: measured(side, sys.argv[1:]) for side in args.sides.split(",")})


def measured(side: str, arguments: list[str]) -> dict[str, Any]:
    """A side in a process of its own."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}  # the hf provider asks the hub about its name, for half a minute
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.json"
        command = [sys.executable, __file__, *arguments, "--child", side, "--path", str(path)]
        process = subprocess.run(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        if process.returncode:
            raise SystemExit(f"{side} failed:\n{process.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    print(f"{SIDES[side][0]}: {result['took']:.1f} s, {result['cpu']:.1f} CPU s", flush=True)
    return result


def show(workload: Asked, results: dict[str, dict[str, Any]]) -> None:
    reference = results.get("torch", next(iter(results.values())))
    baseline = results.get("hf", next(iter(results.values())))
    n = len(workload.prompts)
    reference_texts, reference_answers = [text.strip() for text in reference["texts"]], answers(n, reference["texts"])
    print(
        f"{workload.model} in {workload.dtype}, {n} prompts, at most {SETTINGS.max_tokens} tokens out, greedy, {machine()}"
    )
    print(f"hf and generate: {workload.batch} rows at once")
    print(f"{'':32}{'replies/s':>10}{'s':>8}{'CPU s':>8}{'× first':>9}{'CPU ×':>7}{'same text':>11}{'same answer':>13}")
    for side, body in results.items():
        side_texts = [text.strip() for text in body["texts"]]
        n_same = sum(a == b for a, b in zip(side_texts, reference_texts, strict=True))
        n_agree = sum(a == b for a, b in zip(answers(n, body["texts"]), reference_answers, strict=True))
        seconds, cpu_seconds = body["took"], body["cpu"]
        ratios = f"{baseline['took'] / seconds:>9.2f}{baseline['cpu'] / cpu_seconds:>7.2f}"
        print(
            f"{SIDES[side][0]:32}{n / seconds:>10.2f}{seconds:>8.1f}{cpu_seconds:>8.1f}{ratios}{n_same:>11}{n_agree:>13}"
        )
    ours_ = next((side for side in ("openvino", "torch") if side in results), None)
    if ours_:
        least, description = least_seconds(workload, results[ours_]["tokens_out"])
        print(f"least: {description}; {ours_} reaches {least / results[ours_]['took']:.0%} of that", end="")
        print("" if on_gpu() else f", {least / results[ours_]['cpu'] * _cores():.0%} by its CPU seconds")


if __name__ == "__main__":
    main()
