"""What stands in a folder, as the verbs show it: status, ls, show, diff."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import unsway as us
from tests.forking import Forked
from unsway import layout
from unsway.cli import main
from unsway.pairing import pairs
from unsway.sampling.heartbeat import heartbeat, running
from unsway.studies import Study, run
from unsway.studies.inspect_folder import status
from unsway.testing import scripted, toy_questions

STUDY = Study(
    models=("scripted/one", "scripted/two"), biases=("post_hoc", "suggested_answer"), tasks="procedural/dates", n=12
)


def models(study: Study, **follow: float) -> dict[str, Any]:
    asked = [pair for part in study.parts() for pair in part.pairs()]
    return {name: scripted(asked, follow=follow, name=name.partition("/")[2]) for name in study.models}


def call(*args: object) -> Result:
    found = CliRunner().invoke(main, [str(arg) for arg in args])
    assert found.exit_code == 0, found.output
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("studies") / "first"
    run(STUDY, place, using=models(STUDY, post_hoc=0.9))
    return place


def test_a_finished_study_is_done_everywhere(folder: Path) -> None:
    found = status(folder)
    assert found.n_replies == found.n_planned == 2 * 12 * 3
    assert {cell.state for cell in found.cells} == {"done"} and len(found.cells) == 4
    assert not found.running and found.cost is None
    text = call("status", folder).output
    assert "done" in text and "72 of 72 replies (100%)" in text and "price of a model is not known" in text


def test_prices_make_costs(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.txt").write_text("scripted/ 10 100 2026-01\n")
    found = json.loads(call("status", folder, "--prices", tmp_path / "prices.txt", "--json").output)
    assert found["cost"] > 0 and found["cost_to_come"] == 0


def test_arms_that_are_not_there_yet_are_missing(tmp_path: Path) -> None:
    using = models(STUDY)
    run(STUDY.only(models="scripted/one"), tmp_path, using=using)
    grown = STUDY.but(biases=(*STUDY.biases, "distractor_fact"))
    using = models(grown)
    asked = list(grown.pairs())[:9]
    del using["scripted/two"]
    using["scripted/two"] = scripted(asked, follow={}, name="two")
    with pytest.raises(Exception, match="got no reply"):
        run(grown, tmp_path, using=using)
    states = {(cell.arm, cell.bias.partition("@")[0]): cell.state for cell in status(tmp_path).cells}
    assert states["scripted/one", "distractor_fact"] == "done"
    assert states["scripted/two", "post_hoc"] == "failed"
    assert "failed" in call("status", tmp_path).output


SLOW = """
import sys
from unsway.studies import Study, run
from unsway.testing import scripted
study = Study(models="scripted/slow", biases="post_hoc", tasks="procedural/dates", n=40)
run(study, sys.argv[1], using={"scripted/slow": scripted(study.pairs(), follow={}, name="slow", seconds=1000)})
"""


def test_what_runs_is_seen_from_outside_and_a_killed_run_is_not(tmp_path: Path) -> None:
    with Forked(SLOW, str(tmp_path), out=tmp_path / "said") as process:
        deadline = time.monotonic() + 60
        while not running(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.1)
        (beat,) = running(tmp_path)
        assert (beat.what, beat.done, beat.total, beat.pid) == ("scripted/slow", 0, 80, process.pid)
        assert "Running: scripted/slow, 0 of 80." in call("status", tmp_path).output
        os.kill(process.pid, signal.SIGKILL)
    assert running(tmp_path) == ()
    (left,) = (tmp_path / layout.RUNNING).iterdir()
    elsewhere = left.with_name("elsewhere.json")
    elsewhere.write_text(json.dumps(beat._asdict() | {"host": "elsewhere", "seen": 0.0}))
    with heartbeat(tmp_path, "scripted/one", 8, 3, lambda steps: None):  # which cannot know what goes on elsewhere
        assert not left.exists() and elsewhere.exists()


def test_a_later_process_of_the_same_number_is_not_the_call_that_was_killed(tmp_path: Path) -> None:
    with heartbeat(tmp_path, "scripted/one", 8, 3, lambda steps: None):
        (path,) = (tmp_path / layout.RUNNING).iterdir()
        (beat,) = running(tmp_path)
        assert beat.pid == os.getpid() and beat.started
        path.write_text(json.dumps(beat._asdict() | {"started": beat.started - 60}))
        assert running(tmp_path) == ()
        early = beat._asdict()
        del early["started"]  # as it was written before starts were noted
        path.write_text(json.dumps(early))
        assert [one.pid for one in running(tmp_path)] == [os.getpid()]


def test_ls_finds_studies(folder: Path, tmp_path: Path) -> None:
    body = json.loads(call("ls", folder.parent, "--json").output)
    rows = body["studies"]
    assert body["waiting"] == []
    assert [row["folder"] for row in rows] == [str(folder)] and rows[0]["arms"] == 2
    assert "No folder" in call("ls", tmp_path).output


def test_a_damaged_folder_of_a_project_does_not_hide_the_others(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("first", "damaged", "later"):
        shutil.copytree(folder, tmp_path / name)
    (tmp_path / "damaged" / layout.ARMS).write_text("{")
    later = json.loads((tmp_path / "later" / layout.ARMS).read_text()) | {"edition": 9}
    (tmp_path / "later" / layout.ARMS).write_text(json.dumps(later))
    deep = "[" * 100_000 + "\n"
    (tmp_path / "damaged" / layout.NOTEBOOK).write_text(deep)
    rows = json.loads(call("ls", tmp_path, "--json").stdout)["studies"]
    assert [Path(row["folder"]).name for row in rows] == ["first"]
    left_out = "\n".join(caplog.messages)
    assert f"Left out {tmp_path / 'damaged'}" in left_out and "later unsway" in left_out and "notebook" in left_out
    prices = tmp_path / "prices.txt"
    prices.write_text("scripted/ 1 1 2026-11\n")
    steps = json.loads(call("next", "--project", tmp_path, "--prices", prices, "--json").stdout)["steps"]
    assert any("scripted/one" in step["what"] for step in steps)
    assert call("status", tmp_path / "first").exit_code == 0
    refused = CliRunner().invoke(main, ["status", str(tmp_path / "later")])
    assert refused.exit_code == 1 and "later unsway" in refused.output
    (tmp_path / "first" / layout.OUTCOMES).write_text(deep)
    refused = CliRunner().invoke(main, ["reread", str(tmp_path / "first")])
    assert refused.exit_code == 1 and "outcomes.jsonl, line 1" in refused.output


def test_show_lists_cells_and_shows_one(folder: Path) -> None:
    assert "post_hoc" in call("show", folder).output
    text = call("show", folder, "one", "post_hoc", "-n", 1).output
    assert "── cue" in text and "── biased, read as (" in text and "procedural/dates" in text
    assert re.search(r"procedural/dates +12 +0 +\d+ +\d+ +[+−]?\d+ \[", text), "percent and points, as in the table"
    (row,) = json.loads(call("show", folder, "one", "post_hoc", "--json").output)
    assert row["n"] == 12
    wrong = CliRunner().invoke(main, ["show", str(folder), "one", "posthoc"])
    assert wrong.exit_code == 1 and "Did you mean 'post_hoc'" in wrong.output
    for words in (["show", str(folder), "oen"], ["show", str(folder), "oen", "--json"]):
        wrong = CliRunner().invoke(main, words)
        assert wrong.exit_code == 1 and "Did you mean 'one'" in wrong.output


def test_status_ends_its_line_and_says_a_fraction_of_a_cent_as_such(folder: Path, tmp_path: Path) -> None:
    prices = tmp_path / "prices.txt"
    prices.write_text("scripted/ 0.001 0.001 2026-11\n")
    text = call("status", folder, "--prices", prices).output
    assert (
        text.endswith("\n")
        and not text.endswith("\n\n")
        and "under $0.01 spent on replies" in text
        and "$0.00 spent" not in text
    )


def test_diff_says_what_was_asked_and_what_changed(folder: Path, tmp_path: Path) -> None:
    other = STUDY.but(biases=("post_hoc", "distractor_fact"), n=10)
    run(other, tmp_path, using=models(other, post_hoc=0.0))
    found = json.loads(call("diff", folder, tmp_path, "--json").output)
    assert {"biases", "n", "bias suggested_answer", "bias distractor_fact", "questions"} <= {
        w for w, _, _ in found["asked"]
    }
    changes = {(c["arm"], c["bias"]): c for c in found["numbers"]}
    moved = changes["one", "post_hoc"]["difference"]
    assert moved["value"] < -0.3 and moved["n_clusters"] == 10
    assert changes["one", "distractor_fact"]["one"] is None
    assert "second − first" in call("diff", folder, tmp_path).output
    assert "Both asked the same" in call("diff", folder, folder).output


def test_diff_says_that_arms_of_one_label_are_other_models_or_decoded_otherwise(tmp_path: Path) -> None:
    asked = pairs(toy_questions(4), ["post_hoc"])
    for name, warmth in (("a", 0.0), ("b", 0.7)):
        settings = us.Settings(temperature=warmth)
        us.measure(scripted(asked, {}, name=name), asked, folder=tmp_path / name, label="model", settings=settings)
    said = {
        row[0]: row[1:] for row in json.loads(call("diff", tmp_path / "a", tmp_path / "b", "--json").output)["asked"]
    }
    assert [text.partition("@")[0] for text in said["model of model"]] == ["scripted/a", "scripted/b"]
    assert "temperature=0.0" in said["decoding of model"][0] and "temperature=0.7" in said["decoding of model"][1]


def test_diff_finds_a_model_that_the_other_folder_calls_by_another_name(tmp_path: Path) -> None:
    asked = pairs(toy_questions(12), ["post_hoc"])
    one, two = (scripted(asked, {"post_hoc": rate}, name=name) for name, rate in (("one", 0.5), ("two", 0.2)))
    for label in ("owl", "base"):
        us.measure(one, asked, folder=tmp_path / label, label=label)
        us.measure(two, asked, folder=tmp_path / label, label="wren")
    changes = json.loads(call("diff", tmp_path / "owl", tmp_path / "base", "--json").output)["numbers"]
    assert [c["arm"] for c in changes] == ["owl here, base there", "wren"]
    assert all(c["difference"]["value"] == 0 and c["difference"]["n_clusters"] == 12 for c in changes)


def test_a_study_whose_plug_in_is_gone_is_still_looked_at(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = shutil.copytree(folder, tmp_path / "gone")
    text = (place / layout.STUDY).read_text()
    (place / layout.STUDY).write_text(text.replace('"name":"post_hoc"', '"name":"of_a_plugin"'))
    assert status(place).n_replies == status(folder).n_replies
    assert "Both asked the same" in call("diff", folder, place).output
    call("report", place)
    assert "There is no bias named 'of_a_plugin'" in caplog.text
