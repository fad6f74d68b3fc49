"""Unpacks only the wanted members of a pinned zip or tar archive.

In: a checked file. Out: its wanted members in a folder. Refuses paths that leave the folder, links, duplicates, and more
bytes than stated.
"""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from unsway.assets.origins import Archive
from unsway.errors import AssetUnavailable


class Member(NamedTuple):
    """One entry of an archive."""

    name: str
    """Its path in the archive."""
    size: int
    """Its unpacked size, in bytes."""
    is_file: bool
    """Whether it is a regular file: neither a folder nor a link."""
    is_link: bool
    """Whether it is a link of any kind."""
    open: Callable[[], IO[bytes]]
    """Opens its content."""


def unpack(archive: Archive, path: Path, into: Path) -> None:
    """Unpack the wanted members of an archive into a folder.

    Raises:
        AssetUnavailable: The archive is damaged, a member would leave the folder or is a link, the total is larger than
            stated, or a wanted member is missing.
    """
    into.mkdir(parents=True, exist_ok=True)
    is_tar = archive.filename.endswith((".tar.gz", ".tgz"))
    names: set[str] = set()
    size = 0
    try:
        with contextlib.closing(_members(path, is_tar)) as entries:
            for member in entries:
                name = member.name
                pure_path = PurePosixPath(name)
                if pure_path.is_absolute() or ".." in pure_path.parts or "\\" in name or ":" in name or "\0" in name:
                    raise AssetUnavailable(f"{archive.filename} holds {name!r}, a path outside its folder: refused.")
                if not any(_is_in(name, member_path) for member_path in archive.members):
                    continue
                if member.is_link:
                    raise AssetUnavailable(f"{archive.filename} holds {name!r} as a link: refused.")
                if not member.is_file:
                    continue
                size += member.size
                if size > archive.unpacked:
                    raise AssetUnavailable(
                        f"{archive.filename} unpacks to more than the {archive.unpacked} bytes stated: refused."
                    )
                if name in names:
                    raise AssetUnavailable(f"{archive.filename} holds {name!r} twice: refused.")
                names.add(name)
                target = into / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with member.open() as source, target.open("xb") as sink:
                    shutil.copyfileobj(source, sink)
    except AssetUnavailable:
        raise
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise AssetUnavailable(f"{archive.filename} could not be unpacked: {error}") from error
    for member_path in archive.members:
        if not any(_is_in(name, member_path) for name in names):
            raise AssetUnavailable(f"{archive.filename} does not hold {member_path!r}, which is needed.")


def _is_in(name: str, member_path: str) -> bool:
    """Whether a path is a wanted one, or inside a wanted folder."""
    return name == member_path or (member_path.endswith("/") and name.startswith(member_path))


def _members(path: Path, is_tar: bool) -> Generator[Member, None, None]:
    """The entries of an archive, in its order."""
    if is_tar:
        with tarfile.open(path, "r|gz") as tar:
            for info in tar:
                open_member = cast("Callable[[], IO[bytes]]", partial(tar.extractfile, info))  # None only for folders
                yield Member(info.name, info.size, info.isfile(), info.issym() or info.islnk(), open_member)
    else:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                is_link = (entry.external_attr >> 28) == 0xA
                yield Member(entry.filename, entry.file_size, not entry.is_dir(), is_link, partial(archive.open, entry))
