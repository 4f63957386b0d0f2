"""What an OpenAI-compatible server answered, put together from its pieces, or why it is no answer.

One answer was asked for, and no tool was offered: a second answer that is spliced into a stream, text in two
choices, a tool call, or tokens that are billed though nothing was written are no answer, and are retried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from longbench_write.backends.base import Completion, Meter, Usage
from longbench_write.backends.finish_reasons import LENGTH, FinishReasons, said
from longbench_write.backends.openai.answered_by import is_cached, is_fallback
from longbench_write.backends.openai.deltas import StreamedText
from longbench_write.backends.openai.inline_errors import error_in
from longbench_write.backends.openai.overrun import REASONING, Overrun
from longbench_write.backends.openai.refusals import inline_error, mapping
from longbench_write.errors import BackendError, shorten

_TEXTS = {
    "content": "content",
    "reasoning_content": "reasoning",
    "reasoning": "reasoning",
    "refusal": "refusal",
}
"""What a message's fields contain. Some servers send reasoning under both names; it counts once."""

_PARTS = {
    **dict.fromkeys(("text", "output_text"), "content"),
    **dict.fromkeys(("thinking", "reasoning", "reasoning_text", "summary_text"), "reasoning"),
    "refusal": "refusal",
}
"""What the parts of a content that is a list contain, by their type."""

_TOOLS = ("tool_calls", "function_call")

_NOTHING = object()
"""What no server says."""

_TWO_CHOICES = "the server wrote in two choices, and one was asked for"

_ERRORS = frozenset(("error", "errors", "base_resp"))
"""Keys of a frame with choices under which an error may stand."""

_SERVED = ("model", "provider", "system_fingerprint")
"""What a frame says of who answers; the first frame of a stream decides."""

_HARDLY_A_TOKEN = 8
"""Tokens that an answer without any text may have: an end of turn, or a template's own."""

_MOST_TOKENS = 10**8
"""More tokens than any model has room for: such a number counts something else."""


class ChatResponse:
    """Collects an answer, streamed or whole, and refuses what is none.

    Args:
        meter: Told how many pieces of text come.
        reasons: What the server's finish reasons mean.
        limit: New tokens that were asked for.

    Attributes:
        finish_reason: The server's own word, "" as long as it has given none.
        pieces: Pieces with text so far, and the finish reason.
        past_limit: Whether a stream writes on past the limit, so that no more of it need be read.
    """

    def __init__(self, meter: Meter, reasons: FinishReasons | None = None, limit: int | None = None) -> None:
        self.finish_reason = ""
        self.pieces = 0
        self.past_limit = False
        self._limit = limit
        self._meter = meter
        self._reasons = reasons or FinishReasons()
        self._texts = {name: StreamedText() for name in ("content", "reasoning", "refusal")}
        self._overruns = {
            "content": Overrun(limit),
            "reasoning": Overrun(None if limit is None else limit + REASONING),
        }
        self._only = _OneAnswer()
        self._usage: Mapping[str, Any] = {}
        self._served: dict[str, str | None] = {}
        self._by_gateway: dict[str, bool] = {}
        self._whole = False

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Take what a gateway says of who answered."""
        self._by_gateway = {"fallback": is_fallback(headers), "cache_hit": is_cached(headers)}

    def add_chunks(self, chunks: Iterable[object]) -> None:
        """Add streamed chunks; what came together is kept as one piece, not as one a token.

        Raises:
            BackendError: A chunk is an error, or shows that this is not one answer.
        """
        before = self.pieces
        try:
            for chunk in chunks:
                choice = self._add_frame(chunk)
                if choice is not None:
                    self._add_delta(choice)
        finally:
            self._meter.pieces += self.pieces - before
            for text in self._texts.values():
                text.join()
        for name, overrun in self._overruns.items():
            if not self.finish_reason and overrun.has_passed(self._texts[name]):
                self.past_limit, self.finish_reason = True, LENGTH

    def add_message(self, body: object) -> None:
        """Add a whole, unstreamed answer.

        Raises:
            BackendError: It is an error, or not one answer.
        """
        choice = self._add_frame(body)
        if choice is None:
            raise BackendError("bad_response", "the server's answer has no choices")
        self._add_text(mapping(choice.get("message")))
        self._end_with(choice)
        self._whole = True

    def end(self) -> None:
        """Note that a stream has said that it is whole; a finish reason that has not come will not."""
        self._whole = self._whole or bool(self._texts["content"].text or self._texts["refusal"].text)

    def completion(self, seconds: float, attempts: int) -> Completion:
        """Return what was collected as a completion.

        Args:
            seconds: That the request took.
            attempts: Requests that were needed.

        Raises:
            BackendError: The answer is not whole, or a filter ended it.
        """
        if not (self.finish_reason or self._whole):
            raise BackendError("bad_response", "the stream ended before the answer did (no finish_reason)")
        ended = self._reasons.read(self.finish_reason or None)
        text, reasoning, refusal = (repair_surrogates(part.text) for part in self._texts.values())
        usage = read_usage(self._usage)
        written = (usage.completion_tokens or 0) - (usage.reasoning_tokens or 0)
        if not (text or refusal or reasoning) and written > _HARDLY_A_TOKEN:
            raise BackendError("bad_response", f"the server counts {written} tokens, and sent no text")
        return Completion(
            text or refusal,
            reasoning,
            ended,
            usage,
            seconds,
            attempts,
            max_tokens=self._limit,
            past_limit=self.past_limit,
            model_served=self._served.get("model"),
            provider=self._served.get("provider"),
            system_fingerprint=self._served.get("system_fingerprint"),
            fallback=self._by_gateway.get("fallback", False),
            cache_hit=self._by_gateway.get("cache_hit", False),
        )

    def _add_frame(self, body: object) -> Mapping[str, Any] | None:
        """Take in what chunks and whole answers share; return the choice that was asked for."""
        if not _is_ordinary(body) and (error := error_in(body)):
            if self.finish_reason:  # what goes wrong behind the answer's end takes nothing from it
                return None
            raise error
        if not isinstance(body, dict):
            told = f"the server's answer is no JSON object: {shorten(str(body), 80)} (check --base-url)"
            raise BackendError("bad_response", told)
        if usage := body.get("usage"):
            self._usage = mapping(usage) or self._usage
        if not self._served:
            self._served = {name: _text(body.get(name)) for name in _SERVED}
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices:
            return None
        if (found := body.get("id")) != self._only.settled_id:
            self._only.check_id(found)
        choice = mapping(choices[0] if len(choices) == 1 else _chosen(choices))
        if error := choice.get("error"):
            raise inline_error(error)
        return choice

    def _add_delta(self, choice: Mapping[str, Any]) -> None:
        delta = mapping(choice.get("delta"))
        before = self.pieces
        self._add_text(delta)
        index, role = choice.get("index"), delta.get("role")
        if role is not None or index != self._only.settled_index:
            self._only.check_delta(index, role, self.pieces > before, bool(self.finish_reason))
        self._end_with(choice)

    def _end_with(self, choice: Mapping[str, Any]) -> None:
        finish = choice.get("finish_reason")
        if finish is not None and (word := said(finish)) is not None:
            self.finish_reason = word
            self.pieces += 1

    def _add_text(self, message: Mapping[str, Any]) -> None:
        """Add the text of a message, or of a part of one."""
        for field, piece in message.items():
            if not piece:
                continue
            name = _TEXTS.get(field)
            if name is None:
                if field in _TOOLS:
                    told = "the server answered with a tool call, and no tool was offered"
                    raise BackendError("bad_response", told)
            elif field == "reasoning" and message.get("reasoning_content"):
                continue
            elif isinstance(piece, str):
                self._add_piece(name, piece)
            else:
                self._add_parts(name, piece)

    def _add_parts(self, name: str, value: object) -> None:
        """Add the text of a content that is no text but a list of parts, or one of these."""
        if isinstance(value, str):
            if value:
                self._add_piece(name, value)
        elif isinstance(value, list):
            for part in value:
                self._add_parts(name, part)
        else:
            part = mapping(value)
            kind = part.get("type", "text")
            inner = _PARTS.get(kind) if isinstance(kind, str) else None
            keys = [key for key in (kind, "text", "value") if part.get(key) is not None] if inner else []
            if inner is None or not keys:
                raise BackendError("bad_response", f"the server's answer has a {name} that is no text")
            self._add_parts(name if inner == "content" else inner, part[keys[0]])

    def _add_piece(self, name: str, piece: str) -> None:
        self._texts[name].add(piece)
        self.pieces += 1
        if name in self._overruns:
            self._overruns[name].add()


class _OneAnswer:
    """Refuses a stream into which more than one answer was spliced.

    Some servers count the choice's index up, or make a new id, from chunk to chunk; some repeat the role in
    each. So what changes must change from each chunk to the next, and what comes again must have come always.

    Attributes:
        settled_id: The id that frames need no check for, as almost all of a stream's have it.
        settled_index: The index that deltas without a role need none for.
    """

    def __init__(self) -> None:
        self.settled_id: object = _NOTHING
        self.settled_index: object = _NOTHING
        self._id: str | None = None
        self._ids = 0
        self._id_repeated = False
        self._index: object = None
        self._indexes = 0
        self._index_repeated = False
        self._without_role = False
        self._role_again = False

    def check_id(self, found: object) -> None:
        """Check the id of a frame.

        Raises:
            BackendError: It is that of another answer.
        """
        if not isinstance(found, str) or not found:
            return
        if found == self._id:
            self._id_repeated = True
        else:
            self._id, self._ids = found, self._ids + 1
        if self._id_repeated and self._ids > 1:
            raise BackendError("bad_response", "the stream has a second answer in it, with an id of its own")
        self.settled_id = found if self._id_repeated else _NOTHING

    def check_delta(self, index: object, role: object, has_text: bool, ended: bool) -> None:
        """Check what a delta says of where it belongs.

        Args:
            index: Of its choice.
            role: Who speaks, where it says so.
            has_text: Whether any text came with it.
            ended: Whether the answer had ended before.

        Raises:
            BackendError: It belongs to another answer.
        """
        if isinstance(role, str) and role:
            self._role_again = self._role_again or self._without_role
            self.settled_index = _NOTHING
        elif has_text:
            self._without_role = True
        if not has_text:
            return
        if self._role_again:
            raise BackendError("bad_response", "the stream has a second answer in it, with a role of its own")
        if index == self._index:
            self._index_repeated = True
        else:
            counts_up = isinstance(index, int) and isinstance(self._index, int) and index > self._index
            if self._indexes and (ended or not counts_up):
                raise BackendError("bad_response", _TWO_CHOICES)
            self._index, self._indexes = index, self._indexes + 1
        if self._index_repeated and self._indexes > 1:
            raise BackendError("bad_response", _TWO_CHOICES)
        if self._index_repeated and self._without_role:
            self.settled_index = index


def _is_ordinary(body: object) -> bool:
    """Return whether a frame is one of choices in which no error can stand."""
    return isinstance(body, dict) and bool(body.get("choices")) and _ERRORS.isdisjoint(body)


def _chosen(choices: list[Any]) -> object:
    """Return the one choice of several that has a text, or the first.

    Raises:
        BackendError: Several have.
    """
    written = [each for each in map(mapping, choices) if _has_text(each)]
    if len(written) > 1:
        raise BackendError("bad_response", _TWO_CHOICES)
    return written[0] if written else choices[0]


def _has_text(choice: Mapping[str, Any]) -> bool:
    message = mapping(choice.get("message")) or mapping(choice.get("delta"))
    return any(message.get(field) for field in _TEXTS)


def _text(value: object) -> str | None:
    return repair_surrogates(value) if isinstance(value, str) and value else None


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Return the tokens that a server counted; none of them where one of the numbers cannot be."""
    asked, spent = (mapping(usage.get(f"{name}_tokens_details")) for name in ("prompt", "completion"))
    numbers = (
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        spent.get("reasoning_tokens"),
        asked.get("cached_tokens"),
    )
    counts = [_count(number) for number in numbers if number is not None]
    if None in counts:
        return Usage()
    return Usage(*(_count(number) for number in numbers))


def _count(value: object) -> int | None:
    """Return a number of tokens; None where it is none: negative, absurd, not whole, no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_TOKENS:
        return None
    return int(value) if value == int(value) else None


def repair_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, so that UTF-8 can encode the text."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
