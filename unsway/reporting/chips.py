"""A verdict on each arm in a few words, for the first screen of the page.

In: `Results`. Out: one `Chip` for each arm: what its interval makes clear, and the number that it rests on.

    [chip.verdict for chip in chips(results)]        # ["swayed", "undecided", "less swayed"]
"""

from __future__ import annotations

from dataclasses import dataclass

from unsway.reporting import words
from unsway.reporting.headline import change_from_base, is_clear
from unsway.reporting.plots import Palette, colours
from unsway.studies.results import Results
from unsway.types import Estimate


@dataclass(frozen=True, slots=True)
class Chip:
    """One arm."""

    arm: str
    """Its label."""
    ink: str
    """Its colour in the charts."""
    verdict: str
    """swayed, avoids cues, less swayed, more swayed, undecided, or no number."""
    numbers: tuple[str, ...]
    """What the verdict rests on, in points with the interval; then the same for biases that were held out."""


def chips(results: Results) -> tuple[Chip, ...]:
    """A chip for each arm, in their order: a base by how far the cues move it over all its pairs, any other arm against its
    base, on the biases that it was trained on where there are some, and on the others.
    """
    found = []
    for arm, ink in zip(results.arms, colours(results.arms, Palette()), strict=True):
        numbers: list[tuple[str, Estimate]] = []
        if arm.role == "base":
            brrs = [cell["brr"] for cell in results.overall if cell.arm == arm.key]
            numbers, ends = [("BRR", brr) for brr in brrs[:1] if brr.value is not None], ("swayed", "avoids cues")
        else:
            was_trained, ends = arm.role in ("trained", "control"), ("more swayed", "less swayed")
            seen = [bias for bias in results.biases if was_trained and results.is_trained(bias, arm)]
            unseen = [bias for bias in results.biases if bias not in seen]
            named = (("trained on", seen), ("held out", unseen)) if seen else (("all cues", unseen),)
            changes = [(name, change_from_base(results, arm, some)) for name, some in named]
            numbers += [(name, change) for name, change in changes if change is not None and change.value is not None]
        verdict = "no number"
        if numbers:  # which side of 0 its interval lies on
            first = numbers[0][1]
            verdict = "undecided" if not is_clear(first) else ends[0] if (first.value or 0.0) > 0 else ends[1]
        texts = tuple(f"{name} {words.points(number)}" for name, number in numbers)
        found.append(Chip(words.visible(arm.label), ink, verdict, texts))
    return tuple(found)
