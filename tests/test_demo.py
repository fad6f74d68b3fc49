"""The demo shows its progress, and its page exists after the first arm. Its real run is in test_real_model.py."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from unsway import layout
from unsway.demo import FULL, STUDY, Stages
from unsway.reporting.table import show_numbers
from unsway.studies import Study, Task, run
from unsway.studies.results import Results
from unsway.testing import scripted
from unsway.types import Settings

TWO = Study(
    models=("scripted/one", "scripted/two"),
    biases="post_hoc",
    tasks=Task("procedural/arithmetic", 12),
)


def test_each_stage_says_what_is_known_and_what_is_still_to_come(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = list(TWO.pairs())
    using = {f"scripted/{name}": scripted(asked, follow={"post_hoc": 0.9}, name=name) for name in ("one", "two")}
    pages: list[tuple[int, str]] = []

    def see(found: Results) -> None:
        pages.append((len(found.arms), (tmp_path / layout.PAGE).read_text(encoding="utf-8")))
        show_numbers(found)

    with caplog.at_level(logging.INFO, "unsway.demo"):
        found = run(TWO, tmp_path, on=Stages(see), using=using)
    assert len(found.arms) == 2
    ((arms, page),) = pages
    assert arms == 1
    assert "still to come: asking" in page
    assert "still to come: asking" in capsys.readouterr().out
    told = [record.getMessage() for record in caplog.records]
    assert [text.split(",")[0] for text in told if text.startswith("Stage")] == [f"Stage {n} of 3" for n in (1, 2, 3)]
    assert all("left in all" in text for text in told if text.startswith("Stage"))
    assert any(text.startswith("So far: On 12 questions") for text in told)


def test_an_error_in_a_stage_stops_the_demo(tmp_path: Path) -> None:
    broken = Study(models="unsway/no-such-model", biases="post_hoc", tasks=Task("procedural/arithmetic", 3))
    with pytest.raises(Exception, match="no-such-model"):
        run(broken, tmp_path, on=Stages(None))


def test_the_long_demo_holds_the_short_one() -> None:
    """So that `unsway demo --full` in a folder of the short one asks the base only what is new."""
    short, full = set(STUDY.pairs().pairs), set(FULL.pairs().pairs)
    kept = Settings(max_tokens=96, options_after="best answer is", force_answer="So the best answer is")
    assert STUDY.settings == FULL.settings == kept
    assert {pair.id for pair in short} <= {pair.id for pair in full}
