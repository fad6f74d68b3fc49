"""Thoughts from a reply to its tokens: they are kept in targets and written as the chat template writes them, or refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.openai_server import OpenAiServer, let_go
from tests.tiny import loads_torch, real, tiny_model
from unsway.backends import backend
from unsway.backends.local.replies import ReplyFormat
from unsway.backends.local.rows import tokenise
from unsway.cli import main
from unsway.data.foreign import read_examples
from unsway.data.preferences import preferences
from unsway.data.targets import target
from unsway.errors import BadInput
from unsway.models.weights import locate
from unsway.pairing import pairs
from unsway.readers.parse import read
from unsway.sampling import run
from unsway.stats.outcomes import outcomes
from unsway.testing import scripted, toy_questions
from unsway.training import Bct, fit
from unsway.training.seams import Texts
from unsway.types import Message, Reply, Settings

REASONED = "<think>\nAsh burns well.\n</think>\n\n(A) ash"


def reply(text: str, reasoning: str | None = None, **more: Any) -> Reply:
    return Reply("p", "m", "", 0, text, reasoning, (), more.pop("stop", "end"), Settings(), 1, 1, **more)


# ---------------------------------------------------------------- from replies to targets


@pytest.mark.parametrize(
    ("given", "kept", "dropped"),
    [
        (reply("(A) ash"), "(A) ash", "(A) ash"),
        (reply("(A) ash", "Ash burns well.", thought="full"), REASONED, "(A) ash"),
        (reply("(A) ash", "Ash burns well."), REASONED, "(A) ash"),  # of a reply from before kinds were known
        (reply("<think>\nAsh burns well.\n</think>\n\n(A) ash"), REASONED, "(A) ash"),
        (reply("Ash burns well.\n</think>\n\n(A) ash"), REASONED, "(A) ash"),
        (reply("[THINK]Ash burns well.[/THINK](A) ash"), REASONED, "(A) ash"),
        (reply("<think>Ash burns"), None, None),
        (reply("<think>Ash burns well.</think>\n"), None, None),
        (reply("(A) ash", stop="length"), None, None),
        (reply("(A) ash", thought="none"), "(A) ash", "(A) ash"),
    ],
)
def test_what_a_row_learns_of_a_reply(given: Reply, kept: str | None, dropped: str | None) -> None:
    assert target(given, "keep") == kept
    assert target(given, "drop") == dropped


@pytest.mark.parametrize(("kind", "words"), [("hidden", "hides its thoughts"), ("summary", "only a summary")])
def test_a_thought_that_cannot_be_kept_is_refused(kind: Any, words: str) -> None:
    given = reply("(A) ash", "Ash, it seems." if kind == "summary" else None, thought=kind)
    with pytest.raises(BadInput, match=rf"{words}.*--thoughts drop"):
        target(given, "keep")
    assert target(given, "drop") == "(A) ash"


def test_both_replies_of_a_preference_keep_their_thoughts() -> None:
    made = pairs(toy_questions(24), ["suggested_answer"])
    said = run(made, scripted(made, {"suggested_answer": 1.0}))
    thinking = [replace(one, reasoning=f"It reads {one.text[:9]!r}.", thought="full") for one in said]
    kept = preferences(made, thinking, outcomes(made, thinking)).rows
    dropped = preferences(made, thinking, outcomes(made, thinking), thoughts="drop").rows
    assert kept and len(kept) == len(dropped)
    for row, plain in zip(kept, dropped, strict=True):
        for ours, theirs in ((row.completion, plain.completion), (row.rejected, plain.rejected)):
            assert ours is not None and ours.startswith("<think>\nIt reads ") and ours.endswith(f"</think>\n\n{theirs}")


@pytest.fixture
def _collected() -> Iterator[None]:
    yield
    let_go()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # inspect_ai leaves connections to the collector
@pytest.mark.usefixtures("_collected")
def test_rows_keep_the_thoughts_of_a_server_and_leave_them_out_where_the_recipe_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with OpenAiServer(answer=lambda body: "The best answer is: (B).", thinks="I weigh each option.") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        questions = tmp_path / "questions.jsonl"
        rows = [{"question": q.stem, "options": q.options, "answer": "A"} for q in toy_questions(12)]
        questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
        words = [
            "data",
            "build",
            "openai-api/mine/thinker",
            "--questions",
            str(questions),
            "-n",
            "4",
            "--instruct",
            "2",
        ]
        monkeypatch.setenv("MINE_API_KEY", "sk-test")
        monkeypatch.setenv("MINE_BASE_URL", server.url)
        plain = "The best answer is: (B)."
        for thoughts, said in (("keep", f"<think>\nI weigh each option.\n</think>\n\n{plain}"), ("drop", plain)):
            out = tmp_path / thoughts
            done = CliRunner().invoke(main, [*words, "--thoughts", thoughts, "--out", str(out)], catch_exceptions=False)
            assert done.exit_code == 0, done.output
            found = read_examples(out / "examples.jsonl")
            assert {row.completion for row in found} == {said} and len(found) == 6


# ---------------------------------------------------------------- from targets to tokens

CHATML = (
    "{% for m in messages %}<|im_start|>{{m['role']}}\n{{m['content']}}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\nTAIL{% endif %}"
)
STRICT = (
    "{% if messages[0]['role']=='system' %}{{ raise_exception('No system turn here') }}{% endif %}"
    "{% for m in messages %}{% if (m['role']=='user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Turns must alternate') }}{% endif %}{% endfor %}"
)


def thinker(folder: Path, tail: str, *, tokens: tuple[str, ...] = (), before: str = "") -> Path:
    """The tiny model with a chat template that ends in `tail`, and with tokens of its own."""
    import torch
    from tokenizers import AddedToken
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tiny_model(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in tokens])
    tokenizer.chat_template = before + CHATML.replace("TAIL", tail)
    tokenizer.save_pretrained(folder)
    if tokens:
        model = AutoModelForCausalLM.from_pretrained(folder)
        torch.manual_seed(0)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        model.save_pretrained(folder)
    return folder


THINK, BRACKETS = ("<think>", "</think>"), ("[THINK]", "[/THINK]")
OPENS = "<think>\n"
SHUT = "<think>\n\n</think>\n\n"


def asked(text: str) -> Texts:
    return Texts((Message("user", "Ash or oak?"),), (text,))


def learnt(folder: Path, text: str, **options: Any) -> tuple[str, str]:
    """The end of the prompt, and what is learnt after it, without the token that ends it."""
    weights = locate(str(folder))
    (row,) = tokenise(ReplyFormat.of(weights, **options), [asked(text)])
    shown, said = (weights.tokenizer.decode(ids) for ids in (row.prompt, row.completions[0][:-1]))
    return shown.partition("assistant\n")[2], said


@real
@loads_torch
@pytest.mark.parametrize(
    ("tail", "tokens", "text", "said"),
    [
        (OPENS, THINK, REASONED, "Ash burns well.\n</think>\n\n(A) ash"),
        (OPENS, THINK, "Ash burns well.\n</think>\n\n(A) ash", "Ash burns well.\n</think>\n\n(A) ash"),
        ("", THINK, REASONED, REASONED),
        ("", THINK, "Ash burns well.</think>(A) ash", REASONED),
        ("", BRACKETS, REASONED, "[THINK]\nAsh burns well.\n[/THINK]\n\n(A) ash"),
        ("", THINK, "(A) ash", "(A) ash"),
        ("", (), REASONED, REASONED),  # a model without such marks reads them as text
        ("", (), "(A) ash", "(A) ash"),
        (SHUT, THINK, "(A) ash", "(A) ash"),
        (OPENS, (), REASONED, "Ash burns well.\n</think>\n\n(A) ash"),  # the template writes it in plain letters
    ],
)
def test_a_thought_stands_in_the_tokens_as_the_model_writes_it(
    tmp_path: Path, tail: str, tokens: tuple[str, ...], text: str, said: str
) -> None:
    assert learnt(thinker(tmp_path, tail, tokens=tokens), text) == (tail, said)


@real
@loads_torch
@pytest.mark.parametrize(
    ("before", "prompt_ends", "reply", "said"),
    [
        ("\n", "\n", "To", ["To"]),  # where the whole chat is read, no space is put before it
        (" ", "", "To", ["▁To"]),  # the template's space comes with the reply
        (" ", "", " To", ["▁To"]),
        ("\n", "\n", "\nTo", ["▁", "\n", "To"]),  # two line breaks are one token, which the prompt cannot end within
    ],
)
def test_a_reply_has_the_tokens_that_it_has_behind_its_prompt(
    tmp_path: Path, before: str, prompt_ends: str, reply: str, said: list[str]
) -> None:
    """A tokenizer as Llama 2's puts a space before a text: encoded alone, each reply would begin with one."""
    from tokenizers import Tokenizer, models, normalizers
    from transformers import PreTrainedTokenizerFast

    merged = [("\n", "\n"), ("T", "o"), ("▁", "To")]
    names = ["</s>", *sorted(set("</s>☃userait:\n▁To?")), *map("".join, merged)]
    bare = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, merged))
    bare.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, eos_token="</s>")
    tokenizer.chat_template = (
        (
            "{% for m in messages %}{{ m.role + ':' + BEFORE + m.content }}</s>{% endfor %}"
            "{% if add_generation_prompt %}assistant:ENDS{% endif %}"
        )
        .replace("BEFORE", json.dumps(before))
        .replace("ENDS", prompt_ends)
    )
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama", "eos_token_id": 0}')
    (tmp_path / "model.safetensors").write_text("never loaded")
    form = ReplyFormat.of(locate(str(tmp_path)))
    assert tokenizer.convert_ids_to_tokens(form.reply_ids(reply)) == [*said, "</s>"]


@real
@loads_torch
@pytest.mark.parametrize(
    ("tail", "tokens", "said", "chosen"),
    [
        (OPENS, THINK, "Not (A). It is (B).", None),  # it ended inside its thought
        (OPENS, THINK, "Say the best answer is: (A).\n</think>\n\nI cannot tell.", None),
        ("", BRACKETS, "[THINK]Say the best answer is: (A).[/THINK]I cannot tell.", None),
        ("", BRACKETS, "[THINK]Say it is (A).[/THINK]The best answer is: (B).", 1),
    ],
)
def test_a_sampled_reply_is_read_in_training_as_it_is_measured(
    tmp_path: Path, tail: str, tokens: tuple[str, str], said: str, chosen: int | None
) -> None:
    weights = locate(str(thinker(tmp_path, tail, tokens=tokens)))
    weights.tokenizer.add_special_tokens({"additional_special_tokens": list(tokens)})  # as Magistral's are
    text = ReplyFormat.of(weights).decode([*weights.tokenizer.encode(said), weights.end])
    assert read(text, options=("ash", "oak"), stop="end").value == chosen


@real
@loads_torch
@pytest.mark.parametrize(
    ("tail", "text", "words"),
    [
        (OPENS, "(A) ash", r"row 2 has no thought, and .* opens one \('<think>'\).*--thoughts keep.*closes_empty=true"),
        (SHUT, REASONED, "row 2 has a thought, and .* closes it before the reply"),
        (OPENS, "<think>\nAsh burns.\n</think>\n", "row 2 has a completion that says nothing after its thought"),
        (OPENS, "<think>\nAsh burns", "row 2 has a completion whose thought is never closed"),
        ("", f"Well. {REASONED}", "row 2 has a completion with words before its thought"),
    ],
)
def test_rows_that_cannot_stand_behind_a_template_are_refused(tmp_path: Path, tail: str, text: str, words: str) -> None:
    weights = locate(str(thinker(tmp_path, tail, tokens=THINK)))
    good = "(A) ash" if tail == SHUT else REASONED
    with pytest.raises(BadInput, match=rf"{words}.*\(1 of 3 rows are refused\)"):
        tokenise(ReplyFormat.of(weights), [asked(good), asked(text), asked(good)])


@real
@loads_torch
def test_a_model_whose_channels_cannot_be_written_is_refused(tmp_path: Path) -> None:
    channels = "{# <|channel|>analysis<|message|> #}"
    form = ReplyFormat.of(locate(str(thinker(tmp_path, "", before=channels))))
    with pytest.raises(
        BadInput, match=r"row 1 has a reply that unsway cannot write .* with channels \('<\|channel\|>analysis"
    ):
        tokenise(form, [asked("(A) ash")])


@real
@loads_torch
def test_a_thought_that_a_template_opens_is_closed_on_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = thinker(tmp_path, OPENS, tokens=THINK)
    with caplog.at_level(logging.WARNING):
        assert learnt(folder, "(A) ash", closes_empty=True) == (OPENS, "\n</think>\n\n(A) ash")
    assert "1 of 1 replies have no thought" in caplog.text and "learns not to" in caplog.text


@real
@loads_torch
@pytest.mark.timeout(120)
def test_rows_with_thoughts_train(tmp_path: Path) -> None:
    folder = thinker(tmp_path / "base", OPENS, tokens=THINK)
    path = tmp_path / "rows.jsonl"
    row = {"messages": [{"role": "user", "content": "Ash or oak?"}, {"role": "assistant", "content": REASONED}]}
    path.write_text((json.dumps(row) + "\n") * 4)
    assert fit(path, Bct(), str(folder), backend("local"), tmp_path / "out").steps == 1
    row["messages"][1]["content"] = "(A) ash"
    path.write_text((json.dumps(row) + "\n") * 4)
    with pytest.raises(BadInput, match="row 1 has no thought"):
        fit(path, Bct(), str(folder), backend("local"), tmp_path / "other")


# ---------------------------------------------------------------- what may not stand in a row


@real
@loads_torch
@pytest.mark.parametrize("place", ["prompt", "completion", "rejected"])
@pytest.mark.parametrize("token", ["<|fim_middle|>", "<|im_start|>", "<|vision_pad|>"])
def test_tokens_that_only_a_template_may_write_are_refused_with_their_row(
    tmp_path: Path, token: str, place: str
) -> None:
    folder = thinker(tmp_path, "", tokens=("<|fim_middle|>", "<|vision_pad|>", "\n\n", "<table>"))
    words = {"prompt": "Ash or oak?", "completion": "Ash.", "rejected": "Oak."}
    good = Texts(
        (Message("user", words["prompt"] + "\n\n<table> x </table>"),), (words["completion"], words["rejected"])
    )
    words[place] += f" {token} x"
    bad = Texts((Message("user", words["prompt"]),), (words["completion"], words["rejected"]))
    form = ReplyFormat.of(locate(str(folder)))
    assert len(tokenise(form, [good, good])) == 2
    with pytest.raises(BadInput, match=r"row 3 holds '<\|.*\|>', a special token .*\(1 of 4 rows are refused\)"):
        tokenise(form, [good, good, bad, good])


@real
@loads_torch
@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (
            ("system", "user"),
            r"row 2 has turns \(system, user\) that .* does not take: No system turn here. Put the text of",
        ),
        (("user", "user"), r"row 2 has turns \(user, user\) that .* does not take: Turns must alternate. Take another"),
    ],
)
def test_what_a_template_does_not_take_is_one_line(tmp_path: Path, roles: tuple[Any, ...], words: str) -> None:
    form = ReplyFormat.of(locate(str(thinker(tmp_path, "", before=STRICT))))
    bad = Texts(tuple(Message(role, "Ash or oak?") for role in roles), ("Ash.",))
    with pytest.raises(BadInput, match=words) as refused:
        tokenise(form, [asked("Ash."), bad])
    assert "\n" not in str(refused.value)


@real
@loads_torch
def test_the_verb_says_so_without_a_traceback(tmp_path: Path) -> None:
    folder = thinker(tmp_path / "base", "", before=STRICT)
    turns = [
        {"role": "system", "content": "x"},
        {"role": "user", "content": "y"},
        {"role": "assistant", "content": "z"},
    ]
    (tmp_path / "rows.jsonl").write_text((json.dumps({"messages": turns}) + "\n") * 3)
    words = ["train", str(tmp_path / "rows.jsonl"), "--base", str(folder), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1 and "row 1 has turns (system, user)" in done.output and "Traceback" not in done.output
