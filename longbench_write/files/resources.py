"""The data folders of this package."""

from __future__ import annotations

from pathlib import Path


def data_root(name: str) -> Path:
    """Return a folder of data, such as `judges`, of an installed wheel or else of the checkout."""
    package = Path(__file__).parent.parent
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parent / name
