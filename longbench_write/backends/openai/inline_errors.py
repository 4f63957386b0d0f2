"""An error that stands in a response of status 200, in whatever shape a server gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from longbench_write.backends.openai.refusals import inline_error, mapping
from longbench_write.errors import BackendError

_CODES = ("code", "error_code", "errorCode", "err_code", "errcode", "status_code", "status")
_MESSAGES = ("message", "msg", "error_msg", "errorMessage", "err_msg", "errmsg", "status_msg", "detail")
_FINE = frozenset(("0", "200", "none", "", "ok", "success", "true"))
"""Codes with which servers say that nothing is wrong."""


def error_in(body: object) -> BackendError | None:
    """Return the error that a body, or an event of a stream, is or holds; None where it is an answer.

    Read are `{"error": ...}`, alone or in a list, `{"object": "error", ...}`, `{"code": ..., "msg": ...}` and
    its like, and MiniMax's `base_resp`.
    """
    if isinstance(body, list):
        return next(filter(None, map(error_in, body)), None)
    if not isinstance(body, Mapping):
        return None
    if error := body.get("error"):
        return inline_error(_innermost(error))
    if errors := body.get("errors"):
        return inline_error(_innermost(errors))
    if (base := mapping(body.get("base_resp"))) and (found := _coded(base)):
        return inline_error(found)
    if body.get("choices"):
        return None
    if body.get("object") == "error" or body.get("type") == "error":
        return inline_error(_coded(body) or body)
    if found := _coded(body):
        return inline_error(found)
    return None


def _innermost(error: object) -> object:
    """Return what an error wraps: another one, or a list of them."""
    for _ in range(5):
        if isinstance(error, list) and error:
            error = error[0]
        elif isinstance(error, Mapping) and isinstance(error.get("error"), Mapping | list):
            error = error["error"]
    return error


def _coded(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return code, type and message of an object; None where it has no code or no message."""
    code = next((body[name] for name in _CODES if isinstance(body.get(name), str | int)), None)
    message = next((body[name] for name in _MESSAGES if isinstance(body.get(name), str)), None)
    if message is None or code is None or str(code).casefold() in _FINE:
        return None
    return {"message": message, "code": code, "type": body.get("type")}
