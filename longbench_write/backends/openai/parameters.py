"""The JSON body of a chat request, and what becomes of a parameter in it that a server refuses.

A parameter that changes no number is answered once for the run by what the server asks for; one that does is
the user's to leave out: the run stops and names the option.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from longbench_write.backends.base import BackendSpec, Message, Sampling, merged
from longbench_write.backends.openai.reply import repair_surrogates

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_new_tokens")
"""Names of the limit of new tokens."""

_HARMLESS = ("stream_options", "stream")
"""Parameters that are left out where a server refuses them: they change no number."""

_OPTIONS = {
    "seed": "--seed none",
    "temperature": "--temperature default",
    "response_format": "a judge whose card has reply_format: text",
    "reasoning_effort": "a judge whose card has no reasoning_effort",
}
"""What leaves a parameter out."""

_NOT_OURS = frozenset({"model", "messages"})
"""Parameters without which there is no request."""

_REFUSED = re.compile(
    r"""
    unsupported | not\s+(?:be\s+)?(?:supported|permitted|allowed|accepted|recogni[sz]ed|available|known)
    | (?:does|do|is)\s+not\s+(?:support|accept|allow|recogni[sz]e|exist) | (?:doesn't|don't)\s+support
    | unknown | unrecogni[sz]ed | unexpected | cannot\s+find\s+field | no\s+such\s+(?:field|parameter)
    | extra_forbidden | extra\s+(?:inputs|fields)\s+(?:are\s+)?not | additional\s+propert | deprecated
    | invalid\s+(?:parameter|argument|field)(?:\s+name)? | cannot\s+be\s+(?:set|used|specified)
    | only\s+the\s+default | must\s+not\s+be | remove\s+the\s+parameter | 不支持 | 未知
    """,
    re.VERBOSE | re.IGNORECASE,
)


def request_body(spec: BackendSpec, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
    """Make the JSON body of one chat request; what is None is left out."""
    response_format: dict[str, Any] | None = {"type": "json_object"} if sampling.json_object else None
    if sampling.json_schema is not None:
        schema = {"name": "reply", "strict": True, "schema": sampling.json_schema}
        response_format = {"type": "json_schema", "json_schema": schema}
    body = {
        "model": spec.model,
        "messages": [
            {"role": message["role"], "content": repair_surrogates(message["content"])}
            for message in messages
        ],
        limit_name(spec): sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "reasoning_effort": sampling.reasoning_effort,
        "response_format": response_format,
        "stream": True if spec.stream else None,
        "stream_options": {"include_usage": True} if spec.stream else None,
    }
    known = {name: value for name, value in body.items() if value is not None}
    return merged(merged(known, sampling.extra), spec.extra_body)


def limit_name(spec: BackendSpec) -> str:
    """Return the name under which the limit of new tokens is sent."""
    return spec.max_tokens_field or ("max_completion_tokens" if spec.max_completion_tokens else "max_tokens")


def limit_of(body: Mapping[str, Any]) -> int | None:
    """Return how many new tokens a request's body asks for, under whatever name; None for no limit."""
    limits = [body[name] for name in LIMITS if type(body.get(name)) is int]
    return min(limits, default=None)


def refused_parameter(
    detail: str, named: str | None, body: Mapping[str, Any], *, quoted: bool = False
) -> str | None:
    """Find the parameter of a request that a server refuses.

    Args:
        detail: What the server said, whole.
        named: The parameter that its error names in a field of its own, if it does.
        body: What was sent.
        quoted: Whether a name counts in quotation marks alone, as in words that nothing marks as a refusal:
            "unknown error in the stream" is about no parameter.

    Returns:
        A key of `body`; None where the refusal is about something else.
    """
    path = re.split(r"[.\[]", named or "")[0]
    sent = [name for name in body if name not in _NOT_OURS]
    if path in sent and (path not in LIMITS or _REFUSED.search(detail)):
        return path
    if not _REFUSED.search(detail):
        return None
    places = {name: _place(name, detail, quoted=quoted) for name in sent}
    found = {name: place for name, place in places.items() if place is not None}
    return min(found, key=lambda name: found[name]) if found else None


def _place(name: str, text: str, *, quoted: bool = False) -> int | None:
    """Return where a text names a parameter first: as it is, or in the camelCase of Google's errors."""
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
    before, behind = ("(?<=[\"'`])", "(?=[\"'`])") if quoted else (r"(?<![\w-])", r"(?![\w-])")
    found = re.search(f"{before}(?:{re.escape(name)}|{re.escape(camel)}){behind}", text)
    return found.start() if found else None


class Adjustments:
    """What a run leaves out of its requests, or renames in them, since a server has refused it.

    Args:
        note: Told of each, once.
        known: Those of an earlier session of the run. They hold until a server refuses what they made of a
            parameter, as another one may be asked now.

    Attributes:
        made: By the parameter's name: what is sent in its place, or "left out".
    """

    def __init__(self, note: Callable[[str], None], known: Mapping[str, str] | None = None) -> None:
        self.made: dict[str, str] = dict(known or {})
        self._known = set(self.made)
        self._note = note

    def apply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body as it is sent."""
        sent = {}
        for name, value in body.items():
            becomes = self.made.get(name, name)
            if becomes != LEFT_OUT:
                sent[becomes] = value
        return sent

    def answer(
        self, parameter: str, detail: str, *, wanted: Mapping[str, Any], sent: Mapping[str, Any]
    ) -> bool:
        """Answer a refusal by what changes no number.

        Args:
            parameter: The one that is refused.
            detail: What the server said.
            wanted: The request before anything was left out or renamed.
            sent: What was sent of it; another request may have had its refusal answered in the meantime.

        Returns:
            Whether there is an answer, so that the request is worth sending again.
        """
        if self.apply(wanted).keys() != sent.keys():
            return True
        if parameter in _HARMLESS:
            self._make(parameter, LEFT_OUT)
            if parameter == "stream" and "stream_options" not in self.made:
                self._make("stream_options", LEFT_OUT)
            return True
        if parameter not in LIMITS:
            return False
        if outdated := [name for name in self._known if self.made[name] == parameter]:
            for name in outdated:
                self._known.remove(name)
                del self.made[name]
            return True
        if parameter in self.made.values():
            return False
        others = [name for name in LIMITS if name != parameter]
        asked_for = [name for name in others if _place(name, detail) is not None]
        self._make(parameter, asked_for[0] if asked_for else others[0])
        return True

    def _make(self, parameter: str, becomes: str) -> None:
        self.made[parameter] = becomes
        how = "it is left out" if becomes == LEFT_OUT else f"{becomes} is sent in its place"
        self._note(f"the server refuses {parameter}: {how}, for the whole run; no number changes")


LEFT_OUT = "left out"
"""What `Adjustments.made` says of a parameter that is not sent."""


def leaving_out(parameter: str, spec: BackendSpec, sampling: Sampling) -> str:
    """Return what the user does so that a parameter is not sent, in one clause."""
    if parameter in LIMITS:
        return "name the field that the server has for it with --max-tokens-field"
    for place, fields in (("--extra-body", spec.extra_body), ("--gen", sampling.extra)):
        if parameter in fields:
            return f"take {parameter} out of {place}"
    option = _OPTIONS.get(parameter)
    return f"{option} leaves it out" if option else f"nothing here leaves {parameter} out"
