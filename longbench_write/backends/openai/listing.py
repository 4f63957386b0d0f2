"""A server's list of its models: what it says of the one that is asked."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any

from longbench_write.backends.openai.refusals import mapping
from longbench_write.errors import shorten
from longbench_write.files.schema import MOST

if TYPE_CHECKING:
    import httpx2

_MINUTE = 60.0
_CONTEXT = "max_model_len"


async def listed(
    get: Callable[[str], Awaitable[httpx2.Response]], model: str
) -> tuple[Mapping[str, Any], float]:
    """Find a server's entry of a model, or of the only one that it has, and the time by its clock.

    The entry is empty where the server has no list, or does not say; the first request says what is wrong.

    Args:
        get: Reads what lies below the base URL; raises what the transport does.
        model: The model's name.
    """
    listed, response = await _entries(get)
    if response is None:
        return {}, 0.0
    named = [entry for entry in listed if entry.get("id") == model]
    told = parsedate_tz(response.headers.get("date", ""))
    now = mktime_tz(told) if told else time.time()
    return next(iter(named or (listed if len(listed) == 1 else [])), {}), float(now)


async def names_of(get: Callable[[str], Awaitable[httpx2.Response]]) -> list[str]:
    """Return the names of all models that a server lists; empty where it has no list, or does not say."""
    entries, _ = await _entries(get)
    return [shorten(entry["id"], 80) for entry in entries if isinstance(entry.get("id"), str)]


async def _entries(
    get: Callable[[str], Awaitable[httpx2.Response]],
) -> tuple[list[Mapping[str, Any]], httpx2.Response | None]:
    """Return a server's list of models, and the response that it came in; None where there is none."""
    import aiohttp
    import httpx2

    try:
        response = await get("models")
        entries = mapping(response.json()).get("data")
    except (httpx2.HTTPError, aiohttp.ClientError, ValueError, RecursionError):
        return [], None
    return [mapping(entry) for entry in entries] if isinstance(entries, list) else [], response


def identified(entry: Mapping[str, Any], asked: float, note: Callable[[str], None]) -> dict[str, Any]:
    """Return what of an entry tells one model from another, and its context.

    Args:
        entry: The entry.
        asked: When the list was asked for, by the server's clock.
        note: Told of a context that is none.
    """
    found = {name: str(entry[name]) for name in ("id", "root") if entry.get(name)}
    numbers = {name: int(entry[name]) for name in ("created", _CONTEXT) if _is_amount(entry.get(name))}
    if entry.get(_CONTEXT) is not None and _CONTEXT not in numbers:
        told = shorten(str(entry[_CONTEXT]), 40)
        note(f"the server says {_CONTEXT} {told!r}, which is no number of tokens: it is not used")
    if numbers.get("created", asked) > asked - _MINUTE:
        numbers.pop("created", None)
    return found | numbers


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST


def day_of(value: object) -> date | None:
    """Read a day from a date as text or from seconds since 1970; None where it is neither."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).date()
        return date.fromisoformat(str(value)[:10])
    except (ValueError, OverflowError, OSError):
        return None
