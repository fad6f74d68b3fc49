"""What may be asked: an Inspect model string, a local model, a checkpoint, or an Inspect `Model`.

In: any of them. Out: `Subject`: the name that replies carry, the fingerprint of the weights, the Inspect model; and
`Session`, which keeps it loaded.
Replies are addressed by name and fingerprint together, so two checkpoints under one name are never confused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from unsway.errors import BadInput, ModelError, UnswayError
from unsway.models.endpoints import address_id
from unsway.models.patience import Patience, plain
from unsway.models.secrets import guard
from unsway.models.weights import CHECKPOINT_FILE, is_hosted, read_checkpoint
from unsway.seeds import content_id
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from inspect_ai.model import Model

    ModelLike: TypeAlias = "str | os.PathLike[str] | Checkpoint | Model | Session"

LOCAL = "unsway/"
"""Prefix of the names of local models, which is the name of our Inspect provider."""
_MARKUP = re.compile(r"\[/?[a-z ]+\]")
AT_ONCE = "max_connections"
"""Argument of a hosted model that is ours, not its provider's: how many prompts are on their way at once."""
PATIENCE = "patience"
"""Another one: a `Patience`, or a mapping of its fields, such as `-M patience={"answer": 1200}`."""


@dataclass(frozen=True)
class Subject:
    """A model that is asked."""

    name: str
    """What its replies say of who wrote them."""
    weights: str
    """Fingerprint of its weights; of a hosted model the id of its address, empty where that is the provider's own."""
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

        Raises:
            ModelError: A key, an address or a library is missing; in Inspect's words.
        """
        if isinstance(self.who.model, str):
            self._model = self._model or _loaded(self.who.model, self.who.args)
            return self._model
        return self.who.model

    def at_once(self) -> int | None:
        """How many prompts to ask at once: as the engine likes, or as was asked for; None leaves it to Inspect."""
        if self.who.name.startswith(LOCAL):
            return self.model().api.max_connections()
        return self.who.args.get(AT_ONCE)

    def patience(self) -> Patience:
        """How long to wait for a hosted model. Raises `BadInput` where that was given in words it does not have."""
        given = self.who.args.get(PATIENCE, {})
        try:
            return given if isinstance(given, Patience) else Patience(**given)
        except TypeError as error:
            known = ", ".join(field.name for field in fields(Patience))
            raise BadInput(f"{PATIENCE} is {given!r} ({error}); it takes {known}.") from None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        if self._model is not None:
            _close(self._model)
            self._model = None


def _loaded(name: str, args: Mapping[str, Any]) -> Model:
    """An Inspect model of one's own.

    Not memoised by Inspect, which would hand out an earlier model of the same name, whatever its weights are now.
    """
    from inspect_ai.model import get_model

    given = {key: value for key, value in args.items() if key not in (AT_ONCE, PATIENCE)}
    if name.startswith(("openai/", "openai-api/")):
        given = {"max_retries": 0} | given  # the SDK's retries leave no trace; ours do
    try:
        return guard(get_model(name, memoize=False, **given))
    except UnswayError:
        raise
    except Exception as error:  # Inspect's own says what is missing, in rich's markup
        raise ModelError(f"{name} cannot be asked: {plain(_MARKUP.sub('', str(error)))}") from error


def _close(model: Model) -> None:
    """Close a model in a thread of its own, since the client of a provider closes in an event loop and ours may run."""
    from concurrent.futures import ThreadPoolExecutor

    import anyio

    with ThreadPoolExecutor(1) as executor:
        executor.submit(anyio.run, model.api.aclose).result()


def session(model: ModelLike, **args: Any) -> Session:
    """A session with whatever may be asked; a session itself is given back as it is. Raises as `subject` does."""
    return model if isinstance(model, Session) else Session(subject(model, **args))


def subject(model: ModelLike, **args: Any) -> Subject:
    """Resolve what may be asked, before anything is asked.

    Args:
        model: `provider/name` as Inspect takes it, `unsway/NAME` or a bare local name, a folder, or a `Checkpoint`.
        args: Model arguments for the provider, such as `engine="torch"` or `base_url=…`; of a hosted model also
            `max_connections`, `patience`, and `weights`, a name for what its address serves just now.

    Raises:
        ModelError: The model cannot be had; says what was tried.
    """
    if isinstance(model, Session):
        return model.who
    if not isinstance(model, Checkpoint | os.PathLike | str):
        return Subject(str(model), str(model.model_args.get("weights", "")), model, {})
    trained = model if isinstance(model, Checkpoint) else _checkpoint(model)
    if trained is not None and is_hosted(trained):
        return _hosted(trained.model, _address(trained) | args)
    if isinstance(model, str) and not name_of(model).startswith(LOCAL):
        return _hosted(model, args)
    return _local(model.model if isinstance(model, Checkpoint) else os.fspath(model), args)


def name_of(model: str) -> str:
    """The name that a model's replies carry, from what it is called alone: nothing is loaded. Raises `ModelError`."""
    if model.startswith(LOCAL) or _is_ours(model):
        trained = _checkpoint(model)
        if trained is not None and is_hosted(trained):
            return trained.model
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
    from unsway.models.weights import known_dtype, locate

    dtype = known_dtype(str(args.get("dtype", "float32")))
    bare = model.removeprefix(LOCAL)
    weights = locate(bare)
    weights.tokenizer  # noqa: B018  # a missing chat template is said now, not after the first prompt
    return Subject(name_of(LOCAL + bare), weights.answering(dtype), LOCAL + bare, args)


# ---------------------------------------------------------------- at a provider, or at a server of one's own


def _checkpoint(model: str | os.PathLike[str]) -> Checkpoint | None:
    """The checkpoint that a folder holds, if it holds one."""
    folder = Path(os.fspath(model).removeprefix(LOCAL)).expanduser()
    return read_checkpoint(folder) if (folder / CHECKPOINT_FILE).is_file() else None


def _address(trained: Checkpoint) -> dict[str, Any]:
    """The address at which a checkpoint was trained, where that is not the provider's own."""
    url, hash_, _ = trained.uri.partition("#")
    return {"base_url": url} if hash_ else {}


def _hosted(name: str, args: Mapping[str, Any]) -> Subject:
    """A hosted model; `weights` among its arguments names what an address of one's own serves just now."""
    given = dict(args)
    where, weights = address_id(name, given), given.pop("weights", None)
    return Subject(name, where if weights is None else content_id(where, str(weights)), name, given)
