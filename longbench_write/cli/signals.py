"""The signals that end a command: each winds it up in the same way."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TOGETHER = 2.0
"""Seconds within which signals count as one: a terminal and a launcher each send theirs."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""Ctrl-C, a polite end, a lost terminal, Ctrl-\\, what batch systems send ahead of it, too much CPU time."""


class Signals:
    """Listens to the signals that end a command.

    The first stops what goes on, with `KeyboardInterrupt` or as `stopping_with` has it; one that comes later
    than `TOGETHER` after it stops that at once, and a third one raises `KeyboardInterrupt` wherever it is.
    """

    def __init__(self) -> None:
        self._stop: Callable[[], object] | None = None
        self._count = 0
        self._last = float("-inf")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the block runs; what is ignored already, as nohup has SIGHUP ignored, stays so."""
        self._count, self._last = 0, float("-inf")
        before = {}
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, self._heard)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._last < TOGETHER:
            return
        self._last = now
        self._count += 1
        if self._stop is None or self._count > 2:
            raise KeyboardInterrupt
        self._stop()

    @contextmanager
    def stopping_with(self, stop: Callable[[], object]) -> Iterator[None]:
        """Have signals call `stop` while the block runs, the first and the second one.

        Args:
            stop: Called in the main thread, in between any two instructions of it.
        """
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None


SIGNALS = Signals()
"""Those of this process; `main` listens to them."""
