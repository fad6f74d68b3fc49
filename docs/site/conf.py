"""Settings of the documentation site; docs/site/build.py puts the pages together and calls Sphinx with these."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from sphinx.ext.napoleon import Config, GoogleDocstring

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCE = PROJECT["urls"]["Source"]

project, author, release = PROJECT["name"], PROJECT["authors"][0]["name"], PROJECT["version"]
copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
default_role = "code"
nitpicky = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
suppress_warnings = ["myst.xref_missing_anchor"]  # of included files; build.py checks every anchor of the finished site

html_theme = "pydata_sphinx_theme"
html_title = "unsway"
html_static_path = ["_static"]
html_css_files = ["unsway.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "icon_links": [{"name": "Source", "url": SOURCE, "icon": "fa-brands fa-github"}],
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
}
html_sidebars = {"index": []}


def read_docstring(_app: Any, what: str, _name: str, _thing: Any, _options: Any, lines: list[str]) -> None:
    """Docstrings are plain text in Google's style, where an indented example after a sentence is code.

    Attributes are left as they are: napoleon would take what stands before a colon for a type.
    """
    shown: list[str] = []
    section = False
    for line in lines:
        indented = line.startswith("    ")
        if line and not indented:
            section = bool(re.fullmatch(r"[A-Z][a-z]+:", line))
        if indented and not section and shown and not shown[-1]:
            shown += ["::", ""] if not any(one == "::" for one in shown[-2:]) else []
        shown.append(line)
    lines[:] = shown if what == "attribute" else GoogleDocstring(shown, Config(napoleon_use_rtype=False)).lines()


def setup(app: Any) -> None:
    """Sphinx's own hook."""
    app.connect("autodoc-process-docstring", read_docstring)
