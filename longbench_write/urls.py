"""Base URLs: which are accepted, and how they are shown without what may be secret in them."""

from __future__ import annotations

from urllib.parse import urlsplit

from longbench_write.errors import UsageError

EXAMPLE = "http://127.0.0.1:8000/v1"


def check_url(url: str) -> None:
    """Refuse what is no base URL.

    Raises:
        UsageError: It is none, or carries a query or a fragment; nothing secret is repeated.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{public_url(url)!r} is no base URL: give one such as {EXAMPLE}")
    if parts.query or parts.fragment:
        raise UsageError(
            f"{public_url(url)} must end where its path ends: keys go into --api-key-env's variable"
        )


def public_url(url: str) -> str:
    """Return a URL without user, password, query and fragment."""
    head, slashes, rest = url.partition("?")[0].partition("#")[0].partition("://")
    if not slashes:
        return head.rpartition("@")[2]
    host, slash, path = rest.partition("/")
    return f"{head}://{host.rpartition('@')[2]}{slash}{path}"
