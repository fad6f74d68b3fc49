"""One-time work of a process's first measurement; importing this does it before other processes are forked."""

from importlib import import_module
from pkgutil import iter_modules

from inspect_ai._display.rich import display
from inspect_ai.model import get_model_info

from unsway import biases, readers, sources

for room in (biases, readers, sources):  # files added later are still found when a name is first looked up
    for found in iter_modules(room.__path__, f"{room.__name__}."):
        import_module(found.name)
get_model_info("none")  # Inspect reads its tables of models
display.tasks_results = lambda tasks: ""  # a table that nobody sees, as in conftest.py
