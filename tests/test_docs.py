"""Documentation executes: Python blocks run, JSON blocks load, command lines are ones that the program takes, links exist."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from tests.forking import run
from unsway import assets
from unsway.cli import main
from unsway.sources import load

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(kind: str) -> list[object]:
    """The blocks of one kind, each named by its page and number."""
    found = ((page, *pair) for page in PAGES for pair in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))))
    return [pytest.param(match[2], id=f"{page.name}-{i}") for page, i, match in found if match[1] == kind]


@pytest.mark.parametrize("block", blocks("console"))
def test_command_lines_are_taken(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for line in filter(None, map(str.strip, block.splitlines())):
        program, *words = shlex.split(line, comments=True)
        if program == "make":
            assert set(words) <= targets, line
        else:
            assert program == "unsway", line
            parse(main, words, monkeypatch)


def parse(command: click.Command, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let click check a command line without running it."""
    context = click.Context(command, info_name=command.name)
    if isinstance(command, click.Group):
        _, sub, rest = command.resolve_command(context, words)
        assert sub is not None
        parse(sub, rest, monkeypatch)
        return
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            monkeypatch.setattr(parameter.type, "exists", False)  # the page's files are the reader's
    command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("block", blocks("json"))
def test_json_blocks_are_questions(block: str, tmp_path: Path) -> None:
    lines = [line for line in block.splitlines() if line.strip()]
    assert all(json.loads(line) for line in lines)
    path = tmp_path / "mine.jsonl"
    path.write_text(block)
    assert len(load(str(path))) == len(lines)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(assets.folder_of("smollm2-135m") is None, reason="`make assets` fetches the embedded model")
def test_python_blocks_run(tmp_path: Path) -> None:
    """The blocks of a page run in order, as a reader would paste them into one session, each page in a folder of its own."""
    steps = []
    for page in PAGES:
        code = "\n".join(match[2] for match in BLOCK.finditer(page.read_text(encoding="utf-8")) if match[1] == "python")
        if code and page.name != "CONTRIBUTING.md":  # it has its own test
            (tmp_path / page.stem).mkdir()
            steps.append({"name": page.name, "words": ["-c", code], "cwd": str(tmp_path / page.stem)})
    assert len(steps) >= 18
    done = run(steps, ROOT, "--all", "--train", file=tmp_path / "steps.json")
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_pages_name_no_machine_paths() -> None:
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(?:home|work|root|tmp)/", page.read_text(encoding="utf-8")), page
