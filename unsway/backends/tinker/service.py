"""Tinker through its official SDK: client, safely repeatable calls, translated errors, and the record of a folder's fit.

In: an address and a folder. Out: the SDK's client, results, and `tinker.json`. The SDK repeats each request itself, with
a number known to the server, so a gradient is never counted twice. Calls that are safe to repeat are also repeated here, by
tenacity, after the SDK has given up. A step is not repeated: the fit then resumes from its last saved state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unsway.backends.tinker.costs import TinkerTokens
from unsway.disk import write_text
from unsway.errors import BadInput, StoreError, TrainingError
from unsway.extras import requires
from unsway.models.patience import plain
from unsway.models.secrets import known_keys, read_dotenv, without
from unsway.store import dumps, loads

RECORD = "tinker.json"
TRIES = 6
"""How often a safely repeatable call is sent, each time with the SDK's own retries; about a minute of waits. Ours."""
AT_ONCE = 64
"""Maximum calls in flight. Ours: the SDK allows 100 connections."""


@dataclass(frozen=True, slots=True)
class TinkerFit:
    """The record of a folder's fit."""

    fit: str
    """Id of what is trained: examples, method, base, address, tokenizer."""
    state: str = ""
    """Tinker's path of the last saved step (weights and optimiser); empty before the first."""
    steps: int = 0
    """Steps done when it was saved."""
    tokens: int = 0
    """Tokens trained on until then."""
    charged: TinkerTokens = field(default_factory=TinkerTokens)
    """Tokens charged until then."""

    def keep(self, folder: Path) -> TinkerFit:
        """Write it into the folder, and return it."""
        write_text(folder / RECORD, dumps(self) + "\n")
        return self


def fit_of(folder: Path, fit: str) -> TinkerFit:
    """The folder's record of this fit; a new record if it has none or that of another fit.

    Raises:
        StoreError: The file is damaged.
    """
    path = folder / RECORD
    if not path.is_file():
        return TinkerFit(fit)
    try:
        record = loads(TinkerFit, path.read_text(encoding="utf-8"))
    except ValueError:
        raise StoreError(f"{str(path)!r} is no record of a fit. Move it away, or name another folder.") from None
    return record if record.fit == fit else TinkerFit(fit)


def connect(base_url: str | None) -> Any:
    """The SDK's `ServiceClient`; it takes the key from the environment, and the key is never stored here."""
    with requires("tinker", "Training at Tinker"):
        import tinker

    read_dotenv()
    return tinker.ServiceClient(base_url=base_url)


def gathered(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results of calls that return a future and are safe to repeat: all are sent together, and failed ones are sent again."""
    with requires("tinker", "Training at Tinker"):
        import tinker
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

    transient = (tinker.APIConnectionError, tinker.InternalServerError, tinker.RateLimitError)

    def send(call: Callable[[], Any]) -> Any:
        tries = Retrying(
            retry=retry_if_exception_type(transient),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5),
            reraise=True,
        )
        return tries(lambda: call().result())

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, calls))


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Raises the SDK's errors as ours, in Tinker's words, without a key."""
    with requires("tinker", "Training at Tinker"):
        import tinker
    try:
        yield
    except tinker.TinkerError as error:
        message = plain(without(str(error), known_keys(None)))
        if "api_key" in message or isinstance(error, tinker.AuthenticationError):
            raise BadInput(
                f"Tinker takes no key: {message} Put yours into the variable TINKER_API_KEY, or into a .env file."
            ) from None
        raise TrainingError(
            f"Tinker refused ({type(error).__name__}): {message} Run the same again: it goes on from the last step that "
            f"{str(folder / RECORD)!r} knows of."
        ) from None
