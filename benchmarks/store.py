"""Which engine should store replies: one JSONL file (ours), SQLite in WAL mode, DuckDB if installed, or Inspect's cache?

    python benchmarks/store.py --rows 54000

Each engine does the same in one run: adds replies one by one (each handed to the operating system before the next), opens
again and finds what is missing, reads everything, and takes two writers at once. Prints seconds, and ratios to ours.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from unsway.store import ReplyStore, dumps, loads
from unsway.types import Reply, Settings
from unsway.types.address import Address

TEXT = "I went through the options one by one and weighed what each of them would mean for the question. " * 12


def reply(i: int) -> Reply:
    text = f"{TEXT} Therefore, the best answer is: ({'ABCD'[i % 4]})."
    return Reply(f"{i:016x}", "openai/gpt-4o-mini", "", 0, text, None, (), "end", Settings(), 210, 330)


class Engine(Protocol):
    """What each engine is asked to do."""

    def add(self, reply: Reply) -> None: ...
    def has(self, address: Address) -> bool: ...
    def every(self) -> Iterator[Reply]: ...


class Jsonl:
    """Ours: an append-only file with an index of addresses in memory."""

    def __init__(self, folder: Path) -> None:
        self.store = ReplyStore(folder / "replies.jsonl")

    def add(self, reply: Reply) -> None:
        self.store.add(reply)

    def has(self, address: Address) -> bool:
        return address in self.store

    def every(self) -> Iterator[Reply]:
        return iter(self.store)


class Sqlite:
    """SQLite in WAL mode: one row a reply, its address the primary key, one transaction each."""

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / "replies.db", isolation_level=None, timeout=60)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("CREATE TABLE IF NOT EXISTS replies (key BLOB PRIMARY KEY, row TEXT) WITHOUT ROWID")

    def add(self, reply: Reply) -> None:
        self.db.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", (Address.of(reply).key(), dumps(reply)))

    def has(self, address: Address) -> bool:
        return self.db.execute("SELECT 1 FROM replies WHERE key = ?", (address.key(),)).fetchone() is not None

    def every(self) -> Iterator[Reply]:
        return (loads(Reply, row) for (row,) in self.db.execute("SELECT row FROM replies"))


class InspectCache:
    """Inspect's own cache, one file an entry, through `Model.generate`, which is its only public door."""

    def __init__(self, folder: Path) -> None:
        os.environ["INSPECT_CACHE_DIR"] = str(folder)
        from inspect_ai.model import CachePolicy, ModelAPI, ModelOutput, get_model, modelapi

        class Parrot(ModelAPI):
            async def generate(self, input: object, **rest: object) -> ModelOutput:  # type: ignore[override]
                self.asked = True
                return ModelOutput.from_content(self.model_name, reply(0).text)

            async def count_text_tokens(self, text: str) -> int:
                return len(text) // 4

        modelapi(name="parrot")(Parrot)
        self.model = get_model("parrot/model", memoize=False)
        self.policy = CachePolicy(expiry=None, scopes={"weights": "none"})

    def _generate(self, prompt_id: str) -> bool:
        """Ask once; returns whether the cache had it."""
        import anyio

        self.model.api.asked = False  # type: ignore[attr-defined]

        async def ask() -> None:
            await self.model.generate(prompt_id, cache=self.policy)

        anyio.run(ask)
        return not self.model.api.asked  # type: ignore[attr-defined]

    def add(self, reply: Reply) -> None:
        self._generate(reply.prompt_id)

    def has(self, address: Address) -> bool:
        return self._generate(address.prompt_id)

    def every(self) -> Iterator[Reply]:
        for i in range(ROWS):
            self._generate(f"{i:016x}")
            yield reply(i)


ROWS = 0
ENGINES: dict[str, Callable[[Path], Engine]] = {
    "jsonl (ours)": Jsonl,
    "sqlite (WAL)": Sqlite,
    "inspect cache": InspectCache,
}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def writer(name: str, folder: str, start: int, rows: int) -> None:
    engine = ENGINES[name](Path(folder))
    for i in range(start, start + rows):
        engine.add(reply(i))


def two_writers(name: str, folder: Path, rows: int) -> None:
    """Two processes that each add half of the rows, a tenth of which both have."""
    writer(name, str(folder), 0, 0)  # SQLite cannot be switched to WAL by two at once
    context = multiprocessing.get_context("fork")
    starts = (0, rows // 2 - rows // 20)
    processes = [
        context.Process(target=writer, args=(name, str(folder), start, rows // 2 + rows // 20)) for start in starts
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def bench(name: str, rows: int) -> dict[str, float]:
    """Seconds of each job."""
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as writers_folder:
        engine = ENGINES[name](Path(folder))

        def add_each() -> None:
            for i in range(rows):
                engine.add(reply(i))

        times["add one by one"] = seconds(add_each)
        addresses = [Address.of(reply(i)) for i in range(rows)]

        def open_and_find() -> None:
            reopened = ENGINES[name](Path(folder))
            assert all(reopened.has(address) for address in addresses)

        times["open, find all"] = seconds(open_and_find)
        reader = ENGINES[name](Path(folder))
        times["read all"] = seconds(lambda: sum(1 for _ in reader.every()))
        times["two writers"] = seconds(lambda: two_writers(name, Path(writers_folder), rows))
        if name != "inspect cache":
            last = ENGINES[name](Path(writers_folder))
            assert len({stored.prompt_id for stored in last.every()}) == rows
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return times | {"MB on disk": size / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    global ROWS
    ROWS = args.rows
    runs = {name: [bench(name, args.rows) for _ in range(args.repeats)] for name in ENGINES}
    jobs = list(runs["jsonl (ours)"][0])
    medians = {
        name: {job: statistics.median(run[job] for run in engine_runs) for job in jobs}
        for name, engine_runs in runs.items()
    }
    print(
        f"{args.rows:,} replies of {len(dumps(reply(0))):,} bytes, median of {args.repeats} (lowest–highest), seconds"
    )
    for job in jobs:
        print(f"\n{job}")
        for name in ENGINES:
            values = [run[job] for run in runs[name]]
            ratio = medians[name][job] / medians["jsonl (ours)"][job]
            print(f"  {name:14} {medians[name][job]:8.2f} ({min(values):.2f}–{max(values):.2f})   {ratio:5.2f} × ours")


if __name__ == "__main__":
    main()
