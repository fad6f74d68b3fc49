"""Unpack the wanted members of a pinned zip or tar archive, and nothing else.

In: a checked file. Out: its wanted members in a folder. Refuses paths that leave the folder, links, doubles, and more
bytes than stated.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from unsway.errors import AssetUnavailable

if TYPE_CHECKING:
    from unsway.assets.pins import Archive


def unpack(archive: Archive, path: Path, into: Path) -> None:
    """Unpack what is wanted of an archive into a folder.

    Raises `AssetUnavailable` where the archive is damaged, a member would leave the folder or is a link, the whole is
    larger than stated, or a wanted member is missing.
    """
    into.mkdir(parents=True, exist_ok=True)
    sink = _Sink(archive, into)
    try:
        if archive.filename.endswith((".tar.gz", ".tgz")):
            _unpack_tar(path, sink)
        else:
            _unpack_zip(path, sink)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, AssetUnavailable):
            raise
        raise AssetUnavailable(f"{archive.filename} could not be unpacked: {error}") from error
    sink.check_complete()


def _unpack_zip(path: Path, sink: _Sink) -> None:
    with zipfile.ZipFile(path) as packed:
        for info in packed.infolist():
            link = (info.external_attr >> 28) == 0xA
            if sink.wants(info.filename, link) and not info.is_dir():
                with packed.open(info) as source:
                    sink.take(info.filename, source, info.file_size)


def _unpack_tar(path: Path, sink: _Sink) -> None:
    with tarfile.open(path, "r|gz") as packed:
        for member in packed:
            if sink.wants(member.name, member.issym() or member.islnk()) and member.isfile():
                source = packed.extractfile(member)
                if source is not None:
                    sink.take(member.name, source, member.size)


class _Sink:
    """The folder that members go to, with what has been taken."""

    def __init__(self, archive: Archive, into: Path) -> None:
        self.archive, self.into = archive, into
        self.taken: set[str] = set()
        self.size = 0

    def wants(self, name: str, link: bool) -> bool:
        """Whether a member is wanted; raises where its path is unsafe or a wanted one is a link."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
            raise AssetUnavailable(f"{self.archive.filename} holds {name!r}, a path outside its folder: refused.")
        wanted = any(name == m or (m.endswith("/") and name.startswith(m)) for m in self.archive.members)
        if wanted and link:
            raise AssetUnavailable(f"{self.archive.filename} holds {name!r} as a link: refused.")
        return wanted

    def take(self, name: str, source: IO[bytes], size: int) -> None:
        """Write one member."""
        self.size += size
        if self.size > self.archive.unpacked:
            raise AssetUnavailable(
                f"{self.archive.filename} unpacks to more than the {self.archive.unpacked} bytes stated: refused."
            )
        if name in self.taken:
            raise AssetUnavailable(f"{self.archive.filename} holds {name!r} twice: refused.")
        self.taken.add(name)
        target = self.into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as sink:
            shutil.copyfileobj(source, sink)

    def check_complete(self) -> None:
        """Raise where a wanted member was not there."""
        for member in self.archive.members:
            if not any(name == member or (member.endswith("/") and name.startswith(member)) for name in self.taken):
                raise AssetUnavailable(f"{self.archive.filename} does not hold {member!r}, which is needed.")
