"""Control tokens that stand as text in an answer: where one ends the model's turn, the answer has ended."""

from __future__ import annotations

import re

TURN_ENDS = (
    *("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|end_of_text|>", "<|endoftext|>", "<|end|>"),
    *("<|return|>", "<|endofturn|>", "<|end_of_turn|>", "<end_of_turn>", "<turn|>", "<|END_OF_TURN_TOKEN|>"),
    *("<|user|>", "<|observation|>", "<|role_end|>", "<｜end▁of▁sentence｜>"),
)
"""Ends of a turn: none of them is anything else anywhere."""

_BEGINNINGS = ("<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|turn>", "<｜User｜>")
"""Beginnings of another turn, behind a text."""

_TURN_END = re.compile("|".join(map(re.escape, TURN_ENDS)))
_NEXT_TURN = re.compile("|".join(map(re.escape, _BEGINNINGS)))
_TEXT_END = re.compile(r"(?:\s*(?:</s>|<eos>|<\|eos\|>|\[EOS\]|<pad>|<\|pad\|>))+\s*\Z")
"""Ends of a text that are also tags of other languages: in the middle of an answer they are text."""

_ANY = re.compile(f"{_TURN_END.pattern}|{_NEXT_TURN.pattern}")

_TAIL = 1000
"""Characters at the end of a text in which its last control tokens are sought."""


def end_at_turn(text: str) -> str:
    """Return an answer up to the control token that ends it; the same object where none does."""
    end = _end(text)
    return text if end is None else text[: end.start()]


def without_control_tokens(text: str) -> str:
    """Return a text without the ends and beginnings of turns in it, of which each was one token."""
    return _ANY.sub(" ", text) if "<" in text else text


def ending_token(text: str) -> str | None:
    """Return the control token at which an answer ends, as its text has it; None where it ends at none."""
    end = _end(text)
    return None if end is None else end[0].split()[0]


def _end(text: str) -> re.Match[str] | None:
    if "<" not in text and "[" not in text:
        return None
    found = [match for tokens in (_TURN_END, _NEXT_TURN) if (match := tokens.search(text))]
    first = min(found, key=lambda match: match.start(), default=None)
    if first and (first.re is _TURN_END or text[: first.start()].strip()):
        return first
    return _TEXT_END.search(text, max(0, len(text) - _TAIL))
