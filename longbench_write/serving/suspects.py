"""Reasons for which a response is suspect: it stands and is scored, but was probably spoilt on its way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASONS = TOKENS, GLUED, IDENTICAL, BROKEN_TEXT, MIXED_SCRIPT, ERROR_TEXT, EMPTY, REASONING_ONLY = (
    "tokens",
    "glued",
    "identical",
    "broken_text",
    "mixed_script",
    "error_text",
    "empty",
    "reasoning_only",
)
"""In the order in which they are told."""

CAUSES: Mapping[str, str] = MappingProxyType(
    {
        TOKENS: "the tokens that the server counts are too many or too few for the text: a part of the "
        "stream was lost, or came twice; try --no-stream, or ask the server without the proxy before it",
        GLUED: "words without spaces: a proxy or template strips each piece of the stream; try --no-stream",
        IDENTICAL: "one long text under several prompts: a cache in front of the server answers by something "
        "else than the prompt; turn it off",
        BROKEN_TEXT: "broken characters (U+FFFD, or UTF-8 that was read as another encoding): a proxy "
        "decodes each piece of the stream by itself, or the model's file has a wrong tokenizer; try "
        "--no-stream",
        MIXED_SCRIPT: "another script is strewn between the words: a wrong tokenizer, a broken quantisation, "
        "or a sampling far from the model's own (temperature, top_p, repetition_penalty)",
        ERROR_TEXT: "an error's sentence is the text: a gateway answers with 200 when the model behind it "
        "fails",
        EMPTY: "no text came, though asked for three times: often a wrong chat template, or a stop sequence "
        "that stands at the beginning",
        REASONING_ONLY: "only reasoning came, though asked for three times: a reasoning parser that does not "
        "find the end of the thoughts, or a template that opens them twice",
    }
)
"""What usually causes each, and what to try."""


def ordered(reasons: set[str] | frozenset[str]) -> tuple[str, ...]:
    """Return reasons in the order in which they are told."""
    return tuple(reason for reason in REASONS if reason in reasons)
