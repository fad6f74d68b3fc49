"""Alignment of clean and biased prompts by parts: correct for every bias, elicitation and form, and never by chance."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from tests.tiny import MODEL, prompt, real, tiny_model
from unsway import biases, sources
from unsway.errors import BadInput
from unsway.models.weights import Weights, locate
from unsway.pairing import pairs
from unsway.training.alignment import Window, align
from unsway.types import Pair, Part, Prompt, Turn

INSERTIONS = [
    name
    for name in biases.names()
    if biases.get(name).kind == "insertion" and "arguments" not in biases.get(name).wants and name != "are_you_sure"
]
LOST = {"earlier_answer", "reward_history"}
"""Biases that put a turn in front of the question, in place of the template's own system turn."""
TRIMS = "{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}[assistant]"


@pytest.fixture(scope="module")
def weights() -> Weights:
    return locate(MODEL)


def made(name: str, elicit: str, n: int = 2) -> list[Pair]:
    """Pairs of a bias in each of its forms."""
    bias = biases.get(name)
    questions = sources.load(bias.source or "sciq", n=n, seed=0)
    named = [f"{name}/{form}" for form in bias.forms] or [name]
    return [pair for each in named for pair in pairs(questions, [each], elicit=elicit)]


@real
@pytest.mark.parametrize("elicit", ["direct", "brief", "cot"])
@pytest.mark.parametrize("name", INSERTIONS)
def test_every_insertion_is_aligned_by_its_parts(name: str, elicit: str, weights: Weights) -> None:
    for pair in made(name, elicit):
        clean, biased = weights.encode(pair.clean.messages()), weights.encode(pair.biased.messages())
        found = {window: align(weights, pair.clean, pair.biased, window) for window in get_args(Window)}
        shared = found["shared"]
        assert all(clean[a] == biased[b] for a, b in shared), "ids equal pairwise"
        assert all(x < y for one in zip(*shared, strict=True) for x, y in pairwise(one)), "increasing"
        for window, of_window in found.items():
            assert set(of_window) <= set(shared)
            assert window == "content" or of_window[-1] == (len(clean) - 1, len(biased) - 1), "the last token predicts"
        n = next(i for i in range(len(clean)) if clean[-1 - i] != biased[-1 - i])
        assert len(found["suffix"]) <= n and found["after"][0][1] - found["after"][0][0] > 0
        if name not in LOST:
            assert len(shared) == len(clean)
        words = weights.tokenizer
        cue = "".join(p.text for turn in pair.biased.turns for p in turn.parts or () if p.kind == "cue")
        left_out = [biased[i] for i in range(len(biased)) if i not in {b for _, b in shared}]
        if len(shared) == len(clean) and len(pair.biased.turns) == len(pair.clean.turns):
            assert words.decode(left_out) == cue, "no aligned token overlaps the cue, and none of the cue is aligned"


@real
@pytest.mark.parametrize("window", get_args(Window))
def test_an_empty_cue_is_the_identity(window: Window, weights: Weights) -> None:
    one = prompt("Which of these floats?")
    n = len(weights.encode(one.messages()))
    found = align(weights, one, one, window)
    assert all(a == b for a, b in found) and (len(found) == n or window == "content")
    empty = Prompt((Turn("user", (Part("stem", "Which of these floats?"), Part("cue", ""))),))
    assert align(weights, one, empty, window) == found


@real
def test_a_cue_around_a_split_question_by_hand(weights: Weights) -> None:
    clean = Prompt(
        (Turn("user", (Part("stem", "Is a ash"), Part("option", " harder"), Part("instruction", " than b?"))),)
    )
    first = Turn("user", (Part("cue", "Look here. "), Part("stem", "Is a ash"), Part("option", " harder")))
    said = Turn("assistant", (Part("cue", "Sure."),))
    biased = Prompt((first, said, Turn("user", (Part("instruction", " than b?"), Part("cue", " I say no.")))))
    ids = weights.tokenizer.convert_ids_to_tokens
    before, after = ids(weights.encode(clean.messages())), ids(weights.encode(biased.messages()))
    found = align(weights, clean, biased, "shared")
    lost = [token for i, token in enumerate(before) if i not in {a for a, _ in found}]
    assert lost == ["Is"] and "ĠIs" in after  # behind the cue it is another token; of the rest nothing is lost
    skipped = weights.tokenizer.decode(
        [weights.encode(biased.messages())[i] for i in range(len(after)) if i not in {b for _, b in found}]
    )
    assert "Look here." in skipped and "Sure." in skipped and "I say no." in skipped and "ash" not in skipped


@real
def test_a_template_that_trims_is_followed_and_one_that_rewrites_is_refused(tmp_path: Path) -> None:
    own = locate(str(tiny_model(tmp_path)))
    clean = Prompt((Turn("user", (Part("stem", "  Is it ash?"), Part("instruction", " Say so.  "))),))
    biased = Prompt(
        (Turn("user", (Part("stem", "  Is it ash?"), Part("instruction", " Say so.  "), Part("cue", " No. "))),)
    )
    own.tokenizer.chat_template = TRIMS
    found = align(own, clean, biased, "shared")
    tokens = own.tokenizer.convert_ids_to_tokens
    assert tokens([own.encode(clean.messages())[a] for a, _ in found])[:2] == ["[", "user"]
    assert [own.encode(biased.messages())[b] for _, b in found] == [own.encode(clean.messages())[a] for a, _ in found]
    assert "Ġso" in tokens([own.encode(clean.messages())[a] for a, _ in found])
    own.tokenizer.chat_template = TRIMS.replace("m.content | trim", "m.content | replace('ash', 'oak')")
    with pytest.raises(BadInput, match=r"rewrites message 1 \(from character 7"):
        align(own, clean, biased)
    own.tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}]{% endfor %}"
    with pytest.raises(BadInput, match="drops or repeats a message"):
        align(own, clean, biased)


@real
def test_what_cannot_be_aligned_is_refused_and_says_why(weights: Weights) -> None:
    clean = prompt("Is it ash?")
    with pytest.raises(BadInput, match="differ by more than cues"):
        align(weights, clean, prompt("Is it oak?", "I say no. "))
    speaks = replace(clean, turns=(*clean.turns, Turn("assistant", None), Turn("user", (Part("cue", "Sure?"),))))
    with pytest.raises(BadInput, match="in which the model speaks"):
        align(weights, clean, speaks)


@real
def test_a_token_across_the_boundary_of_a_cue_is_left_out(weights: Weights) -> None:
    clean = Prompt((Turn("user", (Part("stem", "Is it ash"),)),))
    biased = Prompt(
        (Turn("user", (Part("stem", "Is it ash"), Part("cue", "en or not?"))),)
    )  # "ashen" shares characters
    found = align(weights, clean, biased, "shared")
    before = weights.tokenizer.convert_ids_to_tokens(weights.encode(clean.messages()))
    lost = [before[i] for i in range(len(before)) if i not in {a for a, _ in found}]
    after = weights.tokenizer.convert_ids_to_tokens(weights.encode(biased.messages()))
    assert lost in (["Ġash"], []) and (lost == ["Ġash"]) == ("Ġash" not in after)
    marks = Prompt((Turn("user", (Part("stem", "⬛⬛ Is it ash?"), Part("cue", " ⬛⬛"))),))
    pure = Prompt((Turn("user", (Part("stem", "⬛⬛ Is it ash?"),)),))
    assert len(align(weights, pure, marks, "shared")) == len(weights.encode(pure.messages()))
