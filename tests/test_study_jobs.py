"""The jobs of a study: what each needs and makes; run here, in threads and in other processes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Any

import answering as answering  # the provider
import pytest
from test_studies import SMALL, models, n_replies

from tests.forking import SERVER
from unsway import layout
from unsway.biases import cue
from unsway.errors import BadInput, UnknownName
from unsway.store import read_jsonl, replies_in
from unsway.studies import Study, Task, Trained, run
from unsway.studies.executors import InProcess
from unsway.types import Settings

SEVERAL = SMALL.but(
    models=("unsway/a", "unsway/b"),
    interventions=(None, "prompted:ignore", Trained("control"), Trained()),
    seeds=(0, 1),
)


def test_everything_that_a_job_needs_is_made_before_it() -> None:
    jobs = (SEVERAL | SEVERAL.but(biases="distractor_fact")).jobs()
    made: set[str] = set()
    for job in jobs:
        assert set(job.needs) <= made, job
        assert not made & set(job.makes), job
        made |= set(job.makes)
    assert len(set(jobs)) == len(jobs)


def test_the_jobs_of_a_study() -> None:
    jobs = SEVERAL.jobs()
    assert [str(job) for job in jobs if job.model in ("", "unsway/a")] == [
        "load",
        "ask unsway/a",
        "ask unsway/a + prompted:ignore",
        "rows unsway/a + control",
        "train unsway/a + control",
        "ask unsway/a + control",
        "rows unsway/a + control/1",
        "train unsway/a + control/1",
        "ask unsway/a + control/1",
        "train unsway/a + bct",  # on the rows of the control
        "ask unsway/a + bct",
        "train unsway/a + bct/1",
        "ask unsway/a + bct/1",
    ]
    assert jobs[0].makes == (layout.STUDY, layout.PAIRS, layout.ARMS)
    rows, train, ask = jobs[3:6]
    assert rows.makes == train.needs and rows.makes[0].startswith("data/a-")
    assert train.makes[0].startswith("trained/a-control-0-") and train.makes[0] in ask.needs
    assert ask.makes == ("replies.jsonl#unsway/a + control",)
    assert [job.model for job in jobs] == sorted(job.model for job in jobs), "one model after the other"


class Noting(InProcess):
    """Notes what it is given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **resources: Any) -> Any:
        self.seen.append((resources["kind"], resources["model"]))
        return super().submit(fn, *args, **resources)


def test_an_executor_gets_every_job_with_what_it_needs_to_place_it(tmp_path: Path) -> None:
    noting = Noting()
    run(SMALL, tmp_path, on=noting, using=models(SMALL))
    assert noting.seen == [("load", ""), ("ask", "scripted/one"), ("ask", "scripted/two")]


class SlowRows(InProcess):
    """Has the rows of the first training only once another training was submitted."""

    def __init__(self) -> None:
        self.rows: list[Future[None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **resources: Any) -> Any:
        if resources["kind"] == "load":
            return super().submit(fn, *args, **resources)
        if resources["kind"] == "rows":
            self.rows.append(Future())
            if len(self.rows) > 1:
                Timer(0.2, self.rows[-1].set_result, (None,)).start()
            return self.rows[-1]
        self.rows[0].set_result(None)
        raise RuntimeError(resources["arm"])


def test_a_training_does_not_wait_for_the_rows_of_another(tmp_path: Path) -> None:
    study = SMALL.but(models="unsway/a", interventions=Trained("control"), seeds=(0, 1))
    with pytest.raises(RuntimeError, match=r"unsway/a \+ control/1"):
        run(study, tmp_path, on=SlowRows())


def test_threads_give_what_one_process_gives(tmp_path: Path) -> None:
    grown = SMALL | SMALL.but(biases="distractor_fact")
    here = run(grown, tmp_path / "here", using=models(grown, post_hoc=0.6))
    with ThreadPoolExecutor(3) as pool:
        there = run(grown, tmp_path / "there", on=pool, using=models(grown, post_hoc=0.6))
    assert there.cells == here.cells
    assert set(replies_in(tmp_path / "there" / layout.REPLIES)) == set(replies_in(tmp_path / "here" / layout.REPLIES))


TOLD = Study(
    models=("answers/one", "answers/two"),
    biases=("post_hoc", cue("A colleague thinks it is {answer}.")),
    tasks=Task("procedural/dates", 6),
    interventions=(None, "prompted:ignore"),
    settings=Settings(max_tokens=20),
)


def processes(n: int) -> Executor:
    """Processes that know the provider `answers`."""
    return ProcessPoolExecutor(n, SERVER, import_module, ("answering",))


@pytest.mark.scale  # one of the ten checks of `make scale`
def test_processes_lose_no_row(tmp_path: Path) -> None:
    here = run(TOLD, tmp_path / "here")
    with processes(2) as pool:
        there = run(TOLD, tmp_path / "there", on=pool)
        assert run(TOLD, tmp_path / "there", on=pool).cells == there.cells
    assert n_replies(tmp_path / "there") == n_replies(tmp_path / "here") == 2 * 2 * 6 * 3
    assert {arm.model for arm in there.arms} == {arm.model for arm in here.arms}
    assert there.cells and sorted(map(str, there.cells)) == sorted(map(str, here.cells))


def test_an_error_of_another_process_is_said_as_it_is(tmp_path: Path) -> None:
    absent = TOLD.but(tasks=Task("procedural/dates", 6, split="absent"))
    with processes(1) as pool:
        with pytest.raises(UnknownName, match="split of procedural/dates named 'absent'"):
            run(absent, tmp_path, on=pool)
        mine = tmp_path / "mine.jsonl"
        mine.write_text('{"stem": "Which is a metal?", "options": ["iron", "sulfur"], "gold": 0}\n')
        with pytest.raises(BadInput, match="asked for 6"):
            run(TOLD.but(tasks=Task(mine, 6)), tmp_path, on=pool)


def test_the_first_job_that_fails_ends_the_run_and_what_is_there_stays(tmp_path: Path) -> None:
    using = models(SMALL)
    using["scripted/one"] = using["scripted/two"]  # which is another model by its name, and is asked as that
    del using["scripted/two"]
    with pytest.raises(Exception, match="scripted/two"):
        run(SMALL, tmp_path, using=using)
    assert n_replies(tmp_path) == 27
    assert len(list(read_jsonl(tmp_path / layout.PAIRS, dict))) == 18


def test_model_arguments_reach_the_provider_here_and_in_other_processes(tmp_path: Path) -> None:
    study = TOLD.but(models="answers/one", interventions=None)
    run(study, tmp_path / "here", model_args={"letter": "C"})
    with processes(1) as pool:
        run(study, tmp_path / "there", on=pool, model_args={"letter": "C"})
    for folder in ("here", "there"):
        assert {reply.text[-3:-1] for reply in replies_in(tmp_path / folder / layout.REPLIES)} == {"C)"}
