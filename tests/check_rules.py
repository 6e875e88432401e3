"""The house rules of the tests, which no linter knows: `python tests/check_rules.py`.

Names are sentences, nothing sleeps, skips or asks the real clock, the product is never replaced by a mock, and
functions and files stay small. Exits 1 with one line for each problem.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WORDS, FUNCTION_LINES, FILE_LINES = 4, 50, 250
NEVER = {
    "sleep": "sleeps: wait for an event or move the clock",
    "skip": "skips: a test that cannot run must fail",
    "skipif": "skips: a test that cannot run must fail",
    "importorskip": "skips: a test that cannot run must fail",
    "time.time": "asks the real clock: pass the time in",
    "patch": "replaces the product by a mock: run the real thing",
    "MagicMock": "replaces the product by a mock: run the real thing",
}
MOCKS = {"mock", "unittest.mock", "pytest_mock"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def problems(root: Path = ROOT) -> Iterator[str]:
    """One line a problem, with file and line."""
    for path in sorted(root.rglob("*.py")):
        text = path.read_text("utf-8")
        name = path.relative_to(root).as_posix()
        lines = len(text.splitlines())
        if lines > FILE_LINES:
            yield f"{name}:1: has {lines} lines, at most {FILE_LINES}: split it"
        for line, what in _in_file(ast.parse(text)):
            yield f"{name}:{line}: {what}"


def _in_file(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from _in_function(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _in_import(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            name = ast.unparse(node)
            why = NEVER.get(name) or NEVER.get(name.rpartition(".")[2])
            if why:
                yield node.lineno, f"{name} {why}"


def _in_function(node: Function) -> Iterator[tuple[int, str]]:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > FUNCTION_LINES:
        yield node.lineno, f"{node.name} has {lines} lines, at most {FUNCTION_LINES}"
    if node.name.startswith("test_") and len([word for word in node.name.split("_")[1:] if word]) < WORDS:
        yield node.lineno, f"{node.name} is no sentence: at least {WORDS} words"


def _in_import(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str]]:
    modules = {node.module} if isinstance(node, ast.ImportFrom) else set()
    named = {one.name for one in node.names}
    if (modules | named) & MOCKS or ("unittest" in modules and "mock" in named):
        yield node.lineno, "imports mocks: run the real thing"
    for one in sorted(named if modules == {"time"} else set()):
        if one in ("time", "sleep"):
            yield node.lineno, f"imports time.{one}: pass the time in"


if __name__ == "__main__":
    told = list(problems(*map(Path, sys.argv[1:])))
    sys.exit("\n".join(told) if told else 0)
