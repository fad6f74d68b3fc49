"""How the values of a study are written as JSON: each with its `kind`, and read back to the same value.

In: a value, or its JSON. Out: the other one. Classes are found by their kind in the registries, so a method, a back-end or an
intervention that another package declares is kept like the built-in ones. A cue that was made at run time is kept by its
definition, so a folder can be continued where nothing but unsway is installed.

    {"kind": "bias", "name": "post_hoc"}      {"kind": "bct", "epochs": 1.0, "batch_size": 8, …}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from unsway import biases, sources
from unsway.backends import backends
from unsway.biases import Bias, Cue
from unsway.errors import BadInput
from unsway.models.session import session
from unsway.prompts import elicitations
from unsway.sources import Source, files
from unsway.store import dumps, loads
from unsway.training import Backend, Method, methods
from unsway.types import Checkpoint

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

    from unsway.models.session import ModelLike

T = TypeVar("T")
KIND = "kind"


@dataclass(frozen=True)
class Json:
    """How a field is written as JSON and read; stands in the `Annotated` type of the field."""

    write: Callable[[Any], Any]
    """From the value to JSON."""
    read: Callable[[Any], Any]
    """From JSON, or a name, to the value."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """What pydantic asks of an annotation."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )


def tagged(kind: str, value: object) -> dict[str, Any]:
    """The fields of a dataclass as JSON, with its kind before them."""
    return {KIND: kind, **json.loads(dumps(value))}


def untagged(cls: type[T], row: Mapping[str, Any]) -> T:
    """The dataclass whose fields a row has. Raises `BadInput` where it has others, and `ValueError` for a wrong value."""
    given = {name: value for name, value in row.items() if name != KIND}
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # only dataclasses are tagged
    if unknown := sorted(given.keys() - known):
        raise BadInput(
            f"A value of the kind {row.get(KIND)!r} has no {unknown[0]!r}; it has {', '.join(sorted(known))}. Another "
            "version of unsway wrote it: open it with that one."
        )
    return loads(cls, json.dumps(given))


# ---------------------------------------------------------------- one function for each kind: a name, a row or a value in


def bias_of(given: Bias | str | Path | Mapping[str, Any]) -> Bias:
    """The bias of a name, `name/form`, a cue file or a row. Raises `UnknownName`, `BadInput`."""
    if not isinstance(given, Mapping):
        return biases.resolve(given)
    if given[KIND] == "cue":
        return biases.from_definition(untagged(Cue, given))
    return biases.get(given["name"])


def source_of(given: Source | str | Path) -> Source | Path:
    """The source of a name, or the path of a file of questions. Raises `UnknownName`."""
    if isinstance(given, Source | Path):
        return given
    return Path(given) if files.is_file(given) else sources.get(given)


def backend_of(given: Backend | str | Mapping[str, Any]) -> Backend:
    """The back-end of a name, with its own defaults, or of a row. Raises `UnknownName`."""
    if isinstance(given, Backend):
        return given
    return backends.get(given)() if isinstance(given, str) else untagged(backends.get(given[KIND]), given)


def method_of(given: Method | str | Mapping[str, Any]) -> Method:
    """The method of a name, with its own defaults, or of a row. Raises `UnknownName`."""
    if isinstance(given, Method):
        return given
    return methods.get(given)() if isinstance(given, str) else untagged(methods.get(given[KIND]), given)


def model_of(given: Any) -> Any:
    """The model of a row: a checkpoint, or the name of anything else."""
    return untagged(Checkpoint, given) if isinstance(given, Mapping) else given


def model_name(model: ModelLike) -> str:
    """What a model is called in a study: its name, as it was given where that is text."""
    if isinstance(model, str | PathLike):
        return fspath(model)
    if isinstance(model, Checkpoint):
        return model.model
    return session(model).subject.name


BIAS = Json(
    lambda bias: tagged("cue", bias.definition) if bias.definition else {KIND: "bias", "name": bias.name}, bias_of
)
SOURCE = Json(lambda source: source.name if isinstance(source, Source) else str(source), source_of)
ELICITATION = Json(lambda elicitation: elicitation.name, elicitations.get)
BACKEND = Json(lambda backend: tagged(backend.name, backend), backend_of)
METHOD = Json(lambda method: tagged(method.name, method), method_of)
MODEL = Json(
    lambda model: tagged("checkpoint", model) if isinstance(model, Checkpoint) else model_name(model), model_of
)
