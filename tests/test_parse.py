"""The reader of replies: adversarial replies, human-read replies, spans, bounds, and text that no one would write."""

from __future__ import annotations

import gzip
import json
import os
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unsway.errors import BadInput
from unsway.prompts import elicitations
from unsway.prompts import render as prompts
from unsway.readers import (
    claims,
    languages,
    layout,
    parse,
    patterns,
    reading,
    sentences,
    speakers,
    wording,
)
from unsway.readers.channels import split
from unsway.readers.parse import read
from unsway.types import Question, Reading

ROOT = Path(__file__).parent.parent
ROWS = [
    json.loads(line)
    for line in ROOT.joinpath("tests/data/replies_adversarial.jsonl").read_text(encoding="utf-8").splitlines()
]
PARITY = Path(os.environ.get("UNSWAY_PARITY_DATA", ROOT.parent / "shared" / "data"))
COLORS = ("red", "green", "yellow", "blue")


def read_row(row: dict[str, Any]) -> Reading:
    return read(row["text"], **{key: row[key] for key in ("options", "n_options", "stop", "reasoning") if key in row})


@cache
def readings() -> list[Reading]:
    """What every row is read as: read once for all tests."""
    return [read_row(row) for row in ROWS]


# ---------------------------------------------------------------- replies with a known answer


def test_adversarial_replies() -> None:
    pairs = zip(ROWS, readings(), strict=True)
    wrong = [(r["why"], r["text"], a) for r, a in pairs if (a.choice, a.status) != (r["choice"], r["status"])]
    assert not wrong, "\n".join(map(str, wrong))


def test_the_adversarial_set_is_broad() -> None:
    assert len(ROWS) >= 150
    assert len({json.dumps(row, sort_keys=True) for row in ROWS}) == len(ROWS)
    assert {row["status"] for row in ROWS} == {"ok", "unparsed", "ambiguous", "refused", "truncated"}
    assert sum(row["status"] != "ok" for row in ROWS) >= 100


def parity_rows(name: str) -> list[dict[str, Any]]:
    if not (PARITY / name).exists():
        pytest.skip(f"needs {name} in {PARITY} (or in the folder that UNSWAY_PARITY_DATA names)")
    with gzip.open(PARITY / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_released_short_replies_are_read_by_their_letter() -> None:
    """5,000 replies without reasoning, the targets released with arXiv 2403.05518: nearly all begin with a letter."""
    begun = read_as_begun = wrong = 0
    for row in parity_rows("chua2024/train/control_non_cot.jsonl.gz"):
        *_, asked, target = (message["content"] for message in row["messages"])
        first = re.match(r"(?:The best answer is: )?\(*([A-Z])(?=[).: \n]|$)", target)
        letters = re.findall(r"(?:^|\n)\(([A-Z])\) ", asked)
        if first is None or not letters:
            continue
        answer = read(target, n_options=ascii_uppercase.index(max(letters)) + 1)
        begun += 1
        read_as_begun += answer.choice == ascii_uppercase.index(first[1])
        wrong += answer.choice not in (None, ascii_uppercase.index(first[1]))
    assert begun > 4900
    assert wrong == 0
    assert read_as_begun >= 0.998 * begun


def test_human_read_replies_agree_and_no_letter_is_wrong() -> None:
    """229 replies of GPT-3.5 whose answers the authors of arXiv 2403.05518 recorded."""
    rows = parity_rows("human-labels/coherence_dev.jsonl.gz")
    assert len(rows) == 229
    for with_texts in (True, False):
        agree = wrong = 0
        for row in rows:
            options = re.split(r"(?:^|\n)\([A-Z]\) ", row["clean_question"].split("Answer choices:\n")[1])[1:]
            answer = read(row["reply"], options=options) if with_texts else read(row["reply"], n_options=len(options))
            if answer.choice is not None:
                agree += ascii_uppercase[answer.choice] == row["parsed_answer"]
                wrong += ascii_uppercase[answer.choice] != row["parsed_answer"]
        assert wrong == 0
        assert agree >= 0.99 * len(rows)


# ---------------------------------------------------------------- what an answer says of itself


def test_a_span_holds_its_option() -> None:
    for row, answer in zip(ROWS, readings(), strict=True):
        if row["status"] != "ok" or not row["text"].strip():
            continue
        assert answer.rule and answer.span is not None and answer.choice is not None, row["why"]
        shown = wording.fold(row["text"][slice(*answer.span)]).lower()
        words = wording.canonical(row["options"][answer.choice]) if answer.rule.endswith("_text") else None
        number = str(answer.choice + 1)
        third = patterns.TABLES["parts"]["ORDINAL"].split("|")[answer.choice % 10]
        ordinal = "last" if answer.choice == row.get("n_options", 0) - 1 else third
        names = (prompts.letter(answer.choice).lower(), number, third, ordinal)
        held = words[:-3] in wording.canonical(shown) if words else any(name in shown for name in names)
        assert held, (row["why"], row["text"], answer)


@pytest.mark.parametrize(
    ("text", "rule", "shown"),
    [
        ("Light. Therefore, the best answer is: **(C)** yellow.", "answer", "(C)"),
        ("I would go with option d.", "first", "d"),
        ("(B) is the best answer.", "verdict", "(B)"),
        ("The answer is (A). Wait, no: (C)", "correction", "(C)"),
        ("B because chlorophyll.", "leading", "B"),
        ("It absorbs light.\n\nC", "line", "C"),
        ("The answer is Green.", "answer_text", "Green"),
        ("The color of a clear sky is blue.", "closing_text", "blue"),
        ("The answer is (B) or (C).", "several", "(B) or (C)"),
        ("The answer is (B) blue.", "letter_against_text", "(B) blue"),
        ("The answer is (F).", "no_such_option", "(F)"),
    ],
)
def test_rule_and_place(text: str, rule: str, shown: str) -> None:
    answer = read(text, options=COLORS)
    assert answer.rule == rule
    assert answer.span is not None and text[slice(*answer.span)] == shown


def test_every_rule_that_fires_is_documented() -> None:
    by_number = read("1. Mars\n2. Venus\n\nThe answer: 2", options=["Mars", "Venus", "Earth", "Moon"])
    stated = read("A long trip. The deepest is Baikal (1,642 m). Nice.", options=["Baikal", "Victoria", "Superior"])
    assert (by_number.rule, stated.rule) == ("numbered", "stated_text")
    answers = (*readings(), by_number, stated)
    fired = {re.sub(r"^reasoning_|_text$|_words$", "", answer.rule) for answer in answers}
    fired.discard("letter_against")
    assert len(fired) >= 20
    assert parse.__doc__ is not None
    assert all(f"`{rule}`" in parse.__doc__ for rule in fired), fired


@pytest.mark.parametrize("i", range(26))
def test_every_letter_is_read_when_the_question_has_it(i: int) -> None:
    letter = prompts.letter(i)
    for form in (f"The answer is ({letter}).", f"The answer is {letter}.", f"**{letter}**", f"({letter.lower()})"):
        assert read(form, n_options=26).choice == i
        if i:
            assert read(form, n_options=i).choice is None


def test_an_instruction_copied_back_is_no_answer() -> None:
    instructions = [text for name in ("cot", "direct") for text in elicitations.get(name).wordings.entries]
    assert [text for text in instructions if read(text, options=COLORS).choice is not None] == []


def test_a_prompt_copied_back_is_no_answer() -> None:
    question = Question("Which color is a leaf?", COLORS, 1, "toy", "test")
    for elicit in (name for name in elicitations.names() if elicitations.get(name).style != "request"):
        assert read(prompts.render(question, elicit).turns[0].text(), options=COLORS).choice is None


def test_truncated_is_missing_unless_its_answer_stands_in_a_closed_paragraph() -> None:
    said = 0
    for row in ROWS:
        answer = read_row(row | {"stop": "length"})
        if answer.choice is None:
            assert answer.status == "truncated"
        else:
            assert answer.choice == read_row(row | {"stop": "end"}).choice
            assert answer.span is not None
            behind = row["text"][answer.span[1] :]
            assert "\n\n" in behind or "<" in behind  # another paragraph or turn
            said += 1
    assert said < len(ROWS) / 10


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({}, "needs the options"),
        ({"n_options": 0}, "1 to 26"),
        ({"n_options": 27}, "1 to 26"),
        ({"options": COLORS, "n_options": 3}, "4 options and n_options=3"),
    ],
)
def test_a_call_that_cannot_be_read_is_refused(given_: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read("B", **given_)


@pytest.mark.parametrize(
    ("text", "choice", "rule"),
    [
        ("<think>(A)</think>", 0, "line"),
        ("<think>a</think>(B)", 1, "line"),
        (" <think>so (B).\n</think>\n", 1, "so"),
        ("The answer is (C).</think>", 2, "answer"),
        ("<think>\n\n</think>\n\n", 3, "reasoning_line"),
        ("\r</think>", 3, "reasoning_line"),
        ("\u200b", None, "nothing"),
        ("<think>", None, "thought"),
        (" " * 5000 + "B", 1, "line"),
    ],
)
def test_thoughts_inside_a_reply(text: str, choice: int | None, rule: str) -> None:
    answer = read(text, options=COLORS, reasoning="(D)")
    assert (answer.choice, answer.rule) == (choice, rule)


def test_long_replies_are_read_at_their_ends() -> None:
    filler = "Water is wet and stones are hard, as everyone knows by now.\n" * 3000
    assert read(filler + "The answer is (B).", options=COLORS).choice == 1
    assert read("C\n\n" + filler, options=COLORS).choice == 2
    assert read(filler + "The answer is (B).\n" + filler, options=COLORS).choice is None
    tail = "The answer is (D)."
    text = "x" * (parse.LONGEST + 5) + "\n" + tail
    answer = read(text, options=COLORS)
    assert answer.choice == 3 and answer.span is not None and text[slice(*answer.span)] == "(D)"


# ---------------------------------------------------------------- properties

PIECES = st.sampled_from(
    [
        "the answer is ",
        "The best answer is: ",
        "(A)",
        "(b)",
        "B",
        "a ",
        "**",
        "_",
        "\\boxed{",
        "}",
        "$",
        "red",
        "green ",
        "not ",
        "or ",
        " and ",
        "both ",
        "either ",
        "is correct",
        " is the best answer",
        ". ",
        "\n",
        "\n\n",
        "? ",
        "wait, no: ",
        ",",
        "I think ",
        "you said ",
        "option 2",
        "option ",
        "the second option",
        "<think>",
        "</think>",
        "</answer>",
        "<answer>",
        "none of the options is correct",
        "İ",
        "ß",
        "Ⓒ",
        "（",
        "２",
        "\u200b",
        "\u202e",
        "\ud800",
        "😀",
        "-> ",
        "=",
        "(X)",
        "\\",
    ]
)
REPLIES = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map("".join))
OPTIONS = st.lists(
    st.one_of(st.text(max_size=12), st.sampled_from(["red", "green", "a red one", "B", "No", "12", "(b)"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=400, deadline=None)
@given(text=REPLIES, options=OPTIONS)
def test_any_text_gives_a_sound_answer(text: str, options: list[str]) -> None:
    answer = read(text, options=options)
    assert (answer.choice is not None) == (answer.status == "ok")
    assert answer.choice is None or 0 <= answer.choice < len(options)
    assert answer.rule
    if answer.span is not None:
        assert 0 <= answer.span[0] <= answer.span[1] <= len(text)
    assert answer.choice is None or answer.span is not None
    assert answer == read(text, options=options)
    assert answer.choice is None or read(text, n_options=len(options)).choice in (None, answer.choice) or answer.rule


@settings(max_examples=300, deadline=None)
@given(text=REPLIES)
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    folded = wording.fold(text)
    assert len(folded) == len(text) == len(folded.lower())


@settings(max_examples=300, deadline=None)
@given(text=REPLIES)
def test_sentences_cover_the_text_once_and_in_order(text: str) -> None:
    spans = list(wording.sentences_from_the_end(text, 0, len(text)))
    assert all(start < end for start, end in spans)
    assert all(later[0] >= earlier[1] for later, earlier in pairwise(spans))
    kept = "".join(text[start:end] for start, end in reversed(spans))
    assert "".join(kept.split()) == "".join(text.split())


@settings(max_examples=200, deadline=None)
@given(before=REPLIES, option=st.integers(0, 3))
def test_a_plain_last_sentence_decides(before: str, option: int) -> None:
    text = f"{before}\n\nTherefore, the best answer is: ({prompts.letter(option)})."
    if split(text).said.endswith(text[-1]):
        assert read(text, options=COLORS).choice == option


def test_work_is_bounded_by_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences and phrases looked at do not grow with the reply, and each pattern sees a bounded text."""
    counted = {"sentences": 0, "phrases": 0}
    plain, framed = reading.last_claim, sentences.by_frame

    def sentence(seg: wording.Segment, reply: layout.ReplyLayout, *, anywhere: bool) -> claims.Claim | None:
        counted["sentences"] += 1
        assert len(seg.low) <= layout.LOOKED_AT
        return plain(seg, reply, anywhere=anywhere)

    def phrase(*given_: Any) -> claims.Claim | None:
        counted["phrases"] += 1
        return framed(*given_)

    monkeypatch.setattr(reading, "last_claim", sentence)
    monkeypatch.setattr(sentences, "by_frame", phrase)
    for piece in (
        "the answer is not ",
        "the answer is not.\n",
        "so so ",
        "(a) ",
        "\n",
        "You said the answer is (A)\n",
        "—.C: b) .:  **\n-stands  A: 0.3as \\boit is sensible to the thirdose Éice (d)ed{n ai ",
        "、;choice (d)# Answer\n<!--答案是is incorrect </b>C: is the best change my answer from a to 's choice (d)--> ",
        "either pick it is sensible to choose it is sensible to choose \n- ",
    ):
        counts = []
        for size in (20_000, 200_000):
            counted.update(sentences=0, phrases=0)
            read(piece * (size // len(piece)), options=COLORS)
            counts.append(dict(counted))
        assert counts[0] == counts[1]
        assert counts[0]["sentences"] <= layout.SENTENCES
        assert counts[0]["phrases"] <= layout.PHRASES + sentences.LAST_PHRASES


def test_letters_are_looked_for_once_a_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """What all of a reply is searched for is searched for once, not once for each of its sentences."""
    text = "ÉÉ)answer (a) **photosynthesis and }b) . the answer is so " * 4_000
    counted: list[int] = []
    plain = layout.mention_at
    monkeypatch.setattr(
        layout, "mention_at", lambda seg, *given_: (counted.append(len(seg.low)), plain(seg, *given_))[1]
    )
    read(text, options=("photosynthesis", "respiration", "digestion", "transpiration"))
    places = layout.LOOKED_AT // 20
    assert sum(length > 1_000 for length in counted) <= places


def test_words_of_languages_are_tried_by_their_letters() -> None:
    assert patterns.alternatives(r"a|(?:b|c)|[|(]|\||d") == ["a", "(?:b|c)", "[|(]", r"\|", "d"]
    assert patterns.by_letter("ab|a|(?:q|r)|b?|cd|ce|abc") == "a(?:b|)|(?:q|r)|b?|c(?:d|e)|abc"
    for words in ("la|le|l'|letter|lettre?|ответ|от|答|答案", "x?y|xy|[ab]c|ac|abd|ab"):
        listed, grouped = (re.compile(rf"(?:{each})(?!\w)") for each in (words, patterns.by_letter(words)))
        for text in (
            "la",
            "l'",
            "lettre",
            "lettr",
            "ответ",
            "от",
            "答案",
            "答",
            "y",
            "xy",
            "bc",
            "ac",
            "abd",
            "ab",
            "abc",
        ):
            assert bool(listed.match(text)) == bool(grouped.match(text)), (words, text)


def test_a_line_without_end_is_not_copied_for_each_of_its_sentences() -> None:
    text = "! " * 100_000
    whole = layout.ReplyLayout(text, 0, len(text), wording.wanted(4, COLORS))
    assert whole.line_start(len(text)) == len(text) - layout.LOOKED_AT
    assert layout.ReplyLayout(f"{text}\n! !", 0, len(text) + 4, whole.want).line_start(len(text) + 3) == len(text) + 1


def test_no_pattern_repeats_without_bound() -> None:
    """A repeat without bound inside another is what makes a search slow; all of ours have a bound."""
    tables = (patterns.say, patterns.by_place, patterns.who, patterns.tongues, patterns.marks)
    found = [item for place in (*tables, languages, speakers) for item in vars(place).items()]
    assert len(found) > 100
    for name, pattern in found:
        if isinstance(pattern, re.Pattern):
            loose = re.findall(r"(?<!\\)[)\]][*+]|\.[*+]", pattern.pattern)
            assert not loose, (name, loose)


def test_a_reply_of_nothing_but_good_manners_is_unread() -> None:
    for text in ("I hope this helps!", "Good luck!", "Espero que ayude.", "Let me know if you need more.\nGood luck!"):
        assert read(text, n_options=4) == Reading(None, "unparsed", "nothing")
    assert read("If you want a single answer, I'd choose B.", n_options=4).choice == 1
