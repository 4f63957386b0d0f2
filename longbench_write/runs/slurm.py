"""Which task of which Slurm job this process is, as its environment says.

Slurm starts one command once for each task of a step, and a job that was requeued from its beginning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from longbench_write.errors import LbwError
from longbench_write.runs.manifest_file import read_manifest

_DIGITS = 12
"""Of a hash, which are enough to tell two commands apart."""


class TaskDoneError(LbwError):
    """Another task of the step has had the folder first: what came of its work is this task's too."""


@dataclass(frozen=True)
class SlurmTask:
    """A task of a job.

    Attributes:
        job: The job's id.
        step: The id of the step; "batch" for the job's script itself.
        restart: How often the job has been requeued.
        task: The task's number within the step.
        work: What tells the command that it runs from the others of its step; "" where that does not matter.
    """

    job: str
    step: str
    restart: int
    task: str
    work: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str], *work: object) -> Self | None:
        """Return the task that an environment names; None outside of jobs.

        Args:
            environment: What Slurm says.
            work: The command and its options, whose representations tell one from another.
        """
        job, restart = environment.get("SLURM_JOB_ID"), environment.get("SLURM_RESTART_COUNT", "")
        if not job:
            return None
        return cls(
            job,
            environment.get("SLURM_STEP_ID") or "batch",
            int(restart) if restart.isascii() and restart.isdigit() and len(restart) < 10 else 0,
            environment.get("SLURM_PROCID") or "0",
            hashlib.sha256(repr(work).encode()).hexdigest()[:_DIGITS] if work else "",
        )

    @property
    def name_of_step(self) -> str:
        """What all tasks of the step have in common, and no others."""
        return f"{self.job}.{self.step}.{self.restart}"

    def to_json(self) -> dict[str, Any]:
        """Return what run.yaml says of whoever worked on the run last."""
        return asdict(self)

    def check_first(self, run: Path) -> None:
        """Check that no other task of this step has run the same command on a run.

        Raises:
            TaskDoneError: One has.
        """
        if (other := _worked_on(run)) and self._is_beside(other):
            raise TaskDoneError(f"task {other.task} of this Slurm step has had {run}")

    def begun(self, runs: Iterable[Path]) -> Path | None:
        """Return the first run that the job began and that is this task's still.

        It is one from before the job's restart that nobody has gone on with, or one of another task of this
        step.
        """
        for run in runs:
            other = _worked_on(run)
            if other and other.job == self.job and (other.restart < self.restart or self._is_beside(other)):
                return run
        return None

    def _is_beside(self, other: SlurmTask) -> bool:
        same = (other.name_of_step, other.work) == (self.name_of_step, self.work)
        return same and other.task != self.task


def _worked_on(run: Path) -> SlurmTask | None:
    """Return the task that worked on a run last, where run.yaml can be read and names one."""
    try:
        said: Any = read_manifest(run).get("slurm")
        names = (str(said[name]) for name in ("task", "work"))
        return SlurmTask(str(said["job"]), str(said["step"]), int(said["restart"]), *names)
    except (LbwError, TypeError, ValueError, KeyError):
        return None
