"""The back-end `tinker`: adapters trained at Tinker, or at a server that speaks its protocol."""

from unsway.backends.tinker.backend import Tinker

__all__ = ["Tinker"]
