"""Asking from code that already runs inside an event loop: coroutines, marimo and notebooks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ASK = """
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.testing import scripted, toy_questions
asked = pairs(toy_questions(6), ["post_hoc"])

def ask(folder):
    return run(asked, scripted(asked, follow={"post_hoc": 1.0}), folder=folder)
"""


def script(folder: Path, body: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = folder / "script.py"
    path.write_text(ASK + textwrap.dedent(body), encoding="utf-8")
    command = [sys.executable, str(path), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | env, timeout=200)


def test_a_coroutine_can_measure(tmp_path: Path) -> None:
    done = script(
        tmp_path,
        """
        import asyncio, sys
        from inspect_ai.log import read_eval_log
        from unsway.importing.replies import load
        from pathlib import Path

        async def main():
            replies = ask(sys.argv[1] + "/study")
            again = ask(sys.argv[1] + "/other")
            (log,) = Path(sys.argv[1], "other", "logs").glob("*.eval")
            log = log.rename(Path(sys.argv[1], log.name))
            print(len(replies), [reply.text for reply in replies] == [reply.text for reply in again], len(load(log).replies))

        asyncio.run(main())
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["12", "True", "12"]


def test_an_interrupt_inside_a_loop_ends_the_asking(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        ASK
        + textwrap.dedent(
            """
            import asyncio, sys
            model = scripted(asked, follow={})
            async def slow(*args, **kwargs):
                print("asking", flush=True)
                await asyncio.sleep(100)
            model.api.generate = slow
            async def main():
                run(asked, model, folder=sys.argv[1])
            asyncio.run(main())
            """
        ),
        encoding="utf-8",
    )
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "study")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"asking\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert time.monotonic() - began < 40 and process.returncode != 0


def test_a_notebook_can_measure(tmp_path: Path) -> None:
    pytest.importorskip("ipykernel")
    pytest.importorskip("ipywidgets")
    client = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    code = ASK + f'\nprint(len(ask("{tmp_path}/study")))'
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client.NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
    assert "12" in "".join(output.get("text", "") for output in notebook.cells[0].outputs)


def test_a_notebook_without_ipywidgets_says_what_to_install(tmp_path: Path) -> None:
    """With a stand-in for IPython's shell: what Inspect looks at to know a notebook."""
    (tmp_path / "IPython.py").write_text(
        "class Shell:\n    config = {'IPKernelApp': {}}\n\ndef get_ipython():\n    return Shell()\n", encoding="utf-8"
    )
    body = """
    import sys
    from unsway.errors import MissingExtra
    sys.modules["ipywidgets"] = None  # as if it were not installed
    try:
        run(asked, "openai/gpt-4o-mini", folder=sys.argv[1] + "/study")
    except MissingExtra as error:
        print(error)
    """
    done = script(
        tmp_path, body, OPENAI_API_KEY="none", PYTHONPATH=f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    )
    assert done.returncode == 0, done.stderr
    assert "pip install 'unsway[notebook]'" in done.stdout
