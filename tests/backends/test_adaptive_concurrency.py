"""How many requests are in flight: fewer on signs of overload, then more again."""

import asyncio
import threading

import pytest
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write.backends.adaptive_concurrency import OVERLOADED, Pace
from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.errors import VERDICTS, BackendError


async def settled():
    """Every task has gone as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Requests:
    """Requests under one pace, which a test ends as it likes."""

    def __init__(self, most):
        self.pace = Pace(most)
        self.begun = []
        self._ends = []
        self._tasks = []

    async def ask(self, number):
        loop = asyncio.get_running_loop()
        for _ in range(number):
            end = loop.create_future()
            self._ends.append(end)
            self._tasks.append(loop.create_task(self._one(len(self._ends) - 1, end)))
        await settled()

    async def _one(self, number, end):
        try:
            async with self.pace.request():
                self.begun.append(number)
                await end
        except BackendError:
            return

    async def end(self, *numbers, kind=None):
        for number in numbers:
            if kind is None:
                self._ends[number].set_result(None)
            else:
                self._ends[number].set_exception(BackendError(kind, "x"))
        await settled()

    async def cancel(self, number):
        self._tasks[number].cancel()
        await settled()


async def test_at_most_so_many_are_in_flight_in_the_order_they_came():
    requests = Requests(2)
    await requests.ask(4)
    assert requests.begun == [0, 1]
    await requests.end(1)
    assert requests.begun == [0, 1, 2]
    await requests.end(0, 2, 3)
    assert requests.begun == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", OVERLOADED)
async def test_overload_halves_once_for_all_that_were_in_flight(kind):
    requests = Requests(8)
    await requests.ask(12)
    await requests.end(0, 1, 2, kind=kind)
    assert requests.pace.allowed == 4
    assert len(requests.begun) == 8
    await requests.end(3, kind=kind)
    assert requests.pace.allowed == 4
    assert len(requests.begun) == 8
    await requests.end(4)
    assert len(requests.begun) == 9
    await requests.end(8, kind=kind)
    assert requests.pace.allowed == 2


async def test_it_falls_no_lower_than_one():
    requests = Requests(1)
    await requests.ask(2)
    await requests.end(0, kind="timeout")
    assert requests.pace.allowed == 1
    assert requests.begun == [0, 1]


async def test_it_climbs_by_one_for_as_many_answers_as_it_allows_and_no_further_than_it_may():
    requests = Requests(4)
    await requests.ask(1)
    await requests.end(0, kind="rate_limited")
    allowed = []
    for number in range(1, 10):
        await requests.ask(1)
        await requests.end(number)
        allowed.append(requests.pace.allowed)
    assert allowed == [2, 3, 3, 3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("kind", sorted(VERDICTS.keys() - set(OVERLOADED)))
async def test_other_faults_change_nothing(kind):
    requests = Requests(4)
    await requests.ask(1)
    await requests.end(0, kind=kind)
    assert requests.pace.allowed == 4


async def test_who_gives_up_leaves_its_turn_to_the_next():
    requests = Requests(1)
    await requests.ask(4)
    await requests.cancel(1)
    await requests.cancel(0)
    assert requests.begun == [0, 2]
    await requests.end(2)
    assert requests.begun == [0, 2, 3]


async def test_who_is_given_a_turn_and_gives_up_at_once_passes_it_on():
    pace = Pace(1)
    first = pace.request()
    await first.__aenter__()
    waiting = [asyncio.create_task(pace.request().__aenter__()) for _ in range(2)]
    await settled()
    await first.__aexit__(None, None, None)
    waiting[0].cancel()
    await settled()
    assert waiting[0].cancelled()
    assert waiting[1].done()


async def test_a_backend_asks_an_overloaded_server_for_less_and_then_for_more():
    everyone = threading.Barrier(8)

    def answer(body, number):
        if number >= 8:
            return writer(3)(body, number)
        everyone.wait(timeout=60)
        return Answer(status=503)

    with OpenAIServer(answer) as server:
        spec = BackendSpec("openai", "m", base_urls=(server.base_url,), concurrency=8)
        async with OpenAIBackend(spec) as backend:
            assert backend.meter.allowed == 8
            chats = [[{"role": "user", "content": f"Write {number}."}] for number in range(8)]
            await asyncio.gather(*(backend.complete(chat, Sampling(9)) for chat in chats))
            assert len(server.requests) == 16
            assert backend.meter.retries == 8
            assert backend.meter.allowed == 4 + 1
