"""What a session is to do: the responses and judgements that are owed, who makes them, what ends it early."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from longbench_write.backends.base import Backend, Sampling
from longbench_write.errors import LbwError
from longbench_write.judging.judge import Judge
from longbench_write.records import Key
from longbench_write.runs.opening import ReasoningOpening
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Writer

OwedResponse = tuple[Prompt, int]
"""A prompt and the number of the sample that is owed."""

OwedJudgement = tuple[Key, int]
"""A response, and which of its judgements is owed, from 0."""


@dataclass(frozen=True)
class Judging:
    """Who judges, and through what.

    Attributes:
        judge: Asks for scores.
        backend: Its model.
        concurrency: Requests in flight at most.
        repeats: Judgements of each response.
    """

    judge: Judge
    backend: Backend
    concurrency: int
    repeats: int = 1


@dataclass(frozen=True)
class Writing:
    """Who writes, and through what.

    Attributes:
        writer: Makes responses.
        backend: The model under test.
        concurrency: Requests in flight at most, whoever plans.
        sampling: What a response may have; its seed is the run's.
        planner: Whoever answers the requests of that role; None for the model under test.
        retry_failed: Whether steps that failed permanently are retried.
        system: The system prompt before each request to the model under test; None for none.
        opening: Whether the chat template opens a block of reasoning; what answers show is noted there.
    """

    writer: Writer
    backend: Backend
    concurrency: int
    sampling: Sampling = Sampling(max_tokens=32768)  # noqa: RUF009
    planner: Backend | None = None
    retry_failed: bool = False
    system: str | None = None
    opening: ReasoningOpening = field(default_factory=ReasoningOpening)


@dataclass(frozen=True)
class Limits:
    """What ends a run, or a request, early; None where nothing does.

    Attributes:
        prompt_seconds: For a request, retries and waits included, from when it may be sent.
        seconds: For the session.
        failures: Responses and judgements that fail in this session.
        began: When the session began, on the monotonic clock.
    """

    prompt_seconds: float | None = None
    seconds: float | None = None
    failures: int | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float | None:
        """Seconds of the session that are left."""
        return None if self.seconds is None else max(0.0, self.began + self.seconds - time.monotonic())

    @property
    def over(self) -> LbwError:
        """What ends a session whose time is over."""
        return LbwError(f"--max-time {self.seconds:g} s is over: run the same command to resume")

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """Surround what is waited for before the first request is sent.

        Raises:
            LbwError: The session's time is over; what goes on in the block is cancelled.
        """
        try:
            async with asyncio.timeout(self.left) as limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise self.over from None


@dataclass(frozen=True)
class Work:
    """What is owed, and by whom.

    Attributes:
        folder: Where it is recorded.
        to_write: Responses that are not there yet.
        to_judge: Judgements that are owed of responses that are there.
        answered: Responses that are there already.
        writing: Needed where `to_write` is not empty.
        judging: None where nothing is to be judged.
        limits: What ends it early.
    """

    folder: Path
    to_write: Sequence[OwedResponse]
    to_judge: Sequence[OwedJudgement]
    answered: int
    writing: Writing | None
    judging: Judging | None
    limits: Limits = field(default_factory=Limits)
