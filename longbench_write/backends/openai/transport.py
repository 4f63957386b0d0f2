"""Sends requests through aiohttp, whose parser is compiled: that takes half the CPU of httpx2's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiohttp
import httpx2

from longbench_write.backends.openai.resolver import DaemonResolver

if TYPE_CHECKING:
    import ssl

_HEADER_BYTES = 1 << 20
"""Of a line of a response's head: gateways put whole policies and cookies there."""

_PIECE = 1 << 16
"""Bytes of a body that are handed on at once, if so many have come."""

_NO_LIMIT = 0
"""Of connections, as aiohttp says it: whoever sends requests limits them, as `Meter.allowed` says."""


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """A session of aiohttp as a transport of httpx2; the first request makes it, in its event loop.

    Args:
        verify: What certificates are checked against.
        proxy: The URL of the HTTP proxy through which all requests go, if any.
        keep_alive: Seconds that an idle connection is kept.
    """

    def __init__(self, verify: ssl.SSLContext, proxy: str | None, keep_alive: float) -> None:
        self._verify = verify
        self._proxy = proxy
        self._keep_alive = keep_alive
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the response's body is read by whoever takes it.

        Raises:
            aiohttp.ClientError: There is no response.
        """
        if self._session is None:
            self._session = self._open()
        timeout = request.extensions.get("timeout", {})
        response = await self._session.request(
            request.method,
            str(request.url),
            headers=request.headers.multi_items(),
            data=await request.aread() or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=timeout.get("connect"), sock_read=timeout.get("read")),
            proxy=self._proxy,
        )
        return httpx2.Response(
            response.status, headers=response.raw_headers, stream=_Body(response), request=request
        )

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=_NO_LIMIT,
            ssl=self._verify,
            keepalive_timeout=self._keep_alive,
            resolver=DaemonResolver(),
        )
        return aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,  # httpx2 does that
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
        )

    async def aclose(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()


class _Body(httpx2.AsyncByteStream):
    """The body of a response, as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.content.iter_chunked(_PIECE):
            yield piece

    async def aclose(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        self._response.release()
