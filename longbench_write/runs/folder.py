"""The run folder: its name and files, and the lock that keeps other processes out of it.

<out>/<model>/<suite>/<run>/  run.yaml  predictions.jsonl  judgements.jsonl  scores.csv  summary.json
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from longbench_write.errors import RunFolderError, UsageError

MANIFEST = "run.yaml"
PREDICTIONS = "predictions.jsonl"
JUDGEMENTS = "judgements.jsonl"
SCORES = "scores.csv"
SUMMARY = "summary.json"


def folder_name(name: str) -> str:
    """A name that is safe as one folder's, for any text; different texts give different names."""
    safe = re.sub(r"[^\w.+-]", "_", name.strip("/").replace("/", "--"), flags=re.ASCII).lstrip(".")
    if safe and safe.replace("--", "/") == name and len(safe) <= 80:
        return safe
    return f"{safe[:70].rstrip('.') or 'model'}-{_digest(name, 8)}"


def _digest(value: Any, length: int) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def run_path(
    out: Path, model: str, suite: str, kind: str, identity: Mapping[str, Any], *, fresh: bool
) -> Path:
    """The folder of the run that these settings name: the latest there is, or the next one if `fresh`.

    Args:
        out: The folder for runs.
        model: The model's name.
        suite: The suite's name.
        kind: The backend, for the reader's eye.
        identity: Everything that would change the run's numbers, as plain values.
        fresh: Whether to go past what is there.
    """
    parent = out / folder_name(model) / folder_name(suite)
    stem = f"{kind}-{_digest(dict(identity), 10)}"
    number = 1
    while (parent / _numbered(stem, number + 1) / MANIFEST).exists():
        number += 1
    if fresh and (parent / _numbered(stem, number) / MANIFEST).exists():
        number += 1
    return parent / _numbered(stem, number)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a run folder, made if it is not there, for this process alone.

    Raises:
        RunFolderError: Another process holds it; the error says which.
        UsageError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    holder = path / ".lock.holder"
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        lock.acquire(blocking=False)
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}")
    except Timeout:
        who = holder.read_text() if holder.exists() else "another process"
        raise RunFolderError(f"{path} is in use by {who}: wait for it to end") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"cannot write {path}: {reason}; choose another folder with --out") from None
    try:
        yield
    finally:
        with suppress(OSError):  # the lock alone decides; a folder may have become read-only meanwhile
            holder.unlink(missing_ok=True)
        lock.release()
