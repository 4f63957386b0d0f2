"""Asks a server what it says of itself and of a model, with one short request."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from longbench_write.backends.base import BackendSpec, Message, ModelBackend, Sampling
from longbench_write.errors import BackendError, RetryPolicy
from longbench_write.urls import public_url

_TOKENS = 16
"""New tokens of the short request: enough for a word, and little to pay."""

_PROMPT = "Reply with one word."


@dataclass(frozen=True)
class ServerReport:
    """What a server says.

    Attributes:
        url: Its base URL, without a password.
        listed: How its list of models has the model: `id`, `root`, `created`, `max_model_len`; empty where it
            has no list, or the model is not on it.
        model_served: Who answered the short request, as the answer has it.
        provider: Who ran it, where a router says.
        system_fingerprint: The server's mark of its configuration.
        finish_reason: How the answer ended.
        usage: The tokens that the server counted; None where it counted none.
        error: Why there was no answer; "" where there was one.
        notes: What it says that cannot be.
    """

    url: str
    listed: dict[str, Any]
    model_served: str | None = None
    provider: str | None = None
    system_fingerprint: str | None = None
    finish_reason: str | None = None
    usage: dict[str, int | None] | None = None
    error: str = ""
    notes: tuple[str, ...] = ()


async def probe(backend: type[ModelBackend], spec: BackendSpec) -> list[ServerReport]:
    """Ask each server of a specification, one after the other.

    Args:
        backend: A kind of backend that asks servers.
        spec: Which, for which model, with which key.

    Raises:
        UsageError: A base URL or the key cannot be used.
    """
    return [await _probe(backend, replace(spec, base_urls=(url,))) for url in spec.base_urls]


async def _probe(backend: type[ModelBackend], spec: BackendSpec) -> ServerReport:
    url = public_url(spec.base_urls[0])
    async with backend(replace(spec, retry=RetryPolicy(tries=1, overload_tries=1))) as model:
        notes: list[str] = []
        model.note = notes.append
        listed = next(iter(await model.served_models()), {})
        try:
            answer = await model.complete([Message(role="user", content=_PROMPT)], Sampling(_TOKENS))
        except BackendError as error:
            return ServerReport(url, listed, error=str(error), notes=tuple(notes))
    counted = answer.usage.prompt_tokens is not None or answer.usage.completion_tokens is not None
    return ServerReport(
        url,
        listed,
        answer.model_served,
        answer.provider,
        answer.system_fingerprint,
        answer.finish_reason,
        asdict(answer.usage) if counted else None,
        notes=tuple(notes),
    )
