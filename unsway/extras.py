"""Optional libraries: one helper imports them, and one error names the extra that installs a missing one.

In: the name of an extra in pyproject.toml. Out: the block's imports, or `MissingExtra`.

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
    """Import optional libraries in the block. If one is missing, raises a `MissingExtra` that says what to install.

    Args:
        name: The extra that installs the libraries, or several separated by commas.
        what: What needs them, as the start of a sentence.

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
    """Raise `MissingExtra`, as `requires` does, unless the libraries are installed. Imports none of them."""
    for library in libraries:
        with requires(name, what):
            if find_spec(library) is None:
                raise ModuleNotFoundError(name=library)
