"""House limits: short files and functions, few parameters, telling names, a sentence on each function."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES, FUNCTION_LINES, PARAMETERS = 400, 60, 6
LONGER = {("sfumato/training/loop.py", "train"): 150}  # a training loop reads top to bottom
REFUSED = {"utils", "util", "helpers", "helper", "common", "manager", "service", "services", "base", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
SOURCES = sorted((ROOT / "sfumato").rglob("*.py"))
WRITTEN = ROOT / "sfumato/migrations/versions"  # by Alembic, from the tables
CHECKED = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").glob("*.py"))]
NAMES = [str(path.relative_to(ROOT)) for path in CHECKED if path.parent != WRITTEN]


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    for node in body:
        if isinstance(node, Function) and not node.name.startswith("_") and node.name != "forward":
            yield node  # what a network's forward takes and gives is said by its class
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not is_protocol(node):
            yield from public_functions(node.body)


def is_protocol(node: ast.ClassDef) -> bool:
    """Whether a class only says what others have: its own docstring says it for all."""
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


def overloaded(node: Function) -> bool:
    return any("overload" in ast.dump(decorator) for decorator in node.decorator_list)


def positional(node: Function) -> int:
    names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
    return len([name for name in names if name not in ("self", "cls")])


@pytest.mark.parametrize("name", NAMES)
def test_files_and_functions_are_short(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= FILE_LINES
    for node in functions(ast.parse(text)):
        allowed = LONGER.get((name, node.name), FUNCTION_LINES)
        length = (node.end_lineno or 0) - node.lineno + 1
        assert length <= allowed, f"{name}:{node.lineno} {node.name}: {length} lines, {allowed} allowed"
        assert positional(node) <= PARAMETERS or name.startswith("tests"), f"{name}:{node.lineno} {node.name}"


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_modules_and_public_functions_say_what_they_are_for(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path.name} has no docstring"
    silent = [f"{n.lineno} {n.name}" for n in public_functions(tree.body)
              if not ast.get_docstring(n) and not overloaded(n)]
    assert not silent, f"no docstring: {silent}"


def test_no_module_has_a_name_that_cannot_refuse_anything():
    parts = {part for path in SOURCES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not parts & REFUSED


def test_nothing_is_left_for_later():
    marks = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "XX" + "X")
    texts = {path.name: path.read_text(encoding="utf-8") for path in SOURCES}
    found = [(name, mark) for name, text in texts.items() for mark in marks if mark in text]
    assert not found
