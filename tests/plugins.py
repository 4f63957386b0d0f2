"""Packages of others, made on the fly: modules in a folder on sys.path, with an installation's metadata."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

OUTSIDE = Path(__file__).parent / "plugin"
"""The source of a package that adds one of each."""


def install(
    folder: Path, package: str, entry_points: Mapping[str, Mapping[str, str]], files: Mapping[str, str]
) -> None:
    """Lay out a package as an installer would, so that whatever has the folder on its path finds it.

    Args:
        folder: What stands on the path.
        package: The distribution's name.
        entry_points: The target by name, by group.
        files: The text of each file by its path in the folder.
    """
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in points.items())])
        for group, points in entry_points.items()
    ]
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
    laid = {info / "METADATA": metadata, info / "entry_points.txt": "\n\n".join(groups) + "\n"}
    for path, text in (laid | {folder / name: text for name, text in files.items()}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def install_outside(folder: Path) -> None:
    """Lay out the package in `OUTSIDE` as its pyproject.toml says."""
    project = tomllib.loads((OUTSIDE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install(folder, project["name"], project["entry-points"], {})
    shutil.copytree(OUTSIDE / "lbw_outside", folder / "lbw_outside")
