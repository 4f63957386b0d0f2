"""From a configuration to a summary: chooses the parts, opens them, and lets the pipeline run.

Nothing is spent before every part has been checked: suite, selection, judge, keys and the run folder.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from longbench_write.backends.base import Backend, BackendSpec
from longbench_write.backends.registry import DEFAULT_KEY_ENV, choose_backend, open_backend
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
    return asyncio.run(evaluate_async(config or build_config(options)))[1]


async def evaluate_async(config: RunConfig, observer: Observer | None = None) -> tuple[Path, Summary]:
    """As `evaluate`, inside a running event loop; also gives the run folder."""
    observer = observer or Observer()
    suite = load_suite(config.suite)
    prompts = select(suite, limit=config.limit, ids=config.ids, length_range=config.length_range)
    spec = _writer_spec(config, observer)
    judge = _choose_judge(config, config.seed, observer)
    identity = _identity(config, suite, prompts, spec)
    path = run_path(config.out, config.model, suite.name, spec.kind, identity, fresh=config.fresh)
    tasks = [(prompt, sample) for prompt in prompts for sample in range(config.samples)]
    with RunWriter(path, judge=judge.label if judge else None, retry_failed=config.retry_failed) as run:
        session = _Session(run, observer)
        session.begin(new_manifest(config, suite, spec, owed=len(tasks)), judge)
        owed = [task for task in tasks if (task[0].id, task[1]) not in run.predictions]
        await session.work(
            owed,
            spec if owed else None,
            lambda backend: _writer(config, backend),
            judge,
            _judge_spec(config, judge) if judge else None,
        )
        return path, session.finish([(prompt.id, sample) for prompt, sample in tasks])


async def judge_run(path: Path, config: RunConfig, observer: Observer | None = None) -> Summary:
    """Judge what a run folder holds, without generating anything, and score it by that judge.

    Args:
        path: The run folder.
        config: Only what it says of the judge, of time-outs and of what to retry counts.
        observer: Told what happens.

    Raises:
        UsageError: It is no run folder, or there is no such judge.
        LbwError: The judging could not be finished; the same call goes on where it stopped.
    """
    observer = observer or Observer()
    manifest = load_run(path).manifest
    judge = _choose_judge(config, int(manifest["config"]["seed"]), observer)
    if judge is None:
        raise UsageError("judging needs a judge: name one with --judge (`lbw-eval judges` lists them)")
    with RunWriter(path, judge=judge.label, retry_failed=config.retry_failed) as run:
        session = _Session(run, observer)
        session.begin(manifest, judge)
        await session.work([], None, None, judge, _judge_spec(config, judge))
        return session.finish(run.predictions.identities())


class _Session:
    """One process's work on a run folder that it holds."""

    def __init__(self, run: RunWriter, observer: Observer) -> None:
        self._run = run
        self._observer = observer
        self._manifest: dict[str, Any] = {}

    def begin(self, manifest: dict[str, Any], judge: Judge | None) -> None:
        """Write down what is about to be done; what an earlier session wrote stays."""
        self._manifest = with_judge(self._run.read_manifest() or manifest, judge)
        self._run.write_manifest(self._manifest)

    async def work(
        self,
        owed: list[Task],
        spec: BackendSpec | None,
        make_writer: Callable[[Backend], DirectWriter] | None,
        judge: Judge | None,
        judge_spec: BackendSpec | None,
    ) -> None:
        """Open the backends and do what is owed; without anything owed, open nothing."""
        to_judge = self._unjudged(judge)
        if not owed and not to_judge:
            self._observer.note(f"nothing is owed: every response is recorded in {self._run.path}")
            return
        started = time.monotonic()
        try:
            async with AsyncExitStack() as stack:
                writing = judging = None
                if spec and make_writer:
                    backend = await stack.enter_async_context(open_backend(_shared(spec, judge_spec)))
                    writing = Writing(make_writer(backend), backend, spec.concurrency)
                if judge and judge_spec:
                    if spec and writing and _same_server(spec, judge_spec):
                        judge_backend = writing.backend
                    else:
                        judge_backend = await stack.enter_async_context(open_backend(judge_spec))
                    judging = Judging(judge, judge_backend, judge_spec.concurrency)
                done = len(self._run.predictions) - len(to_judge)
                plan = Plan(self._run.path, owed, to_judge, done, writing, judging)
                await run_pipeline(plan, self._run, self._observer)
        finally:
            self._manifest |= {
                "end": now(),
                "seconds": self._manifest["seconds"] + time.monotonic() - started,
            }
            self._run.write_manifest(self._manifest)

    def _unjudged(self, judge: Judge | None) -> list[Key]:
        if judge is None:
            return []
        return [
            record.key
            for record in self._run.predictions
            if record.response is not None and not self._run.judged(judge.label, record.key)
        ]

    def finish(self, order: list[Key]) -> Summary:
        """Put the records in order and write the results."""
        self._run.sort(order)
        return write_results(self._run.path)


def _same_server(one: BackendSpec, other: BackendSpec) -> bool:
    """Whether two roles can share one model that runs in this process."""
    return one.kind == other.kind == "local" and one.model == other.model


def _shared(spec: BackendSpec, judge: BackendSpec | None) -> BackendSpec:
    """The writer's specification, large enough for the judge too where they share a server."""
    if judge is None or not _same_server(spec, judge):
        return spec
    return replace(
        spec,
        concurrency=max(spec.concurrency, judge.concurrency),
        max_tokens=max(spec.max_tokens, judge.max_tokens),
    )


def _writer_spec(config: RunConfig, observer: Observer) -> BackendSpec:
    kind, why = choose_backend(
        config.model,
        requested=config.backend,
        base_urls=config.base_url,
        api_key_env=config.api_key_env,
    )
    observer.note(f"backend: {kind}, {why}")
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


def _judge_spec(config: RunConfig, judge: Judge) -> BackendSpec:
    """How to reach the judge's model."""
    concurrency = config.judge_concurrency or DEFAULT_CONCURRENCY.get(judge.card.backend)
    return replace(judge.spec(concurrency), idle_timeout=config.idle_timeout, stream=config.stream)


def _writer(config: RunConfig, backend: Backend) -> DirectWriter:
    temperature = None if config.temperature == "default" else config.temperature
    return DirectWriter(backend, temperature, config.max_tokens, config.seed)


def _identity(
    config: RunConfig, suite: Suite, prompts: Sequence[Prompt], spec: BackendSpec
) -> dict[str, Any]:
    """Everything that would change the run's numbers; the judges stand beside each other in one run."""
    return {
        "model": config.model,
        "weights": _weights(spec),
        "base_urls": sorted(spec.base_urls),
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
    file = Path(spec.model.removeprefix("local/"))
    if spec.kind != "local" or not file.is_file():
        return None
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
