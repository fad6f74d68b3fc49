"""The registry: what is declared once is found by name; names as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from unsway.errors import BadInput, UnknownName
from unsway.registry import Ref, Registry


def test_a_name_is_taken_once_and_unknown_ones_name_the_closest() -> None:
    things: Registry[int] = Registry("thing", "unsway.banks")
    assert things.add("one", 1) == 1
    things.add("two", 2)
    assert things.get("one") == 1 and things.names() == ("one", "two") and "two" in things
    with pytest.raises(BadInput, match="'one' is taken by another thing"):
        things.add("one", 3)
    with pytest.raises(UnknownName, match=r"no thing named 'tow'\. Did you mean 'two'.*Known: one, two"):
        things.get("tow")


@pytest.mark.parametrize("name", ["", "two words", "one,two", "one@2", 7])
def test_a_name_that_nobody_could_write_is_refused(name: Any) -> None:
    things: Registry[int] = Registry("thing", "unsway.banks")
    with pytest.raises(BadInput, match="cannot be the name of this thing"):
        things.add(name, 1)
    assert things.names() == ()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("post_hoc", ("post_hoc", "", "")),
        ("post_hoc@1.1", ("post_hoc", "", "1.1")),
        ("suggested_answer/quoted", ("suggested_answer", "quoted", "")),
        ("suggested_answer/quoted@1.1", ("suggested_answer", "quoted", "1.1")),
        ("procedural/dates@2", ("procedural", "dates", "2")),
        ("/a/folder/of@mine/file.jsonl@3", ("", "a/folder/of@mine/file.jsonl", "3")),
        ("", ("", "", "")),
    ],
)
def test_names_are_read_and_written_back(text: str, parts: tuple[str, str, str]) -> None:
    ref = Ref.parse(text)
    assert (ref.name, ref.form, ref.version) == parts and str(ref) == text
    assert ref.unversioned == (text.rpartition("@")[0] if parts[2] else text)
