"""CONTRIBUTING is followed to the letter on a copy of the repository: its files are written, its commands run, and pass."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forking import run

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_recipe_works_as_written(tmp_path: Path) -> None:
    copy = tmp_path / "unsway"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "runs", "dist", "build"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = text.split("## What you can add, and where")[1].split("\n## ")[0]
    steps: list[dict[str, object]] = []
    for match in BLOCK.finditer(recipes):
        path = re.match(r"# (unsway/\S+\.py)\n", match[2])
        if path:
            assert not (copy / path[1]).exists(), path[1]
            steps.append({"file": str(copy / path[1]), "text": match[2]})
        elif match[1] == "sh":
            commands = [shlex.split(line) for line in match[2].splitlines()]
            assert all(program == "python" for program, *_ in commands)
            steps += [{"words": words, "cwd": str(copy)} for _, *words in commands]
    assert sum("words" in step for step in steps) >= 7
    done = run(steps, copy, "--train", file=tmp_path / "steps.json")
    assert done.returncode == 0, f"{done.stdout[-5000:]}\n{done.stderr[-3000:]}"
    added = " ".join(
        str(step["file"]) for step in steps if "file" in step
    )  # the rest was looked at: each file is, alone
    check = ["make", "check", f"BIN={Path(sys.executable).parent}", "READY=pyproject.toml", f"ADDED={added}"]
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
    }  # of the same files
    done = subprocess.run(check, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
