"""Shows unsway's log messages to a person; the command line calls `show`, and a script can too.

In: the records of the logger `unsway` and its children. Out: their messages on stderr, one per line.

    from unsway import logs
        logs.show()             # from now on, progress and warnings
        logs.show("quiet")      # only errors, and no progress bars
        logs.show("verbose")    # more, with each line's time and module

Inspect replaces the root logger's handlers while it runs, so unsway's messages need their own handler.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TypeAlias

Loudness: TypeAlias = Literal["quiet", "normal", "verbose"]
LEVELS: dict[Loudness, int] = {"quiet": logging.ERROR, "normal": logging.INFO, "verbose": logging.DEBUG}


class StderrHandler(logging.Handler):
    """Writes messages to whatever `sys.stderr` currently is."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        print(self.format(record), file=sys.stderr, flush=True)


def show(loudness: Loudness = "normal") -> None:
    """Show unsway's log messages from now on: progress, warnings, and what it waits for. The last call wins."""
    log = logging.getLogger("unsway")
    log.setLevel(LEVELS[loudness])
    if not any(isinstance(handler, StderrHandler) for handler in log.handlers):
        log.addHandler(StderrHandler())
    formatter = logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S") if loudness == "verbose" else None
    for handler in log.handlers:
        if isinstance(handler, StderrHandler):
            handler.setFormatter(formatter)


def is_quiet() -> bool:
    """Whether `show` turned progress off. Without any call of `show`, as in a library, progress bars are shown."""
    return logging.getLogger("unsway").level > logging.INFO
