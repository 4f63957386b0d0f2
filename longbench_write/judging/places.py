"""Where a judge is asked: in other places than its card says, and with which keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longbench_write.backends.environment import DEFAULT_KEY_ENV
from longbench_write.backends.registry import BACKENDS, judge_kind
from longbench_write.errors import UsageError
from longbench_write.judging.cards import JUDGES, JudgeCard
from longbench_write.urls import public_url


def other_place(
    card: JudgeCard, model: str | None, backend: str | None, base_urls: Sequence[str], api_key_env: str | None
) -> dict[str, Any]:
    """Return what changes in a card whose judge is asked elsewhere.

    Raises:
        UsageError: The overrides do not fit together.
    """
    kind = backend or judge_kind(card.backend, model, base_urls)
    chosen = BACKENDS.get(kind)
    if base_urls and not chosen.takes_base_urls:
        raise UsageError(
            f"--judge-base-url names a server, and --judge-backend {kind} asks none: give one of them"
        )
    if base_urls:
        return {"backend": kind, "base_urls": tuple(base_urls), "api_key_env": api_key_env}
    if chosen.takes_base_urls or kind == card.backend:
        return {"backend": kind} | ({"api_key_env": api_key_env} if api_key_env is not None else {})
    if model is None and BACKENDS.get(card.backend).takes_base_urls:
        raise UsageError(f"--judge-backend {kind} needs a model to run: name it with --judge-model")
    return {"backend": kind, "base_urls": (), "api_key_env": api_key_env, **chosen.judge_changes}


def is_trusted(folder: Path) -> bool:
    """Return whether a judge's folder is ours, or that of a package that somebody has installed here."""
    name = folder.name
    return name in JUDGES.names() and JUDGES.get(name).resolve() == folder.resolve()


def check_secrets(
    card: JudgeCard,
    folder: Path,
    base_urls: Sequence[str],
    api_key_env: str | None,
    headers: Mapping[str, str],
) -> None:
    """Refuse to send what an environment variable contains to a host, on the word of somebody's card alone.

    Args:
        card: The judge's card.
        folder: Its folder.
        base_urls: The servers that the user has named.
        api_key_env: The variable that the user has named for the key.
        headers: The headers, each with its variable, that the user has named.

    Raises:
        UsageError: The card names a server and a variable, and the user has not named them both.
    """
    named = {api_key_env, *headers.values()}
    wanted = set(card.headers.values())
    if not base_urls:
        wanted.add(card.api_key_env or "")
        if not card.base_urls:
            wanted.discard(DEFAULT_KEY_ENV)  # which goes to the server that it is for
    if not (wanted := wanted - {""}) or (wanted <= named and (base_urls or not card.base_urls)):
        return
    where = " ".join(f"--judge-base-url {public_url(url)}" for url in card.base_urls)
    key = f" --judge-api-key-env {card.api_key_env}" if card.api_key_env else ""
    more = "".join(f" --judge-header {name}={source}" for name, source in card.headers.items())
    raise UsageError(
        f"the judge in {folder} would be sent the value of {', '.join(sorted(wanted))}, which only its "
        f"card has named for that server: if it may be, give {where}{key}{more}".replace("  ", " ")
    )
