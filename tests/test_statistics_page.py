"""The tables of docs/coverage.md: there, whole, and, where they are exact and quick, what the package gives."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from unsway.stats.anytime import START_VARIANCE
from unsway.stats.intervals import tango
from unsway.stats.power import Assumed, questions_for

ROOT = Path(__file__).parent.parent
TABLES = ("paired", "space", "rivals", "rates", "samples", "models", "ratios", "seeds", "kappa", "alarms", "stopping")


@cache
def exact() -> ModuleType:
    """`benchmarks/coverage_exact.py`, which is no package."""
    spec = importlib.util.spec_from_file_location("coverage_exact", ROOT / "benchmarks" / "coverage_exact.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table between its markers, without head and rule."""
    text = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, flags=re.DOTALL)
    rows = [tuple(cell.strip() for cell in line.strip("|\n ").split("|")) for line in body.splitlines()]
    assert len({len(row) for row in rows}) == 1
    assert set(rows[1]) == {"---:"}
    return tuple(rows[2:])


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_there_and_nothing_left_the_band(name: str) -> None:
    rows = table(name)
    assert len(rows) >= 6
    assert not any("✗" in cell for row in rows for cell in row)


def test_the_paired_table_has_every_cell() -> None:
    cells = list(exact().cells())
    expected = [(str(n), str(c.clean), str(c.biased), str(c.correlation)) for n, c in product(exact().SIZES, cells)]
    assert [row[:4] for row in table("paired")] == expected
    rates = {(c.clean, c.biased) for c in cells}
    assert rates == set(exact().RATES)
    assert {c.correlation for c in cells} == {0.0, 0.3, 0.6, 0.9}


@pytest.mark.parametrize("n", [20, 50, 150])
def test_the_paired_table_is_what_the_package_gives(n: int) -> None:
    rows = [row for row in table("paired") if row[0] == str(n)]
    for row, cell in zip(rows, exact().cells(), strict=True):
        cover, width = exact().exact(n, cell.plus, cell.minus)
        printed, _, bound = row[5].partition(" † ≥ ")
        assert (printed, row[6]) == (f"{100 * cover:.1f}", f"{width:.3f}")
        assert cover >= exact().LOW and bool(bound) == (cover > exact().HIGH)


def test_coverage_weighs_every_data_set() -> None:
    weights = exact().chances(*exact().data_sets(20), 20, 0.2, 0.1)
    assert weights.sum() == pytest.approx(1)
    ends = exact().tango_ends(20)
    assert len(weights) == len(ends[0]) == 231


@pytest.mark.parametrize(("n", "moved"), [(20, 0.05), (50, 0.038)])
def test_no_interval_covers_less_than_the_bound_where_it_says_so(n: int, moved: float) -> None:
    """The bound lies below what Tango's interval covers, above the band, and falls where pairs differ more often."""
    bound = exact().least_possible(n, moved)
    cover, _ = exact().exact(n, moved / 2, moved / 2)
    assert exact().HIGH < bound <= cover + 1e-9
    assert exact().least_possible(n, 10 / n) < exact().HIGH


def test_the_other_tables_carry_their_own_arithmetic() -> None:
    for row in table("stopping"):
        known = questions_for(0.05, Assumed(follows=float(row[0]), away=float(row[1])))
        worst = questions_for(0.05, Assumed(follows=0.5, away=0.5))
        assert (int(row[6]), int(row[7])) == (known, worst)
        assert abs(int(row[8]) - 100 * (1 - float(row[2]) / worst)) <= 1
    assert all(float(row[2]) <= 5.0 + 2.58 * 0.49 for row in table("alarms"))
    assert all(float(row[6]) > 20 for row in table("alarms")), "peeking at intervals for a fixed n is wrong often"
    assert START_VARIANCE == 0.25


@pytest.mark.parametrize("page", ["statistics.md", "reading.md"])
def test_the_examples_print_what_the_page_says(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE))
    said = [line[2:] for line in code.splitlines() if line.startswith("# ")]
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == said


def test_an_interval_that_is_too_narrow_fails_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    module = exact()
    monkeypatch.setattr(module, "SIZES", (20,))
    assert module.paired_section(5)[1] is True
    module.tango_ends.cache_clear()
    monkeypatch.setattr(module, "tango", lambda plus, minus, n: tango(plus, minus, n, 0.8))
    lines, good = module.paired_section(5)
    module.tango_ends.cache_clear()
    assert good is False
    assert any("✗" in line for line in lines)
