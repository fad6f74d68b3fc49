"""What unsway logs, shown to a person: the command line calls `show`, and so may a script.

In: the records of the logger `unsway` and those below it. Out: their messages on stderr, one a line.

    from unsway import logs
    logs.show()             # progress and warnings of everything that follows
    logs.show("quiet")      # errors alone; no bars either
    logs.show("verbose")    # more, with the time and the module of each line

Inspect replaces the handlers of the root logger while it runs, so what is to be seen then needs a handler of its own.
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
    """Show what unsway logs from now on: progress, warnings, and what it waits for. The last call counts."""
    log = logging.getLogger("unsway")
    log.setLevel(LEVELS[loudness])
    if not any(isinstance(handler, StderrHandler) for handler in log.handlers):
        log.addHandler(StderrHandler())
    form = logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S") if loudness == "verbose" else None
    for handler in log.handlers:
        if isinstance(handler, StderrHandler):
            handler.setFormatter(form)


def is_quiet() -> bool:
    """Whether progress was turned off. A library whose log nobody asked for is not quiet: its bars are shown."""
    return logging.getLogger("unsway").level > logging.INFO
