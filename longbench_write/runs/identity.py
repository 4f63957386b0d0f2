"""A run's identity, and the folder that a command's run has.

The identity (version 2) is what would change the numbers of one response. Which prompts are asked, and how
often, is no part of it: a run grows. Folders that version 0.1.0 began are found by its digest, and serve the
one command that it names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longbench_write.config import RunConfig
from longbench_write.runs.folder import digest, next_run, run_parent, runs_named
from longbench_write.runs.identity_v1 import digest_v1, select_v1
from longbench_write.runs.plan import Role, Roles
from longbench_write.runs.slurm import SlurmTask
from longbench_write.runs.store import load_run
from longbench_write.suites.cards import earlier_versions
from longbench_write.suites.suite import Prompt, Suite, load_suite
from longbench_write.writers.base import configuration_of

VERSION = 2

_OF_VERSION_1 = frozenset(
    {
        "version",
        "model",
        "weights",
        "commit",
        "card",
        "prompt_format",
        "engine",
        "sampling",
        "writer",
        "suite",
    }
)
_SAMPLING_OF_VERSION_1 = frozenset({"temperature", "max_tokens", "seed"})


@dataclass(frozen=True)
class Place:
    """Where a command's run is recorded, and what the command asks for.

    Attributes:
        path: The run folder, which need not be there yet.
        prompts: Those that the command selects.
        identity: What run.yaml is to say of it; None in a folder of version 1, which never grows.
        supersedes: Names of folders of version 1 in whose place a fresh run stands.
    """

    path: Path
    prompts: tuple[Prompt, ...]
    identity: dict[str, Any] | None
    supersedes: list[str] = field(default_factory=list)


def run_identity(
    config: RunConfig, suite: Suite, roles: Roles, note: Callable[[str], None]
) -> dict[str, Any]:
    """Return everything that would change the numbers of one response; what is not said is not there.

    Judges stand beside each other in one run. Servers come and go under new addresses, so it is the model's
    name, not its address, that says what was asked; the content of local weights says it without the name.

    Args:
        config: The command's.
        suite: Where the prompts come from.
        roles: The model under test and whoever plans, prepared.
        note: Told what the user should know.

    Raises:
        UsageError: A file of the model cannot be read.
    """
    writer = roles.under_test
    entries = {
        **_model(writer, note),
        "tag": config.tag,
        "planner": _model(roles.planner, note) if roles.planner else None,
        "date": config.date.isoformat() if config.date else None,
        "sampling": {
            "temperature": config.temperature,
            "max_tokens": config.max_tokens,
            "seed": config.seed,
            **config.gen,
        },
        "system": config.system,
        "extra_body": config.extra_body,
        "writer": {"name": writer.writer.name, **configuration_of(writer.writer)},
        "suite": {"version": suite.version, "sha256": suite.sha256},
    }
    return {"version": VERSION} | _said(entries)


def _model(role: Role, note: Callable[[str], None]) -> dict[str, Any]:
    """Return what tells a role's model from another: its name, or the content of its weights."""
    backend = role.backend.identity(role.spec, note)
    return {"model": None if backend.get("weights") else role.spec.model, **backend}


def _said(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries, and those of their mappings, that are neither null nor empty."""
    found = {name: _said(value) if isinstance(value, Mapping) else value for name, value in entries.items()}
    return {name: value for name, value in found.items() if value is not None and value not in ("", {}, [])}


def find_place(
    config: RunConfig,
    suite: Suite,
    prompts: Sequence[Prompt],
    kind: str,
    identity: dict[str, Any],
    note: Callable[[str], None],
) -> Place:
    """Find the folder of a command's run: one of version 1 that is the command's own, or one of version 2.

    Args:
        config: The command's.
        suite: Where the prompts come from.
        prompts: Those that the command selects.
        kind: The backend.
        identity: What `run_identity` says.
        note: Told what the user should know.
    """
    parent = run_parent(config.out, config.model, suite.name)
    stem = f"{kind}-{digest(identity)}"
    runs = runs_named(parent, stem)
    old = _of_version_1(config, suite, kind, identity, parent)
    if config.fresh and (task := SlurmTask.of(os.environ, config)) and (begun := task.begun(runs)):
        note(f"--fresh resumes {begun}, which Slurm job {task.job} began")
        return Place(begun, tuple(prompts), identity)
    if config.fresh:
        supersedes = [old.path.name] if old else []
        return Place(next_run(parent, stem), tuple(prompts), identity, supersedes)
    if old and not any(old.path.name in load_run(run).manifest.get("supersedes", []) for run in runs):
        return old
    if not runs and "weights" in identity:
        runs = _of_a_copy(config, suite, stem, note)
    if not runs:
        _point_to_earlier(config, suite, kind, identity, parent, note)
    return Place(runs[-1] if runs else parent / stem, tuple(prompts), identity)


def _of_version_1(
    config: RunConfig, suite: Suite, kind: str, identity: Mapping[str, Any], parent: Path
) -> Place | None:
    """Find the latest folder that 0.1.0 made for this command, had it known all that the command says."""
    known = identity.keys() <= _OF_VERSION_1 and identity["writer"] == {"name": "direct"}
    if not known or identity["sampling"].keys() != _SAMPLING_OF_VERSION_1:
        return None
    prompts = select_v1(suite, config)
    runs = runs_named(parent, f"{kind}-{digest_v1(config, suite, prompts, kind)}")
    return Place(runs[-1], prompts, None) if runs else None


def _point_to_earlier(
    config: RunConfig,
    suite: Suite,
    kind: str,
    identity: Mapping[str, Any],
    parent: Path,
    note: Callable[[str], None],
) -> None:
    """Say how the run resumes that this command began when its suite was of an earlier version."""
    for card in earlier_versions(suite.name):
        if card.version == suite.version:
            continue
        earlier = {**identity, "suite": {"version": card.version, "sha256": card.sha256}}
        runs = runs_named(parent, f"{kind}-{digest(earlier)}")
        if old := _of_version_1(config, load_suite(card.full_name), kind, earlier, parent):
            runs.append(old.path)
        if runs:
            note(
                f"this is a new run, on {suite.name} {suite.version}; `--suite {card.full_name}` resumes the "
                f"one that this command has on version {card.version}, {runs[-1]}"
            )


def _of_a_copy(config: RunConfig, suite: Suite, stem: str, note: Callable[[str], None]) -> list[Path]:
    """Find the runs of a model of the same weights under another name."""
    for parent in sorted(config.out.glob(f"*/{run_parent(config.out, config.model, suite.name).name}")):
        if runs := runs_named(parent, stem):
            note(
                f"{config.model} has the same content as {load_run(runs[-1]).manifest['model']}, whose run "
                f"this is: {runs[-1]} (--tag starts one of its own)"
            )
            return runs
    return []
