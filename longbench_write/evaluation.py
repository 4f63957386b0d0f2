"""From a configuration to a summary: chooses the parts, opens them, and lets the pipeline run.

Nothing is asked of a model before every part has been checked: suite, selection, judge, run folder and keys.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from longbench_write.backends.base import Backend, BackendSpec
from longbench_write.backends.registry import (
    DEFAULT_KEY_ENV,
    check_kind,
    choose_backend,
    fetch_weights,
    open_backend,
)
from longbench_write.config import RunConfig, build_config
from longbench_write.errors import UsageError
from longbench_write.judging.judge import Judge
from longbench_write.manifest import new_manifest, now, with_judge
from longbench_write.pipeline import Judging, Observer, Plan, Task, Writing, run_pipeline
from longbench_write.records import Key
from longbench_write.results import write_results
from longbench_write.runs import RunWriter, load_run, run_path
from longbench_write.suites import Prompt, Suite, load_suite, select
from longbench_write.summary import Summary
from longbench_write.writers.direct import DirectWriter

DEFAULT_JUDGE = "paper-successor"
DEFAULT_CONCURRENCY = {"local": 4}
"""Requests in flight by kind of backend, where it is not `_CONCURRENCY`."""

_CONCURRENCY = 32


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
    suite = load_suite(config.suite)
    prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
    spec = _writer_spec(config, observer)
    judge = _judge_role(config, config.seed, observer)
    for needed in (spec, judge.spec) if judge else (spec,):
        fetch_weights(needed, observer.downloading)
    return _evaluate(config, suite, prompts, spec, judge, observer)


async def _evaluate(
    config: RunConfig,
    suite: Suite,
    prompts: Sequence[Prompt],
    spec: BackendSpec,
    judge: _JudgeRole | None,
    observer: Observer,
) -> tuple[Path, Summary]:
    identity = _identity(config, suite, prompts, spec)
    path = run_path(config.out, config.model, suite.name, spec.kind, identity, fresh=config.fresh)
    tasks = [(prompt, sample) for prompt in prompts for sample in range(config.samples)]
    label = judge.judge.label if judge else None
    with RunWriter(path, writing=True, judge=label, retry_failed=config.retry_failed) as run:
        session = _Session(run, observer, new_manifest(config, suite, prompts, spec))
        owed = [(prompt, sample) for prompt, sample in tasks if (prompt.id, sample) not in run.predictions]
        writer = _WriterRole(spec, lambda backend: _writer(config, backend)) if owed else None
        await session.work(owed, writer, judge)
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
    judge = _judge_role(config, int(manifest["config"]["seed"]), observer)
    if judge is None:
        raise UsageError("judging needs a judge: name one with --judge (`lbw-eval judges` lists them)")
    fetch_weights(judge.spec, observer.downloading)
    return _judge(path, config, manifest, judge, observer)


async def _judge(
    path: Path, config: RunConfig, manifest: dict[str, Any], judge: _JudgeRole, observer: Observer
) -> Summary:
    with RunWriter(path, writing=False, judge=judge.judge.label, retry_failed=config.retry_failed) as run:
        session = _Session(run, observer, manifest)
        await session.work([], None, judge)
        return session.finish(run.predictions.identities())


@dataclass(frozen=True)
class _WriterRole:
    """Who writes: how to reach the model, and the writer to be made of it."""

    spec: BackendSpec
    make: Callable[[Backend], DirectWriter]


@dataclass(frozen=True)
class _JudgeRole:
    """Who judges, and how to reach its model."""

    judge: Judge
    spec: BackendSpec


class _Session:
    """One process's work on a run folder that it holds.

    Args:
        run: The folder.
        observer: Told what happens.
        manifest: What run.yaml says if it is not there yet.
    """

    def __init__(self, run: RunWriter, observer: Observer, manifest: dict[str, Any]) -> None:
        self._run = run
        self._observer = observer
        self._manifest = run.read_manifest() or manifest
        urls = manifest["backend"]["base_urls"]
        if urls and urls != self._manifest["backend"]["base_urls"]:
            begun = ", ".join(self._manifest["backend"]["base_urls"])
            observer.note(f"this run was begun with {begun}; --fresh starts one for another server's model")

    async def work(self, owed: list[Task], writer: _WriterRole | None, judge: _JudgeRole | None) -> None:
        """Open the backends and do what is owed; without anything owed, open nothing."""
        to_judge = [
            key for key in self._run.answered if judge and not self._run.judged(judge.judge.label, key)
        ]
        if not owed and not to_judge:
            self._observer.note(f"nothing is owed: every response is recorded in {self._run.path}")
            self._write_manifest(judge)
            return
        async with AsyncExitStack() as stack:
            writing = judging = None
            if writer:
                backend = await stack.enter_async_context(open_backend(_shared(writer.spec, judge)))
                writing = Writing(writer.make(backend), backend, writer.spec.concurrency)
            if judge:
                shared = (
                    writing.backend if writing and writer and _same_server(writer.spec, judge.spec) else None
                )
                judge_backend = shared or await _open_judge(stack, judge)
                judging = Judging(judge.judge, judge_backend, judge.spec.concurrency)
            self._write_manifest(judge)
            started = time.monotonic()
            try:
                plan = Plan(self._run.path, owed, to_judge, len(self._run.answered), writing, judging)
                await run_pipeline(plan, self._run, self._observer)
            finally:
                self._manifest["seconds"] += time.monotonic() - started
                self._manifest["end"] = now()
                self._run.write_manifest(self._manifest)

    def _write_manifest(self, judge: _JudgeRole | None) -> None:
        """Write down what is about to be done; what an earlier session wrote stays."""
        if judge:
            has_judged = self._run.has_judged(judge.judge.label)
            self._manifest = with_judge(self._manifest, judge.judge, has_judged=has_judged)
        self._run.write_manifest(self._manifest)

    def finish(self, order: list[Key]) -> Summary:
        """Put the records in order and write the results."""
        self._run.sort(order)
        return write_results(self._run.path)


async def _open_judge(stack: AsyncExitStack, role: _JudgeRole) -> Backend:
    try:
        return await stack.enter_async_context(open_backend(role.spec))
    except UsageError as error:
        raise UsageError(role.judge.blamed(str(error))) from None


def _same_server(one: BackendSpec, other: BackendSpec) -> bool:
    """Whether two roles can share one model that runs in this process."""
    return one.kind == other.kind == "local" and one.model == other.model


def _shared(spec: BackendSpec, judge: _JudgeRole | None) -> BackendSpec:
    """The writer's specification, large enough for the judge too where they share a server."""
    if judge is None or not _same_server(spec, judge.spec):
        return spec
    return replace(
        spec,
        concurrency=max(spec.concurrency, judge.spec.concurrency),
        max_tokens=max(spec.max_tokens, judge.spec.max_tokens),
    )


def _writer_spec(config: RunConfig, observer: Observer) -> BackendSpec:
    kind, why = choose_backend(
        config.model,
        requested=config.backend,
        base_urls=config.base_url,
        api_key_env=config.api_key_env,
    )
    observer.note(f"backend: {kind}, {why}")
    check_kind(kind)
    return BackendSpec(
        kind=kind,
        model=config.model,
        base_urls=config.base_url,
        api_key_env=config.api_key_env or (None if config.base_url else DEFAULT_KEY_ENV),
        concurrency=config.concurrency or DEFAULT_CONCURRENCY.get(kind, _CONCURRENCY),
        max_tokens=config.max_tokens,
        idle_timeout=config.idle_timeout,
        stream=config.stream,
        max_completion_tokens=kind == "openai" and not config.base_url,
    )


def _choose_judge(config: RunConfig, seed: int, observer: Observer) -> Judge | None:
    """The judge, or None with the reason told.

    Raises:
        UsageError: There is no such judge.
    """
    name = config.judge
    if name is None:
        if not (config.judge_model or config.judge_base_url or os.environ.get(DEFAULT_KEY_ENV)):
            observer.note(
                f"no judge: none was given and {DEFAULT_KEY_ENV} is not set, so S_q will be missing"
            )
            return None
        name = DEFAULT_JUDGE
        observer.note(f"judge: {name}, the default; --judge chooses another")
    if name == "none":
        return None
    judge = Judge.load(
        name,
        model=config.judge_model,
        base_urls=config.judge_base_url,
        api_key_env=config.judge_api_key_env,
        seed=seed,
    )
    if judge.card.retires and judge.card.retires <= date.today() and not config.judge_base_url:
        observer.note(
            f"judge {judge.label}: {judge.card.model} was to be shut down on {judge.card.retires}; "
            "name a server that still has it with --judge-base-url, or take another judge"
        )
    return judge


def _judge_role(config: RunConfig, seed: int, observer: Observer) -> _JudgeRole | None:
    judge = _choose_judge(config, seed, observer)
    if judge is None:
        return None
    spec = replace(
        judge.spec(config.judge_concurrency or DEFAULT_CONCURRENCY.get(judge.card.backend)),
        idle_timeout=config.idle_timeout,
        stream=config.stream,
    )
    return _JudgeRole(judge, spec)


def _writer(config: RunConfig, backend: Backend) -> DirectWriter:
    temperature = None if config.temperature == "default" else config.temperature
    return DirectWriter(backend, temperature, config.max_tokens, config.seed)


def _identity(
    config: RunConfig, suite: Suite, prompts: Sequence[Prompt], spec: BackendSpec
) -> dict[str, Any]:
    """Everything that would change the run's numbers.

    Judges stand beside each other in one run. Servers come and go under new addresses, so it is the model's
    name, not its address, that says what was asked.
    """
    return {
        "model": config.model,
        "weights": _weights(spec),
        "writer": DirectWriter.name,
        "suite": suite.sha256,
        "prompts": [prompt.id for prompt in prompts],
        "samples": config.samples,
        "temperature": config.temperature,
        "max_tokens": config.max_tokens,
        "seed": config.seed,
    }


def _weights(spec: BackendSpec) -> list[int] | None:
    """What tells one state of a local model file from another: its size and modification time."""
    file = Path(spec.model.removeprefix("local/")).expanduser()
    if spec.kind != "local" or not file.is_file():
        return None
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
