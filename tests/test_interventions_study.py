"""A study under interventions: arms side by side in one folder, each compared with its base."""

from __future__ import annotations

from pathlib import Path

from intervening import saying, swayed

from unsway.experiment import Study, run

STUDY = Study(
    models="saying/studied",
    biases="suggested_answer",
    tasks="procedural/arithmetic",
    interventions=("none", "prompted:ignore"),
    n=40,
)


def test_parts_of_a_study_add_up_under_an_intervention(tmp_path: Path) -> None:
    both = STUDY | STUDY.but(biases="distractor_fact")
    asked = [pair for part in both.parts() for pair in part.pairs()]
    model = saying("studied", swayed(asked, 0.9, shown=0.2))
    for _ in range(2):  # a second time, everything is there
        found = run(both, tmp_path, using={"saying/studied": model})
        assert {arm.label: arm.role for arm in found.arms} == {"base": "base", "prompted:ignore": "prompted"}
        for bias in found.biases:
            base, changed = (found.cell(arm, bias) for arm in found.arms)
            assert base is not None and changed is not None
            before, after = base["brr"], changed["brr"]
            assert before.n == after.n == 40
            assert before.value is not None and after.value is not None and after.value < before.value - 0.4
