"""A verdict on each arm in a few words, for the first screen of the page.

In: `Results`. Out: one `Chip` for each arm: what its interval makes clear, and the number that it rests on.

    [chip.verdict for chip in chips(results)]        # ["swayed", "undecided", "less swayed"]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unsway.reporting import words
from unsway.reporting.headline import change_from_base, side_of_zero
from unsway.reporting.plots import Palette, colours
from unsway.studies.arms import Arm
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
    """swayed, avoids cues (more, or less), less swayed, more swayed, undecided, or no number."""
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
            was_trained, ends = arm.role in ("trained", "control"), ("", "")
            seen = [bias for bias in results.biases if was_trained and results.is_trained(bias, arm)]
            unseen = [bias for bias in results.biases if bias not in seen]
            named = (("trained on", seen), ("held out", unseen)) if seen else (("all cues", unseen),)
            for name, some in named:
                change = change_from_base(results, arm, some)
                if change is not None and change.value is not None:
                    ends = ends if numbers else _ends(results, arm, some)
                    numbers.append((name, change))
        verdict = "no number"
        if numbers:  # which side of 0 its interval lies on
            first = numbers[0][1]
            verdict = "undecided" if not words.is_clear(first) else ends[0] if (first.value or 0.0) > 0 else ends[1]
        texts = tuple(f"{name} {words.points(number)}" for name, number in numbers)
        found.append(Chip(words.visible(arm.label), ink, verdict, texts))
    return tuple(found)


def _ends(results: Results, arm: Arm, biases: Sequence[str]) -> tuple[str, str]:
    """What an arm is called that follows these cues more than its base, or less; who avoids them is not swayed."""
    base, own = results.base_of(arm), side_of_zero(results, arm, biases)
    if base is not None and own < 1 and side_of_zero(results, base, biases) < 0:
        return "avoids cues less", "avoids cues more"
    return ("more swayed", "less swayed") if own >= 0 else ("avoids cues", "avoids cues")
