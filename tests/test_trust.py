"""Keys are never stored, weights run no code, and nothing from the working folder is loaded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import pytest
import zipfile_zstd  # noqa: F401  # lets zipfile read Inspect's logs
from click.testing import CliRunner

from tests.forking import Forked
from tests.openai_server import OpenAiServer, let_go
from tests.tiny import loads_torch, real, tiny_model
from unsway.cli import main
from unsway.errors import ModelError
from unsway.models.weights import CHECKPOINT_FILE, locate
from unsway.sampling import ask
from unsway.store import dumps
from unsway.types import Checkpoint, Part, Prompt, Settings, Turn

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
KEY = "sk-trust-4711-very-secret"


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    let_go()


# ---------------------------------------------------------------- keys


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and every member of its archives."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
            if is_zipfile(path):
                with ZipFile(path) as log:
                    yield from ((f"{path}:{name}", log.read(name)) for name in log.namelist())


def quoting(trouble: str) -> OpenAiServer:
    """A server that answers with a trouble and quotes the key: each call of a bad kind, the first three of another."""
    bad = trouble in BAD
    server = OpenAiServer(trouble=lambda method, path, n: trouble if bad or n < 3 else None, stall=0.5)
    server.answer = lambda body: f"The key is {KEY[:2]}… The best answer is: (A)."
    return server


def measuring(server: OpenAiServer, folder: Path) -> list[str]:
    asks = ["--questions", "procedural/dates", "-n", "4", "--out", str(folder), "--label", "m"]
    patience = 'patience={"first": 0.05, "longest": 0.2, "tries": 6, "gone": 9, "never": 9}'
    return ["measure", "openai-api/local/m", *asks, "-M", f"base_url={server.url}", "-M", patience]


BAD = ("401", "400")
"""What every call meets; the others pass."""
VERBS = """
import os
from unsway.cli import main
os.chdir({folder!r})
for words in {verbs!r}:
    try:
        main(words)
    except SystemExit as end:
        print("ended with", end.code, flush=True)
"""


@pytest.mark.parametrize("troubles", [("malformed",), ("401", "400", "429")], ids=",".join)
def test_a_key_lands_nowhere_even_where_the_server_quotes_it(troubles: tuple[str, ...], tmp_path: Path) -> None:
    """The real command, which is looked at while it runs, as `ps` would; or several in one process that is forked."""
    seen: set[bytes] = set()
    secret = {"LOCAL_API_KEY": KEY, "XDG_DATA_HOME": str(tmp_path / "data")}  # Inspect's traces
    with ExitStack() as servers:
        verbs = [measuring(servers.enter_context(quoting(each)), tmp_path / each) for each in troubles]
        alone = len(verbs) == 1
        if alone:
            command = [sys.executable, "-m", "unsway", *verbs[0]]
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            with subprocess.Popen(command, env=os.environ | secret, cwd=tmp_path, **pipes) as process:
                while process.poll() is None:
                    seen.add(_command_line(process.pid))
                    time.sleep(0.05)
                code, said = process.returncode, process.stdout.read() + process.stderr.read()
            assert any(b"unsway" in line for line in seen)
        else:
            with Forked(VERBS.format(verbs=verbs, folder=str(tmp_path)), out=tmp_path / "said.txt", **secret) as forked:
                said = "".join(forked.communicate(timeout=110)).encode()
                code = forked.returncode
    assert code == 0, said.decode()
    ends = re.findall(r"ended with (\d)", said.decode())
    assert alone or ends == [str(int(each in BAD)) for each in troubles], said.decode()
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()], "Inspect left no trace to look at"
    assert KEY.encode() not in said and not [line for line in seen if KEY.encode() in line]
    for each in troubles:
        assert (tmp_path / each / "failures.jsonl").is_file()
        assert each in BAD or CliRunner().invoke(main, ["report", str(tmp_path / each)]).exit_code == 0
    assert [name for name, content in everything(tmp_path) if KEY.encode() in content] == []


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended in between
        return b""


@pytest.mark.parametrize("name", ["api_key", "hf_token", "client_secret", "password", "Authorization"])
def test_a_secret_on_the_command_line_is_refused(name: str, tmp_path: Path) -> None:
    asks = ["measure", "openai-api/local/m", "--questions", "procedural/dates", "--out", str(tmp_path / "out")]
    found = CliRunner().invoke(main, [*asks, "-M", f"{name}={KEY}"])
    assert found.exit_code == 2 and "_API_KEY" in found.output and KEY not in found.output
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- weights


EVIL = "from pathlib import Path\nPath({mark!r}).write_text('owned')\nclass Evil: pass\n"


@real
@loads_torch
def test_code_that_comes_with_weights_is_never_run(tmp_path: Path) -> None:
    folder, mark = tiny_model(tmp_path / "model"), tmp_path / "owned"
    for name, key in (("config.json", "AutoModelForCausalLM"), ("tokenizer_config.json", "AutoTokenizer")):
        body = json.loads((folder / name).read_text())
        value = "evil.Evil" if name == "config.json" else ["evil.Evil", None]
        body["auto_map"] = {key: value, "AutoConfig": "evil.Evil"}
        (folder / name).write_text(json.dumps(body))
    (folder / "evil.py").write_text(EVIL.format(mark=str(mark)))
    prompt = Prompt((Turn("user", (Part("stem", "Which?"),)),))
    (reply,) = ask([prompt], f"unsway/{folder}", settings=Settings(max_tokens=2), model_args={"engine": "torch"})
    assert reply.tokens_out <= 2 and not mark.exists()


def test_an_adapter_of_pickles_is_refused_whatever_lies_beside_it(tmp_path: Path) -> None:
    base, folder = tmp_path / "base", tmp_path / "adapter"
    for place in (base, folder):
        place.mkdir()
        (place / "model.safetensors").write_text("w")
    (base / "config.json").write_text("{}")
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04.")
    made = Checkpoint(str(folder), f"{base}@{locate(str(base)).fingerprint}", "local", str(folder), "Bct()", "0", 1, 1)
    (folder / CHECKPOINT_FILE).write_text(dumps(made))
    with pytest.raises(ModelError, match=r"'adapter_model\.bin': a pickle can run any code"):
        locate(str(folder))


# ---------------------------------------------------------------- code of others


def test_code_of_the_working_folder_is_not_loaded(tmp_path: Path) -> None:
    for name in ("loud", "unsway_plugins", "plugins", "sitecustomize_unsway"):
        (tmp_path / f"{name}.py").write_text(EVIL.format(mark=str(tmp_path / "owned")))
    (tmp_path / "entry_points.txt").write_text("[unsway.plugins]\nloud = loud\n")
    program = Path(sys.executable).with_name("unsway")
    command = [str(program)] if program.exists() else [sys.executable, "-m", "unsway"]
    done = subprocess.run([*command, "biases"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "suggested_answer" in done.stdout and "Plug-in" not in done.stderr
    assert not (tmp_path / "owned").exists()


def test_the_fast_engine_tells_its_maker_nothing(tmp_path: Path) -> None:
    """Importing OpenVINO makes a client id in the home folder and reports; ours has no reporter, so there is no id."""
    pytest.importorskip("openvino_genai")
    code = "from unsway.models.engines.openvino import genai; genai(); import openvino.tools.ovc as ovc; print(ovc.telemetry)"
    environment = {name: value for name, value in os.environ.items() if name != "CI"}  # where it is silent by itself
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "telemetry_stub" in done.stdout, done.stderr
    assert not list(tmp_path.iterdir())
