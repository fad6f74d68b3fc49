"""The whole loop on the embedded model: measure, train, measure again, show. Runs on a laptop without a GPU or a hub.

In: a folder. Out: `Results`, and `report.html` in the folder, rewritten after each stage.
The demo is an ordinary study: after a kill, a second call continues where it stopped, and a finished one asks nothing.

The embedded model (135M parameters) can hardly do multiple-choice questions; it shows the method at work, not what larger
do. Questions, cues and training settings were chosen on validation questions; the test questions are different ones.
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
"""The control: the same training on clean prompts."""
STUDY = Study(
    models=("unsway/smollm2-135m",),
    interventions=(None, CONTROL, TRAINED),
    biases=("suggested_answer", "user_wrong_reasoning", "authority_professor"),
    tasks=(Task("common_knowledge", 100, "test"),),
    elicit=("worked",),
    settings=Settings(max_tokens=96, options_after="best answer is", force_answer="So the best answer is"),
)
"""Two trained cues and one held out. The model sees three worked examples first, and questions with short options.
Its replies end in "So the best answer is", but one in ten then names something that is no option. So its words after
that phrase are restricted to the options (`Settings.options_after`), and a reply without an answer is made to give one
(`Settings.force_answer`). docs/log.md says what else was tried, and why few-shot cues and planted answers are left out."""
_LONG = replace(TRAINED.recipe, n=300, instruct=60, max_tokens=160)
FULL = STUDY.but(
    interventions=(None, replace(CONTROL, recipe=_LONG), replace(TRAINED, recipe=_LONG)),
    biases=(*STUDY.biases, "majority_vote"),
    tasks=(Task("common_knowledge", 240, "test"),),
)
"""More questions, training rows and held-out cues. It includes the questions of `STUDY` and reuses their replies."""

SECONDS = {"load": 5.0, "ask": 0.15, "rows": 0.2, "train": 0.4}
"""Seconds on two idle CPU cores: loading the model, one reply, one training row's reply, one row of a training pass."""
WORDS = {"load": "loading questions", "ask": "asking", "rows": "writing training rows", "train": "training"}
"""The name of each stage, for messages."""


def demo(folder: str | Path, study: Study = STUDY, *, see: Callable[[Results], None] | None = None) -> Results:
    """Run the study in a folder and write its report, again after each stage.

    Args:
        folder: Where everything is kept.
        study: The study; `FULL` is the longer one.
        see: Called with the results so far after each arm except the last.

    Raises:
        AssetUnavailable: The model or the questions are not available; the message lists what was tried.
    """
    path = Path(folder)
    start = time.monotonic()
    dtype = training_dtype()
    results = run(study, path, on=Stages(see), model_args={"dtype": dtype})
    seconds_file = path / layout.SECONDS  # over all calls
    total_seconds = (
        time.monotonic() - start + (float(seconds_file.read_text(encoding="utf-8")) if seconds_file.exists() else 0.0)
    )
    write_text(seconds_file, f"{total_seconds:.1f}\n")
    command = "unsway demo --full" if study == FULL else "unsway demo"
    about = {**results.about, "command": command, "computed in": dtype, "took": f"{total_seconds:.0f} s"}
    results = replace(results, title="unsway demo: measure, train, measure again", about=about)
    write_page(results, path / layout.PAGE)
    return results


@dataclass
class Stages(JobByJob):
    """Runs one job after the other, logs how far the study is, and writes the page after each job."""

    see: Callable[[Results], None] | None
    """Called with the results so far after each arm except the last."""
    spent: float = 0.0
    """Seconds spent on the stages so far, without those an earlier call finished."""
    expected: float = 0.0
    """Seconds the same stages take on two idle CPU cores."""

    def one(self, fn: Callable[..., Any], running: StudyRun, number: int, **resources: Any) -> Future[Any]:
        """Run one job. Never raises: the future holds the error."""
        job, later_jobs = running.jobs[number], running.jobs[number + 1 :]
        pace = self.spent / self.expected if self.expected else 1.0
        seconds_left = pace * sum(_seconds(running, stage_job) for stage_job in (job, *later_jobs))
        _log.info(
            "Stage %d of %d, %s; about %s left in all",
            number + 1,
            len(running.jobs),
            _stage_name(job),
            duration(seconds_left),
        )
        start = time.monotonic()
        future = super().one(fn, running, number, **resources)
        seconds = time.monotonic() - start
        usual_seconds = _seconds(running, job)
        if seconds > usual_seconds / 10:
            self.spent, self.expected = self.spent + seconds, self.expected + usual_seconds
        if future.exception() is None and number and later_jobs:
            title = f"unsway demo so far; still to come: {', '.join(map(_stage_name, later_jobs))}"
            results = replace(estimate(running.study, running.folder), title=title)
            write_page(results, running.folder / layout.PAGE)
            if job.kind == "ask":
                _log.info("So far: %s", headline(results))
                if self.see:
                    self.see(results)
        return future


def _stage_name(job: Job) -> str:
    return f"{WORDS[job.kind]} {job.arm.label}" if job.arm and job.kind != "rows" else WORDS[job.kind]


def _seconds(running: StudyRun, job: Job) -> float:
    """Seconds a job takes on two idle CPU cores."""
    intervention = job.arm.intervention if job.arm else None
    pairs = running.pairs(job.part)
    prompts = len({prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)})
    rows = intervention.recipe.n + intervention.recipe.instruct if isinstance(intervention, Trained) else 0
    return SECONDS[job.kind] * {"load": 1, "ask": prompts}.get(job.kind, rows)
