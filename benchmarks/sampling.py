"""Local sampling: our provider beside Inspect's `hf` provider and plain `transformers.generate`, on the demo's prompts.

    python benchmarks/sampling.py [--prompts 128] [--sides openvino,torch,generate,hf]

The same prompts, templated once, greedy, the same longest reply; each side in a process of its own, one after another.
Printed: replies a second with the model loaded, their ratio to the `hf` provider, and how many replies are those of the
reference to the letter (ours with the torch engine).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from unsway import assets
from unsway.demo import STUDY
from unsway.run import ask, session
from unsway.run.weights import load_model, locate
from unsway.types import Prompt, Settings

MODEL = "unsway/smollm2-135m"
SETTINGS = Settings(max_tokens=96)
BATCH = 32
"""Rows at once of `transformers.generate` and of the `hf` provider."""


def prompts(n: int) -> list[Prompt]:
    """The demo's prompts in the order in which it asks them."""
    found = {prompt.id: prompt for pair in STUDY.pairs() for prompt in (pair.clean, pair.biased)}
    return list(found.values())[:n]


Texts = tuple[float, list[str]]
"""Seconds, and the replies."""


def ours(engine: str, asked: list[Prompt]) -> Texts:
    with session(MODEL, engine=engine) as model:
        ask(asked[:2], model, settings=SETTINGS)
        start = time.perf_counter()
        replies = ask(asked, model, settings=SETTINGS)
        return time.perf_counter() - start, [reply.text for reply in replies]


def generate(asked: list[Prompt]) -> Texts:
    """Batches in the order of the prompts, as the transformers documentation has it."""
    import torch

    weights = locate("smollm2-135m")
    model, tokenizer = load_model(weights).eval(), weights.tokenizer
    tokenizer.padding_side = "left"
    texts: list[str] = []
    start = time.perf_counter()
    for at in range(0, len(asked), BATCH):
        chats = [[{"role": m.role, "content": m.content} for m in p.messages()] for p in asked[at : at + BATCH]]
        batch = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            out = model.generate(**batch, max_new_tokens=SETTINGS.max_tokens, do_sample=False)
        texts += tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return time.perf_counter() - start, texts


def hf(asked: list[Prompt]) -> Texts:
    """Inspect's provider on the same folder; prompts without system turns, as the demo has them."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, get_model
    from inspect_ai.solver import generate as answer

    folder = str(assets.model_folder("smollm2-135m"))
    model = get_model("hf/local", model_path=folder, tokenizer_path=folder, batch_size=BATCH, memoize=False)
    kinds = {"user": ChatMessageUser, "assistant": ChatMessageAssistant}
    samples = [Sample(input=[kinds[m.role](content=m.content) for m in p.messages()], id=p.id) for p in asked]
    start = time.perf_counter()
    (log,) = inspect_eval(
        Task(dataset=MemoryDataset(samples), solver=answer()),
        model=model,
        max_tokens=SETTINGS.max_tokens,
        temperature=0.0,
        max_connections=BATCH,
        display="none",
        log_dir=tempfile.mkdtemp(),
    )
    took = time.perf_counter() - start
    by_id = {str(sample.id): sample.output.completion for sample in log.samples or ()}
    return took, [by_id.get(p.id, "") for p in asked]


SIDES: dict[str, Callable[[list[Prompt]], Texts]] = {
    "openvino": lambda asked: ours("openvino", asked),
    "torch": lambda asked: ours("torch", asked),
    "generate": generate,
    "hf": hf,
}
NAMES = {
    "openvino": "ours, openvino engine",
    "torch": "ours, torch engine",
    "generate": f"transformers.generate, {BATCH} rows",
    "hf": "Inspect's hf provider",
}


def child(side: str, n: int, path: Path) -> None:
    took, texts = SIDES[side](prompts(n))
    path.write_text(json.dumps({"took": took, "texts": texts}), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=128)
    parser.add_argument("--sides", default="hf,generate,torch,openvino")
    parser.add_argument("--child", choices=SIDES)
    parser.add_argument("--path", type=Path)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.prompts, args.path)
        return
    found: dict[str, tuple[float, list[str]]] = {}
    for side in args.sides.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "found.json"
            command = [sys.executable, __file__, "--child", side, "--prompts", str(args.prompts), "--path", str(path)]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            body = json.loads(path.read_text(encoding="utf-8"))
        found[side] = (body["took"], [text.strip() for text in body["texts"]])
        print(f"{NAMES[side]:38} {args.prompts / body['took']:6.2f} replies/s ({body['took']:.0f} s)", flush=True)
    reference = found.get("torch", next(iter(found.values())))[1]
    slowest = found.get("hf", next(iter(found.values())))[0]
    print(f"\n{args.prompts} prompts, at most {SETTINGS.max_tokens} tokens out, greedy, {os.cpu_count()} CPU cores")
    for side, (took, texts) in found.items():
        same = sum(a == b for a, b in zip(texts, reference, strict=True))
        print(
            f"{NAMES[side]:38} {slowest / took:5.2f} × the hf provider; {same} of {len(texts)} replies as the torch engine's"
        )


if __name__ == "__main__":
    main()
