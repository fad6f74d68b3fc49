"""The entry point `inspect_ai`: registers our provider and our task. Every inspect command loads this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspect_ai.model import modelapi

from unsway.evals.tasks import bias
from unsway.evals.verdicts import verdicts

if TYPE_CHECKING:
    from inspect_ai.model import ModelAPI

__all__ = ["bias", "unsway", "verdicts"]


@modelapi(name="unsway")
def unsway() -> type[ModelAPI]:
    """Local models: `unsway/smollm2-135m`, `unsway/FOLDER`, `unsway/org/name`, `unsway/CHECKPOINT_FOLDER`."""
    from unsway.models.provider import LocalModel

    return LocalModel
