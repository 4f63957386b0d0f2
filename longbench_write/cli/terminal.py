"""The standard streams, which may be closed, full, or lose their reader at any time."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from longbench_write.errors import LbwError
from longbench_write.files.faults import told


class TolerantStream:
    """A stream for what may be missed: once its file fails, all that is written is dropped.

    A run is worth more than its display: a log's disk that is full, a terminal or a `tee` that is gone does
    not end it.

    Args:
        stream: The stream; whatever else is asked for is its own.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, or drop it."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:  # a ValueError: it was closed
            self._lose(error)
            return len(text)

    def writelines(self, texts: Any) -> None:
        """Write texts, or drop them."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Hand on what has been written."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def _lose(self, error: OSError | ValueError) -> None:
        if not isinstance(error, BlockingIOError):  # the reader is slow: this piece alone is lost
            _to_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def prepared_streams() -> Iterator[None]:
    """Make the standard streams fit for any text and any end, while the block runs.

    Files and pipes take UTF-8, terminals get replacements. A stream that is closed leads nowhere, so that no
    file that is opened later takes its number and what is meant for it. Stderr tolerates faults.
    """
    before = sys.stdout, sys.stderr
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    for name in ("COLUMNS", "LINES"):
        if name in os.environ and not os.environ[name].strip("0 "):
            del os.environ[name]  # 0 is what it is where nobody knows: rich would draw nothing
    sys.stderr = cast("TextIO", TolerantStream(sys.stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before[0] or sys.stdout, before[1] or sys.stderr


def read_words_as_utf8() -> None:
    """Begin again in Python's UTF-8 mode where words of the command line are UTF-8 and the locale is not.

    Model names, paths and texts then are what was typed; a word in the locale's own encoding stays that.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return
    try:
        words = b"".join(map(os.fsencode, sys.orig_argv))
        if words.isascii():
            return
        words.decode()
    except UnicodeError:
        return
    command, *rest = sys.orig_argv
    os.execv(sys.executable, [command, "-X", "utf8", *rest])  # noqa: S606


def note(text: str) -> None:
    """Print on stderr what the user should know, which may hold untrusted text."""
    from longbench_write.render.terminal import escape_terminal

    print(escape_terminal(text), file=sys.stderr, flush=True)  # noqa: T201


def _open_closed() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  for the process's life


def end_output() -> None:
    """Hand to stdout what is left of the output.

    Raises:
        LbwError: It does not take it.
        SystemExit: Nobody reads it any more.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere(sys.stdout)
        sys.exit(1)
    except OSError as error:
        _to_nowhere(sys.stdout)
        raise LbwError(f"the output cannot be written: {told(error)}") from None


@contextmanager
def whole_output() -> Iterator[None]:
    """Hand to stdout what the block prints, here and now.

    Raises:
        LbwError: It does not take it, or nobody reads it any more.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        _to_nowhere(sys.stdout)
        raise LbwError(f"the output cannot be written: {told(error)}") from None


def _to_nowhere(stream: TextIO) -> None:
    """Have a stream's file lead nowhere, so that Python's own last flush of it does not fail either."""
    with suppress(OSError, ValueError):  # a stream without a file, as in a test
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
