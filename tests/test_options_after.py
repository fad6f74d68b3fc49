"""`Settings.options_after`: behind these words of a reply only an option can follow, and then the reply ends."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from inspect_ai.model import ChatMessage, ModelOutput, ModelUsage

import unsway as us
from tests.tiny import loads_torch, real, tiny_model
from unsway import biases
from unsway.errors import BadInput, ModelError
from unsway.models.engines.base import AFTER, CHOICES, Engine, Generation, Pending, Request, make_engine
from unsway.models.engines.torch import RowEndings
from unsway.models.provider import endings
from unsway.models.weights import Weights, locate
from unsway.prompts.render import options_shown
from unsway.readers.parse import read
from unsway.reporting.caveats import caveats
from unsway.reporting.page import about
from unsway.sampling.conversation import choices, converse
from unsway.sampling.options import check_settings
from unsway.testing import toy_questions
from unsway.types import Part, Prompt, Reply, Settings, Turn
from unsway.types.address import Address

KEPT = Settings(max_tokens=24, options_after="best answer is")
FORCED = replace(KEPT, force_answer="So the best answer is")
QUESTIONS = toy_questions(3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return locate(str(tiny_model(tmp_path_factory.mktemp("tiny"), context=2048)))


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """Its replies are words at random; that of equal embeddings says one token again and again."""
    return locate(str(tiny_model(tmp_path_factory.mktemp("talker"), context=2048, spoilt="zebra")))


@pytest.mark.parametrize("bias", [name for name in biases.names() if "arguments" not in biases.get(name).wants])
def test_the_options_are_those_of_the_question_whatever_the_cue_does(bias: str) -> None:
    found = us.pairs(QUESTIONS, [bias], elicit="worked")
    for pair in found:
        if pair.question.is_request:
            continue
        assert options_shown(pair.clean) == pair.question.options
        assert options_shown(pair.biased) == pair.question.options


def test_who_is_asked_gets_the_options_and_the_words() -> None:
    (pair,) = us.pairs(QUESTIONS[:1], ["suggested_answer"], elicit="worked")
    assert choices(pair.biased, 0, "unsway/smollm2-135m", KEPT) == {
        CHOICES: list(QUESTIONS[0].options),
        AFTER: "best answer is",
    }
    assert choices(pair.biased, 0, "unsway/smollm2-135m", Settings()) is None
    bare = Prompt((Turn("user", (Part("stem", "Say a word."),)),))
    with pytest.raises(BadInput, match="shows no options"):
        choices(bare, 0, "unsway/smollm2-135m", KEPT)


def test_hosted_models_and_blank_words_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(BadInput, match=r"local models alone.*openai/gpt-4o"):
        check_settings(KEPT, "openai/gpt-4o")
    with pytest.raises(BadInput, match="not blank"):
        check_settings(Settings(options_after=" "), "unsway/smollm2-135m")
    for alone in (replace(FORCED, options_after=None), replace(FORCED, force_answer=" ")):
        with pytest.raises(BadInput, match="Name both"):
            check_settings(alone, "unsway/smollm2-135m")


def test_the_words_are_part_of_the_address_and_their_absence_moves_none() -> None:
    keys = {Address("p", "m", "w", each, 0).key() for each in (Settings(max_tokens=24), KEPT)}
    assert len(keys) == 2
    assert "options_after" not in repr(Settings())


@real
@loads_torch
@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_behind_the_words_comes_an_ending_and_then_the_end(name: str, talker: Weights) -> None:
    pytest.importorskip("openvino_genai") if name == "openvino" else None
    engine, decode = make_engine(talker, name), talker.tokenizer.decode
    two = us.pairs(QUESTIONS[:2], ["suggested_answer"], elicit="brief")
    asked = [talker.encode(pair.clean.messages()) for pair in two]
    try:

        def said(*more: object, n: int = 2, most: int = 60, temperature: float = 0.0) -> list[Generation]:
            futures = [engine.submit(Request(ids, most, temperature, 1.0, 3, *more)) for ids in asked[:n]]  # type: ignore[arg-type]
            return [future.result() for future in futures]

        free = said()
        words, own = two_words([decode([token]) for token in free[0].tokens])
        before = decode(free[0].tokens).partition(words)[0]
        # its own greedy words are an ending: they stay, and the reply is over
        kept = said(words, (own, " nothing of that."), n=1)
        assert decode(kept[0].tokens) == before + words + own
        assert kept[0].stop == "end"
        forced = said(words, (" a hat.", " two hats."))
        for one, other in zip(forced, free, strict=True):
            begin, found, end = decode(one.tokens).partition(words)
            assert begin == decode(other.tokens).partition(words)[0]
            assert not found or (end in (" a hat.", " two hats.") and one.stop == "end")
        # without words the reply is an ending from its first token on, whatever letters it has
        for ending in (" a hat.", " 110°C.", " 5 µA", " Zoéa, 日本f", '\u00a0"é\\"', " éÀb"):
            (whole,) = said("", (ending,), n=1)
            assert (decode(whole.tokens), whole.stop) == (ending, "end")
        if name == "openvino":
            with pytest.raises(ModelError, match=r"reads '5 °C is' as other words.*engine='torch'"):
                said("5 °C is", (" a hat.",))
        # who never says the words is as it was, sampled too
        short = {"n": 1, "most": 12, "temperature": 1.0}
        assert said("never said", (" a hat.",), **short) == said(**short)  # type: ignore[arg-type]
    finally:
        engine.close()


def two_words(texts: list[str]) -> tuple[str, str]:
    """The first two tokens in a row of a reply that are words."""
    return next(pair for pair in pairwise(texts) if all(re.fullmatch(" [a-z]{3,}", text) for text in pair))


def test_an_engine_that_cannot_keep_to_them_says_which_can() -> None:
    class Plain(Engine):
        name = "plain"

        def serve(self, requests: list[Pending]) -> None: ...

        def free(self) -> None: ...

    with pytest.raises(ModelError, match=r"plain engine cannot restrict replies to the options.*engine='torch'"):
        Plain.submit(Plain.__new__(Plain), Request((1,), 4, 0.0, 1.0, 0, "is", (" this.",)))


def test_an_option_ends_a_reply_in_its_words_without_or_with_its_letter() -> None:
    assert endings(["an umbrella", "root"]) == (" an umbrella.", " (A) an umbrella.", " root.", " (B) root.")


@real
@loads_torch
def test_words_that_join_what_follows_are_refused(weights: Weights) -> None:
    with pytest.raises(ModelError, match="into one token"):
        RowEndings([Request((1,), 4, 0.0, 1.0, 0, "an umbr", ("ella",))], 1, weights.tokenizer, weights.ends)


# ---------------------------------------------------------------- where no answer can be read


def conversed(*said: tuple[str, str]) -> tuple[Reply, list[tuple[str, object]]]:
    """The reply that comes of these outputs (text, stop reason); and how each was asked: its last message, its choices."""
    (pair,) = us.pairs(QUESTIONS[:1], ["suggested_answer"], elicit="worked")
    asked, left = [], list(said)

    async def generate(messages: list[ChatMessage], turn: int) -> ModelOutput:
        asked.append((messages[-1].text, choices(pair.clean, turn, "unsway/smollm2-135m", FORCED)))
        text, stop = left.pop(0)
        output = ModelOutput.from_content("m", text, stop_reason=stop)  # type: ignore[arg-type]
        output.usage = ModelUsage(input_tokens=10, output_tokens=2)
        return output

    address = Address(pair.clean.id, "unsway/smollm2-135m", "w", FORCED, 0)
    return asyncio.run(converse(pair.clean, address, generate)), asked


def test_a_reply_without_an_answer_is_made_to_give_one() -> None:
    option, options = QUESTIONS[0].options[1], list(QUESTIONS[0].options)
    for loop, stop in (("It is this, and it is this, and it", "max_tokens"), ("So that is what I would say.", "stop")):
        reply, asked = conversed((loop, stop), (f" (B) {option}.", "stop"))
        assert reply.text == f"{loop}\nSo the best answer is (B) {option}."
        assert (reply.stop, reply.tokens_in, reply.tokens_out) == ("forced", 20, 4)
        assert read(reply.text, options=options, stop=reply.stop).choice == 1
        assert [kept for _, kept in asked] == [
            {CHOICES: options, AFTER: "best answer is"},
            {CHOICES: options, AFTER: ""},
        ]
        assert asked[1][0] == f"{loop}\nSo the best answer is"


def test_a_reply_with_an_answer_or_a_thought_is_left_as_it_is() -> None:
    option = QUESTIONS[0].options[1]
    for said in (f"So the answer is {option}.", "<think>So many words, none of which"):
        reply, asked = conversed((said, "stop"))
        assert (reply.text, reply.stop, len(asked)) == (said, "end", 1)
    reply, _ = conversed(("It goes on and on", "max_tokens"), (" (B) a", "max_tokens"))
    assert (reply.text, reply.stop) == ("It goes on and on", "length")


@real
@loads_torch
def test_every_pair_counts_where_answers_are_forced(weights: Weights) -> None:
    asked = us.pairs(QUESTIONS, ["suggested_answer"], elicit="brief")
    free, forced = (
        us.measure(str(weights.folder), asked, settings=settings)
        for settings in (replace(FORCED, force_answer=None), FORCED)
    )
    assert all(outcome.excluded for outcome in free.outcomes) and not any(o.excluded for o in forced.outcomes)
    assert {reply.stop for reply in forced.replies} == {"forced"}
    assert "“So the best answer is” and an option" in dict(about(forced))["decoding"]
    assert any("6 of 6 replies had no answer and were made to give one" in caveat for caveat in caveats(forced))
    assert not any("made to" in caveat for caveat in caveats(free))
