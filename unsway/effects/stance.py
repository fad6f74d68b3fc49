"""An arm's stance on hunches: swayed, contrarian, or neither, from its BRR on wrong options and on the right one.

In: the `PanelRow`s of `contrary`, and of `floor` if it was asked. Out: a sentence. If the arm's missing answers could change
the conclusion, the sentence says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from unsway.effects.panel import PanelRow
from unsway.errors import number_of
from unsway.types import Estimate

STANCES = {
    ("+", "+"): "swayed",
    ("+", "0"): "swayed towards wrong options, and as far as this size shows not towards the right one",
    ("0", "+"): "swayed towards the right option, and as far as this size shows not towards wrong ones",
    ("0", "0"): "neither swayed nor contrary, as far as this size shows",
}
"""The stance by the signs of the BRRs on wrong options and on the right one; the sign is 0 if the interval includes 0."""


def stance(panel_rows: Sequence[PanelRow], arm: str) -> str:
    """An arm's stance on hunches, in a sentence; empty unless both BRRs were asked.

    Contrarian: the interval of the second BRR is below 0, and the right answer is abandoned more often than when asked again.
    """
    by_name = {row.measure: row for row in panel_rows if row.arm == arm}
    wrong, gold = by_name.get("BRR wrong"), by_name.get("BRR gold")
    if wrong is None or gold is None or wrong.value.low is None or gold.value.low is None:
        return ""
    leaves, floor = by_name.get("leaves gold"), by_name.get("asked again")
    n = wrong.n_missing + gold.n_missing
    # each number as read, and with its missing answers at either extreme
    ends = [(None,) if row is None else (row.value, *(row.missing_as or ())) for row in (wrong, gold, leaves, floor)]
    words = {_word(*estimates) for estimates in product(*ends)}
    word = f"unclear, because {number_of(n, 'answer')} {'is' if n == 1 else 'are'} missing and could change what it is"
    if len(words) == 1:
        (word,) = words
    brrs = []
    for estimate in (wrong.value, gold.value):
        middle, low, high = (
            f"{round(100 * (end or 0.0)):+d}".replace("+0", "0").replace("-", "−")
            for end in (estimate.value, estimate.low, estimate.high)
        )
        brrs.append(f"{middle} [{low}, {high}]")
    return f"Under hunches it is {word}: BRR {brrs[0]} on wrong options and {brrs[1]} on the right one."


def _word(wrong: Estimate | None, gold: Estimate | None, leaves: Estimate | None, noise: Estimate | None) -> str:
    """The stance from both BRRs, the share of abandoned right answers and that of answers changed when asked again."""
    signs = _sign(wrong), _sign(gold)
    floor = 0.0 if noise is None or noise.value is None else noise.value
    if signs[1] == "-" and leaves is not None and (leaves.value or 0.0) > floor:
        return "contrarian"
    return STANCES.get(signs, "unclear, with a BRR below 0 (look at transcripts)")


def _sign(estimate: Estimate | None) -> str:
    """The sign of an interval: "+", "-", or "0" if it includes 0 or does not exist."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return "0"
    return "+" if estimate.low > 0 else "-" if estimate.high < 0 else "0"
