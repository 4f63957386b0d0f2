"""Whether a server still serves the model that a run was begun with, whatever name it serves it under."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from longbench_write.backends.base import ModelBackend
from longbench_write.errors import LbwError, UsageError
from longbench_write.runs.folder import sha256_of
from longbench_write.runs.plan import Role

_TELLING = ("id", "root", "created")
"""What tells one model from another, where both sides say it."""


async def served_models(role: Role, note: Callable[[str], None], *, needed: bool) -> list[dict[str, Any]]:
    """Ask the servers of a model how they list it; empty where there are none, or they do not say.

    Args:
        role: The model.
        note: Told what they say that cannot be.
        needed: Whether requests will follow; otherwise a key that is not set is no fault.

    Raises:
        UsageError: The backend cannot be opened.
    """
    if not role.backend.takes_base_urls:
        return []
    try:
        async with role.backend(role.spec) as backend:
            backend.note = note
            return await backend.served_models()
    except UsageError:
        if needed:
            raise
        return []


def check_served(
    known: Mapping[str, Any] | None,
    served: Sequence[Mapping[str, Any]],
    role: Role,
    note: Callable[[str], None],
    *,
    needed: bool,
) -> Mapping[str, Any] | None:
    """Compare what is served with what a run was begun with.

    Args:
        known: What run.yaml says of the model that was served.
        served: What the servers say now.
        role: The model.
        note: Told what the user should know.
        needed: Whether requests will follow.

    Returns:
        What run.yaml is to say of it from now on.

    Raises:
        LbwError: Another model is served than was.
    """
    for each in served:
        changed = [
            f"{name} {known[name]} → {each[name]}"
            for name in _TELLING
            if known and name in known and name in each and known[name] != each[name]
        ]
        if changed:
            raise LbwError(
                f"the server's {role.spec.model} is not the model that this run was begun with "
                f"({', '.join(changed)}): nothing was asked; name a run of its own with --tag TEXT, or start "
                "another with --fresh"
            )
    if role.backend.takes_base_urls and not (served and known) and (known or not needed):
        why = "run.yaml does not say which that was" if served else "no server lists it now"
        note(f"whether {role.spec.model} is still the model that this run was begun with is unchecked: {why}")
    if not served or not (needed or known):
        return known
    now = served[0]
    if known and known.get("max_model_len") != now.get("max_model_len"):
        note(
            f"the server's context has changed: max_model_len {known.get('max_model_len')} → "
            f"{now.get('max_model_len')}"
        )
    return {**(known or {}), **now} if needed else known


async def judge_backend(role: Role, backend: ModelBackend, note: Callable[[str], None]) -> dict[str, Any]:
    """Return what is known of the model that a judge asks, beyond its configuration.

    Args:
        role: The judge.
        backend: Its model, open.
        note: Told what the user should know.

    Returns:
        `backend` (its kind, the model that a server says it serves, local weights and how they are run) and
        `backend_sha256`, which is null where a server does not say what it serves.
    """
    served = await backend.served_models()
    own = await asyncio.to_thread(role.backend.identity, role.spec, note)
    about: dict[str, Any] = {"kind": role.spec.kind}
    about |= {name: value for name, value in own.items() if value not in (None, "", {}, [])}
    if served:
        about["served"] = {name: served[0][name] for name in ("id", "root") if name in served[0]}
    known = bool(served) or not role.backend.takes_base_urls
    return {"backend": about, "backend_sha256": sha256_of(about) if known else None}
