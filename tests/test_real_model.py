"""Real runs on the embedded model: our provider against plain transformers, and the whole loop on a few questions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from unsway import assets
from unsway.data.foreign import read_examples
from unsway.demo import CONTROL, STUDY, TRAINED, demo
from unsway.models.provider import endings
from unsway.models.weights import load_model, locate
from unsway.prompts.render import options_shown, render
from unsway.sampling import ask
from unsway.sources import load
from unsway.store import ReplyStore
from unsway.studies import Task
from unsway.types import Prompt, Reply, Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("default"),  # torch's and transformers' own
    pytest.mark.skipif(assets.folder_of("smollm2-135m") is None, reason="`make assets` fetches the embedded model"),
]

MODEL = "unsway/smollm2-135m"
SHORT = Settings(max_tokens=24)


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    return [render(question, "brief") for question in load("procedural/arithmetic", n=6)]


@pytest.fixture(scope="module")
def reference(prompts: list[Prompt]) -> tuple[Reply, ...]:
    """What the torch engine says."""
    return tuple(ask(prompts, MODEL, settings=SHORT, model_args={"engine": "torch"}))


def plain_transformers(prompts: list[Prompt], guesses: list[str]) -> list[str]:
    """Greedy decoding, one prompt at a time, with the tokenizer's own chat template.

    A guess is what is decoded if each of its tokens is the most likely one behind those before it, and the end behind the
    last: one pass. Where it is not, and for the first, `generate` decodes, which takes a pass a token.
    """
    import torch

    weights = locate("smollm2-135m")
    model, tokenizer = load_model(weights).eval(), weights.tokenizer
    texts = []
    for number, (prompt, guess) in enumerate(zip(prompts, guesses, strict=True)):
        chat = [{"role": m.role, "content": m.content} for m in prompt.messages()]
        inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        asked = inputs["input_ids"]
        said = tokenizer.encode(guess, add_special_tokens=False)[: SHORT.max_tokens]
        with torch.inference_mode():
            likely = model(torch.cat([asked, torch.tensor([said])], dim=1)).logits[0, asked.shape[1] - 1 :].argmax(-1)
            ended = len(said) == SHORT.max_tokens or int(likely[-1]) in weights.ends
            if not number or likely[:-1].tolist() != said or not ended:
                out = model.generate(**inputs, max_new_tokens=SHORT.max_tokens, do_sample=False)
                said = out[0, asked.shape[1] :].tolist()
        texts.append(tokenizer.decode(said, skip_special_tokens=True))
    return texts


def test_the_reference_engine_says_what_transformers_says(prompts: list[Prompt], reference: tuple[Reply, ...]) -> None:
    said = [reply.text for reply in reference]
    assert said == plain_transformers(prompts, said)
    assert {reply.stop for reply in reference} <= {"end", "length"}
    for prompt, reply in zip(prompts, reference, strict=True):
        assert reply.tokens_in == len(locate("smollm2-135m").encode(prompt.messages()))
        assert (reply.stop == "length") == (reply.tokens_out == SHORT.max_tokens)


def test_the_fast_engine_agrees_with_the_reference(prompts: list[Prompt], reference: tuple[Reply, ...]) -> None:
    pytest.importorskip("openvino_genai")
    openvino = ask(prompts, MODEL, settings=SHORT, model_args={"engine": "openvino"})
    same = sum(a.text == b.text for a, b in zip(reference, openvino, strict=True))
    assert same >= 5  # float16 weights: 61 of 64 were measured
    assert [a.tokens_in for a in reference] == [b.tokens_in for b in openvino]


FEW = replace(
    TRAINED,
    tasks=(
        Task("procedural/counting", 40),
        Task("procedural/ordering", 40),
    ),  # which replies are cut differs by machine
    recipe=replace(TRAINED.recipe, n=4, direct_share=0.5, elicit="brief", instruct=2, max_tokens=48),
)
HANDFUL = STUDY.but(
    tasks=Task("procedural/arithmetic", 2),
    elicit="brief",  # without the demo's worked example a prompt has half its tokens
    settings=replace(STUDY.settings, max_tokens=48),
    interventions=(None, replace(FEW, method=CONTROL.method), FEW),
)


def test_the_loop_runs_and_a_second_run_asks_nothing(tmp_path: Path) -> None:
    first = demo(tmp_path, HANDFUL)
    assert [arm.label for arm in first.arms] == ["base", "control", "bct"]
    assert len({arm.weights for arm in first.arms}) == 3
    assert len(first.cells) == 3 * len(HANDFUL.biases)
    page = (tmp_path / "report.html").read_text()
    assert "<html" in page and "http-equiv" in page

    (data,) = (tmp_path / "data").iterdir()
    rows = list(read_examples(data / "examples.jsonl"))
    assert [row.kind for row in rows].count("consistency") == 4 and len(rows) == 6
    (fitted,) = (tmp_path / "trained").glob("smollm2-135m-bct-0-*")
    metrics = [json.loads(line) for line in (fitted / "metrics.jsonl").read_text().splitlines()]
    assert any("loss" in row for row in metrics)

    replies, words = ReplyStore(tmp_path / "replies.jsonl"), str(HANDFUL.settings.options_after)
    ends = {end for pair in first.pairs for side in (pair.clean, pair.biased) for end in endings(options_shown(side))}
    ended = [r.text.partition(words) for r in replies if r.settings.options_after and r.stop == "end"]
    behind = {end for _, said, end in ended if said}
    assert behind and behind <= ends, "behind the words comes an option, and the reply ends"

    kept = len(replies)
    logs = sorted((tmp_path / "logs").iterdir())
    again = demo(tmp_path, HANDFUL)
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == kept
    assert sorted((tmp_path / "logs").iterdir()) == logs
    assert again.cells == first.cells
