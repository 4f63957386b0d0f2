"""Files that are read, which may be anything: a pipe without a writer keeps nobody waiting."""

from __future__ import annotations

import errno
import os
import select
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 28
"""Bytes that a file may have that is read whole."""

_PATIENCE = 10.0
"""Seconds that a pipe's writer has to begin."""


def read_text(path: Path, *, encoding: str = "utf-8") -> str:
    """Read a whole file of at most `LARGEST` bytes.

    Raises:
        OSError: It cannot be read, or is larger.
        UnicodeDecodeError: It is no such text.
    """
    with open_to_read(path) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST >> 20} MiB", str(path))
    return content.decode(encoding)


def open_to_read(path: Path, *, regular: bool = False) -> BinaryIO:
    """Open a file in binary mode.

    Args:
        path: The file.
        regular: Whether it must be a regular file, which has an end.

    Raises:
        OSError: It cannot be opened, is a folder, or is a pipe to which nobody writes.
    """
    if os.name == "nt":
        return path.open("rb")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if regular and not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        if stat.S_ISFIFO(kind) and not select.select([descriptor], [], [], _PATIENCE)[0]:
            raise OSError(errno.EAGAIN, f"nobody has written to this pipe for {_PATIENCE:g} s", str(path))
        os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
