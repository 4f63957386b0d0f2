"""Where the data folders of this package lie."""

from __future__ import annotations

from pathlib import Path


def data_root(name: str) -> Path:
    """The folder `benchmark_data` or `judges`: inside an installed wheel, else at the checkout's root."""
    package = Path(__file__).parent.parent
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parent / name
