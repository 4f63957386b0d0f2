"""Whether a request that got no answer is the fault of its prompt or of the model behind it."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Iterator
from contextlib import contextmanager

from longbench_write.errors import BackendError, ErrorAction
from longbench_write.records import Judgement

FIRST_JUDGEMENTS = 20
"""Judgements of which, if they are a judge's first, one at least has a valid reply."""

_REFUSALS = 3
"""Refusals for no known reason, before any answer, that stop the run."""


class Meaning(enum.Enum):
    """What a request without an answer means."""

    RECORD = "a failure of this prompt"
    AGAIN = "nothing yet: ask others first"
    STOP = "the end of the run"


class StartupGate:
    """Whether a model answers at all.

    Until it has answered once, a fault may be the server's or the prompt's. It waits for the requests in
    flight: if one of them is answered, it was this prompt's; if none is, the run stops. A request that was
    refused for no known reason stops the run only when others are refused too.
    """

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers
        self.in_flight = 0
        self._faults = 0
        self._changed = asyncio.Event()

    @contextmanager
    def ask(self) -> Iterator[None]:
        """Count a request as in flight."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._changed.set()

    def answered(self) -> None:
        """Note that the model has answered."""
        self.answers = True
        self._changed.set()

    async def meaning(self, error: BackendError) -> Meaning:
        """Decide what this fault means, now or once the requests beside it have ended."""
        if error.action is ErrorAction.STOP:
            return Meaning.STOP
        if error.caused_by_prompt:
            return Meaning.RECORD
        self._faults += 1
        while self.in_flight and not self.answers:
            self._changed.clear()
            await self._changed.wait()
        if self.answers:
            return Meaning.RECORD
        enough = _REFUSALS if error.action is ErrorAction.GIVE_UP else 1
        return Meaning.STOP if self._faults >= enough else Meaning.AGAIN


class JudgeTrial:
    """Whether a judge can judge: one whose first replies are all invalid is not paid for any more.

    Args:
        passed: Whether it has given scores in an earlier session.
    """

    def __init__(self, *, passed: bool) -> None:
        self._passed = passed
        self._failed = 0

    def fails_with(self, judgement: Judgement) -> bool:
        """Take a judgement; return whether it is the one after which no more are asked for."""
        self._passed = self._passed or judgement.scores is not None
        self._failed += 1
        return not self._passed and self._failed == FIRST_JUDGEMENTS
