"""The owner of a folder and its workers, as plain objects: replies, leases, money, files; no cluster."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unsway import layout
from unsway.disk import write_text
from unsway.errors import BadInput, BudgetReached, StoreError
from unsway.models.weights import read_checkpoint
from unsway.pairing import pairs
from unsway.planning.budget import Budget
from unsway.planning.prices import Price
from unsway.sampling import run
from unsway.sampling.heartbeat import heartbeat, own_start, running
from unsway.sampling.owner import Owner
from unsway.sampling.remote import WORKER, Call, RemoteBudget, link
from unsway.store import ReplyStore, dumps, replies_in
from unsway.studies.arms import Arm
from unsway.studies.folder import arms_of, note_arm
from unsway.studies.whereabouts import describe_places, places
from unsway.studies.workers import StudyOwner
from unsway.testing import scripted, toy_questions
from unsway.types import Checkpoint, Reply, Settings
from unsway.types.address import Address


def one_at_a_time(owner: Owner) -> Call:
    """Calls as an actor takes them."""
    lock = threading.Lock()

    def call(method: str, *args: Any) -> Any:
        with lock:
            return getattr(owner, method)(*args)

    return call


def reply(i: int, text: str = "(A)") -> Reply:
    return Reply(f"{i:016x}", "priced/model", "", 0, text, None, (), "end", Settings(), 100, 8)


def key(i: int) -> bytes:
    return Address.of(reply(i)).key()


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "real", lease=0.2)


def test_what_a_worker_asks_lands_in_the_real_folder_and_is_not_asked_again(owner: Owner, tmp_path: Path) -> None:
    asked = pairs(toy_questions(30), ["post_hoc", "suggested_answer"])
    model = scripted(asked, follow={"post_hoc": 0.5})
    call = one_at_a_time(owner)
    with link(tmp_path / "a", call):
        first = run(asked, model, folder=tmp_path / "a")
    assert len(first) == 90 and set(replies_in(owner.folder / layout.REPLIES)) == set(first)
    model.api.lines = {}
    with link(tmp_path / "b", call):
        again = run(asked, model, folder=tmp_path / "b")
    assert again == first and not (tmp_path / "b" / layout.REPLIES).read_bytes()
    assert (owner.folder / layout.PAST).exists() and [*(owner.folder / layout.LOGS).iterdir()]


def test_a_run_that_is_stopped_ends_at_once_whatever_its_replies_take(owner: Owner, tmp_path: Path) -> None:
    asked = pairs(toy_questions(5), ["post_hoc"])
    with link(tmp_path / "a", one_at_a_time(owner), lease=1.0):
        run(asked, scripted(asked, {}), folder=tmp_path / "a", samples=1)
        threading.Timer(0.3, owner.stop).start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            run(asked, scripted(asked, {}, seconds=60.0), folder=tmp_path / "a", samples=2)
        assert time.monotonic() - start < 20
    assert len(ReplyStore(owner.folder / layout.REPLIES)) == 10


def test_an_address_is_leased_to_one_worker(owner: Owner) -> None:
    states = owner.take("a", [key(i) for i in range(10)]) + owner.take("b", [key(i) for i in range(5, 15)])
    assert states == ["yours"] * 10 + ["busy"] * 5 + ["yours"] * 5


def test_a_dead_workers_leases_end_and_the_first_reply_counts(owner: Owner) -> None:
    assert owner.take("a", [key(1)]) == ["yours"]
    assert owner.take("b", [key(1)]) == ["busy"]
    time.sleep(0.25)
    assert owner.take("b", [key(1)]) == ["yours"]
    owner.add("b", [dumps(reply(1)).encode()])
    owner.add("b", [dumps(reply(1)).encode()])  # sent again, because the answer was lost
    assert owner.duplicates() == 0
    owner.add("a", [dumps(reply(1, "(B)")).encode()])
    assert owner.duplicates() == 1
    assert [one.text for one in ReplyStore(owner.store.path)] == ["(A)"]
    assert owner.take("a", [key(1)]) == ["kept"]


def test_what_a_killed_worker_was_asking_is_free_once_its_machine_takes_up_the_work(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "real", lease=60.0)
    call, place = one_at_a_time(owner), tmp_path / "a"
    with link(place, call, lease=60.0) as to:
        assert to.call("take", "killed", [key(1), key(2)]) == ["yours", "yours"]
        assert to.call("take", to.who, [key(1)]) == ["busy"]
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True)
    write_text(place / layout.RUNNING / WORKER, f"killed {gone.stdout.decode()}")
    write_text(place / layout.RUNNING / "1-0.json", "what it said of itself")
    with link(place, call, lease=60.0) as to:
        assert to.call("take", to.who, [key(1)]) == ["yours"]
        to.renew()


def test_an_owner_that_starts_again_learns_from_renewals(owner: Owner) -> None:
    owner.add("a", [dumps(reply(1)).encode()])
    owner.take("a", [key(2)])
    again = Owner(owner.folder, lease=5.0)
    again.renew("a", [key(2)], 0.5, {})
    assert again.take("b", [key(1), key(2), key(3)]) == ["kept", "busy", "yours"]
    assert again.workers["a"].dollars == 0.5


def test_rows_that_a_killed_worker_left_are_sent_by_the_next(owner: Owner, tmp_path: Path) -> None:
    ReplyStore(tmp_path / "a" / layout.REPLIES).add(reply(7))
    with link(tmp_path / "a", one_at_a_time(owner)):
        pass
    assert [one.prompt_id for one in replies_in(owner.store.path)] == [reply(7).prompt_id]


def test_a_full_disk_of_the_owner_is_said_and_the_spool_keeps_the_reply(owner: Owner, tmp_path: Path) -> None:
    def full(method: str, *args: Any) -> Any:
        if method == "add":
            raise StoreError("the disk is full")
        return getattr(owner, method)(*args)

    with pytest.raises(StoreError, match="disk is full"), link(tmp_path / "a", full) as to:
        to.store.add(reply(1))
        to.store.send()
        with pytest.raises(StoreError, match="disk is full"):
            to.store.add(reply(2))
    assert len([*replies_in(tmp_path / "a" / layout.REPLIES)]) == 2
    with link(tmp_path / "a", one_at_a_time(owner)):
        pass
    assert len([*replies_in(owner.store.path)]) == 2


TABLE = {"scripted/model": Price("scripted/model", 1000.0, 1000.0, "2026-11")}


@contextmanager
def spending(folder: Path, call: Call) -> Iterator[RemoteBudget]:
    with link(folder, call) as to:
        yield RemoteBudget.of(to, TABLE)


def test_workers_together_keep_the_limit(tmp_path: Path) -> None:
    asked = pairs(toy_questions(40), ["post_hoc"])
    limit = 3.0
    owner = Owner(tmp_path / "real", Budget(limit, TABLE), lease=5.0)
    call, short = one_at_a_time(owner), Settings(max_tokens=30)
    n = []
    for name, part in (("a", asked.pairs[:10]), ("b", asked.pairs[10:])):
        with spending(tmp_path / name, call) as budget:
            try:
                run(part, scripted(asked, follow={}), folder=tmp_path / name, budget=budget, settings=short)
            except BudgetReached:
                n.append(name)
    assert n == ["b"]
    kept = Budget(limit, TABLE)
    kept.count(replies_in(owner.store.path))
    assert 0.8 * limit < kept.spent <= limit
    assert owner.budget is not None and owner.budget.spent == pytest.approx(kept.spent)


def test_prompts_for_which_no_money_is_left_are_refused_at_once(tmp_path: Path) -> None:
    asked, lent = pairs(toy_questions(40), ["post_hoc"]), []
    owner = Owner(tmp_path / "real", Budget(0.1, TABLE), lease=5.0)
    whole = one_at_a_time(owner)

    def call(method: str, *args: Any) -> Any:
        lent.extend([args] if method == "lend" else [])
        return whole(method, *args)

    with spending(tmp_path / "a", call) as budget:
        assert not budget.may_grow(1.0) and not budget.may_grow(1.0), "nobody holds money that may come back"
        assert budget.may_grow(0.05), "a cheaper prompt may still be asked"
        lent.clear()
        with pytest.raises(BudgetReached, match=r"the limit of \$0\.1: \$0\.0000 is spent, and 80 more"):
            run(asked.pairs, scripted(asked, follow={}), folder=tmp_path / "a", budget=budget)
        assert len(lent) <= 3


def test_a_reply_on_its_way_to_the_owner_is_not_money_for_others(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "real", Budget(1.0, TABLE), lease=5.0)
    whole, may_send, cost = one_at_a_time(owner), threading.Event(), TABLE["scripted/model"].of(100, 8)

    def call(method: str, *args: Any) -> Any:
        may_send.wait(60 if method == "add" else 0)
        return whole(method, *args)

    with link(tmp_path / "a", call) as to:
        budget = RemoteBudget.of(to, TABLE)
        assert budget.may_grow(0.9)
        to.store.add(replace(reply(1), model="scripted/model"))
        assert budget.add(replace(reply(1), model="scripted/model")) == cost
        to.renew()
        assert owner.workers[to.who].dollars == pytest.approx(budget.limit)
        may_send.set()
        to.store.send()
        to.renew()
        assert owner.workers[to.who].dollars == pytest.approx(budget.limit - cost)


def test_a_reply_whose_tokens_nobody_knows_is_no_free_one_wherever_it_is_counted(tmp_path: Path) -> None:
    """It cost 0 for what is asked here or by a worker, and an unknown sum when the folder was read again."""
    unmetered = replace(reply(1), model="scripted/model", tokens_in=0, tokens_out=0)
    asked, owned, read = (Budget(1.0, TABLE) for _ in range(3))
    asked.settle(0.0, unmetered)
    owner = Owner(tmp_path, owned, lease=5.0)
    owner.add("a", [dumps(unmetered).encode()])
    read.count([unmetered])
    assert asked.totals() == owned.totals() == read.totals() == (1.0, 0.0, 1)


def test_money_that_another_holds_may_come_back(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "real", Budget(1.0, TABLE), lease=5.0)
    assert owner.lend("a", 0.0, (0.9, 0.1)) == (0.9, False)
    assert owner.lend("b", 0.0, (0.9, 0.2)) == (0.0, True)
    owner.leave("a")
    assert owner.lend("b", 0.0, (float("inf"),)) == (1.0, False)


def test_a_worker_that_was_silent_may_be_slow_and_spend_what_it_was_lent(tmp_path: Path) -> None:
    owner, cost = Owner(tmp_path / "real", Budget(1.0, TABLE), lease=0.05), TABLE["scripted/model"].of(100, 8)
    assert owner.lend("slow", 0.0, (0.4,)) == (0.4, False) and owner.take("slow", [key(1)]) == ["yours"]
    time.sleep(0.1)
    assert owner.lend("b", 0.0, (float("inf"),)) == (pytest.approx(0.6), False)
    assert owner.lend("b", 0.0, (0.7, 0.6)) == (0.6, False), "nobody else is known to live who could return some"
    mine, theirs = (dumps(replace(reply(1, text), model="scripted/model")).encode() for text in ("(A)", "(B)"))
    owner.add("b", [mine])
    owner.add("slow", [theirs])
    assert owner.budget is not None and owner.budget.spent == pytest.approx(2 * cost), "both were paid for"
    assert owner.workers["slow"].dollars == pytest.approx(0.4 - cost)
    time.sleep(0.1)
    owner.lend("b", 0.0, (0.0,))
    owner.leave("slow")
    assert owner.lend("b", 0.0, (float("inf"),)) == (pytest.approx(1.0 - 2 * cost), False)


def test_heartbeats_of_workers_are_seen_where_the_folder_is(owner: Owner, tmp_path: Path) -> None:
    with (
        link(tmp_path / "a", one_at_a_time(owner), lease=0.2) as to,
        heartbeat(tmp_path / "a", "an arm", 10, 3, lambda steps: None),
    ):
        to.renew()
        (beat,) = running(owner.folder)
        assert (beat.what, beat.done, beat.total) == ("an arm", 3, 10)
    assert not running(owner.folder)


def test_arms_are_noted_by_the_owner_and_other_weights_are_refused(tmp_path: Path) -> None:
    owner = StudyOwner(tmp_path / "real")
    with link(tmp_path / "a", one_at_a_time(owner)):
        note_arm(tmp_path / "a", Arm("base", "unsway/a", "one", "base"), {"x": "y"})
        with pytest.raises(BadInput, match="weights one on one machine of this run and two on another"):
            note_arm(tmp_path / "a", Arm("base", "unsway/a", "two", "base"))
    assert [arm.label for arm in arms_of(owner.folder)] == ["base"]
    assert not (tmp_path / "a" / layout.ARMS).exists()


def test_a_checkpoint_is_noted_where_the_folder_keeps_it_and_its_cost_counts(tmp_path: Path) -> None:
    owner = StudyOwner(tmp_path / "real", Budget(10.0, TABLE))
    made = Checkpoint("there/x", "x", "openai", "x", "bct", "0" * 64, 1, 1, 2.5)
    with link(tmp_path / "a", one_at_a_time(owner)) as to:
        write_text(tmp_path / "a" / layout.TRAINED / "x" / "checkpoint.json", dumps(made))
        to.send_files()
        assert owner.budget is not None and owner.budget.trained == 2.5
        here = read_checkpoint(tmp_path / "a" / layout.TRAINED / "x")
        note_arm(
            tmp_path / "a", Arm("bct", "unsway/x", "w", "trained", replace(here, uri=str(tmp_path / "a/trained/x")))
        )
    (arm,) = arms_of(owner.folder)
    assert arm.checkpoint == read_checkpoint(owner.folder / layout.TRAINED / "x")


def test_files_go_and_come_and_none_leads_out_of_the_folder(owner: Owner, tmp_path: Path) -> None:
    owner.put("data/x/rows.jsonl", b"row\n")
    with link(tmp_path / "a", one_at_a_time(owner)) as to:
        to.pull("data/x")
        assert (tmp_path / "a/data/x/rows.jsonl").read_bytes() == b"row\n"
        (tmp_path / "a/data/x/rows.jsonl").write_bytes(b"row\nmore\n")
        (tmp_path / "a" / layout.FAILURES).write_text('{"n": 1}\n')
    assert (owner.folder / "data/x/rows.jsonl").read_bytes() == b"row\nmore\n"
    with link(tmp_path / "a", one_at_a_time(owner)):
        pass
    assert (owner.folder / layout.FAILURES).read_text() == '{"n": 1}\n', "a row that is there is not added again"
    with pytest.raises(StoreError, match="leads out of"):
        owner.put("../else", b"")
    with pytest.raises(StoreError, match="leads out of"):
        owner.append("../else.jsonl", [b"{}"])


def test_an_arm_is_lost_when_its_process_is_gone(tmp_path: Path) -> None:
    import os
    import socket

    rows = [("waiting", "", 0), ("asking", socket.gethostname(), 2**22 + 1)]
    for at, (state, host, pid) in enumerate(rows):
        row = {"arm": "a", "state": state, "host": host, "pid": pid, "gpus": "", "at": float(at)}
        with (tmp_path / layout.WHERE).open("a") as file:
            file.write(json.dumps(row) + "\n")
    (place,) = places(tmp_path)
    assert (place.state, place.n_lost) == ("lost", 1)
    row |= {"pid": os.getpid(), "at": 2.0, "started": 1.0}
    with (tmp_path / layout.WHERE).open("a") as file:
        file.write(json.dumps(row) + "\n")
    assert places(tmp_path)[0].state == "lost", "a later process has its number"
    row |= {"started": own_start()}
    with (tmp_path / layout.WHERE).open("a") as file:
        file.write(json.dumps(row) + "\n")
    (place,) = places(tmp_path)
    assert (place.state, place.n_lost) == ("asking", 1)
    assert describe_places([place]) == f"{socket.gethostname()}: a; 1 lost worker"
