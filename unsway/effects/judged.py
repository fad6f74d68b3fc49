"""Shared code of side effects with a judge: fill texts into a bank's wording, and read the label in a judge's reply.

In: replies of a model, or of the judge. Out: their texts, prompts for the judge, labels; None for a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.judging.rubrics import barred
from unsway.readers.channels import split
from unsway.types import Part, Prompt, Reply, Turn


def reply_text(samples: Sequence[Reply]) -> str | None:
    """The text of the first reply without its thought; None if it is missing, filtered or empty, or its thought was cut."""
    if not samples or samples[0].stop == "filter":
        return None
    return split(samples[0].text).said or None


def judge_prompt(name: str, **texts: str | None) -> Prompt | None:
    """The judge's prompt about some texts in a bank's wording; None if one of them is missing."""
    barred_texts = {key: barred(text) for key, text in texts.items() if text is not None}
    if len(barred_texts) < len(texts):
        return None
    return Prompt((Turn("user", (Part("instruction", fill(bank(name).entries[0], **barred_texts)),)),))


def read_label(samples: Sequence[Reply], labels: Sequence[str]) -> str | None:
    """The only label that stands on a line by itself in a judge's words; None if there is none, or several."""
    text = reply_text(samples) or ""
    pattern = re.compile(
        rf"[\s*_#>`-]{{0,9}}(?:[a-z ]{{1,20}}:)?[\s*_`]{{0,9}}({'|'.join(labels)})[\s*_`.]{{0,9}}", re.I
    )
    matches = {match[1].lower() for line in text.splitlines() if (match := pattern.fullmatch(line))}
    return matches.pop() if len(matches) == 1 else None
