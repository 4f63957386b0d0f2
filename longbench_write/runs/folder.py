"""The run folder: its name and files.

<out>/<model>/<suite>/<run>/  run.yaml  predictions.jsonl  judgements.jsonl  scores.csv  summary.json
and, of a writer that makes many requests a response, steps.jsonl; of very many prompts, asked.json; what was
paid for and is owed again is kept in predictions.discarded.jsonl and judgements.discarded.jsonl.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "run.yaml"
PREDICTIONS = "predictions.jsonl"
STEPS = "steps.jsonl"
JUDGEMENTS = "judgements.jsonl"
DISCARDED_PREDICTIONS = "predictions.discarded.jsonl"
DISCARDED_JUDGEMENTS = "judgements.discarded.jsonl"
SCORES = "scores.csv"
SUMMARY = "summary.json"


_DEVICES = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(f"{name}{number}" for name in ("COM", "LPT") for number in range(1, 10)))
)
"""What Windows takes for a device, whatever extension follows, where a folder is asked for."""


def folder_name(name: str) -> str:
    """Make a name that is safe as one folder's, for any text; different texts give different names."""
    safe = re.sub(r"[^\w.+-]", "_", name.strip("/").replace("/", "--"), flags=re.ASCII).lstrip(".")
    if safe.partition(".")[0].upper() in _DEVICES:
        safe = f"_{safe}"
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
