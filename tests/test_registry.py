"""The registry: what is declared once is found by name; names as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from unsway import biases, effects, readers, sources
from unsway.cli.known import REGISTRIES, registry_of
from unsway.errors import BadInput, UnknownName, UnswayError
from unsway.interventions import InterventionKind, kinds
from unsway.judging.rubrics import rubric
from unsway.registry import Ref, Registry
from unsway.stats.statistics import Statistic, statistics
from unsway.training.methods import methods


def test_a_name_is_taken_once_and_unknown_ones_name_the_closest() -> None:
    things: Registry[int] = Registry("thing", "unsway.banks", int)
    assert things.add("one", 1) == 1
    things.add("two", 2)
    assert things.get("one") == 1 and things.names() == ("one", "two") and "two" in things
    with pytest.raises(BadInput, match="'one' is taken by another thing"):
        things.add("one", 3)
    with pytest.raises(UnknownName, match=r"no thing named 'tow'\. Did you mean 'two'.*Known: one, two"):
        things.get("tow")
    with pytest.raises(UnknownName, match="no thing named"):
        things.get(["two"])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "two words", "one,two", "one@2", 7])
def test_a_name_that_nobody_could_write_is_refused(name: Any) -> None:
    things: Registry[int] = Registry("thing", "unsway.banks", int)
    with pytest.raises(BadInput, match="cannot be the name of this thing"):
        things.add(name, 1)
    assert things.names() == ()


def test_what_is_of_another_kind_or_of_another_name_is_refused_where_it_is_added() -> None:
    for kind in REGISTRIES:
        found = registry_of(kind)
        own = next((found.get(name) for name in found.names()), found.names)
        for wrong in (5, "x", type(own), lambda *given: None):
            with pytest.raises(BadInput, match=rf"^The {found.kind} 'x' is {type(wrong).__name__} .*; give a .*class"):
                found.add("x", wrong)
        assert "x" not in found
    with pytest.raises(BadInput, match="method 'x' has the name 'bct' itself"):
        methods.add("x", methods.get("bct"))


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


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: biases.bias("odd", summary="x", paper=""), "bias 'odd' has no version. Every bias says its version, "),
        (
            lambda: biases.bias("odd", version=1, sumary="x", paper=""),
            "no field of a bias named 'sumary'. Did you mean 'summary'",
        ),
        (
            lambda: sources.source("odd", revision="1", license="", summary=""),
            "source 'odd' has no splits. Every source says",
        ),
        (
            lambda: effects.side_effect("odd", version=1),
            "side effect 'odd' has no question and no measures. Every side effect",
        ),
    ],
)
def test_what_is_declared_without_a_field_or_with_an_unknown_one_is_refused_in_words(declare: Any, said: str) -> None:
    with pytest.raises(UnswayError, match=said):
        declare()(lambda question, clean, option, draw: clean)


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (
            lambda: statistics.add("odd", Statistic("h", "s", 5, "percnt")),
            "statistic 'odd' .*estimate is 5; it is a function",
        ),
        (
            lambda: statistics.add("odd", Statistic("h", "s", print, "percnt")),
            "show is 'percnt'; it is one of 'percent', 'p",
        ),
        (
            lambda: effects.side_effect("odd", version=1, question="q", measures=5)(print),
            "measures is 5; it is a tuple, each",
        ),
        (lambda: effects.side_effect("odd", version=1, question="q", measures=())(5), "build is 5; it is a function"),
        (lambda: readers.reader("odd", version=1, summary="s")(5), "reader 'odd' .*read is 5; it is a function"),
        (lambda: kinds.add("odd", InterventionKind(5, print, print, "s")), "value_type is 5; it is a class"),
        (
            lambda: biases.bias("odd", version=1, summary="s", paper="")(5),
            r"bias 'odd' is int \('5'\); it must be a function",
        ),
        (
            lambda: sources.source("odd", revision="1", license="", splits=5, summary="s")(iter),
            "splits is 5; it is a tuple",
        ),
    ],
)
def test_a_field_of_another_kind_is_refused_where_it_is_declared(declare: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        declare()


def test_a_rubric_whose_wording_is_no_bank_is_refused() -> None:
    with pytest.raises(BadInput, match=r"rubric 'odd' has the wording .*; it is a Bank"):
        rubric("odd", "Does it?", summary="")  # type: ignore[arg-type]
