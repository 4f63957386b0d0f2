"""A backend with limits on what it may spend, which are kept before they are passed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from longbench_write.backends.base import Backend, Completion, Message, Sampling
from longbench_write.backends.prices import Prices
from longbench_write.errors import BackendError


@dataclass
class Limit:
    """An amount that may be spent, by several backends together.

    A request reserves the most that it can cost. Where that does not fit, it waits for those in flight, which
    mostly cost less than they reserved; where none is in flight, the run ends.

    Attributes:
        option: What set the limit, for the error.
        amount: What may be spent.
        spent: What has been spent so far.
    """

    option: str
    amount: float
    spent: float = 0.0
    _reserved: list[float] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def reserve(self, most: float) -> None:
        """Wait until so much may be spent.

        Raises:
            BackendError: It may never be.
        """
        while self.spent + math.fsum(self._reserved) + most > self.amount:
            if not self._reserved:
                raise BackendError(
                    "budget",
                    f"{self.option} {self.amount:g} is all but spent ({self.spent:,.6g}): the next request "
                    f"may take {most:,.3g}; raise it and run the same command to resume",
                )
            self._changed.clear()
            await self._changed.wait()
        self._reserved.append(most)

    def settle(self, most: float, spent: float) -> None:
        """Replace what was reserved by what has been spent of it."""
        self._reserved.remove(most)
        self.spent += spent
        self._changed.set()


class BudgetedBackend:
    """Another backend, asked only within limits.

    Args:
        backend: Opened and closed elsewhere.
        limits: Each with the prices that count in it.
    """

    def __init__(self, backend: Backend, limits: Sequence[tuple[Limit, Prices]]) -> None:
        self._backend = backend
        self._limits = limits
        self.meter = backend.meter

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Complete as the other backend does; an error of kind "budget" says that a limit would be passed."""
        prompt = most_tokens(messages)
        reserved: list[tuple[Limit, Prices, float]] = []
        used = (0, 0)
        try:
            for limit, prices in self._limits:
                most = prices.of(prompt, sampling.max_tokens)
                await limit.reserve(most)
                reserved.append((limit, prices, most))
            completion = await self._backend.complete(messages, sampling)
            used = _used(completion, prompt)
        finally:
            for limit, prices, most in reserved:
                limit.settle(most, prices.of(*used))
        return completion

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


def text_tokens(text: str) -> int:
    """Return a bound on the tokens of a text: its bytes in UTF-8, as a token has one at least."""
    return len(text.encode("utf-8", "replace"))


def most_tokens(messages: Sequence[Message]) -> int:
    """Return a bound on the tokens of a chat, with 16 a message for what frames it."""
    return sum(text_tokens(message["content"]) + 16 for message in messages)


def _used(completion: Completion, prompt: int) -> tuple[int, int]:
    """Return prompt and new tokens; bounds where the server does not count them."""
    usage = completion.usage
    text = completion.text + completion.reasoning
    return (
        prompt if usage.prompt_tokens is None else usage.prompt_tokens,
        text_tokens(text) if usage.completion_tokens is None else usage.completion_tokens,
    )
