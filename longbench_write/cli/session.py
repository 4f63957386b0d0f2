"""Drives a run to its end, or to a clean stop at Ctrl-C, SIGTERM and the like."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import typer

from longbench_write.cli.log import show_log
from longbench_write.cli.progress import ProgressDisplay
from longbench_write.cli.signals import SIGNALS
from longbench_write.errors import LbwError, RunFolderLostError

T = TypeVar("T")


def drive(
    start: Callable[[], Callable[[], Coroutine[Any, Any, T]]],
    progress: ProgressDisplay,
    *,
    fresh: bool = False,
) -> T:
    """Start and run what is to be done; cut short, say what is kept and how to resume.

    Args:
        start: Prepares, and gives what makes the coroutine that is to be run.
        progress: Its display.
        fresh: Whether another run was asked for; to resume it then means not to ask for one again.

    Raises:
        typer.Exit: It was interrupted (130).
        LbwError: It could not be finished.
    """
    show_log()
    try:
        return asyncio.run(_until_terminated(start()()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        progress.note(f"interrupted; {progress.kept()}. Resume with: {_resume_command(fresh)}")
        raise typer.Exit(130) from None
    except LbwError as error:
        if progress.has_kept and not isinstance(error, RunFolderLostError):
            progress.note(f"{progress.kept()}. Once that is fixed, resume with: {_resume_command(fresh)}")
        raise


def _resume_command(fresh: bool) -> str:
    words = [word for word in sys.argv[1:] if word != "--fresh"]
    from_file = fresh and len(words) == len(sys.argv) - 1
    return shlex.join(["lbw-eval", *words, *(["--no-fresh"] if from_file else [])])


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    with SIGNALS.stopping_with(lambda: loop.call_soon_threadsafe(task.cancel)):
        return await task
