"""Whole files, put in their place at once or not at all.

A file is written under a name that nobody can guess, in the folder where it is to stand, handed to the disk
and then moved over what stood there. Whoever reads it, also after a crash, finds the old file or the new one.
A symbolic link at the file's name is replaced, never followed. What is no regular file, such as /dev/stdout
or a pipe, is written to as it is. What killed processes left under such names, `remove_leftovers` removes.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from longbench_write.errors import LbwError, RunFolderError
from longbench_write.files.faults import told

_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | _SAFE
_LEFTOVER = re.compile(r"\.[0-9a-f]{24}\.tmp")
_NEVER_SYNCED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What file systems say that have no fsync, or none for folders."""


def write_whole(
    path: Path, content: str | bytes | Iterable[str], *, error: type[LbwError] = RunFolderError
) -> None:
    """Write a whole file; the folder must be there.

    Args:
        path: The file.
        content: Bytes, or text for UTF-8 in which a lone surrogate becomes its escape; an iterable is written
            piece by piece.
        error: The type of error to raise.

    Raises:
        error: The file cannot be written.
    """
    pieces = [content] if isinstance(content, str | bytes) else content
    try:
        with replacing(path) as file:
            for piece in pieces:
                file.write(piece.encode("utf-8", "backslashreplace") if isinstance(piece, str) else piece)
    except OSError as fault:
        raise error(f"cannot write {path}: {told(fault)}") from None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends, unless it ends by an exception.

    The new file has the permissions of the regular file that it replaces, else those that the umask leaves.

    Raises:
        OSError: It cannot be written.
    """
    if _is_written_to(path):
        with _opened_as_it_is(path) as file:
            yield file
        return
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = path.with_name(f".{secrets.token_hex(12)}.tmp")  # short: the file's own may have 255 bytes
    descriptor = os.open(temporary, _NEW, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            _keep_mode(path, temporary, file.fileno())
            sync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # the first fault is the one to tell
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove the files that killed processes left half written in a folder to which nobody else writes."""
    for name in os.listdir(folder):
        if _LEFTOVER.fullmatch(name):
            with suppress(OSError):  # somebody's folder of that name, or one that became read-only: no harm
                os.unlink(folder / name)


def sync(descriptor: int) -> None:
    """Hand an open file or folder to the disk, where its file system can.

    Raises:
        OSError: The disk does not take it.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NEVER_SYNCED:
            raise


def _is_written_to(path: Path) -> bool:
    """Return whether a path is a device, a pipe or this process's output, which no file can replace."""
    try:
        kind = path.lstat().st_mode
    except OSError:
        return False
    return _is_of_the_system(path) or not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind))


def _is_of_the_system(path: Path) -> bool:
    """Return whether a path is such as /dev/stdout, whose links only the system can have made."""
    place = path.parent.resolve()
    return any(place.is_relative_to(folder) for folder in ("/dev/fd", "/proc")) or place == Path("/dev")


def _opened_as_it_is(path: Path) -> BinaryIO:
    """Open what is no regular file.

    Raises:
        OSError: It cannot be written to, or is a pipe that nobody reads, for which one would wait for ever.
    """
    follow = 0 if _is_of_the_system(path) else _SAFE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | follow)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a pipe that nobody reads, or a socket", str(path)) from None
        raise
    if os.name != "nt":
        os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "wb")


def _keep_mode(path: Path, temporary: Path, descriptor: int) -> None:
    try:
        before = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(before):
        os.chmod(descriptor if os.chmod in os.supports_fd else temporary, before & 0o777)


def _sync_folder(folder: Path) -> None:
    """Sync a folder's entries to the disk."""
    if os.name == "nt":  # Windows opens no folders
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # files may be made in it, but it may not be listed
        return
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
