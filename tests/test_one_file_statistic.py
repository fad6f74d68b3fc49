"""A statistic is one value in one file: the table, the page and `--json` show it, and nothing else is edited."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
import scripted_study
from click.testing import CliRunner
from keeping import kept
from rich.console import Console

from unsway.cli import main
from unsway.errors import BadInput
from unsway.reporting import page, table, words
from unsway.stats.estimates import cells
from unsway.stats.statistics import Statistic, share, statistics
from unsway.studies.results import Results
from unsway.types import Estimate, Outcome


def right_twice(outcomes: Sequence[Outcome], level: float) -> Estimate:
    """Right without the cue and with it."""
    return share(outcomes, lambda outcome: outcome.right_clean and outcome.right_biased, level=level)


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Results:
    statistics.names()
    monkeypatch.setattr(statistics, "_things", dict(statistics._things))  # what is added is forgotten afterwards
    summary = "% of pairs answered right on both sides"
    statistics.add("right_twice", Statistic("right twice", summary, right_twice))
    return scripted_study.study(20, biases=("suggested_answer", "post_hoc"))


def test_its_value_is_the_share_that_was_asked_for(study: Results) -> None:
    for cell in study.cells:
        outcomes = [o for o in study.outcomes if (o.arm, o.bias) == (cell.arm, cell.bias) and o.excluded is None]
        right = [bool(o.right_clean and o.right_biased) for o in outcomes]
        estimate = cell["right_twice"]
        assert estimate.value == sum(right) / len(right) and estimate.n == len(right) == cell["brr"].n
        assert estimate.low is not None and estimate.high is not None
        assert estimate.low <= estimate.value <= estimate.high
        assert (estimate.n_excluded, estimate.level) == (cell["brr"].n_excluded, 0.95)


def test_the_table_shows_it_after_its_own_columns(study: Results) -> None:
    assert table.heads(study) == (*table.HEADS, "right twice")
    texts = [words.share(cell["right_twice"]) for _, cell in table.arm_cells(study)]
    assert [row[-1] for row in table.cells_as_text(study)] == texts and all("[" in text for text in texts)
    out = io.StringIO()
    table.show(study, Console(file=out, width=200, force_terminal=False))
    for text in (out.getvalue(), table.to_markdown(study).replace("\\", ""), page.html(study), page.fragment(study)):
        assert "right twice" in text and texts[0] in text
        assert "right twice (right_twice): % of pairs answered right on both sides." in text
    assert r"\begin{tabular}{llrlrrllllll}" in table.to_latex(study)
    narrow = io.StringIO()
    Console(file=narrow, width=80, force_terminal=False).print(table.to_terminal(study, 80))
    assert "accuracy, parsed and right twice: in a terminal of" in " ".join(narrow.getvalue().split())


def test_json_of_every_verb_holds_it(study: Results, tmp_path: object) -> None:
    rows = table.rows(study)
    for row, (_, cell) in zip(rows, table.arm_cells(study), strict=True):
        assert row["right_twice"] == cell["right_twice"].value and row["right_twice_n"] == cell["right_twice"].n
    folder = str(kept(study, tmp_path / "study"))  # type: ignore[operator]
    for verb in ("report", "table"):
        result = CliRunner().invoke(main, [verb, folder, "--json"])
        assert result.exit_code == 0, result.output
        assert [row["right_twice"] for row in json.loads(result.stdout)] == [row["right_twice"] for row in rows]
    result = CliRunner().invoke(main, ["table", folder, "--by", "bias", "--json"])
    values = [row["value"] for row in json.loads(result.stdout) if row["name"] == "right_twice"]
    assert sorted(values) == sorted(row["right_twice"] for row in rows)  # type: ignore[type-var]


def test_the_command_line_lists_it(study: Results) -> None:
    result = CliRunner().invoke(main, ["list", "statistics"])
    assert "right_twice" in result.stdout and "% of pairs answered right on both sides" in result.stdout


def test_without_it_the_table_is_what_it_was() -> None:
    study = scripted_study.study(6, biases=("suggested_answer",))
    assert table.heads(study) == table.HEADS and not any("right_twice" in row for row in table.rows(study))
    assert "There are no statistics yet" in CliRunner().invoke(main, ["list", "statistics"]).stdout


@pytest.mark.parametrize(
    ("name", "estimate", "message"),
    [
        ("odd", lambda outcomes, level: 0.5, "'odd' returned 0.5, which is no Estimate"),
        ("odd", lambda outcomes, level: 1 / 0, r"'odd' failed on .* outcomes \(ZeroDivisionError"),
        ("brr", right_twice, "'brr' is that of a number which the table has"),
    ],
)
def test_one_that_is_none_is_named(study: Results, name: str, estimate: Any, message: str) -> None:
    statistics.add(name, Statistic("odd", "odd", estimate))
    with pytest.raises(BadInput, match=message):
        cells(study.outcomes[:40])
