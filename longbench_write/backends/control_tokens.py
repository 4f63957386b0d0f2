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

_TAIL = 1000
"""Characters at the end of a text in which its last control tokens are sought."""


def end_at_turn(text: str) -> str:
    """Return an answer up to the control token that ends it; the same object where none does."""
    if "<" not in text and "[" not in text:
        return text
    places = [found.start() for tokens in (_TURN_END, _NEXT_TURN) if (found := tokens.search(text))]
    if places and (_TURN_END.match(text, min(places)) or text[: min(places)].strip()):
        return text[: min(places)]
    last = _TEXT_END.search(text, max(0, len(text) - _TAIL))
    return text[: last.start()] if last else text
