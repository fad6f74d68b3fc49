"""The consistency family in one table, on SmolLM2-135M: the same pairs, trained on otherwise, each with its neutral arm.

    python experiments/consistency_family.py [FOLDER] [--quick] [--plan]

Every method trains on rows with a hunch (`suggested_answer`, both forms, all places), and once more on rows whose cue is a
neutral note of that length at those places: the effect of a method is the difference of the two. Asked are test questions
with the trained cue and four that were held out. All arms read the same questions. Killed, it goes on where it was.
--quick: one seed, 96 rows, 150 questions, no rmct. --plan prints what would be asked, and stops.
NPO is not in here: its rows are replies that followed a cue (`unsway data preferences`), which a recipe does not have.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from unsway import Act, ActBct, AttCt, Bct, Control, Method, MlpCt, Opct, Recipe, Rmct, Settings
from unsway.reporting import table
from unsway.reporting.page import write_page
from unsway.reporting.plan import to_terminal
from unsway.studies import Study, Task, Trained, plan, run

TRAINED_ON = "suggested_answer"
HELD_OUT = ("post_hoc", "authority_professor", "wrong_few_shot", "distractor_fact")
RECIPE = Recipe(
    n=300, direct_share=0.2, elicit="brief", instructions="default", instruct=0, max_tokens=160, biases=TRAINED_ON
)
METHODS: tuple[Method, ...] = (
    Bct(batch_size=8, learning_rate=1e-3),
    Act(batch_size=8, learning_rate=1e-4),
    AttCt(batch_size=8, learning_rate=1e-4),
    MlpCt(batch_size=8, learning_rate=1e-4),
    ActBct(batch_size=8, learning_rate=1e-3),
    Opct(batch_size=8, learning_rate=2e-4, max_tokens=160),
    Rmct(learning_rate=3e-4, max_tokens=160),
)


def arms(rows: int, with_rmct: bool) -> Iterator[Trained]:
    """The control, each method on the hunch, and each on neutral notes."""
    recipe = replace(RECIPE, n=rows)
    tasks = (Task("arc_easy", 200), Task("openbookqa", 200))
    yield Trained(Control(batch_size=8, learning_rate=1e-3), tasks=tasks, recipe=recipe)
    for method in METHODS:
        if isinstance(method, Rmct) and not with_rmct:
            continue
        cued = Trained(method, tasks=tasks, recipe=recipe)
        yield cued
        yield replace(cued, recipe=replace(recipe, biases=("neutral_note",)), name=f"{method.name} neutral")


def study(quick: bool) -> Study:
    """The study; quick is a part of it with one seed."""
    return Study(
        models="unsway/smollm2-135m",
        interventions=(None, *arms(96 if quick else 300, with_rmct=not quick)),
        biases=(TRAINED_ON, *HELD_OUT),
        tasks=(Task("sciq", 150 if quick else 400, "validation", after=200),),
        elicit="brief",
        settings=Settings(max_tokens=96),
        seeds=(0,) if quick else (0, 1, 2),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/consistency_family"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plan", action="store_true")
    given = parser.parse_args()
    if given.plan:
        for each in plan(study(given.quick)):
            Console().print(to_terminal(each))
    else:
        found = run(study(given.quick), given.folder)
        table.show(found)
        write_page(found, given.folder / "report.html")
