"""Reading a judge's reply: untrusted text becomes six integers, or the reason that it does not.

The scores are the six dimensions of one JSON object that stands by itself in the reply. Whatever leaves
doubt about which object is the judge's own is no score: an object that breaks off, one inside another
(a judge that quotes the response without escaping it), or several that differ.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from longbench_write.backends.control_tokens import end_at_turn
from longbench_write.backends.reasoning import split_reasoning
from longbench_write.errors import shorten
from longbench_write.judging.planted import Planted
from longbench_write.metrics.quality import DIMENSIONS, SIX

# The `Failure.type`s of a judge that answered, but not with six scores.
INVALID_REPLY = "invalid_reply"
EMPTY_REPLY = "empty_reply"
TRUNCATED_REPLY = "truncated_reply"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """What a judge's reply says.

    Attributes:
        scores: The six dimensions in the official order, each an integer from 1 to 5; None if any is not.
        analysis: The judge's "Analysis" beside them, "" where it gave none.
        reason: Why there are no scores; "" where there are.
        kind: The `Failure.type` of that: "empty_reply", "refused", or "invalid_reply" for anything else.
    """

    scores: dict[str, int] | None
    analysis: str = ""
    reason: str = ""
    kind: str = INVALID_REPLY


def read_reply(text: str, *, response: str = "") -> JudgeReply:
    """Read a reply: JSON anywhere in the text, fenced or not, after a reasoning block or without one.

    Keys count whatever their case, white space and underscores. The time is linear in the texts' lengths.

    Args:
        text: The reply.
        response: What was judged; scores that stand in it in any spelling, with the analysis beside them, are
            quoted and never count.
    """
    answer = text if is_json(text) else end_at_turn(_without_reasoning(text))
    if not answer.strip():
        reason = "empty reply: nothing but reasoning" if text.strip() else "empty reply"
        return JudgeReply(None, reason=reason, kind=EMPTY_REPLY)
    try:
        return _choose(list(_own_objects(answer)), answer, Planted(response))
    except _UnreadableError as error:
        return JudgeReply(None, reason=str(error))


class _UnreadableError(ValueError):
    """The reply's JSON cannot be read, or not without doubt."""


class _Object(list[tuple[str, Any]]):
    """A JSON object's own keys and values, duplicates included; `source` is the text of an outermost one."""

    source = ""


class _Literal(str):
    """A number that is no small integer, as it was written."""

    __slots__ = ()


def _integer(literal: str) -> int | _Literal:
    return int(literal) if len(literal) < 10 else _Literal(literal)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=_integer, parse_float=_Literal, parse_constant=_Literal, strict=False
)
_OPENING = re.compile(r'\{\s*(?="|\Z)')
_BRACE = re.compile("[{}]")
_KEY_LENGTH = 60
_MOST_OPEN = 1000
_QUOTE = "[\"'“”‘’]"
_DIMENSION = "|".join(name.replace(" ", r"[\s_]+") for name in DIMENSIONS)
_STRAY_KEY = re.compile(rf"{_QUOTE}\s*(?:{_DIMENSION})\s*{_QUOTE}\s*[:：]", re.IGNORECASE)
_KEY_FOLLOWS = re.compile(
    rf"\s*(?:\Z|//|/\*|#|{_QUOTE}[^\n]{{0,40}}?{_QUOTE}\s*[:：]|\w+\s*[:：]|(?:analysis|{_DIMENSION})\s*[:：])",
    re.IGNORECASE,
)
"""What follows a brace that opens an object, though the object may be no JSON."""
_WRITTEN_SCORE = re.compile(r"\s*[0-9](?:\.0+)?\s*", re.ASCII)
_CUT_ESCAPE = re.compile(r"u[0-9a-fA-F]{0,4}")
_REFUSAL = re.compile(
    r"\bI(?:['’]m| am) (?:sorry|unable|not able)\b|\bI (?:cannot|can['’]t|won['’]t|must decline)\b"
    r"|\bas an AI\b|抱歉|对不起|無法|无法",
    re.IGNORECASE,
)


def is_json(text: str) -> bool:
    """Return whether the whole text is one JSON object; tags in it are then no reasoning."""
    try:
        return isinstance(_DECODER.decode(text.strip()), _Object)
    except (json.JSONDecodeError, RecursionError):
        return False


_TAG_BEGINNINGS = "<[◁"
_PRIVATE_USE = 0xE000

_MISSES = 100
"""Braces that open no object, after which none is sought any more."""


def _without_reasoning(text: str) -> str:
    """Return what follows a reply's reasoning; a tag that stands inside a JSON object is quoted there."""
    absent = (mark for mark in map(chr, range(_PRIVATE_USE, sys.maxunicode)) if mark not in text)
    hidden = dict(zip(_TAG_BEGINNINGS, absent, strict=False))
    hide, show = str.maketrans(hidden), str.maketrans({mark: tag for tag, mark in hidden.items()})
    parts, end, place, misses = [], 0, 0, 0
    while misses < _MISSES and (opening := _OPENING.search(text, place)):
        try:
            _, place = _DECODER.raw_decode(text, opening.start())
        except (json.JSONDecodeError, RecursionError):
            place, misses = opening.end(), misses + 1
            continue
        parts += [text[end : opening.start()], text[opening.start() : place].translate(hide)]
        end = place
    if not parts:
        return split_reasoning(text, truncated=True)[0]
    return split_reasoning("".join((*parts, text[end:])), truncated=True)[0].translate(show)


def _own_objects(text: str) -> Iterator[_Object]:
    """Yield the JSON objects that stand in the text by themselves, in its order; none inside another.

    Raises:
        _UnreadableError: An object breaks off or is no JSON, stands inside braces that are no JSON, or scores
            stand outside of any object.
    """
    end = 0
    braces = _Braces()
    while opening := _OPENING.search(text, end):
        braces.read(text[end : opening.start()])
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except json.JSONDecodeError as error:
            raise _UnreadableError(_describe(error)) from None
        except RecursionError:
            raise _UnreadableError("malformed JSON: nested too deeply") from None
        braces.pass_object()
        value.source = text[opening.start() : end]
        yield value
    braces.read(text[end:])


class _Braces:
    """The braces of the prose around objects: whether one of them, opened before an object, surrounds it.

    A brace in prose is text. One that is closed behind the object surrounds it, and so does one that a key, a
    comment or nothing follows: that is an object which is no JSON, and what stands in it may be quoted.
    """

    def __init__(self) -> None:
        self._open: list[str] = []
        self._passed = 0

    def read(self, prose: str) -> None:
        """Read the text between two objects.

        Raises:
            _UnreadableError: It closes a brace that surrounds an object, has scores of its own, or leaves
                more braces open than any prose does.
        """
        if stray := _STRAY_KEY.search(prose):
            raise _UnreadableError(
                f"malformed JSON: {shorten(stray[0], 40)} stands outside of any JSON object"
            )
        for brace in _BRACE.finditer(prose):
            if brace[0] == "{":
                if len(self._open) == _MOST_OPEN:
                    raise _UnreadableError(f"malformed JSON: {_MOST_OPEN} braces that nothing closes")
                self._open.append(prose[brace.end() : brace.end() + _KEY_LENGTH])
            elif self._open:
                self._open.pop()
                if len(self._open) < self._passed:
                    raise _UnreadableError("malformed JSON: an object inside braces that are no JSON")

    def pass_object(self) -> None:
        """Note that an object stands here.

        Raises:
            _UnreadableError: An open brace begins an object that is no JSON.
        """
        if any(_KEY_FOLLOWS.match(rest) for rest in self._open[self._passed :]):
            raise _UnreadableError("malformed JSON: an object inside braces that are no JSON")
        self._passed = len(self._open)


def _describe(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].rstrip()
    if error.msg.startswith("Unterminated string") or not rest or _CUT_ESCAPE.fullmatch(rest):
        return f"truncated JSON: it breaks off after {len(error.doc)} characters"
    near = shorten(rest[:40])
    return f"malformed JSON: {error.msg.lower()} at character {error.pos}, near {near}"


def _choose(objects: list[_Object], answer: str, planted: Planted) -> JudgeReply:
    """Return the reply that the objects with keys of the judge's own format agree on."""
    formed = [found for found in objects if not _values(found).keys().isdisjoint((_ANALYSIS, *_NAMES))]
    replies = [(found, _rate(found)) for found in formed]
    own = [reply for found, reply in replies if not planted.holds(found.source, reply.scores, reply.analysis)]
    if formed and not own:
        return JudgeReply(None, reason="quoted: the only scores are an object that stands in the response")
    if not own:
        return _without_scores(bool(objects), answer)
    if len({_comparable(reply) for reply in own}) > 1:
        return JudgeReply(None, reason=f"ambiguous: {len(own)} JSON objects with scores that differ")
    return own[0]


def _comparable(reply: JudgeReply) -> tuple[object, ...]:
    return tuple(reply.scores.values()) if reply.scores else (reply.reason,)


def _without_scores(has_objects: bool, answer: str) -> JudgeReply:
    if has_objects:
        return JudgeReply(
            None, reason="no scores: no JSON object has any of the six dimensions as its own key"
        )
    told = shorten(answer[:1000], 120)
    if _REFUSAL.search(answer):
        return JudgeReply(None, reason=f"refused: {told}", kind=REFUSED)
    return JudgeReply(None, reason=f"no JSON: {told}")


def _fold(key: str) -> str:
    return re.sub(r"[\s_]+", "", key).casefold()


_NAMES = {_fold(name): name for name in DIMENSIONS}
_ANALYSIS = "analysis"


def _values(found: _Object) -> dict[str, list[Any]]:
    """Return the values of each key, the keys folded."""
    values: dict[str, list[Any]] = {}
    for key, value in found:
        values.setdefault(_fold(key), []).append(value)
    return values


def _rate(found: _Object) -> JudgeReply:
    """Return the scores of one object, or what is wrong with each of its dimensions."""
    values = _values(found)
    analysis = next((value for value in values.get(_ANALYSIS, ()) if type(value) is str), "")
    wrong = [fault for folded, name in _NAMES.items() if (fault := _fault(name, values.get(folded, [])))]
    if wrong:
        return JudgeReply(None, analysis, "; ".join(wrong))
    scores = {name: _score(values[folded][0]) for folded, name in _NAMES.items()}
    return JudgeReply({name: score for name, score in scores.items() if score is not None}, analysis)


def _fault(name: str, given: list[Any]) -> str:
    """Return what is wrong with the values given for a dimension; "" if nothing is."""
    if not given:
        return f"{name} is missing"
    for value in given:
        if _score(value) is None:
            return f"{name} is {_show(value)}, not an integer from {SIX.low} to {SIX.high}"
    if len({_score(value) for value in given}) > 1:
        other = next(value for value in given if _score(value) != _score(given[0]))
        return f"{name} is given as {_show(given[0])} and as {_show(other)}"
    return ""


def _score(value: Any) -> int | None:
    """Return the score that a value is, be it 4, 4.0, "4" or "4.0"; None where it is none."""
    if type(value) is str and not _WRITTEN_SCORE.fullmatch(value):
        return None
    if type(value) not in (int, str, _Literal):
        return None
    number = float(value)
    return int(number) if number in SIX.scale else None


def _show(value: Any) -> str:
    """Return a value that is no score, as the reply wrote it, short."""
    if isinstance(value, _Object):
        return "an object"
    if isinstance(value, list):
        return "a list"
    shown = value if type(value) is _Literal else json.dumps(value, ensure_ascii=False)
    return shorten(shown[:100], 40)
