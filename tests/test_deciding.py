"""Decisions that wait for a number, and what to run next; nothing is asked."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unsway.cli import main
from unsway.errors import BadInput, UnknownName
from unsway.planning.decisions import StatedDecision
from unsway.studies.deciding import Costs, decided, next_steps, note, open_decisions
from unsway.studies.notebook import Notebook

MODEL = "openai/gpt-4o-mini"
HUNCH = f"brr(suggested_answer, {MODEL}) > .05"


def call(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def test_a_decision_is_written_as_people_write_it() -> None:
    made = StatedDecision.of("train?", HUNCH, worth="200/point", due="friday", today=date(2026, 11, 28))
    assert (made.threshold, made.worth, made.due, made.above) == (0.05, 200.0, "2026-12-04", True)
    assert made.condition == f"brr(suggested_answer, {MODEL}) > 0.05" and made.act(0.06) and not made.act(0.05)
    assert StatedDecision.of("train?", HUNCH, due="saturday", today=date(2026, 11, 28)).due == "2026-12-05"
    below = StatedDecision.of("ship?", "ratio(post_hoc, m + bct) < .5")
    assert below.act(0.4) and not below.act(0.6) and below.worth is None
    for given, message in (
        (("a", "brr > 2"), "no number"),
        (("a", HUNCH, "many"), "no worth"),
        (("a", "brr(a, b)"), "no condition"),
        (("a", HUNCH, "", "soon"), "no day"),
    ):
        with pytest.raises(BadInput, match=message):
            StatedDecision.of(given[0], given[1], worth="".join(given[2:3]), due="".join(given[3:4]))


def test_another_threshold_is_another_decision(tmp_path: Path) -> None:
    one, other = note(tmp_path, "train?", when=HUNCH), note(tmp_path, "train?", when=HUNCH.replace(".05", ".15"))
    assert [found.id for found in open_decisions(tmp_path)] == [one.id, other.id]  # type: ignore[union-attr]
    decided(tmp_path, one.id[:6], "train", "BRR .21")  # type: ignore[union-attr]
    assert open_decisions(tmp_path) == (other,)
    with pytest.raises(UnknownName):
        decided(tmp_path, one.id, "train")  # type: ignore[union-attr]
    with pytest.raises(BadInput, match="belongs to a decision"):
        note(tmp_path, "a remark", worth="200/point")


def test_what_is_worth_its_cost_comes_first(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH, worth="200/point")
    found = next_steps(tmp_path)
    best = found.steps[0]
    assert best.what.endswith(f"questions of suggested_answer on {MODEL}") and best.pays and best.chance > 0.05
    assert best.value > best.dollars > 0 and best.minutes > 0
    assert found.advice.startswith("Run ") and "chance to change 'train?'" in found.advice
    others = [step for step in found.steps if "distractor_fact" in step.what]
    assert others and others[0].per_dollar < best.per_dollar
    assert not next_steps(tmp_path, costs=Costs(budget=0.0)).steps


def test_one_cell_serves_several_decisions(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH, worth="200/point")
    alone = {step.what: step.value for step in next_steps(tmp_path).steps}
    note(tmp_path, "warn users?", when=HUNCH, worth="200/point")
    both = {step.what: step.value for step in next_steps(tmp_path).steps}
    assert both == {what: pytest.approx(2 * value) for what, value in alone.items()}


def test_nothing_is_run_where_nothing_can_change_the_mind(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH.replace(".05", ".95"))
    found = next_steps(tmp_path)
    assert found.advice.startswith("Run nothing; decide now: 'train?': no (0%")
    assert not [step for step in found.steps if step.pays]
    assert next_steps(tmp_path / "empty").advice.startswith("No decision is stated")


def test_a_training_is_weighed_against_its_base_and_its_proxy(tmp_path: Path) -> None:
    note(tmp_path, "ship it?", when=f"brr(post_hoc, {MODEL} + bct) < .2", worth="50/point")
    found = {
        step.what.partition(" ")[0] if "train" not in step.what else "train": step
        for step in next_steps(tmp_path).steps
    }
    names = [step.what for step in next_steps(tmp_path).steps]
    assert len(names) == 3 and any("few shots for bct" in name for name in names) and "train" in found
    by_value = sorted(next_steps(tmp_path).steps, key=lambda step: step.value)
    assert by_value[-1].what.startswith("train bct") and by_value[-1].dollars > 40
    assert [step for step in by_value if step.se > 0]  # the base's value comes from draws


def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    made = call("note", "train?", "--if", HUNCH, "--worth", "200/point", "--due", "friday", "--project", tmp_path)
    assert made.exit_code == 0 and made.output.startswith(open_decisions(tmp_path)[0].id)
    assert call("note", "a thought", "--project", tmp_path).output == "Noted.\n"
    shown = call("next", "--project", tmp_path, "--top", 2)
    assert shown.exit_code == 0 and "changes it" in shown.output and "Run " in shown.output
    body = json.loads(call("next", "--project", tmp_path, "--json").stdout)
    assert body["steps"][0]["pays"] is True and body["decisions"][0]["text"] == "train?"
    key = open_decisions(tmp_path)[0].id
    assert call("decided", key, "train", "BRR .21 [.16, .26]", "--project", tmp_path).output == f"{key}: train.\n"
    assert [row.kind for row in Notebook(tmp_path).rows()] == ["decision", "note", "decided"]
    assert call("next", "--project", tmp_path, "--decide", key).exit_code == 1


def test_an_unknown_price_is_never_taken_for_nothing(tmp_path: Path) -> None:
    note(tmp_path, "train?", when="brr(post_hoc, nobody/knows) > .05")
    with pytest.raises(BadInput, match="price of 'nobody/knows' is not known"):
        next_steps(tmp_path)
