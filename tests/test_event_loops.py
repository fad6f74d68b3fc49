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

from tests.forking import Forked

ASK = """
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.testing import scripted, toy_questions
asked = pairs(toy_questions(6), ["post_hoc"])

def ask(folder):
    return run(asked, scripted(asked, follow={"post_hoc": 1.0}), folder=folder)
"""


def test_a_coroutine_can_measure(tmp_path: Path) -> None:
    body = """
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
        """
    with Forked(ASK + textwrap.dedent(body), str(tmp_path), out=tmp_path / "said") as process:
        said, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert said.split() == ["12", "True", "12"]


def test_an_interrupt_inside_a_loop_ends_the_asking(tmp_path: Path) -> None:
    code = ASK + textwrap.dedent(
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
    )
    with Forked(code, str(tmp_path / "study"), out=tmp_path / "said") as process:
        process.says("asking")
        began = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
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
    env = os.environ | {
        "OPENAI_API_KEY": "none",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    command = [sys.executable, "-c", ASK + textwrap.dedent(body), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "pip install 'unsway[notebook]'" in done.stdout
