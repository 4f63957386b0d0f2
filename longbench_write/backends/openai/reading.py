"""Reading a response as it comes: its pieces, its end, how long and how much of it is waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from longbench_write.backends.openai.event_stream import EventStream
from longbench_write.backends.openai.idle_timeout import IdleTimeout
from longbench_write.backends.openai.refusals import refusal
from longbench_write.backends.openai.reply import ChatResponse
from longbench_write.errors import BackendError

if TYPE_CHECKING:
    import httpx2

_HTML = "text/html"

_CLOSING = 1.0
"""Seconds that a stream which has said its last has to close, so that its connection can be used again."""

MOST_BYTES = 256 * 1024 * 1024
"""Of a response's body, decompressed: far more than any answer has, and less than a machine's memory."""

_OF_THE_BODY = frozenset((b"content-encoding", b"content-length", b"transfer-encoding"))
"""Headers that are about a body as it was sent."""


async def read_answer(
    send: Callable[[], Awaitable[httpx2.Response]], reply: ChatResponse, *, streamed: bool, idle: float
) -> None:
    """Send a request and collect its answer, as it comes or whole where the server does not stream.

    Heartbeats (comments, events without data, deltas without text, white space before JSON) are not waited
    for any longer than silence is. What goes wrong behind an answer's end takes nothing from it.

    Args:
        send: Sends it, and returns the response with its head alone.
        reply: Collects the answer.
        streamed: Whether a stream was asked for.
        idle: Seconds without anything new after which the request has failed.

    Raises:
        BackendError: The status is an error, the body is too large, or what it says is no answer.
        TimeoutError: Nothing came for too long.
        ValueError: It is no JSON.
    """
    import aiohttp
    import httpx2

    try:
        async with IdleTimeout(idle) as watch, aclosing(await send()) as response:
            await _read(response, reply, watch, streamed=streamed)
    except (httpx2.HTTPError, aiohttp.ClientError, TimeoutError, ValueError):
        if not reply.finish_reason:
            raise


async def _read(
    response: httpx2.Response, reply: ChatResponse, watch: IdleTimeout, *, streamed: bool
) -> None:
    import httpx2

    if not response.is_success:
        data = await _whole(response, watch)
        about = [each for each in response.headers.raw if each[0].lower() not in _OF_THE_BODY]
        raise refusal(httpx2.Response(response.status_code, headers=about, content=data))
    reply.read_headers(response.headers)
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if streamed and not kind.endswith("json") and kind != _HTML:
        await _read_events(response, reply, watch)
        return
    data = await _whole(response, watch)
    reply.add_message(data.decode(errors="replace") if kind == _HTML else json.loads(data))


async def _read_events(response: httpx2.Response, reply: ChatResponse, watch: IdleTimeout) -> None:
    """Add the pieces of a stream as they come, until it says that it has ended or has passed the limit.

    What becomes of it behind its end does not matter.
    """
    events = EventStream()
    try:
        async with asyncio.timeout(None) as limit:
            async for received in _received(response):
                before = reply.pieces
                reply.add_chunks(events.feed(received))
                if reply.pieces != before:
                    watch.feed()
                if reply.past_limit:
                    return
                if events.ended and limit.when() is None:
                    reply.end()
                    limit.reschedule(asyncio.get_running_loop().time() + _CLOSING)
    except TimeoutError:
        if not events.ended:
            raise


async def _whole(response: httpx2.Response, watch: IdleTimeout) -> bytes:
    """Read a whole body."""
    parts = []
    async for received in _received(response):
        parts.append(received)
        if not received.isspace():
            watch.feed()
    return b"".join(parts)


async def _received(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Yield a body's bytes, decompressed, as they come.

    Raises:
        BackendError: There are more than any answer has.
    """
    size = 0
    async for received in response.aiter_bytes():
        size += len(received)
        if size > MOST_BYTES:
            raise BackendError(
                "bad_response", f"the response's body has more than {MOST_BYTES >> 20} MB: it is no answer"
            )
        yield received
