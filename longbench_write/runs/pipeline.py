"""Generating and judging at once, bounded: the only place that schedules.

What requires the most words goes first, so that no long response is left to run alone at the end. A response
is recorded the moment it arrives and judged from its record, so memory does not grow with the texts.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from longbench_write.backends.base import Backend, Completion
from longbench_write.errors import VERDICTS, BackendError, LbwError
from longbench_write.judging.judge import Judge
from longbench_write.records import Judgement, Key, Prediction
from longbench_write.runs.faults import Gate, Meaning
from longbench_write.runs.store import RunWriter
from longbench_write.scoring.signs import signs_of
from longbench_write.suites.suite import Prompt
from longbench_write.writers.direct import DirectWriter, failed_prediction, written_prediction

Task = tuple[Prompt, int]
"""A prompt and the number of the sample that is owed."""

Turn = tuple[Key, int]
"""A response, and which of its judgements is owed, from 0."""

_UNREAD = 32
"""Responses that are kept until there is time to look at them; of more, that is left for the end."""
_TURNS = 20
"""Turns of the event loop between two looks at responses, in which a request that waits gets sent."""

GRACE = 5.0
"""Seconds that requests in flight have to finish when a run is cut short."""


class Observer:
    """Is told what happens in a run; this one keeps silent, a display overrides what it shows."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one sentence."""

    def downloading(self, done: int, total: int | None) -> None:
        """So many bytes of a model have come, of so many."""

    def begin(self, plan: Plan) -> None:
        """Requests are about to be made."""

    def predicted(self, record: Prediction) -> None:
        """A response, or its failure, has been recorded."""

    def judged(self, record: Judgement) -> None:
        """A judgement, or its failure, has been recorded."""

    def tick(self) -> None:
        """About a second has passed."""

    def end(self) -> None:
        """No more requests will be made."""


@dataclass(frozen=True)
class Judging:
    """Who judges, and through what."""

    judge: Judge
    backend: Backend
    concurrency: int
    repeats: int = 1
    """Judgements of each response."""


@dataclass(frozen=True)
class Writing:
    """Who writes, and through what."""

    writer: DirectWriter
    backend: Backend
    concurrency: int


@dataclass(frozen=True)
class Limits:
    """What ends a run, or a prompt, early; None where nothing does.

    Attributes:
        prompt_seconds: For a prompt's response, retries and waits included.
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


@dataclass(frozen=True)
class Plan:
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
    to_write: Sequence[Task]
    to_judge: Sequence[Turn]
    answered: int
    writing: Writing | None
    judging: Judging | None
    limits: Limits = field(default_factory=Limits)


async def run_pipeline(plan: Plan, run: RunWriter, observer: Observer) -> None:
    """Do what is owed, recording each result as it arrives.

    Cancelled, it asks nothing more, gives the requests in flight `GRACE` seconds, and is cancelled then;
    cancelled again, it is at once.

    Raises:
        LbwError: The run cannot go on; what has been recorded is kept.
    """
    scheduler = _Scheduler(plan, run, observer)
    observer.begin(plan)
    work = asyncio.create_task(scheduler.run())
    try:
        await _within(plan.limits, work, scheduler)
        work.result()
    except BaseExceptionGroup as group:
        raise _first(group) from None
    finally:
        work.cancel()
        await asyncio.wait({work})
        observer.end()


async def _within(limits: Limits, work: asyncio.Task[None], scheduler: _Scheduler) -> None:
    """Wait for the work to end, or have it wound up when its time is over or it is cancelled."""
    try:
        done, _ = await asyncio.wait({work}, timeout=limits.left)
    except asyncio.CancelledError:
        scheduler.stop(LbwError("interrupted"), GRACE)
        await asyncio.wait({work}, timeout=GRACE)
        raise
    if not done:
        over = LbwError(f"--max-time {limits.seconds:g} s is over: run the same command to go on")
        scheduler.stop(over, GRACE)
        await asyncio.wait({work}, timeout=GRACE)
        if not work.done():
            raise over


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to report: ours before any other."""
    ours, others = group.split(LbwError)
    error: BaseException = ours or others or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _LateError(BackendError):
    """A prompt's time is over: its own failure, whatever becomes of the others."""


class _Scheduler:
    def __init__(self, plan: Plan, run: RunWriter, observer: Observer) -> None:
        self._plan = plan
        self._run = run
        self._observer = observer
        self._tasks = deque(sorted(plan.to_write, key=lambda task: -task[0].length))
        self._queue: asyncio.PriorityQueue[tuple[int, Turn]] = asyncio.PriorityQueue()
        self._writer = Gate(answers=plan.answered > 0)
        self._judges = Gate(answers=plan.judging is not None and run.has_judged(plan.judging.judge.label))
        self._group = asyncio.TaskGroup()
        self._taking: set[asyncio.Task[None]] = set()
        self._unread: asyncio.Queue[Prediction] = asyncio.Queue(_UNREAD)
        self._fault: LbwError | None = None
        self._failures = 0

    async def run(self) -> None:
        for turn in self._plan.to_judge:
            self._enqueue(turn, self._run.answered[turn[0]])
        async with self._group as group:
            helpers = [group.create_task(self._tick()), group.create_task(self._look())]
            writers = []
            if judging := self._plan.judging:
                helpers += [group.create_task(self._judge(judging)) for _ in range(judging.concurrency)]
            if writing := self._plan.writing:
                writers = [group.create_task(self._write(writing)) for _ in range(writing.concurrency)]
            if writers:
                await asyncio.wait(writers)
            if self._taking:
                await asyncio.wait(self._taking)
            await self._queue.join()
            for task in helpers:
                task.cancel()
        if self._fault:
            raise self._fault

    async def _tick(self) -> None:
        while True:
            self._observer.tick()
            await asyncio.sleep(1.0)

    async def _look(self) -> None:
        """See what responses show, one every few turns of the event loop; the rest is left for the end."""
        while True:
            record = await self._unread.get()
            self._run.signs[record.key] = signs_of(record)
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def stop(self, fault: LbwError, grace: float | None = None) -> None:
        """Ask nothing more; what is in flight has been paid for and is let finish.

        Args:
            fault: Why.
            grace: Seconds after which the caller cancels what is in flight still; None for no end.
        """
        if self._fault is None:
            self._fault = fault
            if in_flight := self._writer.asking + self._judges.asking:
                how = f"have {grace:g} s to finish" if grace else "are let finish"
                again = "again " if grace else ""
                self._observer.note(
                    f"stopping ({fault}); {in_flight} requests in flight {how}, Ctrl-C {again}stops at once"
                )

    def _failed(self) -> None:
        """Count a recorded failure."""
        self._failures += 1
        if self._failures == self._plan.limits.failures:
            self.stop(LbwError(f"{self._failures} failed, as many as --max-failures allows"))

    async def _write(self, writing: Writing) -> None:
        while self._tasks and not self._fault:
            prompt, sample = task = self._tasks.popleft()
            try:
                with self._writer.ask():
                    completion = await self._completed(writing, prompt, sample)
            except _LateError as late:
                self._take(failed_prediction(prompt, sample, late))
            except BackendError as error:
                meaning = await self._writer.meaning(error)
                if meaning is Meaning.STOP:
                    self.stop(error)
                    return
                if meaning is Meaning.AGAIN:
                    self._tasks.append(task)
                    continue
                self._take(failed_prediction(prompt, sample, error))
            else:
                self._writer.answered()
                self._soon(prompt, sample, completion)

    async def _completed(self, writing: Writing, prompt: Prompt, sample: int) -> Completion:
        """What is written within the time that a prompt has.

        Raises:
            _LateError: The time is over.
        """
        seconds = self._plan.limits.prompt_seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                return await writing.writer.write(prompt, sample)
        except TimeoutError:
            if not limit.expired():
                raise
            raise _LateError("timeout", f"no response within --prompt-timeout {seconds:g} s") from None

    def _soon(self, prompt: Prompt, sample: int, completion: Completion) -> None:
        """Record a response as soon as what is next has been asked: the model is not to wait for it."""

        async def take() -> None:
            self._take(written_prediction(prompt, sample, completion))

        self._taking.add(task := self._group.create_task(take()))
        task.add_done_callback(self._taking.discard)

    def _take(self, record: Prediction) -> None:
        """Record a response, or its failure, and have it judged."""
        self._run.predictions.append(record)
        self._observer.predicted(record)
        if record.error:
            self._failed()
        else:
            with suppress(asyncio.QueueFull):
                self._unread.put_nowait(record)
        if (judging := self._plan.judging) and record.response is not None:
            for repeat in range(judging.repeats):
                self._enqueue((record.key, repeat), record.response_length or 0)

    def _enqueue(self, turn: Turn, words: int) -> None:
        """Have a response judged, the longest first."""
        self._queue.put_nowait((-words, turn))

    async def _judge(self, judging: Judging) -> None:
        while True:
            _, turn = await self._queue.get()
            if not self._fault:
                await self._judge_one(judging, turn)
            self._queue.task_done()

    async def _judge_one(self, judging: Judging, turn: Turn) -> None:
        judge = judging.judge
        key, repeat = turn
        response = self._run.predictions.get(key)
        try:
            with self._judges.ask():
                record = await judge.judge(
                    judging.backend,
                    id=response.id,
                    sample=response.sample,
                    prompt=response.prompt,
                    response=response.response or "",
                    repeat=repeat,
                )
        except BackendError as error:
            self.stop(BackendError(error.kind, judge.blamed(str(error), error.kind)))
            return
        if record.error is None or record.error.type not in VERDICTS:
            self._judges.answered()
        else:
            fault = BackendError(record.error.type, judge.blamed(record.error.message, record.error.type))
            meaning = await self._judges.meaning(fault)
            if meaning is Meaning.STOP:
                self.stop(fault)
                return
            if meaning is Meaning.AGAIN:
                self._queue.put_nowait((1, turn))
                return
        self._run.judgements.append(record)
        self._observer.judged(record)
        if record.error:
            self._failed()
