"""How much does the demo's result vary between seeds? BCT against its control on the trained cues, one demo for each seed.

    python experiments/demo_seeds.py runs/demo_seeds --seeds 10

Each seed draws its own questions, cues, training rows and order of training. Only both trained arms are asked, under the
cues they were trained on, because the conclusion needs no more. After a kill the same command continues. The line of a seed
has the share of pairs that count, and BCT's BRR minus its control's over the trained cues, in points.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from unsway import logs
from unsway.demo import CONTROL, STUDY, TRAINED
from unsway.models.weights import training_dtype
from unsway.reporting.words import points
from unsway.stats.compare import brr_difference
from unsway.studies import run
from unsway.studies.results import Results
from unsway.types import Estimate

ASKED = STUDY.but(interventions=(CONTROL, TRAINED), biases=TRAINED.recipe.biases)
"""The demo without its base arm and its held-out cue: the same questions, rows and trainings."""


def effect(found: Results) -> Estimate:
    """BRR of BCT minus that of its control, paired by question, over the trained cues."""
    control, bct = (
        [outcome for outcome in found.outcomes if outcome.arm == arm.key]
        for role in ("control", "trained")
        for arm in found.arms
        if arm.role == role
    )
    return brr_difference(bct, control)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seeds", default=10, show_default=True, help="How many, from 0.")
def main(folder: Path, seeds: int) -> None:
    logs.show()
    clear = 0
    for seed in range(seeds):
        start = time.monotonic()
        found = run(ASKED.but(seed=seed, seeds=seed), folder / str(seed), model_args={"dtype": training_dtype()})
        difference = effect(found)
        clear += difference.high is not None and difference.high < 0
        counted = sum(outcome.excluded is None for outcome in found.outcomes) / len(found.outcomes)
        click.echo(
            f"seed {seed}: {counted:.0%} of pairs count; BCT − control {points(difference)} on {difference.n} questions; "
            f"{time.monotonic() - start:.0f} s"
        )
        click.echo(f"clear of 0: {clear} of {seed + 1}")


if __name__ == "__main__":
    main()
