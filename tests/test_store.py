"""Files: values round-trip, a torn row is cut off, a changed file no longer has its manifest, two writers lose nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forking import SERVER
from unsway import disk, store
from unsway.disk import staged
from unsway.errors import BadRow, StoreError
from unsway.pairing import pairs
from unsway.testing import toy_questions
from unsway.types import Estimate, Example, Pair, Question, Reply, Settings
from unsway.types.address import Address


def reply(i: int, text: str = "(A)") -> Reply:
    return Reply(f"p{i}", "m", "w", 0, text, None, (), "end", Settings(), 1, 1)


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_any_text_round_trips(text: str) -> None:
    value = reply(0, text)
    line = store.dumps(value)
    assert "\n" not in line
    assert store.loads(Reply, line) == value


def test_equal_settings_are_one_address_however_their_numbers_are_written() -> None:
    whole, written = Settings(temperature=1, top_p=1), Settings(temperature=1.0, top_p=1.0)
    back = store.loads(Settings, store.dumps(whole))
    assert whole == written == back
    assert len({Address("p", "m", "w", each, 0).key() for each in (whole, written, back)}) == 1


def test_replies_that_were_imported_before_rows_said_so_have_no_known_decoding() -> None:
    imported = replace(reply(0), weights="", tokens_in=0, tokens_out=0)
    asked = (replace(imported, asked_on="2026-11-28"), replace(imported, weights="w"), replace(imported, tokens_in=9))
    for value in (imported, *asked):
        line = store.dumps(value)
        earlier = line.replace(',"settings_known":true', "")
        assert earlier != line and store.loads(Reply, line) == value
        found = store.loads(Reply, earlier.encode())
        assert found == replace(value, settings_known=value in asked) == store.loads(Reply, earlier)


def test_every_type_round_trips() -> None:
    (pair,) = pairs(toy_questions(1), ["post_hoc"])
    assert store.loads(Pair, store.dumps(pair)) == pair
    example = Example(pair.clean, pair.biased, "b", pair.target, ("a",), "consistency", pair.id, "m", "c")
    assert store.loads(Example, store.dumps(example)) == example
    estimate = Estimate("brr", None, None, None, 0.95, 0, 0, 3, "refused", "too few")
    assert store.loads(Estimate, store.dumps(estimate)) == estimate


def test_a_bad_row_names_file_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    good = store.dumps(toy_questions(1)[0])
    bad = json.loads(good) | {"options": "not a list"}
    path.write_text(f"{good}\n{json.dumps(bad)}\n")
    with pytest.raises(BadRow, match=r"questions\.jsonl, line 2, field 'options'"):
        list(store.read_jsonl(path, Question))


def test_a_manifest_describes_the_file_that_it_was_made_for(tmp_path: Path) -> None:
    path = store.write_jsonl(tmp_path / "q.jsonl", toy_questions(3), seed=7)
    manifest = store.read_manifest(path)
    assert manifest is not None and (manifest["rows"], manifest["seed"]) == (3, 7)
    path.write_text(path.read_text().replace("plus", "minus"))
    assert store.read_manifest(path) is None


def test_a_torn_row_is_cut_off_and_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    first = store.ReplyStore(path)
    for i in range(3):
        first.add(reply(i))
    with path.open("ab") as file:
        file.write(store.dumps(reply(3)).encode()[:40])
    second = store.ReplyStore(path)
    assert len(second) == 3
    second.add(reply(4))
    assert [r.prompt_id for r in store.ReplyStore(path)] == ["p0", "p1", "p2", "p4"]


def test_a_damaged_row_is_an_error_not_a_silent_loss(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text('{"prompt_id": 1}\n')
    with pytest.raises(StoreError, match="not a reply"):
        store.ReplyStore(path)


def _write_many(path: Path, start: int) -> None:
    mine = store.ReplyStore(path)
    for i in range(start, start + 200):
        mine.add(reply(i))


def test_two_writers_lose_and_mix_nothing(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    writers = [SERVER.Process(target=_write_many, args=(path, start)) for start in (0, 200, 400)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert {r.prompt_id for r in store.ReplyStore(path)} == {f"p{i}" for i in range(600)}


KILLED = """
import sys
from pathlib import Path
from unsway.store import ReplyStore
from unsway.types import Reply, Settings
mine = ReplyStore(Path(sys.argv[1]))
print("ready", flush=True)
i = 0
while True:
    mine.add(Reply(f"p{i}", "m", "w", 0, "x" * 5000, None, (), "end", Settings(), 1, 1))
    i += 1
"""


def test_killed_while_writing_nothing_complete_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None and writer.stdout.readline()
            before = path.stat().st_size
            while path.stat().st_size < before + 200_000:
                time.sleep(0.01)
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        ids = [r.prompt_id for r in store.ReplyStore(path)]
        assert ids == [f"p{i}" for i in range(len(ids))] and len(ids) > 10


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match=r"Cannot write .* Name another folder"):
        store.ReplyStore(blocked / "replies.jsonl")


def test_whole_files_are_never_half_written(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    disk.write_text(path, "old")

    with pytest.raises(TypeError):
        disk.write_bytes(path, None)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_belong_together_come_together(tmp_path: Path) -> None:
    with suppress(RuntimeError), staged(tmp_path) as place:
        (place / "a").write_text("half of what bel")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with staged(tmp_path) as place:
        (place / "a").write_text("first")
        (place / "b").write_text("second")
        with staged(tmp_path) as other:  # whose left-overs would be swept are those of the dead alone
            (other / "c").write_text("third")
        assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".part-")] == ["c"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "first", "b": "second", "c": "third"}


def test_a_new_folder_comes_in_one_move_and_a_kill_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves, real, folder = list[object](), os.replace, tmp_path / "deep" / "new"
    monkeypatch.setattr(os, "replace", lambda old, new: moves.append(new) or real(old, new))
    with staged(folder) as place:
        (place / "a").touch()
        (place / "b").touch()
    assert moves == [folder] and sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_that_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / ".part-left"
    left.mkdir()
    (left / "a").write_text("half of what bel")
    with staged(tmp_path):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_store_opened_again_reads_only_what_came_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, parsed, real = tmp_path / "replies.jsonl", list[bytes](), store.loads

    def noted(kind: type[Reply], line: bytes) -> Reply:
        parsed.append(line)
        return real(kind, line)

    monkeypatch.setattr(store, "loads", noted)
    first = store.ReplyStore(path)
    assert first.add(reply(0)) and first.add(reply(1)) and parsed == []
    assert store.ReplyStore(path).add(reply(2)) and len(parsed) == 2
    again = store.ReplyStore(path, first)
    assert len(parsed) == 3 and list(again) == [reply(0), reply(1), reply(2)]
    assert len(first) == 2 and again.add(reply(3)) and first.add(reply(4)) and not again.add(reply(4))
    path.write_bytes(path.read_bytes().replace(b"p0", b"p00", 1))  # the same rows no longer stand where they stood
    parsed.clear()
    assert len(store.ReplyStore(path, again)) == len(parsed) == 5
