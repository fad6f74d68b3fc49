"""Where the jobs of a study run: here, one after the other, or wherever something with `submit` puts them.

In: a function and its arguments. Out: a future. Whatever has `submit(fn, *args, **resources)` and returns something with
`result()` will do: an executor of `concurrent.futures`, Dask's client, a few lines around Ray or submitit.

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
        """Whether it is over, however it ended."""
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
    """Puts work on machines that do not see a study's folder; so it learns of the run first."""

    def opened(self, running: Any) -> AbstractContextManager[Executor]:
        """The executor of one `unsway.studies.running.StudyRun`, ready while the block runs."""
        ...


class InProcess:
    """Runs each function at once, in this process; an interrupt goes to the caller as it is."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **resources: Any) -> Future[T]:
        """Call the function, and return a future that is done."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **resources))
        except Exception as error:
            future.set_exception(error)
        return future


class JobByJob(InProcess):
    """Runs the jobs of an arm one by one, for those who watch each: they say what is done around one."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **resources: Any) -> Future[T]:
        """Do the jobs of a run, whose numbers follow it; the future is that of the last, or of the first that failed."""
        running, *numbers = args
        done: Future[T] = Future()
        for number in numbers:
            done = self.one(fn, running, number, **resources)
            if done.exception() is not None:
                break
        return done

    def one(self, fn: Callable[..., T], running: Any, number: int, **resources: Any) -> Future[T]:
        """Do one job."""
        return super().submit(fn, running, number, **resources)
