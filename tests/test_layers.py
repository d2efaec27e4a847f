"""Imports point one way: a layer imports itself and what stands left of it, inside functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import stepwell

LINE = "kernel <- lang <- asl <- engine <- storage <- wire <- services <- integrations <- local <- server <- cli"

LAYERS = LINE.split(" <- ")
PACKAGE = Path(stepwell.__file__).parent
FACE = {
    "__init__",
    "__main__",
    "_version",
}  # the package's own face: offers what stands below, is imported for its version only
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer_of(module: str) -> str:
    """``stepwell.engine.journal`` is in ``engine``; ``stepwell`` itself is the face, ``__init__``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(tree: ast.Module, package: list[str]) -> Iterator[tuple[int, str]]:
    """Line and full name of each module of ours that a file imports, wherever in the file the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{stem}.{alias.name}" for alias in node.names] if stem == "stepwell" else [stem]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name == "stepwell" or name.startswith("stepwell."))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_layers_to_its_left(path: Path) -> None:
    """One test a file, so that a failure names it."""
    words = path.relative_to(PACKAGE).with_suffix("").parts
    if words[0] in FACE or words[0].endswith("_plugin"):
        return
    assert words[0] in LAYERS, f"{path} is in no layer; the line is {LINE}"
    allowed = {*LAYERS[: LAYERS.index(words[0]) + 1], "_version", "__version__"}
    package = ["stepwell", *words[:-1]]
    wrong = [
        (line, name) for line, name in imported(ast.parse(path.read_text()), package) if layer_of(name) not in allowed
    ]
    assert not wrong, f"{words[0]} may import {sorted(allowed)} only"


def test_the_line_in_the_package_docstring_is_this_line() -> None:
    assert stepwell.__doc__ is not None
    assert LINE in stepwell.__doc__


def test_the_checker_sees_imports_inside_functions_and_relative_ones() -> None:
    source = (
        "def f():\n    from stepwell.server import app\n    from ..cli import main\n    from stepwell import wire\n"
    )
    assert [name for _, name in imported(ast.parse(source), ["stepwell", "kernel"])] == [
        "stepwell.server",
        "stepwell.cli",
        "stepwell.wire",
    ]
