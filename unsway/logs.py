"""What unsway logs, shown to a person: the command line calls `show`, and so may a script.

In: the records of the logger `unsway` and those below it. Out: their messages on stderr, one a line.

    from unsway import logs
    logs.show()      # progress and warnings of everything that follows

Inspect replaces the handlers of the root logger while it runs, so what is to be seen then needs a handler of its own.
"""

from __future__ import annotations

import logging
import sys


class StderrHandler(logging.Handler):
    """Writes messages to whatever `sys.stderr` currently is."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        print(self.format(record), file=sys.stderr, flush=True)


def show() -> None:
    """Show what unsway logs from now on: progress, warnings, and what it waits for. Calling it again changes nothing."""
    log = logging.getLogger("unsway")
    log.setLevel(logging.INFO)
    if not any(isinstance(handler, StderrHandler) for handler in log.handlers):
        log.addHandler(StderrHandler())
