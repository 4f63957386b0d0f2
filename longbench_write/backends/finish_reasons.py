"""What a finish reason says of an answer: the one table of the words that servers and engines use.

An answer that was stopped or cut off by a limit is an answer. One that a content filter ended is that
failure. Whatever else a server says (an abort, an error, a word that no table knows) is no answer, and is
retried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from longbench_write.errors import BackendError, shorten

STOP = "stop"
LENGTH = "length"
UNKNOWN = "unknown"
"""What a whole answer has whose server gave no finish reason at all."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOPS = _words(
    """
    stop stopped stop_sequence stop_string stop_token eos eos_token end end_turn end_of_turn end_of_text
    complete completed finish finished done
    """
)
_LENGTHS = _words(
    """
    length max_length max_tokens max_new_tokens max_output_tokens max_completion_tokens limit length_limit
    token_limit model_length context_length context_length_exceeded model_context_window_exceeded
    """
)
_FILTERS = _words(
    """
    content_filter content_filtered content_policy_violation data_inspection_failed filtered safety
    image_safety blocklist prohibited_content recitation spii model_armor sensitive moderation
    guardrail_intervened refusal error_toxic
    """
)
_NO_ANSWERS = _words(
    """
    abort aborted cancel cancelled canceled user_cancel error error_limit failed timeout network_error
    server_error internal_error insufficient_system_resource incomplete other unknown
    finish_reason_unspecified tool_call tool_calls tool_use function_call malformed_function_call
    unexpected_tool_call pause_turn
    """
)
_UNSAID = frozenset(("", "null", "none", "nil", "undefined"))
"""Words of servers that write a null as a text: the answer has not ended."""

_FIRST = 3
"""Answers of which all end with one unknown word, before any other, that stop a run."""

NO_WORDS: Mapping[str, str] = MappingProxyType({})


def fold(word: str) -> str:
    """Return a finish reason as the table has it: in small letters, words joined by underscores."""
    return re.sub(r"[\s\-.]+", "_", word.strip()).casefold()


def said(value: object) -> str | None:
    """Return the finish reason that a server's field holds; None where it says that there is none yet."""
    return value if isinstance(value, str) and fold(value) not in _UNSAID else None


def is_truncated(word: str | None) -> bool:
    """Return whether an answer of this finish reason was cut off by a limit of tokens."""
    return word is not None and fold(word) in _LENGTHS


class FinishReasons:
    """Reads the finish reasons of one model's answers.

    Args:
        given: What words mean that the user says the meaning of: "stop" or "length".
    """

    def __init__(self, given: Mapping[str, str] = NO_WORDS) -> None:
        self._given = {fold(word): meaning for word, meaning in given.items()}
        self._first: list[str] = []

    def read(self, word: str | None) -> str:
        """Return "stop" or "length", or "unknown" where the server said nothing.

        Raises:
            BackendError: It is no answer. The kind is "content_filter" where a filter ended it,
                "bad_response" where it may be retried, and "finish_reason" where all of the first answers
                ended with one word that nobody knows, so that asking again cannot help.
        """
        if word is None:
            return self._known(UNKNOWN)
        folded = fold(word)
        if meaning := self._given.get(folded):
            return self._known(meaning)
        if folded in _STOPS:
            return self._known(STOP)
        if folded in _LENGTHS:
            return self._known(LENGTH)
        shown = shorten(word, 40)
        if folded in _FILTERS:
            told = f"the server's content filter ended the answer (finish reason {shown!r})"
            raise BackendError("content_filter", told)
        if len(self._first) < _FIRST:
            self._first.append("" if folded in _NO_ANSWERS else folded)
        if self._first == [folded] * _FIRST:
            raise BackendError(
                "finish_reason",
                f"every answer so far ended with the finish reason {shown!r}, which is not known: say "
                f"with --finish-reason {shown}=stop that it ends a whole answer, or with ={LENGTH} that "
                "a limit did",
            )
        raise BackendError("bad_response", f"the answer is not whole: its finish reason is {shown!r}")

    def _known(self, meaning: str) -> str:
        """Note that there was an answer: words that nobody knows are then no matter of the first ones."""
        self._first = [""] * _FIRST
        return meaning
