"""How many requests a server may get at once: fewer when it says that it is overloaded, then more again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from longbench_write.errors import OPEN_FILES, BackendError

OVERLOADED = ("rate_limited", "timeout", OPEN_FILES)
"""The kinds of `BackendError` that indicate overload: HTTP 429 and 503, time-outs, and as many open
connections as this process may have."""


class AdaptiveLimit:
    """The number of requests that a server keeps up with; whoever sends them keeps to it.

    Additive increase, multiplicative decrease (Chiu and Jain, 1989): an overload error halves the number,
    once for all requests that were in flight together; as many answers as the number allows raise it by one.

    Args:
        most: Requests in flight at most, 1 or more.

    Attributes:
        allowed: Requests that may be in flight now, from 1 to `most`.
    """

    def __init__(self, most: int) -> None:
        self.allowed = most
        self._most = most
        self._answers = 0
        self._halvings = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Surround one request, and learn from how it ends."""
        known = self._halvings
        try:
            yield
        except BackendError as error:
            if error.kind in OVERLOADED and known == self._halvings:
                self._halve()
            raise
        self._answered()

    def _answered(self) -> None:
        self._answers += 1
        if self._answers >= self.allowed:
            self._answers = 0
            self.allowed = min(self._most, self.allowed + 1)

    def _halve(self) -> None:
        self.allowed = max(1, self.allowed // 2)
        self._answers = 0
        self._halvings += 1
