"""Generating and judging at once, bounded: the only place that schedules.

What requires the most words goes first, so that no long response is left to run alone at the end. A response
is recorded the moment it arrives and judged from its record, so memory does not grow with the texts.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from longbench_write.backends.base import Backend
from longbench_write.errors import VERDICTS, BackendError, LbwError, Verdict
from longbench_write.judging.judge import Judge
from longbench_write.records import Judgement, Key, Prediction
from longbench_write.runs import RunWriter
from longbench_write.suites import Prompt
from longbench_write.writers.direct import DirectWriter, failed_prediction

Task = tuple[Prompt, int]
"""A prompt and the number of the sample that is owed."""


class Observer:
    """Is told what happens in a run; this one keeps silent, a display overrides what it shows."""

    def note(self, text: str) -> None:
        """Something that the user should know, in one sentence."""

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


@dataclass(frozen=True)
class Writing:
    """Who writes, and through what."""

    writer: DirectWriter
    backend: Backend
    concurrency: int


@dataclass(frozen=True)
class Plan:
    """What is owed, and by whom.

    Attributes:
        folder: Where it is recorded.
        to_write: Responses that are not there yet.
        to_judge: Responses that are there and not judged yet.
        done: Responses that need nothing more.
        writing: Needed where `to_write` is not empty.
        judging: None where nothing is to be judged.
    """

    folder: Path
    to_write: Sequence[Task]
    to_judge: Sequence[Key]
    done: int
    writing: Writing | None
    judging: Judging | None


async def run_pipeline(plan: Plan, run: RunWriter, observer: Observer) -> None:
    """Do what is owed, recording each result as it arrives.

    Raises:
        LbwError: The run cannot go on; what has been recorded is kept.
    """
    scheduler = _Scheduler(plan, run, observer)
    observer.begin(plan)
    try:
        await scheduler.run()
    except BaseExceptionGroup as group:
        raise _first(group) from None
    finally:
        observer.end()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to report: ours before any other."""
    ours, others = group.split(LbwError)
    error: BaseException = ours or others or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Scheduler:
    def __init__(self, plan: Plan, run: RunWriter, observer: Observer) -> None:
        self._plan = plan
        self._run = run
        self._observer = observer
        self._tasks = deque(sorted(plan.to_write, key=lambda task: -task[0].length))
        self._queue: asyncio.PriorityQueue[tuple[int, Key]] = asyncio.PriorityQueue()
        self._writer_answers = len(run.predictions) > 0
        self._judge_answers = False

    async def run(self) -> None:
        for key in self._plan.to_judge:
            self._enqueue(self._run.predictions.get(key))
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(self._tick())]
            writers = []
            if judging := self._plan.judging:
                helpers += [group.create_task(self._judge(judging)) for _ in range(judging.concurrency)]
            if writing := self._plan.writing:
                writers = [group.create_task(self._write(writing)) for _ in range(writing.concurrency)]
            if writers:
                await asyncio.wait(writers)
            await self._queue.join()
            for task in helpers:
                task.cancel()

    async def _tick(self) -> None:
        while True:
            self._observer.tick()
            await asyncio.sleep(1.0)

    async def _write(self, writing: Writing) -> None:
        while self._tasks:
            prompt, sample = self._tasks.popleft()
            try:
                record = await writing.writer.write(prompt, sample)
                self._writer_answers = True
            except BackendError as error:
                if _is_hopeless(error, answers=self._writer_answers):
                    raise
                record = failed_prediction(prompt, sample, error)
            self._run.predictions.append(record)
            self._observer.predicted(record)
            if self._plan.judging is not None and record.response is not None:
                self._enqueue(record)

    def _enqueue(self, record: Prediction) -> None:
        self._queue.put_nowait((-(record.response_length or 0), record.key))

    async def _judge(self, judging: Judging) -> None:
        while True:
            _, key = await self._queue.get()
            record = await self._judged(judging, self._run.predictions.get(key))
            self._run.judgements.append(record)
            self._observer.judged(record)
            self._queue.task_done()

    async def _judged(self, judging: Judging, response: Prediction) -> Judgement:
        judge = judging.judge
        try:
            record = await judge.judge(
                judging.backend,
                id=response.id,
                sample=response.sample,
                prompt=response.prompt,
                response=response.response or "",
            )
        except BackendError as error:
            raise _of_judge(judge.label, error.kind, str(error)) from None
        if record.error is None or record.error.type not in VERDICTS:
            self._judge_answers = True
        else:
            fault = _of_judge(judge.label, record.error.type, record.error.message)
            if _is_hopeless(fault, answers=self._judge_answers):
                raise fault
        return record


def _of_judge(label: str, kind: str, message: str) -> BackendError:
    """A judge's error, with the options that mend it called by the judge's names."""
    mend = re.sub("--(api-key-env|base-url)", r"--judge-\1", message)
    return BackendError(kind, f"judge {label}: {mend}")


def _is_hopeless(error: BackendError, *, answers: bool) -> bool:
    """Whether to stop the run: at what would fail for every prompt, or a model that never answered yet."""
    return error.verdict is Verdict.STOP or not (answers or error.blames_prompt)
