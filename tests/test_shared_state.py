"""What a process shares between visitors lies on shelves behind locks: no module is written to once it is imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

WRITING = {"append", "extend", "insert", "add", "update", "setdefault", "move_to_end", "appendleft"} | {
    "pop", "popitem", "clear", "remove", "discard",
}  # fmt: skip
Def = ast.FunctionDef | ast.AsyncFunctionDef
CLOSED = {"colormap", "class_name", "rooms"}  # parameters with a few values, all of them the house's own


def files() -> list[Path]:
    rooms = [path for room in ("core", "pages") for path in sorted((REPOSITORY / room).rglob("*.py"))]
    return [REPOSITORY / "dashboard.py", *rooms]


def functions(tree: ast.AST) -> Iterator[Def]:
    return (node for node in ast.walk(tree) if isinstance(node, Def))


def names_of(module: ast.Module) -> set[str]:
    """What a module assigns when it is imported."""
    targets = [target for node in module.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in module.body if isinstance(node, ast.AnnAssign)]
    return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def written(source: str) -> list[str]:
    """The module's own names that its functions write to, in the order of the file."""
    module = ast.parse(source)
    own, found = names_of(module), []
    for function in functions(module):
        told = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
        local = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
        local |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        shared = own - (local - told)
        for node in ast.walk(function):
            value = None
            if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                value = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITING:
                value = node.func.value
            if isinstance(value, ast.Name) and value.id in shared:
                found.append(value.id)
        found += sorted(told)
    return found


def unbounded(source: str) -> list[str]:
    """Functions that remember every answer although callers from outside choose what they are asked."""
    found = []
    for function in functions(ast.parse(source)):
        endless = {"cache", "functools.cache", "lru_cache(maxsize=None)", "functools.lru_cache(maxsize=None)"}
        if endless & {ast.unparse(decorator) for decorator in function.decorator_list}:
            found += [function.name] if {arg.arg for arg in function.args.args} - CLOSED else []
    return found


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("    SEEN[film] = 1", ["SEEN"]),
        ("    SEEN.update({film: 1})", ["SEEN"]),
        ("    global COUNT\n    COUNT = 2", ["COUNT"]),
        ("    del SEEN[film]", ["SEEN"]),
        ("    SEEN = {}\n    SEEN[film] = 1", []),
        ("    return SEEN[film]", []),
    ],
)
def test_what_is_written_to_is_found(body: str, names: list[str]) -> None:
    assert written(f"SEEN: dict = {{}}\nCOUNT = 1\ndef look(film):\n{body}\n") == names


def test_no_module_is_written_to_after_its_import() -> None:
    assert len(files()) > 200
    assert {str(path): names for path in files() if (names := written(path.read_text(encoding="utf-8")))} == {}


def test_what_functions_remember_is_bounded() -> None:
    assert unbounded("@cache\ndef term(label): ...") == ["term"]
    assert unbounded("@lru_cache(maxsize=8)\ndef term(label): ...\n@cache\ndef table(colormap): ...") == []
    assert {str(path): names for path in files() if (names := unbounded(path.read_text(encoding="utf-8")))} == {}
