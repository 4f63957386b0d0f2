"""Files that commands write beside their output."""

from __future__ import annotations

from pathlib import Path

from longbench_write.errors import UsageError


def write_file(path: Path, text: str) -> None:
    """Write a text file whole, its folder made if it is not there.

    Raises:
        UsageError: It cannot be written.
    """
    from longbench_write.files.whole import write_whole

    _make_folder(path)
    write_whole(path, text)


def append_file(path: Path, text: str) -> None:
    """Append to a text file.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {path.parent}: {error.strerror or error}") from None
