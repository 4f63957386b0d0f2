"""Base URLs: which are accepted, and how they are shown without what may be secret in them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from longbench_write.errors import UsageError

EXAMPLE = "http://127.0.0.1:8000/v1"

_API_VERSION = "api-version"
"""The query that Azure's base URLs have."""

_USER = re.compile(r"[^/?#@]*:[^@]*[/?#].*@", re.DOTALL)
"""A user's name and a password that contains what ends the host's part of a URL."""


def check_url(url: str) -> None:
    """Refuse what is no base URL.

    Raises:
        UsageError: It is none, or carries a query other than Azure's, or a fragment; nothing secret is
            repeated.
    """
    if _USER.match(url.partition("://")[2]):
        raise UsageError(
            f"{public_url(url)!r}: in a base URL's password, / ? # and @ are written as %2F %3F %23 and %40"
        )
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        good, query = False, {}
    if not good:
        raise UsageError(f"{public_url(url)!r} is no base URL: give one such as {EXAMPLE}")
    if query.keys() - {_API_VERSION} or "" in query.get(_API_VERSION, []) or parts.fragment:
        raise UsageError(
            f"{public_url(url)} must end where its path ends, or in Azure's ?{_API_VERSION}=...: keys go "
            "into --api-key-env's variable"
        )


def api_version(url: str) -> str | None:
    """Return the version of Azure's interface that a base URL names; None for every other server's."""
    return parse_qs(urlsplit(url).query).get(_API_VERSION, [None])[-1]


def public_url(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    head, slashes, rest = url.partition("://")
    if not slashes:
        head, rest = "", url
    if not slashes or _USER.match(rest):
        rest = rest.rpartition("@")[2]
    rest = re.split("[?#]", rest, maxsplit=1)[0]
    host, slash, path = rest.partition("/")
    return f"{head}{slashes}{host.rpartition('@')[2]}{slash}{path}"
