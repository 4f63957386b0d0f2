"""Folders made from files of others, whole or not at all, and kept in the cache."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from longbench_write.assets.assets import cache_dir, fetch, find
from longbench_write.errors import AssetError
from longbench_write.files.whole import write_whole


def derive(name: str, kind: str, make: Callable[[Path, Path], str]) -> Path:
    """Return a folder made from an official file, kept in the cache and marked as derived.

    Args:
        name: A key of `ASSETS`.
        kind: What is made of it; with the file's hash, part of the folder's name.
        make: Fills a folder (second argument) from the file (first); returns a description of the method.

    Raises:
        AssetError: The file cannot be had, or the folder cannot be written.
    """
    asset = find(name)
    origin = {"derived_from": asset.filename, "sha256": asset.sha256}
    folder = f"{name}-{kind}-{asset.sha256[:8]}"
    return derived_folder(folder, origin, lambda made: make(fetch(name), made))


def derived_folder(name: str, origin: Mapping[str, str], make: Callable[[Path], str]) -> Path:
    """Return a folder of the cache that is made once, whole or not at all, and marked as derived.

    Args:
        name: The folder's, which says what it is made from.
        origin: What is noted of where it comes from.
        make: Fills a folder; returns a description of the method.

    Raises:
        AssetError: The folder cannot be written.
    """
    target = cache_dir() / "derived" / name
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as temporary:
            made = Path(temporary) / "made"
            made.mkdir()
            noted = {**origin, "by": make(made)}
            write_whole(made / "DERIVED.json", json.dumps(noted, indent=2) + "\n", error=AssetError)
            if not target.is_dir():
                made.rename(target)
    except OSError as error:
        raise AssetError(
            f"{target} cannot be written ({error.strerror or error}): set LBW_CACHE to a folder of yours"
        ) from None
    return target
