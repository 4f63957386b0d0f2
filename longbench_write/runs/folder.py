"""The run folder: its name and files, and the lock that keeps other processes out of it.

<out>/<model>/<suite>/<run>/  run.yaml  predictions.jsonl  judgements.jsonl  scores.csv  summary.json
and, of a writer that makes many requests a response, steps.jsonl; of very many prompts, asked.json; what was
paid for and is owed again is kept in predictions.discarded.jsonl and judgements.discarded.jsonl.
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
STEPS = "steps.jsonl"
JUDGEMENTS = "judgements.jsonl"
DISCARDED_PREDICTIONS = "predictions.discarded.jsonl"
DISCARDED_JUDGEMENTS = "judgements.discarded.jsonl"
SCORES = "scores.csv"
SUMMARY = "summary.json"


def folder_name(name: str) -> str:
    """Make a name that is safe as one folder's, for any text; different texts give different names."""
    safe = re.sub(r"[^\w.+-]", "_", name.strip("/").replace("/", "--"), flags=re.ASCII).lstrip(".")
    if safe and safe.replace("--", "/") == name and len(safe) <= 80:
        return safe
    return f"{safe[:70].rstrip('.') or 'model'}-{sha256_of(name)[:8]}"


def digest(identity: Mapping[str, Any]) -> str:
    """Return the ten hexadecimal digits by which a run folder's name tells an identity."""
    return sha256_of(dict(identity))[:10]


def sha256_of(value: Any) -> str:
    """Hash a plain value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def run_parent(out: Path, model: str, suite: str) -> Path:
    """Return the folder of a model's runs on a suite.

    Args:
        out: The folder for runs.
        model: The model's name.
        suite: The suite's name; its version is no part of it.
    """
    return out / folder_name(model) / folder_name(suite)


def runs_named(parent: Path, stem: str) -> list[Path]:
    """List the runs of this name, and those that were begun afresh beside them, oldest first."""
    first, number = [parent / stem], 2
    while (parent / f"{stem}-{number}" / MANIFEST).exists():
        first.append(parent / f"{stem}-{number}")
        number += 1
    return [run for run in first if (run / MANIFEST).exists()]


def next_run(parent: Path, stem: str) -> Path:
    """Return the folder of the next run of this name, which has not begun."""
    runs = runs_named(parent, stem)
    if not runs:
        return parent / stem
    number = runs[-1].name.removeprefix(stem).removeprefix("-") or "1"
    return parent / f"{stem}-{int(number) + 1}"


@contextmanager
def lock_run_folder(path: Path) -> Iterator[None]:
    """Lock a run folder, made if it is not there, for this process alone.

    Raises:
        RunFolderError: Another process has locked it; the error says which.
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
