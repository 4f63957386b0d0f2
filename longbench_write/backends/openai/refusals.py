"""What an OpenAI-compatible server's refusals mean, and how many new tokens they say are left."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from longbench_write.errors import BackendError, from_status, parse_retry_after, shorten

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection has to stand."""

_STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "invalid_request_error": 400,
}

_CONTEXT = re.compile(r"context length (?:is|of) (\d+)")
_PROMPT = re.compile(r"(\d+) (?:input tokens|tokens from the input|in the (?:messages|prompt|input))")
_MOST = re.compile(r"supports at most (\d+) completion tokens|greater than max_model_len=(\d+)")


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tokens_left(refusal: str) -> int | None:
    """Read from a refusal how many new tokens the request may ask for, where the server says it.

    vLLM and SGLang name the context's length and the prompt's, or the context alone; OpenAI names the most
    new tokens of a model.

    Returns:
        At least 1; None where it is not said, or where the prompt alone is too long.
    """
    if most := _MOST.search(refusal):
        return int(most[1] or most[2]) or None
    context, prompt = _CONTEXT.search(refusal), _PROMPT.search(refusal)
    left = int(context[1]) - int(prompt[1]) if context and prompt else 0
    return left if left > 0 else None


def _detail(body: object) -> str:
    """Return what the server said in an error's body, with the codes it gave."""
    if not isinstance(body, Mapping):
        return str(body or "no reason given")
    message = next(
        (body[name] for name in ("message", "detail", "msg") if isinstance(body.get(name), str)), None
    )
    if message is None:
        return json.dumps(body)
    inner = mapping(body.get("innererror")).get("code")
    codes = [str(code) for code in (body.get("code"), body.get("type"), inner) if code]
    return f"{message} ({', '.join(codes)})" if codes else message


def inline_error(body: object) -> BackendError:
    """Turn an error object inside a 200 into a `BackendError`: by its code, otherwise a server error."""
    codes = [str(mapping(body).get(name)) for name in ("code", "type", "status")]
    numbers = [int(code) for code in codes if code.isdecimal() and 400 <= int(code) <= 599]
    numbers += [_STATUS_OF_CODE[code] for code in codes if code in _STATUS_OF_CODE]
    return from_status(numbers[0] if numbers else 500, f"(inside a 200) {_detail(body)}")


def refusal(response: httpx2.Response) -> BackendError:
    """Turn a response whose status is an error, read whole, into a `BackendError`."""
    text = response.text.strip()
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = text
    wait = parse_retry_after(response.headers.get("retry-after"))
    return from_status(response.status_code, _detail(mapping(body).get("error", body)), retry_after=wait)


def explain(error: Exception, url: str, idle: float) -> BackendError:
    """Turn a request without a response, or one that broke off, into a `BackendError`.

    Args:
        error: What the transport raised.
        url: The base URL, free of secrets.
        idle: The idle time-out in seconds.
    """
    import aiohttp

    cause = _transport_error(error)
    told = shorten(str(cause)) or type(cause).__name__
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        told = f"cannot reach {url}: no connection within {CONNECT_TIMEOUT:g} s (check --base-url)"
        return BackendError("timeout", told)
    if isinstance(cause, TimeoutError):
        return BackendError("timeout", f"{url} sent nothing for {idle:g} s")
    if isinstance(cause, aiohttp.ClientConnectorError):
        return BackendError("connection", f"cannot reach {url}: {told} (check --base-url)")
    return BackendError("connection", f"connection lost ({told}): {url}")


def _transport_error(error: BaseException) -> BaseException:
    """Return the error that aiohttp raised: what the layers above make of it is not precise."""
    import aiohttp

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, aiohttp.ClientError):
        cause = cause.__cause__
    return cause or error.__cause__ or error
