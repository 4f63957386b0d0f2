"""Writing and judging at once, bounded: the only place that schedules.

What requires the most words goes first, so that no long response is left to run alone at the end; of
requests, those of the response that was begun first. A response is recorded the moment it arrives and judged
from its record, so memory does not grow with the texts.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from time import monotonic, thread_time
from typing import Any

from longbench_write.backends.base import Backend
from longbench_write.errors import LbwError, shorten
from longbench_write.records import Judgement, Prediction
from longbench_write.runs.context import ResponseContext, SessionContext
from longbench_write.runs.discarded import keep_predictions
from longbench_write.runs.faults import FIRST_JUDGEMENTS, JudgeTrial
from longbench_write.runs.observer import Observer
from longbench_write.runs.requests import Requests, SharedRequests
from longbench_write.runs.slots import Lane, Share, Slots
from longbench_write.runs.store import RunWriter
from longbench_write.runs.tasks import Tasks
from longbench_write.runs.work import Judging, Limits, OwedJudgement, Work, Writing
from longbench_write.scoring.flags import flags_of
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Refused

_UNREAD = 32
"""Responses that are kept until there is time to look at them; of more, that is left for the end."""
_WATCHED, _QUIET = 0.01, 0.3
"""Seconds over which the event loop is watched before a look at a response, and the share of them that it may
compute at most: where answers wait to be read or requests to be sent, the look waits too."""
_SENDING = 2
"""Iterations of the event loop after which the request that follows a response has been sent."""

GRACE = 5.0
"""Seconds that requests in flight have to finish when a run is cut short."""


async def run_work(work: Work, run: RunWriter, observer: Observer) -> None:
    """Do what is owed, recording each result as it arrives.

    Cancelled, it sends nothing more, gives the requests in flight `GRACE` seconds, and is cancelled then;
    cancelled again, it is at once.

    Raises:
        LbwError: The run cannot continue; what has been recorded is kept.
    """
    scheduler = _Scheduler(work, run, observer)
    observer.begin(work)
    task = asyncio.create_task(scheduler.run())
    try:
        await _within(work.limits, task, scheduler)
        task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
        observer.end()


async def _within(limits: Limits, task: asyncio.Task[None], scheduler: _Scheduler) -> None:
    """Wait for the work to end, or have it wound up when its time is over or it is cancelled."""
    try:
        done, _ = await asyncio.wait({task}, timeout=limits.left)
    except asyncio.CancelledError:
        scheduler.stop(LbwError("interrupted"), GRACE)
        await asyncio.wait({task}, timeout=GRACE)
        raise
    if not done:
        over = limits.over
        scheduler.stop(over, GRACE)
        await asyncio.wait({task}, timeout=GRACE)
        if not task.done():
            raise over


async def _is_quiet() -> bool:
    """Watch the event loop for a moment; return whether it mostly waited."""
    began, computed = monotonic(), thread_time()
    await asyncio.sleep(_WATCHED)
    return thread_time() - computed < _QUIET * (monotonic() - began)


class _Scheduler:
    def __init__(self, work: Work, run: RunWriter, observer: Observer) -> None:
        self._work = work
        self._run = run
        self._observer = observer
        self._to_write = deque(sorted(work.to_write, key=lambda owed: -(owed[0].length or 0)))
        self._to_judge: list[tuple[int, OwedJudgement]] = []
        self._active: set[Share] = set()
        self._idle = asyncio.Event()
        self._tasks = Tasks(self._idle.set)
        self._unread: asyncio.Queue[Prediction] = asyncio.Queue(_UNREAD)
        self._requests: list[Requests] = []
        self._slots: dict[int, Slots] = {}
        self._fault: LbwError | None = None
        self._failures = 0
        self._begun = 0
        self._judging_lane = self._prepare_judging(work.judging) if work.judging else None
        self._writing_lane = self._prepare_writing(work.writing) if work.writing else None

    def _prepare_judging(self, judging: Judging) -> Lane:
        label = judging.judge.label
        self._trial = JudgeTrial(passed=self._run.has_scored(label))
        self._judge_requests = self._requests_to(
            judging.backend, answers=self._run.has_judged(label), explain=judging.judge.explain_error
        )
        return self._slots_of(judging.backend).lane(judging.concurrency, self._begin_judgement)

    def _prepare_writing(self, writing: Writing) -> Lane:
        roles, answered = self._run.steps.roles, self._work.answered > 0
        answers = answered or "writer" in roles
        requests = {"writer": self._requests_to(writing.backend, answers=answers, system=writing.system)}
        if writing.planner is None:
            requests["planner"] = requests["writer"]
        else:
            requests["planner"] = self._requests_to(writing.planner, answers="planner" in roles)
        self._session = SessionContext(
            requests=requests,
            sampling=replace(writing.sampling, seed=None),
            seed=writing.sampling.seed,
            steps=self._run.steps,
            on_step=self._observer.stepped,
            tasks=self._tasks,
            retry_failed=writing.retry_failed,
            opening=writing.opening,
            discard=lambda record: keep_predictions(self._run.path, [record]),
        )
        slots = self._slots_of(writing.backend)
        return slots.lane(writing.concurrency, self._begin_response, lambda: len(self._to_write))

    def _requests_to(self, backend: Backend, *, answers: bool, **more: Any) -> Requests:
        seconds = self._work.limits.prompt_seconds
        requests = Requests(backend, answers=answers, seconds=seconds, stop=self.stop, **more)
        self._requests.append(requests)
        return requests

    def _slots_of(self, backend: Backend) -> Slots:
        """Return the slots of a backend's model; roles that share it share them."""
        meter = backend.meter
        return self._slots.setdefault(id(meter), Slots(lambda: meter.allowed))

    async def run(self) -> None:
        """Do the work.

        Raises:
            LbwError: It cannot continue.
        """
        for owed in self._work.to_judge:
            heapq.heappush(self._to_judge, (-self._run.answered[owed[0]], owed))
        helpers = [self._tasks.begin(self._tick()), self._tasks.begin(self._look())]
        try:
            self._hand_out()
            await self._idle.wait()
            for helper in helpers:
                helper.cancel()
            await self._tasks.join()
        finally:
            self._tasks.cancel()
            await self._tasks.join()
        self._tasks.check()
        if self._fault:
            raise self._fault

    def _hand_out(self) -> None:
        """Give out the slots that are free; where nothing is in the making then, all is done."""
        for slots in self._slots.values():
            slots.hand_out()
        if not self._active:
            self._idle.set()

    async def _tick(self) -> None:
        while True:
            self._run.check()
            self._observer.tick()
            await asyncio.sleep(1.0)

    async def _look(self) -> None:
        """Find what responses show, one at a time, while all else waits; the rest is left for the end."""
        while True:
            record = await self._unread.get()
            while not await _is_quiet():
                pass
            # In a thread, since a language detector's model takes half a second to be unpacked.
            # Where no file can be opened for it just now, or no thread begun, that too is left.
            with suppress(OSError, RuntimeError):
                self._run.response_flags[record.key] = await asyncio.to_thread(flags_of, record)

    def stop(self, fault: LbwError, grace: float | None = None) -> None:
        """Send nothing more; what is in flight has been paid for and is let finish.

        Args:
            fault: Why.
            grace: Seconds after which the caller cancels what is in flight still; None for no end.
        """
        if self._fault is not None:
            return
        self._fault = fault
        for requests in self._requests:
            requests.stopped = True
        for share in self._active:
            share.refuse()
        if in_flight := sum(requests.startup.in_flight for requests in self._requests):
            how = f"have {grace:g} s to finish" if grace else "are let finish"
            again = "again " if grace else ""
            self._observer.note(
                f"stopping ({fault}); {in_flight} requests in flight {how}, Ctrl-C {again}stops at once"
            )

    def _failed(self) -> None:
        """Count a recorded failure."""
        self._failures += 1
        if self._failures == self._work.limits.failures:
            self.stop(LbwError(f"{self._failures} failed, as many as --max-failures allows"))

    def _start(self, lane: Lane, order: float, make: Callable[[Share], Coroutine[Any, Any, None]]) -> None:
        """Begin a piece of work, with a slot that it has."""
        share = Share(lane, order)
        self._active.add(share)
        self._tasks.begin(self._do(share, make(share)))

    async def _do(self, share: Share, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            share.close()
            self._active.discard(share)
            if not self._active:
                self._idle.set()

    @property
    def _closed(self) -> bool:
        """Whether no more work is begun."""
        return self._fault is not None or self._tasks.ending

    def _begin_response(self) -> bool:
        if self._closed or not self._to_write or not self._work.writing or not self._writing_lane:
            return False
        prompt, sample = self._to_write.popleft()
        writing = self._work.writing
        self._begun += 1
        self._start(
            self._writing_lane, self._begun, lambda share: self._write(writing, prompt, sample, share)
        )
        return True

    async def _write(self, writing: Writing, prompt: Prompt, sample: int, share: Share) -> None:
        try:
            record = await ResponseContext(prompt, sample, self._session, share).respond(writing.writer)
        except LbwError:
            raise
        except Exception as error:
            fault = LbwError(f"the writer {writing.writer.name} failed: {type(error).__name__}: {error}")
            fault.__cause__ = error
            self.stop(fault)
            return
        if record is None:
            return
        if record.error:
            await self._run.predictions.add(record, self._take)
            return
        share.close()
        try:  # the model is not to wait for this: each sleep(0) lets the event loop send what follows
            for _ in range(_SENDING):
                await asyncio.sleep(0)
        finally:
            await self._run.predictions.add(record, self._take)

    def _take(self, record: Prediction) -> None:
        """Take a response that is recorded, or its failure, and have it judged."""
        self._run.steps.finish(record.key)
        self._observer.predicted(record)
        if record.error:
            self._failed()
        else:
            with suppress(asyncio.QueueFull):
                self._unread.put_nowait(record)
        if (judging := self._work.judging) and record.response is not None:
            for repeat in range(judging.repeats):
                heapq.heappush(self._to_judge, (-(record.response_length or 0), (record.key, repeat)))
            self._slots_of(judging.backend).hand_out()

    def _begin_judgement(self) -> bool:
        if self._closed or not self._to_judge or not self._work.judging or not self._judging_lane:
            return False
        if self._judge_requests.stopped:
            return False
        rank, owed = heapq.heappop(self._to_judge)
        judging = self._work.judging
        self._start(self._judging_lane, rank, lambda share: self._judge(judging, owed, share))
        return True

    async def _judge(self, judging: Judging, owed: OwedJudgement, share: Share) -> None:
        key, repeat = owed
        response = self._run.predictions.get(key)
        try:
            record = await judging.judge.judge(
                SharedRequests(self._judge_requests, share, self._run.judged_prompts),
                id=response.id,
                sample=response.sample,
                prompt=response.prompt,
                response=response.response or "",
                repeat=repeat,
            )
        except Refused:
            return
        if record.error is None:  # one that failed is counted before another begins: it may be the last
            share.close()
        await self._run.judgements.add(record, self._take_judgement)

    def _take_judgement(self, record: Judgement) -> None:
        """Take a judgement that is recorded, or its failure."""
        self._observer.judged(record)
        if record.error:
            self._failed()
        if self._trial.fails_with(record):
            self._stop_judging(record)

    def _stop_judging(self, record: Judgement) -> None:
        """Ask the judge no more, as its replies are not valid; what has not been judged stays owed."""
        self._judge_requests.stopped = True
        self._observer.note(
            f"judging stops, as the first {FIRST_JUDGEMENTS} judgements gave no valid reply: mend the judge "
            f"and run the same command again, or name another. Its last reply: {shorten(record.raw, 400)!r}"
        )
