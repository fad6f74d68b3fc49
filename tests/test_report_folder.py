"""What a folder gives back is what was put there, in no more memory than it needs."""

from __future__ import annotations

from pathlib import Path

import scripted_study

from unsway.studies.folder import pairs_of, write_pairs


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
