"""The tokens that a test's server counts."""

from __future__ import annotations

import re
from typing import Any

from .answers import Answer
from .odd_streams import TOKENS

TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|[^\w\s]")
"""What counts as a token of a prompt: an ideograph, a word or a mark."""


def usage_of(answer: Answer, body: dict[str, Any]) -> dict[str, Any]:
    """Return the usage of an answer: its own, or words of the text and tokens of the prompt."""
    if answer.usage is not None:
        return dict(answer.usage)
    if answer.fault == "billed":
        return {"prompt_tokens": 9, "completion_tokens": TOKENS}
    asked = sum(len(TOKEN.findall(str(message["content"]))) for message in body["messages"])
    said = len(answer.text.split()) + len(answer.reasoning.split())
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
