"""The whole loop on the embedded model: measure, train, measure again, show. Runs on a laptop without a GPU or a hub.

In: a folder. Out: `Results`, and `report.html` in the folder, which is written again after each stage.
A study like any other; killed anywhere, a second call goes on where it stopped, and one that finished asks nothing.

The embedded model (135M parameters) can hardly do multiple-choice questions; it shows the method at work, not what larger
models do. Questions, cues and training settings were chosen on validation questions; the test questions are others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unsway import layout
from unsway.data import Recipe
from unsway.disk import write_text
from unsway.models.weights import training_dtype
from unsway.progress import duration
from unsway.reporting.headline import headline
from unsway.reporting.page import write_page
from unsway.studies import Study, Task, Trained, run
from unsway.studies.executors import JobByJob
from unsway.studies.jobs import Job
from unsway.studies.results import Results
from unsway.studies.running import StudyRun, estimate
from unsway.training import Bct, Control
from unsway.types import Settings

_log = logging.getLogger(__name__)

TRAINED = Trained(
    Bct(batch_size=4, learning_rate=1e-3),
    tasks=(Task("arc_easy", 200), Task("openbookqa", 200)),
    recipe=Recipe(
        n=112,
        direct_share=0.2,
        elicit="worked",
        biases=("suggested_answer", "user_wrong_reasoning"),
        instructions="default",
        instruct=16,
        max_tokens=96,
    ),
)
CONTROL = replace(TRAINED, method=Control(batch_size=4, learning_rate=1e-3))
"""The same training on clean prompts."""
STUDY = Study(
    models=("unsway/smollm2-135m",),
    interventions=(None, CONTROL, TRAINED),
    biases=("suggested_answer", "user_wrong_reasoning", "authority_professor"),
    tasks=(Task("common_knowledge", 100, "test"),),
    elicit=("worked",),
    settings=Settings(max_tokens=96, options_after="best answer is", force_answer="So the best answer is"),
)
"""Two trained cues and one held out. After three worked examples, on questions whose options are a word or two, this model
ends in "So the best answer is" and words that in one reply of ten are no option's, so it is kept to the options there
(`Settings.options_after`), and a reply without an answer is made to give one (`Settings.force_answer`). What else was tried,
and why few-shot cues and planted answers are left out, is in docs/log.md."""
_LONG = replace(TRAINED.recipe, n=300, instruct=60, max_tokens=160)
FULL = STUDY.but(
    interventions=(None, replace(CONTROL, recipe=_LONG), replace(TRAINED, recipe=_LONG)),
    biases=(*STUDY.biases, "majority_vote"),
    tasks=(Task("common_knowledge", 240, "test"),),
)
"""More questions, training rows and held-out cues; it holds the questions of `STUDY`, whose replies are not asked again."""

SECONDS = {"load": 5.0, "ask": 0.15, "rows": 0.2, "train": 0.4}
"""On two quiet CPU cores: of loading, of one reply, of one training row's reply, of one row of a fit."""
WORDS = {"load": "loading questions", "ask": "asking", "rows": "writing training rows", "train": "training"}
"""What a stage is called."""


def demo(folder: str | Path, study: Study = STUDY, *, see: Callable[[Results], None] | None = None) -> Results:
    """Run the study in a folder and write its report, again after each stage.

    Args:
        folder: Where everything is kept.
        study: The study; `FULL` is the longer one.
        see: Called with what is known whenever another arm has been asked, the last one excepted.

    Raises:
        AssetUnavailable: The model or the questions could not be had; says what was tried.
    """
    place, start = Path(folder), time.monotonic()
    dtype = training_dtype()
    found = run(study, place, on=Stages(see), model_args={"dtype": dtype})
    seconds = place / layout.SECONDS  # over all the times that it was started
    took = time.monotonic() - start + (float(seconds.read_text(encoding="utf-8")) if seconds.exists() else 0.0)
    write_text(seconds, f"{took:.1f}\n")
    command = "unsway demo --full" if study == FULL else "unsway demo"
    about = {**found.about, "command": command, "computed in": dtype, "took": f"{took:.0f} s"}
    found = replace(found, title="unsway demo: measure, train, measure again", about=about)
    write_page(found, place / layout.PAGE)
    return found


@dataclass
class Stages(JobByJob):
    """An executor that does one job after the other, says how far the study is, and writes the page after each job."""

    see: Callable[[Results], None] | None
    """Called after an arm has been asked."""
    spent: float = 0.0
    """Seconds of the stages so far; those that were done before do not count."""
    expected: float = 0.0
    """Seconds that they take on two quiet CPU cores."""

    def one(self, fn: Callable[..., Any], running: StudyRun, number: int, **resources: Any) -> Future[Any]:
        """Do a job. Raises nothing: an error is in the future."""
        job, after = running.jobs[number], running.jobs[number + 1 :]
        pace = self.spent / self.expected if self.expected else 1.0
        left = pace * sum(_seconds(running, each) for each in (job, *after))
        _log.info(
            "Stage %d of %d, %s; about %s left in all", number + 1, len(running.jobs), _named(job), duration(left)
        )
        start = time.monotonic()
        done = super().one(fn, running, number, **resources)
        took, usual = time.monotonic() - start, _seconds(running, job)
        if took > usual / 10:
            self.spent, self.expected = self.spent + took, self.expected + usual
        if done.exception() is None and number and after:
            title = f"unsway demo so far; still to come: {', '.join(map(_named, after))}"
            found = replace(estimate(running.study, running.folder), title=title)
            write_page(found, running.folder / layout.PAGE)
            if job.kind == "ask":
                _log.info("So far: %s", headline(found))
                if self.see:
                    self.see(found)
        return done


def _named(job: Job) -> str:
    return f"{WORDS[job.kind]} {job.arm.label}" if job.arm and job.kind != "rows" else WORDS[job.kind]


def _seconds(running: StudyRun, job: Job) -> float:
    """What a job takes on two quiet CPU cores."""
    how, pairs = job.arm.intervention if job.arm else None, running.pairs(job.part)
    prompts = len({prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)})
    rows = how.recipe.n + how.recipe.instruct if isinstance(how, Trained) else 0
    return SECONDS[job.kind] * {"load": 1, "ask": prompts}.get(job.kind, rows)
