"""A study under interventions: arms side by side in one folder, each compared with its base."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from intervening import saying, swayed
from keeping import keep_arm

from unsway.errors import BadInput, ModelError
from unsway.pairing import pairs
from unsway.planning.plan import SHOTS
from unsway.studies import Study, plan, run
from unsway.studies.folder import arms_of, note_arm, results
from unsway.studies.measuring import measure
from unsway.testing import Script, scripted, toy_questions

STUDY = Study(
    models="saying/studied",
    biases="suggested_answer",
    tasks="procedural/arithmetic",
    interventions=("none", "prompted:ignore"),
    n=16,
)


def test_an_arm_that_is_measured_further_is_one_arm(tmp_path: Path) -> None:
    """In the folder of its study, which it stays an arm of; and under another label, which is then its own."""
    asked = [pair for part in STUDY.parts() for pair in part.pairs()]
    more = pairs(toy_questions(4), ["suggested_answer"])
    model = saying("studied", swayed([*asked, *more], 0.9, shown=0.2))
    n_before = len(run(STUDY, tmp_path / "study", using={"saying/studied": model}).outcomes)
    found = measure(model, more, folder=tmp_path / "study")
    assert [arm.label for arm in found.arms] == ["base", "prompted:ignore"]
    assert len(found.outcomes) >= n_before + 4
    again = run(STUDY, tmp_path / "study", using={"saying/studied": model})
    assert [(arm.label, arm.of) for arm in again.arms] == [(arm.label, arm.of) for arm in found.arms]
    note_arm(
        tmp_path / "study", replace(again.arms[0], label="bct", role="trained")
    )  # by a back-end that gave the base back
    with pytest.raises(BadInput, match="Two arms have the same model"):
        results(tmp_path / "study")
    for label in ("first", "second"):
        found = measure(model, more, folder=tmp_path / "plain", label=label)
        assert [arm.label for arm in found.arms] == [label]


def test_parts_of_a_study_add_up_under_an_intervention(tmp_path: Path) -> None:
    both = STUDY | STUDY.but(biases="distractor_fact")
    asked = [pair for part in both.parts() for pair in part.pairs()]
    model = saying("studied", swayed(asked, 0.9, shown=0.2))
    for _ in range(2):  # a second time, everything is there
        before_it = [(one.n_prompts, one.n_kept) for part in plan(both, tmp_path) for one in part.models]
        found = run(both, tmp_path, using={"saying/studied": model})
        assert {arm.label: arm.role for arm in found.arms} == {"base": "base", "prompted:ignore": "prompted"}
        for bias in found.biases:
            base, changed = (found.cell(arm, bias) for arm in found.arms)
            assert base is not None and changed is not None
            before, after = base["brr"], changed["brr"]
            assert before.n == after.n == 16
            assert before.value is not None and after.value is not None and after.value < before.value - 0.4
    assert before_it == [(0, 32)] * 4, "the plan knows what was asked, under the intervention too"
    (grown,) = plan(STUDY.but(n=17), tmp_path)
    assert [(one.n_prompts, one.n_kept) for one in grown.models] == [(2, 32)] * 2


def test_an_arm_that_got_no_reply_is_forgotten_although_its_model_gave_some_without_the_intervention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pairs(toy_questions(2), ["post_hoc"], elicit="brief")
    keep_arm(tmp_path, asked, Script({}, 0.9), "a")

    def gone(*asked: object, **how: object) -> None:
        raise ModelError("nobody listens")

    monkeypatch.setattr("unsway.studies.measuring.ask", gone)
    with pytest.raises(ModelError, match="nobody listens"):
        measure(scripted(asked, {}, accuracy=0.9, name="a"), asked, folder=tmp_path, intervention="prompted:ignore")
    assert [arm.label for arm in arms_of(tmp_path)] == ["a"]


def test_the_script_says_how_well_one_arm_predicts_another(tmp_path: Path) -> None:
    study = STUDY.but(
        biases=("suggested_answer", "distractor_fact", "post_hoc"),
        tasks=("procedural/arithmetic", "procedural/dates"),
        interventions=("none", "prompted:ignore", "prompted:polite"),
        n=6,
    )
    model = saying("cells", swayed(list(study.pairs()), 0.9, shown=0.2))
    run(study, tmp_path, using={"saying/studied": model})
    script = runpy.run_path(str(Path(__file__).parent.parent / "experiments" / "proxy_predicts.py"))
    said = CliRunner().invoke(
        script["main"], [str(tmp_path), "--proxy", "prompted:ignore", "--trained", "prompted:polite"]
    )
    assert said.exit_code == 0, said.output
    assert "plain: +1.00 [" in said.output and "6 cells, 0 left out" in said.output
    assert "own halves" in said.output and "beyond the base" in said.output and "distractor_fact" in said.output
    assert "6 cells cannot exclude 0, whatever they are" in said.output


def test_a_plan_counts_the_shots_in_front_of_a_prompt() -> None:
    (found,) = plan(STUDY.but(models="openai/gpt-4o-mini", interventions=("none", "fewshot:4-naive")))
    bare, shown = found.models
    assert shown.tokens_in == SHOTS * bare.tokens_in and shown.tokens_out == bare.tokens_out
    assert bare.cost is not None and shown.cost is not None and bare.cost < shown.cost < SHOTS * bare.cost
