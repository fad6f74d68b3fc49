"""Where weights live and are changed: one class a backend, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unsway.errors import UnknownName

if TYPE_CHECKING:
    from unsway.training import Backend

NAMES = ("local", "openai")


def backend(name: str, **options: Any) -> Backend:
    """The backend of that name, with its own options (`openai` takes `base_url`, `max_cost`). Raises `UnknownName`."""
    if name == "local":
        from unsway.backends.local import LocalBackend

        return LocalBackend(**options)
    if name == "openai":
        from unsway.backends.openai import OpenAiBackend

        return OpenAiBackend(**options)
    raise UnknownName("backend", name, NAMES)
