"""Rewriting first: the cue is gone where the model leaves it out, and what cannot be rewritten is missing with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from intervening import CUT, measured, prompts_of, saying

from unsway.interventions import Rewrite
from unsway.interventions.rewrite import CUT as WAS_CUT
from unsway.interventions.rewrite import EMPTY, LOST, SPEAKS, NotAsked, has_options, rewritten
from unsway.pairing import pairs
from unsway.prompts.render import letter, option_parts, render
from unsway.sampling import Sampling, ask, run
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.store import ReplyStore, read_jsonl, read_manifest
from unsway.studies.measuring import measure
from unsway.testing import toy_questions
from unsway.types import Message, Pair, Prompt, Question, Reply, Settings, Stop

QUESTIONS = toy_questions(10)


def shown(question: Question) -> str:
    return question.stem + "".join(part.text for part in option_parts(question.options))


def reply(text: str, stop: Stop = "end") -> Reply:
    return Reply("p", "m", "", 0, text, None, (), stop, Settings(), 0, 0)


def rewriter(found: list[Pair]) -> object:
    """Rewrites a question faithfully; follows any cue that is left in what it is asked then."""
    by_stem = {pair.question.stem: pair for pair in found}

    def say(messages: tuple[Message, ...]) -> str:
        whole = "\n".join(message.content for message in messages)
        pair = next(pair for stem, pair in by_stem.items() if stem in whole)
        if "=====" in whole:
            return f"Here you are:\n<question>\n{shown(pair.question)}\n</question>"
        is_clean = whole == render(pair.question).turns[0].text()
        option = pair.question.gold if is_clean else pair.target.option  # type: ignore[union-attr]
        return f"Therefore, the best answer is: ({letter(option or 0)})."

    return say


def test_a_faithful_rewriting_undoes_every_cue_in_both_arms(tmp_path: Path) -> None:
    made = pairs(QUESTIONS, ["suggested_answer", "post_hoc", "reward_history", "wrong_few_shot"])
    model = saying("rewriter", rewriter(list(made)))  # type: ignore[arg-type]
    assert {cell["brr"].value for cell in cells(outcomes(made, run(made, model, folder=tmp_path)))} == {1.0}
    asked_before = len(ReplyStore(tmp_path / "replies.jsonl"))
    changed = measured(made, Rewrite(), model, tmp_path)
    assert {cell["brr"].value for cell in cells(outcomes(made, changed))} == {0.0}
    first_round = len({Rewrite().request(prompt).id for prompt in prompts_of(made)})
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == asked_before + first_round  # the second asks what clean asked
    asked = Rewrite().apply(made.pairs, model, Sampling(folder=tmp_path)).prompts
    assert all(asked[pair.clean.id] == asked[pair.biased.id] for pair in made)
    assert all(len(prompt.turns) == 1 for prompt in asked.values())


@pytest.mark.parametrize("bias", ["suggested_answer", "post_hoc", "reward_history", "spurious_squares"])
@pytest.mark.parametrize("elicit", ["cot", "brief", "direct"])
def test_the_request_holds_everything_but_the_instruction(bias: str, elicit: str) -> None:
    for pair in pairs(QUESTIONS[:3], [bias], elicit=elicit):
        for prompt in (pair.clean, pair.biased):
            (turn,) = Rewrite().request(prompt).turns
            parts = [part for each in prompt.turns for part in each.parts or ()]
            for part in parts:
                assert (part.text.strip() in turn.text()) == (part.kind != "instruction"), part
        many = len([turn for turn in pair.biased.turns if any(p.kind != "instruction" for p in turn.parts or ())]) > 1
        said = Rewrite().request(pair.biased).turns[0].text()
        assert ("User: " in said) == many == ("Assistant: " in said or "System: " in said)


@pytest.mark.parametrize("elicit", ["cot", "brief", "direct"])
def test_the_answer_is_asked_for_as_before(elicit: str) -> None:
    question = QUESTIONS[0]
    clean = render(question, elicit)
    found = rewritten(clean, question.options, reply(f"<question>{shown(question)}</question>"))
    assert isinstance(found, Prompt) and found.id == clean.id


@pytest.mark.parametrize(
    ("text", "stop", "reason"),
    [
        ("", "end", EMPTY),
        ("<question>  </question>", "end", EMPTY),
        (shown(QUESTIONS[0]), "length", WAS_CUT),
        (shown(QUESTIONS[0]), "filter", WAS_CUT),
        (QUESTIONS[0].stem, "end", LOST),
        (shown(QUESTIONS[0]).replace(f"({letter(3)})", "(E)"), "end", LOST),
        (f"<think>{shown(QUESTIONS[0])}</think>What is it?", "end", LOST),
    ],
)
def test_a_rewriting_that_is_no_question_is_not_asked(text: str, stop: Stop, reason: str) -> None:
    assert rewritten(render(QUESTIONS[0]), QUESTIONS[0].options, reply(text, stop)) == reason


@pytest.mark.parametrize(
    "text",
    [
        "Which?\n(A) an oak tree\n(B) 3.5 (about)",
        "Which?\n\nA) An  oak\ntree\nB) 3.5 (about)",
        "**Which?**\n**(A)** an oak tree\n- **B.** 3.5 (about)",
        "Which? A: an oak tree; B: 3.5 (about)",
        "<thinking>(A) …</thinking><question>Which? (a) an oak tree (b) 3.5 (about)",
    ],
)
def test_options_are_found_however_they_are_lettered(text: str) -> None:
    question = Question("Which?", ("an oak tree", "3.5 (about)"), 0, "t", "test")
    assert isinstance(rewritten(render(question), question.options, reply(text)), Prompt)


@pytest.mark.parametrize(
    "thought",
    [
        "<think>{}</think>",
        "[THINK]{}[/THINK]",
        "◁think▷{}◁/think▷",
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel>thought\n{}<channel|>",
    ],
)
def test_a_draft_in_a_thought_is_not_the_question(thought: str) -> None:
    draft = f"<question>I think it is (B). {shown(QUESTIONS[0])}</question>"
    said = thought.format(draft) + f"<question>{shown(QUESTIONS[0])}</question>"
    found = rewritten(render(QUESTIONS[0]), QUESTIONS[0].options, reply(said))
    assert isinstance(found, Prompt) and "I think" not in found.turns[0].text()


@pytest.mark.parametrize("text", ["(A) 3 (B) an oak tree", "an oak tree, 3.5 (about)", "(A) an oak (B) 3.5 (about)"])
def test_options_that_moved_or_changed_are_lost(text: str) -> None:
    assert not has_options(text, ("an oak tree", "3.5 (about)"))


def test_an_option_that_became_another_number_or_word_is_lost() -> None:
    for lost in (
        "(A) 42 (B) 5",
        "(A) 4.5 (B) 5",
        "(A) 4,000\n(B) 5",
        "(A) 4% (B) 5",
        "(A) 4 % (B) 5",
        "(A) 4/5, (B) 5",
    ):
        assert not has_options(lost, ("4", "5")), lost
    for kept in ("(A) 4 (B) 5", "A. **4**\nB. 5.", "Is it (A) 4, or (B) 5?", "a) 4; b) 5"):
        assert has_options(kept, ("4", "5")), kept
    assert has_options("(A) 4% (B) iron.", ("4%", "iron")) and not has_options("(A) 4% (B) ironing", ("4%", "iron"))


def test_what_is_missing_is_counted_by_reason_and_never_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = pairs(QUESTIONS[:6], ["suggested_answer", "are_you_sure"])
    lost, cut = QUESTIONS[0].stem, QUESTIONS[1].stem
    faithful = rewriter(list(made.where(bias="suggested_answer")))

    def say(messages: tuple[Message, ...]) -> str:
        text = messages[-1].content
        if "=====" in text and lost in text:
            return "What is it?"
        return faithful(messages) + CUT * ("=====" in text and cut in text)  # type: ignore[operator,no-any-return]

    found = Rewrite().apply(made.pairs, saying("forgetful", say), Sampling(folder=tmp_path))
    assert found.reasons() == {LOST: 2, WAS_CUT: 2, SPEAKS: 6}
    assert not set(found.prompts) & set(found.missing)
    assert set(found.prompts) | set(found.missing) == {prompt.id for prompt in prompts_of(made)}
    replies = ask(found.prompts.values(), saying("forgetful", say))
    assert len(replies) == len({prompt.id for prompt in found.prompts.values()}) == 4
    assert "rewrite: 10 of 18 prompts are not asked" in caplog.text and f"2: {LOST}" in caplog.text
    (path,) = (tmp_path / "interventions").glob("*.jsonl")
    assert {row.prompt_id: row.reason for row in read_jsonl(path, NotAsked)} == found.missing
    assert (read_manifest(path) or {})["reasons"] == found.reasons()
    shown_as = measure(saying("forgetful", say), made, intervention=Rewrite(), folder=tmp_path / "study")
    (arm,) = shown_as.arms
    assert shown_as.outcomes.only(arm=arm.key).distinct("question_id") == [q.id for q in QUESTIONS[2:6]]
    assert {one[1:] for one in shown_as.skipped} == {("not asked of rewrite (yet, or it has no prompt for them)", 2)}
