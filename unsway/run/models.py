"""What may be asked: an Inspect model string, a local model, a checkpoint, or an Inspect `Model`.

In: any of them. Out: `Subject`: the name that replies carry, the fingerprint of the weights, the Inspect model; and
`Session`, which keeps it loaded.
Replies are addressed by name and fingerprint together, so two checkpoints under one name are never confused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from unsway.errors import ModelError
from unsway.run.weights import CHECKPOINT_FILE
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from inspect_ai.model import Model

    ModelLike: TypeAlias = "str | os.PathLike[str] | Checkpoint | Model | Session"

LOCAL = "unsway/"
"""Prefix of the names of local models, which is the name of our Inspect provider."""


@dataclass(frozen=True)
class Subject:
    """A model that is asked."""

    name: str
    """What its replies say of who wrote them."""
    weights: str
    """Fingerprint of its weights; empty for a hosted model."""
    model: str | Model
    """What Inspect is given."""
    args: Mapping[str, Any]
    """Model arguments for Inspect."""


class Session:
    """A model that is loaded when it is first needed and stays so until the session ends.

    with session("unsway/smollm2-135m") as base:
        run(pairs, base)
        mixture(recipe, questions, base)
    """

    def __init__(self, who: Subject) -> None:
        self.who = who
        self._model: Model | None = None

    def model(self) -> Model:
        """The Inspect model, loaded if it is not yet.

        Not memoised by Inspect, which would hand out an earlier model of the same name, whatever its weights are now.
        """
        from inspect_ai.model import get_model

        if isinstance(self.who.model, str):
            self._model = self._model or get_model(self.who.model, memoize=False, **self.who.args)
            return self._model
        return self.who.model

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        if self._model is not None:
            self._model.api.close()
            self._model = None


def session(model: ModelLike, **args: Any) -> Session:
    """A session with whatever may be asked; a session itself is given back as it is. Raises as `subject` does."""
    return model if isinstance(model, Session) else Session(subject(model, **args))


def subject(model: ModelLike, **args: Any) -> Subject:
    """Resolve what may be asked, before anything is asked.

    Args:
        model: `provider/name` as Inspect takes it, `unsway/NAME` or a bare local name, a folder, or a `Checkpoint`.
        args: Model arguments for the provider, such as `engine="torch"`.

    Raises:
        ModelError: The model cannot be had; says what was tried.
    """
    if isinstance(model, Session):
        return model.who
    if isinstance(model, Checkpoint):
        return _local(model.model, args)
    if isinstance(model, os.PathLike):
        return _local(os.fspath(model), args)
    if not isinstance(model, str):
        return Subject(str(model), str(model.model_args.get("weights", "")), model, {})
    name = name_of(model)
    return _local(model, args) if name.startswith(LOCAL) else Subject(name, "", model, args)


def name_of(model: str) -> str:
    """The name that a model's replies carry, from what it is called alone: nothing is loaded. Raises `ModelError`."""
    if model.startswith(LOCAL) or _is_ours(model):
        bare = model.removeprefix(LOCAL)
        return LOCAL + (Path(bare).resolve().name if Path(bare).is_dir() else bare)
    if "/" not in model:
        raise ModelError(
            f"{model!r} is no model: an Inspect model string has a provider ('openai/gpt-4o-mini', 'vllm/org/name', "
            "'hf/org/name'), a local one is a folder, a checkpoint, or 'unsway/smollm2-135m'."
        )
    return model


def _is_ours(name: str) -> bool:
    """Whether a bare name is an asset's, or a folder with a model or a checkpoint in it."""
    from unsway import assets

    folder = Path(name).expanduser()
    holds_model = (folder / CHECKPOINT_FILE).is_file() or (folder / "config.json").is_file()
    return holds_model or any(s.name == name and s.kind == "model" for s in assets.assets())


def _local(model: str, args: Mapping[str, Any]) -> Subject:
    from unsway.run.weights import locate

    bare = model.removeprefix(LOCAL)
    weights = locate(bare)
    weights.tokenizer  # noqa: B018  # a missing chat template is said now, not after the first prompt
    return Subject(name_of(LOCAL + bare), weights.fingerprint, LOCAL + bare, args)
