"""The "openai" backend: any OpenAI-compatible server, over the openai client.

The client says where requests go and with which headers, and makes the connections. Each chat request is put
together here, which takes a third off the CPU of a request and its answer; what comes back is read as plain
JSON, so that servers which bend the format are met with a clear error, and all that one read of a stream
brings is parsed at once: the client's objects, one a token, cost more than everything else together.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from longbench_write.backends.adaptive_concurrency import AdaptiveLimit
from longbench_write.backends.base import BackendSpec, Completion, Message, Meter, ModelBackend, Sampling
from longbench_write.backends.hashes import chat_sha256
from longbench_write.backends.openai.event_stream import EventStream
from longbench_write.backends.openai.listing import day_of, identified, listed
from longbench_write.backends.openai.refusals import CONNECT_TIMEOUT, explain, refusal, tokens_left
from longbench_write.backends.openai.reply import ChatResponse, repair_surrogates
from longbench_write.errors import BackendError, ErrorAction, UsageError, shorten, with_retries
from longbench_write.urls import check_url, public_url

if TYPE_CHECKING:
    import httpx2
    import openai

DEFAULT_KEY_ENV = "OPENAI_API_KEY"
"""The variable that contains the key for the default base URL."""

DEFAULT_BASE_URL = "https://api.openai.com/v1"
"""Where requests go if no base URL is given."""

_HTML = "text/html"
_NO_KEY = "EMPTY"
_KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept: fewer than the 5 after which common servers close it."""
_NO_LIMIT = 0
"""Of connections, as aiohttp says it: whoever sends requests limits them, as `Meter.allowed` says."""

_CLOSING = 1.0
"""Seconds that a stream which has said its last has to close, so that its connection can be used again."""

_TOLD = ("text", "reasoning", "model_served", "provider", "system_fingerprint")
"""What of a completion is the server's own text."""

_SHORTEST_SECRET = 16
"""Characters that a key has at least; what is shorter is a dummy, whose letters any text may have."""


class OpenAIBackend(ModelBackend):
    """Asks an OpenAI-compatible server, or several that serve the same model.

    Attributes:
        spec: How it was opened.
        meter: What it has done so far.
    """

    title: ClassVar[str] = "a server"
    takes_base_urls: ClassVar[bool] = True

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self.meter = Meter(allowed=spec.concurrency)
        self._limit = AdaptiveLimit(spec.concurrency)
        self._key: str | None = None
        self._endpoints: list[_Endpoint] = []

    @classmethod
    def defaults(cls, base_urls: Sequence[str]) -> Mapping[str, Any]:
        """Return the key and the limit's name that the provider itself wants, where no server was named."""
        if base_urls:
            return {}
        return {"api_key_env": DEFAULT_KEY_ENV, "max_completion_tokens": True}

    async def __aenter__(self) -> Self:
        """Make the clients; nothing is sent yet.

        Raises:
            UsageError: The key's variable is empty, or a base URL is no URL.
        """
        self._key = _read_key(self.spec.api_key_env)
        urls = self.spec.base_urls or (DEFAULT_BASE_URL,)
        self._endpoints = [_open_endpoint(url, self._key or _NO_KEY, self.spec) for url in urls]
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
        asked: list[_Endpoint] = []

        async def attempt() -> Completion:
            endpoint = self._least_busy(asked[-1:])
            asked.append(endpoint)
            while True:
                try:
                    return await self._ask(endpoint, body, len(asked))
                except BackendError as error:
                    limit = _limit_name(self.spec)
                    left = tokens_left(str(error)) if error.action is ErrorAction.GIVE_UP else None
                    if left is None or left >= body[limit]:
                        raise
                    body[limit] = left
                    asked.append(endpoint)

        async def ask() -> Completion:
            try:
                with self._limit.request():
                    return await attempt()
            finally:
                self.meter.allowed = self._limit.allowed

        def on_retry(error: BackendError, seconds: float) -> None:
            self.meter.retries += 1
            self.meter.last_retry = f"{error} (again in {seconds:.0f} s)"

        completion = await with_retries(ask, self.spec.retry, on_retry)
        return replace(completion, prompt_sha256=prompt_sha256)

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
                found.append(identified(entry, asked))
        return found

    def _least_busy(self, last: list[_Endpoint]) -> _Endpoint:
        """Choose the endpoint to ask next: if there is one, another than just failed this chat."""
        return min(self._endpoints, key=lambda each: (each in last, each.in_flight, each.asked))

    async def _ask(self, endpoint: _Endpoint, body: dict[str, Any], attempt: int) -> Completion:
        """Send one try and read its answer."""
        import aiohttp
        import httpx2

        endpoint.asked += 1
        endpoint.in_flight += 1
        self.meter.in_flight += 1
        began = time.perf_counter()
        reply = ChatResponse(self.meter)
        try:
            async with aclosing(await endpoint.send(body)) as response:
                await _read(response, reply, streamed=self.spec.stream)
            return self._without_key(reply.completion(time.perf_counter() - began, attempt))
        except (httpx2.HTTPError, aiohttp.ClientError) as error:
            raise self._redacted(explain(error, endpoint.url, self.spec.idle_timeout)) from None
        except (ValueError, RecursionError) as error:
            told = f"the answer of {endpoint.url} is no JSON that can be read: {shorten(str(error))}"
            raise self._redacted(BackendError("bad_response", told)) from None
        except BackendError as error:
            raise self._redacted(error) from None
        finally:
            endpoint.in_flight -= 1
            self.meter.in_flight -= 1

    def _without_key(self, completion: Completion) -> Completion:
        """Strike the key out of a completion, should the server have echoed it; dummies aside."""
        key = self._key or ""
        if len(key) < _SHORTEST_SECRET:
            return completion
        told = {name: getattr(completion, name) for name in _TOLD}
        echoed = {name: text.replace(key, "***") for name, text in told.items() if text and key in text}
        return replace(completion, **echoed) if echoed else completion

    def _redacted(self, error: BackendError) -> BackendError:
        """Strike the key out of an error's text, and replace what UTF-8 cannot encode."""
        told = str(error).replace(self._key, "***") if self._key else str(error)
        return BackendError(error.kind, repair_surrogates(told), retry_after=error.retry_after)


@dataclass(slots=True, eq=False)
class _Endpoint:
    """One base URL with its client and load.

    Attributes:
        url: Without user name and password.
        client: The openai client.
        transport: What it sends with.
        chat: Where chat requests go.
        headers: What each request says.
        in_flight: Requests in flight there.
        asked: Requests so far.
    """

    url: str
    client: openai.AsyncOpenAI
    transport: httpx2.AsyncClient
    chat: httpx2.URL
    headers: dict[str, str]
    in_flight: int = 0
    asked: int = 0

    async def send(self, body: dict[str, Any]) -> httpx2.Response:
        """Send a chat request; what is returned has its head only, and the caller closes it."""
        import httpx2

        request = httpx2.Request(
            "POST",
            self.chat,
            headers=self.headers,
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            extensions={"timeout": self.transport.timeout.as_dict()},
        )
        return await self.transport.send(request, stream=True)

    async def get(self, path: str) -> httpx2.Response:
        """Read what lies below the base URL.

        Raises:
            httpx2.HTTPError: It cannot be had, or the status is an error.
            aiohttp.ClientError: It cannot be had.
        """
        response = await self.transport.get(
            self.client.base_url.join(path), headers=self.headers, timeout=CONNECT_TIMEOUT
        )
        return response.raise_for_status()


def _read_key(name: str | None) -> str | None:
    """Read the key from the environment variable `name`; None if no variable is named."""
    if name is None:
        return None
    key = os.environ.get(name, "").strip()
    if not key:
        shown = name if name.isupper() else "the variable of --api-key-env"
        raise UsageError(
            f"{shown} is not set: export the key in it, or name another variable with --api-key-env"
        )
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"{name} contains characters that no key has: copy the key into it again")
    return key


def _open_endpoint(url: str, key: str, spec: BackendSpec) -> _Endpoint:
    """Make a client that never retries by itself and takes no credentials from the environment.

    It sends through aiohttp, whose parser is compiled: that takes half the CPU of the client's own default.
    """
    import httpx2
    import openai

    check_url(url)
    parts = httpx2.URL(url)
    loopback = parts.host in ("127.0.0.1", "localhost", "::1")
    idle = spec.idle_timeout
    timeout = httpx2.Timeout(connect=CONNECT_TIMEOUT, read=idle, write=idle, pool=None)
    transport = openai.DefaultAioHttpClient(
        timeout=timeout,
        limits=httpx2.Limits(
            max_connections=_NO_LIMIT, keepalive_expiry=_KEEP_ALIVE if spec.keep_alive else 0.0
        ),
        auth=(parts.username, parts.password) if parts.userinfo else None,
        follow_redirects=True,
        trust_env=not loopback,
    )
    address = public_url(url)
    own = url == DEFAULT_BASE_URL
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=address,
        timeout=timeout,
        max_retries=0,
        http_client=transport,
        default_headers=None if own else _omitted_headers(),
    )
    if not own:
        client.organization = client.project = client.admin_api_key = None
    return _Endpoint(address, client, transport, client.base_url.join("chat/completions"), _headers(client))


def _omitted_headers() -> dict[str, Any]:
    """Strike out the headers that the client takes from OPENAI_CUSTOM_HEADERS; they may carry a key."""
    import openai

    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    names = (line.partition(":")[0].strip() for line in lines if ":" in line)
    return {name: openai.Omit() for name in names}


def _headers(client: openai.AsyncOpenAI) -> dict[str, str]:
    """Return the headers of each request, whatever was struck out of the client's default headers."""
    always = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": client.user_agent,
    }
    given = {name: value for name, value in client.default_headers.items() if isinstance(value, str)}
    return always | client.platform_headers() | given | client.auth_headers


def request_body(spec: BackendSpec, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
    """Make the JSON body of one chat request; what is None is left out."""
    response_format: dict[str, Any] | None = {"type": "json_object"} if sampling.json_object else None
    if sampling.json_schema is not None:
        schema = {"name": "reply", "strict": True, "schema": sampling.json_schema}
        response_format = {"type": "json_schema", "json_schema": schema}
    body = {
        "model": spec.model,
        "messages": [
            {"role": message["role"], "content": repair_surrogates(message["content"])}
            for message in messages
        ],
        _limit_name(spec): sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "reasoning_effort": sampling.reasoning_effort,
        "response_format": response_format,
        "stream": True if spec.stream else None,
        "stream_options": {"include_usage": True} if spec.stream else None,
    }
    return {name: value for name, value in body.items() if value is not None}


def _limit_name(spec: BackendSpec) -> str:
    return "max_completion_tokens" if spec.max_completion_tokens else "max_tokens"


async def _read(response: httpx2.Response, reply: ChatResponse, *, streamed: bool) -> None:
    """Add the pieces as they come, or the whole where the server does not stream, asked to or not.

    Raises:
        BackendError: The status is an error.
    """
    if not response.is_success:
        await response.aread()
        raise refusal(response)
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if streamed and not kind.endswith("json") and kind != _HTML:
        await _read_events(response, reply)
        return
    data = await response.aread()
    reply.add_message(data.decode(errors="replace") if kind == _HTML else json.loads(data))


async def _read_events(response: httpx2.Response, reply: ChatResponse) -> None:
    """Add the pieces of a stream as they come; it has ended when it says so, whatever becomes of it then."""
    import aiohttp
    import httpx2

    events = EventStream()
    try:
        async with asyncio.timeout(None) as limit:
            async for received in response.aiter_bytes():
                reply.add_chunks(events.feed(received))
                if events.ended and limit.when() is None:
                    limit.reschedule(asyncio.get_running_loop().time() + _CLOSING)
    except (httpx2.HTTPError, aiohttp.ClientError):
        if not reply.finish_reason:
            raise
    except TimeoutError:
        if not events.ended:
            raise
