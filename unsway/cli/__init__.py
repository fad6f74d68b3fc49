"""The command line: one module for each family of verbs, discovered automatically; thin wrappers of Python functions."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from unsway.cli.main import main

for _module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")

__all__ = ["main"]
