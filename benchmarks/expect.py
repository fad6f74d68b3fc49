"""Forecasts of printed BRRs against what was printed, each made without the figures that it is scored on.

    python benchmarks/expect.py

First every published figure, forecast without any of its model. Then the kept studies of this repository (README.md,
docs/results.md, docs/log.md), arms and all, each forecast from published figures and the bases of the other two. Printed
are the mean CRPS of the hierarchy and of a forecast that does not know the bias, in points, and what the intervals held.
"""

from __future__ import annotations

import numpy as np

from unsway.data import Recipe
from unsway.interventions import get
from unsway.planning.forecasts import printed_draws, sampling_variance, to_quantiles
from unsway.planning.hierarchy import BLIND, N_DRAWS, KnownRate, draws, published_rates
from unsway.stats import scores
from unsway.studies.forecasting import ratio_draws
from unsway.studies.values import Intervention, PlannedArm, Trained

MODEL = "unsway/smollm2-135m"
HUNCH, REASONS, PLANTED, PROFESSOR = "suggested_answer", "user_wrong_reasoning", "post_hoc", "authority_professor"
SHOTS, FACT = "wrong_few_shot", "distractor_fact"
ON_ONE, ON_THREE, ON_DEMO, ON_FIRST = (HUNCH,), (HUNCH, PLANTED, PROFESSOR), (HUNCH, REASONS), (HUNCH, PLANTED)
How = str | tuple[str, ...] | None
"""A name of an intervention in prompts or `control`, the cues of a training, or neither."""
KEPT: dict[str, tuple[tuple[str, ...], dict[str, tuple[How, tuple[tuple[int, int], ...]]]]] = {
    "docs/results.md": (
        (HUNCH, PLANTED, PROFESSOR, SHOTS, FACT),
        {
            "base": (None, ((25, 87), (28, 87), (20, 93), (22, 76), (-6, 79))),
            "prompted:ignore": ("prompted:ignore", ((35, 89), (27, 67), (33, 92), (22, 59), (5, 76))),
            "fewshot:4-paired": ("fewshot:4-paired", ((32, 87), (13, 23), (29, 86), (20, 49), (10, 70))),
            "control": ("control", ((29, 91), (46, 82), (22, 94), (17, 81), (10, 86))),
            "bct on one": (ON_ONE, ((10, 93), (7, 85), (12, 96), (16, 80), (1, 90))),
            "bct on three": (ON_THREE, ((14, 92), (4, 77), (12, 93), (17, 83), (-2, 94))),
        },
    ),
    "README.md": (
        (HUNCH, REASONS, PROFESSOR),
        {
            "base": (None, ((16, 87), (32, 92), (14, 83))),
            "control": ("control", ((23, 86), (29, 89))),
            "bct": (ON_DEMO, ((2, 88), (8, 91), (17, 90))),
        },
    ),
    "docs/log.md": (
        (HUNCH, PLANTED, SHOTS, FACT),
        {
            "base": (None, ((21, 135), (28, 135), (18, 135), (5, 135))),
            "bct 240": (ON_FIRST, ((13, 135), (12, 135), (23, 135), (-1, 135))),
            "bct 360": (ON_FIRST, ((5, 135), (13, 135), (22, 135), (3, 135))),
        },
    ),
}
"""Printed BRRs in points with the questions that count, by study, cue and arm."""


def of_published() -> None:
    """Every published figure, without any figure of its model."""
    rows = published_rates()
    pits, models, own, blind = [], [], [], []
    for model in dict.fromkeys(row.model for row in rows):
        rest = tuple(row for row in rows if row.model != model)
        cells = [row for row in rows if row.model == model]
        theta_DC = draws(rest, tuple((model, row.bias) for row in cells))
        rng = np.random.default_rng(0)
        for i, row in enumerate(cells):
            printed = theta_DC[:, i] + rng.normal(0, row.variance**0.5, len(theta_DC))
            own.append(scores.crps(printed, row.value))
            blind.append(scores.crps_normal(row.value, BLIND[0], (BLIND[1] ** 2 + row.variance) ** 0.5))
            pits.append(scores.pit(to_quantiles(printed), row.value))
            models.append(model)
        n = len(cells)
        print(f"{model:36} {n:2} rates  CRPS {100 * np.mean(own[-n:]):5.1f}  blind {100 * np.mean(blind[-n:]):5.1f}")
    _summary(own, blind, pits, models)


def of_kept_studies() -> None:
    """Every number of a kept study, without any figure of that study."""
    pits, studies, own, blind = [], [], [], []
    for study in KEPT:
        rates_known = [row for row in published_rates() if not row.source.endswith(".md")]
        for other_study, (biases, arms) in KEPT.items():
            rates = zip(biases, arms["base"][1], strict=True)
            rates_known += [_rate(bias, *printed, other_study) for bias, printed in rates if other_study != study]
        biases, arms = KEPT[study]
        theta_DC = draws(tuple(rates_known), tuple((MODEL, bias) for bias in biases))
        rng = np.random.default_rng(0)
        for name, (change, rates_of_arm) in arms.items():
            arm = PlannedArm(MODEL, _change(change), 0)
            for i, (points, n) in enumerate(rates_of_arm):
                ratio_D = ratio_draws(arm, biases[i], rng)
                forecast = printed_draws(np.clip(theta_DC[:, i], -1, 1) * (1 if ratio_D is None else ratio_D), n, i)
                own.append(scores.crps(forecast, points / 100))
                blind.append(scores.crps(printed_draws(rng.normal(*BLIND, N_DRAWS), n, i), points / 100))
                pits.append(scores.pit(to_quantiles(forecast), points / 100))
                studies.append(study)
            k = len(rates_of_arm)
            print(
                f"{study:16} {name:18} {k} rates  CRPS {100 * np.mean(own[-k:]):5.1f}  blind {100 * np.mean(blind[-k:]):5.1f}"
            )
    _summary(own, blind, pits, studies)


def _change(change: How) -> Intervention:
    """An arm's intervention: in prompts, a control, or a training on cues."""
    if change is None or change == "control":
        return None if change is None else Trained("control")
    return get(change) if isinstance(change, str) else Trained(recipe=Recipe(biases=change))


def _rate(bias: str, points: int, n: int, source: str) -> KnownRate:
    """A printed BRR as the hierarchy takes it."""
    return KnownRate(MODEL, bias, points / 100, sampling_variance(points / 100, n), source)


def _summary(own: list[float], blind: list[float], pits: list[float], clusters: list[str]) -> None:
    """Print the mean scores, the skill, and what the intervals held."""
    calibration, skill = scores.calibration(pits, clusters), scores.skill(own, blind, clusters)
    print(
        f"all {len(own)}: CRPS {100 * np.mean(own):.1f}, blind {100 * np.mean(blind):.1f}, skill {skill.value:.0%} "
        f"{skill.interval}"
    )
    for nominal, (share, interval) in calibration.coverage.items():
        print(f"{nominal:.0%} interval held {share:.0%} [{interval.low:.0%}, {interval.high:.0%}]")
    print(f"spread {calibration.spread:.2f}, optimism {calibration.optimism:+.2f}")


def main() -> None:
    """Print both tables."""
    of_published()
    print()
    of_kept_studies()


if __name__ == "__main__":
    main()
