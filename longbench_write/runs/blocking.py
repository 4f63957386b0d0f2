"""Run a coroutine from ordinary code, whether or not an event loop runs in this thread already."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
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
    result: Future[T] = Future()
    handshake = threading.Lock()
    cancel: list[Callable[[], object]] = []
    interrupted = False

    async def work() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine that asyncio.run runs is always a task
        with handshake:
            if interrupted:
                raise asyncio.CancelledError
            cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        return await make()

    def run() -> None:
        try:
            result.set_result(asyncio.run(work()))
        except BaseException as error:  # raised in the waiting thread
            result.set_exception(error)

    thread = threading.Thread(target=run, name="longbench-write")
    try:
        # An interrupt may come while the thread begins, so that it is not known whether it has.
        thread.start()
        return result.result()
    except BaseException:
        with handshake:
            interrupted = True
            with suppress(RuntimeError):  # its loop has closed: it has just ended
                for each in cancel:
                    each()
        if thread.is_alive():
            thread.join()
        raise
