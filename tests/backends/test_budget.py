import asyncio

import pytest

from longbench_write.backends.base import Completion, Message, Meter, Sampling, Usage
from longbench_write.backends.budget import BudgetedBackend, Limit
from longbench_write.backends.prices import TOKENS, Prices
from longbench_write.errors import BackendError, ErrorAction

CHAT = [Message(role="user", content="x" * 84)]  # at most 100 tokens


class Costing:
    """A backend whose answers take so many tokens; None fails. It may be held, and tells when it is asked."""

    def __init__(self, usage, hold=None):
        self.meter = Meter()
        self.reached = asyncio.Event()
        self.usage = usage
        self.hold = hold
        self.asked = 0

    async def complete(self, messages, sampling):
        self.asked += 1
        self.reached.set()
        if self.hold:
            await self.hold.wait()
        if self.usage is None:
            raise BackendError("timeout", "no answer")
        return Completion("y" * 7, "", "stop", self.usage, 0.0)


async def test_a_limit_is_not_passed_and_the_run_stops_before_it():
    backend, limit = Costing(Usage(20, 10)), Limit("--max-judge-tokens", 230)
    budgeted = BudgetedBackend(backend, [(limit, TOKENS)])
    for _ in range(3):
        await budgeted.complete(CHAT, Sampling(max_tokens=50))
    assert limit.spent == 90
    with pytest.raises(BackendError, match="--max-judge-tokens 230") as stopped:
        await budgeted.complete(CHAT, Sampling(max_tokens=50))
    assert stopped.value.action is ErrorAction.STOP
    assert backend.asked == 3


async def test_what_does_not_fit_beside_those_in_flight_waits_for_them():
    hold = asyncio.Event()
    backend, limit = Costing(Usage(20, 10), hold), Limit("--max-judge-tokens", 200)
    budgeted = BudgetedBackend(backend, [(limit, TOKENS)])
    both = asyncio.gather(*(budgeted.complete(CHAT, Sampling(max_tokens=50)) for _ in range(2)))
    await backend.reached.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert backend.asked == 1
    hold.set()
    await both
    assert (backend.asked, limit.spent) == (2, 60)


async def test_prices_count_prompts_and_answers():
    limit = Limit("--max-cost", 1.0)
    budgeted = BudgetedBackend(Costing(Usage(1000, 500)), [(limit, Prices(input=2, output=10))])
    await budgeted.complete(CHAT, Sampling(max_tokens=50))
    assert limit.spent == pytest.approx((1000 * 2 + 500 * 10) / 1e6)


async def test_a_failed_request_costs_nothing_and_an_uncounted_one_its_bytes():
    limit = Limit("--max-judge-tokens", 1000)
    with pytest.raises(BackendError, match="no answer"):
        await BudgetedBackend(Costing(None), [(limit, TOKENS)]).complete(CHAT, Sampling(max_tokens=50))
    assert limit.spent == 0
    await BudgetedBackend(Costing(Usage()), [(limit, TOKENS)]).complete(CHAT, Sampling(max_tokens=50))
    assert limit.spent == 100 + 7


async def test_what_was_reserved_is_given_back_whole_in_any_order():
    limit = Limit("--max-cost", 0.65)
    amounts = (0.1, 0.2, 0.3)  # 0.1 + 0.2 + 0.3 - 0.1 - 0.2 - 0.3 is not 0 in floats
    for amount in amounts:
        await limit.reserve(amount)
    for amount in amounts:
        limit.settle(amount, 0.0)
    async with asyncio.timeout(10):
        with pytest.raises(BackendError):
            await limit.reserve(0.7)
