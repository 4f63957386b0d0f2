"""From a configuration to a summary: chooses the parts, opens them, and lets the pipeline run.

Nothing is asked of a model before every part has been checked: suite, selection, judge, run folder and keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from longbench_write.config import RunConfig, build_config
from longbench_write.errors import UsageError
from longbench_write.runs.folder import run_path
from longbench_write.runs.manifest import new_manifest
from longbench_write.runs.pipeline import Limits, Observer
from longbench_write.runs.plan import (
    JudgeRole,
    Roles,
    WriterRole,
    check_options,
    judge_role,
    run_identity,
    writer_role,
)
from longbench_write.runs.session import Session
from longbench_write.runs.spending import Spending
from longbench_write.runs.store import RunWriter, load_run
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import Prompt, Suite, load_suite, select


def evaluate(config: RunConfig | None = None, **options: Any) -> Summary:
    """Generate, judge and score: what `lbw-eval --model M` does, without printing.

    Args:
        config: The whole configuration; or
        options: the fields of `RunConfig`, `model` at least.

    Raises:
        UsageError: The configuration is refused; nothing was spent.
        LbwError: The run could not be finished; the same call goes on where it stopped.
    """
    return asyncio.run(start_evaluation(config or build_config(options), Observer()))[1]


def start_evaluation(config: RunConfig, observer: Observer) -> Coroutine[Any, Any, tuple[Path, Summary]]:
    """Check and fetch what a run needs, which may block; what is returned runs it.

    Returns:
        A coroutine that gives the run folder and the summary.
    """
    writer = writer_role(config, observer.note)
    judge = judge_role(config, seed=config.seed, max_tokens=config.max_tokens, note=observer.note)
    roles = Roles(writer=writer, judges=(judge,) if judge else ())
    check_options(config, roles)
    suite = load_suite(config.suite)
    prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
    spending = Spending(config, roles)
    for role in roles:
        role.backend.prepare(role.spec, observer.downloading)
    return _evaluate(config, suite, prompts, writer, judge, spending, observer)


async def _evaluate(
    config: RunConfig,
    suite: Suite,
    prompts: Sequence[Prompt],
    writer: WriterRole,
    judge: JudgeRole | None,
    spending: Spending,
    observer: Observer,
) -> tuple[Path, Summary]:
    identity = run_identity(config, suite, prompts, writer)
    path = run_path(config.out, config.model, suite.name, writer.spec.kind, identity, fresh=config.fresh)
    tasks = [(prompt, sample) for prompt in prompts for sample in range(config.samples)]
    label = judge.judge.label if judge else None
    with RunWriter(path, writing=True, judge=label, retry_failed=config.retry_failed) as run:
        manifest = new_manifest(config, suite, prompts, writer.spec)
        session = Session(run, observer, spending, manifest, _limits(config))
        owed = [(prompt, sample) for prompt, sample in tasks if (prompt.id, sample) not in run.predictions]
        await session.work(owed, writer if owed else None, judge)
        return path, session.finish([(prompt.id, sample) for prompt, sample in tasks])


def start_judging(path: Path, config: RunConfig, observer: Observer) -> Coroutine[Any, Any, Summary]:
    """Check and fetch what judging a run folder needs, which may block; what is returned judges it.

    Nothing is generated.

    Args:
        path: The run folder.
        config: Only what it says of the judge, of time-outs and of what to retry counts.
        observer: Told what happens.

    Returns:
        A coroutine that gives the summary by that judge.

    Raises:
        UsageError: It is no run folder, or there is no such judge.
    """
    manifest = load_run(path).manifest
    known = {name: manifest["config"].get(name) for name in ("seed", "max_tokens")}
    written = {name: getattr(config, name) if value is None else value for name, value in known.items()}
    judge = judge_role(config, **written, note=observer.note)
    if judge is None:
        raise UsageError("judging needs a judge: name one with --judge (`lbw-eval judges` lists them)")
    roles = Roles(judges=(judge,))
    check_options(config, roles)
    spending = Spending(config, roles)
    judge.backend.prepare(judge.spec, observer.downloading)
    return _judge(path, config, manifest, judge, spending, observer)


async def _judge(
    path: Path,
    config: RunConfig,
    manifest: dict[str, Any],
    judge: JudgeRole,
    spending: Spending,
    observer: Observer,
) -> Summary:
    with RunWriter(path, writing=False, judge=judge.judge.label, retry_failed=config.retry_failed) as run:
        session = Session(run, observer, spending, manifest, _limits(config))
        await session.work([], None, judge)
        return session.finish(run.predictions.identities())


def _limits(config: RunConfig) -> Limits:
    return Limits(config.prompt_timeout, config.max_time, config.max_failures)
