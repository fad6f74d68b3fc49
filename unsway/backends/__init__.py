"""Where weights live and are changed: one class a backend, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unsway.errors import UnknownName

if TYPE_CHECKING:
    from unsway.train import Backend

NAMES = ("local", "openai")


def backend(name: str) -> Backend:
    """The backend of that name. Raises `UnknownName`."""
    if name == "local":
        from unsway.backends.local import LocalBackend

        return LocalBackend()
    if name == "openai":
        from unsway.backends.openai import OpenAiBackend

        return OpenAiBackend()
    raise UnknownName("backend", name, NAMES)
