"""The lock that keeps other processes out of a run folder, where file locks do not lock too.

Beside the lock stands a lease, `.lock.holder`: who holds the folder, a file that its holder touches every few
seconds. A holder on this machine is gone when its process is; one elsewhere, on a shared disk or in another
container, when it has not touched its lease for `STALE` seconds by the clock of the file system.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from longbench_write.errors import FolderInUseError, RunFolderError, RunFolderLostError, UsageError
from longbench_write.files.faults import told
from longbench_write.files.whole import remove_leftovers, replacing
from longbench_write.runs.slurm import SlurmTask

LEASE = ".lock.holder"
BEAT = 3.0
"""Seconds between two touches of the lease, and between two times that records are handed to the disk."""
STALE = 60.0
"""Seconds after which a lease that nobody touches counts no more."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""What file systems say that have no locks: the lease decides."""
_LARGEST = 4096
_held: set[str] = set()
"""The tokens of the leases that this process holds."""


@dataclass(frozen=True)
class Holder:
    """Who holds a folder.

    Attributes:
        host: The machine's name.
        boot: What tells this start of its system from others; "" where it does not say.
        pids: The namespace of process ids, which each container has of its own; likewise.
        process: The id.
        started: When the process was started, in ticks since the boot; likewise.
        token: What tells this lease from the others of the process.
        step: The Slurm step that the process is of (`SlurmTask.name_of_step`); "" for none.
    """

    host: str
    boot: str
    pids: str
    process: int
    started: str
    token: str
    step: str = ""

    @classmethod
    def of_this_process(cls) -> Holder:
        """Return who a lease of this process names."""
        host, boot, pids = _place()
        process = os.getpid()
        task = SlurmTask.of(os.environ)
        step = task.name_of_step if task else ""
        return cls(host, boot, pids, process, _started(process) or "", secrets.token_hex(8), step)

    @classmethod
    def parse(cls, text: bytes) -> Holder | None:
        """Return who a lease names; None where it names nobody, as those of version 0.1.0."""
        try:
            values = json.loads(text)
            known = {name: kind(values[name]) for name, kind in _FIELDS.items()}
            return cls(**known, step=str(values.get("step", "")))
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def to_json(self) -> bytes:
        """Return the lease's content."""
        return json.dumps(asdict(self)).encode()

    @property
    def is_here(self) -> bool:
        """Whether its process id means something to this process."""
        return (self.host, self.boot, self.pids) == _place()

    def lives(self, silent: float) -> bool:
        """Return whether the folder is held still.

        Args:
            silent: Seconds since the lease was touched.
        """
        if not self.is_here or sys.platform == "win32":
            return abs(silent) < STALE
        if self.process == os.getpid():
            return self.token in _held
        found = _started(self.process)
        if found and self.started:
            return found == self.started
        return found is not None and abs(silent) < STALE

    def __str__(self) -> str:
        """Return such as "process 17 on gpu-3"."""
        return f"process {self.process} on {self.host}"


_FIELDS: dict[str, type[Any]] = {
    "host": str,
    "boot": str,
    "pids": str,
    "process": int,
    "started": str,
    "token": str,
}


@cache
def _place() -> tuple[str, str, str]:
    """Return the host, its boot and the namespace of process ids."""
    boot = pids = ""
    with suppress(OSError):  # other systems than Linux say neither
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        pids = os.readlink("/proc/self/ns/pid")
    return socket.gethostname(), boot, pids


def _started(process: int) -> str | None:
    """Return when a process was started, "" where the system does not say; None where there is none."""
    try:
        os.kill(process, 0)
    except PermissionError:  # it is another user's
        pass
    except (OSError, OverflowError):
        return None
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # there is no /proc, or it hides the processes of others
        return ""
    fields = status.rpartition(")")[2].split()  # from the third on: the second, a name, may hold anything
    return None if fields[0] in "ZX" else fields[19]


class FolderLock:
    """A run folder that this process alone holds.

    Args:
        path: The folder.

    Attributes:
        beats: Called every `BEAT` seconds, from another thread.
    """

    def __init__(self, path: Path) -> None:
        from filelock import FileLock

        self.path = path
        self.beats: list[Callable[[], None]] = []
        self._lease = path / LEASE
        self._lock = FileLock(path / ".lock")
        self._holder = Holder.of_this_process()
        self._descriptor = -1
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="longbench-write lease", daemon=True)

    def acquire(self) -> None:
        """Lock the folder, which is made if it is not there.

        Raises:
            FolderInUseError: Another process holds it; the error says which.
            OSError: It cannot be written.
        """
        from filelock import Timeout

        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise self._in_use(self._other()[0]) from None
        except NotImplementedError:  # filelock's word for ENOSYS
            pass
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        try:
            self._take_lease()
        except BaseException:
            self._lock.release()
            raise
        self._thread.start()
        with suppress(PermissionError):  # a folder that may be written to need not be listed
            remove_leftovers(self.path)

    def _take_lease(self) -> None:
        with replacing(self._lease) as file:
            file.write(self._holder.to_json())
            file.flush()
            other, touched = self._other()
            if other and other.lives(os.fstat(file.fileno()).st_mtime - touched):
                raise self._in_use(other)
        self._descriptor = os.open(self._lease, _READING)
        _held.add(self._holder.token)
        if os.read(self._descriptor, _LARGEST) != self._holder.to_json():
            self._let_go()
            raise self._in_use(self._other()[0])

    def _other(self) -> tuple[Holder | None, float]:
        """Return whom the lease names, if anybody, and when it was touched."""
        try:
            descriptor = os.open(self._lease, _READING)
        except OSError:
            return None, 0.0  # none, or a link that somebody put there: no lease
        try:
            return Holder.parse(os.read(descriptor, _LARGEST)), os.fstat(descriptor).st_mtime
        except OSError:
            return None, 0.0
        finally:
            os.close(descriptor)

    def _in_use(self, other: Holder | None) -> FolderInUseError:
        message = f"{self.path} is in use by {other or 'another process'}: wait for it to end"
        if other and other.is_here:
            message += f", or end it with `kill {other.process}`, which keeps what it has recorded"
        return FolderInUseError(message, other.step if other else "")

    def check(self) -> None:
        """Check that the folder is the one that was locked, and that nobody has taken it over.

        Raises:
            RunFolderLostError: It is not.
            RunFolderError: That cannot be found out.
        """
        try:
            whole = os.path.samestat(os.fstat(self._descriptor), os.stat(self._lease, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            whole = False
        except OSError as error:
            raise RunFolderError(f"cannot read {self._lease}: {told(error)}") from None
        if not whole:
            raise RunFolderLostError(
                f"{self.path} was removed or replaced, or another process took it over, during the run: "
                "nothing more is recorded; see what became of it and run the same command again"
            )

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with suppress(OSError):  # `check` says what has become of the lease
                os.utime(self._descriptor if os.utime in os.supports_fd else self._lease)
            for call in self.beats:
                call()

    def release(self) -> None:
        """Let others have the folder."""
        self._ended.set()
        self._thread.join()
        with suppress(
            RunFolderError, OSError
        ):  # a folder that became read-only; the process's end counts too
            self.check()
            self._lease.unlink()
        self._let_go()
        self._lock.release()

    def _let_go(self) -> None:
        _held.discard(self._holder.token)
        os.close(self._descriptor)


_READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def lock_run_folder(path: Path) -> Iterator[FolderLock]:
    """Lock a run folder, made if it is not there, for this process alone.

    Raises:
        FolderInUseError: Another process has locked it; the error says which.
        UsageError: The folder cannot be written.
    """
    lock = FolderLock(path)
    try:
        lock.acquire()
    except OSError as error:
        where = error.filename or path
        raise UsageError(f"cannot write {where}: {told(error)}; choose another folder with --out") from None
    try:
        yield lock
    finally:
        lock.release()
