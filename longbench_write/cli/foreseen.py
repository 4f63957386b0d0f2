"""Exceptions that are told in a sentence; any other is a fault of this program, and shown as such."""

from __future__ import annotations

import errno

from longbench_write.errors import LbwError, UsageError, shorten
from longbench_write.files.faults import told

FORESEEN = (LbwError, OSError, UnicodeError, RecursionError)

_PATH_FAULTS = frozenset(
    getattr(errno, name)
    for name in ("ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "EACCES", "EPERM", "EROFS", "ENAMETOOLONG", "ELOOP")
)
"""Faults of the path that was given, rather than of the disk that it leads to."""


def in_words(error: LbwError | OSError | UnicodeError | RecursionError) -> LbwError:
    """Put into a sentence what the operating system, or Python, said of a path or its content."""
    if isinstance(error, LbwError):
        return error
    if isinstance(error, UnicodeError):
        return UsageError(f"a path or a file is not UTF-8: {shorten(str(error))}")
    if isinstance(error, RecursionError):
        return UsageError("a file is nested too deeply to be read")
    reason = shorten(told(error))
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in _PATH_FAULTS:
        return UsageError(f"{where}{reason}: give another path")
    return LbwError(f"{where}{reason}: correct that and run the same command again")
