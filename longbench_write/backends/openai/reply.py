"""What an OpenAI-compatible server answered, put together from its pieces, or why it is no answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from longbench_write.backends.base import Completion, Meter, Usage
from longbench_write.backends.openai.refusals import inline_error, mapping
from longbench_write.errors import BackendError, shorten

_TEXTS = {
    "content": "content",
    "reasoning_content": "reasoning",
    "reasoning": "reasoning",
    "refusal": "refusal",
}
"""What a message's fields contain. Some servers send reasoning under both names; it counts once."""

_SERVED = ("model", "provider", "system_fingerprint")
"""What a frame says of who answers; the first frame of a stream decides."""


class ChatResponse:
    """Collects an answer, streamed or whole, and refuses what is none."""

    def __init__(self, meter: Meter) -> None:
        self.finish_reason = ""
        self._meter = meter
        self._new: dict[str, list[str]] = {"content": [], "reasoning": [], "refusal": []}
        self._parts: dict[str, list[str]] = {name: [] for name in self._new}
        self._usage: Mapping[str, Any] = {}
        self._served: dict[str, str | None] = {}

    def add_chunks(self, chunks: Iterable[object]) -> None:
        """Add streamed chunks; what came together is kept as one piece, not as one a token."""
        for chunk in chunks:
            choice = self._add_frame(chunk)
            if choice is not None:
                self._add_text(mapping(choice.get("delta")))
        self._join()

    def add_message(self, body: object) -> None:
        """Add a whole, unstreamed answer."""
        choice = self._add_frame(body)
        if choice is None:
            raise BackendError("bad_response", "the server's answer has no choices")
        self._add_text(mapping(choice.get("message")))
        self._join()
        self.finish_reason = self.finish_reason or "unknown"

    def completion(self, seconds: float, attempts: int) -> Completion:
        """Return what was collected as a completion.

        Raises:
            BackendError: The stream ended too soon, or a filter ended the answer.
        """
        if not self.finish_reason:
            raise BackendError("bad_response", "the stream ended before the answer did (no finish_reason)")
        if self.finish_reason == "content_filter":
            raise BackendError("content_filter", "the server's content filter ended the answer")
        text, reasoning, refusal = (repair_surrogates("".join(part)) for part in self._parts.values())
        asked, spent = (
            mapping(self._usage.get(f"{name}_tokens_details")) for name in ("prompt", "completion")
        )
        usage = Usage(
            _count(self._usage.get("prompt_tokens")),
            _count(self._usage.get("completion_tokens")),
            _count(spent.get("reasoning_tokens")),
            _count(asked.get("cached_tokens")),
        )
        spent_all = usage.completion_tokens if self.finish_reason == "length" else None
        return Completion(
            text or refusal,
            reasoning,
            self.finish_reason,
            usage,
            seconds,
            attempts,
            max_tokens=spent_all,
            model_served=self._served.get("model"),
            provider=self._served.get("provider"),
            system_fingerprint=self._served.get("system_fingerprint"),
        )

    def _add_frame(self, body: object) -> Mapping[str, Any] | None:
        """Take in what chunks and whole answers share; return the first choice."""
        if not isinstance(body, dict):
            told = f"the server's answer is no JSON object: {shorten(str(body), 80)} (check --base-url)"
            raise BackendError("bad_response", told)
        if error := body.get("error"):
            raise inline_error(error)
        if usage := body.get("usage"):
            self._usage = mapping(usage) or self._usage
        if not self._served:
            self._served = {name: _text(body.get(name)) for name in _SERVED}
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices:
            return None
        choice = mapping(choices[0])
        finish = choice.get("finish_reason")
        if isinstance(finish, str):
            self.finish_reason = finish
        return choice

    def _add_text(self, message: Mapping[str, Any]) -> None:
        for field, piece in message.items():
            name = _TEXTS.get(field)
            if name is None or piece is None:
                continue
            if not isinstance(piece, str):
                raise BackendError("bad_response", f"the server's answer has a {name} that is no text")
            if piece and not (field == "reasoning" and message.get("reasoning_content")):
                self._new[name].append(piece)
                self._meter.pieces += 1

    def _join(self) -> None:
        for name, pieces in self._new.items():
            if pieces:
                self._parts[name].append("".join(pieces))
                pieces.clear()


def _text(value: object) -> str | None:
    return repair_surrogates(value) if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def repair_surrogates(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, so that UTF-8 can encode the text."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
