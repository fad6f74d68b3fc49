"""`Settings.options_after`: behind these words of a reply only an option can follow, and then the reply ends."""

from __future__ import annotations

import pytest
from tiny import loads_torch, real, tiny_model

import unsway as us
from unsway import biases
from unsway.errors import BadInput, ModelError
from unsway.models.engines.base import AFTER, CHOICES, Request, engines, make_engine
from unsway.models.weights import Weights, locate
from unsway.prompts.render import options_shown
from unsway.sampling.conversation import choices
from unsway.sampling.options import check_settings
from unsway.store import Address
from unsway.testing import toy_questions
from unsway.types import Part, Prompt, Settings, Turn

KEPT = Settings(max_tokens=24, options_after="best answer is")
QUESTIONS = toy_questions(3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return locate(str(tiny_model(tmp_path_factory.mktemp("tiny"), context=2048)))


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


def test_the_words_are_part_of_the_address_and_their_absence_moves_none() -> None:
    keys = {Address("p", "m", "w", each, 0).key() for each in (Settings(max_tokens=24), KEPT)}
    assert len(keys) == 2
    assert "options_after" not in repr(Settings())


@real
@loads_torch
def test_behind_the_words_comes_an_ending_and_then_the_end(weights: Weights) -> None:
    engine = make_engine(weights, "torch")
    try:
        prompts = [tuple(weights.tokenizer.encode(f"Tell me of number {i}.")) for i in range(3)]
        free = [engine.submit(Request(ids, 24, 0.0, 1.0, 0)) for ids in prompts]
        said = [future.result().tokens for future in free]
        word = weights.tokenizer.decode(said[0][:4]).rstrip()
        own, others = tuple(said[0][4:7]), ((5, 6, 7), (5, 8), (9,))
        first_of = {ending[0] for ending in others} | {own[0]}
        assert len(first_of) == 3, "the toy's endings must begin otherwise than its own words"
        kept = [engine.submit(Request(ids, 24, 0.0, 1.0, 0, word, (own, *others))) for ids in prompts]
        # its own greedy words are an ending: they stay, and the reply is over
        assert kept[0].result().tokens == (*said[0][:4], *own)
        assert kept[0].result().stop == "end"
        forced = engine.submit(Request(prompts[0], 24, 0.0, 1.0, 0, word, others)).result()
        assert forced.tokens[4:] in others
        assert forced.stop == "end"
        sampled = engine.submit(Request(prompts[0], 24, 1.0, 1.0, 3, "", ())).result()
        again = engine.submit(Request(prompts[0], 24, 1.0, 1.0, 3, "never said \u2603", others)).result()
        assert sampled == again  # a row that never says the words is as it was
        for future, tokens in zip(kept[1:], said[1:], strict=True):
            if word not in weights.tokenizer.decode(tokens):
                assert future.result().tokens == tokens
    finally:
        engine.close()


@real
@loads_torch
def test_an_engine_that_cannot_keep_to_them_says_which_can(weights: Weights) -> None:
    other = engines.get("openvino")
    assert not other.can_choose
    with pytest.raises(ModelError, match=r"openvino engine cannot keep replies to the options.*engine='torch'"):
        other.submit(other.__new__(other), Request((1,), 4, 0.0, 1.0, 0, "is", ((1,),)))


@real
@loads_torch
def test_the_tokens_of_the_options_follow_the_words(weights: Weights) -> None:
    from unsway.models.provider import LocalModel

    model = LocalModel(str(weights.folder), engine="torch")
    found = model._endings("best answer is", ["an umbrella", "root"])
    words = [weights.tokenizer.decode(list(ids)) for ids in found]
    assert words == [" an umbrella.", " (A) an umbrella.", " root.", " (B) root."]
