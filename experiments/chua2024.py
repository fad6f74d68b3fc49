"""The study of arXiv 2403.05518 as a value: base, control and BCT; nine biases; four test tasks; 600 questions a bias.

    python experiments/chua2024.py --plan
    python experiments/chua2024.py --model openai/gpt-4o-mini-2024-07-18 --out runs/chua2024
    python experiments/chua2024.py --model unsway/smollm2-135m --small --out runs/chua2024-small

Biases, tasks, counts and seeds are the paper's; `--small` is the same study at a size for a small machine. For
`vllm/org/name` or another server that cannot train, add --no-train. `distractor_argument` quotes arguments that a model
wrote (`unsway data arguments`): without --arguments it is left out. Rerunning costs nothing, because all replies are
stored.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from unsway import sources
from unsway.data import Recipe
from unsway.reporting import table
from unsway.reporting.page import write_page
from unsway.reporting.plan import to_terminal
from unsway.sources import Source, listing
from unsway.studies import Study, Trained, plan, run
from unsway.training import Bct, Control
from unsway.types import Settings

NINE = (
    "suggested_answer",
    "are_you_sure",
    "post_hoc",
    "wrong_few_shot",
    "spurious_squares",
    "spurious_hindsight",
    "distractor_fact",
    "distractor_argument",
    "positional",
)
TEST = ("mmlu", "truthfulqa", "logiqa", "hellaswag")
TRAIN = ("arc_easy", "arc_challenge", "openbookqa", *(name for name in sources.names() if name.startswith("bbh/")))
BCT = Trained(Bct(), tasks=TRAIN, backend="openai")
STUDY = Study(
    models="openai/gpt-4o-mini-2024-07-18",
    interventions=(None, replace(BCT, method=Control()), BCT),
    biases=NINE,
    tasks=TEST,
    n=150,
    seeds=tuple(range(8)),
)
"""The recipe's defaults are the paper's: 10,000 consistency rows, half without reasoning, and 10,000 instruct rows."""

SMALL_MODEL = "unsway/smollm2-135m"
SMALL_RECIPE = Recipe(n=240, direct_share=0.2, elicit="brief", instruct=40, max_tokens=160, instructions="default")
SMALL = Trained(Bct(batch_size=8, learning_rate=1e-3), tasks="arc_easy", recipe=SMALL_RECIPE)
SMALL_CONTROL = replace(SMALL, method=Control(batch_size=8, learning_rate=1e-3))


def small(study: Study) -> Study:
    """The same shape at the size of a laptop: a small model, 10 questions of each task, one seed, short replies."""
    return study.but(
        models=SMALL_MODEL,
        interventions=(None, SMALL_CONTROL, SMALL),
        n=10,
        seeds=0,
        elicit="brief",
        settings=Settings(max_tokens=96),
    )


def available(study: Study) -> Study:
    """The study on the tasks whose questions can be had here; says which cannot."""
    named = [task for task in study.tasks if isinstance(task.source, Source)]
    missing = [task for task in named if not listing.available(task.source.name, probe=True).now]
    for task in missing:
        click.echo(f"Left out: {task} cannot be had here (`unsway sources` says why).", err=True)
    return study.but(tasks=tuple(task for task in study.tasks if task not in missing))


@click.command(help=__doc__)
@click.option("--model", help=f"{STUDY.models[0]}, or with --small {SMALL_MODEL}, where none is named.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/chua2024"), show_default=True)
@click.option("--plan", "only_plan", is_flag=True, help="Show what it would take; ask nothing.")
@click.option("--small", "at_small_size", is_flag=True, help="The same shape at the size of a laptop.")
@click.option("--no-train", is_flag=True, help="Measure the model as it is.")
@click.option("--arguments", type=click.Path(exists=True), help="File of arguments for distractor_argument.")
@click.option("--max-cost", type=float, help="US dollars at which asking stops.")
def main(
    model: str | None,
    out: Path,
    only_plan: bool,
    at_small_size: bool,
    no_train: bool,
    arguments: str | None,
    max_cost: float | None,
) -> None:
    study = small(STUDY) if at_small_size else STUDY
    study = study.but(models=model or study.models, arguments=arguments)
    study = study if arguments else study.but(biases=tuple(bias for bias in NINE if bias != "distractor_argument"))
    study = available(study.but(interventions="none") if no_train else study)
    if only_plan:
        for part in plan(study, out):
            Console(width=None if sys.stdout.isatty() else 160).print(to_terminal(part))
        return
    found = run(study, out, max_cost=max_cost)
    table.show(found)
    click.echo(f"Page: {write_page(found, out / 'report.html')}")


if __name__ == "__main__":
    main()
