"""What the loopback chat server answers: the `Answer`, its faults, and functions that make answers."""

from __future__ import annotations

import email.utils
import hashlib
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from longbench_write.metrics.quality import DIMENSIONS

CASES = Path(__file__).parents[1] / "cases"
"""Raw responses that were met in the field."""

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
    "wrong_type",  # the right body, said to be plain text
    "bad_utf8",  # bytes in the text that are no UTF-8
    "utf16",  # the body, or the stream, in UTF-16
    "spliced",  # half of the stream, then all of it again with another id and role
    "two_choices",  # the second half of the stream is another choice's
    "tool_call",  # a call of a tool stands in the place of the text
    "billed",  # no text, and 412 tokens in the usage
    "cumulative",  # each delta has all the text so far
    "replayed",  # the last delta has all the text once more
    "stripped",  # each delta is a word, without the spaces around it
    "endless",  # the text is written again and again, a word a delta, far past the limit
    "heartbeats",  # a stream of comments, and nothing else, until the client goes or the server closes
    "endless_body",  # a body without an end
]


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request is answered.

    The body is `body` if that is not None; with a `status` other than 200, `{"error": error}` else.
    `usage` is counted in words if None. `hold` is waited for before anything is sent, so that a test decides
    the order of the answers; `delay` is waited for too, in seconds; `page` is the body of "html". `model` is
    the model that answers, if it is not the one that was asked.
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
    delay: float = 0.0
    page: str = "<html><body>Sign in</body></html>"
    fault: Fault | None = None
    body: str | None = None
    pieces: int = 8
    model: str = ""


AnswerFunction = Callable[[dict[str, Any], int], Answer]
"""(body, number) -> Answer; the number counts chat requests from 0, in order of arrival."""


def fingerprint(prompt: str) -> str:
    """Twelve small letters that depend on the prompt alone; one word in every count."""
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:12])


_FILLER = (
    "the",
    "slow",
    "river",
    "carried",
    "a",
    "letter",
    "past",
    "seven",
    "quiet",
    "villages",
    "until",
    "spring",
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


def field_case(name: str) -> Answer:
    """A refusal that was met in the field, from the raw response in tests/cases/."""
    text = (CASES / f"{name}.http").read_text(encoding="utf-8")  # with universal newlines
    head, _, body = text.partition("\n\n")
    return Answer(status=int(head.split()[1]), body=body)


def in_turn(*answers: Answer | AnswerFunction) -> AnswerFunction:
    """The first answer to the first request and so on; the last one to all that follow."""

    def answer(body: dict[str, Any], number: int) -> Answer:
        chosen = answers[min(number, len(answers) - 1)]
        return chosen if isinstance(chosen, Answer) else chosen(body, number)

    return answer


def varied_writer() -> AnswerFunction:
    """As `writer`, with a length that depends on the prompt."""
    return writer(lambda prompt: 20 + sum(map(ord, fingerprint(prompt))) % 150)


def varied_judge() -> AnswerFunction:
    """As `judge_reply`, with scores that depend on what is judged."""

    def answer(body: dict[str, Any], number: int) -> Answer:
        letters = fingerprint(body["messages"][-1]["content"])
        return judge_reply([1 + ord(letter) % 5 for letter in letters[:6]])(body, number)

    return answer


def _http_date(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


def _failing(status: int, message: str = "not now", **headers: str) -> Callable[[Answer], Answer]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: Answer(status=status, headers=told, error={"message": message, "code": None})


def _spoilt(fault: Fault) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, fault=fault)


TRANSIENT: dict[str, Callable[[Answer], Answer]] = {
    "connection dropped before the answer": _spoilt("drop_before"),
    "connection dropped in the middle": _spoilt("drop_during"),
    "HTTP 408": _failing(408),
    "HTTP 409": _failing(409),
    "HTTP 429": _failing(429),
    "HTTP 429, Retry-After in seconds": _failing(429, retry_after="1"),
    "HTTP 429, Retry-After as a date": lambda answer: _failing(429, retry_after=_http_date(2))(answer),
    "HTTP 500": _failing(500),
    "HTTP 502": _failing(502),
    "HTTP 503": _failing(503),
    "HTTP 504": _failing(504),
    "HTML instead of JSON": _spoilt("html"),
    "JSON cut in the middle": _spoilt("truncated_json"),
    "a stream without its end": _spoilt("no_end"),
    "an empty list of choices": _spoilt("empty_choices"),
    "an error inside a 200": _spoilt("error_in_200"),
    "an error as JSON instead of the stream": _spoilt("not_streamed_error"),
    "bytes that are no UTF-8": _spoilt("bad_utf8"),
    "UTF-16 instead of UTF-8": _spoilt("utf16"),
}
"""Faults of one streamed answer that pass: another request is needed, and enough."""

STALLS: dict[str, Callable[[Answer], Answer]] = {
    "a stall before the answer": _spoilt("stall_before"),
    "a stall in the middle": _spoilt("stall_during"),
}
"""The same, where the client has to lose its patience first."""

HARMLESS: dict[str, Callable[[Answer], Answer]] = {
    "an answer that is late": lambda answer: replace(answer, delay=0.5),
    "a stream without [DONE]": _spoilt("no_done"),
    "connection dropped after the answer": _spoilt("drop_after"),
    "JSON instead of a stream": _spoilt("not_streamed"),
    "a wrong content type": _spoilt("wrong_type"),
}
"""Oddities of one streamed answer that is whole: no other request is needed."""


class Faulty:
    """Spoils a share of all answers, chosen by seed and request, whatever the order of arrival.

    Attributes:
        injected: How often each fault was chosen.
    """

    def __init__(
        self,
        answer: AnswerFunction,
        share: float,
        seed: int,
        faults: Mapping[str, Callable[[Answer], Answer]] = TRANSIENT,
    ) -> None:
        self.injected: Counter[str] = Counter()
        self._answer = answer
        self._share = share
        self._seed = seed
        self._faults = faults
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, body: dict[str, Any], number: int) -> Answer:
        prompt = fingerprint(body["messages"][-1]["content"])
        with self._lock:
            self._asked[prompt] += 1
            rng = random.Random(f"{self._seed}:{prompt}:{self._asked[prompt]}")
            fault = rng.choice(list(self._faults)) if rng.random() < self._share else None
            if fault:
                self.injected[fault] += 1
        answer = self._answer(body, number)
        return self._faults[fault](answer) if fault else answer
