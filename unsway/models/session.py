"""Resolves everything that can be asked: an Inspect model string, a local model, a checkpoint, or an Inspect `Model`.

In: any of them. Out: a `Subject` (the name in replies, the fingerprint of the weights, the Inspect model) and a `Session`,
which keeps the model loaded.
Replies are addressed by name and fingerprint together, so two checkpoints with the same name are never confused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakSet

from unsway import assets
from unsway.errors import BadInput, ModelError, UnswayError, expect
from unsway.extras import check_installed
from unsway.models.adapters import ADAPTER_FILE
from unsway.models.endpoints import FOR_EVERY_PROVIDER, address, address_variables, serving_id, with_address
from unsway.models.memory import free_memory
from unsway.models.patience import Patience, plain
from unsway.models.secrets import guard, read_dotenv
from unsway.models.weights import CHECKPOINT_FILE, checkpoint_of, known_dtype, locate, steps_in
from unsway.seeds import content_id
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from inspect_ai.model import Model

    ModelLike: TypeAlias = "str | os.PathLike[str] | Checkpoint | Model | Session"

LOCAL = "unsway/"
"""Prefix of local models' names; also the name of our Inspect provider."""
AT_ONCE = "max_connections"
"""A hosted model's argument for unsway, not for its provider: the number of prompts in flight."""
PATIENCE = "patience"
"""Another one: a `Patience`, or a mapping of its fields, such as `-M patience={"answer": 1200}`."""
ANSWERS_AS = "answers_as"
"""Another one: the model name that a server reports, if it differs from the name it is asked by."""
OURS = frozenset({AT_ONCE, PATIENCE, ANSWERS_AS})
PROVIDERS = frozenset(
    (
        "anthropic azureai bedrock cloudflare deepseek fireworks google grok groq hf hf-inference-providers "
        "litellm-proxy llama-cpp-python meta mistral mockllm moonshot nnterp none ollama openai openai-api "
        "openai-api-completions openrouter perplexity sagemaker sambanova sglang together transformer_lens vllm "
        "vllm-completions"
    ).split()
)
"""The providers that come with Inspect AI (https://inspect.aisi.org.uk/providers.html)."""
_MARKUP = re.compile(r"\[/?[a-z ]+\]")


@dataclass(frozen=True)
class Subject:
    """A model that can be asked."""

    name: str
    """The name that its replies carry."""
    weights: str
    """Fingerprint of its weights; for a hosted model, the id of its address and arguments, empty for the provider's own."""
    model: str | Model
    """The model, or its name, for Inspect."""
    args: Mapping[str, Any]
    """Model arguments for Inspect."""

    def elsewhere(self, weights: str) -> str:
        """The advice if this hosted model's replies were stored under another address id; empty for a local model."""
        if self.name.startswith(LOCAL) or not isinstance(self.model, str):
            return ""
        variables = address_variables(self.name)
        url = address(self.name, self.args)
        if not weights:
            return (
                f"{self.name} was asked at its provider's own address, and now another one is named"
                f"{f' ({url})' if url else ''}. Unset {', '.join(variables)} and {FOR_EVERY_PROVIDER}, and "
                "leave out -M base_url=… and -M weights=…."
            )
        return (
            f"{self.name} was asked at another address than {url or 'that of its provider'}. Set {variables[0]} to the "
            "address at which it was measured, or give it with -M base_url=…; add -M weights=… and other arguments "
            "that it had then."
        )


class Session:
    """A model that is loaded at first use and stays loaded until the session ends or a training needs the memory.

    with session("unsway/smollm2-135m") as base:
        run(pairs, base)
        mixture(recipe, questions, base)
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._model: Model | None = None
        self._n_asking = 0
        """Number of calls that are using it now."""

    def model(self) -> Model:
        """The Inspect model, loaded if necessary.

        Raises:
            ModelError: A key, an address or a library is missing; with Inspect's message.
            MissingExtra: This is a notebook without ipywidgets.
        """
        if not isinstance(self.subject.model, str):
            return self.subject.model
        if self._model is not None:
            return self._model
        from inspect_ai.model import get_model

        name = self.subject.model
        args = {key: value for key, value in self.subject.args.items() if key not in OURS}
        if name.startswith(("openai/", "openai-api/")):
            args = {"max_retries": 0} | args  # retries inside the SDK leave no trace; ours do
        try:
            # not memoised: Inspect would return an earlier model of that name, even if its weights have changed
            self._model = guard(get_model(name, memoize=False, **args))
            _loaded.add(self)
            self.at_once()  # loads the engine of a local model
        except UnswayError:
            raise
        except Exception as error:
            if isinstance(error, ModuleNotFoundError) and "ipywidgets" in str(error):  # Inspect needs it in notebooks
                check_installed("notebook", "Asking a model in a notebook", "ipywidgets")
            message = plain(_MARKUP.sub("", str(error))).removeprefix("ERROR: ")  # Inspect's message, in rich's markup
            advice = " Put it there, or into a file .env in this folder." if "in the environment" in message else ""
            raise ModelError(f"{name} cannot be asked: {message}{advice}") from error
        return self._model

    def at_once(self) -> int | None:
        """How many prompts to ask at once: the engine's or the caller's number; None leaves it to Inspect."""
        if self.subject.name.startswith(LOCAL):
            return self.model().api.max_connections()
        return self.subject.args.get(AT_ONCE)

    def patience(self) -> Patience:
        """How long to wait for a hosted model. Raises `BadInput` if its fields are not those of `Patience`."""
        patience = self.subject.args.get(PATIENCE, {})
        try:
            return patience if isinstance(patience, Patience) else Patience(**patience)
        except TypeError as error:
            names = ", ".join(field.name for field in fields(Patience))
            raise BadInput(f"{PATIENCE} is {patience!r} ({error}); it takes {names}.") from None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Keep the model loaded while the block runs."""
        self._n_asking += 1
        try:
            yield
        finally:
            self._n_asking -= 1

    def release(self) -> None:
        """Release the model's weights and clients; the next use loads it again."""
        model, self._model = self._model, None
        if model is None:
            return
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as executor:  # a provider's client closes in an event loop, and ours may be running
            executor.submit(asyncio.run, model.api.aclose()).result()
        del model
        if self.subject.name.startswith(LOCAL):
            free_memory()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


_loaded: WeakSet[Session] = WeakSet()
"""The sessions in this process whose model was loaded."""


def release_idle() -> None:
    """Release the models in this process that are not in use, to free memory for a training."""
    for open_session in tuple(_loaded):
        if not open_session._n_asking:
            open_session.release()


def session(model: ModelLike, **args: Any) -> Session:
    """A session with a model; an existing session is returned unchanged. Raises as `subject` does."""
    return model if isinstance(model, Session) else Session(subject(model, **args))


def subject(model: ModelLike, **args: Any) -> Subject:
    """Resolve a model, before anything is asked.

    Args:
        model: `provider/name` as Inspect takes it, `unsway/NAME` or only a local name, a folder, a model on the hub
            (`org/name`, run here), or a `Checkpoint`.
        args: Model arguments for the provider, such as `engine="torch"` or `base_url=…`; for a hosted model also
            `max_connections`, `patience`, `answers_as`, and `weights`, a name for what its address currently serves.

    Raises:
        BadInput: It is not a model.
        ModelError: The model is not available; the message says what was tried.
    """
    if isinstance(model, Session):
        return model.subject
    if not isinstance(model, Checkpoint | os.PathLike | str):
        from inspect_ai.model import Model

        expect(model, Model, "a model is expected: a name, a folder, a checkpoint, or a model of Inspect's")
        return _of_inspect(model)
    checkpoint = model if isinstance(model, Checkpoint) else checkpoint_of(model)
    if checkpoint is not None and checkpoint.is_hosted:
        model = checkpoint.model
        args = ({"base_url": checkpoint.base_url} if checkpoint.base_url else {}) | args
    if isinstance(model, str):
        read_dotenv()  # it may contain a hub token
        if not name_of(model).startswith(LOCAL):
            return _hosted(model, args)
    dtype = known_dtype(str(args.get("dtype", "float32")))
    bare = (model.model if isinstance(model, Checkpoint) else os.fspath(model)).removeprefix(LOCAL)
    weights = locate(bare)
    weights.tokenizer  # noqa: B018  # reports a missing chat template now, not after the first prompt
    return Subject(name_of(LOCAL + bare), weights.answering(dtype), LOCAL + bare, args)


def _of_inspect(model: Model) -> Subject:
    """The subject of an Inspect model, identified by its arguments. Raises `ModelError` if the model has no name."""
    try:
        name = str(model)
    except ValueError as error:
        kind = type(model.api).__name__
        raise ModelError(
            f"Inspect knows no name for a model made of {kind} itself ({error}). Make it by its name: "
            'get_model("provider/name", base_url=…); a class of your own needs @modelapi(name=…).'
        ) from error
    # `get_model` may fill `api.base_url` with the provider's default; a model made by hand has its maker's value
    is_by_name = getattr(model.api, "qualified_model_name", name) is not None
    url = getattr(model, "_explicit_base_url", None) if is_by_name else model.api.base_url
    args = with_address(name, model.model_args | {"base_url": url})
    server = serving_id(name, args, model.config)
    weights = str(args.get("weights", ""))
    return Subject(name, content_id(server, weights) if server and weights else server or weights, model, {})


def name_of(model: str) -> str:
    """The name that a model's replies carry, without loading it. Raises `ModelError`."""
    checkpoint = checkpoint_of(model)
    if checkpoint is not None and checkpoint.is_hosted:
        model = checkpoint.model
    folder = Path(model).expanduser()
    is_local = (
        model.startswith(LOCAL)
        or (folder / CHECKPOINT_FILE).is_file()
        or (folder / "config.json").is_file()
        or (folder / ADAPTER_FILE).is_file()
        or any(status.name == model and status.kind == "model" for status in assets.assets())
    )
    if is_local:
        bare = model.removeprefix(LOCAL)
        path = Path(bare).expanduser()
        return LOCAL + (path.resolve().name if path.is_dir() else bare)
    provider, _, rest = model.partition("/")
    if rest and provider not in ("", ".", "..", "~"):
        is_known = provider in PROVIDERS
        if not is_known:  # unknown to us; Inspect may know it from another package or the running program
            from inspect_ai.model import get_model

            try:
                get_model(model, memoize=False)
                is_known = True
            except Exception as error:  # its message says what is missing
                is_known = "not recognized" not in str(error)
        if is_known:
            return model
        if "/" not in rest:  # org/name on the hub
            return LOCAL + model
    problem = "holds no model" if folder.is_dir() else "is no folder here"
    raise ModelError(
        f"{model!r} is no model: it {problem}, and {provider!r} is no provider of Inspect's. Name a provider's model "
        "('openai/gpt-4o-mini', 'vllm/org/name'), a folder with weights or a checkpoint, a model of the Hugging Face hub "
        f"('org/name'), or 'unsway/smollm2-135m'.{steps_in(folder)}"
    )


def _hosted(name: str, args: Mapping[str, Any]) -> Subject:
    """A hosted model; `weights` among its arguments names what its address currently serves."""
    args = dict(with_address(name, args))
    server = serving_id(name, {key: value for key, value in args.items() if key not in OURS})
    weights = args.pop("weights", None)
    return Subject(name, server if weights is None else content_id(server, str(weights)), name, args)
