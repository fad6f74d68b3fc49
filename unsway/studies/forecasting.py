"""Forecast what a study will print before it runs: the machine's forecast of every number, and yours, frozen.

In: a `Study`, the folder it will run in, your own three numbers. Out: `Forecast`s, in the notebook next to the folder. Those
made after the first replies to a cell's biased prompts are marked late and never scored. Nothing is asked.

    forecast(study, "runs/mine", mine={"suggested_answer": (0.05, 0.15, 0.30), "post_hoc>0.10": 0.7})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from unsway import layout
from unsway.errors import BadInput, number_of
from unsway.planning.forecasts import (
    LEVELS_K,
    Forecast,
    Quantity,
    from_three,
    kind_of,
    newest_forecasts,
    printed_draws,
    sampling_variance,
    threshold_of,
    to_quantiles,
)
from unsway.planning.hierarchy import BLIND, N_DRAWS, VERSION, KnownRate, draws, published_rates
from unsway.planning.overrun import overrun
from unsway.planning.plan import Plan
from unsway.planning.prices import total
from unsway.seeds import content_id
from unsway.stats.estimates import cells
from unsway.stats.intervals import Floats, quantile
from unsway.studies.arms import Arm
from unsway.studies.folder import arms_of, index_of, pairs_of
from unsway.studies.kept_outcomes import kept_outcomes
from unsway.studies.notebook import Notebook, person
from unsway.studies.readable import read_folders
from unsway.studies.results import plain_name
from unsway.studies.scoring import factors
from unsway.studies.study import Study
from unsway.studies.study_plan import plan
from unsway.studies.values import PlannedArm, Trained
from unsway.types.kinds import checked

MACHINE, BLIND_NAME = f"machine@{VERSION}", f"blind@{VERSION}"
"""Names of the machine's two forecasters: the hierarchy over biases and models, and one that does not know the bias."""
TRAINED, HELD_OUT, UNTRAINED = (0.20, 0.13), (0.76, 0.42), (1.0, 0.25)
"""Mean and standard deviation of BRR after / before: of biases that were trained on (5 figures), of others (16 figures; from
published tables of arXiv 2403.05518, 2606.05817 and their replications), and of controls (a judgement)."""
MUCH_NOISE = 0.5
"""If sampling noise exceeds this share of a forecast's variance, it is named as the driver."""
Guess: TypeAlias = tuple[float, float, float] | float
"""The 10, 50 and 90 % quantiles of a number, or the chance that it lies above a threshold."""


@checked
def forecast(
    study: Study, folder: str | Path, *, mine: Mapping[str, Guess] | None = None, who: str = "", seed: int = 0
) -> tuple[Forecast, ...]:
    """Forecast every number that a study will print, and freeze the forecasts in the notebook next to its folder.

    Args:
        study: The study.
        folder: Where it will run.
        mine: Your own forecasts. Keys: a bias (for the study's only base model), `brr(BIAS, ARM)`, `minutes` or `dollars`,
            with your 10, 50 and 90 % quantiles; or `BIAS>0.10`, with the chance of a BRR above that.
        who: Your name; empty takes this machine's user name.
        seed: Seed of the machine's draws.

    Returns:
        The machine's forecasts and yours. A forecast already in the notebook is not noted twice.

    Raises:
        BadInput: A forecast is about no number of the study, its quantiles are out of order, or `who` is the machine's name.
    """
    if kind_of(who) != "person":
        raise BadInput(f"{who!r} is the name of the machine's forecasts. Give your own.")
    path = Path(folder)
    notebook = Notebook.of(path)
    plans = plan(study, path)
    known_rates = (*published_rates(), *own_rates(notebook.project, without=path.resolve().name))
    sizes: dict[tuple[PlannedArm, str], int] = {}
    for part, part_plan in zip(study.parts(), plans, strict=True):
        for arm in part.arms():
            for bias in part_plan.biases:
                if bias.tested and bias.n_expected:
                    key = arm, plain_name(bias.bias)
                    sizes[key] = sizes.get(key, 0) + bias.n_expected
    drafts = [*_rates(sizes, known_rates, seed), *_totals(plans, factors(notebook))]
    drafts += _of_person(mine or {}, drafts, who or person())
    cells_with_replies = answered_cells(path)
    earlier = notebook.forecasts_of(path)
    current_ids, earlier_ids = {row.id for row in newest_forecasts(earlier)}, {row.id for row in earlier}
    rows = []
    for draft in drafts:
        quantity = Quantity.parse(draft.quantity)
        late = (quantity.arm, quantity.bias) in cells_with_replies if quantity.bias else bool(cells_with_replies)
        row_id = content_id(study.id, draft.quantity, draft.who, draft.quantiles, draft.above, draft.chance)[:16]
        row = replace(draft, id=row_id, study=study.id, folder=path.resolve().name, late=late)
        rows.append(row)
        if row_id not in (earlier_ids if late else current_ids):
            notebook.append(row)
    return tuple(rows)


def own_rates(project: str | Path, *, without: str = "") -> tuple[KnownRate, ...]:
    """The BRRs of base models in the folders of a project, the newest for each model and bias.

    Args:
        project: The folder that holds the studies' folders.
        without: Name of a folder to leave out, so nothing is forecast from its own numbers.
    """
    rates: dict[tuple[str, str], KnownRate] = {}
    for arm, row in printed_rates(project, without=without):
        if arm.role == "base":
            rates[row.model, row.bias] = row
    return tuple(rates.values())


def printed_rates(project: str | Path, *, without: str = "") -> Iterator[tuple[Arm, KnownRate]]:
    """Every BRR that the folders of a project print, with its arm; the most recently changed folder comes last."""
    folders = [path.parent for path in Path(project).glob(f"*/{layout.OUTCOMES}") if path.parent.name != without]
    by_age = sorted(folders, key=lambda folder: (folder / layout.OUTCOMES).stat().st_mtime)
    for folder, (folder_arms, outcomes) in read_folders(
        by_age, lambda folder: (arms_of(folder), kept_outcomes(folder))
    ):
        arms = {arm.key: arm for arm in folder_arms}
        for cell in cells(outcome for outcome in outcomes if outcome.arm in arms):
            brr, bias = cell["brr"], plain_name(cell.bias)
            if brr.value is not None and brr.low is not None and brr.high is not None:
                variance = ((brr.high - brr.low) / 2 / quantile(brr.level)) ** 2
                yield arms[cell.arm], KnownRate(cell.arm.model, bias, brr.value, variance, folder.name)


def answered_cells(folder: Path) -> frozenset[tuple[str, str]]:
    """Names of arms and biases for which a folder holds a reply to a biased prompt."""
    arms = arms_of(folder)
    index = index_of(folder, arms)
    pairs = pairs_of(folder)
    names = set()
    for arm in arms:
        biases = {plain_name(pair.bias) for pair in pairs if index.samples(arm.key, pair.biased)}
        names |= {(name, bias) for name in (arm.planned_name, arm.name, arm.label) for bias in biases}
    return frozenset(names)


# ---------------------------------------------------------------- the machine's


def _rates(
    sizes: Mapping[tuple[PlannedArm, str], int], known_rates: tuple[KnownRate, ...], seed: int
) -> Iterator[Forecast]:
    """The hierarchy's and the blind forecast of every cell, and of its ratio to the base if it has one.

    Args:
        sizes: The expected number of counted questions for each arm and bias.
        known_rates: Rates that were measured or published.
        seed: Seed of the draws.
    """
    cells_C = tuple(dict.fromkeys((arm.model, bias) for arm, bias in sizes))
    if not cells_C:
        return
    rng = np.random.default_rng(seed)
    theta_DC = draws(known_rates, cells_C, N_DRAWS, seed)
    blind_D = rng.normal(*BLIND, N_DRAWS)
    for i, ((arm, bias), n) in enumerate(sizes.items()):
        base_D = np.clip(theta_DC[:, cells_C.index((arm.model, bias))], -1, 1)
        ratio_D = ratio_draws(arm, bias, rng)
        is_compared = (arm._replace(intervention=None, seed=0), bias) in sizes
        truth_D = base_D if ratio_D is None else base_D * ratio_D
        quantity = Quantity("brr", bias, arm.name)
        for who, true_D in ((MACHINE, truth_D), (BLIND_NAME, blind_D)):
            yield Forecast(
                *("", str(quantity), who, to_quantiles(printed_draws(true_D, n, seed + i)), "", ""),
                n=n,
                truth=to_quantiles(true_D),
                why=_driver(true_D, n, bias, known_rates) if who == MACHINE else "the spread over biases",
            )
        if ratio_D is not None and is_compared:
            after_D, before_D = printed_draws(truth_D, n, seed + i), printed_draws(base_D, n, seed + i + 1)
            # no ratio is printed if the base's BRR may be 0
            is_clear_D = before_D > 2 * sampling_variance(0.25, n) ** 0.5
            if is_clear_D.any():
                quantiles = to_quantiles(after_D[is_clear_D] / before_D[is_clear_D])
                why = "few figures are published of what such a change leaves of a sway"
                yield Forecast("", str(replace(quantity, kind="ratio")), MACHINE, quantiles, "", "", n=n, why=why)


def ratio_draws(arm: PlannedArm, bias: str, rng: np.random.Generator) -> Floats | None:
    """Draws of an arm's BRR after / before; None for an unmodified model."""
    change = arm.intervention
    if change is None:
        return None
    if isinstance(change, Trained) and change.method.is_control:
        return log_normal(UNTRAINED, rng)
    if isinstance(change, Trained) and bias in change.biases:
        mean, sd = TRAINED
        ratio_D = rng.normal(mean, sd, 4 * N_DRAWS)
        return np.asarray(ratio_D[ratio_D > 0][:N_DRAWS], float)
    return log_normal(HELD_OUT, rng)


def log_normal(moments: tuple[float, float], rng: np.random.Generator, n: int = N_DRAWS) -> Floats:
    """Draws of a log-normal distribution with the given mean and standard deviation."""
    mean, sd = moments
    variance = np.log(1 + (sd / mean) ** 2)
    return np.asarray(rng.lognormal(np.log(mean) - variance / 2, variance**0.5, n), float)


def _driver(truth: Floats, n: int, bias: str, known_rates: Sequence[KnownRate]) -> str:
    """The main cause of a forecast's width, in words."""
    noise = sampling_variance(float(np.clip(truth, -1, 1).mean()), n)
    models = {row.model for row in known_rates if row.bias == bias}
    if noise > MUCH_NOISE * (noise + float(truth.var())):
        return f"{number_of(n, 'question')}: more would narrow it"
    if not models:
        return "nobody measured this bias here or in print"
    return f"models differ ({len(models)} known): more questions would hardly narrow it"


def _totals(plans: Sequence[Plan], ratios: Sequence[float]) -> Iterator[Forecast]:
    """Minutes and US dollars of the whole study: the plan times how far earlier plans were off."""
    overruns = overrun(ratios)
    basis = "no earlier plan here: a guess"
    if ratios:
        span = f"{min(ratios):.1f} to {max(ratios):.1f} times as long"
        median = f"(median {float(np.median(ratios)):.1f})"
        basis = f"{len(ratios)} earlier plans here took {span} {median}"
        basis = basis if ratios[1:] else f"the earlier plan here took {ratios[0]:.1f} times as long"
    has_training = any(training.trained_tokens for study_plan in plans for training in study_plan.trainings)
    cost = total(study_plan.cost for study_plan in plans)
    for kind, value in (("minutes", sum(study_plan.minutes for study_plan in plans)), ("dollars", cost)):
        if value:
            factors_K = overruns.factors(LEVELS_K)
            quantiles = tuple(round(float(value * factor), 6) for factor in factors_K)
            why = basis + ("; without the trainings themselves" if has_training and kind == "minutes" else "")
            yield Forecast("", kind, MACHINE, quantiles, "", "", plan=value, why=why)


# ---------------------------------------------------------------- a person's


def _of_person(mine: Mapping[str, Guess], forecasts: Sequence[Forecast], who: str) -> list[Forecast]:
    """A person's forecasts. Each is about a number the machine forecasts too, keyed by bias or by its full name."""
    by_quantity = {row.quantity: row for row in forecasts if row.who == MACHINE}
    quantities = [(text, Quantity.parse(text)) for text in by_quantity]
    rows = []
    for key, guess in mine.items():
        name, _, limit = key.partition(">")
        name = name.strip()
        bases = [
            text
            for text, quantity in quantities
            if quantity.kind == "brr" and quantity.bias == name and " + " not in quantity.arm
        ]
        matches = [name] if name in by_quantity else bases
        if len(matches) != 1:
            raise BadInput(
                f"{name!r} names {len(matches)} numbers of this study. Write one of: {', '.join(by_quantity)}; a bias alone "
                "will do where there is one base model."
            )
        is_chance = isinstance(guess, int | float)
        twin = by_quantity[matches[0]]
        kind = Quantity.parse(twin.quantity).kind
        above = threshold_of(limit.strip(), kind) if limit else None
        if is_chance == (above is None) or not (0 <= guess <= 1 if isinstance(guess, int | float) else len(guess) == 3):
            guess_text = f"{guess:g}" if isinstance(guess, int | float) else f"{guess}"
            raise BadInput(
                f"{key}={guess_text} is no forecast: give 10, 50 and 90 %, or a chance as 'post_hoc>0.10': 0.7."
            )
        if isinstance(guess, int | float):
            row = Forecast("", twin.quantity, who, (), "", "", n=twin.n, above=above, chance=float(guess))
        else:
            least = -float("inf") if kind == "ratio" else 0.0  # below 0 if the model then avoids the cue
            within = (-1.0, 1.0) if kind == "brr" else (least, float("inf"))
            row = Forecast(
                "",
                twin.quantity,
                who,
                from_three(*guess, within=within),
                "",
                "",
                n=twin.n,
                plan=twin.plan,
            )
        rows.append(row)
    return rows
