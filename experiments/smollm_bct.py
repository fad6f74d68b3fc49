"""What each way of curing sway gains and costs, on SmolLM2-135M; docs/results.md has the results.

python experiments/smollm_bct.py [FOLDER]
"""

import sys
from dataclasses import replace
from pathlib import Path

from unsway import Bct, Control, Recipe, Settings
from unsway.reporting import table
from unsway.reporting.page import write_page
from unsway.studies import Study, Task, Trained, run

RECIPE = Recipe(n=300, direct_share=0.2, elicit="brief", instructions="default", instruct=60, max_tokens=160)
ONE = Trained(
    Bct(batch_size=8, learning_rate=1e-3),
    name="bct on one",
    tasks=(Task("arc_easy", 200), Task("openbookqa", 200)),
    recipe=replace(RECIPE, biases=("suggested_answer", "suggested_against")),
)
THREE = replace(
    ONE, name="bct on three", recipe=replace(RECIPE, biases=(*ONE.recipe.biases, "post_hoc", "authority_professor"))
)
CONTROL = replace(ONE, method=Control(batch_size=8, learning_rate=1e-3), name="")
STUDY = Study(
    models="unsway/smollm2-135m",
    interventions=(None, "prompted:ignore", "fewshot:4-paired", CONTROL, ONE, THREE),
    biases=("suggested_answer", "post_hoc", "authority_professor", "wrong_few_shot", "distractor_fact"),
    tasks=(Task("sciq", 100, "validation", after=200), Task("common_knowledge", 20, "test")),
    elicit="brief",
    settings=Settings(max_tokens=96),
)

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/smollm_bct")
    found = run(STUDY, folder)
    table.show(found)
    write_page(found, folder / "report.html")
