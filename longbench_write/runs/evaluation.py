"""From a configuration to a summary: chooses the parts, opens them, and has the work done.

Nothing is asked of a model before every part has been checked: suite, selection, judge, run folder and keys.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from longbench_write.config import RunConfig
from longbench_write.errors import UsageError
from longbench_write.runs.identity import Place, find_place, run_identity
from longbench_write.runs.manifest import begun_on, new_manifest, with_asked
from longbench_write.runs.notes import DeferredNotes
from longbench_write.runs.observer import Observer
from longbench_write.runs.plan import (
    Role,
    Roles,
    WriterRole,
    check_options,
    judge_role,
    judge_seed,
    plan_roles,
    read_variables,
)
from longbench_write.runs.served import check_served, served_models
from longbench_write.runs.session import Session
from longbench_write.runs.slurm import SlurmTask, TaskDoneError
from longbench_write.runs.spending import Spending
from longbench_write.runs.store import Owed, RunWriter, load_run
from longbench_write.runs.turn import Turn, opened_in_turn
from longbench_write.runs.work import Limits
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import Suite, load_suite, select
from longbench_write.urls import public_url


class EvaluationResult(NamedTuple):
    """What came of a command.

    Attributes:
        path: The run folder.
        summary: Of the whole run: all that was ever asked of it.
        owed: What the command's own selection lacks.
    """

    path: Path
    summary: Summary
    owed: Owed


Start = Callable[[], Coroutine[Any, Any, EvaluationResult]]
"""Makes the coroutine of a run whose parts are checked; called in the thread whose event loop runs it."""


def start_evaluation(config: RunConfig, observer: Observer, *, planner: Role | None = None) -> Start:
    """Check and fetch what a run needs, which may block.

    Args:
        config: What was asked for.
        observer: Told what happens.
        planner: Whoever answers a writer's requests of that role; None for whom the configuration names.

    Returns:
        What makes the coroutine that does the work and gives what came of it.
    """
    notes = DeferredNotes(observer)
    with notes.released_on_error():
        roles = plan_roles(config, notes.note, planner)
        writer = roles.under_test
        suite = load_suite(config.suite)
        prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
        spending = _spending(config, roles)
        for role in roles:
            role.backend.prepare(role.spec, notes.downloading)
        writer.backend.check_sampling(writer.sampling)
        identity = run_identity(config, suite, roles, notes.note)
        place = find_place(config, suite, prompts, writer.spec.kind, identity, notes.note)
    return partial(_evaluate, config, suite, place, roles, spending, notes)


async def _evaluate(
    config: RunConfig,
    suite: Suite,
    place: Place,
    roles: Roles,
    spending: Spending,
    notes: DeferredNotes,
) -> EvaluationResult:
    limits = _limits(config)
    writer, judge = roles.under_test, roles.judge
    tasks = [(prompt, sample) for prompt in place.prompts for sample in range(config.samples)]
    keys = [(prompt.id, sample) for prompt, sample in tasks]
    label, repeats = (judge.judge.label, judge.judge.card.repeats) if judge else (None, 0)
    folder = RunWriter(
        place.path,
        writing=True,
        judge=label,
        retry_failed=config.retry_failed,
        selected=frozenset(keys),
        in_chapters=judge is not None and judge.judge.in_chapters,
    )
    with notes.released_on_error():
        slurm = SlurmTask.of(os.environ, config)
        first = partial(slurm.check_first, place.path) if slurm else None
        try:
            opened = await opened_in_turn(folder, Turn(config.wait, notes.first), first)
        except TaskDoneError as done:
            notes.release()
            return await _done_by_another(
                place.path, done, config.wait, notes, lambda run: run.owed(keys, label, repeats)
            )
    with notes.released_on_error(), closing(opened) as run:
        begun = run.read_manifest()
        manifest = begun or new_manifest(config, suite, roles, place)
        if slurm:
            manifest["slurm"] = slurm.to_json()
        if place.identity is not None:
            manifest = with_asked(manifest, config, suite, place.prompts)
        if config.finish_reason:
            words = manifest["config"].get("finish_reason") or {}
            manifest["config"]["finish_reason"] = words | config.finish_reason
        owed = [task for task, key in zip(tasks, keys, strict=True) if key not in run.predictions]
        if begun:
            day = writer.spec.day or begun_on(begun)
            writer = replace(writer, spec=replace(writer.spec, day=day))
            roles = replace(roles, writer=writer)
            _say_resumed(begun, writer, run.owed(keys, label, repeats), run.path, notes)
        notes.release()
        for role, said in ((writer, manifest), (roles.planner, manifest.get("planner", {}))):
            if role:
                async with limits.starting():
                    served = await served_models(role, notes.note, needed=bool(owed))
                if now := check_served(said.get("served"), served, role, notes.note, needed=bool(owed)):
                    said["served"] = dict(now)
        session = Session(run, notes.observer, spending, manifest, limits)
        await session.work(owed, roles)
        asked = manifest.get("asked")
        order = [(name, sample) for name in asked for sample in range(asked[name])] if asked else keys
        return EvaluationResult(place.path, session.finish(order), run.owed(keys, label, repeats))


async def _done_by_another(
    path: Path, done: TaskDoneError, wait: float, observer: Observer, owed: Callable[[RunWriter], Owed]
) -> EvaluationResult:
    """Take what came of another task's work on the same command; nothing is asked and nothing written.

    Raises:
        RunFolderError: It has no scores, as that task was stopped.
    """
    observer.note(f"{done}: its result is this one's")
    reading = RunWriter(path, writing=False, judge=None)
    with closing(await opened_in_turn(reading, Turn(wait, observer.note))) as run:
        return EvaluationResult(path, load_run(path).summary, owed(run))


def _say_resumed(
    manifest: dict[str, Any], writer: WriterRole, owed: Owed, path: Path, notes: DeferredNotes
) -> None:
    """Say what a resumed run is about to get: nothing, loudly; or answers of another server."""
    if not owed.total:
        notes.first(nothing_owed(manifest, owed, path))
    begun, urls = manifest["backend"]["base_urls"], [public_url(url) for url in writer.spec.base_urls]
    if urls and urls != begun:
        notes.note(
            f"this run was begun with {', '.join(begun)}; --fresh starts one for another server's model"
        )


def nothing_owed(manifest: dict[str, Any], owed: Owed, path: Path) -> str:
    """Say that no request is made, how old the answers are, and what has failed permanently."""
    state = "nothing is owed of what this command selects"
    if owed.failed:
        state = f"{owed.failed} failed permanently (--retry-failed retries them), and the rest is there"
    return (
        f"NOTHING IS ASKED: {state}; the answers are those of {manifest['start']}, in {path} "
        "(--fresh asks anew)"
    )


def start_judging(path: Path, config: RunConfig, observer: Observer) -> Start:
    """Check and fetch what judging a run folder needs, which may block.

    Nothing is generated.

    Args:
        path: The run folder.
        config: Only what it says of the judge, of time-outs and of what to retry counts.
        observer: Told what happens.

    Returns:
        What makes the coroutine that does the work and gives what came of it.

    Raises:
        UsageError: It is no run folder, or there is no such judge.
    """
    manifest = load_run(path).manifest
    known = {name: manifest["config"].get(name) for name in ("seed", "max_tokens")}
    written = {name: getattr(config, name) if value is None else value for name, value in known.items()}
    read_variables(config, observer.note)
    judge = judge_role(
        config, seed=judge_seed(written["seed"]), max_tokens=written["max_tokens"], note=observer.note
    )
    if judge is None:
        raise UsageError("judging needs a judge: name one with --judge (`lbw-eval judges` lists them)")
    roles = Roles(judges=(judge,))
    check_options(config, roles)
    spending = _spending(config, roles)
    judge.backend.prepare(judge.spec, observer.downloading)
    return partial(_judge, path, config, roles, spending, observer)


async def _judge(
    path: Path,
    config: RunConfig,
    roles: Roles,
    spending: Spending,
    observer: Observer,
) -> EvaluationResult:
    judge = roles.judges[0].judge
    label, repeats = judge.label, judge.card.repeats
    folder = RunWriter(
        path, writing=False, judge=label, retry_failed=config.retry_failed, in_chapters=judge.in_chapters
    )
    slurm = SlurmTask.of(os.environ, "judge", config)
    first = partial(slurm.check_first, path) if slurm else None

    def owed(run: RunWriter) -> Owed:
        return replace(run.owed(run.predictions.identities(), label, repeats), responses=0)

    try:
        opened = await opened_in_turn(folder, Turn(config.wait, observer.note), first)
    except TaskDoneError as done:
        return await _done_by_another(path, done, config.wait, observer, owed)
    with closing(opened) as run:
        manifest = load_run(path).manifest
        if slurm:
            manifest["slurm"] = slurm.to_json()
        if not (left := run.owed(run.answered, label, repeats)).total:
            observer.note(nothing_owed(manifest, left, path))
        session = Session(run, observer, spending, manifest, _limits(config))
        await session.work([], roles)
        return EvaluationResult(path, session.finish(run.predictions.identities()), owed(run))


def _spending(config: RunConfig, roles: Roles) -> Spending:
    return Spending(roles, config.price, max_cost=config.max_cost, max_judge_tokens=config.max_judge_tokens)


def _limits(config: RunConfig) -> Limits:
    return Limits(config.prompt_timeout, config.max_time, config.max_failures)
