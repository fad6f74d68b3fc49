"""Downloads files of the Hugging Face hub at a pinned commit.

In: a pinned `Hub`. Out: its files in a folder, each checked against the pinned sha256 or, if none is pinned, against
the sum that the hub states for that commit. Needs the extra `hub`.
The hub gets a short time-out; if it does not answer once, this process does not ask it again.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
from pathlib import Path
from typing import Any

from unsway.assets.origins import Hub
from unsway.errors import AssetUnavailable, ChecksumMismatch
from unsway.extras import check_installed
from unsway.progress import Track
from unsway.store import sha256_file

TIMEOUT = 4.0
"""Seconds for the hub's first answer: enough for a slow connection, and a short wait without one."""
_unreachable: dict[str, str] = {}
"""Endpoints that did not answer in this process, with the reason."""


def download_repository(hub: Hub, files: Path, track: Track) -> dict[str, object]:
    """Download the files of a repository at a commit into a folder; returns the entries for the manifest.

    Raises:
        AssetUnavailable: Offline, or no such commit or file.
        ChecksumMismatch: A file is not the pinned one.
        MissingExtra: huggingface_hub is not installed.
    """
    stated_files = _stated_files(hub)
    from huggingface_hub import hf_hub_download

    base_bar = importlib.import_module("tqdm").tqdm

    def start(self: Any, *args: Any, **options: Any) -> None:
        base_bar.__init__(self, *args, **(options | {"disable": True}))

    with track(f"Downloading {hub.repo}", sum(stated_files[file.path].size or 0 for file in hub.files)) as advance:
        # the hub's library takes a progress-bar class; this one shows nothing and reports the bytes received
        counter = type("Counter", (base_bar,), {"__init__": start, "update": lambda self, n=1: advance(int(n))})
        for file in hub.files:
            try:
                hf_hub_download(
                    hub.repo,
                    file.path,
                    repo_type=hub.repo_type,
                    revision=hub.revision,
                    local_dir=files,
                    endpoint=_endpoint(),
                    tqdm_class=counter,
                )
            except (OSError, ValueError, _http_errors()) as error:
                raise AssetUnavailable(f"{file.path}: {_short(error)}") from error
            # the pinned sum, else the hub's own: sha256 for large files, git's sha1 for small ones
            stated_file = stated_files[file.path]
            actual = sha256_file(files / file.path)
            expected = file.sha256 or (stated_file.lfs.sha256 if stated_file.lfs else None)
            if expected is None:
                content = (files / file.path).read_bytes()
                expected = stated_file.blob_id  # git's hash of the content
                actual = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            if actual != expected:
                raise ChecksumMismatch(f"{file.path}: the sum is {actual}, must be {expected}. Nothing was kept.")
    shutil.rmtree(files / ".cache", ignore_errors=True)
    return {"repo": hub.repo, "revision": hub.revision}


def check_repository(hub: Hub, probe: bool) -> None:
    """Raise unless the files of a repository are available; with `probe`, the hub is asked.

    Raises:
        AssetUnavailable: Offline, or no such commit or file.
        MissingExtra: huggingface_hub is not installed.
    """
    if probe:
        _stated_files(hub)
    else:
        _check_worth_asking()


def _stated_files(hub: Hub) -> dict[str, Any]:
    """The files of the commit by path, with the sizes and sums that the hub states."""
    _check_worth_asking()
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    endpoint = _endpoint()
    try:
        info = HfApi(endpoint=endpoint).repo_info(
            hub.repo, revision=hub.revision, repo_type=hub.repo_type, timeout=TIMEOUT, files_metadata=True
        )
    except HfHubHTTPError as error:  # it answered and refused; other repositories may still be available
        raise AssetUnavailable(_short(error)) from error
    except (OSError, _http_errors()) as error:
        _unreachable[endpoint] = f"{endpoint} does not answer ({_short(error)})"
        raise AssetUnavailable(_unreachable[endpoint]) from error
    files = {sibling.rfilename: sibling for sibling in getattr(info, "siblings", None) or ()}
    missing = [file.path for file in hub.files if file.path not in files]
    if missing:
        raise AssetUnavailable(f"the commit has no {', '.join(missing)}")
    return files


def _check_worth_asking() -> None:
    """Raise if it is already known, without asking, that the hub will not answer."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "yes", "true"}:
        raise AssetUnavailable("HF_HUB_OFFLINE is set")
    check_installed("hub", "The Hugging Face hub", "huggingface_hub")
    if _endpoint() in _unreachable:
        raise AssetUnavailable(_unreachable[_endpoint()])


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _http_errors() -> type[Exception]:
    """The base class of the errors of the hub's HTTP client, which differs between versions of huggingface_hub."""
    from huggingface_hub import errors

    root: type[Exception] = vars(errors)["HTTPError"]
    return root


def _short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
