"""Files that commands write beside their output."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from longbench_write.errors import UsageError
from longbench_write.files.faults import told


def write_file(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Write a whole file; a folder that is not there is named, not made.

    Raises:
        UsageError: It cannot be written.
    """
    from longbench_write.files.whole import write_whole

    _check_folder(path)
    write_whole(path, content, error=UsageError)


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is put in its place when the block ends without an exception.

    Raises:
        UsageError: It cannot be written.
    """
    from longbench_write.files.whole import replacing

    _check_folder(path)
    try:
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise UsageError(f"cannot write {path}: {told(error)}; choose another path") from None


def append_file(path: Path, text: str) -> None:
    """Append to a text file.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {told(error)}") from None


def append_line(path: Path, line: str) -> None:
    """Append a line to a text file, on a line of its own even where the last one was cut.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        with path.open("ab+") as file:
            cut = b""
            if file.tell():
                file.seek(-1, os.SEEK_END)
                cut = b"" if file.read() == b"\n" else b"\n"
            file.write(cut + line.encode() + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {told(error)}") from None


def remove_earlier(path: Path) -> None:
    """Remove the file that an earlier command wrote where this one is to write.

    What is no regular file, or cannot be removed, is left to `write_file`, which says why it cannot.
    """
    with suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            path.unlink()


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two paths name one regular file, which need not be there."""
    try:
        return os.path.samefile(path, other) and os.path.isfile(path)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(other)


def make_folder(path: Path, *, parents: bool = True) -> None:
    """Make the folder that an option names, if it is not there.

    Args:
        path: The folder.
        parents: Whether the folders above it are made too.

    Raises:
        UsageError: It cannot be made.
    """
    try:
        path.mkdir(parents=parents, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be made ({told(error)}); choose another path") from None


def _check_folder(path: Path) -> None:
    """Refuse a path whose folder is not there: a name that was mistyped would become folders of its own.

    Raises:
        UsageError: It is named.
    """
    if os.path.isdir(path.parent):
        return
    try:
        os.stat(path.parent)
        reason = "is no folder"
    except OSError as error:
        reason = f"cannot be used ({told(error)})"
    raise UsageError(f"cannot write {path}: {path.parent} {reason}; make that folder or choose another path")
