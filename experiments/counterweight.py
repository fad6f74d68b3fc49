"""Do evidence rows keep what consistency training costs? BCT, BCT with evidence rows mixed in, and a control.

    python experiments/counterweight.py [FOLDER] [--small]

The demo's study on SmolLM2-135M with one more training, whose rows are those of BCT and a third as many whose prompts give
grounds for the right option (`Recipe.evidence`). Afterwards every arm is asked a panel of side effects: is evidence still
used, and are hunches still resisted? About 20 minutes on two idle CPU cores; killed, it goes on where it stopped. `--small`
takes a few minutes and shows nothing but that it runs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from unsway import logs
from unsway.demo import CONTROL, STUDY, TRAINED
from unsway.models.weights import training_dtype
from unsway.reporting import effects, table
from unsway.reporting.page import write_page
from unsway.studies import Study, Task, Trained, run
from unsway.studies.folder import results
from unsway.studies.side_effects import side_effects

EFFECTS = ("clean_accuracy/options", "contrary/gold", "contrary/wrong", "evidence/document", "evidence/premise")
"""What the arms are asked: able, contrary, swayed, deaf."""
EVIDENCE = 36
"""Evidence rows, a third of the consistency rows: nine of each of four forms."""


def study(*, small: bool = False) -> Study:
    """The demo's arms and BCT with evidence rows; fewer rows and questions of one cue where it is small."""
    weighed = replace(TRAINED, recipe=replace(TRAINED.recipe, evidence=EVIDENCE), name="bct with evidence")
    made = STUDY.but(interventions=(None, CONTROL, TRAINED, weighed))
    if not small:
        return made

    def less(arm: Trained) -> Trained:
        recipe = replace(arm.recipe, n=8, instruct=0, evidence=min(arm.recipe.evidence, 4))
        return replace(arm, recipe=recipe, tasks=(Task("arc_easy", 20),))

    return made.but(
        interventions=(None, *map(less, (CONTROL, TRAINED, weighed))),
        biases=("suggested_answer",),
        tasks=(Task("common_knowledge", 6, "test"),),
    )


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), default="runs/counterweight")
@click.option("--small", is_flag=True, help="A few rows and questions.")
def main(folder: Path, small: bool) -> None:
    logs.show()
    run(study(small=small), folder, model_args={"dtype": training_dtype()})
    panel = side_effects(folder, EFFECTS, n=6 if small else 100)
    found = results(folder)
    table.show(found)
    effects.show(panel)
    click.echo(f"Page: {write_page(found, folder / 'report.html')}")


if __name__ == "__main__":
    main()
