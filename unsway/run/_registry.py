"""What Inspect finds through the entry point `inspect_ai`: our providers; every inspect command loads this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspect_ai.model import modelapi

if TYPE_CHECKING:
    from inspect_ai.model import ModelAPI


@modelapi(name="unsway")
def unsway() -> type[ModelAPI]:
    """Local models: `unsway/smollm2-135m`, `unsway/FOLDER`, `unsway/org/name`, `unsway/CHECKPOINT_FOLDER`."""
    from unsway.run.provider import LocalModel

    return LocalModel


@modelapi(name="unsway_scripted")
def unsway_scripted() -> type[ModelAPI]:
    """A model that follows each cue at a known rate, for tests and documentation (`unsway.testing`)."""
    from unsway.testing import ScriptedModel

    return ScriptedModel
