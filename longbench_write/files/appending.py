"""Appends to a file outside of the event loop, since a shared disk may take seconds for one write."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(slots=True)
class _Waiting(Generic[R]):
    """A record that waits to be written.

    Attributes:
        record: It.
        then: Called in the event loop once it is written.
        written: Done then; its exception says that it is not.
        error: Why it is not written.
    """

    record: R
    then: Callable[[R], object]
    written: asyncio.Future[None]
    error: Exception | None = field(default=None, init=False)

    def settle(self) -> None:
        """Tell whoever waits, in the event loop."""
        if self.error:
            self.written.set_exception(self.error)
            return
        try:
            self.then(self.record)
        except Exception as error:
            self.written.set_exception(error)
        else:
            self.written.set_result(None)


class Appender(Generic[R]):
    """Writes records in a thread of its own, in the order in which they come; those that wait, in one write.

    All records come from one event loop.

    Args:
        write: Writes records, all or none of them; called in that thread, which the first record starts.
    """

    def __init__(self, write: Callable[[Sequence[R]], None]) -> None:
        self._write = write
        self._queue: SimpleQueue[_Waiting[R] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def append(self, record: R, then: Callable[[R], object]) -> None:
        """Write a record; a task that is cancelled meanwhile ends as cancelled once it is written.

        Args:
            record: What is appended.
            then: Called with it once it is written, before anything else happens in the event loop that
                depends on it.

        Raises:
            Exception: What `write`, or `then`, raised.
        """
        written = asyncio.get_running_loop().create_future()
        if self._thread is None:
            # A daemon: a write that a dead share never ends keeps no process from its end.
            self._thread = threading.Thread(target=self._run, name="longbench-write records", daemon=True)
            self._thread.start()
        self._queue.put(_Waiting(record, then, written))
        cancelled: asyncio.CancelledError | None = None
        while not written.done():
            try:
                await asyncio.shield(written)
            except asyncio.CancelledError as error:
                cancelled = error
        written.result()
        if cancelled:
            raise cancelled

    def _run(self) -> None:
        ended = False
        while not ended:
            taken = [self._queue.get()]
            while not self._queue.empty():  # nobody else takes anything out
                taken.append(self._queue.get())
            waiting = [each for each in taken if each]
            ended = len(waiting) < len(taken)
            self._write_all(waiting)
            if waiting:
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    waiting[0].written.get_loop().call_soon_threadsafe(_settle, waiting)

    def _write_all(self, waiting: Sequence[_Waiting[R]]) -> None:
        """Write them at once; where that fails, one by one, so that what there is room for is kept."""
        if not waiting:
            return
        try:
            self._write([each.record for each in waiting])
        except Exception as error:
            if len(waiting) == 1:
                waiting[0].error = error
                return
            for each in waiting:
                self._write_all([each])

    def close(self) -> None:
        """Wait until everything is written, and end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None


def _settle(waiting: Sequence[_Waiting[R]]) -> None:
    for each in waiting:
        each.settle()
