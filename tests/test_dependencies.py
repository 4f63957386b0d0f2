"""Every import is declared in pyproject.toml, and bare commands need no extra."""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import longbench_write

PACKAGE = Path(longbench_write.__file__).parent
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


class Import(NamedTuple):
    """An imported top-level package, and whether that happens when the module is imported."""

    module: str
    at_import: bool


def imports(path: Path) -> list[Import]:
    """Return what a module imports of others than itself, by statement or by `import_module("...")`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = sys.stdlib_module_names | {"longbench_write"}
    return [
        Import(top, node in tree.body)
        for node in ast.walk(tree)
        for name in _imported(node)
        if (top := name.partition(".")[0]) not in own
    ]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    if isinstance(node, ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name == "import_module" and isinstance(node.args[0], ast.Constant):
            return [node.args[0].value]
    return []


@cache
def declared() -> dict[str, set[str]]:
    """The distributions that each extra declares, those of the bare package under ""."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {canonicalize_name(Requirement(text).name) for text in texts}
        for extra, texts in groups.items()
    }


@cache
def distributions(module: str) -> set[str]:
    """Which distributions have a module; what is not installed is called as its module is."""
    return {canonicalize_name(name) for name in packages_distributions().get(module, [module])}


EXTRAS = {
    "backends/local.py": "local",
    "backends/hub.py": "vllm",
    "backends/vllm/backend.py": "vllm",
    "backends/vllm/counts.py": "vllm",
    "backends/vllm/faults.py": "vllm",
    "backends/vllm/reasoning_parser.py": "vllm",
    "backends/glm4_tokenizer.py": "vllm",
    "backends/vllm/loading.py": "vllm",
    "backends/vllm/options.py": "vllm",
    "backends/tokens.py": "vllm",
    "backends/hf/backend.py": "hf",
    "backends/hf/batch.py": "hf",
    "backends/hf/chatglm.py": "hf",
    "backends/hf/engine.py": "hf",
    "backends/hf/loading.py": "hf",
    "backends/hf/sampling.py": "hf",
    "backends/hf_folder.py": "vllm",
    "doctor.py": "vllm",
    "exchange/exporting.py": "parquet",
}
"""The modules that need an extra, each in a function that says so where it is missing."""

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_what_is_imported_is_declared(module):
    extra = declared()[EXTRAS[module]] if module in EXTRAS else set()
    bare = declared()[""]
    for name, at_import in imports(PACKAGE / module):
        allowed = bare if at_import else bare | extra
        assert distributions(name) & allowed, f"{module} imports {name}"


def test_nothing_is_declared_that_is_not_imported():
    found = [each.module for module in MODULES for each in imports(PACKAGE / module)]
    used = set().union(*map(distributions, found))
    assert declared()[""] - used == set()
