"""Do evidence rows save what consistency training costs? BCT, BCT with evidence rows mixed in, and a control.

    python experiments/counterweight.py [FOLDER] [--model unsway/FOLDER-OF-A-MODEL] [-n 300]
    python experiments/counterweight.py [FOLDER] --small

The study of consistency_family.py with one seed: base, control, BCT, and BCT with a third more rows, whose prompts give
grounds for the right option (`Recipe.evidence`). Afterwards every arm is asked a panel of side effects: is evidence still
used, and are hunches still resisted? It takes about 50 minutes on one CPU core with SmolLM2-135M and -n 300. After a kill the
same command continues; in a copy of a folder of consistency_family.py with the same numbers it asks and trains only what is
new. `--small` takes a few minutes and only shows that it runs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from consistency_family import Size, asked_of

from unsway import Bct, Control, logs
from unsway.reporting import effects, table
from unsway.reporting.page import write_page
from unsway.studies import Study
from unsway.studies.side_effects import side_effects

EFFECTS = ("clean_accuracy/options", "contrary/gold", "contrary/wrong", "evidence/document", "evidence/premise")
"""What the arms are asked: able, contrary, swayed, deaf."""
SIZE = Size(rows=96, batch=4, questions=160, seeds=1, tries=1, held_out=("post_hoc", "authority_professor"))
SMALL = Size(rows=8, batch=4, questions=6, seeds=1, tries=1, held_out=())
RATE = 1e-3


def study(size: Size) -> Study:
    """Base, control, BCT, and BCT with a third as many evidence rows, in equal shares of their four forms."""
    bct = size.trained(Bct(), RATE)
    recipe = replace(bct.recipe, evidence=size.rows // 3)
    weighed = replace(bct, recipe=recipe, name="bct with evidence")
    return size.study({"bct": RATE}).but(interventions=(None, size.trained(Control(), RATE), bct, weighed))


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), default="runs/counterweight")
@click.option("--model", default=SIZE.model, help="What is trained and asked: a local model.")
@click.option("--questions", default=SIZE.questions, help="Test questions of the study.")
@click.option("-n", default=300, help="Questions of each side effect.")
@click.option("--held-out", default=",".join(SIZE.held_out), help="Cues that are not trained on.")
@click.option("--small", is_flag=True, help="A few rows and questions.")
def main(folder: Path, model: str, questions: int, n: int, held_out: str, small: bool) -> None:
    logs.show()
    size = SMALL if small else replace(SIZE, questions=questions, held_out=tuple(held_out.split(",")))
    found = asked_of(study(replace(size, model=model, methods=("bct",))), folder)
    panel = side_effects(folder, EFFECTS, n=6 if small else n, arms=[arm.label for arm in found.arms])
    table.show(found)
    effects.show(panel)
    click.echo(f"Page: {write_page(found, folder / 'report.html')}")


if __name__ == "__main__":
    main()
