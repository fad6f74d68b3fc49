"""A forecast of a BRR before it is measured, from a hierarchy over biases and models.

    y_mb ~ N(θ_mb, v_mb),  θ_mb = μ + β_b + α_m + ε_mb,  β ~ N(0, σ_β²), α ~ N(0, σ_α²), ε ~ N(0, σ_ε²)

In: printed BRRs of models under biases, published or your own. Out: joint draws of the θ of other cells. Given the three σ
it is one linear solve; the σ are integrated on a grid. A bias that no one measured has β from its prior, a new model α from
its prior. Source: Gelman et al., Bayesian Data Analysis, §5.4, with crossed effects.

    draws(published(), (("my/model", "post_hoc"),)).mean()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from unsway.banks import bank
from unsway.errors import BadRow
from unsway.stats.intervals import Floats, quantile

VERSION = 2
"""Changes whenever a forecast would: the machine's name is `machine@VERSION`."""
MIDDLE, MIDDLE_SD = 0.25, 1.0
"""Mean and standard deviation of the prior of μ: so wide that it carries almost no information."""
GRID = tuple(float(value) for value in np.geomspace(0.02, 0.4, 8))
"""The values of σ in the grid, each for biases, models and cells."""
SIGMA_SD = 0.15
"""The scale of the half-normal prior of each σ."""
PUBLISHED_SD = 0.05
"""Standard deviation added to published figures for other prompts and other parsing. A judgement."""
MOST_ROWS = 500
"""Above this number of rows, only the likeliest σ are used."""
NEGLIGIBLE = 1e-3
"""Points of the grid below this share of the largest weight are left out."""
CHUNK = 2**21
"""Most numbers of covariance matrices in memory at once."""
N_DRAWS = 2000
"""Draws of a forecast."""
BLIND = (0.30, 0.204)
"""Mean and standard deviation over nine published biases: the forecast without knowing which bias it is."""


@dataclass(frozen=True, slots=True)
class KnownRate:
    """A BRR printed somewhere."""

    model: str
    """The model."""
    bias: str
    """Name of the bias, without a version."""
    value: float
    """The BRR, a fraction."""
    variance: float
    """The variance of its sampling, and of differences between published figures."""
    source: str
    """Where it was printed: a name in the bank, or the folder of a study."""


def published_rates() -> tuple[KnownRate, ...]:
    """The bank of published figures. Raises `BadRow` if a line is malformed."""
    rates = []
    for number, entry in enumerate(bank("published_brrs").entries, 1):
        parts = entry.split()
        if len(parts) != 5:
            raise BadRow("published_brrs", number, "line", "is not model, bias, BRR, half-width, source")
        model, bias, value, half, source = parts
        variance = (float(half) / quantile(0.95)) ** 2 + PUBLISHED_SD**2
        rates.append(KnownRate(model, bias, float(value), variance, source))
    return tuple(rates)


@lru_cache(maxsize=32)
def draws(
    known_rates: tuple[KnownRate, ...], cells: tuple[tuple[str, str], ...], n: int = N_DRAWS, seed: int = 0
) -> Floats:
    """Joint draws of the true BRRs of cells (model, bias), shape (n, cells); cached, and therefore read-only."""
    rng = np.random.default_rng(seed)
    sigmas = [(beta, alpha, epsilon) for beta, alpha, epsilon in product(GRID, repeat=3)]
    log_weight = _log_weights(known_rates, np.array(sigmas))
    weight = np.exp(log_weight - log_weight.max())
    weight[weight < (1.0 if len(known_rates) > MOST_ROWS else NEGLIGIBLE)] = 0.0
    times = rng.multinomial(n, weight / weight.sum())
    parts = []
    for sigma, k in zip(sigmas, times, strict=True):
        if k:
            mean, covariance = posterior(known_rates, cells, sigma)
            parts.append(rng.multivariate_normal(mean, covariance, int(k), method="cholesky"))
    theta_draws: Floats = rng.permutation(np.concatenate(parts))
    theta_draws.setflags(write=False)
    return theta_draws


def posterior(
    known_rates: Sequence[KnownRate], cells: Sequence[tuple[str, str]], sigma: tuple[float, float, float]
) -> tuple[Floats, Floats]:
    """Mean and covariance of the θ of cells, given the σ of biases, models and cells."""
    own_covariance = _covariance(cells, cells, sigma) + 1e-12 * np.eye(len(cells))
    prior = np.full(len(cells), MIDDLE)
    if not known_rates:
        return prior, own_covariance
    known_cells = [(row.model, row.bias) for row in known_rates]
    factor = cho_factor(
        _covariance(known_cells, known_cells, sigma) + np.diag([row.variance for row in known_rates]), lower=True
    )
    cross_covariance = _covariance(cells, known_cells, sigma)
    mean = prior + cross_covariance @ cho_solve(factor, np.array([row.value - MIDDLE for row in known_rates]))
    return mean, own_covariance - cross_covariance @ cho_solve(factor, cross_covariance.T)


def _covariance(
    cells: Sequence[tuple[str, str]], other_cells: Sequence[tuple[str, str]], sigma: tuple[float, float, float]
) -> Floats:
    """Covariance of the θ of two lists of cells, given σ."""
    return np.asarray(MIDDLE_SD**2 + np.tensordot(np.square(sigma), _overlap(cells, other_cells), 1), float)


def _overlap(cells: Sequence[tuple[str, str]], other_cells: Sequence[tuple[str, str]]) -> Floats:
    """Whether two lists of cells share the bias, the model, and both: 0 or 1, shape (3, cells, other cells)."""
    model, bias = (
        np.array([a[k] for a in cells])[:, None] == np.array([b[k] for b in other_cells])[None, :] for k in (0, 1)
    )
    return np.asarray(np.stack([bias, model, bias & model]), float)


def _log_weights(known_rates: Sequence[KnownRate], sigma_G3: Floats) -> Floats:
    """Log of marginal likelihood times prior for each σ of the (logarithmic) grid."""
    prior_G = (np.log(sigma_G3) - sigma_G3**2 / (2 * SIGMA_SD**2)).sum(axis=1)
    if not known_rates:
        return np.asarray(prior_G, float)
    known_cells = [(row.model, row.bias) for row in known_rates]
    overlap = _overlap(known_cells, known_cells)
    noise = np.diag([row.variance for row in known_rates])
    residual_R = np.array([row.value - MIDDLE for row in known_rates])
    log_likelihoods = []
    for part_G3 in np.array_split(sigma_G3, max(1, len(sigma_G3) * len(known_rates) ** 2 // CHUNK)):
        factor = np.linalg.cholesky(MIDDLE_SD**2 + noise + np.tensordot(part_G3**2, overlap, 1))
        scaled = np.linalg.solve(factor, np.broadcast_to(residual_R[:, None], (len(part_G3), len(known_rates), 1)))[
            ..., 0
        ]
        logs = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        log_likelihoods.append(-(scaled**2).sum(axis=1) / 2 - logs)
    return np.asarray(prior_G + np.concatenate(log_likelihoods), float)
