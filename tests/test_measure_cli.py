"""`unsway measure`, with a real provider behind it: what its options change, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import answering  # noqa: F401  # the provider that the verb names
import pytest
from click.testing import CliRunner, Result

from unsway.cli import main
from unsway.models.weights import CHECKPOINT_FILE
from unsway.store import ReplyStore, dumps
from unsway.studies.folder import arms_of
from unsway.types import Checkpoint


def measure(out: Path, *args: object, model: str = "answers/x", code: int = 0) -> Result:
    words = ["measure", model, "--questions", "procedural/dates", "-n", "8", "--out", out, *args]
    found = CliRunner().invoke(main, [str(word) for word in words])
    assert found.exit_code == code, found.output
    return found


def replies(out: Path) -> list[str]:
    return [reply.text for reply in ReplyStore(out / "replies.jsonl")]


def test_model_arguments_reach_the_provider(tmp_path: Path) -> None:
    measure(tmp_path, "-M", "letter=C")
    assert len(replies(tmp_path)) == 16 and all("(C)" in text for text in replies(tmp_path))
    assert "is not NAME=VALUE" in measure(tmp_path, "-M", "letter", code=2).output


def test_several_elicitations(tmp_path: Path) -> None:
    measure(tmp_path, "--elicit", "cot,direct")
    assert len(replies(tmp_path)) == 32


def test_all_biases_take_their_own_questions_and_say_what_is_left_out(tmp_path: Path) -> None:
    found = measure(tmp_path, "--biases", "all", "--json")
    rows = {row["bias"].partition("@")[0]: row for row in json.loads(found.stdout)}
    assert len(rows) >= 17 and "distractor_argument" not in rows
    assert rows["spurious_hindsight"]["n"] == 8 and rows["positional"]["n"] == 8
    assert "distractor_argument" in found.stderr and "--arguments names none" in found.stderr


def test_arguments_from_a_file(tmp_path: Path) -> None:
    found = measure(tmp_path, "--biases", "distractor_argument", code=1)
    assert "arguments" in found.output
    from unsway.pairing import cued_option
    from unsway.sources import load

    rows = []
    for question in load("procedural/dates", n=8)[:5]:
        option = cued_option(question)
        text = f"All in all it fits best. Therefore, the best answer is: ({'ABCDEFGH'[option]})."
        rows.append({"question_id": question.id, "option": option, "text": text})
    path = tmp_path / "arguments.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = measure(tmp_path / "out", "--biases", "distractor_argument", "--arguments", path, "--json")
    assert json.loads(found.stdout)[0]["pairs"] == 5
    assert "3 × distractor_argument" in found.stderr and "no argument for the cued option" in found.stderr


def test_a_limit_on_the_cost(tmp_path: Path) -> None:
    (tmp_path / "prices.txt").write_text("answers/ 10 1000 2026-01\n")
    more = ("--max-tokens", 10, "--max-cost", 0.1, "--prices", tmp_path / "prices.txt")
    found = measure(tmp_path / "out", *more, code=1)
    assert "stopped before the limit of $0.1" in found.output
    assert 0 < len(replies(tmp_path / "out")) < 16
    lower = (*more[:3], 0.001, *more[4:])
    assert "over the limit of $0.001: $0.0" in measure(tmp_path / "out", *lower, code=1).output
    assert "price of 'answers/x' is not known" in measure(tmp_path / "other", "--max-cost", 1, code=1).output


def test_asking_stops_where_the_interval_is_narrow(tmp_path: Path) -> None:
    found = measure(tmp_path, "-n", 400, "--biases", "positional,post_hoc", "--until-half-width", 0.3)
    assert "post_hoc@" in found.output and "narrow enough" in found.output
    of = {line.partition("@")[0]: line for line in found.output.splitlines() if "holds at every look" in line}
    assert "share of pairs that moved" in of["positional"] and "BRR with" not in of["positional"]
    assert "BRR with an interval" in of["post_hoc"]
    assert len(replies(tmp_path)) < 2 * 400


def test_stopping_when_narrow_is_refused_under_an_intervention(tmp_path: Path) -> None:
    found = measure(tmp_path, "--until-half-width", 0.3, "--intervention", "prompted:ignore", code=1)
    assert "prompted:ignore makes others of all of them first" in found.output and not (tmp_path / "arms.json").exists()


@pytest.mark.parametrize("name", ["prompted:ignores", "4:naives", "fewshots"])
def test_an_unknown_intervention_is_said_before_anything_is_asked(name: str, tmp_path: Path) -> None:
    found = measure(tmp_path / "out", "--intervention", name, code=1)
    assert "There is no intervention" in found.output and not (tmp_path / "out" / "replies.jsonl").exists()


def test_an_arm_under_a_system_prompt_stands_beside_its_base(tmp_path: Path) -> None:
    from unsway import interventions

    name = next(name for name in interventions.names() if name.startswith("prompted:"))
    measure(tmp_path)
    found = measure(tmp_path, "--intervention", name, "--json")
    rows = json.loads(found.stdout)
    assert [row["arm"] for row in rows] == ["answers/x", name] and {row["role"] for row in rows} == {"base", "prompted"}
    assert len(replies(tmp_path)) == 32


def test_what_a_server_answers_with_is_compared_as_its_checkpoint_says(tmp_path: Path) -> None:
    served = Checkpoint("x", "org/x@f00", "local", "x", "Control()", "f" * 64, 1, 9, role="control")
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / CHECKPOINT_FILE).write_text(dumps(served))
    measure(tmp_path / "out", "--checkpoint", tmp_path / "trained", "-M", "letter=C")
    (arm,) = arms_of(tmp_path / "out")
    assert (arm.role, arm.model) == ("control", "answers/x") and arm.checkpoint == replace(
        served, model=str(tmp_path / "trained"), uri=str(tmp_path / "trained")
    )
    assert arm.is_made_from(replace(arm, model="openai-api/local/org/x", checkpoint=None))
    assert "holds no checkpoint" in measure(tmp_path / "out", "--checkpoint", tmp_path / "out", code=1).output


def test_the_seeds_of_a_training_are_one_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(out)
    for seed, letter in enumerate("BC"):
        more = ("--role", "trained", "--training", "bct", "-M", f"letter={letter}")
        found = measure(out, *more, model=f"answers/{seed}")
    assert [arm.training for arm in arms_of(out)] == ["", "bct", "bct"]
    assert "bct over 2 training seeds, all biases: " in found.output and "One training seed" not in found.output
    refused = measure(out, "--training", "bct", code=2)
    assert "nothing says that this model is one" in refused.output


def test_a_model_writes_arguments_that_measure_takes(tmp_path: Path) -> None:
    """The model says (C) always: an argument for every question whose cued option is C, and for no other."""
    words = ["data", "arguments", "answers/x", "-M", "letter=C", "--questions", "procedural/dates", "-n", "8"]
    found = CliRunner().invoke(main, [*words, "--out", str(tmp_path), "--json"])
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert 0 < said["kept"] < said["wanted"] == 8 and said["model"] == "answers/x"
    assert said["dropped"]["concludes another option"] == 5 * (8 - said["kept"])
    more = ("--biases", "distractor_argument", "--arguments", tmp_path / "arguments.jsonl", "--json")
    (row,) = json.loads(measure(tmp_path / "out", *more).stdout)
    assert row["pairs"] == said["kept"]
    assert row["bias"].endswith(said["sha256"][:8])
