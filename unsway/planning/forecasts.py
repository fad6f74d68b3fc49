"""A forecast: a distribution for a number that a study will print, with its author and whether it can be scored.

In: a person's three numbers, or the machine's draws. Out: a frozen `Forecast` of 199 quantiles. It is for the *printed*
estimate at the planned number of questions, so it includes sampling noise.

    mine = from_three(0.05, 0.15, 0.30)         # 10, 50 and 90 %
    Quantity.parse("brr(post_hoc, openai/gpt-4o-mini)").bias
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from unsway.errors import BadInput
from unsway.stats.intervals import Floats, Interval

K = 199
"""Number of quantiles of a forecast, at k/200."""
LEVELS_K: Floats = np.arange(1, K + 1) / (K + 1)
"""The levels of the quantiles."""
DIGITS = 6
"""Decimal digits of a quantile in the notebook."""
AWAY = (2.0, 48.0)
"""Beta prior of the share of pairs that hit only without the cue: 4 % on average, mostly 1 to 9 %. A judgement, from
GPT-3.5's 2 % (the authors' chart for arXiv 2403.05518) and the noise of sampled replies."""
QuantityKind: TypeAlias = Literal["brr", "ratio", "effect", "minutes", "dollars"]
_MACHINES = re.compile(r"(machine|blind)@\d+")
_SPELLING = re.compile(r"\s*(\w+)\s*(?:\(\s*([^,()]+?)\s*,\s*(.+?)\s*\))?\s*")


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """A number that a study prints."""

    kind: QuantityKind
    """brr: an arm's BRR under a bias. ratio: that BRR over its base's. effect: the arm's gain (loss if below 0) in a
    side effect's first number. minutes, dollars: for the whole study."""
    bias: str = ""
    """Name of the bias or the side effect, without a version; empty for time and cost."""
    arm: str = ""
    """The model with any change to it: `MODEL` or `MODEL + bct`."""

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """A quantity from its text. Raises `BadInput`, which says how to write it."""
        match = _SPELLING.fullmatch(text)
        kinds: tuple[QuantityKind, ...] = get_args(QuantityKind)
        kind = next((name for name in kinds if match is not None and name == match[1]), None)
        if match is None or kind is None or (kind in ("brr", "ratio", "effect")) != bool(match[2]):
            raise BadInput(
                f"{text!r} is no number that a study prints. Write brr(BIAS, MODEL), ratio(BIAS, MODEL + ARM), "
                "effect(SIDE_EFFECT, MODEL + ARM), minutes or dollars."
            )
        return cls(kind, match[2] or "", match[3] or "")

    @property
    def model(self) -> str:
        """The model from which the arm was made."""
        return self.arm.partition(" + ")[0]

    @property
    def change(self) -> str:
        """The change to the model; empty for the unchanged model."""
        return self.arm.partition(" + ")[2]

    def __str__(self) -> str:
        """Its text."""
        return f"{self.kind}({self.bias}, {self.arm})" if self.bias else self.kind


@dataclass(frozen=True, slots=True)
class Forecast:
    """What someone expects of a number before it exists."""

    id: str
    """Content id of the study, the quantity, the author, and the distribution."""
    quantity: str
    """As `Quantity` spells it."""
    who: str
    """`machine@version`, `blind@version`, or a person."""
    quantiles: tuple[float, ...]
    """Of the printed number at its planned size, at k/200; empty if only a chance was given."""
    study: str
    """Content id of the study."""
    folder: str
    """Name of the study's folder, next to the notebook."""
    n: int = 0
    """Questions expected to count; 0 for time and cost."""
    late: bool = False
    """Whether there were already replies: stored, but never scored."""
    truth: tuple[float, ...] = ()
    """Quantiles of the true rate, without sampling noise, from which the printed number at another size is computed;
    empty for a person's forecast."""
    above: float | None = None
    """The threshold of a yes/no question; None if the whole distribution was given."""
    chance: float | None = None
    """The chance that the number is above it."""
    plan: float | None = None
    """The plan's minutes or dollars; None for rates."""
    why: str = ""
    """The basis of its width."""

    def quantile(self, level: float) -> float:
        """The value that the number stays below with this chance."""
        return float(np.interp(level, LEVELS_K, self.quantiles))

    def central(self, coverage: float) -> Interval:
        """The central interval with a given coverage."""
        return central(self.quantiles, coverage)

    def chance_above(self, threshold: float) -> float:
        """The chance that the number is above a threshold."""
        if self.chance is not None and self.above == threshold:
            return self.chance
        return float(np.mean(np.asarray(self.quantiles) > threshold))

    def chance_below(self, threshold: float) -> float:
        """The chance that the number is below a threshold; a number equal to the threshold is on neither side."""
        return float(np.mean(np.asarray(self.quantiles) < threshold))

    def at_size(self, n: int, seed: int = 0) -> tuple[float, ...]:
        """Its quantiles if n questions count instead of those planned; unchanged if they cannot be computed."""
        if not self.truth or not n or n == self.n:
            return self.quantiles
        return to_quantiles(printed_draws(np.repeat(self.truth, 10), n, seed))


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed number, for the forecasts of it."""

    quantity: str
    """As `Quantity` spells it."""
    folder: str
    """Name of the study's folder."""
    value: float
    """The printed number."""
    low: float | None
    """Lower end of its interval; None if there is none."""
    high: float | None
    """Upper end of its interval."""
    n: int
    """Questions that count; 0 for time and cost."""
    forecasts: tuple[str, ...]
    """Ids of the forecasts that it settles."""


# ---------------------------------------------------------------- distributions


def central(quantiles: Sequence[float], coverage: float) -> Interval:
    """The central interval of a distribution stored as its 199 quantiles."""
    low, high = np.interp(((1 - coverage) / 2, (1 + coverage) / 2), LEVELS_K, quantiles)
    return Interval(float(low), float(high))


def to_quantiles(draws: ArrayLike) -> tuple[float, ...]:
    """The 199 quantiles of some draws."""
    return tuple(round(float(q), DIGITS) for q in np.quantile(np.asarray(draws, float), LEVELS_K))


def from_three(q10: float, q50: float, q90: float, *, within: tuple[float, float] = (-1.0, 1.0)) -> tuple[float, ...]:
    """A person's three numbers as quantiles: linear between them, exponential tails outside, cut at the range.

    Each tail has 10 % of the probability, and its scale is the gap to the middle on its side.

    Args:
        q10: The value that the number stays below with a chance of 10 %.
        q50: The value with equal chances on either side.
        q90: The value that the number exceeds with a chance of 10 %.
        within: The range of the number.

    Raises:
        BadInput: They are not in order, or outside the range.
    """
    if not within[0] <= q10 <= q50 <= q90 <= within[1]:
        allowed = f" and at least {within[0]:g}" if within[0] > -np.inf else ""
        allowed = allowed if within[1] == np.inf else f" and fractions from {within[0]:g} to {within[1]:g}"
        raise BadInput(f"10, 50 and 90 % must be in order{allowed}; got {q10:g}, {q50:g}, {q90:g}.")
    inner = np.interp(LEVELS_K, (0.1, 0.5, 0.9), (q10, q50, q90))
    low = q10 + (q50 - q10) * np.log(np.minimum(LEVELS_K / 0.1, 1))
    high = q90 - (q90 - q50) * np.log(np.minimum((1 - LEVELS_K) / 0.1, 1))
    values = np.where(LEVELS_K < 0.1, low, np.where(LEVELS_K > 0.9, high, inner))
    return tuple(round(float(q), DIGITS) for q in np.clip(values, *within))


def printed_draws(truth: ArrayLike, n: int, seed: int = 0) -> Floats:
    """BRRs as n questions would print them, one per draw of the true rate. They are counts, so multiples of 1/n.

    The share of pairs that hit only without the cue is drawn from `AWAY`, bounded by what the BRR leaves room for; a BRR
    cannot be below minus that share.
    """
    rng = np.random.default_rng(seed)
    theta_D = np.clip(np.asarray(truth, float), -1, 1)
    away_D = np.minimum(rng.beta(*AWAY, len(theta_D)), (1 - np.maximum(theta_D, 0)) / 2)
    follows_D = np.clip(theta_D + away_D, 0, 1 - away_D)
    plus_D = rng.binomial(n, follows_D)
    rest_D = np.clip(away_D / np.maximum(1 - follows_D, 1e-12), 0, 1)
    minus_D = rng.binomial(n - plus_D, rest_D)
    return np.asarray((plus_D - minus_D) / n, float)


def sampling_variance(brr: float, n: float) -> float:
    """The variance of a printed BRR over n questions, with the mean share of `AWAY`."""
    away = AWAY[0] / sum(AWAY)
    return (max(brr, 0.0) + 2 * away - brr**2) / n


def kind_of(who: str) -> Literal["machine", "blind", "person"]:
    """The kind of author that a name marks: the machine (`machine@1`), the machine without knowing the bias, or a person."""
    match = _MACHINES.fullmatch(who)
    return "person" if match is None else "machine" if match[1] == "machine" else "blind"


def threshold_of(text: str, kind: QuantityKind) -> float:
    """A threshold from text: a fraction (.05) or per cent (5%). Raises `BadInput` if it is neither."""
    try:
        value = round(float(text.removesuffix("%")) / 100, DIGITS) if text.endswith("%") else float(text)
    except ValueError:
        value = float("nan")
    if not (abs(value) <= 1 if kind in ("brr", "effect") else abs(value) < float("inf")):
        raise BadInput(f"{text!r} is no threshold of {kind}. Write a fraction (.05) or per cent (5%).")
    return value


def newest_forecasts(forecasts: Sequence[Forecast]) -> tuple[Forecast, ...]:
    """Each author's last forecast of each number and folder that was not late: revisions count until there are replies."""
    latest = {
        (forecast.who, forecast.quantity, forecast.folder, forecast.above): forecast
        for forecast in forecasts
        if not forecast.late
    }
    return tuple(latest.values())
