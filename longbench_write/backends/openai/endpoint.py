"""One base URL: its client, how requests are sent there and with which headers, and how it fares."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.environment import variable
from longbench_write.backends.openai.refusals import CONNECT_TIMEOUT
from longbench_write.errors import BackendError, UsageError
from longbench_write.urls import api_version, check_url, public_url

if TYPE_CHECKING:
    import httpx2
    import openai

DEFAULT_BASE_URL = "https://api.openai.com/v1"
"""Where requests go if no base URL is given."""

NO_KEY = "EMPTY"
"""What stands for a key where none is sent."""

_KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept: fewer than the 5 after which common servers close it."""

_REDIRECTS = 5
"""Redirects within one server that a request follows at most."""

_FIRST_REST, _LONGEST_REST = 1.0, 60.0
"""Seconds that a server is left alone after its first failure, doubled with each other, and at most."""

_FAILURES = frozenset({"connection", "timeout", "server_error", "rate_limited"})
"""Kinds of errors after which a server is left alone for a while, where there are others."""


@dataclass(slots=True, eq=False)
class Endpoint:
    """One base URL with its client and load.

    Attributes:
        url: Without user name and password.
        client: The openai client.
        transport: What it sends with.
        chat: Where chat requests go.
        headers: What each request says.
        secrets: What no text may repeat: the password in the URL, and the values of the user's headers.
        in_flight: Requests in flight there.
        asked: Requests so far.
    """

    url: str
    client: openai.AsyncOpenAI
    transport: httpx2.AsyncClient
    chat: httpx2.URL
    headers: dict[str, str]
    secrets: tuple[str, ...] = ()
    in_flight: int = 0
    asked: int = 0
    _failures: int = 0
    _rests_until: float = 0.0

    @property
    def rests(self) -> float:
        """Seconds for which it is still to be left alone, as it has failed."""
        return max(0.0, self._rests_until - monotonic())

    def answered(self) -> None:
        """Note that it has answered."""
        self._failures, self._rests_until = 0, 0.0

    def failed(self, error: BackendError) -> None:
        """Leave it alone for a while, if the error is its own and no prompt's."""
        if error.kind not in _FAILURES:
            return
        rest = min(_LONGEST_REST, _FIRST_REST * 2.0**self._failures)
        self._rests_until = monotonic() + max(rest, min(error.retry_after or 0.0, _LONGEST_REST))
        self._failures = min(self._failures + 1, 10)

    async def send(self, body: Mapping[str, Any]) -> httpx2.Response:
        """Send a chat request; what is returned has its head only, and the caller closes it.

        Raises:
            BackendError: It is redirected to another server, or so that it would no longer be sent whole.
            httpx2.HTTPError, aiohttp.ClientError: There is no response.
        """
        import httpx2

        request = httpx2.Request(
            "POST",
            self.chat,
            headers=self.headers,
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            extensions={"timeout": self.transport.timeout.as_dict()},
        )
        for _ in range(_REDIRECTS):
            response = await self.transport.send(request, stream=True, follow_redirects=False)
            if not response.has_redirect_location:
                return response
            await response.aclose()
            request = self._redirected(response)
        raise BackendError("redirected", f"{self.url} redirects in a circle: check --base-url")

    def _redirected(self, response: httpx2.Response) -> httpx2.Request:
        """Return the request that a redirect asks for, if it is the same one to the same server."""
        following = response.next_request
        where = public_url(str(following.url)) if following else "a place that is no URL"
        if following is None or _origin(following.url) != _origin(self.chat):
            told = "is another server, to which no key is sent: if it is right, name it with --base-url"
        elif following.method != "POST":
            told = "and would drop the request's body: name the place with --base-url as the server wants it"
        else:
            following.extensions.update(timeout=self.transport.timeout.as_dict())
            return following
        raise BackendError(
            "redirected", f"HTTP {response.status_code}: {self.url} redirects to {where}, {told}"
        )

    async def get(self, path: str) -> httpx2.Response:
        """Read what lies below the base URL.

        Raises:
            httpx2.HTTPError: It cannot be had, or the status is an error or a redirect.
            aiohttp.ClientError: It cannot be had.
        """
        url = self.client.base_url.join(path).copy_merge_params(_query(self.client))
        response = await self.transport.get(
            url, headers=self.headers, timeout=CONNECT_TIMEOUT, follow_redirects=False
        )
        return response.raise_for_status()


def open_endpoint(url: str, key: str, spec: BackendSpec, headers: Mapping[str, str]) -> Endpoint:
    """Make a client that never retries by itself and takes no credentials from the environment.

    Args:
        url: The base URL.
        key: The key, or `NO_KEY`.
        spec: Whether its connections are kept.
        headers: What each request says besides.

    Raises:
        UsageError: It is no base URL, or lies behind a proxy that cannot be used.
    """
    import httpx2
    import openai

    from longbench_write.backends.openai.transport import AiohttpTransport

    check_url(url)
    parts = httpx2.URL(url)
    timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT)  # `read_answer` says how long a response may take
    transport = httpx2.AsyncClient(
        timeout=timeout,
        transport=AiohttpTransport(
            httpx2.create_ssl_context(), _proxy_of(parts), _KEEP_ALIVE if spec.keep_alive else 0.0
        ),
        auth=(parts.username, parts.password) if parts.userinfo else None,
        follow_redirects=False,
        trust_env=False,
    )
    address = public_url(url)
    own = address == DEFAULT_BASE_URL
    version = api_version(url)
    values: dict[str, Any] = {
        "api_key": key,
        "base_url": address,
        "timeout": timeout,
        "max_retries": 0,
        "http_client": transport,
        "default_headers": None if own else _omitted_headers(),
    }
    client = (
        openai.AsyncAzureOpenAI(api_version=version, **values) if version else openai.AsyncOpenAI(**values)
    )
    if not own:
        client.organization = client.project = client.admin_api_key = None
    chat = client.base_url.join(_chat_path(client, spec.model)).copy_merge_params(_query(client))
    secrets = (*_passwords(parts), *headers.values())
    return Endpoint(address, client, transport, chat, {**_headers(client), **headers}, secrets)


def _passwords(url: httpx2.URL) -> tuple[str, ...]:
    """Return a URL's password in the forms in which a server could repeat it."""
    if not url.password:
        return ()
    basic = b64encode(f"{url.username}:{url.password}".encode()).decode()
    return url.password, quote(url.password, safe=""), basic


def _query(client: openai.AsyncOpenAI) -> dict[str, str]:
    return {name: str(value) for name, value in client.default_query.items()}


def _chat_path(client: openai.AsyncOpenAI, model: str) -> str:
    """Return where chat requests go below the base URL: Azure has a place a deployment, if not under /v1."""
    import openai

    path = client.base_url.path.rstrip("/")
    if not isinstance(client, openai.AsyncAzureOpenAI) or "/deployments/" in path or path.endswith("/v1"):
        return "chat/completions"
    return f"deployments/{quote(model, safe='')}/chat/completions"


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


def read_key(name: str | None) -> str | None:
    """Read the key from the environment variable `name`; None if no variable is named.

    Raises:
        UsageError: It is not set, or contains what no header can.
    """
    if name is None:
        return None
    return _secret(name, "the variable of --api-key-env", "name another variable with --api-key-env")


def read_headers(named: Mapping[str, str]) -> dict[str, str]:
    """Read the values of the user's headers from the environment variables that are named for them.

    Raises:
        UsageError: A variable is not set, or its value contains what no header can.
    """
    return {
        name: _secret(source, f"the variable of --header {name}", f"leave --header {name} out")
        for name, source in named.items()
    }


def _secret(name: str, unnamed: str, otherwise: str) -> str:
    value = variable(name).strip()
    if not value:
        shown = name if name.isupper() else unnamed
        raise UsageError(f"{shown} is not set: export the value in it, or {otherwise}")
    if not (value.isascii() and value.isprintable()):
        raise UsageError(f"{name} contains characters that no key has: copy the value into it again")
    return value


def is_this_machine(host: str) -> bool:
    """Return whether a host is this machine, which no proxy can reach: 127.0.0.0/8, ::1, 0.0.0.0, ..."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(host))  # "127.1", "0x7f.1", "0"
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _proxy_of(url: httpx2.URL) -> str | None:
    """Return the proxy that the environment names for a URL, if any.

    Raises:
        UsageError: It is a SOCKS proxy, which aiohttp cannot use.
    """
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all") or ""
    if not proxy or is_this_machine(url.host) or proxy_bypass(url.host):
        return None
    kind = proxy.partition("://")[0].casefold() if "://" in proxy else "http"
    if kind in ("http", "https"):
        return proxy if "://" in proxy else f"http://{proxy}"
    raise UsageError(
        f"{url.host} is reached through the proxy of {url.scheme}_proxy or all_proxy, and a {kind} proxy "
        "cannot be used: name an http:// proxy, or add the host to no_proxy"
    )
