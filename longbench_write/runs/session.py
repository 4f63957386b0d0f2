"""One process's work on a run folder: opens the backends, does what is owed, writes the results."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import chain
from typing import Any

from longbench_write.backends.base import ModelBackend
from longbench_write.backends.sampling import in_force
from longbench_write.errors import UsageError
from longbench_write.files.times import now
from longbench_write.records import Key
from longbench_write.runs.ceiling_watch import CeilingWatch, answer_log, context_of
from longbench_write.runs.discarded import discarded_judgements, discarded_predictions
from longbench_write.runs.manifest import with_about, with_judge
from longbench_write.runs.observer import Observer
from longbench_write.runs.opening import ReasoningOpening, never_closed
from longbench_write.runs.plan import (
    JudgeRole,
    Note,
    Role,
    Roles,
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
from longbench_write.runs.unread import Disproved
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
        spending.count(
            chain(discarded_predictions(run.path), run.predictions),
            run.steps,
            chain(discarded_judgements(run.path), run.judgements),
        )
        self._manifest = manifest
        self._corrected = bool(manifest.get("reasoning_opened"))
        self._opening = ReasoningOpening(self._corrected)
        self._judge_backend: dict[str, Any] | None = None
        self._models: list[_OpenModels] = []
        self._again: list[OwedJudgement] = []
        self._manifest["config"]["price"] = (self._manifest["config"].get("price") or {}) | spending.price
        self._tell_disproved()

    async def work(self, owed: list[OwedResponse], roles: Roles) -> None:
        """Open the backends and do what is owed; without anything owed, open nothing.

        Args:
            owed: Responses that are to be written.
            roles: Who writes, plans and judges.
        """
        judge, to_judge = roles.judge, self._unjudged(roles.judge)
        if not owed and not to_judge:
            self._write_manifest(judge)
            return
        roles = roles if owed else Roles(judges=roles.judges)
        if judge and any(one_at_a_time(role, judge) for role in (roles.writer, roles.planner) if role):
            self._observer.note(
                "two phases, one engine at a time: everything is written first, then everything is judged"
            )
            self._write_manifest(judge)
            await self._phase(owed, [], replace(roles, judges=()))
            for prompt, sample in owed:
                record = self._run.predictions.get((prompt.id, sample))
                if record.response is not None:
                    self._run.answered[record.key] = record.response_length or 0
            owed, roles, to_judge = [], Roles(judges=roles.judges), self._unjudged(judge)
        await self._phase(owed, to_judge, roles)
        if judge and judge.judge.in_chapters and self._again:
            for key, _ in self._again:
                self._run.answered[key] = self._run.predictions.get(key).response_length or 0
            await self._phase([], self._again, Roles(judges=roles.judges))

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

    async def _phase(self, owed: list[OwedResponse], to_judge: list[OwedJudgement], roles: Roles) -> None:
        """Write and judge at once what is given, with backends that are closed at the end."""
        async with AsyncExitStack() as at_end, AsyncExitStack() as stack:
            adjusted = self._manifest.get("adjusted") or {}
            models = _OpenModels(stack, roles, self._observer.note, adjusted)
            self._models.append(models)
            writing = await self._writing(models, roles.writer, roles.planner) if roles.writer else None
            judging, asked = None, None
            if judge := roles.judge:
                asked = judge.judge.card.max_tokens
                opened = await self._judge_model(models, judge)
                async with self._limits.starting():
                    self._judge_backend = await judge_backend(judge, opened, self._observer.note)
                repeats = judge.judge.card.repeats
                most = min(judge.spec.concurrency, len(owed) * repeats + len(to_judge))
                judging = Judging(judge.judge, self._spending.of_judge(opened), most, repeats)
            self._write_manifest(judge)
            there = len(self._run.answered)
            work = Work(self._run.path, owed, to_judge, there, writing, judging, self._limits)
            at_end.callback(self._end_phase, time.monotonic())
            log = answer_log(self._manifest, judge_asked=asked)
            watch = CeilingWatch(self._observer, roles, log, context_of(self._manifest))
            await run_work(work, self._run, watch)
            if judge and self._run.has_scored(judge.judge.label):  # one that gave none was stopped
                await self._judge_corrected(judge, replace(work, to_write=[], writing=None), watch)

    async def _judge_corrected(self, judge: JudgeRole, work: Work, observer: Observer) -> None:
        """Correct responses, and have those that the command selects judged anew."""
        corrected = self._correct()
        to_judge = [owed for owed in self._unjudged(judge) if owed[0] in corrected]
        if to_judge:
            there = len(self._run.answered)
            await run_work(replace(work, to_judge=to_judge, answered=there), self._run, observer)

    def _end_phase(self, started: float) -> None:
        """Write down what a phase took and showed, with its connections closed: files can be opened again."""
        self._manifest["seconds"] = (self._manifest["seconds"] or 0.0) + time.monotonic() - started
        self._manifest["end"] = now()
        self._record_adjusted()
        self._correct()
        self._run.disprove()
        self._tell_disproved()
        self._run.write_manifest(self._manifest)

    def _tell_disproved(self) -> None:
        """Say what had counted until later answers showed that its prompts were not read whole."""
        found, self._run.disproved = self._run.disproved, Disproved()
        self._again = found.judgements
        if found.responses:
            self._observer.note(
                f"{found.responses} responses fail now: the server had not read all of the prompts of their "
                "steps, as the tokens that it counts show (context_length)"
            )
        if found.judgements:
            self._observer.note(
                f"{len(found.judgements)} judgements do not count: the judge's server had not read all of "
                "their prompts, as the tokens that it counts show (context_length); "
                "--long-responses chapters judges such responses in parts"
            )

    def _correct(self) -> set[Key]:
        """Empty the responses that turn out to be reasoning alone; their judgements are owed again.

        Returns:
            Those that were not empty before.
        """
        if self._corrected or not self._opening.known:
            return set()
        if wrong := list(never_closed(self._run.predictions, self._opening.decided)):
            self._run.amend(wrong)
            self._observer.note(
                f"{len(wrong)} responses were cut off in the reasoning that the chat template opens, as "
                "other answers show: they are empty, and all of their text is reasoning"
            )
        self._manifest["reasoning_opened"] = self._corrected = True
        return {record.key for record in wrong}

    async def _writing(self, models: _OpenModels, writer: WriterRole, planner: Role | None) -> Writing:
        """Open the model that writes, and the one that plans where that is another."""
        backend = await models.of(writer)
        about = dict(backend.about())
        if defaults := about.get("sampling"):
            asked = self._manifest.get("sampling") or {}
            about["sampling"] = asked | in_force(replace(writer.sampling, seed=None), defaults)
        self._manifest = with_about(self._manifest, about, self._observer.note)
        plans = await models.of(planner) if planner else backend
        return Writing(
            writer.writer,
            self._spending.of_writer(backend),
            writer.spec.concurrency,
            writer.sampling,
            planner=None if plans is backend else self._spending.of_planner(plans),
            retry_failed=self._run.retry_failed,
            system=writer.system,
            opening=self._opening,
        )

    async def _judge_model(self, models: _OpenModels, role: JudgeRole) -> ModelBackend:
        known = models.shared(role)
        try:
            backend = known or await models.of(role)
        except UsageError as error:
            raise UsageError(role.judge.explain_error(str(error))) from None
        if known is None and (day := await backend.shutdown_date()):
            self._observer.note(retirement(role.judge, day))
        return backend

    def _record_adjusted(self) -> None:
        """Write down which parameters a server refused, and what was sent in their place."""
        now: dict[str, dict[str, str]] = {}
        for backend in (each for models in self._models for each in models.all):
            now[backend.spec.model] = now.get(backend.spec.model, {}) | backend.adjusted
        before = self._manifest.get("adjusted") or {}
        if before or any(now.values()):
            self._manifest["adjusted"] = {name: made for name, made in (before | now).items() if made}

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
        self._run.check()
        self._run.sort(order)
        return write_results(self._run.path, response_flags=self._run.response_flags)


class _OpenModels:
    """The models that are open, each for all roles that it can answer.

    Args:
        stack: Closes them.
        roles: Everyone who is to be asked; a model is opened large enough for all that share it.
        note: Told what is said before a model is loaded.
        adjusted: What servers have refused in earlier sessions of the run, by the model's name.
    """

    def __init__(
        self,
        stack: AsyncExitStack,
        roles: Roles,
        note: Note,
        adjusted: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._stack = stack
        self._roles = roles
        self._note = note
        self._adjusted = adjusted
        self._open: list[tuple[Role, ModelBackend]] = []

    @property
    def all(self) -> list[ModelBackend]:
        """Every model that has been opened."""
        return [backend for _, backend in self._open]

    def shared(self, role: Role) -> ModelBackend | None:
        """Return the open model that answers for this role too."""
        return next((backend for other, backend in self._open if share_model(other, role)), None)

    async def of(self, role: Role) -> ModelBackend:
        """Return the model of a role, opening it where none that is open answers for it."""
        if backend := self.shared(role):
            return backend
        spec = shared_spec(role, self._roles)
        spec = replace(spec, adjusted=self._adjusted.get(spec.model, {}))
        if told := role.backend.opening(spec):
            self._note(told)
        backend = role.backend(spec)
        backend.note = self._note
        await self._stack.enter_async_context(backend)
        self._open.append((role, backend))
        return backend
