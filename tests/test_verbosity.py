"""-q and -v before and after a verb, and options that are set by the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import answering  # noqa: F401  # the provider that the verb names
import click
import pytest
from click.testing import Result

from tests.shell import unsway
from unsway.cli import main

ASK = ("measure", "answers/x", "--questions", "procedural/dates", "-n", "2", "--biases", "post_hoc", "--json")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What the same measurement says at every verbosity."""
    out = tmp_path_factory.mktemp("asked")
    words = {"plain": ASK, "before": ("-q", *ASK), "after": (*ASK, "--quiet"), "verbose": (*ASK, "-v")}
    return {name: unsway(*line, "--out", out / f"study-{name}") for name, line in words.items()}


def test_quiet_says_only_results(said: dict[str, Result]) -> None:
    assert {one.exit_code for one in said.values()} == {0}, [one.output for one in said.values()]
    assert "Asking answers/x" in said["plain"].stderr
    for name in ("before", "after"):
        assert said[name].stderr == "" and said[name].stdout == said["plain"].stdout != ""


def test_verbose_says_when_and_where_each_line_comes_from(said: dict[str, Result]) -> None:
    lines = said["verbose"].stderr.splitlines()
    assert lines and all(re.match(r"\d\d:\d\d:\d\d [a-z_.]+: ", line) for line in lines), lines
    assert any("unsway.sampling.calls: answers/x answered in " in line for line in lines), lines
    assert said["verbose"].stdout == said["plain"].stdout


def test_an_error_is_said_at_every_verbosity_and_with_its_traceback_when_verbose(tmp_path: Path) -> None:
    for words in (("-q",), ()):
        found = unsway(*words, "report", tmp_path)
        assert found.exit_code == 1 and found.stderr.startswith("Error: ") and "Traceback" not in found.stderr
    found = unsway("report", tmp_path, "-v")
    assert found.exit_code == 1 and "Traceback" in found.stderr and found.stderr.splitlines()[-1].startswith("Error: ")


def test_what_is_not_asked_is_said_unless_quiet(tmp_path: Path) -> None:
    rows = tmp_path / "mine.jsonl"
    rows.write_text('{"question": "What is 1 plus 1?", "options": ["2", "3"], "answer": "A"}\n')
    words = ("plan", "answers/x", "--questions", rows, "--biases", "suggested_answer,distractor_argument")
    plain, quiet = unsway(*words), unsway(*words, "-q")
    assert plain.exit_code == quiet.exit_code == 0 and "stand-ins" in plain.stderr
    assert quiet.stderr == "" and quiet.stdout == plain.stdout


def options(name: str, command: click.Command, above: click.Context | None = None) -> Iterator[tuple[str, str, str]]:
    """The path, the flag and the variable of every option of every verb."""
    context = command.make_context(name, [], above, resilient_parsing=True)
    for below, each in getattr(command, "commands", {}).items():
        yield from options(below, each, context)
    for option in command.params if above else ():
        if isinstance(option, click.Option):
            yield context.command_path, option.opts[-1], str(option.envvar)


def test_every_option_is_named_in_the_environment_as_on_the_command_line() -> None:
    found = [each for each in options("unsway", main) if not each[0].endswith("data")]
    assert len(found) > 200 and ("unsway judge", "--max-cost", "UNSWAY_JUDGE_MAX_COST") in found
    for verb, flag, variable in found:
        if flag.startswith("--"):
            assert variable == f"{verb} {flag[2:]}".upper().replace(" ", "_").replace("-", "_")
    names = [variable for _, _, variable in found]
    assert len(set(names)) == len(names) and not {"UNSWAY_CACHE", "UNSWAY_ASSETS_DIR"} & set(names)


def test_an_option_is_taken_from_the_environment_and_the_command_line_wins() -> None:
    assert unsway("list", "methods", UNSWAY_LIST_FORMAT="csv").stdout.startswith("name,summary\n")
    assert unsway("list", "methods", "--format", "md", UNSWAY_LIST_FORMAT="csv").stdout.startswith("| name |")
    wrong = unsway("list", "methods", UNSWAY_LIST_FORMAT="cvs")
    assert wrong.exit_code == 2 and "from UNSWAY_LIST_FORMAT" in wrong.stderr
