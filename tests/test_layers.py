"""House rules: imports go one way between layers, names mean one thing, functions are short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "unsway"
LAYERS = (
    "errors extras logs seeds types disk sharing store layout spelling rows progress registry banks assets sources prompts "
    "readers biases pairing stats planning models sampling testing evals importing data training backends interventions "
    "judging effects studies reporting demo cli __main__"
).split()
HEAVY = {"torch", "transformers", "peft", "trl", "datasets", "accelerate", "inspect_ai", "openvino_genai", "openai"}
RAY = "studies/on_ray.py"
"""The one file that may import Ray."""
MAY_LOAD_HEAVY = {"assets", "models", "sampling", "evals", "importing", "testing", "backends"}
FILES = sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


KINDS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
"""What is looked at."""


@cache
def nodes_of(path: Path) -> list[ast.stmt]:
    """The imports, functions and classes of a file, wherever they stand; it is parsed once for all tests."""
    found, left = [], [ast.parse(path.read_text(encoding="utf-8"))]
    while left:  # statements alone: none of these stands in an expression
        inside = [each for field in vars(left.pop()).values() if isinstance(field, list) for each in field]
        left += [each for each in inside if isinstance(each, ast.stmt | ast.ExceptHandler | ast.match_case)]
        found += [each for each in inside if isinstance(each, KINDS)]
    for node in found:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = []  # what is in it stands in the list itself
    return found


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "unsway" else [node.module]
            )
            yield from ((str(name), node.lineno) for name in names)


def test_imports_point_one_way() -> None:
    for path in FILES:
        layer = layer_of(path)
        if layer == "__init__":
            continue
        assert layer in LAYERS, f"{layer!r} has no place in the order of layers"
        others = {(name.split(".")[1], line) for name, line in imports(path) if name.startswith("unsway.")}
        above = [(other, line) for other, line in others if LAYERS.index(other) > LAYERS.index(layer)]
        assert not above, f"{path}: {layer} imports {above}, which come after it in the table of CONTRIBUTING.md"


MODULES = {
    ".".join(("unsway", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in FILES
}


def imported_modules(path: Path) -> set[str]:
    """The modules of the package that a file imports anywhere: late imports and those for type checking count too."""
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else str(node.module) for name in whole}
    return found & MODULES.keys()


def test_files_import_one_another_in_no_circle() -> None:
    graph = {name: imported_modules(path) - {name} for name, path in MODULES.items() if name != "unsway"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


def test_heavy_libraries_stay_in_their_rooms() -> None:
    for path in FILES:
        found = {(name.split(".")[0], line) for name, line in imports(path)}
        heavy = {(name, line) for name, line in found if name in HEAVY}
        assert not heavy or layer_of(path) in MAY_LOAD_HEAVY, f"{path}: {heavy}"
        assert "ray" not in {name for name, _ in found} or str(path.relative_to(PACKAGE)) == RAY, path


def test_the_package_never_imports_scripts_or_tests() -> None:
    for path in FILES:
        assert not {name.split(".")[0] for name, _ in imports(path)} & {"tests", "experiments", "benchmarks"}


def test_no_private_names_of_other_packages() -> None:
    for path in FILES:
        for name, line in imports(path):
            parts = name.split(".")
            private = [part for part in parts if part.startswith("_") and part != "__future__"]
            assert parts[0] == "unsway" or not private, f"{path.name}:{line}: {name}"


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of these kinds in the package, with its file."""
    for path in FILES:
        yield from ((path, node) for node in nodes_of(path) if isinstance(node, kinds))


def functions() -> Iterator[tuple[str, int]]:
    for path, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        yield f"{path.name}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_functions_and_files_stay_small() -> None:
    lengths = sorted(length for _, length in functions())
    assert [name for name, length in functions() if length > 80] == []
    assert lengths[len(lengths) // 2] <= 14
    assert [str(path) for path in FILES if path.read_text(encoding="utf-8").count("\n") > 400] == []


def test_a_thought_is_not_cut_into_helpers_that_are_used_once() -> None:
    """A reader reads a stage from top to bottom: a helper is a concept of its own, or it is used in several places."""
    once = every = 0
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and re.match("_(?!_)", node.name):
                every += 1
                once += len(re.findall(rf"\b{node.name}\b", text)) <= 2 or node.name == "_"
    assert once / every < 0.40, (
        f"{once} of {every} private functions are used once: read their callers, and inline them"
    )


def test_a_verb_is_at_most_fifteen_lines_over_a_public_function() -> None:
    """What a verb does, Python users can call: the command line says what is meant, calls it, and prints."""
    long = {}
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body if layer_of(path) == "cli" else ():
            if isinstance(node, ast.FunctionDef) and any(".command" in ast.unparse(d) for d in node.decorator_list):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (node.end_lineno or 0) - body[0].lineno + 1
                if lines > 15:
                    long[f"{path.name}:{node.name}"] = lines
    assert long == {}


def test_functions_take_few_parameters() -> None:
    """A long tail of keywords is a value that wants a name. What click calls, and constructors of values, are exempt."""
    long = []
    for path, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        takes = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if len(set(takes) - {"self", "cls"}) > 8 and layer_of(path) != "cli" and node.name != "__init__":
            long.append(f"{path.name}:{node.name}")
    assert long == []


def test_no_two_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for path, node in nodes(ast.ClassDef):
        assert isinstance(node, ast.ClassDef)
        homes.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


NO_NAMES = "kept|held|said|made|found|asked|told"
"""Participles, which name no thing."""
BINDS = re.compile(
    rf"^ +(?:\w+, )*(?:{NO_NAMES})(?:, \w+)* = |\bfor (?:\w+, )*(?:{NO_NAMES})\b(?:, \w+)* in |\b(?:{NO_NAMES}) :=",
    re.M,
)


def test_a_local_name_says_what_it_holds() -> None:
    assert [(str(path), bound[0].strip()) for path in FILES for bound in BINDS.finditer(path.read_text("utf-8"))] == []


def test_no_citation_of_what_is_not_in_the_repository() -> None:
    cited = re.compile("SP" + "EC §")
    assert [
        str(path) for path in (*FILES, *Path(__file__).parent.rglob("*.py")) if cited.search(path.read_text())
    ] == []


BANNED = ("perturb", "unbiased prompt", "unbiased arm", "neutral prompt", "counterfactual prompt", "perturbed")
"""Other people's words for what is called biased, clean and arm here."""
READS_THEM = ("importing/words.py", "importing/shapes.py")
"""Tables of what other people's files say, in their words."""


def test_one_word_per_thing() -> None:
    for path in FILES:
        text = "" if path.as_posix().endswith(READS_THEM) else path.read_text(encoding="utf-8").lower()
        assert not [word for word in BANNED if word in text], path
