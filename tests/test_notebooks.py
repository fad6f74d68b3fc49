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
cells = [cell for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
try:
    for code in [*("".join(cell["source"]) for cell in cells), "import unsway; print(unsway.__file__)"]:
        reply = client.execute_interactive(code, timeout=400, allow_stdin=False)["content"]
        if reply["status"] != "ok":
            sys.exit(code + "\\n" + "\\n".join(reply["traceback"]))
finally:
    manager.shutdown_kernel(now=True)
"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert len(cells) > 5
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


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
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_the_wheel(python: Path, path: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(python), "-c", RUN, str(path)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert str(python.parent.parent) in done.stdout
