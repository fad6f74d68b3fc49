"""The whole loop on the embedded model: measure, train, measure again, show. Runs on a laptop without a GPU or a hub.

In: a folder. Out: `Results`, and `report.html` in the folder.
A study like any other; killed anywhere, a second call goes on where it stopped, and one that finished asks nothing.

The embedded model (135M parameters) can hardly do multiple-choice questions; it shows the method at work, not what larger
models do. Questions, wording and training settings were chosen on validation questions; the test questions are others.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from unsway import layout
from unsway.data import Recipe
from unsway.disk import write_text
from unsway.reporting.page import write_page
from unsway.studies import Study, Task, Trained, run
from unsway.studies.results import Results
from unsway.training import Bct, Control
from unsway.types import Settings

TRAINED = Trained(
    Bct(batch_size=8, learning_rate=1e-3),
    tasks=(Task("arc_easy", 200), Task("openbookqa", 200)),
    recipe=Recipe(
        n=300,
        direct_share=0.2,
        elicit="brief",
        biases=("suggested_answer", "suggested_against", "post_hoc"),
        instructions="default",
        instruct=60,
        max_tokens=160,
    ),
)
"""On 135 validation questions the BRRs of the trained cues fell from 21 and 28 points to 5 and 13 at this rate (360
rows), and to 13 and 12 at half of it (240 rows)."""
CONTROL = replace(TRAINED, method=Control(batch_size=8, learning_rate=1e-3))
"""The same training on clean prompts."""
STUDY = Study(
    models=("unsway/smollm2-135m",),
    interventions=(None, CONTROL, TRAINED),
    biases=("suggested_answer", "post_hoc", "wrong_few_shot", "distractor_fact"),
    tasks=(Task("sciq", 100, "validation", after=200), Task("common_knowledge", 50, "test")),
    elicit=("brief",),
    settings=Settings(max_tokens=96),
)
"""Two trained cues and two held out. Asked with one worked example and a sentence or two of reasoning, the form that a
model of this size can follow; replies longer than 96 tokens are cut, and a cut reply is missing. SciQ has one split here:
its first 200 questions in seeded order are those that settings were chosen on."""


def demo(folder: str | Path, study: Study = STUDY) -> Results:
    """Run the study in a folder and write its report.

    Raises:
        AssetUnavailable: The model or the questions could not be had; says what was tried.
    """
    place, start = Path(folder), time.monotonic()
    found = run(study, place)
    seconds = place / layout.SECONDS  # over all the times that it was started
    took = time.monotonic() - start + (float(seconds.read_text(encoding="utf-8")) if seconds.exists() else 0.0)
    write_text(seconds, f"{took:.1f}\n")
    about = {**found.about, "command": "unsway demo", "took": f"{took:.0f} s"}
    found = replace(found, title="unsway demo: measure, train, measure again", about=about)
    write_page(found, place / layout.PAGE)
    return found
