"""Where a hosted model is asked: the address of its server, and what of it a reply must carry.

In: a model's name and the arguments of its provider. Out: the address that is not the provider's own, if there is one, and
an id of it. Two servers may serve different weights under one name, so the id stands where a local model has the fingerprint
of its weights. Source: the variables that Inspect's providers read (docs/servers.md names them).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from unsway.errors import BadInput
from unsway.seeds import content_id

OWN = frozenset({"https://api.openai.com/v1"})
"""Addresses that are what their provider's name says already."""


def address(model: str, args: Mapping[str, Any]) -> str | None:
    """The address at which a model is asked, or None where it is the provider's own.

    Raises:
        BadInput: The address holds a password or a key, which would land in files.
    """
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
            f"The address of {model!r} (host {parts.hostname!r}) holds a user, a password or a query, which would land in "
            "logs. Give the bare address, and the key in the provider's variable (…_API_KEY)."
        )
    return None if url in OWN else url


def address_id(model: str, args: Mapping[str, Any]) -> str:
    """What replies carry of the address: empty for the provider's own. Raises as `address` does."""
    url = address(model, args)
    return content_id("address", url) if url else ""
