"""What side effects with a judge share: texts behind bars in a bank's wording, and the one label in what a judge says.

In: replies of a model, or of the judge. Out: what they say, prompts for the judge, labels; None where one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.judging.rubrics import barred
from unsway.readers.channels import split
from unsway.types import Part, Prompt, Reply, Turn


def said(samples: Sequence[Reply]) -> str | None:
    """What the first reply says, without its thought; None where it is missing, filtered, empty, or its thought was cut."""
    if not samples or samples[0].stop == "filter":
        return None
    return split(samples[0].text).said or None


def about(name: str, **texts: str | None) -> Prompt | None:
    """What a judge is asked about some texts in the wording of a bank; None where one of them is missing."""
    there = {key: barred(text) for key, text in texts.items() if text is not None}
    if len(there) < len(texts):
        return None
    return Prompt((Turn("user", (Part("instruction", fill(bank(name).entries[0], **there)),)),))


def label(samples: Sequence[Reply], labels: Sequence[str]) -> str | None:
    """The one label that a judge's words hold on lines of their own; None where there is none, or there are several."""
    text = said(samples) or ""
    pattern = re.compile(
        rf"[\s*_#>`-]{{0,9}}(?:[a-z ]{{1,20}}:)?[\s*_`]{{0,9}}({'|'.join(labels)})[\s*_`.]{{0,9}}", re.I
    )
    found = {match[1].lower() for line in text.splitlines() if (match := pattern.fullmatch(line))}
    return found.pop() if len(found) == 1 else None
