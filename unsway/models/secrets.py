"""A key that a server quotes back goes no further: not into Inspect's logs and traces, nor into our errors.

In: a model of Inspect's. Out: the same, whose errors and recorded answers are cleaned before anybody sees them. Inspect logs
a provider's error as it came, so it is cleaned where it arises: around the provider's `generate`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from inspect_ai.model import Model, ModelCall

ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_ACCESS_KEY")
"""Ends of the names of environment variables that hold keys, as providers' SDKs name them."""
SHORTEST = 8
"""Characters below which a value is no key, but a word that may stand anywhere."""
IN_PLACE = "(key)"
E = TypeVar("E", bound=BaseException)


def guard(model: Model) -> Model:
    """Clean what this model's provider raises and records."""
    api: Any = model.api
    inner = api.generate

    async def generate(*args: Any, **kwargs: Any) -> Any:
        keys = known(getattr(api, "api_key", None))
        try:
            result = await inner(*args, **kwargs)
        except Exception as error:
            raise cleaned(error, keys) from error.__cause__
        if isinstance(result, tuple):
            said, call = result
            _clean_call(call, keys)
            return (cleaned(said, keys) if isinstance(said, Exception) else said), call
        return result

    api.generate = generate
    return model


def known(key: str | None) -> frozenset[str]:
    """Every key there is: the provider's own, and those of the environment."""
    values = [key or "", *(value for name, value in os.environ.items() if name.upper().endswith(ENDINGS))]
    return frozenset(value for value in values if len(value) >= SHORTEST)


def without(text: str, keys: Collection[str]) -> str:
    """A text without keys."""
    for key in keys:
        text = text.replace(key, IN_PLACE)
    return text


def cleaned(error: E, keys: Collection[str]) -> E:
    """The same error, with no key in its words or those of its causes."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        one.args = tuple(_clean(arg, keys) for arg in one.args)
        for name in ("message", "body"):  # of the errors of OpenAI's and Anthropic's SDKs
            if hasattr(one, name):
                setattr(one, name, _clean(getattr(one, name), keys))
        one = one.__cause__ or one.__context__
    return error


def _clean(value: Any, keys: Collection[str]) -> Any:
    """A value without keys, if it is text or JSON."""
    if isinstance(value, str):
        return without(value, keys)
    if isinstance(value, dict | list):
        text = json.dumps(value, default=str)
        return json.loads(without(text, keys)) if any(key in text for key in keys) else value
    return value


def _clean_call(call: ModelCall | None, keys: Collection[str]) -> None:
    if call is not None and call.response is not None:
        call.response = _clean(call.response, keys)
