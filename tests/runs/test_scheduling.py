"""The time of a run of chains, on a virtual clock, beside the least that it could be."""

from __future__ import annotations

import asyncio
import selectors

import pytest

from longbench_write.backends.base import Completion, Message, Meter, Sampling, Usage
from longbench_write.files.appending import Appender
from longbench_write.runs.observer import Observer
from longbench_write.runs.scheduler import run_work
from longbench_write.runs.store import RunWriter
from longbench_write.runs.work import Work, Writing
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft

SECTIONS = [2 + number // 14 for number in range(119)] + [22]
CALLS = sum(SECTIONS) + len(SECTIONS)
SECONDS = 0.5


class Clock(selectors.SelectSelector):
    """Waits for nothing but records that are being written: its time goes on at once."""

    now = 0.0
    writing = 0

    def select(self, timeout=None):
        if self.writing and timeout != 0:
            return super().select(None)
        self.now += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.clock = Clock()
        super().__init__(self.clock)

    def time(self):
        return self.clock.now


class Backend:
    """Answers each request in the same time."""

    def __init__(self):
        self.meter = Meter()
        self.calls = self.in_flight = self.peak = 0

    async def complete(self, messages, sampling):
        self.calls += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        await asyncio.sleep(SECONDS)
        self.in_flight -= 1
        return Completion("word", "", "stop", Usage(1, 1), SECONDS)


class Chain:
    name = "chain"

    def __init__(self, parallel):
        self.parallel = parallel

    async def write(self, prompt, sample, context):
        async def ask(step):
            chat = [Message(role="user", content=f"{step} {prompt.id}")]
            return (await context.complete(step, chat, context.sampling)).text

        await ask("plan")
        steps = [f"write-{number}" for number in range(prompt.length)]
        texts = (
            await asyncio.gather(*map(ask, steps)) if self.parallel else [await ask(step) for step in steps]
        )
        return Draft(" ".join(texts))


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("concurrency", [16, 32, 64])
def test_a_run_of_chains_takes_little_more_than_the_bound(tmp_path, parallel, concurrency, monkeypatch):
    prompts = [Prompt(f"p-{n}", "Write.", "t", length, "en") for n, length in enumerate(SECTIONS)]
    backend = Backend()
    loop = VirtualLoop()
    append = Appender.append

    async def counted(self, record, then):
        loop.clock.writing += 1
        try:
            await append(self, record, then)
        finally:
            loop.clock.writing -= 1

    monkeypatch.setattr(Appender, "append", counted)
    with RunWriter(tmp_path, writing=True, judge=None) as run:
        writing = Writing(Chain(parallel), backend, concurrency, Sampling(100, seed=1))
        work = Work(tmp_path, [(prompt, 0) for prompt in prompts], [], 0, writing, None)
        loop.run_until_complete(run_work(work, run, Observer()))
    took = loop.time()
    loop.close()
    longest = 2 if parallel else max(SECTIONS) + 1
    bound = SECONDS * max(longest, CALLS / concurrency)
    assert backend.calls == CALLS
    assert backend.peak == concurrency
    assert bound - 1e-6 <= took <= 1.05 * bound
