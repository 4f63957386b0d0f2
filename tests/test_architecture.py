"""The package's shape: few modules at its top, none of them long."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import longbench_write

PACKAGE = Path(longbench_write.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_the_top_is_seen_at_a_glance():
    loose = [path for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]
    folders = [path.parent for path in PACKAGE.glob("*/__init__.py")]
    assert len(loose) <= 12
    assert len(loose) + len(folders) <= 30


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_and_no_function_is_long(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    nodes = ast.walk(ast.parse(text))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [node.name for node in functions if node.end_lineno - node.lineno >= 60] == []
