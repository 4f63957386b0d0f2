"""The "openai" backend: any OpenAI-compatible server, over the openai client.

Replies are read as plain JSON objects, so that servers which bend the format are met with a clear error
and a stream costs little per token.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from longbench_write.backends.base import BackendSpec, Completion, Message, Meter, Sampling, Usage
from longbench_write.backends.openai_errors import CONNECT_TIMEOUT, explain, inline_error, mapping, room_left
from longbench_write.backends.pace import Pace
from longbench_write.errors import BackendError, UsageError, Verdict, shorten, with_retries
from longbench_write.urls import check_url, public_url

if TYPE_CHECKING:
    import openai

DEFAULT_BASE_URL = "https://api.openai.com/v1"
"""Where requests go if no base URL is given."""

_PATH = "/chat/completions"
_NO_KEY = "EMPTY"
_KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept: fewer than the 5 after which common servers close it.

On loopback none is kept: a connection costs nothing there, and llama.cpp's server closes its own after each
stream although it says otherwise.
"""

_SHORTEST_SECRET = 16
"""Characters that a key has at least; what is shorter is a dummy, whose letters any text may have."""

_REASONING_FIELDS = ("reasoning_content", "reasoning")


class OpenAIBackend:
    """Asks an OpenAI-compatible server, or several that serve the same model.

    Attributes:
        spec: How it was opened.
        meter: What it has done so far.
    """

    def __init__(self, spec: BackendSpec) -> None:
        self.spec = spec
        self.meter = Meter(allowed=spec.concurrency)
        self._pace = Pace(spec.concurrency)
        self._key: str | None = None
        self._endpoints: list[_Endpoint] = []

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
        asked: list[_Endpoint] = []

        async def attempt() -> Completion:
            endpoint = self._least_busy(asked[-1:])
            asked.append(endpoint)
            while True:
                try:
                    return await self._ask(endpoint, body, len(asked))
                except BackendError as error:
                    limit = _limit_name(self.spec)
                    room = room_left(str(error)) if error.verdict is Verdict.GIVE_UP else None
                    if room is None or room >= body[limit]:
                        raise
                    body[limit] = room
                    asked.append(endpoint)

        async def ask() -> Completion:
            try:
                async with self._pace.request():
                    return await attempt()
            finally:
                self.meter.allowed = self._pace.allowed

        def on_retry(error: BackendError, seconds: float) -> None:
            self.meter.retries += 1
            self.meter.last_retry = f"{error} (again in {seconds:.0f} s)"

        return await with_retries(ask, self.spec.retry, on_retry)

    async def shutdown_date(self) -> date | None:
        """When the provider shuts the model down, as its listing says; None where that says nothing."""
        import httpx2
        import openai

        try:
            listing = await self._endpoints[0].client.get(
                "/models", cast_to=object, options={"timeout": CONNECT_TIMEOUT}
            )
        except (openai.OpenAIError, httpx2.HTTPError, ValueError):
            return None  # the first request says what is wrong
        entries = mapping(listing).get("data")
        for entry in entries if isinstance(entries, list) else []:
            if mapping(entry).get("id") == self.spec.model:
                return _day(entry.get("shutdown_date"))
        return None

    def _least_busy(self, last: list[_Endpoint]) -> _Endpoint:
        """The endpoint to ask next: another than the one that has just failed this chat, if there is one."""
        return min(self._endpoints, key=lambda each: (each in last, each.in_flight, each.asked))

    async def _ask(self, endpoint: _Endpoint, body: dict[str, Any], attempt: int) -> Completion:
        """One try."""
        import httpx2
        import openai

        endpoint.asked += 1
        endpoint.in_flight += 1
        self.meter.in_flight += 1
        began = time.perf_counter()
        reply = _Reply(self.meter)
        try:
            if self.spec.stream:
                await _read_stream(endpoint.client, body, reply)
            else:
                reply.add_message(await endpoint.client.post(_PATH, cast_to=object, body=body))
            return self._without_key(reply.completion(time.perf_counter() - began, attempt))
        except (openai.OpenAIError, httpx2.HTTPError) as error:
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
        """The same completion with the key struck out, should the server have echoed it; dummies aside."""
        key = self._key or ""
        if len(key) < _SHORTEST_SECRET or key not in completion.text + completion.reasoning:
            return completion
        text, reasoning = (part.replace(key, "***") for part in (completion.text, completion.reasoning))
        return replace(completion, text=text, reasoning=reasoning)

    def _redacted(self, error: BackendError) -> BackendError:
        """The same error with the key struck out of its text, and with nothing that UTF-8 cannot hold."""
        told = str(error).replace(self._key, "***") if self._key else str(error)
        return BackendError(error.kind, _mended(told), retry_after=error.retry_after)


@dataclass(slots=True, eq=False)
class _Endpoint:
    """One base URL with its client and load.

    Attributes:
        url: Without user name and password.
        client: The openai client.
        in_flight: Requests in flight there.
        asked: Requests so far.
    """

    url: str
    client: openai.AsyncOpenAI
    in_flight: int = 0
    asked: int = 0


def _read_key(name: str | None) -> str | None:
    """The key that the environment variable `name` holds; None if no variable is named."""
    if name is None:
        return None
    key = os.environ.get(name, "").strip()
    if not key:
        shown = name if name.isupper() else "the variable of --api-key-env"
        raise UsageError(
            f"{shown} is not set: export the key in it, or name another variable with --api-key-env"
        )
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"{name} holds characters that no key has: copy the key into it again")
    return key


def _day(value: object) -> date | None:
    """A day, from a date as text or from seconds since 1970."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).date()
        return date.fromisoformat(str(value)[:10])
    except (ValueError, OverflowError, OSError):
        return None


def _open_endpoint(url: str, key: str, spec: BackendSpec) -> _Endpoint:
    """A client that never tries again itself and takes no credentials from the environment."""
    import httpx2
    import openai

    check_url(url)
    parts = httpx2.URL(url)
    loopback = parts.host in ("127.0.0.1", "localhost", "::1")
    idle = spec.idle_timeout
    timeout = httpx2.Timeout(connect=CONNECT_TIMEOUT, read=idle, write=idle, pool=None)
    transport = httpx2.AsyncClient(
        timeout=timeout,
        limits=httpx2.Limits(
            max_connections=None,
            max_keepalive_connections=0 if loopback else spec.concurrency,
            keepalive_expiry=_KEEP_ALIVE,
        ),
        follow_redirects=True,
        trust_env=not loopback,
    )
    client = openai.AsyncOpenAI(
        api_key=key, base_url=url, timeout=timeout, max_retries=0, http_client=transport
    )
    if url != DEFAULT_BASE_URL:
        client.organization = client.project = client.admin_api_key = None
        client._custom_headers = {}
    return _Endpoint(public_url(url), client)


def request_body(spec: BackendSpec, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
    """The JSON body of one chat request; what is None is left out."""
    response_format: dict[str, Any] | None = {"type": "json_object"} if sampling.json_object else None
    if sampling.json_schema is not None:
        schema = {"name": "reply", "strict": True, "schema": sampling.json_schema}
        response_format = {"type": "json_schema", "json_schema": schema}
    body = {
        "model": spec.model,
        "messages": [
            {"role": message["role"], "content": _mended(message["content"])} for message in messages
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


async def _read_stream(client: openai.AsyncOpenAI, body: dict[str, Any], reply: _Reply) -> None:
    """Send the request and add the pieces as they come, or the whole where the server does not stream."""
    import openai

    stream = await client.post(
        _PATH, cast_to=object, body=body, stream=True, stream_cls=openai.AsyncStream[object]
    )
    async with stream:
        kind = stream.response.headers.get("content-type", "").partition(";")[0].strip()
        if kind.endswith("json"):
            reply.add_message(json.loads(await stream.response.aread()))
            return
        if kind == "text/html":
            reply.add_message((await stream.response.aread()).decode(errors="replace"))
            return
        try:
            async for chunk in stream:
                reply.add_chunk(chunk)
        except openai.APIConnectionError:
            if not reply.finish_reason:
                raise


class _Reply:
    """Collects an answer, streamed or whole, and refuses what is none."""

    def __init__(self, meter: Meter) -> None:
        self.finish_reason = ""
        self._meter = meter
        self._parts: dict[str, list[str]] = {"content": [], "reasoning": [], "refusal": []}
        self._usage: Mapping[str, Any] = {}

    def add_chunk(self, chunk: object) -> None:
        """Add a streamed chunk."""
        choice = self._add_frame(chunk)
        if choice is not None:
            self._add_text(mapping(choice.get("delta")))

    def add_message(self, body: object) -> None:
        """Add a whole, unstreamed answer."""
        choice = self._add_frame(body)
        if choice is None:
            raise BackendError("bad_response", "the server's answer has no choices")
        self._add_text(mapping(choice.get("message")))
        self.finish_reason = self.finish_reason or "unknown"

    def completion(self, seconds: float, attempts: int) -> Completion:
        """What was collected.

        Raises:
            BackendError: The stream ended too soon, or a filter ended the answer.
        """
        if not self.finish_reason:
            raise BackendError("bad_response", "the stream ended before the answer did (no finish_reason)")
        if self.finish_reason == "content_filter":
            raise BackendError("content_filter", "the server's content filter ended the answer")
        text, reasoning, refusal = (_mended("".join(part)) for part in self._parts.values())
        asked, spent = (
            mapping(self._usage.get(f"{name}_tokens_details")) for name in ("prompt", "completion")
        )
        usage = Usage(
            _count(self._usage.get("prompt_tokens")),
            _count(self._usage.get("completion_tokens")),
            _count(spent.get("reasoning_tokens")),
            _count(asked.get("cached_tokens")),
        )
        spent_all = usage.completion_tokens if self.finish_reason == "length" else None
        return Completion(
            text or refusal, reasoning, self.finish_reason, usage, seconds, attempts, max_tokens=spent_all
        )

    def _add_frame(self, body: object) -> Mapping[str, Any] | None:
        """Take in what chunks and whole answers share; return the first choice."""
        if not isinstance(body, Mapping):
            told = f"the server's answer is no JSON object: {shorten(str(body), 80)} (check --base-url)"
            raise BackendError("bad_response", told)
        if body.get("error"):
            raise inline_error(body["error"])
        self._usage = mapping(body.get("usage")) or self._usage
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices:
            return None
        choice = mapping(choices[0])
        finish = choice.get("finish_reason")
        if isinstance(finish, str):
            self.finish_reason = finish
        return choice

    def _add_text(self, message: Mapping[str, Any]) -> None:
        reasoning = next((message[name] for name in _REASONING_FIELDS if message.get(name)), None)
        found = {"content": message.get("content"), "reasoning": reasoning, "refusal": message.get("refusal")}
        for name, piece in found.items():
            if piece is not None and not isinstance(piece, str):
                raise BackendError("bad_response", f"the server's answer has a {name} that is no text")
            if piece:
                self._parts[name].append(piece)
                self._meter.pieces += 1


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _mended(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced, so that UTF-8 can hold it."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
