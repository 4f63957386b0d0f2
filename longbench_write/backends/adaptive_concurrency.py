"""How many requests a server is given at once: fewer when it says that it is overloaded, then more again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from longbench_write.errors import BackendError

OVERLOADED = ("rate_limited", "timeout")
"""The kinds of `BackendError` that are signs of overload: HTTP 429 and 503, and time-outs."""


class Pace:
    """Lets as many requests begin as the server keeps up with, in the order in which they came.

    Additive increase, multiplicative decrease (Chiu and Jain, 1989): a sign of overload halves the number,
    once for all requests that were in flight together; as many answers as the number allows raise it by one.

    Args:
        most: Requests in flight at most, 1 or more.

    Attributes:
        allowed: Requests that may be in flight now, from 1 to `most`.
    """

    def __init__(self, most: int) -> None:
        self.allowed = most
        self._most = most
        self._in_flight = 0
        self._answers = 0
        self._halvings = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Around one request: waits for its turn, and learns from how it ends."""
        await self._turn()
        known = self._halvings
        try:
            yield
            self._answered()
        except BackendError as error:
            if error.kind in OVERLOADED and known == self._halvings:
                self._halve()
            raise
        finally:
            self._end()

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._begin()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._end()
            raise

    def _begin(self) -> None:
        """Give those who wait their turns, while there is room."""
        while self._waiting and self._in_flight < self.allowed:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                self._in_flight += 1

    def _end(self) -> None:
        self._in_flight -= 1
        self._begin()

    def _answered(self) -> None:
        self._answers += 1
        if self._answers >= self.allowed:
            self._answers = 0
            self.allowed = min(self._most, self.allowed + 1)

    def _halve(self) -> None:
        self.allowed = max(1, self.allowed // 2)
        self._answers = 0
        self._halvings += 1
