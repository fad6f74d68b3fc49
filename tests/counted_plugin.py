"""The module that the back-end's entry point imports: it adds the back-end to the process's registry."""

from __future__ import annotations

from counted import Counted

from unsway.backends import backends

backends.add("counted", Counted)
