"""Tasks that end together: where one fails, the others are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """A growing set of tasks; unlike `asyncio.TaskGroup`, it can be asked whether it is ending.

    Args:
        on_failure: Called when the first of them has failed.

    Attributes:
        ending: Whether no more tasks may be begun.
    """

    def __init__(self, on_failure: Callable[[], None]) -> None:
        self.ending = False
        self._on_failure = on_failure
        self._running: set[asyncio.Task[Any]] = set()
        self._error: BaseException | None = None

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None or self._error:
            return
        self._error = error
        self.cancel()
        self._on_failure()

    def cancel(self) -> None:
        """Cancel all."""
        self.ending = True
        for task in self._running:
            task.cancel()

    async def join(self) -> None:
        """Wait for all, and for those that they begin."""
        while self._running:
            await asyncio.wait(self._running)

    def check(self) -> None:
        """Raise the error of the first that failed."""
        if self._error:
            raise self._error
