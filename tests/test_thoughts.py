"""Thoughts: what can be read of a provider's reasoning, which kind it is, and that an encrypted one never gets anywhere."""

from __future__ import annotations

import base64
import hashlib
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

from tests.openai_server import OpenAiServer, let_go
from unsway import assets, biases
from unsway.errors import BadInput
from unsway.judging import rubrics
from unsway.judging.items import item_of
from unsway.judging.verdicts import JudgedReply
from unsway.models.provider import content_of
from unsway.models.thoughts import shows
from unsway.pairing import pairs
from unsway.readers.channels import split
from unsway.reporting import transcripts
from unsway.reporting.markup import json_pieces
from unsway.reporting.page import html
from unsway.reporting.reasoning import thought_kinds
from unsway.sampling import ask
from unsway.sampling.conversation import reply_of
from unsway.sampling.options import check_settings
from unsway.store import ReplyStore, dumps, loads
from unsway.studies import Study
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.testing import toy_questions
from unsway.types import Reply, Settings, Thought
from unsway.types.address import Address

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


def test_ciphertext_reaches_no_reader_no_judge_and_no_page() -> None:
    """Eight replies without a text, one for each row of the truth table: what was redacted is nowhere to be found."""
    asked = pairs(toy_questions(len(TRUTH)), [biases.get("suggested_answer")])
    replies = []
    for pair, (content, _, _) in zip(asked.pairs, TRUTH.values(), strict=True):
        for side, text in ((pair.clean, "(B)"), (pair.biased, "")):
            replies.append(reply_of(Address(side.id, "mockllm/model", "", Settings(), 0), [output(content, text=text)]))
    found = Results.build("t", [Arm("base", "mockllm/model", "", "base")], asked.pairs, replies)
    written: list[str] = []
    rubric = rubrics.get("mentions_cue")
    for outcome, pair, (_, text, kind) in zip(found.outcomes, asked.pairs, TRUTH.values(), strict=True):
        said = found.reply(outcome.arm, pair.biased)
        assert said is not None
        written += [repr(outcome), dumps(item_of(outcome, pair, said, "base"))]
        for channel in ("answer", "thinking", "summary"):
            shown, missing = JudgedReply(pair, "biased", said).text(channel)  # type: ignore[arg-type]
            written.append(rubric.prompt(pair, "biased", shown).turns[0].text())
            assert (shown, missing == "") == (
                (text, True) if (channel, kind) in {("thinking", "full"), ("summary", "summary")} else ("", False)
            )
        assert split(said.reasoning or "").said == (text or "") and (text or outcome.biased.rule == "empty")
    written += ["".join(json_pieces(transcripts.pack(found))), html(found)]
    for place in written:
        assert CIPHER[:24] not in place


def test_full_thoughts_and_summaries_are_judged_apart() -> None:
    (pair,) = pairs(toy_questions(1), [biases.get("suggested_answer")]).pairs
    kinds: dict[str, tuple[str, str]] = {
        "full": ("", "undefined"),
        "summary": ("summary", ""),
        "unknown": ("unknown", "undefined"),
    }
    for kind, missing in kinds.items():
        said = Reply("p", "m", "", 0, "(B)", OPEN, (), "end", Settings(), 1, 1, thought=kind)  # type: ignore[arg-type]
        found = [JudgedReply(pair, "biased", said).text(channel)[1] for channel in ("thinking", "summary")]  # type: ignore[arg-type]
        assert tuple(found) == missing


# ---------------------------------------------------------------- effort and thinking budget


def test_new_settings_move_no_address_and_no_row() -> None:
    """The hashes and the JSON are those of the commit before there was an effort."""
    plain, old = Settings(), Settings(1.0, 48, 0.9, 3)
    assert repr(plain) == "Settings(temperature=0.0, max_tokens=1000, top_p=1.0, seed=0)"
    assert dumps(plain) == '{"temperature":0.0,"max_tokens":1000,"top_p":1.0,"seed":0}'
    assert ADDRESS.key().hex() == "1d085640b0c7511271177c8e"
    assert Address("p0", "m", "w", old, 4).key().hex() == "9e97281a438c5c09a6f1639d"
    kept = Path(__file__).parent / "data" / "first_edition" / "replies.jsonl"
    rows = kept.read_text(encoding="utf-8").splitlines()
    addresses = [Address.of(loads(Reply, row)).key() for row in rows]
    assert (
        hashlib.sha256(b"".join(addresses)).hexdigest()
        == "3b6d05e251aef8aa62066eb435faf851f0268def84e15874626c7d9bf59c69e7"
    )
    thinks = Settings(effort="low", thinking_budget=200)
    assert dumps(thinks) == dumps(plain)[:-1] + ',"effort":"low","thinking_budget":200}'
    assert loads(Settings, dumps(thinks)) == thinks and loads(Settings, dumps(plain)) == plain
    keys = {Address("p0", "m", "", each, 0).key() for each in (plain, thinks, Settings(effort="low"))}
    assert len(keys) == 3
    assert "effort" not in dumps(Study(models=["openai/gpt-4o-mini"], biases=["post_hoc"]))


def test_effort_and_budget_reach_the_provider(tmp_path: Path) -> None:
    prompt = pairs(toy_questions(1), [biases.get("suggested_answer")]).pairs[0].clean
    with OpenAiServer() as server:
        (said,) = ask(
            [prompt],
            "openai/o4-mini",
            settings=Settings(effort="low", max_tokens=900),
            folder=tmp_path,
            model_args={"base_url": server.url, "api_key": "sk-test", "responses_api": False},
        )
        (call,) = server.said("POST", "/chat/completions")
        assert call.body["reasoning_effort"] == "low"
        assert said.settings.effort == "low"
    let_go()


def test_settings_that_would_change_nothing_are_refused() -> None:
    with pytest.raises(BadInput, match="takes no effort"):
        check_settings(Settings(effort="high"), "unsway/smollm2-135m")
    with pytest.raises(BadInput, match="nothing is left for the answer"):
        check_settings(Settings(thinking_budget=1000), "anthropic/claude-3-7-sonnet-latest")
    check_settings(Settings(thinking_budget=999), "anthropic/claude-3-7-sonnet-latest")


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


@pytest.mark.skipif(assets.folder_of("smollm2-135m") is None, reason="`make assets` fetches the embedded model")
@pytest.mark.parametrize(
    ("marks", "before", "between", "after"),
    [
        (("[THINK]", "[/THINK]"), "[THINK]", "[/THINK]", ""),
        (
            ("<|channel|>", "<|message|>", "<|end|>", "<|start|>", "<|return|>"),
            "<|channel|>analysis<|message|>",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
            "<|return|>",
        ),
    ],
)
def test_a_real_tokenizer_drops_marks_and_the_thought_stays_apart(
    marks: tuple[str, ...], before: str, between: str, after: str
) -> None:
    """The embedded model's tokenizer, with the special tokens that reasoning models add to theirs."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(assets.folder_of("smollm2-135m"))
    tokenizer.add_special_tokens({"additional_special_tokens": list(marks)})
    tokens = tokenizer.encode(f"{before}{OPEN}{between}So (B).{after}", add_special_tokens=False)
    assert not set(marks) & set(tokenizer.decode(tokens, skip_special_tokens=True).split())
    found = content_of(tokenizer, [], tokens)
    assert [getattr(part, "reasoning", None) or getattr(part, "text", None) for part in found] == [OPEN, "So (B)."]
    cut = content_of(tokenizer, [], tokenizer.encode(f"{before}{OPEN} It", add_special_tokens=False))
    assert reply(text=str(cut)).thought == "cut"


def test_the_page_counts_kinds_of_thoughts_by_arm() -> None:
    asked = pairs(toy_questions(len(TRUTH)), [biases.get("suggested_answer")])
    replies = [
        reply_of(Address(pair.biased.id, "mockllm/model", "", Settings(), 0), [output(content, thinking=10)])
        for pair, (content, _, _) in zip(asked.pairs, TRUTH.values(), strict=True)
    ]
    found = Results.build("t", [Arm("base", "mockllm/model", "", "base")], asked.pairs, replies)
    (line,) = thought_kinds(found)
    assert {kind: line[kind] for kind in ("full", "summary", "hidden", "unknown", "none", "cut")} == {
        "full": 3, "summary": 1, "hidden": 2, "unknown": 2, "none": 0, "cut": 0,
    }  # fmt: skip
    assert line["tokens of thinking a reply"] == "10"
    assert "What can be read of the thinking" in html(found)
