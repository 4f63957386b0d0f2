"""An append-only file of JSON lines: what a run has paid for, safe from crashes.

A record is one line, written whole and handed to the operating system at once, so that a killed process
loses nothing that it had recorded; the disk gets it every few seconds. In an event loop records are added
with `add`, which lets the loop go on meanwhile.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from longbench_write.errors import RunFolderError, RunFolderLostError
from longbench_write.files.appending import Appender
from longbench_write.files.faults import told
from longbench_write.files.jsonl import K, R, Records, json_text
from longbench_write.files.reading import open_to_read
from longbench_write.files.whole import replacing, sync

_APPENDING = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
"""A link is refused, and a pipe does not keep this process waiting."""


class RecordFile(Records[R, K]):
    """One file of records that is written; each is found again by its key, no text is kept in memory.

    Before a record is added the file must be the one that was opened and end where this process left it.
    """

    def __init__(self, path: Path, parse: Callable[[dict[str, Any]], R], key: Callable[[R], K]) -> None:
        super().__init__(path, parse, key)
        self._offsets: dict[K, int] = {}
        self._file: BinaryIO | None = None
        self._source: BinaryIO | None = None
        self._end = 0
        self._unsynced = False
        self._fault: OSError | None = None
        self._closing = threading.Lock()
        self._writing = threading.Lock()
        self._appender: Appender[R] = Appender(self.write)

    def __contains__(self, key: K) -> bool:
        return key in self._offsets

    def identities(self) -> list[K]:
        """Return the keys of the records, in the file's order."""
        return list(self._offsets)

    def forget(self, keys: Iterable[K]) -> None:
        """Find these records no more; they stay in the file, which must not be put in another order then."""
        for key in keys:
            self._offsets.pop(key, None)

    def open(self, *, keep: Callable[[R], bool], discard: Callable[[list[R]], None] | None = None) -> None:
        """Read what is there and get ready to append; a torn end, and what is not kept, is taken out.

        Args:
            keep: Whether a record stays.
            discard: Given all that do not, before they are taken out.

        Raises:
            RunFolderError: The file cannot be read or written, or is a link.
        """
        if self.path.is_symlink():  # looked at first: one to a file with a torn end would be replaced
            raise _unwritable(self.path, OSError(errno.ELOOP, os.strerror(errno.ELOOP)))
        dropped: list[R] = []
        last = None
        for offset, record in self._scan():
            last = offset
            if keep(record):
                self._offsets[self._key(record)] = offset
            else:
                dropped.append(record)
        if dropped and discard:
            discard(dropped)
        try:
            if dropped or self._goes_on_after(last):
                self.rewrite(list(self._offsets))
            self._begin()
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def _begin(self) -> None:
        """Get ready to append.

        Raises:
            OSError: The file cannot be written, or is a link.
        """
        self._file = os.fdopen(os.open(self.path, _APPENDING, 0o666), "ab", buffering=0)
        self._end = os.fstat(self._file.fileno()).st_size
        self._source = open_to_read(self.path)  # now, since there may be too many open files later

    def _goes_on_after(self, last: int | None) -> bool:
        """Return whether anything stands behind the line at this offset, or in a file without lines."""
        if not self.path.exists():
            return False
        with open_to_read(self.path) as file:
            if last is not None:
                file.seek(last)
                file.readline()
            return bool(file.read(1))

    def _check_whole(self, file: BinaryIO) -> None:
        """Check that the file is the one that was opened, and that nobody else has written to it.

        Raises:
            RunFolderLostError: It is not; nothing more must be written.
            OSError: That cannot be found out.
        """
        here = os.fstat(file.fileno())
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            raise RunFolderLostError(f"{self.path} was removed while it was written") from None
        if not os.path.samestat(here, there):
            raise RunFolderLostError(f"{self.path} was replaced while it was written")
        if here.st_size != self._end:
            raise RunFolderLostError(f"another process has written to {self.path}")

    async def add(self, record: R, then: Callable[[R], object]) -> None:
        """Write one record outside of the event loop, behind those that were added before.

        Args:
            record: It.
            then: Called with it in the event loop as soon as it is written, also where the task that waits
                is cancelled meanwhile.

        Raises:
            RunFolderError: As `write`.
        """
        await self._appender.append(record, then)

    def append(self, record: R) -> None:
        """Write one record.

        Raises:
            RunFolderError: As `write`.
        """
        self.write([record])

    def write(self, records: Sequence[R]) -> None:
        """Write records at once, all or none of them; from any thread.

        Raises:
            RunFolderLostError: The file is not the one that was opened, or somebody else has written to it.
            RunFolderError: They could not be written whole; what came of them is taken back.
        """
        lines = [f"{json_text(record.to_json())}\n".encode() for record in records]
        with self._writing:
            if self._file is None:
                raise RunFolderError(f"{self.path} is not open for writing")
            try:
                if self._fault:
                    raise self._fault
                self._check_whole(self._file)
                self._write_whole(self._file, b"".join(lines))
            except OSError as error:
                raise _unwritable(self.path, error) from None
            for record, line in zip(records, lines, strict=True):
                self._offsets[self._key(record)] = self._end
                self._end += len(line)
            self._unsynced = True

    def _write_whole(self, file: BinaryIO, content: bytes) -> None:
        """Write what is appended; where that fails, what came of it is taken back.

        Raises:
            OSError: It could not be written whole.
        """
        written = 0
        try:
            while written < len(content):
                written += file.write(content[written:])
        except OSError:
            with suppress(OSError):  # a torn end is taken out when the file is opened again
                file.truncate(self._end)
            raise

    def sync(self) -> None:
        """Hand what was appended to the disk, from any thread; a disk's fault is the next append's."""
        with self._closing:
            if self._file is None or not self._unsynced:
                return
            self._unsynced = False
            try:
                sync(self._file.fileno())
            except OSError as error:
                self._fault = error

    def get(self, key: K) -> R:
        """Read one record again.

        Raises:
            RunFolderError: The file cannot be read, or is not what was written.
        """
        try:
            if self._source is None:
                self._source = open_to_read(self.path)
            self._source.seek(self._offsets[key])
            return self._parse(json.loads(self._source.readline()))
        except OSError as error:
            raise RunFolderError(f"cannot read {self.path}: {told(error)}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RunFolderError(f"{self.path} was changed while it was written: {error}") from None

    def rewrite(self, keys: Iterable[K]) -> None:
        """Put just these records, in this order, in the file's place, all at once.

        Raises:
            RunFolderLostError: A line is not the record that it was; the file is as it was.
            RunFolderError: They could not be written; the file is as it was.
        """
        offsets: dict[K, int] = {}
        try:
            with replacing(self.path) as target, open_to_read(self.path) as source:
                for key in list(keys):
                    source.seek(self._offsets[key])
                    line = source.readline()
                    if not self._is_of(key, line):
                        raise RunFolderLostError(f"{self.path} was changed while it was written")
                    offsets[key] = target.tell()
                    target.write(line)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        self._offsets = offsets
        self._forget_source()

    def _is_of(self, key: K, line: bytes) -> bool:
        """Return whether a line is the record of this key."""
        try:
            return line.endswith(b"\n") and self._key(self._parse(json.loads(line))) == key
        except (ValueError, TypeError, KeyError, AttributeError):
            return False

    def sort(self, rank: Callable[[K], Any]) -> None:
        """Put the records in the order of `rank(key)`, if they are not in it already.

        Raises:
            RunFolderLostError: The file is not the one that was written; it is left as it is.
            RunFolderError: They could not be written; the file is as it was.
        """
        order = sorted(self._offsets, key=rank)
        if order != list(self._offsets):
            self._close_whole()
            self.rewrite(order)

    def discard(self, keys: Collection[K]) -> None:
        """Take these records out of the file, which stays open.

        Raises:
            RunFolderLostError: The file is not the one that was written; it is left as it is.
            RunFolderError: The file cannot be written; it is as it was.
        """
        if not any(key in self._offsets for key in keys):
            return
        self._close_whole()
        self.rewrite([key for key in self._offsets if key not in keys])
        try:
            self._begin()
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def _close_whole(self) -> None:
        """Stop writing, where the file is the one that was written."""
        self._appender.close()
        if self._file is not None:
            try:
                self._check_whole(self._file)
            except OSError as error:
                raise _unwritable(self.path, error) from None
        self.close()

    def close(self) -> None:
        """Wait for what was added, hand everything to the disk and stop writing.

        Raises:
            RunFolderError: The disk does not take it.
        """
        self._appender.close()
        self._forget_source()
        with self._closing:
            if self._file is not None:
                file, self._file = self._file, None
                try:
                    sync(file.fileno())
                except OSError as error:
                    raise _unwritable(self.path, error) from None
                finally:
                    file.close()

    def _forget_source(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None


def _unwritable(path: Path, error: OSError) -> RunFolderError:
    return RunFolderError(
        f"cannot write {path}: {told(error)}; everything recorded before is kept: "
        "correct that or choose another --out, then run the same command again"
    )
