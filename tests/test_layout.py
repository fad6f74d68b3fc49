"""docs/studies.md lists every file of a study's folder, and no other module spells the name of one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from unsway import layout

ROOT = Path(__file__).parent.parent
NAMES = {value for name, value in vars(layout).items() if name.isupper()}


def test_the_docs_list_every_file() -> None:
    section = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8").split("## What is in a folder")[1]
    table = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {name.rstrip("/") for cell in table for name in re.findall(r"`([^`]+)`", cell)}
    assert listed | {layout.LABELS} == NAMES


def test_no_other_module_spells_a_name() -> None:
    files = {name for name in NAMES if "." in name}
    for path in (ROOT / "unsway").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        spelled = [node.value for node in nodes if isinstance(node, ast.Constant) and node.value in files]
        assert spelled == [] or path.name == "layout.py", path


def test_helpers_of_the_tests_have_one_spelling() -> None:
    """Imported as `tiny` and as `tests.tiny`, a module is there twice in a process, with everything that it caches."""
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    helpers = [path.stem for path in (ROOT / "tests").glob("*.py")]
    plain, dotted = (set(re.findall(rf"^ *(?:from|import) {head}(\w+)", texts, re.M)) for head in ("", r"tests\."))
    assert not plain & dotted & set(helpers)
