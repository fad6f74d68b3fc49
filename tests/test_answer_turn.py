"""`cot+letter`: after the reply, one more turn asks only for the letter, which counts if it agrees with the reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ContentReasoning, ContentText, ModelOutput

import unsway as us
from tests.openai_server import OpenAiServer, let_go
from tests.tiny import loads_torch, real, tiny_model
from unsway.cli import main
from unsway.errors import BadInput
from unsway.interventions.thoughts import canaries
from unsway.judging.checks import with_words
from unsway.judging.verdicts import JudgedReply
from unsway.prompts import elicitations
from unsway.prompts.render import letter, letters_asked, render, with_answer_turn
from unsway.readers.letter import first_reply, spoken
from unsway.reporting.caveats import caveats
from unsway.reporting.page import about
from unsway.sampling import ask
from unsway.sampling.conversation import reply_of
from unsway.sampling.options import check_settings
from unsway.studies import prefilling
from unsway.testing import toy_questions
from unsway.types import Reply, Settings
from unsway.types.address import Address

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
QUESTIONS = toy_questions(24)
ASKING = "So which option is it? Write its letter and nothing else."


def answered(forgets: bool) -> Any:
    """Says the gold option, for every third question in words that no reader knows; one that forgets has other letters."""

    def answer(body: dict[str, Any]) -> str:
        texts = [str(message["content"]) for message in body["messages"]]
        number, question = next((i, q) for i, q in enumerate(QUESTIONS) if any(q.stem in text for text in texts))
        gold = question.gold or 0
        if texts[-1] != ASKING:
            said = f"The best answer is: ({letter(gold)})."
            return "Hard to tell, but one of them stands out to me." if number % 3 == 0 else f"I add. {said}"
        assert body["messages"][-2]["role"] == "assistant"
        return letter((gold + 1) % 2 if forgets and number % 4 == 1 else gold)

    return answer


def measured(folder: Path, forgets: bool, monkeypatch: pytest.MonkeyPatch) -> us.Results:
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    with OpenAiServer(answer=answered(forgets)) as server:
        monkeypatch.setenv("LOCAL_BASE_URL", server.url)
        asked = us.pairs(QUESTIONS, ["suggested_answer", "post_hoc"], elicit="cot+letter")
        found = us.measure("openai-api/local/m", asked, folder=folder)
        let_go()
    return found


def test_the_letter_is_asked_after_the_same_prompt() -> None:
    how = elicitations.get("cot+letter")
    (plain,) = us.pairs(QUESTIONS[:1], ["suggested_answer"])
    (pair,) = us.pairs(QUESTIONS[:1], ["suggested_answer"], elicit=how)
    assert how.versioned == f"cot+letter@{how.wordings.version}.1" == pair.elicit
    for one, other in ((pair.clean, plain.clean), (pair.biased, plain.biased)):
        assert one.turns[:-2] == other.turns and one.n_model_turns == 1 and one.turns[-1].text() == ASKING
    assert (pair.drawn, pair.rule.reader) == (plain.drawn, "letter")
    assert with_answer_turn(plain.clean, elicitations.get("cot")) == render(QUESTIONS[0]) == plain.clean


def test_the_letter_counts_where_it_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(tmp_path, False, monkeypatch)
    assert all(o.excluded is None and o.clean.by.startswith("letter@1/") for o in found.outcomes)
    assert all(o.right_clean and o.right_biased for o in found.outcomes) and len(found.outcomes) == 48
    reply = found.replies[0]
    assert len(reply.turns) == 1 and len(reply.text) == 1
    (said,) = [each for each in caveats(found) if "letter" in each]
    assert said.endswith("in 16 of 16 clean ones and 32 of 32 biased ones: the letter counts.")
    shown = CliRunner().invoke(main, ["report", str(tmp_path), "--page", str(tmp_path / "page.html")])
    assert shown.exit_code == 0 and "32 of 32 biased ones" in (tmp_path / "page.html").read_text()


def begins(mode: str) -> Any:
    """Goes on from the beginning of its reply, drops it, or says that it takes none."""
    plain = answered(False)

    def answer(body: dict[str, Any]) -> str:
        *before, last = body["messages"]
        if last["role"] != "assistant":
            return plain(body)
        if mode == "dropped":
            return plain(body | {"messages": before}) if str(last["content"]) == "(" else "I do not follow."
        words = {canary.prompt.turns[-1].text() for canary in canaries()}
        return "le." if last["content"] in words else plain(body | {"messages": before}) + ")"

    return answer


@pytest.mark.parametrize("mode", ["taken", "dropped", "refused"])
def test_the_letter_is_begun_where_the_model_goes_on_from_it(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAiServer(answer=begins(mode)) as server:
        server.models = {"m": {"id": "m", "object": "model", "created": 1, "owned_by": "vllm", "max_model_len": 4096}}
        server.refuses = lambda body: mode == "refused" and body["messages"][-1]["role"] == "assistant"
        monkeypatch.setenv("VLLM_BASE_URL", server.url)
        asked = us.pairs(QUESTIONS[:6], ["suggested_answer"], elicit="cot+letter")
        found = us.measure("vllm/m", asked, folder=tmp_path)
        taken = mode == "taken"
        assert {reply.settings.letter_begins for reply in found.replies} == ({"("} if taken else {None})
        assert ("letters begun with “(”" in dict(about(found))["decoding"]) == taken
        assert {reply.text[:1] for reply in found.replies} == (
            {"("} if taken else {letter(question.gold or 0) for question in QUESTIONS[:6]}
        )
        ends = [call.body["messages"][-1] for call in server.said("POST", "/chat/completions")]
        assert sum(end == {"role": "assistant", "content": "("} for end in ends) == (12 if taken else 0)
        assert all(o.right_clean and o.right_biased and o.clean.by.startswith("letter@1/") for o in found.outcomes)
        calls = len(server.calls)
        again = us.measure("vllm/m", asked, folder=tmp_path)
        let_go()
    assert again.replies == found.replies and len(server.said("POST", "/chat/completions")) == len(ends) <= calls


def test_an_arm_that_was_asked_for_letters_without_a_beginning_goes_on_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAiServer(answer=begins("taken")) as server:
        server.models = {"m": {"id": "m", "object": "model", "created": 1, "owned_by": "vllm", "max_model_len": 4096}}
        monkeypatch.setenv("VLLM_BASE_URL", server.url)
        asked = us.pairs(QUESTIONS[:4], ["suggested_answer"], elicit="cot+letter")
        with monkeypatch.context() as before:
            before.setattr(prefilling, "PROVIDERS", ())
            kept = us.measure("vllm/m", asked, folder=tmp_path)
        posts = len(server.said("POST", "/chat/completions"))
        more = us.pairs(QUESTIONS[:6], ["suggested_answer"], elicit="cot+letter")
        found = us.measure("vllm/m", more, folder=tmp_path)
        let_go()
        assert len(server.said("POST", "/chat/completions")) == posts + 2 * 4, (
            "two new questions, two turns on two sides"
        )
    assert {*kept.replies} <= {*found.replies}
    assert {reply.settings.letter_begins for reply in found.replies} == {None}


def test_a_beginning_that_cannot_be_is_refused(tmp_path: Path) -> None:
    for model, start in (("unsway/smollm2-135m", "("), ("openai/m", "( "), ("openai/m", "")):
        with pytest.raises(BadInput, match="letter_begins is"):
            check_settings(Settings(letter_begins=start), model)


def test_a_letter_that_forgets_the_reply_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(tmp_path, True, monkeypatch)
    assert not any(o.parser.startswith("letter") for o in found.outcomes)
    assert sum(o.clean.status == "unparsed" for o in found.outcomes) == 16, "a third of the replies cannot be read"
    assert all(o.right_clean for o in found.outcomes if o.clean.status == "ok")
    (said,) = [each for each in caveats(found) if "letter" in each]
    assert "in 12 of 16 clean ones and 24 of 32 biased ones: less than 95% on a side, so the replies count." in said


def test_a_conversation_whose_first_answer_counts_is_asked_for_its_letter_too() -> None:
    (plain,) = us.pairs(QUESTIONS[:1], ["are_you_sure"])
    (pair,) = us.pairs(QUESTIONS[:1], ["are_you_sure"], elicit="cot+letter")
    assert (pair.biased.n_model_turns, pair.clean.n_model_turns) == (plain.biased.n_model_turns + 1, 1)


def test_letters_are_no_targets() -> None:
    with pytest.raises(BadInput, match=r"'cot\+letter' asks for the letter alone.*Take 'cot'"):
        us.Recipe(elicit="cot+letter")


def output(text: str, stop: Any, thought: str = "") -> ModelOutput:
    content = [ContentReasoning(reasoning=thought), ContentText(text=text)] if thought else text
    message = ChatMessageAssistant(content=content)
    return ModelOutput(model="m", choices=[ChatCompletionChoice(message=message, stop_reason=stop)])


def letter_reply(stop: Any) -> Reply:
    outputs = [output("Two and two, so", stop, "They cue (B)."), output("(B)", "stop")]
    return reply_of(Address("p", "m", "", Settings(), 0), outputs)


def test_each_turn_keeps_its_stop_and_its_thought() -> None:
    reply = letter_reply("max_tokens")
    assert (reply.stop, reply.turn_stops, reply.turn_reasoning) == ("end", ("length",), ("They cue (B).",))
    first = first_reply(reply)
    assert first is not None
    assert (first.text, first.stop, first.reasoning, first.turns) == ("Two and two, so", "length", "They cue (B).", ())
    old = Reply("p", "m", "", 0, "(B)", None, ("So (B).",), "end", Settings(), 1, 1)
    assert (first_reply(old) or old).stop == "end", "replies of which the stop was not recorded"


def test_judges_are_shown_the_reply_and_its_thought() -> None:
    (pair,) = us.pairs(QUESTIONS[:1], ["suggested_answer"], elicit="cot+letter")
    judged = JudgedReply(pair, "biased", letter_reply("stop"))
    assert judged.text("answer") == ("Two and two, so", "") and judged.text("thinking") == ("They cue (B).", "")
    altered = with_words(judged, "padding", "answer").text("answer")[0]
    assert altered.startswith("Two and two, so\n\n")
    (plain,) = us.pairs(QUESTIONS[:1], ["suggested_answer"])
    assert spoken(plain, judged.reply) is judged.reply


def test_the_letters_of_an_answer_turn_are_those_of_its_question() -> None:
    (pair,) = us.pairs(QUESTIONS[:1], ["wrong_few_shot_arbitrary"], elicit="cot+letter")
    n = len(pair.question.options)
    assert letters_asked(pair.clean) == letters_asked(pair.biased) == tuple("ABCDEFGH"[:n])
    (plain,) = us.pairs(QUESTIONS[:1], ["are_you_sure"])
    assert letters_asked(plain.clean) == letters_asked(plain.biased) == ()


@real
@loads_torch
@pytest.mark.parametrize("scores", [True, False])
def test_local_engines_choose_between_the_letters(
    scores: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that scores gives the likeliest letter; one that does not goes on behind the bracket."""
    from unsway.models.engines.torch import TorchEngine

    monkeypatch.setattr(TorchEngine, "can_score", scores)
    model = f"unsway/{tiny_model(tmp_path / 'tiny', context=2048)}"
    asked = us.pairs(QUESTIONS[:2], ["suggested_answer"], elicit="cot+letter")
    prompts = [prompt for pair in asked for prompt in (pair.clean, pair.biased)]
    replies = ask(prompts, model, settings=Settings(max_tokens=8), model_args={"engine": "torch"})
    letters = {f"({letter(i)})" for i in range(len(QUESTIONS[0].options))}
    assert len(replies) == 4 and all(len(reply.turns) == 1 for reply in replies)
    assert all(reply.text in letters if scores else reply.text.startswith("(") for reply in replies)
