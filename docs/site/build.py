"""Builds the documentation site: `make site`, or `python docs/site/build.py [FOLDER]`.

In: the Markdown pages of docs/ and of the root, the notebooks, the docstrings of what `import unsway as us` offers, the
command line, and the biases. Out: HTML with search in FOLDER (`dist/site`). A warning of Sphinx, a link to a missing page
or a missing anchor ends the build with exit code 1. Nothing is fetched.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urldefrag

import click
from lxml import html

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import unsway as us  # noqa: E402
from unsway.biases import all_biases  # noqa: E402
from unsway.cli import main  # noqa: E402
from unsway.pairing import example  # noqa: E402
from unsway.sources import load  # noqa: E402

SOURCE = "https://github.com/unsway/unsway/blob/main"
ROOT_PAGES = ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "CODE_OF_CONDUCT")
"""Pages of the repository's root that the site has too, in small letters."""


def staged(text: str, folder: str) -> str:
    """A page of the repository as a page of the site: links to pages stay links, those to other files lead to the source."""

    def moved(match: re.Match[str]) -> str:
        target, _, anchor = match[1].partition("#")
        if not target or "://" in target:
            return match[0]
        path = os.path.normpath(f"{folder}/{target}")
        anchor = f"#{anchor}" if anchor else ""
        if path.endswith(".md") and Path(path).stem in ROOT_PAGES:
            return f"]({Path(path).stem.lower()}.md{anchor})"
        if path.startswith("docs/"):
            return f"]({path.removeprefix('docs/').replace('.ipynb', '.md')}{anchor})"
        return f"]({SOURCE}/{path}{anchor})"

    prose = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    return "".join(re.sub(r"\]\(([^)\s]+)\)", moved, part) if i % 2 == 0 else part for i, part in enumerate(prose))


def pages(out: Path) -> None:
    """Everything that stands in the repository as Markdown, and the pages that hold the site together."""
    for page in (ROOT / "docs").glob("*.md"):
        (out / page.name).write_text(staged(page.read_text(encoding="utf-8"), "docs"), encoding="utf-8")
    for name in ROOT_PAGES:
        text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
        (out / f"{name.lower()}.md").write_text(staged(text, "."), encoding="utf-8")
    for name in ("images", "site/_static"):
        shutil.copytree(ROOT / "docs" / name, out / Path(name).name)
    for page in (ROOT / "docs/site").glob("*.md"):
        shutil.copy(page, out / page.name)


def notebook(path: Path) -> str:
    """A notebook as Markdown: its cells without their outputs, and where to get it."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    shown = [
        "".join(cell["source"]) if cell["cell_type"] == "markdown" else f"```python\n{''.join(cell['source'])}\n```"
        for cell in cells
    ]
    shown.insert(1, f"Download: [{path.name}]({SOURCE}/docs/notebooks/{path.name}).")
    return "\n\n".join(shown) + "\n"


def notebooks(out: Path) -> None:
    """One page for each notebook."""
    (out / "notebooks").mkdir()
    for path in (ROOT / "docs/notebooks").glob("*.ipynb"):
        text = staged(notebook(path), "docs/notebooks").replace("](", "](../").replace("](../http", "](http")
        (out / "notebooks" / f"{path.stem}.md").write_text(text, encoding="utf-8")


def commands(command: click.Command, words: str, parent: click.Context | None = None) -> list[str]:
    """The help of a verb and of those below it, as sections."""
    about = {"info_name": words.rpartition(" ")[2], "parent": parent, "terminal_width": 82}
    context = click.Context(command, **about | command.context_settings)
    shown = [f"## {words}\n\n```text\n{command.get_help(context)}\n```"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            shown += commands(command.commands[name], f"{words} {name}", context)
    return shown


def cli(out: Path) -> None:
    """The command line, from itself."""
    head = "# Command line\n\nWhat `unsway VERB --help` prints. [Settings](settings.md) has exit codes and variables.\n"
    (out / "cli.md").write_text("\n\n".join([head, *commands(main, "unsway")]) + "\n", encoding="utf-8")


def python_names(out: Path) -> None:
    """The public names with their docstrings, a page for each room."""
    rooms: dict[str, list[str]] = {}
    for name in us.__all__:
        rooms.setdefault(getattr(us, name).__module__.split(".")[1], []).append(name)
    (out / "python").mkdir()
    index = "\n".join(sorted(rooms))
    head = (
        "# Python\n\nThe names that `import unsway as us` offers, by the room that holds them, with their docstrings."
    )
    (out / "python/index.md").write_text(f"{head}\n\n```{{toctree}}\n:maxdepth: 2\n\n{index}\n```\n", encoding="utf-8")
    for room, names in rooms.items():
        parts = [f"# {room}\n"]
        for name in names:
            thing = getattr(us, name)
            kind = "class" if inspect.isclass(thing) else "function"
            members = "   :members:\n" if kind == "class" else ""
            directive = f".. auto{kind}:: {thing.__module__}.{thing.__name__}\n{members}"
            parts.append(f"## {name}\n\n```{{eval-rst}}\n{directive}```\n")
        (out / "python" / f"{room}.md").write_text("\n".join(parts), encoding="utf-8")


def every_bias(out: Path) -> None:
    """Every bias on one question, without and with its cue."""
    parts = ["# Every bias, by example\n\nThe same question without a cue, and what each bias adds to it. "]
    parts.append("`unsway biases NAME` prints both prompts in full; [biases and cues](biases.md) has the rest.\n")
    for bias in all_biases():
        pair = example(bias, load(bias.source or "procedural/dates")[:50])
        paper = f" ([{bias.paper}](https://arxiv.org/abs/{bias.paper.removeprefix('arXiv:')}))" if bias.paper else ""
        lines = []
        for turn in pair.biased.turns:
            words = [
                ("⟦" + part.text.strip("\n") + "⟧") if part.kind == "cue" else part.text for part in turn.parts or ()
            ]
            lines.append(f"[{turn.role}] {''.join(words) or '(what the model says itself)'}")
        text = "\n".join(lines).replace("```", "'''")
        parts.append(
            f"## {bias.name}\n\n{bias.summary}{paper}. {pair.target.label()} follows the cue.\n\n```text\n{text}\n```\n"
        )
    (out / "every-bias.md").write_text("\n".join(parts), encoding="utf-8")


def broken_links(site: Path) -> list[str]:
    """Links of the finished site that lead to no page, or to no anchor of it."""
    trees = {path: html.parse(str(path)).getroot() for path in site.rglob("*.html") if "_static" not in path.parts}
    anchors = {path: set(tree.xpath("//@id")) | {""} for path, tree in trees.items()}
    found = []
    for path, tree in trees.items():
        for link in tree.xpath("//a/@href | //img/@src | //link/@href | //script/@src"):
            target, anchor = urldefrag(link)
            if "://" in target or target.startswith(("mailto:", "data:")):
                continue
            place = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            if not place.exists() or (place in anchors and unquote(anchor) not in anchors[place]):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def build(site: Path) -> int:
    """Build into a folder; the exit code."""
    shutil.rmtree(site, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.mkdir()
        for step in (pages, notebooks, cli, python_names, every_bias):
            step(source)
        words = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-j", "2"]
        words += ["-c", str(ROOT / "docs/site"), "-d", f"{folder}/doctrees", str(source), str(site)]
        done = subprocess.run(words, env=os.environ | {"PYTHONPATH": str(ROOT)})
    if done.returncode:
        return done.returncode
    broken = broken_links(site)
    print("\n".join(broken) if broken else f"{len(list(site.rglob('*.html')))} pages: {site / 'index.html'}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/site").resolve()))
