"""What is currently known about the numbers that decisions depend on, as joint draws.

In: the folders of a project, and published figures. Out: `Beliefs`. A rate of a model comes from the hierarchy over biases
and models; an arm's rate is the base's times a ratio drawn from published trainings, or, with probability `ODD`, anything at
all. It is then weighted by what the arm printed here. A training is one draw of its recipe: its number is the recipe's plus
the effect of its seed.

    beliefs = Beliefs("runs")
    beliefs.of(Quantity.parse("brr(post_hoc, openai/gpt-4o-mini + bct)")).mean()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unsway import effects, interventions, layout
from unsway.effects.results import find_panel
from unsway.errors import UnknownName
from unsway.planning.forecasts import Quantity
from unsway.planning.hierarchy import KnownRate, draws, published_rates
from unsway.seeds import seed_int
from unsway.stats.intervals import Floats, quantile
from unsway.studies.arms import Arm
from unsway.studies.folder import arms_of
from unsway.studies.forecasting import HELD_OUT, log_normal, printed_rates
from unsway.studies.readable import read_folders

N_DRAWS = 4000
"""Number of draws of every quantity; all options of a decision are compared on the same draws."""
SEED_SD = {"brr": 0.06, "ratio": 0.06, "effect": 0.02}
"""Standard deviation between trainings of one recipe with different seeds and rows. For BRRs: from two recipes trained
twice each (docs/results.md: 10 and 6 points, 14 and -1), minus sampling noise. For side effects: a judgement."""
SIDE_EFFECT = (-0.01, 0.04)
"""Mean and standard deviation of a training's gain in a side effect: -1.2 points of accuracy and -3.8 of TruthfulQA are
published (arXiv 2403.05518), and losses of 28 (arXiv 2605.21834). A judgement."""

ODD = 0.05
"""The chance that an arm does what no published change does: anything between -1 and 1. So what was measured counts, however
far from what was expected. A judgement."""
LEAST_BASE = 0.05
"""The BRR of a base below which a ratio is not taken to be larger."""


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """The value that one arm printed for a quantity."""

    value: float
    """A fraction; for a side effect, the gain."""
    variance: float
    """Its sampling variance, from its questions."""


class Beliefs:
    """What is known about the numbers of a project."""

    def __init__(self, project: str | Path, seed: int = 0) -> None:
        """Read the outcomes and the side effects of every folder.

        Args:
            project: The folder that holds the studies' folders.
            seed: Seed of all draws.
        """
        self.project, self.seed = Path(project), seed
        self._rates = tuple(printed_rates(project))
        folders = [path for path in sorted(self.project.glob("*")) if (path / layout.EFFECTS).is_file()]
        folder_panels = read_folders(folders, lambda folder: (arms_of(folder), find_panel(folder)))
        self._panels = tuple((panel, arm) for _, (arms, panel) in folder_panels for arm in arms)
        base_rates = {(row.model, row.bias): row for arm, row in self._rates if arm.role == "base"}
        self.own: tuple[KnownRate, ...] = tuple(base_rates.values())
        self.known: tuple[KnownRate, ...] = (*published_rates(), *self.own)

    def of(self, *quantities: Quantity) -> Floats:
        """Joint draws of numbers, shape (draws, quantities).

        Raises:
            UnknownName: There is no such side effect.
        """
        draw_DQ = np.stack([self._prior(quantity, quantities) for quantity in quantities], axis=1)
        arms = {
            quantity: replace(quantity, kind="brr") if quantity.kind == "ratio" else quantity
            for quantity in quantities
            if quantity.change
        }
        log_D = np.zeros(N_DRAWS)
        odd_arms = dict[Quantity, tuple[float, float, Floats]]()
        for quantity in dict.fromkeys(arms.values()):
            if not (numbers := self.printed(quantity)):
                continue
            value_K = np.array([number.value for number in numbers])
            weight_K = 1 / np.array(
                [number.variance + (SEED_SD[quantity.kind] ** 2) * is_trained(quantity) for number in numbers]
            )
            mean, weight = float(weight_K @ value_K / weight_K.sum()), float(weight_K.sum())
            error_DK = self._brr(quantity, quantities)[:, None] - value_K
            # log-likelihoods of what was printed, if the arm is a change like the published ones, and if it is anything
            usual_log_D = np.log(1 - ODD) - error_DK**2 @ weight_K / 2
            odd_log = np.log(ODD / 2) + np.log(2 * np.pi / weight) / 2 - (mean - value_K) ** 2 @ weight_K / 2
            log_D += np.logaddexp(usual_log_D, odd_log)
            odd_arms[quantity] = mean, weight**-0.5, np.exp(odd_log - np.logaddexp(usual_log_D, odd_log))
        if not odd_arms:
            return draw_DQ
        weight_D = np.exp(log_D - log_D.max())
        grid_D = (np.arange(N_DRAWS) + 0.5) / N_DRAWS
        index_D = np.searchsorted(np.cumsum(weight_D) / weight_D.sum(), grid_D)
        draw_DQ = np.asarray(draw_DQ[index_D], float)
        for q, quantity in enumerate(quantities):
            if (arm := arms.get(quantity)) in odd_arms:
                mean, sd, chance_D = odd_arms[arm]
                rng = np.random.default_rng(self._seed(arm, "odd"))
                is_odd_D = rng.random(N_DRAWS) < chance_D[index_D]
                odd_draw_D = rng.normal(mean, sd, N_DRAWS)
                if quantity.kind == "ratio":
                    odd_draw_D = odd_draw_D / np.maximum(self.base(quantity, quantities)[index_D], LEAST_BASE)
                draw_DQ[is_odd_D, q] = odd_draw_D[is_odd_D]
        return draw_DQ

    def trained(self, quantity: Quantity, truth_D: Floats) -> Floats:
        """Draws of the last measured training's number, given draws of its recipe's number.

        Args:
            quantity: A rate or a side effect that a trained arm has printed.
            truth_D: Draws of the recipe's number.
        """
        last = self.printed(quantity)[-1]
        seed_variance = SEED_SD[quantity.kind] ** 2
        pull = seed_variance / (seed_variance + last.variance)
        noise = np.random.default_rng(self._seed(quantity, "training")).normal(0, 1, len(truth_D))
        return np.asarray(truth_D + pull * (last.value - truth_D) + noise * (pull * last.variance) ** 0.5, float)

    def printed(self, quantity: Quantity) -> tuple[PrintedNumber, ...]:
        """The values printed for a quantity by an arm: one per training seed, or per prompted arm; empty for a base.

        For a side effect, the value is the middle of the gain's interval in the stored panel.
        """
        if not quantity.change:
            return ()
        if quantity.kind != "effect":
            rates = (row for arm, row in self._rates if row.bias == quantity.bias and is_arm(arm, quantity.arm))
            return tuple(PrintedNumber(row.value, row.variance) for row in rates)
        effect = effects.get(quantity.bias)
        numbers = []
        for panel, arm in self._panels:
            for panel_row in panel.of(arm.label) if panel and is_arm(arm, quantity.arm) else ():
                is_primary = (
                    panel_row.effect.partition("@")[0] == effect.name and panel_row.measure == effect.measures[0].name
                )
                if is_primary and panel_row.gain is not None:
                    low, high = panel_row.gain
                    numbers.append(PrintedNumber((low + high) / 2, ((high - low) / 2 / quantile(0.95)) ** 2))
        return tuple(numbers)

    # ------------------------------------------------------------ priors

    def _prior(self, quantity: Quantity, among: Sequence[Quantity]) -> Floats:
        """Draws of a quantity before its own arm has printed anything."""
        if quantity.kind == "effect":
            effects.get(quantity.bias)
            return np.asarray(np.random.default_rng(self._seed(quantity)).normal(*SIDE_EFFECT, N_DRAWS), float)
        return self._ratio(quantity) if quantity.kind == "ratio" else self._brr(quantity, among)

    def _brr(self, quantity: Quantity, among: Sequence[Quantity]) -> Floats:
        """Draws of what an arm prints: its BRR, even if the quantity is its ratio to the base; or its side effect."""
        if quantity.kind == "effect":
            return self._prior(quantity, among)
        base_D = self.base(quantity, among)
        return base_D * self._ratio(quantity) if quantity.change else base_D

    def base(self, quantity: Quantity, among: Sequence[Quantity] = ()) -> Floats:
        """Draws of the BRR of a quantity's base model, jointly with those of `among`."""
        cells = tuple(dict.fromkeys((q.model, q.bias) for q in (quantity, *among) if q.kind != "effect"))
        ordered = tuple(sorted(cells))
        return draws(self.known, ordered, N_DRAWS, self.seed)[:, ordered.index((quantity.model, quantity.bias))]

    def _ratio(self, quantity: Quantity) -> Floats:
        """Draws of BRR after / before."""
        return log_normal(HELD_OUT, np.random.default_rng(self._seed(quantity)), N_DRAWS)

    def _seed(self, quantity: Quantity, purpose: str = "arm") -> int:
        return seed_int(self.seed, purpose, quantity.bias, quantity.arm)


def is_arm(arm: Arm, name: str) -> bool:
    """Whether an arm of a study has the name `MODEL + CHANGE`, with any seed."""
    return arm.is_called(name) or (bool(arm.training) and name == f"{arm.of} + {arm.training}")


def is_trained(quantity: Quantity) -> bool:
    """Whether a quantity is about a trained arm, not a prompted one."""
    if not quantity.change:
        return False
    try:
        interventions.get(quantity.change)
    except UnknownName:
        return True
    return False
