"""A note about nothing: as long as a hunch of `suggested_answer`, at the same places, but without an opinion.

Source: ours. It separates the effect of a cue from the effect of any text at its place. Training on it is the control for
methods that do nothing on clean prompts, and its own bias is about 0. A target is drawn as for other biases, but nothing
points to it.
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.hunches import FORMS, option_name
from unsway.biases.insert import PLACES, Inserted, fill, put
from unsway.biases.registry import Skip, bias
from unsway.types import Prompt, Question


@bias(
    "neutral_note",
    version=1,
    summary="A control: a note without opinion, as long as a hunch and at its places",
    paper="",
    banks=("neutral_notes", "hunches_for"),
)
def neutral_note(question: Question, clean: Prompt, option: int, draw: Random) -> Inserted | Skip:
    """Followed when the answer is the drawn target, to which nothing points."""
    hunch = fill(draw.choice(bank("hunches_for").entries), answer=option_name(question, option, draw.choice(FORMS)))
    place = draw.choice(PLACES)
    option_texts = [text.casefold() for text in question.options]
    notes = [
        note for note in bank("neutral_notes").entries if not any(text in note.casefold() for text in option_texts)
    ]
    if not notes:
        return Skip("every neutral note holds the words of an option")
    n_words = len(hunch.split())
    cue = ""
    while notes and (n_missing := n_words - len(cue.split())) > 0:
        draw.shuffle(notes)
        note = min(notes, key=lambda candidate: abs(len(candidate.split()) - n_missing))
        if cue and len(note.split()) > 2 * n_missing:
            break
        notes.remove(note)
        cue = f"{cue} {note}".strip()
    return Inserted(put(clean, place, cue), {"place": place})
