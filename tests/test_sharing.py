"""Two on one folder: the work is shared, nothing is asked twice, nothing is lost; and a budget that is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.forking import Forked
from unsway.errors import BadInput, BudgetReached, StoreError
from unsway.judging.items import LabelItem
from unsway.judging.label_store import LabelStore
from unsway.pairing import pairs
from unsway.planning.budget import Budget
from unsway.planning.prices import Price
from unsway.sampling import run
from unsway.sampling.claims import claims
from unsway.sampling.until import Precision, keep_precisions, kept_precisions
from unsway.sharing import network_filesystem, shared
from unsway.store import ReplyStore, read_jsonl
from unsway.studies import folder
from unsway.studies.folder import kept_tests, kept_verdicts
from unsway.studies.interrogating import keep_tests
from unsway.studies.judging import keep_verdicts
from unsway.testing import scripted, toy_questions
from unsway.types import ArmKey, Estimate, Part, Prompt, Settings, ThoughtTest, Turn, Verdict
from unsway.types.address import Address

ASK = """
import sys
from pathlib import Path
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.testing import scripted, toy_questions
asked = pairs(toy_questions(int(sys.argv[2])), ["post_hoc", "suggested_answer"])
model = scripted(asked, follow={"post_hoc": 0.5}, seconds=float(sys.argv[3]))
generate = model.api.generate
spoken = Path(sys.argv[1]) / f"spoken-{sys.argv[4]}.txt"
async def noted(*args, **kwargs):
    with spoken.open("a") as file:
        file.write("x\\n")
    return await generate(*args, **kwargs)
model.api.generate = noted
print("ready", flush=True)
replies = run(asked, model, folder=sys.argv[1])
print(len(replies), flush=True)
"""


def start(folder: Path, n: int, seconds: float, name: str) -> Forked:
    return Forked(ASK, str(folder), str(n), str(seconds), name, out=folder / f"said-{name}")


def spoken(folder: Path) -> list[int]:
    return [len(path.read_text().splitlines()) for path in sorted(folder.glob("spoken-*.txt"))]


def test_two_processes_share_the_work_and_ask_nothing_twice(tmp_path: Path) -> None:
    both = [start(tmp_path, 20, 0.05, name) for name in ("one", "two")]
    found = [process.communicate(timeout=90)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert found == [["ready", "60"], ["ready", "60"]]
    rows = (tmp_path / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 60 and len({json.loads(row)["prompt_id"] for row in rows}) == 60
    assert sum(spoken(tmp_path)) == 60


def test_what_a_killed_process_was_asking_is_taken_over(tmp_path: Path) -> None:
    first = start(tmp_path, 20, 1.0, "one")
    while not (tmp_path / "spoken-one.txt").exists():
        time.sleep(0.05)
    second = start(tmp_path, 20, 0.01, "two")
    time.sleep(0.3)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=90)
    assert second.communicate(timeout=90)[0].split() == ["ready", "60"]
    assert len(ReplyStore(tmp_path / "replies.jsonl")) == 60


def test_claims_keep_threads_of_one_process_apart_and_end_with_their_context(tmp_path: Path) -> None:
    asked = Address("p", "m", "", Settings(), 0)
    with claims(tmp_path / "replies.jsonl") as one, claims(tmp_path / "replies.jsonl") as other:
        assert one.take(asked) and not other.take(asked)
        one.release(asked)
        assert other.take(asked)
    with claims(tmp_path / "replies.jsonl") as third:
        third.release(asked)
        assert third.take(asked)


# ---------------------------------------------------------------- budget


def test_a_budget_stops_before_it_is_passed_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    asked = pairs(toy_questions(40), ["post_hoc"])
    model = scripted(asked, follow={})
    table = {"scripted/model": Price("scripted/model", 10.0, 100.0, "2026-01")}
    settings = Settings(max_tokens=50)
    with pytest.raises(BudgetReached, match=r"limit of \$0.05"):
        run(asked, model, folder=tmp_path, settings=settings, budget=Budget(0.05, table))
    kept = list(ReplyStore(tmp_path / "replies.jsonl"))
    spent = sum(table["scripted/model"].of(reply.tokens_in, reply.tokens_out) for reply in kept)
    assert 5 < len(kept) < 80 and 0.03 < spent <= 0.05
    with pytest.raises(BudgetReached):
        run(asked, model, folder=tmp_path, settings=settings, budget=Budget(0.05, table))
    purse = Budget(1.0, table)
    assert len(run(asked, model, folder=tmp_path, settings=settings, budget=purse)) == 80
    assert purse.set_aside == pytest.approx(0) and spent < purse.spent < 1.0


def test_a_budget_counts_what_another_process_keeps_meanwhile(tmp_path: Path) -> None:
    asked = pairs(toy_questions(40), ["post_hoc"])
    model, settings = scripted(asked, follow={}), Settings(max_tokens=50)
    others = run(asked, model, folder=tmp_path / "elsewhere", settings=settings)[40:]
    table = {"scripted/model": Price("scripted/model", 10.0, 100.0, "2026-01")}
    theirs = sum(table["scripted/model"].of(reply.tokens_in, reply.tokens_out) for reply in others)
    generate, calls = model.api.generate, []

    async def beside_another(*args: Any, **kwargs: Any) -> Any:
        """The first call takes as long as another process takes for most of the rest."""
        calls.append(1)
        for reply in others:
            ReplyStore(tmp_path / "replies.jsonl").add(reply)
        return await generate(*args, **kwargs)

    model.api.generate = beside_another  # type: ignore[method-assign]
    with pytest.raises(BudgetReached, match=r"over the limit of .* is spent, so \d+ more prompts were not asked"):
        run(asked, model, folder=tmp_path, settings=settings, budget=Budget(theirs + 0.007, table))
    assert len(calls) < 20, "no more than were in flight before the other one was done"


def test_a_budget_without_a_price_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    asked = pairs(toy_questions(2), ["post_hoc"])
    with pytest.raises(BadInput, match="price of 'scripted/model' is not known"):
        run(asked, scripted(asked, follow={}), folder=tmp_path, budget=Budget(1.0))
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- network filesystems


def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> Path:
    """A folder that the table of mounts of this machine, which psutil reads, says is of that kind."""
    table = tmp_path / "proc" / "self" / "mounts"
    table.parent.mkdir(parents=True)
    folder = tmp_path / "far" / "runs"
    folder.mkdir(parents=True)
    for own in (str(os.getpid()), "stat"):  # what else psutil reads is as it is
        (tmp_path / "proc" / own).symlink_to(f"/proc/{own}")
    table.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/export {folder.parent} {kind} rw,relatime 0 0\n")
    monkeypatch.setattr("psutil.PROCFS_PATH", str(tmp_path / "proc"))
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a table of mounts on Linux")
@pytest.mark.parametrize(
    ("kind", "is_network"),
    [
        ("nfs4", True),
        ("lustre", True),
        ("fuse.sshfs", True),
        ("cifs", True),
        ("9p", True),
        ("fuse.drive", True),  # a drive in a notebook of Colab; as any FUSE that is not known to be local
        ("fuse.mergerfs", False),
        ("xfs", False),
        ("fuseblk", False),
    ],
)
def test_a_network_filesystem_is_known_by_its_mount(
    kind: str, is_network: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mounted(monkeypatch, tmp_path, kind)
    assert network_filesystem(folder / "not made yet") == (kind if is_network else None)
    assert network_filesystem(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads a table of mounts on Linux")
def test_on_a_network_filesystem_one_process_works_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = mounted(monkeypatch, tmp_path, "nfs4")
    there = folder / ".shared-0123456789abcdef"
    there.write_text("a run of one\nanother-machine (process 7)")  # whose lock is not seen here
    asked = pairs(toy_questions(2), ["post_hoc"])
    model = scripted(asked, follow={})
    with pytest.raises(
        StoreError, match=r"\(nfs4\), where one process at a time .* on another-machine .*remove '\.shared-0"
    ):
        run(asked, model, folder=folder)
    assert there.exists() and not (folder / "replies.jsonl").read_text()  # nothing was asked, nothing of theirs is gone

    there.unlink()
    assert len(run(asked, model, folder=folder)) == 4
    assert any("network filesystem (nfs4): one process at a time" in message for message in caplog.messages)
    assert not list(folder.glob(".shared-*"))  # it left, so the next one may come

    code = "import pathlib, sys; from unsway.sharing import shared\nwith shared(pathlib.Path(sys.argv[1]), 'a run'): input()"
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, text=True) as neighbour:
        while not list(folder.glob(".shared-*[0-9a-f]")) or not next(folder.glob(".shared-*[0-9a-f]")).read_text():
            time.sleep(0.02)
        with pytest.raises(StoreError, match=f"process {neighbour.pid}"), shared(folder, "a run"):
            pass
        neighbour.kill()
    with shared(folder, "a run"), shared(folder, "asking"):  # what it left is gone; threads of one process share
        pass


def test_what_two_add_to_one_file_at_the_same_time_is_all_kept(tmp_path: Path) -> None:
    """Verdicts, tests of reasoning, stopped cells, drawn labels: each is read, added to and written under a lock."""
    labels = LabelStore(tmp_path)
    answer = Estimate("brr_anytime", 0.1, 0.0, 0.2, 0.95, 10, 10, 0, "")
    asked, arm = Prompt((Turn("user", (Part("stem", "Which?"),)),)), ArmKey("m")

    def add(who: str) -> None:
        keep_verdicts(tmp_path, [Verdict("r", "answer", "mentions_cue@1", who, True)])
        keep_tests(tmp_path, [ThoughtTest("r", arm, who, "biased", 0, "early", "quoted", None, None, None)])
        keep_precisions(tmp_path, [Precision(who, "post_hoc@1", answer, True, 1, 1)])
        labels.add_items([LabelItem(asked, (), who, "", "(A)", "q", "post_hoc", "base", "m")], which="all")

    with ThreadPoolExecutor(8) as pool:
        added = [pool.submit(add, f"judge {i}") for i in range(8)]
    assert [one.exception() for one in added] == [None] * 8
    kept = kept_verdicts(tmp_path), kept_tests(tmp_path), kept_precisions(tmp_path), labels.items()
    assert [len(each) for each in kept] == [8] * 4


def test_pairs_are_read_whole_while_more_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pairs(toy_questions(4), ["post_hoc"])
    folder.write_pairs(tmp_path, made.pairs[:2])

    def read(path: Path, kind: Any) -> Any:
        yield from read_jsonl(path, kind)
        folder.write_pairs(tmp_path, made.pairs)  # by another process, between the files that belong together

    monkeypatch.setattr(folder, "read_jsonl", read)
    assert folder.pairs_of(tmp_path) == made.pairs[:2]
    assert folder.pairs_of(tmp_path) == made.pairs
