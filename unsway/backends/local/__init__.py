"""The back-end `local`: weights on this machine. Importing it loads neither torch nor transformers."""

from unsway.backends.local.backend import Local

__all__ = ["Local"]
