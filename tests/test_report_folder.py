"""What a folder gives back is what was put there, in no more memory than it needs."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from shutil import copytree

import pytest
import scripted_study

from tests.shell import unsway
from unsway.errors import BadInput, UnswayError
from unsway.reporting.folders import transcripts
from unsway.store import manifest_path, read_manifest
from unsway.studies.folder import arms_of, pairs_of, results, write_pairs
from unsway.studies.inspect_folder import status
from unsway.studies.kept_outcomes import kept_outcomes
from unsway.studies.notebook import Notebook
from unsway.studies.running import read_study

KEPT = Path(__file__).parent / "data" / "first_edition_scripted"


def test_pairs_come_back_equal_and_what_they_share_is_one_value(tmp_path: Path) -> None:
    asked = tuple(scripted_study.pairs(4, scripted_study.BIASES))
    write_pairs(tmp_path, asked)
    got = pairs_of(tmp_path)
    assert got == asked
    for same in ([pair for pair in got if pair.question.id == one.question.id] for one in got[:4]):
        assert len(same) > 1
        assert {id(pair.question) for pair in same} == {id(same[0].question)}
        equal: dict[object, set[int]] = {}
        for pair in same:
            equal.setdefault(pair.clean, set()).add(id(pair.clean))
        assert len(equal) < len(same)
        assert all(len(ids) == 1 for ids in equal.values())


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("arms.json", b"}", b"", "arms.json is damaged"),
        ("arms.json", b'"base"', b'"b\xe9se"', "arms.json is damaged"),
        ("arms.json", b'"role": "base"', b'"role": 7', r"arms.json is damaged \(arms: 0.role: Input should be"),
        ("pairs.jsonl", b"suggested", b"sugg\xe9sted", "pairs.jsonl, line 1, field 'row'"),
        ("pairs.jsonl", b'"order":[0,', b'"order":[9,', r"line 1, field 'order': is \(9"),
        ("replies.jsonl", b'"sample":0', b'"sample":"x"', r"not a reply \(sample: Input should be a valid integer"),
    ],
)
def test_a_file_that_was_damaged_by_hand_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, old: bytes, new: bytes, said: str
) -> None:
    folder = copytree(KEPT, tmp_path / "study")
    whole = (folder / name).read_bytes()
    assert old in whole
    (folder / name).write_bytes(whole.replace(old, new, 1))
    with pytest.raises(UnswayError, match=said) as found:
        results(folder)
    assert "pydantic" not in str(found.value)


def test_damaged_outcomes_studies_notebooks_and_manifests_are_named_or_do_not_count(tmp_path: Path) -> None:
    folder = copytree(KEPT, tmp_path / "study")
    (folder / "outcomes.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(UnswayError, match=r"outcomes\.jsonl, line 1"):
        kept_outcomes(folder)
    (folder / "outcomes.jsonl").write_bytes(b'{"a": 1}\n')
    with pytest.raises(
        UnswayError, match=r"outcomes\.jsonl, line 1, field 'row': is no outcome \(KeyError\('model'\)\)"
    ):
        kept_outcomes(folder)
    for name, row, wrong in (("failures.jsonl", '{"model": "m"}', "prompt_id"), ("where.jsonl", "[", "row")):
        (folder / name).write_text(f"{row}\n", encoding="utf-8")
        with pytest.raises(UnswayError, match=rf"{name}, line 1, field '{wrong}'"):
            status(folder)
        (folder / name).unlink()
    beat = folder / "running" / "1-0.json"
    beat.parent.mkdir()
    whole = '{"what": "m", "done": 0, "total": 1, "since": 0, "seen": 0, "pid": "x", "host": "h"}'
    for text in ("{", "[]", "\x00", whole, whole.replace('"x"', "-1").replace('"h"', f'"{socket.gethostname()}"')):
        beat.write_text(text, encoding="utf-8")
        with pytest.raises(UnswayError, match=r"1-0\.json is damaged .* Delete it"):
            status(folder)
    beat.unlink()
    (folder / "study.json").write_bytes(b'{"models": 7}')
    with pytest.raises(UnswayError, match=r"cannot be read as a study: (?!.*pydantic)"):
        read_study(folder)
    (folder / "study.json").unlink()
    with pytest.raises(
        UnswayError, match=r"study\.json cannot be read .*Name a study's JSON, or a folder of `unsway run`"
    ):
        read_study(folder)
    (tmp_path / "notebook.jsonl").write_bytes(b"[1]\n")
    with pytest.raises(UnswayError, match="none of a notebook"):
        Notebook(tmp_path).problems()
    for damaged in (b"{", b"[]", b"\xff"):
        manifest_path(folder / "pairs.jsonl").write_bytes(damaged)
        assert read_manifest(folder / "pairs.jsonl") is None
    assert arms_of(folder)[0].label == "base"


def test_a_study_whose_server_never_answered_is_shown_and_refused_without_a_traceback(tmp_path: Path) -> None:
    folder = copytree(KEPT, tmp_path / "study")
    for name, text in (("arms.json", '{"edition": 2, "arms": []}'), ("replies.jsonl", ""), ("outcomes.jsonl", "")):
        (folder / name).write_text(text, encoding="utf-8")
    assert unsway("diff", folder, folder).output.split() == ["Both", "asked", "the", "same.", "arm", "none"]
    assert unsway("slides", folder, "--to", tmp_path / "s.pptx").exit_code == 0
    assert "no model gave a reply yet" in unsway("interrogate", folder, "--plan").stderr
    with pytest.raises(BadInput, match="has no arm"):
        results(folder)["suggested_answer"]
    assert "No model was asked yet. $0.00" in unsway("status", folder).output
    pairs = pairs_of(folder)
    (folder / "failures.jsonl").write_text(f'{{"model": "m", "prompt_id": "{pairs[0].biased.id}"}}\n', encoding="utf-8")
    n = len({prompt.id for pair in pairs for prompt in (pair.clean, pair.biased)})
    said = unsway("status", folder).output
    assert f"\n0 of {n} replies (0%)" in said and re.search(r"^m +suggested_answer.* 0/\d+, 1 failed +$", said, re.M)


def test_a_transcript_names_the_letter_that_the_reply_names_although_a_cue_turns_the_options() -> None:
    found = scripted_study.study(6, biases=("positional",))
    shown = [each for each in transcripts(found, found.arms[0].label, "positional", 6) if "biased, read as (" in each]
    for each in shown:
        letter, said = each.partition("biased, read as (")[2].split(")", 1)
        assert f"({letter})" in said and f"; with the cue {letter})" in each, "the list has it too"
    assert shown
