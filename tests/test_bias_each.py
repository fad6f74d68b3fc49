"""Each bias by itself: what its cue says and where."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from biasing import (
    ONE_TURN,
    build,
    even,
    labelled_right,
    questions,
    shot_texts,
)

from unsway import biases, sources
from unsway.pairing import pairs
from unsway.prompts.render import letter, render
from unsway.testing import toy_questions
from unsway.types import AnyChange, Part, Question


def test_are_you_sure_lets_the_model_speak_twice() -> None:
    declared = biases.get("are_you_sure")
    assert (declared.clean, declared.needs_first_answer, declared.target) == ("zero", True, "away_from_gold")
    for elicit in ONE_TURN:
        pair = build(["are_you_sure"], elicit).pairs[0]
        own = pair.biased.turns[-5:]
        assert [t.role for t in own] == ["user", "assistant", "user", "assistant", "user"]
        assert [t.parts is None for t in own] == [False, True, False, True, False]
        assert own[0].text().startswith(pair.question.stem) and "letter" in own[0].text()
        assert pair.question.stem not in own[4].text() and own[4].parts[-1] == pair.clean.turns[-1].parts[-1]  # type: ignore[index]
        said = pair.biased.messages(("A", "Yes."))
        assert [m.role for m in said[-5:]] == ["user", "assistant", "user", "assistant", "user"]


def test_are_you_sure_skips_questions_without_gold() -> None:
    built = pairs([replace(questions()[0], gold=None)], ["are_you_sure"], aim="any")
    assert not built.pairs and "gold" in built.skipped[0].reason


def test_post_hoc_plants_an_answer_between_options_and_instruction() -> None:
    for pair in build(["post_hoc"]):
        asked, planted, request = pair.biased.turns
        assert asked.text() == "".join(p.text for p in pair.clean.turns[0].parts[:-1])  # type: ignore[index]
        assert f"({letter(pair.target.option)})" in planted.text()  # type: ignore[union-attr]
        assert request.parts[-1] == pair.clean.turns[0].parts[-1]  # type: ignore[index]


@pytest.mark.parametrize("elicit", ONE_TURN)
@pytest.mark.parametrize("name", ["wrong_few_shot", "wrong_few_shot_arbitrary"])
def test_wrong_few_shot(name: str, elicit: str) -> None:
    context: list[bool] = []
    sizes: Counter[int] = Counter()
    for pair in build([name], elicit, n=60):
        planted = [shot for shot in shot_texts(pair.biased) if shot.startswith(pair.question.stem)]
        others = [shot for shot in shot_texts(pair.biased) if not shot.startswith(pair.question.stem)]
        assert len(planted) == 1 and f"({letter(pair.target.option)})" in planted[0].split("\n\n")[-1]  # type: ignore[union-attr]
        sizes[len(others)] += 1
        context += map(labelled_right, others)
    assert set(sizes) == {1, 2, 3, 4}
    even(list(sizes.values()), "number of other examples")
    share = sum(context) / len(context)
    assert share == 1 if name == "wrong_few_shot" else 0.3 < share < 0.45


@pytest.mark.parametrize(("name", "sign", "n"), [("spurious_squares", " ⬛", 5), ("check_marks", " ✓", 3)])
def test_marks_stand_behind_right_options_and_the_cued_one(name: str, sign: str, n: int) -> None:
    for pair in build([name]):
        examples = shot_texts(pair.biased)
        assert len(examples) == n and all(map(labelled_right, examples))
        assert all(shot.count(sign) == 1 for shot in examples)
        parts = pair.biased.turns[-1].parts or ()
        at = parts.index(Part("cue", sign))
        assert parts[at - 1].text.endswith(pair.question.options[pair.target.option])  # type: ignore[union-attr]


def test_always_same_letter() -> None:
    for pair in build(["always_same_letter"]):
        shown = letter(pair.target.option)  # type: ignore[union-attr]
        examples = shot_texts(pair.biased)
        assert len(examples) == 4 and all(map(labelled_right, examples))
        assert all(shot.endswith(f"({shown}).") for shot in examples)
    many = Question("Which?", tuple("abcdefgh"), 0, "t", "test")
    built = [pairs([many], ["always_same_letter"], seed=seed) for seed in range(30)]
    assert {bool(each.pairs) for each in built} == {True, False}
    assert all("no option" in each.skipped[0].reason for each in built if each.skipped)


def test_distractor_facts_are_true() -> None:
    texts = ("Oak tree", "pine", "“Ash”", "42", "élan", "\u200bzinc", "مرحبا", "(b) or c")
    for seed in range(40):
        question = Question("Which?", texts, 7, "t", "test")
        pair = pairs([question], ["distractor_fact"], seed=seed).pairs[0]
        option = texts[pair.target.option]  # type: ignore[union-attr]
        fact = pair.biased.cue()
        place_ = re.search(r"(?:number|place|letter) (\d+)(?!\d* characters)", fact.split("<fact>")[1])
        if option in ("Oak tree", "pine", "“Ash”", "\u200bzinc"):
            first = option.strip("“\u200b")[0].lower()
            assert place_ and chr(96 + int(place_[1])) == first and re.search(rf"\b{first}\b", fact)
        else:
            assert re.search(rf"\b{len(option)}\b", fact) and option[0] in fact


def test_hindsight_examples_part_in_the_clean_arm_only() -> None:
    for pair in build(["spurious_hindsight"]):
        agree = {
            arm: [_agrees(shot) for shot in shot_texts(prompt)]
            for arm, prompt in (("c", pair.clean), ("b", pair.biased))
        }
        assert agree["b"] == [True] * 10 and sum(agree["c"]) == 5
        labels = [[shot.split("\n\n")[-1] for shot in shot_texts(p)] for p in (pair.clean, pair.biased)]
        assert labels[0] == labels[1] and _labels_yes(shot_texts(pair.biased)) == 5
        assert not _agrees(pair.question.stem + "\n\nAnswer: " + f"({letter(pair.question.gold or 0)})", pair.question)


def _agrees(shot: str, question: Question | None = None) -> bool:
    """Whether the outcome of a gamble goes with its label."""
    won = re.search(r"\bwon \d+ coins", shot) is not None
    return won == (_labels_yes([shot], question) == 1)


def _labels_yes(texts: list[str], question: Question | None = None) -> int:
    count = 0
    for shot in texts:
        label = shot.split("Answer: ")[1]
        yes = f"{label} Yes" in shot if question is None else question.options[ord(label[1]) - 65] == "Yes"
        count += yes
    return count


def test_hindsight_skips_what_is_no_gamble() -> None:
    built = pairs(toy_questions(2, n_options=2), ["spurious_hindsight"])
    assert not built.pairs and all("gambles" in each.reason for each in built.skipped)


def test_gambles_turn_out_against_their_expected_value() -> None:
    for question in sources.load("gambles", 200):
        chance = {
            k: (int(p), int(c))
            for p, k, c in re.findall(r"chance of (\d+) percent to (win|lose) (\d+) coins", question.stem)
        }
        value = chance["win"][0] * chance["win"][1] - chance["lose"][0] * chance["lose"][1]
        assert chance["win"][0] + chance["lose"][0] == 100
        assert question.options[question.gold or 0] == ("Yes" if value > 0 else "No")
        assert (re.search(r"\bwon \d+ coins", question.stem) is not None) == (value < 0)


def test_positional_swaps_and_needs_no_gold() -> None:
    declared = biases.get("positional")
    assert (declared.kind, declared.clean, declared.target) == ("substitution", "zero", "change")
    loaded = sources.load("comparisons", 10)
    for pair in pairs(loaded, ["positional"]):
        assert pair.order == (1, 0) and pair.target == AnyChange()
        assert pair.clean == render(pair.question)
        assert pair.biased == render(replace(pair.question, options=pair.question.options[::-1]))
    built = pairs(toy_questions(3), ["positional"])
    assert not built.pairs and {s.reason for s in built.skipped} == {"positional takes 2 to 2 options, and there are 4"}


def test_reward_history_favours_the_cued_option() -> None:
    for pair in build(["reward_history"]):
        rewards = [int(n) for n in re.findall(r"^\([A-Z]\): reward (\d+)$", pair.biased.turns[0].text(), re.MULTILINE)]
        assert pair.biased.turns[0].role == "system" and len(rewards) == len(pair.question.options)
        assert rewards.index(max(rewards)) == pair.target.option and sorted(rewards)[-2] < 50 < max(rewards)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["metadata_hint", "grader_code", "leaked_answer_key", "earlier_answer"])
def test_hints_name_the_cued_option_and_no_other(name: str) -> None:
    for pair in build([name]):
        cue = pair.biased.cue() if name != "earlier_answer" else pair.biased.turns[-2].text()
        named = set(re.findall(r"(?<![\w{])\(?([A-Z])\)?(?![\w}])", re.sub(r"\bI\b|\bA (?=[a-z])", "", cue)))
        assert letter(pair.target.option) in named and len(named) == 1, cue  # type: ignore[union-attr]
