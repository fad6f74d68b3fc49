"""Builds, checks and tags a release: `make release`, or `python .ci/release.py [--no-tag]`.

In: a clean tree whose CHANGELOG.md begins with `## VERSION (DATE)`, the version of pyproject.toml. Out: wheel and sdist in
dist/, dist/notes.md with that section, and an annotated tag. Nothing is pushed or uploaded; the last line says how.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def call(*words: str | Path) -> str:
    """Run a command in the repository; its output, or the end of the release."""
    done = subprocess.run([*map(str, words)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def notes(version: str) -> str:
    """The section of the changelog for this version; ends the release where it is not dated."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(r"^## (\S+) \(([^)]+)\)\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if found is None or found[1] != version or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", found[2]):
        first = found[0].splitlines()[0] if found else "no section"
        sys.exit(f"CHANGELOG.md begins with {first!r}; it must be '## {version} (YYYY-MM-DD)' to be released.")
    return found[3].strip() + "\n"


def build() -> list[Path]:
    """Wheel and sdist, checked for what an index demands; the wheel runs alone in a new environment."""
    for old in DIST.glob("unsway-*"):
        old.unlink()
    call(*(["uv", "build", "--out-dir"] if shutil.which("uv") else [sys.executable, "-m", "build", "--outdir"]), DIST)
    files = sorted(DIST.glob("unsway-*"))
    call(sys.executable, "-m", "twine", "check", "--strict", *files)
    (wheel,) = DIST.glob("*.whl")
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        call(f"{folder}/bin/pip", "install", "--quiet", "-c", "constraints.txt", wheel)
        print(call(f"{folder}/bin/unsway", "--version"))
        call(f"{folder}/bin/unsway", "biases", "suggested_answer")
    return files


def main(tag: bool) -> None:
    """The release, step by step."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if f'version: "{version}"' not in (ROOT / "CITATION.cff").read_text(encoding="utf-8"):
        sys.exit(f"CITATION.cff has another version than {version}.")
    if tag and call("git", "status", "--porcelain"):
        sys.exit("The tree has changes. Commit them first: a tag names a commit.")
    if call("git", "tag", "--list", f"v{version}"):
        sys.exit(f"There is a tag v{version} already. Raise the version in pyproject.toml and CITATION.cff.")
    text = notes(version) if tag else ""
    files = build()
    if tag:
        (DIST / "notes.md").write_text(text, encoding="utf-8")
        call("git", "tag", "--annotate", f"v{version}", "--message", f"unsway {version}\n\n{text}")
        print(f"Tagged v{version}. Next: git push origin v{version}; twine upload {' '.join(map(str, files))}")


if __name__ == "__main__":
    main("--no-tag" not in sys.argv[1:])
