"""The notebooks of the docs run in a kernel, from the wheel, in an environment that has nothing else of this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from unsway import assets

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
RUN = """
import json, sys
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

class Here(KernelManager):
    kernel_spec = KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], language="python")

manager = Here()
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=120)
try:
    for code in json.load(open(sys.argv[1], encoding="utf-8")):
        reply = client.execute_interactive(code, timeout=400, allow_stdin=False)["content"]
        if reply["status"] != "ok":
            sys.exit(code + "\\n" + "\\n".join(reply["traceback"]))
finally:
    manager.shutdown_kernel(now=True)
"""

MORE = {
    "train_and_compare": """
again = us.train(method, MODEL, us.load("procedural/dates", 10, split="train"), recipe=recipe, folder="runs/bct")
assert again == checkpoint
assert [(arm.role, arm.trained) for arm in results.arms] == [("base", ()), ("trained", ("suggested_answer",))]
assert results["suggested_answer", "bct"].n_pairs == 4
"""
}
"""What holds at the end of a notebook, in its own names."""


def code(path: Path) -> list[str]:
    """The cells of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert len(cells) > 5
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_in_colab_and_installs_what_it_says_it_needs(path: Path) -> None:
    about, install = ("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"][:2])
    assert f"(https://colab.research.google.com/github/unsway/unsway/blob/main/docs/notebooks/{path.name})" in about
    needs = about.partition("pip install '")[2].partition("'")[0]
    assert needs.startswith("unsway[") and f'%pip install -q "{needs} @ git+https://' in install
    assert install.startswith("from importlib.util import find_spec") and 'if not find_spec("unsway"):' in install


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel of this tree; the other packages are those of the tests' own."""
    pytest.importorskip("ipykernel", reason="`pip install 'unsway[docs]'` brings what runs notebooks")
    hatchling = pytest.importorskip("hatchling.build", reason="hatchling builds the wheel")
    place = tmp_path_factory.mktemp("wheel")
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        wheel = place / hatchling.build_wheel(str(place))
    finally:
        os.chdir(before)
    venv.create(place / "venv")
    python = place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    others = [path for path in sys.path if path.endswith("-packages")]
    (packages / "others.pth").write_text("\n".join(others), encoding="utf-8")  # .pth files in there are not followed
    return python


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(assets.folder_of("smollm2-135m") is None, reason="`make assets` fetches the embedded model")
def test_the_notebooks_run_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """One after the other in one kernel, which imports once; none sees the names or the files of another."""
    steps = []
    for path in NOTEBOOKS:
        (tmp_path / path.stem).mkdir()
        steps += ["%reset -f", f"%cd -q {tmp_path / path.stem}", *code(path), MORE.get(path.stem, "")]
    steps.append("import unsway; print(unsway.__file__)")
    (tmp_path / "steps.json").write_text(json.dumps(steps), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(python), "-c", RUN, str(tmp_path / "steps.json")]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert str(python.parent.parent) in done.stdout
