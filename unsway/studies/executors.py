"""Where the jobs of a study run: in this process, one after the other, or wherever an executor puts them.

In: a function and its arguments. Out: a future. Any object whose `submit(fn, *args, **resources)` returns something with
`result()` works: an executor of `concurrent.futures`, Dask's client, a few lines around Ray or submitit.

    run(study, "runs/mine")                                            # here
    run(study, "runs/mine", on=ProcessPoolExecutor(2))                 # two processes, each with a model of its own
    run(study, "runs/mine", on=executor("ray"))                        # the GPUs of this machine, through Ray
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


class Pending(Protocol):
    """What `submit` returns: work that has a result once it is done."""

    def result(self) -> Any:
        """Wait for the work; return what it returned, or raise what it raised."""
        ...

    def done(self) -> bool:
        """Whether it has ended, successfully or not."""
        ...


class Executor(Protocol):
    """Runs functions somewhere."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **resources: Any) -> Pending:
        """Start a function.

        Args:
            fn: The function.
            args: Its arguments.
            resources: What it needs, for executors that place work; the function takes them too, and ignores them.
        """
        ...


@runtime_checkable
class Cluster(Protocol):
    """Runs work on machines that cannot see a study's folder, so it is told about the run first."""

    def opened(self, running: Any) -> AbstractContextManager[Executor]:
        """The executor of one `unsway.studies.running.StudyRun`, ready while the block runs."""
        ...


class InProcess:
    """Runs each function immediately, in this process; an interrupt propagates to the caller."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **resources: Any) -> Future[T]:
        """Call the function, and return a future that is done."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **resources))
        except Exception as error:
            future.set_exception(error)
        return future


class JobByJob(InProcess):
    """Runs the jobs of an arm one by one; subclasses override `one` to observe each job."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **resources: Any) -> Future[T]:
        """Do the jobs whose numbers follow the run in `args`; returns the future of the last, or of the first that failed."""
        study_run, *numbers = args
        done: Future[T] = Future()
        for number in numbers:
            done = self.one(fn, study_run, number, **resources)
            if done.exception() is not None:
                break
        return done

    def one(self, fn: Callable[..., T], running: Any, number: int, **resources: Any) -> Future[T]:
        """Do one job."""
        return super().submit(fn, running, number, **resources)
