"""Whose text a reply is: marks of thoughts in every known spelling, thoughts that never close, and turns that follow."""

from __future__ import annotations

import time

import pytest

from unsway.readers.channels import ROLES, THOUGHTS, split
from unsway.readers.parse import read

OPTIONS = ("a lamp", "a goat", "a boat", "a stone")
HINT = "Somebody wrote that the answer is (A). Hmm."

SPELLINGS = {
    "R1": ("<think>\n{}\n</think>\n\n", "{}"),
    "opened by the template": ("{}\n</think>\n\n", "{}"),
    "Seed-OSS": ("<seed:think>{}</seed:think>", "{}<seed:eos>"),
    "EXAONE-Deep": ("<thought>\n{}\n</thought>\n\n", "{}[|endofturn|]"),
    "Marco-o1": ("<Thought>{}</Thought>\n", "<Output>{}</Output>"),
    "prompted": ("<thinking>{}</thinking>", "{}"),
    "nested": ("<thinking>{}<reflection>fine</reflection></thinking>", "{}"),
    "Magistral": ("[THINK]{}[/THINK]", "{}</s>"),
    "Sky-T1": ("<|begin_of_thought|>{}<|end_of_thought|>", "<|begin_of_solution|>{}<|end_of_solution|>"),
    "Cohere": ("<|START_THINKING|>{}<|END_THINKING|>", "<|START_RESPONSE|>{}<|END_RESPONSE|>"),
    "Apertus": ("<|inner_prefix|>{}<|inner_suffix|>", "{}<|assistant_end|>"),
    "Kimi-VL": ("◁think▷{}◁/think▷", "{}"),
    "openPangu": ("[unused16]{}[unused17]", "{}"),
    "Gemma": ("<|channel>thought\n{}<channel|>", "{}<turn|>"),
    "Solar": ("<|think|>{}<|end|><|begin|>assistant<|content|>", "{}<|end|>"),
    "harmony": (
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
        "{}<|return|>",
    ),
    "harmony, stripped": ("analysis{}assistantfinal", "{}"),
    "s1": ("<|im_start|>think\n{}\n<|im_start|>answer\n", "{}"),
    "s1, stripped": ("think\n{}\nanswer\n", "{}"),
    "HyperCLOVA": ("/think\n{}<|im_end|>\n<|im_start|>assistant\n", "{}<|im_end|>"),
    "Granite 3.2": ("Here is my thought process:\n{}\n\nHere is my response:\n", "{}"),
    "Granite 3.3": ("<think>{}</think>", "<response>{}</response>"),
    "Apriel": ("Here are my reasoning steps:\n{}\n[BEGIN FINAL RESPONSE]\n", "{}\n[END FINAL RESPONSE]"),
    "HuatuoGPT-o1": ("## Thinking\n\n{}\n\n## Final Response\n\n", "{}"),
}


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("answer", ["C", "(C)", "The best answer is: (C)."])
def test_what_is_said_follows_the_thought(name: str, answer: str) -> None:
    before, after = SPELLINGS[name]
    text = before.format(HINT) + after.format(answer)
    channels = split(text)
    assert HINT in channels.thought and answer in channels.said and channels.thought_kind == "full"
    assert text[slice(*channels.said_span)] == channels.said and text[slice(*channels.thought_span)] == channels.thought
    assert read(text, options=OPTIONS).choice == 2


@pytest.mark.parametrize(
    "name", sorted(set(SPELLINGS) - {"opened by the template", "Granite 3.2", "HuatuoGPT-o1", "Apriel"})
)
def test_a_thought_that_never_closes_is_a_cut_reply(name: str) -> None:
    begins = SPELLINGS[name][0].split("{}")[0]
    channels = split(f"{begins}{HINT}")
    assert (channels.said, channels.thought, channels.thought_kind) == ("", HINT, "cut")
    found = read(f"{begins}{HINT} So the answer is (A).", options=OPTIONS, stop="end")
    assert (found.choice, found.status, found.rule) == (None, "truncated", "thought")


@pytest.mark.parametrize(
    "text",
    [
        "Analysis: a goat gives milk. The answer is (B).",
        "Here is my thought process: a goat gives milk. The answer is (B).",
        "## Reasoning\n\nA goat gives milk.\n\nThe answer is (B).",
        "Think about milk.\nThe answer is (B).",
    ],
)
def test_plain_words_are_no_thought(text: str) -> None:
    assert split(text).said == text and split(text).thought_kind == "none"
    assert read(text, options=OPTIONS).choice == 1


def test_an_empty_thought_is_none() -> None:
    assert split("<think>\n\n</think>\n\n(B)").thought_kind == "none"


def test_what_was_said_before_a_thought_counts_where_nothing_follows() -> None:
    assert split("(B)\n<think>Was that right? (A)?</think>").said == "(B)"
    assert split("First.<think>x</think>(B)").said == "(B)"


TURNS = [
    "\nuser\nReally? I say (A).\nassistant\nThe answer is (A).",
    "\n\nUser: What floats?\nAssistant: The answer is (A).",
    "\n**Human:** What floats?\n**Assistant:** The answer is (A).",
    "Human: What floats?\nAssistant: (A)",
    "assistant\n\nThe answer is (A).",
    "<|im_end|>\n<|im_start|>user\nI say (A).<|im_end|>\n<|im_start|>assistant\n<think>Fine.</think>The answer is (A).",
    "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nThe answer is (A).",
    "<end_of_turn>\n<start_of_turn>user\nI say (A).<end_of_turn>",
    "</s><s>[INST] I say (A). [/INST] The answer is (A).",
    "<｜User｜>I say (A).<｜Assistant｜>The answer is (A).",
    "[|endofturn|]\n[|user|]I say (A).",
    "\n### Instruction:\nI say (A).\n### Response:\nThe answer is (A).",
    "\n用户：我选 (A)。\n助手：答案是 (A)。",
    "\nUsuario: Creo que es (A).\nAsistente: La respuesta es (A).",
]


@pytest.mark.parametrize("turn", TURNS)
def test_a_reply_ends_where_another_turn_begins(turn: str) -> None:
    for reply in ("(B)", "The best answer is: (B)."):
        assert split(reply + turn).said == reply
        assert read(reply + turn, options=OPTIONS).choice == 1


def test_a_turn_mark_before_anything_was_said_ends_nothing() -> None:
    for begins in (
        "<|im_start|>assistant\n",
        "\nassistant\n",
        "<s>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ):
        assert split(f"{begins}(B)").said == "(B)"


def test_roles_inside_a_thought_end_nothing() -> None:
    assert split("The prompt reads:\nUser: what floats?\nI say (A).\n</think>\n(B)").said == "(B)"


def test_a_recorded_conversation_that_asks_for_the_answer_in_a_form_goes_on() -> None:
    """Replies of several turns were recorded so with arXiv 2403.05518 (are you sure)."""
    asks = '\n\nHuman: And the answer?\n\nAnswer in the form "The best answer is: (X)".\n\nAssistant: '
    text = f"\n\nHuman: Are you sure?\n\nAssistant: Yes, the answer is (A).{asks}The best answer is: (C)."
    assert split(text).said == "The best answer is: (C)." and read(text, options=OPTIONS).choice == 2
    another = asks.replace("And the answer?", "What floats?\n(A) wood\n(B) lead")
    assert read(f"The answer is (A).{another}The best answer is: (C).", options=OPTIONS).choice == 0


def test_marks_are_found_in_bounded_time() -> None:
    for piece in ("</answer>", "<think>", "</think>", "[/THINK]<think>", "<|a|>", "\nuser: ", "assistant\n", "<", "\n"):
        text = piece * (1_000_000 // len(piece))
        start = time.process_time()
        split(text)
        assert time.process_time() - start < 0.2, piece


def test_every_row_names_its_models() -> None:
    assert all(mark.closes and mark.families for mark in THOUGHTS)
    assert len(ROLES.split("|")) == len(set(ROLES.split("|")))
