"""Files that commands write beside their output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from longbench_write.errors import UsageError


def write_file(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Write a whole file, its folder made if it is not there.

    Raises:
        UsageError: It cannot be written.
    """
    from longbench_write.files.whole import write_whole

    _make_folder(path)
    write_whole(path, content, error=UsageError)


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is put in its place when the block ends without an exception, its folder made.

    Raises:
        UsageError: It cannot be written.
    """
    from longbench_write.files.whole import replacing

    _make_folder(path)
    try:
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}; choose another path") from None


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
        reason = f"its folder cannot be made ({error.strerror or error})"
        raise UsageError(f"cannot write {path}: {reason}; choose another path") from None
