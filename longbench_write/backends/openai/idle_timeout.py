"""A time-out that only what is worth waiting for puts off."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

_SECOND_LOOK = 0.05
"""Seconds between the time-out and its judgement: time in which what has arrived is read."""


class IdleTimeout:
    """Ends what it surrounds with a `TimeoutError` once nothing has been fed to it for a while.

    A process that was stopped for longer (Ctrl-Z, a laptop's lid) finds its time over before it has looked at
    what arrived meanwhile: the event loop's poll then says nothing and the timers run. So time is judged at a
    second look, when the loop has been round.

    Args:
        seconds: The while.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(None)
        self._fed = 0.0
        self._seen = 0.0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._limit.__aenter__()
        self.feed()
        self._timer = self._loop.call_at(self._fed + self._seconds, self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def feed(self) -> None:
        """Note that something has come."""
        self._fed = self._loop.time()

    def _look(self) -> None:
        """Look whether the time is over; end what is surrounded at the second such look in a row."""
        due = self._fed + self._seconds
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._look)
        elif self._seen != self._fed:
            self._seen = self._fed
            self._timer = self._loop.call_later(_SECOND_LOOK, self._look)
        else:
            self._limit.reschedule(self._loop.time())
