"""Looks names up in threads that nothing waits for: a name server that hangs keeps no process from ending."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from contextlib import suppress
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from longbench_write.backends.openai.refusals import CONNECT_TIMEOUT


class DaemonResolver(AbstractResolver):
    """Resolves by the system's `getaddrinfo`, each look-up in a daemon thread of its own.

    The threads of an event loop's executor, which aiohttp uses by default, are joined when the loop and the
    process end; a look-up may take minutes.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            OSError: It has none, or that cannot be found out.
        """
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def look_up() -> None:
            result: list[ResolveResult] | Exception
            try:
                result = _addresses(host, port, family)
            except Exception as error:
                result = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, found, result)

        threading.Thread(target=look_up, name="longbench-write look-up", daemon=True).start()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await found
        except TimeoutError:
            told = f"its name was not found within {CONNECT_TIMEOUT:g} s"
            raise OSError(errno.ETIMEDOUT, told) from None

    async def close(self) -> None:
        """Do nothing: there is nothing to give back."""


def _settle(found: asyncio.Future[list[ResolveResult]], result: list[ResolveResult] | Exception) -> None:
    if found.done():  # it was cancelled
        return
    if isinstance(result, Exception):
        found.set_exception(result)
    else:
        found.set_result(result)


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [
        ResolveResult(
            hostname=host,
            host=_numeric(address),
            port=port,
            family=kind,
            proto=proto,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, proto, _, address in infos
        if kind in (socket.AF_INET, socket.AF_INET6)
    ]


def _numeric(address: tuple[Any, ...]) -> str:
    """Return the address as text, with the interface of a link-local one of IPv6."""
    if len(address) == 4 and address[3]:
        return socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    return str(address[0])
