"""Waiting for a run folder that another process holds, as the job before this one may for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from longbench_write.errors import FolderInUseError
from longbench_write.runs.slurm import SlurmTask
from longbench_write.runs.store import RunWriter

_EVERY = 1.0
"""Seconds between two looks."""


async def opened_in_turn(
    run: RunWriter, seconds: float, note: Callable[[str], object], task: SlurmTask | None = None
) -> RunWriter:
    """Open a run folder as soon as nobody else holds it.

    Args:
        run: The folder.
        seconds: To wait for it at most.
        note: Told in a sentence who holds it.
        task: Of the job that this process is; one of the same step is waited for without end, and if it had
            the folder first, this task has nothing to do.

    Returns:
        The same, which the caller closes.

    Raises:
        FolderInUseError: It is held still after that time.
        RunFolderError: Its records cannot be read.
        UsageError: It cannot be written.
        TaskDoneError: Another task of the step has had it.
    """
    deadline = time.monotonic() + seconds
    told = False
    while True:
        try:
            run.open(partial(task.check_first, run.path) if task else None)
            return run
        except FolderInUseError as error:
            beside = task is not None and error.step == task.name_of_step
            left = _EVERY if beside else deadline - time.monotonic()
            if left <= 0:
                raise
            if not told:
                told = True
                until = "it is of the same Slurm step" if beside else f"--wait: for {seconds:g} s at most"
                note(f"{error} ({until})")
        await asyncio.sleep(min(_EVERY, left))
