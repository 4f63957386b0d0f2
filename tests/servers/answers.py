"""What the loopback chat server answers: the `Answer`, its faults, and functions that make answers."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from longbench_write.records import DIMENSIONS

Fault = Literal[
    "drop_before",  # the connection ends without an answer
    "drop_during",  # ... in the middle of the body
    "drop_after",  # ... after the whole body, though keep-alive was promised
    "stall_before",  # nothing is sent until the server closes
    "stall_during",  # half of the body is sent, then nothing until the server closes
    "truncated_json",  # the JSON (of one event, if streamed) ends in the middle, the HTTP is whole
    "html",  # a page of HTML with status 200
    "no_end",  # a stream that ends without finish_reason and [DONE]
    "no_done",  # a stream that ends with a finish_reason but without [DONE]
    "empty_choices",  # "choices" is always []
    "null_content",  # the content is null
    "no_usage",  # no usage, asked for or not
    "error_in_200",  # `error` inside a 200; if streamed, after half of the text
    "not_streamed",  # the whole answer as JSON, though a stream was asked for
    "not_streamed_error",  # `error` inside a 200 as JSON, though a stream was asked for
    "stall_at_end",  # a stream that stalls behind its finish_reason
]


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request is answered.

    With a `status` other than 200 the body is `{"error": error}`. `usage` is counted in words if None.
    `hold` is waited for before anything is sent, so that a test decides the order of the answers;
    `page` is the body of "html".
    """

    text: str = ""
    finish_reason: str = "stop"
    reasoning: str = ""
    reasoning_field: str = "reasoning_content"
    refusal: str = ""
    usage: Mapping[str, Any] | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Any = field(default_factory=lambda: {"message": "the server's own words", "code": None})
    hold: threading.Event | None = None
    page: str = "<html><body>Sign in</body></html>"
    fault: Fault | None = None
    pieces: int = 8


AnswerFunction = Callable[[dict[str, Any], int], Answer]
"""(body, number) -> Answer; the number counts chat requests from 0, in order of arrival."""


def fingerprint(prompt: str) -> str:
    """Twelve small letters that depend on the prompt alone; one word in every count."""
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:12])


_FILLER = (
    *("the", "slow", "river", "carried", "a", "letter"),
    *("past", "seven", "quiet", "villages", "until", "spring"),
)


def writer(words: int | Callable[[str], int] = 50, *, delay: float = 0.0) -> AnswerFunction:
    """Answer with `words` English words (a number, or made from the prompt), the first its fingerprint.

    `delay` is the server's time to answer in seconds.
    """

    def answer(body: dict[str, Any], number: int) -> Answer:
        prompt = body["messages"][-1]["content"]
        count = words if isinstance(words, int) else words(prompt)
        text = itertools.chain([fingerprint(prompt)], itertools.cycle(_FILLER))
        time.sleep(delay)
        return Answer(" ".join(itertools.islice(text, count)))

    return answer


def judge_reply(scores: Sequence[int] = (4, 4, 4, 4, 4, 4), *, delay: float = 0.0) -> AnswerFunction:
    """Answer with a judge's valid JSON reply: the six scores in the official order."""

    def answer(body: dict[str, Any], number: int) -> Answer:
        time.sleep(delay)
        return Answer(json.dumps({"Analysis": "Reads well."} | dict(zip(DIMENSIONS, scores, strict=True))))

    return answer


def in_turn(*answers: Answer | AnswerFunction) -> AnswerFunction:
    """The first answer to the first request and so on; the last one to all that follow."""

    def answer(body: dict[str, Any], number: int) -> Answer:
        chosen = answers[min(number, len(answers) - 1)]
        return chosen if isinstance(chosen, Answer) else chosen(body, number)

    return answer
