"""One Inspect eval, from a script or from inside an event loop: a notebook, marimo, a coroutine.

In: a task and Inspect's options. Out: the log. Inspect's own `eval` starts an event loop, which is impossible in a thread
with a running loop; there the eval gets its own thread. Inspect runs one eval at a time per process, so threads wait.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from unsway.errors import BadInput

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

LOOK_AGAIN = 0.2
"""Seconds between two checks for an interrupt of the calling code."""
TWO_AT_ONCE = ("Multiple concurrent calls to eval_async", "Already running asyncio in this thread")
"""The beginnings of Inspect's and anyio's errors while a foreign eval runs; tests/test_event_loops.py pins both."""
_one_at_a_time = Lock()
_is_inside: ContextVar[bool] = ContextVar("is_inside", default=False)
"""Whether this code was called from our own eval, which would wait for itself."""


def evaluate(task: Task, *, stopped: Callable[[], bool] | None = None, **options: Any) -> EvalLog:
    """Run a task without a display.

    Args:
        task: The task.
        stopped: Whether the run was interrupted elsewhere, checked repeatedly while it runs; None if that is impossible.
        options: Arguments of Inspect's `eval`.

    Raises:
        KeyboardInterrupt: It was interrupted; everything received before is kept.
        BadInput: It was called inside an Inspect eval, or while a foreign eval runs in this process; or Inspect cannot
            display the name of the folder or the model.
    """
    import inspect_ai
    from rich.errors import MarkupError
    from rich.markup import render

    try:  # after everything was asked, Inspect's display would fail on a name that is invalid markup and show nothing
        render(f"{options.get('log_dir', '')} {options.get('model', '')}")
    except MarkupError as error:
        raise BadInput(
            f"Inspect's display stops at the name of the folder or of the model ({error}). Take a name without a piece "
            "like [/y]."
        ) from None
    nested_error = BadInput(
        "An Inspect eval is already running in this process, and Inspect runs one at a time. Measure before or after it, not "
        "in one of its solvers or scorers; or run `unsway` in a process of its own."
    )
    if _is_inside.get():
        raise nested_error

    try:
        outer_loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        outer_loop = None
    is_stopped = stopped or (lambda: False)
    while not _one_at_a_time.acquire(timeout=LOOK_AGAIN):
        if is_stopped():
            raise KeyboardInterrupt
    token = _is_inside.set(True)
    # outside the `except`, where each error of a model would be chained to this one
    try:
        if outer_loop is None and stopped is None:
            logs = inspect_ai.eval(task, display="none", **options)
        else:
            outer_task = None if outer_loop is None else asyncio.current_task()
            logs = _in_a_thread(partial(inspect_ai.eval_async, task, **options), outer_task, is_stopped)
    except RuntimeError as error:
        if str(error).startswith(TWO_AT_ONCE):
            raise nested_error from None
        raise
    finally:
        _is_inside.reset(token)
        _one_at_a_time.release()
    if not logs or logs[0].status == "cancelled":  # if cancelled before there is a log, Inspect returns none
        raise KeyboardInterrupt
    return logs[0]


def _in_a_thread(
    start: Callable[[], Coroutine[Any, Any, list[EvalLog]]],
    outer_task: asyncio.Task[Any] | None,
    is_stopped: Callable[[], bool],
) -> list[EvalLog]:
    """The result of a coroutine run in another thread's event loop; an interrupt here cancels it there."""
    from inspect_ai.util import display_type

    os.environ.setdefault("INSPECT_DISPLAY", "none")
    display_type()  # reads the variable once
    inner = Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]]()

    async def run() -> list[EvalLog]:
        loop = asyncio.get_running_loop()
        task = loop.create_task(start())
        inner.set_result((loop, task))
        return await task

    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(copy_context().run, asyncio.run, run())
        try:
            while not wait((future,), LOOK_AGAIN).done:  # asyncio.run turns the first Ctrl-C into a cancelled task
                if (outer_task is not None and outer_task.cancelling()) or is_stopped():
                    raise KeyboardInterrupt
            return future.result()
        except BaseException:
            loop, task = inner.result()
            if not future.done():
                loop.call_soon_threadsafe(task.cancel)
            raise
