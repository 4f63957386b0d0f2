"""What an OpenAI-compatible server's refusals mean, and how many new tokens they say are left."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from longbench_write.errors import (
    OPEN_FILES,
    BackendError,
    from_status,
    implied_status,
    parse_retry_after,
    shorten,
)
from longbench_write.files.faults import told as told_of_files

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection has to stand."""

_NOT_TAKEN = ("invalid", "unknown", "unsupported", "unrecognized")

_STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "invalidparameter": 400,
    "badrequesterror": 400,
    "extra_forbidden": 400,
    **dict.fromkeys((f"{how}_{what}" for how in _NOT_TAKEN for what in ("parameter", "value")), 400),
}
"""What codes and types mean, in small letters, where an error has no status of its own."""

_N = r"([0-9]{1,9})(?![0-9])"
"""A number of tokens."""

_LIMIT = r"max_?\w{0,12}tokens"
"""The limit of new tokens, under any name."""


def _patterns(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_SUMS = _patterns(
    rf"must be <= (?P<context>{_N})\. Given: (?P<prompt>{_N}) `inputs`",  # TGI, Together
    rf"(?P<prompt>{_N}) \+ [0-9]+ > (?P<context>{_N})",  # Anthropic
)
"""The context and the prompt in one."""

_CONTEXT = _patterns(
    rf"context (?:length|window|size|limit) (?:is|of) (?:only )?{_N}",  # OpenAI, Azure, vLLM, SGLang, ...
    rf"{_N} maximum context length",  # Mistral
    rf"context size \({_N} tokens\)",  # llama.cpp
)
_REQUESTED = _patterns(rf"requested (?:about |a total of )?{_N} tokens")
_OUTPUT = _patterns(rf"{_N} (?:tokens )?(?:in|for|of) the (?:completion|output)")
_PROMPT = _patterns(
    rf"{_N} (?:input tokens|tokens from the input|in (?:the|your) (?:messages|prompt|input))",
    rf"prompt contains (?:at least )?{_N} tokens",
    rf"request \({_N} tokens\)",
)
_MOST = _patterns(
    rf"supports at most {_N} completion tokens",  # OpenAI
    rf"greater than max_model_len={_N}",  # vLLM
    rf"> {_N}, which is the maximum allowed number of output tokens",  # Anthropic
    rf"{_LIMIT}[^\[\]]{{0,80}}\[ ?[0-9]+ ?, ?{_N} ?\]",  # DeepSeek, DashScope, Zhipu
    rf"{_LIMIT}.{{0,40}}?(?:less than or equal to|<=|at most|not exceed|maximum of) `?{_N}",  # Groq, ...
)
_BELOW = _patterns(rf"{_LIMIT}.{{0,90}}?\(inclusive\) to {_N} \(exclusive\)")  # Gemini

_TOO_LONG = re.compile(
    r"""
    exceed\ context\ limit | too\ large\ for\ model | maximum\ number\ of\ tokens\ allowed
    | range\ of\ input\ length | reduce\ the\ length\ of\ the\ messages | `inputs`
    | (?:prompt|输入).{0,12}超长 | prompt\ exceeds\ max\ length
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""That prompt and answer do not fit, in words that no other server has."""

_ROOM_STATUSES = (400, 413, 422)

_THOUSANDS = re.compile(r"(?<!\[[0-9])(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")


class ServerRefusalError(BackendError):
    """A response that is an error, by its status or inside a 200.

    Attributes:
        detail: All that the server said, however long.
        parameter: The parameter of the request that it names in a field of its own; None if none.
        coded: Whether the server gave a status or a code, so that `kind` does not rest on its words alone.
    """

    def __init__(
        self, error: BackendError, detail: str, parameter: str | None, *, coded: bool = True
    ) -> None:
        super().__init__(error.kind, str(error), retry_after=error.retry_after)
        self.detail = detail
        self.parameter = parameter
        self.coded = coded


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tokens_left(refusal: str) -> int | None:
    """Read from a refusal how many new tokens the request may ask for, where the server says it.

    Servers name the context's length and the prompt's, or what was requested in all and how much of it was
    the answer, or the most new tokens of a model.

    Returns:
        At least 1; None where it is not said, or where the prompt alone is too long.
    """
    text = _THOUSANDS.sub("", refusal)
    for pattern in _SUMS:
        if found := pattern.search(text):
            return _positive(int(found["context"]) - int(found["prompt"]))
    context, prompt = _number(_CONTEXT, text), _number(_PROMPT, text)
    requested, output = _number(_REQUESTED, text), _number(_OUTPUT, text)
    if requested is not None and output is not None:
        prompt = requested - output
    if context is not None and prompt is not None:
        return _positive(context - prompt)
    if (most := _number(_MOST, text)) is not None:
        return _positive(most)
    below = _number(_BELOW, text)
    return _positive(below - 1) if below else None


def context_named(refusal: str) -> int | None:
    """Read from a refusal how many tokens the model's context has; None where it does not say."""
    text = _THOUSANDS.sub("", refusal)
    found = next((match for pattern in _SUMS if (match := pattern.search(text))), None)
    return _positive(int(found["context"]) if found else _number(_CONTEXT, text) or 0)


def _number(patterns: Iterable[re.Pattern[str]], text: str) -> int | None:
    """Return the number that the first pattern which is found has."""
    return next((int(found[1]) for pattern in patterns if (found := pattern.search(text))), None)


def _positive(number: int) -> int | None:
    return number if number > 0 else None


def _inner(body: object) -> object:
    """Return the error in a body: `error` in an object, or in the first object of a list."""
    first = body[0] if isinstance(body, list) and body else body
    return mapping(first).get("error", body)


def _relayed(body: Mapping[str, Any]) -> object:
    """Return what a router was told by the server behind it, which it keeps as text; None for nothing."""
    raw = mapping(body.get("metadata")).get("raw")
    if not isinstance(raw, str) or not raw.strip():
        return None
    try:
        return _inner(json.loads(raw))
    except (ValueError, RecursionError):
        return raw


def _detail(body: object) -> str:
    """Return what the server said in an error's body, with the codes it gave."""
    if not isinstance(body, Mapping):
        return json.dumps(body) if isinstance(body, list) else str(body or "no reason given")
    message = next(
        (body[name] for name in ("message", "detail", "msg") if isinstance(body.get(name), str)), None
    )
    if message is None or "loc" in body:  # pydantic names the field there alone
        return json.dumps(body)
    if relayed := _relayed(body):
        message = f"{message}: {_detail(relayed)}"
    inner = mapping(body.get("innererror")).get("code")
    codes = [str(code) for code in (body.get("code"), body.get("type"), inner) if code]
    return f"{message} ({', '.join(codes)})" if codes else message


def inline_error(body: object) -> ServerRefusalError:
    """Turn an error object inside a 200 into a `ServerRefusalError`: by its code, otherwise by its words."""
    codes = [str(mapping(body).get(name)).casefold() for name in ("code", "type", "status")]
    numbers = [int(code) for code in codes if code.isdecimal() and 400 <= int(code) <= 599]
    numbers += [_STATUS_OF_CODE[code] for code in codes if code in _STATUS_OF_CODE]
    status = numbers[0] if numbers else implied_status(_detail(body))
    return _refusal(status, body, "(inside a 200) ", coded=bool(numbers))


def refusal(response: httpx2.Response) -> ServerRefusalError:
    """Turn a response whose status is an error, read whole, into a `ServerRefusalError`."""
    text = response.text.strip()
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = text
    wait = parse_retry_after(response.headers.get("retry-after"), response.headers.get("date"))
    return _refusal(response.status_code, _inner(body), wait=wait)


def _refusal(
    status: int, error: object, where: str = "", *, wait: float | None = None, coded: bool = True
) -> ServerRefusalError:
    detail = _detail(error)
    found = from_status(status, f"{where}{detail}", retry_after=wait)
    if found.kind == "bad_request" and status in _ROOM_STATUSES and _TOO_LONG.search(detail):
        found = BackendError("context_length", str(found), retry_after=wait)
    relayed = _relayed(mapping(error))
    named = mapping(error).get("param") or mapping(relayed).get("param")
    return ServerRefusalError(found, detail, named if isinstance(named, str) else None, coded=coded)


def explain(error: Exception, url: str) -> BackendError:
    """Turn a request without a response, or one that broke off, into a `BackendError`.

    Args:
        error: What the transport raised.
        url: The base URL, free of secrets.
    """
    import aiohttp

    cause = _transport_error(error)
    told = shorten(str(cause)) or type(cause).__name__
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        told = f"cannot reach {url}: no connection within {CONNECT_TIMEOUT:g} s (check --base-url)"
        return BackendError("timeout", told)
    if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
        return BackendError(OPEN_FILES, f"no connection to {url} could be opened: {told_of_files(cause)}")
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
