"""Finds keys, and keeps a key that a server quotes back out of logs, traces and our errors.

In: one of Inspect's models. Out: the same model, whose errors and recorded answers are cleaned before anyone sees them.
Inspect logs a provider's error unchanged, so it is cleaned at its origin: around the provider's `generate`. This relies on
the order of Inspect's calls, which tests/test_models_secrets.py pins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar

from unsway.errors import BadInput

if TYPE_CHECKING:
    from inspect_ai.model import Model

ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_ACCESS_KEY")
"""Endings of the names of environment variables that hold keys, as providers' SDKs name them."""
SHORTEST = 8
"""Fewest characters of a key; a shorter value may be a word that occurs anywhere."""
IN_PLACE = "(key)"
"""The replacement for a key."""
E = TypeVar("E", bound=BaseException)


def read_dotenv() -> None:
    """Add the variables of a `.env` file, in this folder or the nearest parent, to the environment; existing ones stay.

    Inspect reads the same file, but only when it evaluates: after a model was created and its address looked up.

    Raises:
        BadInput: The file is not UTF-8 text.
    """
    from dotenv import find_dotenv, load_dotenv

    path = find_dotenv(usecwd=True)
    try:
        load_dotenv(path, encoding="utf-8-sig")
    except ValueError as error:  # also a null character in a value
        reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
        raise BadInput(f"{path} is not UTF-8 text ({reason}). Save it as UTF-8, or remove it.") from None


def guard(model: Model) -> Model:
    """Remove keys from this model's errors and records; returns the model."""
    api: Any = model.api
    inner = api.generate

    async def generate(*args: Any, **kwargs: Any) -> Any:
        keys = known_keys(getattr(api, "api_key", None))
        try:
            result = await inner(*args, **kwargs)
        except Exception as error:
            raise cleaned(error, keys) from error.__cause__
        if isinstance(result, tuple):
            output, call = result
            if call is not None and call.response is not None:
                call.response = _clean(call.response, keys)
            return (cleaned(output, keys) if isinstance(output, Exception) else output), call
        return result

    api.generate = generate
    return model


def known_keys(key: str | None) -> frozenset[str]:
    """All keys: the provider's own, and the keys in the environment."""
    values = [key or "", *(value for name, value in os.environ.items() if name.upper().endswith(ENDINGS))]
    return frozenset(value for value in values if len(value) >= SHORTEST)


def without(text: str, keys: Collection[str]) -> str:
    """A text without keys."""
    for key in sorted(keys, key=len, reverse=True):  # one key may begin with another
        text = text.replace(key, IN_PLACE)
    return text


def cleaned(error: E, keys: Collection[str]) -> E:
    """The same error, without keys in its message or the messages of its causes."""
    visited_ids: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in visited_ids:
        visited_ids.add(id(current))
        current.args = tuple(_clean(arg, keys) for arg in current.args)
        for name in ("message", "body"):  # in the errors of OpenAI's and Anthropic's SDKs
            if hasattr(current, name):
                setattr(current, name, _clean(getattr(current, name), keys))
        current = current.__cause__ or current.__context__
    return error


def _clean(value: Any, keys: Collection[str]) -> Any:
    """A value without keys, if it is text or JSON."""
    if isinstance(value, str):
        return without(value, keys)
    if isinstance(value, dict | list):
        text = json.dumps(value, default=str)
        return json.loads(without(text, keys)) if any(key in text for key in keys) else value
    return value
