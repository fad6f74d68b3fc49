"""The short form of `make faults`: some kills, some bad disks; and what files rest on, one by one."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import killed
from tests.forking import Forked
from unsway import disk
from unsway.errors import StoreError
from unsway.sharing import shared

ROOT = Path(__file__).parent.parent


def faults(module: str, *words: str, out: Path) -> str:
    """What a module of `make faults` prints; it must lose nothing."""
    code = f"import os, runpy\nos.chdir({str(ROOT)!r})\nrunpy.run_module('tests.faults.{module}', run_name='__main__')"
    with Forked(code, *words, out=out) as process:
        said, errors = process.communicate(timeout=600)
    assert process.returncode == 0, said + errors
    return said


@pytest.mark.timeout(600)
def test_a_disk_that_is_full_or_fills_up_while_replies_are_on_their_way_loses_nothing(tmp_path: Path) -> None:
    words = ["measure", "plan", "--class", "full disk, 0 kB", "--class", "midway"]
    said = faults("bad_disk", *words, out=tmp_path / "said.txt")
    assert said.count("2 tried, 2 survived, 0 lost") == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_twice_a_measurement_ends_as_if_it_was_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert killed.kill_all(tmp_path, {"measure": 2}) == 0
    assert "killed, measure: 2 tried, 2 survived, 0 lost" in capsys.readouterr().out


# ---------------------------------------------------------------- files

WRITES = """
import os, sys, time
from pathlib import Path
from unsway.disk import partial_file
with partial_file(Path(sys.argv[1])) as path:
    print(path, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        left = Path(writer.stdout.readline().strip())
        disk.write_text(tmp_path / "one", "1")
        assert left.exists()
        os.kill(writer.pid, signal.SIGKILL)
    assert left.exists()
    disk.write_text(tmp_path / "two", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_row_that_does_not_fit_leaves_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    disk.append_row(path, '{"a": 1}')
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 3, limits[1]))
    try:
        with pytest.raises(StoreError, match=r"rows\.jsonl.*make room and run the same again"):
            disk.append_row(path, '{"a": 2}')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    path.write_bytes(before + b'{"a": 3')  # as a kill leaves it
    assert disk.whole_rows(path) == [b'{"a": 1}']
    disk.append_row(path, '{"a": 4}')
    assert disk.whole_rows(path) == [b'{"a": 1}', b'{"a": 4}']


def test_one_is_alone_in_a_folder(tmp_path: Path) -> None:
    second = disk.exclusive(tmp_path, waiting="another one writes", wait=False)
    with disk.exclusive(tmp_path), pytest.raises(StoreError, match="is in use: another one writes"), second:
        pass
    with disk.exclusive(tmp_path, waiting="another one writes", wait=False):
        pass


def test_one_thing_may_be_shared_and_another_is_refused(tmp_path: Path) -> None:
    one, again, other = (shared(tmp_path, f"a run of {what}") for what in ("one", "one", "another"))
    with (
        one,
        again,
        pytest.raises(StoreError, match="a run of one is going on there, and this is a run of another"),
        other,
    ):
        pass
    with shared(tmp_path, "a run of another"):
        pass


def test_room_is_set_aside_or_refused(tmp_path: Path) -> None:
    from unsway.sampling.disk_reservation import disk_reservation
    from unsway.types import Settings

    with disk_reservation(tmp_path, 10, Settings(max_tokens=100), 1) as spare:
        (held,) = tmp_path.iterdir()
        assert held.stat().st_size == 10 * (2000 + 8 * 100) and held.stat().st_blocks * 512 >= 28_000
        with held.open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        spare.release()
        assert held.stat().st_blocks == 0  # while it is open
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StoreError, match="make room"), disk_reservation(tmp_path, 10, Settings(), 1):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


# a row of replies has 450 bytes, of the log 3,000
LITTLE_ROOM = """
import logging, resource, sys
from pathlib import Path
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.sources import load
from unsway.testing import scripted
from unsway.types import Settings
logging.getLogger("unsway").addHandler(logging.StreamHandler())
asked = pairs(load("procedural/dates", 15), ["post_hoc"], elicit="direct")
model = scripted(asked, {}, seconds=0.05)
model.api.max_connections = lambda: 5
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
print(len(run(asked, model, settings=Settings(max_tokens=50), folder=Path(sys.argv[1]))), "received")
"""


def test_a_disk_that_takes_no_log_of_inspect_loses_no_call_in_flight(tmp_path: Path) -> None:
    with Forked(LITTLE_ROOM, str(tmp_path / "study"), out=tmp_path / "said") as process:
        said, errors = process.communicate(timeout=100)
    assert "30 received" in said, errors
    assert len((tmp_path / "study" / "replies.jsonl").read_bytes().splitlines()) == 30
    assert "Inspect's log is not whole" in errors
