"""What all tests stand on: an interrupt reaches the processes that they start, and no property is timed.

A shell that starts us in the background has us ignore SIGINT, and so would every process that we start.
"""

import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
