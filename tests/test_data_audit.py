"""The audit of a training file: the released rows have the documented properties; what is hidden is shown."""

from __future__ import annotations

import pytest

from tests.parity import DATA, training
from unsway.banks import bank
from unsway.data.audit import audit, escaped, stance
from unsway.errors import BadInput
from unsway.types import Example, Message, Question

released = pytest.mark.skipif(not (DATA / "train").exists(), reason="the released rows are not here")


def row(prompt: str, completion: str = "The best answer is: (A)") -> Example:
    return Example((Message("user", prompt),), completion, "consistency", None, "m")


@released
def test_the_released_rows_have_their_documented_properties() -> None:
    """Figures of the release: arXiv 2403.05518's training files, counted with the same code as any other file."""
    bct, control = ([row(p, t) for p, t in training(name)] for name in ("bct_non_cot", "control_non_cot"))
    found = audit(bct, control=control)
    mix = {name: dict(counts) for name, counts in found.mix}
    assert found.n == 5000 and found.paired == (5000, 5000) and found.same_completion == 2559
    assert mix["stance and form"] == {
        "for quoted": 1264,
        "for letter": 1254,
        "against letter": 1260,
        "against quoted": 1222,
    }
    assert mix["place"] == {"front": 1271, "before_options": 1293, "after_options": 2436}
    rates = {name: (rate.hits, rate.n) for name, rate in found.agreement}
    documented = {"for": (715, 2518), "against": (722, 2482)}  # counts every row; ours leaves out what cannot be read
    assert sum(documented[name][1] - rates[name][1] for name in documented) == found.unread <= 10
    for name, (hits, n) in documented.items():
        assert 0 <= hits - rates[name][0] <= n - rates[name][1]
    assert found.repeated_questions == 1
    low, high = dict(found.agreement)["all"].interval or (0, 0)
    assert low < 0.2874 < high and found.chance == pytest.approx(0.27, abs=0.02)


@pytest.mark.parametrize(("name", "said"), [("hunches_for", "for"), ("hunches_against", "against")])
def test_the_stance_of_our_own_hunches_is_read(name: str, said: str) -> None:
    entries = bank(name).entries
    assert sum(stance(entry) == said for entry in entries) / len(entries) > 0.9


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
