"""One process's work on a run folder: opens the backends, does what is owed, writes the results."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

from longbench_write.backends.base import ModelBackend
from longbench_write.errors import UsageError
from longbench_write.records import Key
from longbench_write.runs.manifest import now, with_judge
from longbench_write.runs.observer import Observer
from longbench_write.runs.plan import (
    JudgeRole,
    Role,
    WriterRole,
    one_at_a_time,
    retirement,
    share_model,
    shared_spec,
)
from longbench_write.runs.results import write_results
from longbench_write.runs.scheduler import run_work
from longbench_write.runs.served import judge_backend
from longbench_write.runs.spending import Spending
from longbench_write.runs.store import RunWriter
from longbench_write.runs.work import Judging, Limits, OwedJudgement, OwedResponse, Work, Writing
from longbench_write.scoring.summary import Summary


class Session:
    """One process's work on a run folder that it has locked.

    Args:
        run: The folder.
        observer: Told what happens.
        spending: What it may cost.
        manifest: What run.yaml is to say.
        limits: What ends it early.
    """

    def __init__(
        self,
        run: RunWriter,
        observer: Observer,
        spending: Spending,
        manifest: dict[str, Any],
        limits: Limits,
    ) -> None:
        self._limits = limits
        self._run = run
        self._observer = observer
        self._spending = spending
        spending.count(run.predictions, run.steps, run.judgements)
        self._manifest = manifest
        self._judge_backend: dict[str, Any] | None = None
        self._manifest["config"]["price"] = (self._manifest["config"].get("price") or {}) | spending.price

    async def work(
        self, owed: list[OwedResponse], writer: WriterRole | None, judge: JudgeRole | None
    ) -> None:
        """Open the backends and do what is owed; without anything owed, open nothing."""
        to_judge = self._unjudged(judge)
        if not owed and not to_judge:
            self._write_manifest(judge)
            return
        if writer and judge and one_at_a_time(writer, judge):
            self._observer.note(
                "two phases, one engine at a time: everything is written first, then everything is judged"
            )
            self._write_manifest(judge)
            await self._phase(owed, [], writer, None)
            for prompt, sample in owed:
                record = self._run.predictions.get((prompt.id, sample))
                if record.response is not None:
                    self._run.answered[record.key] = record.response_length or 0
            owed, writer, to_judge = [], None, self._unjudged(judge)
        await self._phase(owed, to_judge, writer, judge)

    def _unjudged(self, judge: JudgeRole | None) -> list[OwedJudgement]:
        """Return the judgements that this judge has not made yet of the responses that are there."""
        if judge is None:
            return []
        repeats = range(judge.judge.card.repeats)
        return [
            (key, repeat)
            for key in self._run.answered
            for repeat in repeats
            if not self._run.judged(judge.judge.label, key, repeat)
        ]

    async def _phase(
        self,
        owed: list[OwedResponse],
        to_judge: list[OwedJudgement],
        writer: WriterRole | None,
        judge: JudgeRole | None,
    ) -> None:
        """Write and judge at once what is given, with backends that are closed at the end."""
        async with AsyncExitStack() as stack:
            backend = writing = judging = None
            if writer:
                backend = await self._open(stack, writer, judge)
                writing = Writing(
                    writer.writer,
                    self._spending.of_writer(backend),
                    writer.spec.concurrency,
                    writer.sampling,
                    retry_failed=self._run.retry_failed,
                )
            if judge:
                shared = backend if writer and share_model(writer, judge) else None
                opened = shared or await self._open_judge(stack, judge)
                self._judge_backend = await judge_backend(judge, opened, self._observer.note)
                repeats = judge.judge.card.repeats
                most = min(judge.spec.concurrency, len(owed) * repeats + len(to_judge))
                judging = Judging(judge.judge, self._spending.of_judge(opened), most, repeats)
            self._write_manifest(judge)
            started = time.monotonic()
            try:
                there = len(self._run.answered)
                work = Work(self._run.path, owed, to_judge, there, writing, judging, self._limits)
                await run_work(work, self._run, self._observer)
            finally:
                self._manifest["seconds"] = (self._manifest["seconds"] or 0.0) + time.monotonic() - started
                self._manifest["end"] = now()
                self._run.write_manifest(self._manifest)

    async def _open(self, stack: AsyncExitStack, role: Role, judge: Role | None = None) -> ModelBackend:
        """Open a role's model, large enough for the judge too where they share it."""
        spec = shared_spec(role, judge)
        if told := role.backend.opening(spec):
            self._observer.note(told)
        return await stack.enter_async_context(role.backend(spec))

    async def _open_judge(self, stack: AsyncExitStack, role: JudgeRole) -> ModelBackend:
        try:
            backend = await self._open(stack, role)
        except UsageError as error:
            raise UsageError(role.judge.explain_error(str(error))) from None
        if day := await backend.shutdown_date():
            self._observer.note(retirement(role.judge, day))
        return backend

    def _write_manifest(self, judge: JudgeRole | None) -> None:
        """Write down what is about to be done; what an earlier session wrote stays."""
        if judge:
            has_judged = self._run.has_judged(judge.judge.label)
            self._manifest = with_judge(
                self._manifest, judge.judge, has_judged=has_judged, backend=self._judge_backend
            )
        self._run.write_manifest(self._manifest)

    def finish(self, order: list[Key]) -> Summary:
        """Put the records in order and write the results."""
        self._run.sort(order)
        return write_results(self._run.path, response_flags=self._run.response_flags)
