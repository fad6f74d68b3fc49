"""A verdict on each arm in a few words, for the first screen of the page.

In: `Results`. Out: one `Chip` for each arm: what its interval shows clearly, and the number behind it.

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
    """The verdict on one arm."""

    arm: str
    """Its label."""
    ink: str
    """Its colour in the charts."""
    verdict: str
    """swayed, avoids cues (more, or less), less swayed, more swayed, undecided, or no number; `less swayed (held out)` if an
    interval shows that clearly for held-out biases but not for the others."""
    numbers: tuple[str, ...]
    """The number behind the verdict, in points with its interval; then the number for held-out biases."""


def chips(results: Results) -> tuple[Chip, ...]:
    """A chip for each arm, in order.

    A base, or an arm without one, is judged by how far the cues move it over all its pairs. Other arms are judged against
    their base: on the biases they were trained on, if any, and on the others.
    """
    arm_chips = []
    for arm, ink in zip(results.arms, colours(results.arms, Palette()), strict=True):
        # label of a number, the number, and the words for an interval above and below 0
        numbers: list[tuple[str, Estimate, tuple[str, str]]] = []
        if arm.role == "base" or results.base_of(arm) is None:
            brrs = [cell["brr"] for cell in results.overall if cell.arm == arm.key]
            numbers = [("BRR", brr, ("swayed", "avoids cues")) for brr in brrs[:1] if brr.value is not None]
        else:
            was_trained = arm.role in ("trained", "control")
            trained_biases = [bias for bias in results.biases if was_trained and results.is_trained(bias, arm)]
            other_biases = [bias for bias in results.biases if bias not in trained_biases]
            groups = (
                (("trained on", trained_biases), ("held out", other_biases))
                if trained_biases
                else (("all cues", other_biases),)
            )
            for name, biases in groups:
                change = change_from_base(results, arm, biases)
                if change is not None and change.value is not None:
                    numbers.append((name, change, _ends(results, arm, biases)))
        texts = tuple(f"{name} {words.points(number)}" for name, number, _ in numbers)
        verdict = "undecided" if numbers else "no number"
        for i, (name, number, (above, below)) in enumerate(numbers):
            if words.is_clear(number):
                phrase = above if (number.value or 0.0) > 0 else below
                if i == 0:
                    verdict = phrase
                elif phrase != verdict:  # the verdict on held-out biases differs, or is the only one
                    verdict = f"{phrase} ({name})" if verdict == "undecided" else f"{verdict}, {phrase} ({name})"
        arm_chips.append(Chip(words.visible(arm.label), ink, verdict, texts))
    return tuple(arm_chips)


def _ends(results: Results, arm: Arm, biases: Sequence[str]) -> tuple[str, str]:
    """Words for an arm that follows these cues more than its base, and less; an arm that avoids cues is not swayed."""
    base = results.base_of(arm)
    sign = side_of_zero(results, arm, biases)
    if base is not None and sign < 1 and side_of_zero(results, base, biases) < 0:
        return "avoids cues less", "avoids cues more"
    return ("more swayed", "less swayed") if sign >= 0 else ("avoids cues", "avoids cues")
