"""Whether a change stayed within a margin: kept, a little worse, lost, or cannot tell.

In: the scores of each question in two arms, and a margin fixed beforehand. Out: `Decision`s, and two statements about a panel
of them. "p > .05, so nothing was lost" cannot be expressed here. Something is kept if the loss is shown to be smaller than
the margin, by a one-sided test of non-inferiority at 2.5 %, that is by a two-sided interval of 95 %.

    decide(change(after_Q, before_Q), margin=0.02).word
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtri

from unsway.errors import BadInput
from unsway.stats.compared import LEVEL, Compared
from unsway.stats.intervals import quantile, sum_interval, wilson
from unsway.stats.significance import holm
from unsway.types import Estimate

KeptWord: TypeAlias = Literal["kept", "kept, a little worse", "lost", "cannot tell"]
"""The verdict of an interval against a margin."""
ALPHA = 0.05
"""Level of the search for something that broke, over the whole panel (Holm 1979)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a number stayed within its margin."""

    compared: Compared
    word: KeptWord
    """The verdict."""
    margin: float
    """The largest loss that counts as kept."""
    why: str = ""
    """Why there is no verdict; empty otherwise."""
    needed: int | None = None
    """Questions that would show an unchanged number to be kept in 80 % of studies, if the same share of answers is
    missing; None if there is a verdict, or if no number of questions is enough."""


def word(low: float, high: float, margin: float) -> KeptWord:
    """The verdict for the interval of a gain. Raises `BadInput` unless the margin is above 0.

    Args:
        low: Lower end of the gain's 95 % interval.
        high: Upper end.
        margin: The largest loss that counts as kept, above 0.
    """
    if not margin > 0:
        raise BadInput(f"The margin is {margin}; it is the largest loss that counts as kept, and lies above 0.")
    if low > -margin:
        return "kept" if high >= 0 else "kept, a little worse"
    return "lost" if high < 0 else "cannot tell"


def questions_needed(spread: float, margin: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """The number of questions that show an unchanged number to be kept: (z + z')² · spread / margin².

    z is for the level, z' for the power.

    Args:
        spread: Mean square of a question's contribution; for right and wrong answers, the share of questions that changed.
        margin: The largest loss that counts as kept.
        level: Two-sided level of the interval.
        power: Share of studies that then say "kept".
    """
    return ceil((quantile(level) + float(ndtri(power))) ** 2 * spread / margin**2)


def smallest_margin(spread: float, n: int, *, level: float = 0.95, power: float = 0.8) -> float:
    """The smallest margin that n questions can show to be kept, in the same share of studies."""
    return (quantile(level) + float(ndtri(power))) * sqrt(spread / n)


def decide(compared: Compared, margin: float) -> Decision:
    """The verdict on a number, if it is the same whatever the missing answers are; otherwise "cannot tell".

    A loss must also pass its one-sided test at 2.5 %, which is exact for right and wrong answers: score intervals alone
    would call an unchanged model worse in 2.4 to 2.8 % of studies (benchmarks/effects.py).
    """
    verdict, verdict_of_read = (word(*ends, margin) for ends in (compared.reach, compared.ends))
    if compared.estimate.value is None:
        return Decision(compared, "cannot tell", margin)
    low, high = compared.bounds
    missing_decide = low < -margin <= high or (verdict == "cannot tell" and verdict != verdict_of_read)
    if missing_decide or (verdict == "lost" and compared.p_loss > ALPHA / 2):
        verdict = "cannot tell"
    reason = "missing answers decide" if missing_decide else ""
    needed = None
    margin_left = margin - (compared.shift - low)  # the part of the margin not used up by missing answers
    if verdict == "cannot tell" and margin_left > 0:
        needed = max(1, questions_needed(max(compared.spread, 1 / compared.estimate.n), margin_left))
    return Decision(compared, verdict, margin, reason, needed)


# ---------------------------------------------------------------- further numbers


def mover(accept: tuple[int, int], resist: tuple[int, int]) -> Estimate:
    """J = accept + resist - 1 from two separate samples, with Zou and Donner's interval (MOVER: 2008, Stat. Med. 27:1693).

    0 is a model that always or never yields; 1 one that yields only to good grounds.

    Args:
        accept: Good corrections accepted, and their total.
        resist: Bad corrections resisted, and their total.
    """
    (n_accepted, n), (n_resisted, m) = accept, resist
    method = "MOVER of two Wilson intervals"
    if not n or not m:
        return Estimate.none("j", LEVEL, n + m, n + m, 0, method, "one of its two rates has no answer")
    a, r = n_accepted / n, n_resisted / m
    ends = sum_interval(a + r - 1, (a, wilson(n_accepted, n, LEVEL)), (r, wilson(n_resisted, m, LEVEL)))
    return Estimate("j", a + r - 1, *ends, LEVEL, n + m, n + m, 0, method)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The least-squares slope of y on x."""
    centred = np.asarray(x, float) - float(np.mean(x))
    return float(centred @ np.asarray(y, float) / (centred @ centred))


# ---------------------------------------------------------------- statements about a panel


def nothing_broke(words: Iterable[str]) -> bool:
    """Whether every number of a panel is shown to be kept: an intersection of tests, each at its own level."""
    verdicts = list(words)
    return bool(verdicts) and all(verdict in ("kept", "kept, a little worse") for verdict in verdicts)


def broken(words: Sequence[str], p_losses: Sequence[float]) -> tuple[bool, ...]:
    """Which numbers of a panel are lost after correcting for the search through the panel (Holm, one-sided 2.5 %).

    Args:
        words: The verdict of each number.
        p_losses: For each, the one-sided p-value of no loss.
    """
    adjusted = holm(p_losses)
    return tuple(verdict == "lost" and p <= ALPHA / 2 for verdict, p in zip(words, adjusted, strict=True))
