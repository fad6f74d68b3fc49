"""Code of other packages: loaded from the entry-point group `unsway.plugins` alone, once, and said on stderr.

In: what is installed. Out: plug-ins imported, each of which declares biases or sources. A file in the working folder is
never loaded by itself: only what somebody installed under that group is.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

from unsway.errors import BadInput

GROUP = "unsway.plugins"
_searched: set[str] = set()
"""Packages of ours whose modules are all imported."""
_loaded: set[str] = set()
_all = False
"""Whether every plug-in is loaded; looking for entry points takes milliseconds."""


def discover(package: str) -> None:
    """Import every module of a package of ours, each of which declares something, then every plug-in; once.

    Raises:
        BadInput: A plug-in cannot be imported.
    """
    if package not in _searched:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, prefix=f"{package}."):
            importlib.import_module(module.name)
        _searched.add(package)
    load()


def load() -> None:
    """Import every plug-in that is not yet; says which and of what package.

    Raises:
        BadInput: One cannot be imported; nothing is listed without it.
    """
    global _all
    if _all:
        return
    from importlib.metadata import entry_points

    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        if entry.name in _loaded:
            continue
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
        _loaded.add(entry.name)  # before it is imported: it may list biases or sources itself
        try:
            entry.load()
        except Exception as error:
            _loaded.discard(entry.name)
            raise BadInput(
                f"The plug-in {entry.name!r} ({entry.value}) of {package} cannot be imported: {type(error).__name__}: "
                f"{error}. Mend it, or uninstall the package."
            ) from error
        print(f"Plug-in {entry.name!r} of {package} is loaded.", file=sys.stderr)
    _all = True
