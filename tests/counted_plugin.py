"""What the entry point of the back-end imports: it adds it to the registry of its process."""

from __future__ import annotations

from counted import Counted

from unsway.backends import backends

backends.add("counted", Counted)
