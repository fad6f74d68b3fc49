"""Local sampling: our provider beside Inspect's `hf` provider and plain `transformers.generate`, on the demo's prompts.

    python benchmarks/sampling.py [--prompts 64] [--sides openvino,torch,generate,hf]
    python benchmarks/sampling.py --sides openvino,together,uncached,bf16,few     # levers of the openvino engine

The same prompts, templated once, greedy, the same longest reply; each side in a process of its own, one after another.
Printed: replies a second with the model loaded, the CPU seconds (which say more where the machine is shared), ratios to the
`hf` provider, how many replies and answers are those of the reference (ours with the torch engine); and what the measured
rates of a float32 matmul and of memory would allow.
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
from pathlib import Path
from typing import Any

from unsway import assets
from unsway.demo import STUDY
from unsway.elicit.parse import read
from unsway.run import ask, session
from unsway.run.prefixes import blocks
from unsway.run.weights import load_model, locate
from unsway.types import Pair, Prompt, Settings

MODEL = "unsway/smollm2-135m"
SETTINGS = Settings(max_tokens=96)
BATCH = 32
"""Rows at once of `transformers.generate` and of the `hf` provider."""


def asked_of() -> dict[str, tuple[Prompt, Pair]]:
    """The demo's prompts in the order in which it asks them, each with a pair that it is of."""
    return {prompt.id: (prompt, pair) for pair in STUDY.pairs() for prompt in (pair.clean, pair.biased)}


def prompts(n: int) -> list[Prompt]:
    return [prompt for prompt, _ in asked_of().values()][:n]


Texts = tuple[float, float, list[str]]
"""Seconds, CPU seconds, and the replies."""


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ours(engine: str, asked: list[Prompt], dtype: str = "float32") -> Texts:
    with session(MODEL, engine=engine, dtype=dtype) as model:
        ask(asked[:1], model, settings=Settings(max_tokens=2))
        start, before = time.perf_counter(), cpu()
        replies = ask(asked, model, settings=SETTINGS)
        return time.perf_counter() - start, cpu() - before, [reply.text for reply in replies]


def generate(asked: list[Prompt]) -> Texts:
    """Batches in the order of the prompts, as the transformers documentation has it."""
    import torch

    weights = locate("smollm2-135m")
    model, tokenizer = load_model(weights).eval(), weights.tokenizer
    tokenizer.padding_side = "left"
    texts: list[str] = []
    start, before = time.perf_counter(), cpu()
    for at in range(0, len(asked), BATCH):
        chats = [[{"role": m.role, "content": m.content} for m in p.messages()] for p in asked[at : at + BATCH]]
        batch = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            out = model.generate(**batch, max_new_tokens=SETTINGS.max_tokens, do_sample=False)
        texts += tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return time.perf_counter() - start, cpu() - before, texts


def hf(asked: list[Prompt]) -> Texts:
    """Inspect's provider on the same folder; prompts without system turns, as the demo has them."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, get_model
    from inspect_ai.solver import generate as answer

    folder = str(assets.model_folder("smollm2-135m"))
    model = get_model(
        "hf/local", model_path=folder, tokenizer_path=folder, batch_size=BATCH, do_sample=False, memoize=False
    )
    kinds = {"user": ChatMessageUser, "assistant": ChatMessageAssistant}
    samples = [Sample(input=[kinds[m.role](content=m.content) for m in p.messages()], id=p.id) for p in asked]
    start, before = time.perf_counter(), cpu()
    (log,) = inspect_eval(
        Task(dataset=MemoryDataset(samples), solver=answer()),
        model=model,
        max_tokens=SETTINGS.max_tokens,
        max_connections=BATCH,
        display="none",
        log_dir=tempfile.mkdtemp(),
    )
    took = time.perf_counter() - start, cpu() - before
    failed = [sample.error.message for sample in log.samples or () if sample.error is not None]
    if log.status != "success" or failed:  # a side that failed would look fast
        raise RuntimeError(f"The hf provider failed: {[log.status, *failed][:2]}")
    by_id = {str(sample.id): sample.output.completion for sample in log.samples or ()}
    return *took, [by_id[p.id] for p in asked]


# ---------------------------------------------------------------- levers of the openvino engine, one taken away or changed


def together(asked: list[Prompt]) -> Texts:
    """All prompts start at once, as they did before `unsway.run.prefixes`."""
    from unsway.run.prefixes import Prefixes

    Prefixes.may_start = lambda self, blocks: True  # type: ignore[method-assign]
    return ours("openvino", asked)


def changed(what: str, value: object) -> Callable[[list[Prompt]], Texts]:
    def side(asked: list[Prompt]) -> Texts:
        from unsway.run import engine_openvino

        setattr(engine_openvino, what, value)
        return ours("openvino", asked)

    return side


def scheduled(**fields: object) -> Callable[[list[Prompt]], Texts]:
    def side(asked: list[Prompt]) -> Texts:
        import openvino_genai

        pipeline = openvino_genai.ContinuousBatchingPipeline

        def made(path: str, scheduler: object, *rest: object) -> object:
            for name, value in fields.items():
                setattr(scheduler, name, value)
            return pipeline(path, scheduler, *rest)

        openvino_genai.ContinuousBatchingPipeline = made
        return ours("openvino", asked)

    return side


SIDES: dict[str, tuple[str, Callable[[list[Prompt]], Texts]]] = {
    "openvino": ("ours, openvino engine", lambda asked: ours("openvino", asked)),
    "torch": ("ours, torch engine", lambda asked: ours("torch", asked)),
    "generate": (f"transformers.generate, {BATCH} rows", generate),
    "hf": ("Inspect's hf provider", hf),
    "together": ("openvino, all start at once", together),
    "uncached": ("openvino, no prefix cache", scheduled(enable_prefix_caching=False)),
    "bf16": ("openvino, in bfloat16", lambda asked: ours("openvino", asked, "bfloat16")),
    "few": ("openvino, 16 replies at once", changed("AT_ONCE", 16)),
    "wide": ("openvino, 8,192 tokens a step", scheduled(max_num_batched_tokens=8192)),
    "narrow": ("openvino, 512 tokens a step", scheduled(max_num_batched_tokens=512)),
}


def child(side: str, n: int, path: Path) -> None:
    took, used, texts = SIDES[side][1](prompts(n))
    path.write_text(json.dumps({"took": took, "cpu": used, "texts": texts}), encoding="utf-8")


# ---------------------------------------------------------------- what the machine would allow


def matmul_rate(kind: str = "float32") -> float:
    """Operations a second that all cores could do in matmuls of a layer's shape: CPU seconds of one thread, the best of five.

    CPU seconds, since a busy machine takes turns; the best, since it also takes caches.
    """
    import torch

    torch.set_num_threads(1)
    a, b = (torch.randn(shape).to(getattr(torch, kind)) for shape in ((2048, 576), (576, 1536)))
    rate: float = 2 * 2048 * 576 * 1536 / _least(lambda: a @ b) * (os.cpu_count() or 1)
    return rate


def memory_rate() -> float:
    """Bytes a CPU second that one thread reads: the sum of an array larger than the caches; the best of five."""
    import torch

    torch.set_num_threads(1)
    array = torch.ones(64 * 2**20)
    rate: float = array.numel() * 4 / _least(lambda: array.sum(), 3)
    return rate


def _least(work: Callable[[], object], times: int = 20) -> float:
    took = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            work()
        took.append((time.process_time() - start) / times)
    return min(took)


LAYERS, HEAD = 106e6, 28e6
"""Parameters of the layers and of the output layer of SmolLM2-135M."""


def least_seconds(asked: list[Prompt], texts: Sequence[str]) -> tuple[float, str]:
    """What these replies need at least, and how that was computed.

    Two operations a parameter and token, each shared block of a prompt once; all weights read once a step of 64 rows;
    attention is left out.
    """
    weights = locate("smollm2-135m")
    seen: set[int] = set()
    tokens_in = 0
    for prompt in asked:
        tokens = weights.encode(prompt.messages())
        own = blocks(tokens)
        tokens_in += len(tokens) - 32 * sum(block in seen for block in own)
        seen.update(own)
    tokens_out = sum(len(weights.tokenizer.encode(text)) + 1 for text in texts)
    operations = 2 * LAYERS * (tokens_in + tokens_out) + 2 * HEAD * (len(asked) + tokens_out)
    matmul, memory = matmul_rate(), memory_rate()
    computing, reading = operations / matmul, tokens_out / 64 * 4 * (LAYERS + HEAD) / memory
    said = (
        f"{tokens_in:,} tokens in, shared blocks once, and {tokens_out:,} out; {matmul / 1e9:.0f} GFLOP/s in float32, "
    )
    return max(
        computing, reading
    ), said + f"{memory / 1e9:.0f} GB/s: {computing:.1f} s of matmuls, {reading:.1f} s of reading"


# ---------------------------------------------------------------- what is printed


def answers(n: int, texts: Sequence[str]) -> list[int | None]:
    pairs = [pair for _, pair in list(asked_of().values())[:n]]
    return [read(text, options=pair.question.options).choice for pair, text in zip(pairs, texts, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--sides", default="hf,generate,torch,openvino")
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.prompts, args.path)
        return
    assets.model_folder("smollm2-135m")
    quiet = os.environ | {"HF_HUB_OFFLINE": "1"}  # the hf provider asks the hub about its name, for half a minute
    found: dict[str, dict[str, Any]] = {}
    for side in args.sides.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "found.json"
            command = [sys.executable, __file__, "--child", side, "--prompts", str(args.prompts), "--path", str(path)]
            subprocess.run(command, check=True, env=quiet, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            found[side] = json.loads(path.read_text(encoding="utf-8"))
        print(f"{SIDES[side][0]}: {found[side]['took']:.1f} s, {found[side]['cpu']:.1f} CPU s", flush=True)
    show(args.prompts, found)


def show(n: int, found: dict[str, dict[str, Any]]) -> None:
    reference = found.get("torch", next(iter(found.values())))
    slowest = found.get("hf", next(iter(found.values())))
    texts, chosen = [text.strip() for text in reference["texts"]], answers(n, reference["texts"])
    print(f"{n} prompts, at most {SETTINGS.max_tokens} tokens out, greedy, {os.cpu_count()} CPU cores")
    print(f"{'':32}{'replies/s':>10}{'s':>8}{'CPU s':>8}{'× first':>9}{'CPU ×':>7}{'same text':>11}{'same answer':>13}")
    for side, body in found.items():
        mine = [text.strip() for text in body["texts"]]
        same = sum(a == b for a, b in zip(mine, texts, strict=True))
        agree = sum(a == b for a, b in zip(answers(n, body["texts"]), chosen, strict=True))
        took, used = body["took"], body["cpu"]
        ratios = f"{slowest['took'] / took:>9.2f}{slowest['cpu'] / used:>7.2f}"
        print(f"{SIDES[side][0]:32}{n / took:>10.2f}{took:>8.1f}{used:>8.1f}{ratios}{same:>11}{agree:>13}")
    fast = found.get("openvino")
    if fast:
        least, said = least_seconds(prompts(n), fast["texts"])
        half = fast["cpu"] / (os.cpu_count() or 1)
        print(
            f"least: {said}; openvino reaches {least / fast['took']:.0%} of that, {least / half:.0%} by its CPU seconds"
        )


if __name__ == "__main__":
    main()
