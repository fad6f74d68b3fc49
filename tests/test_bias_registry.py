"""How biases are declared, found and refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from biasing import (
    NAMES,
)

from unsway import biases
from unsway.biases.insert import put
from unsway.biases.registry import bias
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.testing import toy_questions
from unsway.types import Part, Prompt, Question, Turn


def test_unknown_names() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'wrong_few_shot'"):
        biases.get("wrong_fewshot")
    with pytest.raises(UnknownName, match="Known: letter, quoted"):
        biases.get("suggested_answer/latter")
    with pytest.raises(UnknownName):
        biases.get("post_hoc/letter")


def _declare(**changes: object) -> None:
    about: dict[str, object] = {"version": 1, "summary": "s", "paper": "arXiv:0000.00000"} | changes
    make = about.pop("make", lambda question, clean, option, draw: clean)
    bias(about.pop("name", "fresh"), **about)(make)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "post_hoc"}, "'post_hoc' is taken by another bias"),
        ({"make": lambda question, clean: clean}, "must take"),
        ({"make": lambda question, clean, option, draw, *, style: clean}, "must take"),
        ({"forms": ("a",)}, "keyword `form`"),
        ({"make": lambda question, clean, option, draw, *, form: clean}, "keyword `form`"),
        ({"name": "fresh/one"}, "separates a bias from its form"),
        ({"name": 7}, "cannot be the name"),
        ({"target": "towards"}, "has the target 'towards'; it is one of 'toward', 'away'"),  # was counted as away
        ({"kind": "inserted"}, "has the kind 'inserted'"),
        ({"clean": "none"}, "has the clean 'none'"),
    ],
)
def test_a_wrong_declaration_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        _declare(**changes)
    assert biases.names() == NAMES


def _stem_changed(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    return Prompt((Turn("user", (Part("stem", "Other?"), *(clean.turns[0].parts or ())[1:], Part("cue", "x"))),))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_stem_changed, "changed more than cues"),
        (lambda question, clean, option, draw: clean, "put no cue"),
        (lambda question, clean, option, draw: biases.Substituted(clean, clean), "made a Substituted"),
        (lambda question, clean, option, draw: None, "'post_hoc' returned None for question .*, which is no Prompt"),
        (
            lambda question, clean, option, draw: (
                biases.Skip("too easy") if question == toy_questions(1)[0] else put(clean, "end", os.urandom(8).hex())
            ),
            "made two different prompts for question",
        ),
        (lambda question, clean, option, draw: {}["gone"], r"'post_hoc' failed on question .* \(KeyError: 'gone'\)"),
    ],
)
def test_a_bias_that_breaks_its_promise_is_refused(make: Callable[..., Prompt], said: str) -> None:
    broken = replace(biases.get("post_hoc"), make=make, wants=())
    with pytest.raises(BadInput, match=said):
        pairs(toy_questions(2), [broken])


def test_a_bias_whose_reader_there_is_not_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(UnknownName, match="no reader named 'nope'"):
        pairs(toy_questions(1), [replace(biases.get("post_hoc"), reader="nope")])


PLUGIN = '''
from unsway.biases import bias
from unsway.biases.insert import put

@bias("shouting", version=3, summary="The user shouts", paper="arXiv:0000.00000")
def shouting(question, clean, option, draw):
    """Followed when the shouted option is answered."""
    return put(clean, "end", f"IT IS {question.options[option].upper()}!")
'''


def _with_plugin(folder: Path, body: str, code: str, other: str = "") -> subprocess.CompletedProcess[str]:
    for package, text in (("loud", body), ("quiet", other)):
        if text:
            (folder / f"{package}.py").write_text(text, encoding="utf-8")
            info = folder / f"{package}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
            (info / "entry_points.txt").write_text(f"[unsway.plugins]\nloud = {package}\n", encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_a_plugin_adds_a_bias(tmp_path: Path) -> None:
    code = (
        "from unsway import biases; from unsway.pairing import pairs; from unsway.testing import toy_questions; "
        "print(biases.get('shouting').versioned, pairs(toy_questions(1), ['shouting']).pairs[0].biased.cue())"
    )
    done = _with_plugin(tmp_path, PLUGIN, code)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"shouting@3 IT IS \d+!\n", done.stdout)
    assert done.stderr == "1 plug-in of loud 1.0 loaded: loud.\n"


def test_a_plugin_that_cannot_be_imported_is_named_each_time_with_the_same_reason(tmp_path: Path) -> None:
    code = """
from traceback import extract_tb
from unsway import biases, readers
depths = []
for names in (readers.names, biases.names, biases.names):
    try:
        names()
    except ValueError as error:
        depths.append(len(extract_tb(error.__traceback__)))
        print(error)
print(depths[1] == depths[2])
"""
    done = _with_plugin(tmp_path, PLUGIN + "import no_such_module_anywhere\n", code)
    first, again, _, is_as_deep = done.stdout.splitlines()
    assert is_as_deep == "True", "an error that is raised again holds no frames of earlier calls"
    assert (
        first
        == again
        == (
            "The plug-in 'loud' (loud) of loud 1.0 cannot be imported: ModuleNotFoundError: No module named "
            "'no_such_module_anywhere'. Fix it, or uninstall the package, and start Python again."
        )
    )


def test_two_packages_with_one_name_are_both_loaded_and_a_bias_that_both_have_is_said_to_be_whose(
    tmp_path: Path,
) -> None:
    own = PLUGIN.replace('"shouting"', '"post_hoc"')  # declared before ours, because readers are listed first
    code = "from unsway import biases, readers; print(readers.names()); biases.names()"
    done = _with_plugin(tmp_path, PLUGIN, code, own)
    assert "1 plug-in of loud 1.0 loaded: loud.\n1 plug-in of quiet 1.0 loaded: loud.\n" in done.stderr
    said = "The name 'post_hoc' is taken by another bias, of the plug-in 'loud' of quiet 1.0. Rename one of the two."
    assert done.returncode == 1 and said in done.stderr
