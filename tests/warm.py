"""What a process does once, when it first measures: done where this is imported, before others are forked from it."""

from importlib import import_module
from pkgutil import iter_modules

from inspect_ai.model import get_model_info

from unsway import biases, readers, sources

for room in (biases, readers, sources):  # a file that comes later is found all the same, when a name is first asked for
    for found in iter_modules(room.__path__, f"{room.__name__}."):
        import_module(found.name)
get_model_info("none")  # Inspect reads its tables of models
