"""The reference page of the public names: `python tests/api_page.py` writes docs/api.md; a test keeps it up to date."""

from __future__ import annotations

import inspect
from pathlib import Path

import unsway as us

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
HEAD = """# Public names

Everything that `import unsway as us` offers, with its first sentence; `help(us.measure)` has the rest. The layers hold more,
and each module opens with what goes in, what comes out and an example. This page is written by `python tests/api_page.py`.

"""


def first_sentence(thing: object) -> str:
    """The first line of a docstring."""
    text = inspect.getdoc(thing) or ""
    return text.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def page() -> str:
    """The page, with a table for each layer."""
    layers: dict[str, list[str]] = {}
    for name in us.__all__:
        thing = getattr(us, name)
        layer = str(getattr(thing, "__module__", "")).removeprefix("unsway.").partition(".")[0]
        layers.setdefault(layer, []).append(f"| `us.{name}` | {first_sentence(thing)} |")
    parts = [f"## {layer}\n\n| name | |\n|---|---|\n" + "\n".join(rows) for layer, rows in sorted(layers.items())]
    return HEAD + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
