"""How values are written: as JSON, each with its `kind`, and as the Python expression that makes them.

In: a value, or its JSON. Out: the reverse, or an expression. Classes of an extensible kind (methods, back-ends,
interventions) are looked up in their registries, so a plug-in's values are written and read like the built-in ones.

    {"kind": "bct", "epochs": 1.0, "batch_size": 8, …}      Bct(batch_size=8)
    {"kind": "bias", "name": "post_hoc"}                    'post_hoc'
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from unsway.errors import BadInput
from unsway.store import dumps, loads, why

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

T = TypeVar("T")
Several: TypeAlias = T | Iterable[T]
"""One value or several."""
KIND = "kind"
"""The key for the class of a value."""


def several(given: Any) -> tuple[Any, ...]:
    """One value or several as a tuple; a text is one value."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def text_under(row: Mapping[str, Any], key: str = KIND) -> str:
    """The text under a key of a JSON row. Raises `BadInput` if the key is missing or holds something else."""
    if not isinstance(row.get(key), str):
        raise BadInput(f"a value in it lacks {key!r}: {dict(row)}. Give the value itself, or its name.")
    return str(row[key])


@dataclass(frozen=True)
class Json:
    """How a field is written as JSON and read back; used in the field's `Annotated` type."""

    write: Callable[[Any], Any]
    """Turns the value into JSON."""
    read: Callable[[Any], Any]
    """Turns JSON, a name or the value itself into the value."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema that pydantic requests from an annotation."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )


def tagged(kind: str, value: object) -> dict[str, Any]:
    """The fields of a dataclass as JSON, preceded by its kind."""
    return {KIND: kind, **json.loads(dumps(value))}


def untagged(cls: type[T], row: Mapping[str, Any]) -> T:
    """A dataclass from a row of its fields. Raises `BadInput` if a field is unknown, missing or has a wrong value."""
    own_fields = {name: value for name, value in row.items() if name != KIND}
    allowed = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # only dataclasses are tagged
    if unknown := sorted(own_fields.keys() - allowed):
        raise BadInput(
            f"A value of the kind {row.get(KIND)!r} has no {unknown[0]!r}; it has {', '.join(sorted(allowed))}. Another "
            "version of unsway wrote it: open it with that one."
        )
    try:
        return loads(cls, json.dumps(own_fields))
    except ValueError as error:
        raise BadInput(f"A value of the kind {row.get(KIND)!r} is wrong: {why(error)}") from None


@singledispatch
def expression(value: object) -> str:
    """The Python expression that makes a value. Things with a name appear by name; fields at their default are left out.

    A room registers its own spelling of a value with `@expression.register`.
    """
    if not is_dataclass(value):
        return repr(value)
    arguments = []
    for field in fields(value):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        field_value = getattr(value, field.name)
        if field_value != default and field.repr:
            arguments.append(f"{field.name}={expression(field_value)}")
    return f"{type(value).__name__}({', '.join(arguments)})"


@expression.register
def _(value: tuple) -> str:  # type: ignore[type-arg]  # singledispatch takes plain classes
    return f"({', '.join(map(expression, value))}{',' if len(value) == 1 else ''})"


@expression.register
def _(value: Path) -> str:
    return repr(str(value))
