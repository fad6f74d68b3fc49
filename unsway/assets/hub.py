"""Files of the Hugging Face hub at a pinned commit.

In: a pinned `Hub`. Out: its files in a folder, each checked against the pinned sha256, or, where none is pinned,
against what the hub states for that commit. Needs the optional `huggingface_hub`.
The hub is asked once a process with a short time-out; where it does not answer it is not asked again.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.errors import AssetUnavailable, ChecksumMismatch
from unsway.store import sha256_file

if TYPE_CHECKING:
    from unsway.assets.pins import Hub, HubFile
    from unsway.assets.progress import DownloadProgress

TIMEOUT = 4.0
"""Seconds for the hub's first answer: long enough for a slow line, short where there is none."""
_TRUE = {"1", "on", "yes", "true"}
_unreachable: dict[str, str] = {}
"""Endpoints that did not answer in this process, with what went wrong."""


def download(hub: Hub, out: Path, progress: DownloadProgress) -> dict[str, object]:
    """Get the files of a repository at a commit into `out`; what was stated about them.

    Raises `AssetUnavailable` (offline, not installed, no such commit) and `ChecksumMismatch`.
    """
    stated = listing(hub)
    endpoint = _endpoint()
    from huggingface_hub import hf_hub_download

    total = sum(stated[file.path].size or 0 for file in hub.files)
    done, what = 0, f"Downloading {hub.repo}"

    def arrived(n: int) -> None:
        nonlocal done
        done += n
        progress(what, min(done, total), total + 1)

    arrived(0)
    for file in hub.files:
        try:
            hf_hub_download(
                hub.repo,
                file.path,
                repo_type=hub.repo_type,
                revision=hub.revision,
                local_dir=out,
                endpoint=endpoint,
                tqdm_class=_counter(arrived),
            )
        except (OSError, ValueError, _http_errors()) as error:
            raise AssetUnavailable(f"{file.path}: {_short(error)}") from error
        _check(out / file.path, file, stated[file.path])
    shutil.rmtree(out / ".cache", ignore_errors=True)
    progress(what, total + 1, total + 1)
    return {"repo": hub.repo, "revision": hub.revision}


def _counter(arrived: Callable[[int], None]) -> type:
    """A progress bar, as the hub's library wants one, that shows nothing and hands on how many bytes came."""
    bar = importlib.import_module("tqdm").tqdm

    def start(self: Any, *args: Any, **options: Any) -> None:
        bar.__init__(self, *args, **(options | {"disable": True}))

    def update(self: Any, n: float = 1) -> None:
        arrived(int(n))

    return type("Counter", (bar,), {"__init__": start, "update": update})


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def refusal() -> str | None:
    """Why there is no use in asking the hub, from what is set and known; None where it may answer."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE:
        return "HF_HUB_OFFLINE is set"
    if importlib.util.find_spec("huggingface_hub") is None:
        return "huggingface_hub is not installed (pip install 'unsway[hub]')"
    return _unreachable.get(_endpoint())


def listing(hub: Hub) -> dict[str, Any]:
    """The files of the commit with the sums that the hub states, by path. Raises `AssetUnavailable`."""
    known = refusal()
    if known:
        raise AssetUnavailable(known)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    endpoint = _endpoint()
    try:
        info = HfApi(endpoint=endpoint).repo_info(
            hub.repo, revision=hub.revision, repo_type=hub.repo_type, timeout=TIMEOUT, files_metadata=True
        )
    except HfHubHTTPError as error:  # it answered, and said no: other repositories may still be had
        raise AssetUnavailable(_short(error)) from error
    except (OSError, _http_errors()) as error:
        _unreachable[endpoint] = f"{endpoint} does not answer ({_short(error)})"
        raise AssetUnavailable(_unreachable[endpoint]) from error
    stated = {sibling.rfilename: sibling for sibling in getattr(info, "siblings", None) or ()}
    missing = [file.path for file in hub.files if file.path not in stated]
    if missing:
        raise AssetUnavailable(f"the commit has no {', '.join(missing)}")
    return stated


def _http_errors() -> type[Exception]:
    """The root of what the hub's HTTP client raises; the client has changed between versions of huggingface_hub."""
    from huggingface_hub import errors

    root: type[Exception] = vars(errors)["HTTPError"]
    return root


def _check(path: Path, file: HubFile, stated: Any) -> None:
    """Compare a file with its pinned sum, else with the hub's own (sha256 for large files, git's sha1 for small)."""
    wanted = file.sha256 or (stated.lfs.sha256 if stated.lfs else None)
    found = sha256_file(path)
    if wanted is None:
        wanted, found = stated.blob_id, _git_blob(path)
    if found != wanted:
        raise ChecksumMismatch(f"{file.path}: the sum is {found}, must be {wanted}. Nothing was kept.")


def _git_blob(path: Path) -> str:
    """Git's name of a file's content: the sha1 that the hub states for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
