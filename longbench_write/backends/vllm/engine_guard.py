"""Ends vLLM's processes, and those that they started, when the process that started them is gone.

vLLM's engine outlives a parent that was killed: it computes on and keeps the GPU's memory, so that the same
command could not resume. This file is also a script: in a process of its own it waits for its input to end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Set
from multiprocessing import active_children
from pathlib import Path

_PATIENCE = 10.0
"""Seconds from asking a process to end to ending it."""

_PATIENCE_KILLED = 1.0
"""The same where the process that started them was killed: there is nobody left whom a clean end serves."""

_END = "end"
"""The last line of an owner that ends as it should."""


class EngineGuard:
    """A watching process that is told which processes go with this one."""

    def __init__(self) -> None:
        self._watcher = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            bufsize=1,
        )
        self._known: set[int] = set()

    def watch(self, pids: Iterable[int]) -> None:
        """Add processes."""
        for pid in set(pids) - self._known:
            self._known.add(pid)
            if self._watcher.stdin:
                with contextlib.suppress(BrokenPipeError):  # the watcher itself was killed
                    self._watcher.stdin.write(f"{pid}\n")

    def end(self) -> None:
        """End those that still run; blocks until they are gone."""
        if self._watcher.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.write(f"{_END}\n")
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.close()
        while self._watcher.poll() is None:
            active_children()  # takes note of those that have ended, which otherwise stay
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._watcher.wait(0.1)


def main() -> None:
    """Read process ids, a line each; when the input ends, end those processes."""
    lines = [line.strip() for line in sys.stdin]
    pids = _with_descendants({int(line) for line in lines if line != _END})
    patience = _PATIENCE if lines[-1:] == [_END] else _PATIENCE_KILLED
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        deadline = time.monotonic() + patience
        while any(map(_runs, pids)) and time.monotonic() < deadline:
            time.sleep(0.1)


def _with_descendants(pids: Set[int]) -> Set[int]:
    """Return processes and all that they have started, as Linux tells; elsewhere they alone.

    The workers of an engine, which hold the memory of GPUs that share a model, are its children.
    """
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = path.read_text(errors="replace").rpartition(")")[2].split()  # behind the name
            parents[int(path.parent.name)] = int(fields[1])
    found = pids
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found = found | more
    return found


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
