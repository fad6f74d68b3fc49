"""Send the measures of a study to experiment trackers, which already have its training losses.

In: `Results`, names of trackers. Out: one run for each arm, named by its label, with `BIAS/brr`, its ends, rates and counts.

    track(results, ["trackio"], project="cues")
    track(results, ["tensorboard"], folder="runs/mine")     # runs/mine/tensorboard/measures-ARM
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from unsway.errors import UnknownName, number_of
from unsway.extras import requires
from unsway.layout import file_name
from unsway.reporting.table import rows
from unsway.studies.results import Results, plain_name

LOGGED = ("brr", "brr_low", "brr_high", "clean_rate", "biased_rate", "accuracy_clean", "accuracy_biased", "n")
"""The numbers of a row that are logged, if it has them; fractions, as everywhere."""
_log = logging.getLogger(__name__)


def track(results: Results, names: Sequence[str], *, project: str = "unsway", folder: str | Path = ".") -> None:
    """Log the measures of every arm.

    Args:
        results: The study.
        names: Trackers: tensorboard, wandb, trackio.
        project: Name of the project in wandb and trackio.
        folder: Where TensorBoard's and wandb's files go.

    Raises:
        UnknownName: There is no such tracker.
        MissingExtra: Its package is not installed.
    """
    for name in names:
        if name not in SENDERS:
            raise UnknownName("tracker", name, SENDERS)
    for arm, measures in measures_of(results).items():
        for name in names:
            SENDERS[name](project, arm, measures, Path(folder))
            _log.info("%s: %s of %s", name, number_of(len(measures), "measure"), arm)


def measures_of(results: Results) -> dict[str, dict[str, float]]:
    """Maps each arm's label to its measures by name; missing numbers are left out."""
    measures: dict[str, dict[str, float]] = {}
    for row in rows(results):
        arm_measures = measures.setdefault(str(row["arm"]), {})
        values = {name: row.get(name) for name in LOGGED}
        bias = plain_name(str(row["bias"]))
        arm_measures |= {
            f"{bias}/{name}": float(value) for name, value in values.items() if isinstance(value, int | float)
        }
    return measures


def _to_tensorboard(_project: str, arm: str, measures: Mapping[str, float], folder: Path) -> None:
    with requires("trackers", "Reporting measures to TensorBoard"):
        from tensorboard.summary import Writer

    writer = Writer(str(folder / "tensorboard" / f"measures-{file_name(arm)}"))
    for name, value in measures.items():
        writer.add_scalar(name, value, 0)
    writer.close()


def _to_wandb(project: str, arm: str, measures: Mapping[str, float], folder: Path) -> None:
    with requires("trackers", "Reporting measures to Weights & Biases"):
        import wandb

    run = wandb.init(project=project, name=arm, dir=str(folder))
    run.log(dict(measures))
    run.finish()


def _to_trackio(project: str, arm: str, measures: Mapping[str, float], _folder: Path) -> None:
    with requires("trackers", "Reporting measures to trackio"):
        import trackio

    trackio.init(project=project, name=arm, resume="allow")
    trackio.log(dict(measures))
    trackio.finish()


SENDERS: Mapping[str, Callable[[str, str, Mapping[str, float], Path], None]] = {
    "tensorboard": _to_tensorboard,
    "wandb": _to_wandb,
    "trackio": _to_trackio,
}
"""By tracker name, the function that sends one arm's measures."""
