"""The "openai" backend: any OpenAI-compatible server, over the openai client.

The client says where requests go and with which headers, and makes the connections. Each chat request is put
together here, which takes a third off the CPU of a request and its answer; what comes back is read as plain
JSON, so that servers which bend the format are met with a clear error, and all that one read of a stream
brings is parsed at once: the client's objects, one a token, cost more than everything else together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import Any, ClassVar, Self

from longbench_write.backends.adaptive_concurrency import AdaptiveLimit
from longbench_write.backends.base import (
    CHAIN,
    BackendSpec,
    Completion,
    Message,
    Meter,
    ModelBackend,
    Sampling,
    refuse_path,
)
from longbench_write.backends.environment import BASE_URL_ENV, DEFAULT_KEY_ENV, default_base_url, is_set
from longbench_write.backends.finish_reasons import FinishReasons
from longbench_write.backends.hashes import chat_sha256
from longbench_write.backends.openai.endpoint import (
    DEFAULT_BASE_URL,
    NO_KEY,
    Endpoint,
    open_endpoint,
    read_headers,
    read_key,
)
from longbench_write.backends.openai.listing import day_of, identified, listed, names_of
from longbench_write.backends.openai.parameters import (
    Adjustments,
    leaving_out,
    limit_name,
    limit_of,
    refused_parameter,
    request_body,
)
from longbench_write.backends.openai.reading import read_answer
from longbench_write.backends.openai.refusals import ServerRefusalError, explain, tokens_left
from longbench_write.backends.openai.reply import ChatResponse, repair_surrogates
from longbench_write.errors import BackendError, ErrorAction, shorten, with_retries

_ROOMS = 5
"""How often a server is asked that names a smaller room for the answer each time."""

_TOLD = ("text", "reasoning", "model_served", "provider", "system_fingerprint")
"""What of a completion is the server's own text."""

_SHORTEST_SECRET = 16
"""Characters that a key has at least; what is shorter is a dummy, whose letters any text may have."""

_NAMES = 12
"""Models of a server that are named where it has not the one that was asked for."""


class OpenAIBackend(ModelBackend):
    """Asks an OpenAI-compatible server, or several that serve the same model.

    Attributes:
        spec: How it was opened.
        meter: What it has done so far.
    """

    title: ClassVar[str] = "a server"
    takes_base_urls: ClassVar[bool] = True
    options: ClassVar[frozenset[str]] = frozenset({"extra_body", "header", "max_tokens_field"})

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self.meter = Meter(allowed=spec.concurrency)
        self._limit = AdaptiveLimit(spec.concurrency)
        self._secrets: tuple[str, ...] = ()
        self._has_key = False
        self._endpoints: list[Endpoint] = []
        self._homes: dict[Hashable, Endpoint] = {}
        known = {name: made for name, made in spec.adjusted.items() if name != spec.max_tokens_field}
        self._adjustments = Adjustments(lambda text: self.note(text), known)
        self.adjusted = self._adjustments.made
        self._reasons = FinishReasons(spec.finish_reasons)

    @classmethod
    def defaults(cls, base_urls: Sequence[str]) -> Mapping[str, Any]:
        """Return the key and the limit's name that the provider itself wants, where no server was named."""
        if base_urls:
            return {}
        if is_set(BASE_URL_ENV):
            return {"api_key_env": DEFAULT_KEY_ENV} if is_set(DEFAULT_KEY_ENV) else {}
        return {"api_key_env": DEFAULT_KEY_ENV, "max_completion_tokens": True}

    @classmethod
    def configure(cls, spec: BackendSpec, note: Callable[[str], None]) -> BackendSpec:
        """Take the base URL that OPENAI_BASE_URL names, where no other is.

        Raises:
            UsageError: No server was named, and the model's name looks like a path.
        """
        if spec.base_urls:
            return spec
        refuse_path(spec.model)
        url, told = default_base_url(spec.api_key_env, spec.headers.values())
        if told:
            note(told)
        return replace(spec, base_urls=(url,)) if url else spec

    async def __aenter__(self) -> Self:
        """Make the clients; nothing is sent yet.

        Raises:
            UsageError: The key's variable or a header's is empty, a base URL is no URL, or a proxy cannot be
                used.
        """
        key = read_key(self.spec.api_key_env)
        headers = read_headers(self.spec.headers)
        urls = self.spec.base_urls or (DEFAULT_BASE_URL,)
        self._has_key = key is not None
        self._endpoints = [open_endpoint(url, key or NO_KEY, self.spec, headers) for url in urls]
        known = {secret for endpoint in self._endpoints for secret in endpoint.secrets} | {key or ""}
        self._secrets = tuple(sorted(known - {""}, key=len, reverse=True))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for endpoint in self._endpoints:
            await endpoint.client.close()
        self._endpoints = []

    async def complete(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; see `Backend.complete`."""
        body = request_body(self.spec, messages, sampling)
        prompt_sha256 = chat_sha256(body["messages"])
        asked: list[Endpoint] = []

        async def ask() -> Completion:
            try:
                with self._limit.request():
                    asked.append(self._next_endpoint(asked[-1:]))
                    return await self._ask_until_accepted(asked, body, sampling)
            finally:
                self.meter.allowed = self._limit.allowed

        try:
            completion = await with_retries(ask, self.spec.retry, self.meter.count_retry)
        except BackendError as error:
            if hint := await self._hint(error, asked[-1]):
                error.args = (f"{error}; {hint}",)
            raise
        return replace(completion, prompt_sha256=prompt_sha256)

    async def _ask_until_accepted(
        self, asked: list[Endpoint], body: dict[str, Any], sampling: Sampling
    ) -> Completion:
        """Ask one endpoint, and again whenever its refusal says how.

        Args:
            asked: The endpoints of each request so far; the last one is asked.
            body: What is wanted; the limit of new tokens is lowered in it to the room that a refusal names.
            sampling: What it was made from.
        """
        name, rooms = limit_name(self.spec), 1
        while True:
            sent = self._adjustments.apply(body)
            try:
                return await self._ask(asked[-1], sent, len(asked))
            except BackendError as error:
                left = self._room(error)
                if left is not None and rooms < _ROOMS and left < body.get(name, 0):
                    body[name] = left
                    rooms += 1
                elif left is not None or not self._answer(error, body, sent, sampling):
                    raise
                asked.append(asked[-1])

    def _room(self, error: BackendError) -> int | None:
        """Return how many new tokens a refused request may ask for, where the refusal says it."""
        if error.action is not ErrorAction.GIVE_UP:
            return None
        return tokens_left(error.detail if isinstance(error, ServerRefusalError) else str(error))

    def _answer(
        self, error: BackendError, wanted: Mapping[str, Any], sent: Mapping[str, Any], sampling: Sampling
    ) -> bool:
        """Answer the refusal of a parameter, once for the run.

        Args:
            error: The refusal.
            wanted: The request before anything was left out or renamed.
            sent: What was sent of it.
            sampling: What it was made from.

        Returns:
            Whether it is answered, so that the request is worth sending again.

        Raises:
            BackendError: Only the user can answer it.
        """
        if not isinstance(error, ServerRefusalError):
            return False
        if error.kind != "bad_request" and (error.coded or error.kind != "server_error"):
            return False
        parameter = refused_parameter(error.detail, error.parameter, sent, quoted=not error.coded)
        if parameter is None:
            return False
        if self._adjustments.answer(parameter, error.detail, wanted=wanted, sent=sent):
            return True
        told = f"the server refuses {parameter}: {error}; {leaving_out(parameter, self.spec, sampling)}"
        raise BackendError("refused_parameter", told) from None

    async def _hint(self, error: BackendError, endpoint: Endpoint) -> str:
        """Return what a user can do about an error that these servers do not explain; "" for nothing."""
        if error.kind == "unauthorized" and not self._has_key:
            known = f"{DEFAULT_KEY_ENV} is set, but goes" if is_set(DEFAULT_KEY_ENV) else "a key goes"
            return f"no key was sent: {known} to a --base-url only if --api-key-env names its variable"
        if error.kind == "not_found":
            names = await names_of(endpoint.get)
            if names and self.spec.model not in names:
                more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
                return self._clean(f"{endpoint.url} has {', '.join(names[:_NAMES])}{more}")
        return ""

    async def shutdown_date(self) -> date | None:
        """Return when the provider's listing says that the model is shut down; None where it does not."""
        entry, _ = await listed(self._endpoints[0].get, self.spec.model)
        return day_of(entry.get("shutdown_date")) if entry.get("id") == self.spec.model else None

    async def served_models(self) -> list[dict[str, Any]]:
        """Ask each server for its list of models; see `ModelBackend.served_models`."""
        found = []
        for endpoint in self._endpoints:
            entry, asked = await listed(endpoint.get, self.spec.model)
            if entry.get("id"):
                found.append(identified(entry, asked, self.note))
        return found

    def _next_endpoint(self, last: list[Endpoint]) -> Endpoint:
        """Choose the endpoint to ask next: one that has not just failed, if there is one, the least busy.

        The requests of one chain stay with their server while that is not much busier than the others.
        """
        least = min(
            self._endpoints, key=lambda each: (each.rests > 0, each in last, each.in_flight, each.asked)
        )
        chain = CHAIN.get()
        if chain is None or len(self._endpoints) == 1:
            return least
        home = self._homes.get(chain, least)
        busier = home.in_flight - least.in_flight > self.spec.concurrency // (2 * len(self._endpoints))
        if home.rests or home in last or busier:
            home = least
        self._homes[chain] = home
        return home

    async def _ask(self, endpoint: Endpoint, body: dict[str, Any], attempt: int) -> Completion:
        """Send one try and read its answer."""
        endpoint.asked += 1
        endpoint.in_flight += 1
        self.meter.in_flight += 1
        try:
            completion = self._without_secrets(await self._exchange(endpoint, body, attempt))
            endpoint.answered()
            return completion
        except BackendError as error:
            endpoint.failed(error)
            unnamed = len(self._endpoints) > 1 and endpoint.url not in str(error)
            error.args = (self._clean(f"{endpoint.url}: {error}" if unnamed else str(error)),)
            raise error from None
        finally:
            endpoint.in_flight -= 1
            self.meter.in_flight -= 1

    async def _exchange(self, endpoint: Endpoint, body: dict[str, Any], attempt: int) -> Completion:
        """Send one try and read its answer, whose text may have anything in it.

        Raises:
            BackendError: There is none.
        """
        import aiohttp
        import httpx2

        began = time.perf_counter()
        reply = ChatResponse(self.meter, self._reasons, limit_of(body))
        idle = self.spec.idle_timeout
        try:
            await read_answer(lambda: endpoint.send(body), reply, streamed="stream" in body, idle=idle)
            return reply.completion(time.perf_counter() - began, attempt)
        except (httpx2.HTTPError, aiohttp.ClientError) as error:
            raise explain(error, endpoint.url) from None
        except TimeoutError:
            raise BackendError("timeout", f"{endpoint.url} sent nothing for {idle:g} s") from None
        except (ValueError, RecursionError) as error:
            told = f"the answer of {endpoint.url} is no JSON that can be read: {shorten(str(error))}"
            raise BackendError("bad_response", told) from None

    def _without_secrets(self, completion: Completion) -> Completion:
        """Strike the secrets out of a completion, should the server have echoed them; dummies aside."""
        for secret in self._secrets:
            if len(secret) < _SHORTEST_SECRET:
                continue
            told = {name: getattr(completion, name) or "" for name in _TOLD}
            echoed: dict[str, Any] = {
                name: text.replace(secret, "***") for name, text in told.items() if secret in text
            }
            completion = replace(completion, **echoed) if echoed else completion
        return completion

    def _clean(self, text: str) -> str:
        """Strike the secrets out of an error's text, and replace what UTF-8 cannot encode."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return repair_surrogates(text)
