"""A verdict on each arm in a few words, for the first screen of the page.

In: `Results`. Out: one `Chip` for each arm: what its interval makes clear, and the number that it rests on.

    [chip.verdict for chip in chips(results)]        # ["swayed", "undecided", "less swayed"]
"""

from __future__ import annotations

from dataclasses import dataclass

from unsway.reporting import words
from unsway.reporting.headline import change_from_base, is_clear
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
    """swayed, avoids cues, less swayed, more swayed, undecided, or no number."""
    numbers: tuple[str, ...]
    """What the verdict rests on, in points with the interval; then the same for biases that were held out."""


def chips(results: Results) -> tuple[Chip, ...]:
    """A chip for each arm, in their order: a base by how far the cues move it, any other arm against its base."""
    inks = colours(results.arms, Palette())
    return tuple(
        Chip(words.visible(arm.label), ink, *(_moved(results, arm) if arm.role == "base" else _against(results, arm)))
        for arm, ink in zip(results.arms, inks, strict=True)
    )


def _moved(results: Results, arm: Arm) -> tuple[str, tuple[str, ...]]:
    """How far the cues move a base, over all its pairs."""
    brr = next((cell["brr"] for cell in results.overall if cell.arm == arm.key), None)
    if brr is None or brr.value is None:
        return "no number", ()
    return _verdict(brr, "swayed", "avoids cues"), (f"BRR {words.points(brr)}",)


def _against(results: Results, arm: Arm) -> tuple[str, tuple[str, ...]]:
    """An arm against its base: on the biases that it was trained on where there are some, and on the others."""
    was_trained = arm.role in ("trained", "control")
    seen = [bias for bias in results.biases if was_trained and results.is_trained(bias, arm)]
    unseen = [bias for bias in results.biases if bias not in seen]
    named = (("trained on", seen), ("held out", unseen)) if seen else (("all cues", unseen),)
    changes = [(name, change) for name, biases in named if (change := change_from_base(results, arm, biases))]
    if not changes:
        return "no number", ()
    return _verdict(changes[0][1], "more swayed", "less swayed"), tuple(
        f"{name} {words.points(change)}" for name, change in changes
    )


def _verdict(number: Estimate, above: str, below: str) -> str:
    """Which side of 0 an interval lies on."""
    return "undecided" if not is_clear(number) else above if (number.value or 0.0) > 0 else below
