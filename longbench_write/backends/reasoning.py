"""Parting a reasoning model's thoughts, in `<think>` tags, from its response."""

from __future__ import annotations

import re

_TAG = re.compile(r"</?think>")


def split_reasoning(text: str, *, truncated: bool) -> tuple[str, str]:
    """Part a completion into response and reasoning.

    - `<think>...</think>` is reasoning wherever it stands; blocks do not nest, the first `</think>` closes.
    - `</think>` before any `<think>` closes a block that the chat template opened: all before it is
      reasoning.
    - An unclosed `<think>` with nothing but white space or reasoning before it makes the rest reasoning and
      the response empty. Elsewhere it does so to the rest only if the text is truncated; else it is text.
    - White space around reasoning that opens the text is in neither part.

    Args:
        text: The completion as the server gave it.
        truncated: Whether it was cut off by the limit of new tokens.

    Returns:
        Response (the same object as `text` where there is no reasoning) and reasoning, without tags, the
        blocks joined by a blank line.
    """
    kept: list[str] = []
    thoughts: list[str] = []
    done = 0
    block: re.Match[str] | None = None
    opened_before = False
    for tag in _TAG.finditer(text):
        if tag[0] == "<think>":
            block = block or tag
            opened_before = True
        elif block or not opened_before:
            kept.append(text[done : block.start() if block else done])
            thoughts.append(text[block.end() if block else done : tag.start()])
            done, block = tag.end(), None
    if block:
        before = text[done : block.start()]
        if truncated or not any(part.strip() for part in (*kept, before)):
            kept.append(before)
            thoughts.append(text[block.end() :])
            done = len(text)
    if not thoughts:
        return text, ""
    response = "".join((*kept, text[done:]))
    if not kept[0].strip():
        response = response.lstrip()
    return response, "\n\n".join(filter(None, (thought.strip() for thought in thoughts)))
