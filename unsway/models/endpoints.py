"""Where a hosted model is asked: the address of its server, and the id of it that replies carry.

In: a model's name and the arguments of its provider. Out: the address, unless it is the provider's own, and its id. Two
servers may serve different weights under one name, so the id takes the place that the fingerprint of the weights has for a
local model. Source: the variables that Inspect's providers read (docs/servers.md names them).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from unsway.errors import BadInput
from unsway.models.secrets import read_dotenv
from unsway.seeds import content_id

OWN = frozenset({"https://api.openai.com/v1"})
"""Addresses that the name of their provider already implies."""


def address(model: str, args: Mapping[str, Any]) -> str | None:
    """The address at which a model is asked; None if it is the provider's own.

    Raises:
        BadInput: The address holds a password or a key, which would end up in files.
    """
    read_dotenv()
    provider, _, rest = model.partition("/")
    service = rest.partition("/")[0] if provider == "openai-api" else provider
    variable = f"{service.upper().replace('-', '_')}_BASE_URL"
    port = args.get("port")
    found = args.get("base_url") or (f"http://localhost:{port}/v1" if port else os.environ.get(variable))
    if not found:
        return None
    url = str(found).rstrip("/")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query:
        raise BadInput(
            f"The address of {model!r} (host {parts.hostname!r}) holds a user, a password or a query, which would end up in "
            "logs. Give the bare address, and the key in the provider's variable (…_API_KEY)."
        )
    return None if url in OWN else url


def address_id(model: str, args: Mapping[str, Any]) -> str:
    """The id of the address that replies carry; empty for the provider's own. Raises as `address` does."""
    url = address(model, args)
    return content_id("address", url) if url else ""
