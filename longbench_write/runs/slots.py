"""Who may send the next request: one priority queue a model, over requests, whatever makes them.

A piece of work (a response, a judgement) is begun with a slot, and keeps it from one of its requests to the
next while nothing that was begun earlier waits. New work is begun only where a slot is free and no request of
work that was begun waits, so that chains of requests are finished before others are opened. The last of it,
as much as there are slots, is begun before such requests: its own, which depend on each other, would else be
left to run alone at the end.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from longbench_write.writers.base import Refused

_Place = tuple[bool, float, int, asyncio.Future[None]]
"""Where a request waits: whether behind new work, its rank, its arrival; done when it has its slot."""


class Slots:
    """The slots of one model, which several lanes share.

    Args:
        allowed: Requests that may be in flight now, as overload errors of the server have it; None for no
            such limit.
    """

    def __init__(self, allowed: Callable[[], int | None]) -> None:
        self.in_use = 0
        self._allowed = allowed
        self._lanes: list[Lane] = []

    @property
    def over(self) -> int:
        """How many more are in use than may be; negative while some are free, 0 where none is."""
        allowed = self._allowed()
        return -1 if allowed is None else self.in_use - max(1, allowed)

    def lane(self, most: int, begin: Callable[[], bool], left: Callable[[], int] | None = None) -> Lane:
        """Add a lane of requests; an earlier one goes first.

        Args:
            most: Its requests in flight at most.
            begin: Begins a piece of work with a slot that it has; False if there is none to begin.
            left: How many pieces of work are not begun; None where more may always come.
        """
        self._lanes.append(lane := Lane(self, most, begin, left))
        return lane

    def hand_out(self) -> None:
        """Give the free slots to those who wait, and to new work."""
        for lane in self._lanes:
            while lane.has_room and lane.hand_out():
                pass


class Lane:
    """The requests of one kind of work, such as writing, on their way to a model."""

    def __init__(
        self, slots: Slots, most: int, begin: Callable[[], bool], left: Callable[[], int] | None
    ) -> None:
        self._slots = slots
        self._most = most
        self._begin = begin
        self._left = left
        self._in_use = 0
        self._numbers = itertools.count()
        self._waiting: list[_Place] = []

    @property
    def has_room(self) -> bool:
        """Whether a slot is free."""
        return self._in_use < self._most and self._slots.over < 0

    def wait(self, order: float, *, last: bool) -> asyncio.Future[None]:
        """Queue a request; what is returned is done when it has its slot.

        Args:
            order: The smallest goes first.
            last: Whether new work is to be begun before.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (last, order, next(self._numbers), future))
        self._slots.hand_out()
        return future

    def hand_out(self) -> bool:
        """Give one slot away; False if nobody wants it."""
        first = self._first()
        begins = first is None or first[0] or (self._left is not None and self._left() <= self._most)
        self._take(1)
        if begins and self._begin():
            return True
        if first is None:
            self._take(-1)
            return False
        heapq.heappop(self._waiting)[-1].set_result(None)
        return True

    def release(self) -> None:
        """Give a slot back."""
        self._take(-1)
        self._slots.hand_out()

    def _take(self, number: int) -> None:
        self._in_use += number
        self._slots.in_use += number

    def claimed(self, order: float) -> bool:
        """Return whether a slot that work of this order has is due to others."""
        first = self._first()
        earlier = first is not None and first[:2] < (False, order)
        return earlier or self._in_use > self._most or self._slots.over > 0

    def _first(self) -> _Place | None:
        """Return the first of those who wait and have not given up."""
        while self._waiting and self._waiting[0][-1].done():
            heapq.heappop(self._waiting)
        return self._waiting[0] if self._waiting else None


class Share:
    """The slots of one piece of work, which has one when it begins.

    Args:
        lane: Where they come from.
        order: Its rank among all work; the smallest goes first.
    """

    def __init__(self, lane: Lane, order: float) -> None:
        self._lane = lane
        self._order = order
        self._kept = True
        self._closed = False
        self._requests = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Surround one request with a slot.

        Raises:
            Refused: `refuse` was called while the request waited.
        """
        self._requests += 1
        slot = Slot(self)
        try:
            await slot.take()
            yield slot
        finally:
            self._requests -= 1
            if slot.taken:
                self._put_back()

    async def wait(self, *, last: bool) -> None:
        """Wait for a slot, or take the one that was kept."""
        if self._kept:
            self._kept = False
            return
        place = self._lane.wait(self._order, last=last)
        self._waiting.add(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._lane.release()
            raise
        finally:
            self._waiting.discard(place)

    def _put_back(self) -> None:
        """Keep the slot for the request that follows, unless others have more right to it."""
        if self._closed or self._kept or self._requests or self._lane.claimed(self._order):
            self._lane.release()
        else:
            self._kept = True

    def release(self) -> None:
        """Give back a slot that is taken."""
        self._lane.release()

    def refuse(self) -> None:
        """Turn down the requests that wait."""
        for place in self._waiting:
            if not place.done():
                place.set_exception(Refused("no more requests are sent"))

    def close(self) -> None:
        """Give back what was kept: the work has ended."""
        self._closed = True
        if self._kept:
            self._kept = False
            self._lane.release()


class Slot:
    """The slot of one request."""

    def __init__(self, share: Share) -> None:
        self.taken = False
        self._share = share

    async def take(self, *, last: bool = False) -> None:
        """Wait for it."""
        await self._share.wait(last=last)
        self.taken = True

    async def queue_again(self) -> None:
        """Give it back, and wait for another behind all work that has not begun."""
        self.taken = False
        self._share.release()
        await self.take(last=True)
