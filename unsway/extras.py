"""Optional libraries: one helper imports them, and one error names the extra that installs a missing one.

In: the name of an extra in pyproject.toml. Out: what the block imports, or `MissingExtra`.

    with requires("report", "The page"):
        import vl_convert
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from unsway.errors import MissingExtra


@contextmanager
def requires(name: str, what: str) -> Iterator[None]:
    """Import optional libraries in the block; a missing one becomes a `MissingExtra` that says what to install.

    Args:
        name: The extra that has the libraries; several are separated by commas.
        what: What needs them, at the start of a sentence.

    Raises:
        MissingExtra: A library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "unsway").partition(".")[0]
        if library == "unsway" or library in sys.stdlib_module_names:
            raise
        raise MissingExtra(what, name, library) from None


def check_installed(name: str, what: str, *libraries: str) -> None:
    """Raise the `MissingExtra` that `requires` would, unless the libraries are installed; imports none of them."""
    for library in libraries:
        with requires(name, what):
            if find_spec(library) is None:
                raise ModuleNotFoundError(name=library)
