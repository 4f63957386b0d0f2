"""Parting a reasoning model's thoughts from its response.

`<think>` blocks count wherever they stand. All other tags that models use count only where the text begins
with them, white space aside: in the middle of a story such a tag is story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_THINK = re.compile(r"</?think>")

_TAGS: tuple[tuple[str, str], ...] = (
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<seed:cot>", "</seed:cot>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought", "<channel|>"),
    ("<unused94>thought", "<unused95>"),
    ("◁think▷", "◁/think▷"),
)
"""Blocks of reasoning, by how they begin and end, of models that do not write `<think>`."""

_WRAPPERS = (("<|START_RESPONSE|>", "<|END_RESPONSE|>"), ("<|begin_of_solution|>", "<|end_of_solution|>"))
"""What some models put around the response itself, behind their reasoning."""

_MOST_BLOCKS = 100
"""At the beginning of a text; more are no thoughts."""

_CLOSING = re.compile("|".join(re.escape(closing) for closing in ("</think>", *dict(_TAGS).values())))

_HARMONY = re.compile(
    r"\s*(?:<\|start\|>assistant)?<\|channel\|>(\w+)[^<]*(?:<\|constrain\|>\w+)?<\|message\|>"
)
_HARMONY_END = re.compile(r"<\|(?:end|return|call)\|>|(?=<\|start\|>)")
_HARMONY_BARE = ("analysis", "assistantfinal")
"""How harmony's channels read where a server has dropped its control tokens."""


def split_reasoning(text: str, *, truncated: bool, opened: bool = False) -> tuple[str, str]:
    """Part a completion into response and reasoning.

    - `<think>...</think>` is reasoning wherever it stands; blocks do not nest, the first `</think>` closes.
    - Other models' blocks, and the channels of harmony, count at the beginning of the text alone.
    - A closing tag before any that opens closes a block that the chat template opened: all before it is
      reasoning. If the template is known to open one, a text cut off before that tag is all reasoning.
    - An unclosed block with nothing but white space or reasoning before it makes the rest reasoning and the
      response empty. An unclosed `<think>` elsewhere does so to the rest only if the text is truncated.
    - White space around reasoning that opens the text is in neither part.

    Args:
        text: The completion as the server gave it.
        truncated: Whether it was cut off by the limit of new tokens.
        opened: Whether the chat template is known to have opened a block.

    Returns:
        Response (the same object as `text` where there is no reasoning) and reasoning, without tags, the
        blocks joined by a blank line.
    """
    if opened and truncated and not closes_unopened(text) and not _begins_with_block(text):
        return "", text.strip()
    if found := _harmony(text):
        return found
    rest, thoughts = _leading(text)
    response, thought = _split_think(rest, truncated=truncated)
    if not thoughts:
        return response, thought
    return response.lstrip(), "\n\n".join(filter(None, (*thoughts, thought)))


def closes_unopened(text: str) -> bool:
    """Return whether a text closes a block that it has not opened, so that the chat template must have."""
    closing = _CLOSING.search(text)
    if closing is None:
        return False
    opening = {close: start for start, close in (("<think>", "</think>"), *_TAGS)}[closing[0]]
    return opening not in text[: closing.start()]


def _begins_with_block(text: str) -> bool:
    return text.lstrip().startswith(("<think>", *dict(_TAGS)))


def _leading(text: str) -> tuple[str, list[str]]:
    """Take the blocks of other tags than `<think>` from the beginning of a text.

    Returns:
        What follows, and their thoughts; the same text where there is none.
    """
    thoughts: list[str] = []
    rest = text
    while len(thoughts) < _MOST_BLOCKS and (tag := _leading_tag(rest, first=not thoughts)):
        opening, closing = tag
        inner, closed, behind = (
            rest.partition(opening)[2].partition(closing) if opening else rest.partition(closing)
        )
        thoughts.append(inner.strip())
        rest = behind if closed else ""
    if not thoughts:
        return text, []
    for opening, closing in _WRAPPERS:
        if rest.lstrip().startswith(opening):
            rest = rest.lstrip().removeprefix(opening).rstrip().removesuffix(closing)
    return rest.lstrip(), thoughts


def _leading_tag(text: str, *, first: bool) -> tuple[str, str] | None:
    """Return the tags of the block that a text begins with, the first "" where the template opened it."""
    begin = text.lstrip()
    for opening, closing in _TAGS:
        if begin.startswith(opening):
            return opening, closing
    end = _CLOSING.search(text) if first and not begin.startswith("<think>") else None
    if end is None or end[0] == "</think>" or not closes_unopened(text):
        return None
    return "", end[0]


def _harmony(text: str) -> tuple[str, str] | None:
    """Part the channels of harmony, if the text begins with one: "final" is the response."""
    if not (text.startswith("analysis") or _HARMONY.match(text)):
        return None
    if not _HARMONY.match(text):
        thought, ended, response = text.removeprefix(_HARMONY_BARE[0]).partition(_HARMONY_BARE[1])
        return (response, thought.strip()) if ended else None
    response, thoughts = "", []
    for channel, content in _messages(text):
        if channel == "final":
            response = content
            break
        thoughts.append(content.strip())
    return response, "\n\n".join(filter(None, thoughts))


def _messages(text: str) -> Iterator[tuple[str, str]]:
    """Yield the channel and the content of each message of harmony that stands at the beginning."""
    place = 0
    while header := _HARMONY.match(text, place):
        end = _HARMONY_END.search(text, header.end())
        yield header[1], text[header.end() : end.start() if end else len(text)]
        place = end.end() if end else len(text)


def _split_think(text: str, *, truncated: bool) -> tuple[str, str]:
    """Part a text by its `<think>` tags; the same object where there is none."""
    kept: list[str] = []
    thoughts: list[str] = []
    done = 0
    block: re.Match[str] | None = None
    opened_before = False
    for tag in _THINK.finditer(text):
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
