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

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_recipe_works_as_written(tmp_path: Path) -> None:
    copy = tmp_path / "unsway"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "runs", "__pycache__", "dist", "build"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = text.split("## What one adds, and where")[1].split("\n## ")[0]
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
    }  # of the same files

    def follow(command: str) -> None:
        words = [sys.executable if word == "python" else word for word in shlex.split(command)]
        run = subprocess.run(words, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{command}\n{run.stdout[-3000:]}\n{run.stderr[-3000:]}"

    done = 0
    for match in BLOCK.finditer(recipes):
        path = re.match(r"# (unsway/\S+\.py)\n", match[2])
        if path:
            assert not (copy / path[1]).exists(), path[1]
            (copy / path[1]).write_text(match[2], encoding="utf-8")
        elif match[1] == "sh":
            for command in match[2].splitlines():
                follow(command)
                done += 1
    assert done >= 7
    follow(f"make check BIN={Path(sys.executable).parent} READY=pyproject.toml")
