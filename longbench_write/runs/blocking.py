"""Run a coroutine from ordinary code, whether or not an event loop runs in this thread already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_blocking(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the coroutine that `make` gives to its end, and return its result.

    Inside a running event loop, as in a notebook, it runs in a thread with a loop of its own, since a loop
    cannot be entered twice; no signal handler is set there. An interrupt of the waiting thread cancels it,
    and is raised once it has ended.

    Args:
        make: Called in the thread that runs the coroutine, so that none is made that is never awaited.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    started: Future[Callable[[], object]] = Future()

    async def work() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine that asyncio.run runs is always a task
        started.set_result(lambda: loop.call_soon_threadsafe(task.cancel))
        return await make()

    with ThreadPoolExecutor(1, thread_name_prefix="longbench-write") as pool:
        result = pool.submit(lambda: asyncio.run(work()))
        try:
            return result.result()
        except BaseException:
            if not result.done():
                started.result()()
            raise
