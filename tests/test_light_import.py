"""Importing costs nothing: heavy libraries load where they are used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch transformers peft trl datasets accelerate inspect_ai openai numpy scipy pandas pydantic altair jinja2 rich "
    "openvino openvino_genai nanoarrow huggingface_hub ray"
).split()


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "import unsway",
        "import unsway.types, unsway.store, unsway.errors, unsway.seeds",
        "import unsway.cli",
        "import unsway.pairing, unsway.biases, unsway.readers.parse, unsway.sources",
        "from unsway import biases; biases.names()",
        "import unsway.training, unsway.backends",
        "import unsway.studies.workers, unsway.studies.executors; from unsway.cli import main",
    ],
)
def test_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_by(statement) & set(HEAVY)


def test_public_names_are_what_they_say() -> None:
    import unsway

    assert list(unsway.__all__) == sorted(unsway.__all__)
    for name in unsway.__all__:
        assert getattr(unsway, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    import unsway

    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = unsway.no_such_thing
