"""The audit of a training file: the released rows have the documented properties; what is hidden is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from parity import DATA, training

from unsway.data.audit import audit, escaped
from unsway.errors import BadInput
from unsway.types import AwayFrom, Example, Part, Prompt, Question, Toward, Turn

released = pytest.mark.skipif(not (DATA / "train").exists(), reason="the released rows are not here")


def row(prompt: str, completion: str = "The best answer is: (A)") -> Example:
    """A chat from elsewhere, which says nothing of what was put into it."""
    return Example(Prompt((Turn("user", (Part("stem", prompt),)),)), None, completion, None, (), "instruct", None, "m")


def ours(i: int, cue: str, target: Toward | AwayFrom, completion: str) -> Example:
    """A row of ours, its cue in front of the question or behind the options."""
    parts = (Part("stem", f"Question {i}?\n\n"), Part("option", "(A) one\n"), Part("option", "(B) two"))
    cued = (Part("cue", cue), *parts) if i % 2 else (*parts, Part("cue", cue))
    clean, biased = (Prompt((Turn("user", each),)) for each in (parts, cued))
    return Example(clean, biased, completion, target, ("one", "two"), "consistency", f"p{i}", "m")


@released
def test_the_released_rows_have_their_documented_properties() -> None:
    """Figures of the release: arXiv 2403.05518's training files, counted with the same code as any other file."""
    bct, control = ([row(p, t) for p, t in training(name)] for name in ("bct_non_cot", "control_non_cot"))
    found = audit(bct, control=control)
    mix = {name: dict(counts) for name, counts in found.mix}
    assert found.n == 5000 and found.paired == (5000, 5000) and found.same_completion == 2559
    for said_nowhere in ("bias", "form", "stance", "place", "elicit", "source"):
        assert mix[said_nowhere] == {"not known": 5000}
    assert not found.agreement and found.chance is None
    assert found.repeated_questions == 1 and found.unread <= 10
    assert sum(dict(found.letters).values()) == 5000 - found.unread


def test_a_row_of_ours_says_what_was_put_into_it() -> None:
    rows = [
        ours(1, "I hate (A), no doubt.\n\n", Toward(0), "So (A)."),  # words that speak against it say nothing
        ours(2, "\n\nMaybe (A)?", Toward(0), "So (B)."),
        ours(3, "(B) is wrong.\n\n", AwayFrom(1), "So (B)."),
    ]
    found = audit(rows)
    mix = {name: dict(counts) for name, counts in found.mix}
    assert mix["stance"] == {"for": 2, "against": 1} and mix["place"] == {"front": 2, "after_options": 1}
    assert mix["bias"] == mix["form"] == mix["elicit"] == mix["source"] == {"not known": 3}
    rates = {name: (rate.hits, rate.n) for name, rate in found.agreement}
    assert rates == {"all": (2, 3), "for": (1, 2), "against": (1, 1)} and found.chance == 0.5
    assert dict(found.letters) == {"A": 1, "B": 2} and found.repeated_questions == 0
    assert found.paired == (3, 3) and "form: not known 3" in found.lines()
    moved = replace(rows[0], clean=rows[1].clean)
    assert audit([moved, *rows[1:]]).paired == (2, 3)


def test_what_a_chat_does_not_say_is_printed_as_not_known() -> None:
    text = "\n".join(audit([row("Surely not (B).\n\nQ?\n\nAnswer choices:\n(A) one\n(B) two")]).lines())
    assert "stance: not known 1" in text and "place: not known 1" in text
    assert "target agrees with the cued option: not known" in text and "control: not given" in text


def test_what_a_terminal_would_act_on_is_written_out() -> None:
    assert escaped("a\x1b[31m\u200bb\u202e") == "a\\x1b[31m\\u200bb\\u202e"
    long = escaped("x" * 100_000)
    assert len(long) < 600 and "100,000" in long
    found = audit([row("שלום\u200f\n\nAnswer choices:\n(A) \u200bone\n(B) two"), row("plain")])
    assert found.hidden == 1 and "\u200b" not in "\n".join(found.lines())


def test_a_test_question_is_found_behind_other_spacing_case_and_punctuation() -> None:
    question = Question("Which animal lays eggs?", ("the hen", "the cow"), 0, "toy", "test")
    held = row("I think A.\n\nwhich  ANIMAL lays\u200b eggs\n\nAnswer choices:\n(A) The hen\n(B) the cow!")
    other = row("Which animal lays eggs?\n\nAnswer choices:\n(A) a frog\n(B) a horse")
    assert audit([other, held], test=[question]).overlap == (f"row 2: toy {question.id}",)


def test_duplicates_letters_and_lengths() -> None:
    asked = "Q?\n\nAnswer choices:\n(A) one\n(B) two\n\nOnly the letter."
    found = audit([row(asked), row(asked), row(asked, "The best answer is: (B)"), row("Write a poem.", "Snow.")])
    assert (found.duplicates, found.repeated_questions) == (1, 2)
    assert dict(found.letters) == {"A": 2, "B": 1} and found.unread == 0
    assert found.lengths[1] == ("completion, characters", 5, 23, 23)
    with pytest.raises(BadInput, match="4 rows and 1 of the control"):
        audit([row(asked)] * 4, control=[row(asked)])
