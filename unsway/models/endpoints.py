"""The address and arguments with which a hosted model is asked, and the id of both that replies carry.

In: a model's name, the arguments of its provider, its own config. Out: the address, unless it is the provider's own, and an
id. Two servers may serve different weights under one name, and other arguments may change the answers. So the id takes the
place of a local model's fingerprint. Source: the variables and arguments that Inspect's providers read (docs/servers.md
lists them).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from unsway.errors import BadInput
from unsway.models.secrets import read_dotenv
from unsway.seeds import content_id

if TYPE_CHECKING:
    from inspect_ai.model import GenerateConfig

OWN = frozenset({"https://api.openai.com/v1"})
"""Addresses that are already implied by the provider's name."""
NEUTRAL = frozenset(
    (
        "base_url port weights max_connections adaptive_connections max_retries retry_delay timeout attempt_timeout "
        "stream_idle_timeout client_timeout connect_timeout read_timeout http_client batch batch_size device stream "
        "streaming lazy_init configure_logging service_tier background responses_store cache cache_prompt cache_ttl logprobs "
        "top_logprobs prompt_logprobs user safety_identifier api_key_var quota_project_id scopes use_adc key token do_sample"
    ).split()
)
"""Arguments about where, how fast and with which key a model is asked, not its answers; the address counts anyway."""
FOR_EVERY_PROVIDER = "INSPECT_EVAL_MODEL_BASE_URL"
"""Inspect's variable for the address of any provider's server."""
ADDRESS_VARIABLES = {
    "anthropic/azure": ("AZUREAI_ANTHROPIC_BASE_URL", "AZURE_ANTHROPIC_BASE_URL"),
    "anthropic/bedrock": ("ANTHROPIC_BEDROCK_BASE_URL", "BEDROCK_ANTHROPIC_BASE_URL"),
    "anthropic/vertex": ("ANTHROPIC_VERTEX_BASE_URL", "VERTEX_ANTHROPIC_BASE_URL"),
    "azureai": ("AZURE_ENDPOINT_URL", "AZUREAI_ENDPOINT_URL", "AZUREAI_BASE_URL"),
    "google/vertex": ("GOOGLE_VERTEX_BASE_URL", "VERTEX_BASE_URL"),
    "grok": ("XAI_BASE_URL", "GROK_BASE_URL"),
    "litellm-proxy": ("LITELLM_PROXY_BASE_URL", "LITELLM_PROXY_API_BASE", "LITELLM_BASE_URL"),
    "mistral/azure": ("AZUREAI_MISTRAL_BASE_URL", "AZURE_MISTRAL_BASE_URL"),
    "openai/azure": ("AZUREAI_OPENAI_BASE_URL", "AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
    "openai/bedrock": ("BEDROCK_OPENAI_BASE_URL", "AWS_BEDROCK_BASE_URL"),
    "vllm-completions": ("VLLM_BASE_URL",),
}
"""Variables for the address, as Inspect reads them, where a provider's is not `PROVIDER_BASE_URL`; the first set counts."""
KEYS = ("_key", "-key", "_token", "-token", "_secret", "-secret", "authorization", "cookie")
"""Endings of the names of arguments and headers that hold a key."""
OVERRIDDEN = frozenset(("temperature", "max_tokens", "top_p", "seed"))
"""Settings that unsway decides, whatever a model's config says."""


def address_variables(model: str) -> tuple[str, ...]:
    """The environment variables for the address of a hosted model's server; the first that is set counts."""
    provider, _, rest = model.partition("/")
    service = rest.partition("/")[0]
    name = service if provider in ("openai-api", "openai-api-completions") else provider
    usual = (f"{name.upper().replace('-', '_')}_BASE_URL",)
    return ADDRESS_VARIABLES.get(f"{provider}/{service}") or ADDRESS_VARIABLES.get(provider) or usual


def _address_set(model: str) -> str | None:
    """The address that an environment variable gives a hosted model's server."""
    return next((url for name in address_variables(model) if (url := os.environ.get(name))), None)


def with_address(model: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of a model, with the address that Inspect takes for every provider whose own variable names none."""
    read_dotenv()
    url = os.environ.get(FOR_EVERY_PROVIDER)
    has_one = args.get("base_url") or args.get("port") or _address_set(model)
    return args if has_one or not url else {**args, "base_url": url}


def address(model: str, args: Mapping[str, Any]) -> str | None:
    """The address at which a model is asked; None if it is the provider's own.

    Raises:
        BadInput: It is not a server's address, or contains a password or a key, which would be written to files.
    """
    read_dotenv()
    port = args.get("port")
    base_url = args.get("base_url") or (f"http://localhost:{port}/v1" if port else _address_set(model))
    if not base_url:
        return None
    url = str(base_url).rstrip("/")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or ("@" in url and "://" not in url):
        raise BadInput(
            f"The address of {model!r} (host {parts.hostname!r}) holds a user, a password or a query, which would end up in "
            "logs. Give the bare address, and the key in the provider's variable (…_API_KEY)."
        )
    is_host = model.startswith("grok/") and "://" not in url  # xAI's library takes a host without a scheme
    if not is_host and (parts.scheme not in ("http", "https") or not parts.hostname):
        hint = f"Write http://{url}" if "://" not in url else "Write it as http://HOST:PORT/v1"
        raise BadInput(
            f"The address of {model!r} is {url!r}, which does not begin with http:// or https:// and a host. {hint}, or "
            "https:// where the server has a certificate."
        )
    return None if url in OWN else url


def is_own_server(url: str | None) -> bool:
    """Whether an address is on this machine or in a private network, so that the user chose what it serves."""
    host = (urlsplit(url).hostname or "") if url else ""
    try:
        return not ip_address(host).is_global
    except ValueError:  # a host name
        return bool(host) and ("." not in host or host.endswith((".local", ".internal", ".lan", ".localhost")))


def address_id(model: str, args: Mapping[str, Any]) -> str:
    """The id of the address, for replies; empty for the provider's own. Raises as `address` does."""
    url = address(model, args)
    return content_id("address", url) if url else ""


def serving_id(model: str, args: Mapping[str, Any], config: GenerateConfig | None = None) -> str:
    """The id of the serving model, for replies: the id of its address, unless other arguments affect its answers.

    Args:
        model: The model's name.
        args: The arguments of its provider; `weights` among them names what is served and replaces the others.
        config: Its own config, without `OVERRIDDEN`.

    Raises:
        BadInput: As `address` does.
    """
    settings = config.model_dump(exclude_none=True) if config is not None else {}
    arguments = {} if args.get("weights") else args
    parts = [
        _plain({name: value for name, value in values.items() if name not in neutral and value is not None})
        for values, neutral in ((arguments, NEUTRAL), (settings, NEUTRAL | OVERRIDDEN))
    ]
    server = address_id(model, args)
    return content_id("serving", server, *parts) if any(parts) else server


def _plain(value: object) -> object:
    """A value as JSON that is the same in every process; a function or opaque object becomes its name or its type's name."""
    from pydantic import BaseModel

    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BaseModel):
        value = {name: item for name, item in value if name != "id"}  # Inspect's messages have random ids
    elif is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        plain = {str(name): _plain(item) for name, item in value.items() if not str(name).casefold().endswith(KEYS)}
        return {name: item for name, item in plain.items() if item != {}}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(item)) for item in value)
    if isinstance(value, PurePath | Enum):
        return str(value)
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
