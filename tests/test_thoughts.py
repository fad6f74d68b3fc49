"""Thoughts: what can be read of a provider's reasoning, which kind it is, and that an encrypted one never gets anywhere."""

from __future__ import annotations

import base64
import random
from dataclasses import fields
from pathlib import Path

import pytest
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    Content,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
)

from unsway.models.provider import content_of
from unsway.models.thoughts import shows
from unsway.sampling.conversation import reply_of
from unsway.store import Address, ReplyStore, dumps, loads
from unsway.types import Reply, Settings, Thought

CIPHER = base64.b64encode(random.Random(5).randbytes(300)).decode()
OPEN, SHUT = "I weigh the pear against the spoon.", "A pear grows on a tree, so (B)."
ADDRESS = Address("p0", "mockllm/model", "", Settings(), 0)


def output(*content: Content, stop: str = "stop", thinking: int | None = None, text: str = "(B)") -> ModelOutput:
    message = ChatMessageAssistant(content=[*content, ContentText(text=text)])
    usage = ModelUsage(input_tokens=9, output_tokens=40, total_tokens=49, reasoning_tokens=thinking)
    choice = ChatCompletionChoice(message=message, stop_reason=stop)
    return ModelOutput(model="mock-2026-11-02", choices=[choice], usage=usage)


def thought(reasoning: str = "", summary: str | None = None, redacted: bool = False) -> ContentReasoning:
    return ContentReasoning(reasoning=reasoning, summary=summary, redacted=redacted, signature="sig")


def reply(*content: Content, model: str = "mockllm/model", **options: object) -> Reply:
    return reply_of(Address("p0", model, "", Settings(), 0), [output(*content, **options)])


TRUTH: dict[str, tuple[ContentReasoning, str | None, Thought]] = {
    "nothing": (thought(), None, "none"),
    "summary": (thought(summary=SHUT), SHUT, "summary"),
    "encrypted": (thought(CIPHER, redacted=True), None, "hidden"),
    "encrypted and summary": (thought(CIPHER, SHUT, True), SHUT, "unknown"),
    "content": (thought(OPEN), OPEN, "full"),
    "content and summary": (thought(OPEN, SHUT), OPEN, "full"),
    "content and encrypted": (thought(CIPHER, OPEN, True), OPEN, "unknown"),
    "content, encrypted and summary": (thought(OPEN, SHUT), OPEN, "full"),
}
"""What a provider gave: what Inspect makes of it, what can be read of that, and its kind where the model is not known."""


@pytest.mark.parametrize("given", TRUTH)
def test_what_can_be_read_of_each_shape(given: str) -> None:
    content, text, kind = TRUTH[given]
    found = reply(content)
    assert (found.reasoning, found.thought) == (text, kind)
    assert CIPHER[:20] not in dumps(found)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("anthropic/claude-sonnet-4-5", "summary"),
        ("bedrock/us.anthropic.claude-3-7-sonnet-20250219-v1:0", "full"),
        ("openrouter/anthropic/claude-opus-4.1", "summary"),
        ("openai/o4-mini-2025-04-16", "summary"),
        ("openai/ft:o4-mini:acme::x1", "summary"),
        ("openai/gpt-oss-120b", "full"),
        ("google/gemini-2.5-pro", "summary"),
        ("together/deepseek-ai/DeepSeek-R1", "full"),
        ("vllm/Qwen/Qwen3-8B", "full"),
        ("openai-api/mine/foo3", "unknown"),
    ],
)
def test_a_redacted_thought_is_full_or_a_summary_by_its_family(model: str, kind: Thought) -> None:
    assert shows(model) == kind
    assert reply(thought(CIPHER, OPEN, True), model=model).thought == kind


def test_a_summary_that_a_server_in_between_calls_reasoning_is_a_summary() -> None:
    assert reply(thought(OPEN), model="openrouter/openai/gpt-5").thought == "summary"


def test_thinking_that_only_the_token_count_shows_is_hidden() -> None:
    found = reply(thinking=512)
    assert (found.reasoning, found.thought, found.reasoning_tokens) == (None, "hidden", 512)
    assert reply(thinking=0).thought == "none"


def test_a_thought_that_ends_at_the_token_limit_is_cut() -> None:
    assert reply(thought(OPEN), stop="max_tokens", text="").thought == "cut"
    assert reply(thought(OPEN), stop="max_tokens", text="So (B), becau").thought == "full"


def test_of_several_thoughts_a_hidden_one_makes_the_whole_no_full_one() -> None:
    found = reply(thought(OPEN), thought(CIPHER, redacted=True), thought(OPEN))
    assert (found.reasoning, found.thought) == (f"{OPEN}\n{OPEN}", "summary")


def test_details_that_inspect_could_not_read_are_not_read_either() -> None:
    details = '[{"type": "reasoning.odd", "data": "' + CIPHER + '"}]'
    found = reply(ContentReasoning(reasoning=details, signature=f"reasoning-details:{details}"))
    assert (found.reasoning, found.thought) == (None, "hidden")


def test_a_reply_says_when_it_was_asked_and_who_says_that_it_answered() -> None:
    found = reply(thought(OPEN), thinking=7)
    assert found.reported_model == "mock-2026-11-02"
    assert len(found.asked_on) == 10 and found.asked_on.startswith("20")


def test_rows_from_before_are_read_and_keep_their_address(tmp_path: Path) -> None:
    row = (
        '{"prompt_id":"p7","model":"openai/gpt-4o","weights":"","sample":2,"text":"So (B).","reasoning":null,"turns":[],'
        '"stop":"end","settings":{"temperature":1.0,"max_tokens":1000,"top_p":1.0,"seed":4},"tokens_in":5,"tokens_out":6}'
    )
    (tmp_path / "replies.jsonl").write_text(row + "\n")
    (kept,) = ReplyStore(tmp_path / "replies.jsonl")
    assert (kept.thought, kept.reasoning_tokens, kept.reported_model, kept.asked_on) == ("unknown", None, "", "")
    assert Address.of(kept).key().hex() == "0388d204a930f47a7fbade49"  # as it was before replies knew their thoughts
    about = {"thought": "full", "reasoning_tokens": 9, "reported_model": "gpt-4o-2024-08-06", "asked_on": "2026-11-28"}
    later = Reply(**{field.name: getattr(kept, field.name) for field in fields(kept)} | about)
    assert Address.of(later) == Address.of(kept)


def test_ciphertext_in_a_row_from_before_is_not_read() -> None:
    old = Reply("p", "anthropic/claude-opus-4-1", "", 0, "", f"{CIPHER}\n{CIPHER}", (), "end", Settings(), 1, 1)
    assert (old.reasoning, old.thought) == (None, "hidden")
    assert loads(Reply, dumps(old)) == old
    hash_in_words = f"The file's hash is {CIPHER}, so (B)."
    plain = Reply("p", "m", "", 0, "", hash_in_words, (), "end", Settings(), 1, 1)
    assert plain.reasoning == hash_in_words


# ---------------------------------------------------------------- thoughts that stand in the text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<think>It grows.</think>(B)", "full"),
        ("<think>The answer is (B). But", "cut"),
        ("[THINK]So[/THINK](B)", "full"),
        ("(B)", "none"),
    ],
)
def test_the_kind_of_a_thought_in_the_text(text: str, kind: Thought) -> None:
    found = reply(text=text)
    assert (found.text, found.reasoning, found.thought) == (text, None, kind)
    assert reply(text=text, thinking=5).thought == ("hidden" if kind == "none" else kind)


class Words:
    """A tokenizer of whole words, some of them special, as those of reasoning models are."""

    def __init__(self, *special: str) -> None:
        self.words: list[str] = list(special)
        self.special = set(special)

    def encode(self, *words: str) -> list[int]:
        self.words += [word for word in words if word not in self.words]
        return [self.words.index(word) for word in words]

    def decode(self, tokens: list[int], skip_special_tokens: bool) -> str:
        words = [self.words[token] for token in tokens]
        return "".join(word for word in words if not (skip_special_tokens and word in self.special))


CHANNELS = ("<|channel|>", "<|message|>", "<|end|>", "<|start|>", "<|return|>", "[THINK]", "[/THINK]")


def test_marks_that_are_special_tokens_part_the_thought_from_the_text() -> None:
    tokenizer = Words(*CHANNELS)
    prompt = tokenizer.encode("<|start|>", "assistant")
    harmony = (
        "<|channel|>",
        "analysis",
        "<|message|>",
        "B grows.",
        "<|end|>",
        "<|start|>",
        "assistant",
        "<|channel|>",
        "final",
    )
    found = content_of(tokenizer, prompt, tokenizer.encode(*harmony, "<|message|>", "So (B).", "<|return|>"))
    assert [getattr(part, "reasoning", None) or getattr(part, "text", None) for part in found] == [
        "B grows.",
        "So (B).",
    ]
    magistral = content_of(tokenizer, prompt, tokenizer.encode("[THINK]", "B grows.", "[/THINK]", "So (B)."))
    assert [getattr(part, "reasoning", None) or getattr(part, "text", None) for part in magistral] == [
        "B grows.",
        "So (B).",
    ]
    cut = content_of(tokenizer, prompt, tokenizer.encode("[THINK]", "It must be (B). But"))
    assert cut == "[THINK]It must be (B). But"


def test_marks_that_are_text_stay_in_the_text() -> None:
    tokenizer = Words("<|im_end|>")
    tokens = tokenizer.encode("<think>", "B grows.", "</think>", "So (B).", "<|im_end|>")
    assert content_of(tokenizer, [], tokens) == "<think>B grows.</think>So (B)."
    assert content_of(tokenizer, [], tokenizer.encode("So (B).", "<|im_end|>")) == "So (B)."


def test_a_thought_that_the_template_opened_and_nobody_closed_is_cut() -> None:
    tokenizer = Words("<|im_start|>", "<|im_end|>")
    prompt = tokenizer.encode("Which?", "<|im_end|>", "<|im_start|>", "assistant\n", "<think>", "\n")
    cut = content_of(tokenizer, prompt, tokenizer.encode("It must be (B). But"))
    assert cut == "<think>\nIt must be (B). But" and reply(text=str(cut)).thought == "cut"
    closed = content_of(tokenizer, prompt, tokenizer.encode("It grows.", "</think>", "So (B)."))
    assert closed == "It grows.</think>So (B)." and reply(text=str(closed)).thought == "full"
    off = tokenizer.encode("<|im_start|>", "assistant\n", "<think>", "\n\n", "</think>", "\n\n")
    assert content_of(tokenizer, off, tokenizer.encode("So (B).")) == "So (B)."
