"""Waiting for a run folder that another process holds, as the job before this one may for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from longbench_write.errors import FolderInUseError
from longbench_write.runs.store import RunWriter

_EVERY = 1.0
"""Seconds between two looks."""


async def opened_in_turn(run: RunWriter, seconds: float, note: Callable[[str], object]) -> RunWriter:
    """Open a run folder as soon as nobody else holds it.

    Args:
        run: The folder.
        seconds: To wait for it at most.
        note: Told in a sentence who holds it.

    Returns:
        The same, which the caller closes.

    Raises:
        FolderInUseError: It is held still after that time.
        RunFolderError: Its records cannot be read.
        UsageError: It cannot be written.
    """
    deadline = time.monotonic() + seconds
    told = False
    while True:
        try:
            run.open()
            return run
        except FolderInUseError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            if not told:
                told = True
                note(f"{error} (--wait: for {seconds:g} s at most)")
        await asyncio.sleep(min(_EVERY, left))
