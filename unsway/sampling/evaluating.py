"""One Inspect eval, from a script as well as from code that runs inside an event loop: a notebook, marimo, a coroutine.

In: a task and Inspect's options. Out: the log. Inspect's own `eval` starts an event loop, which the thread of a running loop
cannot. There the eval gets a thread of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

LOOK_AGAIN = 0.2
"""Seconds between two looks at whether the code around was interrupted."""


def evaluate(task: Task, *, stopped: Callable[[], bool] | None = None, **options: Any) -> EvalLog:
    """Run a task without a display.

    Args:
        task: The task.
        stopped: Whether somebody elsewhere interrupted it, asked again and again while it runs; None where nobody can.
        options: Arguments of Inspect's `eval`.

    Raises:
        KeyboardInterrupt: It was interrupted; what was received before is kept.
    """
    import inspect_ai

    try:
        around: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        around = None
    # not in the `except`, where each error of a model would count as a consequence of this one
    if around is None and stopped is None:
        logs = inspect_ai.eval(task, display="none", **options)
    else:
        outer = None if around is None else asyncio.current_task()
        logs = _in_a_thread(partial(inspect_ai.eval_async, task, **options), outer, stopped or (lambda: False))
    if not logs or logs[0].status == "cancelled":  # cancelled before there is a log, Inspect returns none
        raise KeyboardInterrupt
    return logs[0]


def _in_a_thread(
    start: Callable[[], Coroutine[Any, Any, list[EvalLog]]],
    around: asyncio.Task[Any] | None,
    stopped: Callable[[], bool],
) -> list[EvalLog]:
    """What a coroutine returns that runs in the event loop of another thread; an interrupt here cancels it there."""
    from inspect_ai.util import display_type

    os.environ.setdefault("INSPECT_DISPLAY", "none")
    display_type()  # looks there once
    inside = Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]]()

    async def run() -> list[EvalLog]:
        loop = asyncio.get_running_loop()
        task = loop.create_task(start())
        inside.set_result((loop, task))
        return await task

    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(asyncio.run, run())
        try:
            while not wait((future,), LOOK_AGAIN).done:  # asyncio.run turns the first Ctrl-C into a cancelled task
                if (around is not None and around.cancelling()) or stopped():
                    raise KeyboardInterrupt
            return future.result()
        except BaseException:
            loop, task = inside.result()
            if not future.done():
                loop.call_soon_threadsafe(task.cancel)
            raise
