"""The weight of the package: what it imports is declared, the core alone measures, and what is missing names its extra."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, requires
from itertools import chain
from pathlib import Path

import pytest

from tests.forking import Forked
from tests.openai_server import OpenAiServer
from unsway import disk

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOORS = {
    "assets/hub.py": "`refusal` comes first",
    "backends/local/backend.py": "the live model is made first",
    "backends/local/chunks.py": "is given the output layer of a model that is loaded",
    "backends/local/heads.py": "is given a model that is loaded",
    "backends/local/passes.py": "goes over rows with a model that is loaded",
    "backends/local/replies.py": "asks the template of a tokenizer that is loaded",
    "backends/local/saving.py": "writes a model that was trained",
    "backends/local/states.py": "reads the states of a model that is loaded",
    "models/weights.py": "asks the template of a tokenizer that is loaded",
    "backends/local/live.py": "`__init__` comes first",
    "models/beginnings.py": "keeps what a model that is loaded went over",
    "backends/local/rolling.py": "samples from a model that is loaded",
    "backends/local/target_loss.py": "imported by trainers.py behind its import of trl",
    "backends/local/trainers.py": "`arguments` comes first",
    "backends/local/memory.py": "asked for once the model is loaded",
    "backends/tinker/policy.py": "the client is made first, behind its own extra, which brings torch",
    "models/engines/torch.py": "made after the weights were located and the tokenizer was loaded",
    "models/engines/openvino.py": "`__init__` comes first",
    "models/engines/vllm.py": "`__init__` comes first",
    "reporting/deck/powerpoint.py": "imported by deck/__init__.py behind `requires`",
    "sampling/context.py": "asks the template of a tokenizer that is loaded",
}
"""Files whose optional libraries are imported only behind the `requires` of another one, and which."""


def distribution(requirement: str) -> str:
    """The name in a requirement, spelled one way: `Python_PPTX>=1` is `python-pptx`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[><=!~;(]", requirement, maxsplit=1)[0]).lower()


CORE = {distribution(line) for line in PROJECT["dependencies"]}
EXTRAS = {name: {distribution(line) for line in lines} for name, lines in PROJECT["optional-dependencies"].items()}


@cache
def parsed(path: Path) -> ast.AST:
    """The tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Each import of a tree with the top name of its module; `import_module` counts too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and "import_module" in (
            getattr(node.func, "attr", ""),
            getattr(node.func, "id", ""),
        ):
            named = [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            yield from ((node, str(name).partition(".")[0]) for name in named)


@cache
def foreign(folder: str) -> tuple[tuple[str, ast.AST, str], ...]:
    """Imports of other people's modules under a folder: file, node, distribution."""
    known = packages_distributions()
    own = {"unsway", "tests", "experiments", "benchmarks", "chua2024", "coverage"} | {
        path.stem for path in chain((ROOT / "tests").rglob("*.py"), (ROOT / "benchmarks").rglob("*.py"))
    }
    own |= {path.stem for path in (ROOT / "experiments").rglob("*.py")} | {"browser"}
    return tuple(
        (str(path.relative_to(ROOT / folder)), node, distribution(known.get(module, [module])[0]))
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node, module in modules(parsed(path))
        if module not in sys.stdlib_module_names and module not in own
    )


@pytest.mark.parametrize("folder", ["unsway", "tests", "benchmarks", "experiments"])
def test_what_is_imported_is_declared(folder: str) -> None:
    declared = CORE.union(*EXTRAS.values())
    assert {(path, name) for path, _, name in foreign(folder) if name not in declared} == set()


def test_what_is_declared_for_everyone_is_imported() -> None:
    assert CORE - {name for _, _, name in foreign("unsway")} - {"openai"} == set()


def typing_only(tree: ast.AST) -> set[int]:
    """Lines under `if TYPE_CHECKING`."""
    blocks = (n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    return {line for block in blocks for line in range(block.lineno, (block.end_lineno or 0) + 1)}


def behind_extra(tree: ast.AST) -> dict[int, set[str]]:
    """Lines of `with requires(…)` blocks, with the extras that each names."""
    lines: dict[int, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "requires":
                    (named, *_) = call.args
                    assert isinstance(named, ast.Constant)
                    for line in range(node.lineno, (node.end_lineno or 0) + 1):
                        lines[line] = {*str(named.value).split(",")}
    return lines


def with_inner(extra: str) -> set[str]:
    """The distributions of an extra, and of those that it includes."""
    inner = [re.findall(r"\[(.*?)\]", line) for line in PROJECT["optional-dependencies"][extra] if "unsway[" in line]
    return EXTRAS[extra].union(*(with_inner(name) for (names,) in inner for name in names.split(",")))


def test_an_optional_library_is_imported_behind_its_extra() -> None:
    wrong = []
    for path, node, name in foreign("unsway"):
        tree, line = parsed(ROOT / "unsway" / path), getattr(node, "lineno", 0)
        if name in CORE or not isinstance(node, ast.Import | ast.ImportFrom) or line in typing_only(tree):
            continue
        extras = behind_extra(tree).get(line)
        if not (path in DOORS if extras is None else any(name in with_inner(extra) for extra in extras)):
            wrong.append(f"{path}:{line}: {name}")
    assert wrong == []


# ---------------------------------------------------------------- without them


def optional() -> list[str]:
    """Top modules of this environment that `pip install unsway` does not bring."""
    known = {module: {distribution(name) for name in names} for module, names in packages_distributions().items()}
    installed = set().union(*known.values())
    brought: set[str] = {"unsway", "setuptools", "pip"}
    pending = set(CORE)
    while pending:
        name = pending.pop()
        if name not in brought:
            brought.add(name)
            wanted = (requires(name) or ()) if name in installed else ()
            pending |= {distribution(line) for line in wanted if "extra ==" not in line}
    return sorted(module for module, names in known.items() if not names & brought)


HIDE = """
import sys
class Hidden:
    def __init__(self, names): self.names = set(names)
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden(NAMES))
"""


def without(names: list[str], code: str, **environment: str) -> str:
    """What a program prints in which some modules are not installed."""
    program = HIDE.replace("NAMES", repr(names)) + code
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"} | environment
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_alone_measures_a_hosted_model_and_writes_table_and_json(tmp_path: Path) -> None:
    hidden = optional()
    assert {"altair", "vl_convert", "torch", "transformers", "pptx", "nanoarrow", "pyarrow"} <= set(hidden)
    with OpenAiServer() as server:
        words = "measure openai-api/local/any --questions procedural/arithmetic -n 4 --biases suggested_answer".split()
        words += ["-M", f"base_url={server.url}", "--out", str(tmp_path)]
        code = "from unsway.cli import main\n" + "".join(
            f"main({again!r}, standalone_mode=False)\n" for again in (words, [*words, "--json"])
        )
        table, _, rows = without(hidden, code, LOCAL_API_KEY="none").partition("[\n")
        assert len(server.said("POST", "/chat/completions")) == 8
    assert "suggested answer" in table and "BRR" in table
    assert [row["n"] for row in json.loads(f"[{rows}")] == [4]


MISSING = """
from pathlib import Path
from odd_studies import one_arm
from unsway.errors import MissingExtra
from unsway.judging.label_page import serve
from unsway.judging.label_store import LabelStore
from unsway.models.weights import load_config
from unsway.reporting import report
from unsway.reporting.charts import write_figure
from unsway.rows import opening
study = one_arm()
for try_it in (
    lambda: report(study, "page.html"),
    lambda: write_figure(study, "brr", "brr.svg"),
    lambda: report(study, "deck.pptx"),
    lambda: serve(LabelStore("."), "me"),
    lambda: list(opening.arrow(Path("rows.arrow"))),
    lambda: list(opening.parquet(Path("rows.parquet"))),
    lambda: load_config(None),
):
    try:
        try_it()
    except MissingExtra as error:
        print(str(error).rpartition("unsway[")[2].strip("]'"))
"""


def test_what_is_missing_names_its_extra() -> None:
    named = without([*optional(), "starlette", "uvicorn"], MISSING)
    assert named.split() == ["report", "report", "slides", "label", "offline", "hub", "local"]


# ---------------------------------------------------------------- on other systems

MAC = "import os\ndel os.posix_fallocate\n"
"""What makes a process of ours lack what macOS lacks."""
WINDOWS = """
import os, signal, sys
fork = os.fork  # ours alone: it starts the next process
import psutil  # which Inspect imports: it is Linux's here
del os.posix_fallocate, os.fork, os.getuid, os.register_at_fork
sys.modules |= dict.fromkeys(("fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty"))
import unsway as us, unsway.cli, unsway.backends, unsway.studies, unsway.judging.label_page, unsway.reporting.page
from unsway.testing import scripted
us.report, us.measure
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends is gone
while True:
    out, code = eval(sys.stdin.readline() or "sys.exit()")
    child = fork()
    if child:
        print(child, flush=True)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in (1, 2):
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    exec(code, {"__name__": "__main__"})
    sys.exit()
"""
"""A process that lacks what Windows lacks and imports everything without it; each line it reads is one to fork from it."""
SHARED = """
from pathlib import Path
from unsway.disk import append_row
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.testing import scripted, toy_questions
asked = pairs(toy_questions(16), ["post_hoc", "suggested_answer"])
model = scripted(asked, follow={{"post_hoc": 0.5}}, seconds=0.05)
generate = model.api.generate
async def noted(*args, **kwargs):
    append_row(Path({folder!r}) / "spoken.txt", "x")
    return await generate(*args, **kwargs)
model.api.generate = noted
print("ready", flush=True)
print(len(run(asked, model, folder={folder!r})), flush=True)
"""
MEASURED = """
import unsway as us
from unsway.cli import main
from unsway.studies import Study, run
from unsway.testing import scripted, toy_questions
pairs = us.pairs(toy_questions(12), ["post_hoc", "suggested_answer"])
found = us.measure(scripted(pairs, follow={{"post_hoc": 0.5}}), pairs, folder={folder!r})
us.report(found, {folder!r} + "/report.html")
study = Study(models="scripted", biases="suggested_answer", tasks=("procedural/arithmetic",), n=5)
run(study, {folder!r} + "/study", using={{"scripted": scripted(study.pairs(), follow={{}})}})
main(["report", {folder!r}, "--page", {folder!r} + "/again.html"], standalone_mode=False)
print(len(found.replies), sum(cell.brr.n for cell in found.cells))
"""


class Windows:
    """Starts processes that lack what Windows lacks."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", "-c", WINDOWS]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    def start(self, program: str, folder: Path, name: str) -> int:
        """The number of a process whose words go to `name.said` in the folder."""
        assert self.server.stdin is not None and self.server.stdout is not None
        said = str(folder / f"{name}.said")
        print((said, program.format(folder=str(folder))), file=self.server.stdin, flush=True)
        return int(self.server.stdout.readline())


def end_of(pid: int, folder: Path, name: str) -> list[str]:
    """What a process said until it ended."""
    until = time.monotonic() + 110
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    return (folder / f"{name}.said").read_text(encoding="utf-8").split()


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    made = Windows()
    with made.server:
        yield made
        made.server.kill()


def measured_and_reported(folder: Path, said: list[str]) -> None:
    assert said[-2:] == ["36", "24"], said
    assert (folder / "report.html").exists() and (folder / "again.html").exists()
    assert list(folder.rglob(".part-*")) == list(folder.rglob("claims*.lock")) == []


def test_a_model_is_measured_and_reported_on_macos(tmp_path: Path) -> None:
    with Forked(MAC + MEASURED.format(folder=str(tmp_path)), out=tmp_path / "mac.said") as process:
        out, err = process.communicate(timeout=110)
    measured_and_reported(tmp_path, out.split() or err.split())


def test_a_model_is_measured_and_reported_on_windows(windows: Windows, tmp_path: Path) -> None:
    measured_and_reported(tmp_path, end_of(windows.start(MEASURED, tmp_path, "one"), tmp_path, "one"))


def test_processes_share_a_folder_on_windows(windows: Windows, tmp_path: Path) -> None:
    """On macOS they share it by the locks of Linux (test_sharing.py)."""
    both = {name: windows.start(SHARED, tmp_path, name) for name in ("one", "two")}
    assert [end_of(pid, tmp_path, name) for name, pid in both.items()] == [["ready", "48"]] * 2
    assert len((tmp_path / "replies.jsonl").read_text(encoding="utf-8").splitlines()) == 48
    assert len((tmp_path / "spoken.txt").read_text(encoding="utf-8").splitlines()) == 48  # nothing was asked twice
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_process_that_is_killed_on_windows_holds_nothing(windows: Windows, tmp_path: Path) -> None:
    first = windows.start(SHARED, tmp_path, "first")
    while not (tmp_path / "spoken.txt").exists():
        assert Path(f"/proc/{first}").exists()
        time.sleep(0.02)
    os.kill(first, signal.SIGKILL)
    assert end_of(first, tmp_path, "first") == ["ready"]
    assert end_of(windows.start(SHARED, tmp_path, "second"), tmp_path, "second") == ["ready", "48"]
    assert list(tmp_path.rglob("*.lock")) == []


LEFT = """
import os
from pathlib import Path
from unsway.disk import ByteLocks, exclusive
place = Path({folder!r})
def left(name):
    (place / name).touch()
    os.utime(place / name, (0, 0))
left(".lock.lock")
with exclusive(place):
    print("held", (place / ".lock.lock").stat().st_size > 0)
left("claims.7.lock")
print("taken", ByteLocks(place / "claims").take(7))
"""


def test_a_lock_file_whose_maker_was_killed_before_it_wrote_its_number_holds_nobody(
    windows: Windows, tmp_path: Path
) -> None:
    assert end_of(windows.start(LEFT, tmp_path, "left"), tmp_path, "left") == ["held", "True", "taken", "True"]


def test_space_is_reserved_where_the_file_system_cannot_allocate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    (tmp_path / "held").touch()
    disk.allocate(tmp_path / "held", 5000)
    assert (tmp_path / "held").stat().st_size == 5000
