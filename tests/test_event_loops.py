"""Asking from code that already runs inside an event loop: coroutines, marimo and notebooks."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from tests.forking import Forked
from unsway.errors import BadInput
from unsway.pairing import pairs
from unsway.sampling import run
from unsway.sampling.evaluating import evaluate
from unsway.store import ReplyStore
from unsway.testing import scripted, toy_questions

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


def test_threads_measure_one_after_the_other(tmp_path: Path) -> None:
    asked = pairs(toy_questions(6), ["post_hoc"])

    def ask(number: int, folder: Path | None) -> int:
        model = scripted(asked, {"post_hoc": 0.5}, seed=number % 2, seconds=0.05)
        return len(run(asked, model, folder=folder))

    with ThreadPoolExecutor(6) as threads:
        places = [tmp_path / "own", tmp_path / "shared", tmp_path / "shared", tmp_path / "shared", None, None]
        futures = [threads.submit(ask, number, place) for number, place in enumerate(places)]
        assert [future.result(timeout=100) for future in futures] == [12] * 6
    assert len(ReplyStore(tmp_path / "shared" / "replies.jsonl")) == 24


@pytest.mark.parametrize("by", ["inspect", "unsway"])
def test_measuring_in_a_solver_says_what_to_do_instead(by: str, tmp_path: Path) -> None:
    asked, found = pairs(toy_questions(2), ["post_hoc"]), []

    def measure() -> None:
        try:
            run(asked, scripted(asked, {}), folder=tmp_path / "inside")
        except Exception as error:
            found.append(error)

    @solver
    def measuring() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            measure()
            await asyncio.to_thread(measure)
            return state

        return solve

    model, task = get_model("mockllm/model"), Task(dataset=[Sample("Say a word.")], solver=measuring())
    if by == "inspect":
        inspect_eval(task, model=model, log_dir=str(tmp_path / "logs"), display="none")
    else:
        evaluate(task, model=model, log_dir=str(tmp_path / "logs"))
    assert [type(error) for error in found] == [BadInput, BadInput], found
    assert "Measure before or after it" in str(found[0])
    assert len(run(asked, scripted(asked, {}), folder=tmp_path / "after")) == 4


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


@pytest.mark.parametrize(("folder", "name"), [("x[/y]", "model"), ("x", "m[/y]")])
def test_a_name_that_inspect_takes_for_markup_is_refused_before_anything_is_asked(
    folder: str, name: str, tmp_path: Path
) -> None:
    asked = pairs(toy_questions(1), ["post_hoc"])
    with pytest.raises(BadInput, match="without a piece like"):
        run(asked.pairs, scripted(asked, follow={}, name=name), folder=tmp_path / folder)
    assert not (tmp_path / folder / "replies.jsonl").read_text(encoding="utf-8")
