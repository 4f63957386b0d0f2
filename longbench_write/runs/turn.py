"""Waiting for a run folder that another process holds, as the job before this one may for a while."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import TypeVar

from longbench_write.errors import FolderInUseError
from longbench_write.runs.slurm import SlurmTask
from longbench_write.runs.store import RunWriter

T = TypeVar("T")

_EVERY = 1.0
"""Seconds between two looks."""


class Turn:
    """How long a command waits for a run folder, and whom it tells of that.

    A process of the same Slurm step is waited for without end.

    Args:
        seconds: To wait at most, from now on.
        note: Told in a sentence who holds the folder.
    """

    def __init__(self, seconds: float, note: Callable[[str], object]) -> None:
        task = SlurmTask.of(os.environ)
        self._step = task.name_of_step if task else None
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._note = note
        self._told = False

    def pause(self, error: FolderInUseError) -> float:
        """Return the seconds until the next look.

        Args:
            error: Says who holds the folder.

        Raises:
            FolderInUseError: The time is over; it is the same.
        """
        beside = error.step == self._step
        left = _EVERY if beside else self._deadline - time.monotonic()
        if left <= 0:
            raise error
        if not self._told:
            self._told = True
            how = "until then, as it is of the same Slurm step"
            if not beside:
                how = f"{self._seconds:g} s at most, as --wait says; Ctrl-C ends the waiting"
            self._note(f"{error} (this command waits {how})")
        return min(_EVERY, left)


async def opened_in_turn(run: RunWriter, turn: Turn, locked: Callable[[], object] | None = None) -> RunWriter:
    """Open a run folder as soon as nobody else holds it.

    Args:
        run: The folder.
        turn: How long that is waited for.
        locked: Called when it is locked and not read yet; what it raises leaves the folder as it was.

    Returns:
        The same, which the caller closes.

    Raises:
        FolderInUseError: It is held still after that time.
        RunFolderError: Its records cannot be read.
        UsageError: It cannot be written.
    """
    while True:
        try:
            run.open(locked)
            return run
        except FolderInUseError as error:
            pause = turn.pause(error)
        await asyncio.sleep(pause)


def in_turn(work: Callable[[], T], turn: Turn | None) -> T:
    """Do what locks a run folder as soon as nobody else holds it; blocks until then.

    Args:
        work: It.
        turn: How long that is waited for; None for not at all.

    Raises:
        FolderInUseError: The folder is held still after that time.
    """
    while True:
        try:
            return work()
        except FolderInUseError as error:
            if turn is None:
                raise
            pause = turn.pause(error)
        time.sleep(pause)
