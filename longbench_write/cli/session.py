"""Drives a run to its end, or to a clean stop at Ctrl-C and SIGTERM."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

from longbench_write.cli.progress import Progress

T = TypeVar("T")


def drive(work: Coroutine[Any, Any, T], progress: Progress) -> T:
    """Run the coroutine; interrupted, say what is kept and how to go on, and exit with 130."""
    try:
        return asyncio.run(_until_terminated(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        again = shlex.join(["lbw-eval", *(word for word in sys.argv[1:] if word != "--fresh")])
        progress.note(f"interrupted; {progress.kept()}. Go on with: {again}")
        raise typer.Exit(130) from None


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
