"""How many requests are in flight: fewer on signs of overload, then more again."""

import asyncio
import threading

import pytest
from servers.openai_server import Answer, OpenAIServer, writer

from longbench_write.backends.adaptive_concurrency import OVERLOADED, AdaptiveLimit
from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.errors import ERROR_ACTIONS, BackendError


class Requests:
    """Requests under one limit, which a test begins and ends as it likes."""

    def __init__(self, most):
        self.limit = AdaptiveLimit(most)
        self._open = []

    def begin(self, count):
        for _ in range(count):
            self._open.append(request := self.limit.request())
            request.__enter__()

    def end(self, *numbers, kind=None):
        for number in numbers:
            if kind is None:
                self._open[number].__exit__(None, None, None)
            else:
                error = BackendError(kind, "x")
                assert not self._open[number].__exit__(BackendError, error, None)


@pytest.mark.parametrize("kind", OVERLOADED)
def test_overload_halves_once_for_all_that_were_in_flight(kind):
    requests = Requests(8)
    requests.begin(8)
    requests.end(0, 1, 2, kind=kind)
    assert requests.limit.allowed == 4
    requests.begin(1)
    requests.end(3, kind=kind)
    assert requests.limit.allowed == 4
    requests.end(8, kind=kind)
    assert requests.limit.allowed == 2


def test_it_falls_no_lower_than_one():
    requests = Requests(1)
    requests.begin(1)
    requests.end(0, kind="timeout")
    assert requests.limit.allowed == 1


def test_it_climbs_by_one_for_as_many_answers_as_it_allows_and_no_further_than_it_may():
    requests = Requests(4)
    requests.begin(1)
    requests.end(0, kind="rate_limited")
    allowed = []
    for number in range(1, 10):
        requests.begin(1)
        requests.end(number)
        allowed.append(requests.limit.allowed)
    assert allowed == [2, 3, 3, 3, 4, 4, 4, 4, 4]


@pytest.mark.parametrize("kind", sorted(ERROR_ACTIONS.keys() - set(OVERLOADED)))
def test_other_faults_change_nothing(kind):
    requests = Requests(4)
    requests.begin(1)
    requests.end(0, kind=kind)
    assert requests.limit.allowed == 4


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
