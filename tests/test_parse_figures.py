"""The figures of the reader, printed: `pytest tests/test_parse_figures.py` shows agreement, speed and the slowest reply."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from unsway.readers.parse import PARSER
from unsway.types import Reading


@pytest.fixture
def bench() -> ModuleType:
    """`benchmarks/parse.py`, which is no package."""
    path = Path(__file__).parent.parent / "benchmarks" / "parse.py"
    spec = importlib.util.spec_from_file_location("parse_bench", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_reader_keeps_its_promises(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """What is read is asserted; how fast is printed beside it, for a machine may be busy."""
    found = bench.figures(30)
    with capsys.disabled():
        print(f"\n{PARSER}")
        for figure in found:
            print(f"{figure.name:<20} {figure.said}")
    assert [figure.name for figure in found[:2] if not figure.good] == []


def test_a_reader_that_guesses_fails_the_bench(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "read", lambda *args, **given: Reading(0, "ok"))
    assert not bench.written().good
    assert not bench.RECORDED.exists() or not bench.recorded().good
