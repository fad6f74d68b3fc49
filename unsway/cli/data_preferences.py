"""The verb `data preferences`: rows for DPO from what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from unsway.cli.data import data, file_option, thoughts_option
from unsway.cli.options import folder_argument
from unsway.errors import number_of


@data.command()
@folder_argument
@file_option
@click.option("--model", default=None, help="The model whose replies are used, if the folder has several.")
@thoughts_option
def preferences(folder: Path, out: Path, model: str | None, thoughts: Literal["keep", "drop"]) -> None:
    """Prefer a model's clean replies over its cued ones, from a FOLDER of `unsway measure`.

    A pair gives a row if the answer moved to what the cue wants. Measure train questions for this, never those on which
    you will measure the trained model.
    """
    from unsway.data.preferences import preferences as choose_preferences
    from unsway.errors import UnknownName
    from unsway.stats.outcomes import outcomes
    from unsway.studies.kept_outcomes import pairs_and_replies

    pairs, index = pairs_and_replies(folder)
    models = {arm.key.name for arm in index.arms}
    if model is not None and model not in models:
        raise UnknownName("model in this folder", model, models)
    model_outcomes = (outcome for outcome in outcomes(pairs, index) if model in (None, outcome.arm.name))
    preference_rows = choose_preferences(pairs, index, model_outcomes, thoughts=thoughts)
    click.echo(f"{preference_rows.write(out)}: {number_of(len(preference_rows.rows), 'row')}")
    for reason, n in sorted(preference_rows.left_out.items()):
        click.echo(f"  {number_of(n, 'pair')} left out: {reason.replace('_', ' ')}")
