"""Whole files, written at once or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from longbench_write.errors import RunFolderError


def write_whole(path: Path, text: str) -> None:
    """Write a text file under a temporary name and move it into place.

    Raises:
        RunFolderError: It cannot be written.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror or error}") from None
