"""A simulated model and a simulated judge, one OpenAI-compatible server on loopback in its own process.

    python -m benchmarks.speed.server --profile '{"first": 0.2}' --suite suite.jsonl

serves /model/v1 and /judge/v1, prints its port, and answers GET /report with what it has seen. A response has
as many words as its prompt requires; streamed, each word is an event of its own, as a token is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

TICK = 0.01
"""Seconds between two looks at the streams; a look sends every word that has become due."""

_VERDICT = {
    "Analysis": "The response keeps to the task and reads well; it could go deeper in places.",
    "Relevance": 4,
    "Accuracy": 4,
    "Coherence": 3,
    "Clarity": 4,
    "Breadth and Depth": 3,
    "Reading Experience": 4,
}


@dataclass(frozen=True)
class Profile:
    """Speeds of the simulated model and judge.

    Attributes:
        first: Seconds from a request's arrival to the model's first word.
        rate: Words a second of one request alone; None gives the whole response at once.
        half: Requests in flight at which each gets half of that rate; None for a rate that does not slow.
        judge: Seconds that the judge takes.
        words: Words of every response, instead of what the prompt requires.
    """

    first: float = 0.2
    rate: float | None = None
    half: float | None = None
    judge: float = 0.2
    words: int | None = None

    def rate_among(self, in_flight: int) -> float:
        """Words a second of each of so many requests."""
        assert self.rate is not None
        return self.rate if self.half is None else self.rate / (1 + (in_flight - 1) / (self.half - 1))


class Prose:
    """Words without end, in a language; a response is a stretch of them.

    Events of a stream stand side by side in one piece of memory, so that any number of words is one slice.
    """

    def __init__(self, language: str, *, seed: int = 0, words: int = 40_000) -> None:
        rng = random.Random(seed)
        if language == "zh":
            drawn = [chr(rng.randrange(0x4E00, 0x9F00)) for _ in range(words)]
        else:
            pool = ["".join(rng.choices("aeioulnrst", k=rng.randint(2, 9))) for _ in range(5000)]
            drawn = [rng.choice(pool) + " " for _ in range(words)]
        events = [_event({"content": word}) for word in drawn]
        self._words = [word.encode() for word in drawn]
        self._events = b"".join(events)
        self._ends = [0, *accumulate(map(len, events))]

    def events(self, start: int, stop: int) -> bytes:
        """The events of some words, counted from the beginning of the prose."""
        period = len(self._words)
        if stop - start > period:
            return self.events(start, start + period) + self.events(start + period, stop)
        first, last = start % period, stop % period
        if first <= last:
            return self._events[self._ends[first] : self._ends[last]]
        return self._events[self._ends[first] :] + self._events[: self._ends[last]]

    def text(self, start: int, stop: int) -> str:
        """The same words as text."""
        period = len(self._words)
        return b"".join(self._words[place % period] for place in range(start, stop)).decode()


def _event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return f"data: {json.dumps(chunk | more, ensure_ascii=False)}\n\n".encode()


@dataclass(slots=True, eq=False)
class Stream:
    """A response in the making.

    Attributes:
        begins: When its first word is due, on the monotonic clock.
        words: How many it will have.
        due: How many of them are due by now.
        sent: How many have been sent.
    """

    connection: Connection
    prose: Prose
    offset: int
    words: int
    streamed: bool
    begins: float
    due: float = 0.0
    sent: int = 0


@dataclass
class Seen:
    """What a role has been asked: arrival and end of each request, on the monotonic clock."""

    arrivals: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0

    def begin(self) -> None:
        self.arrivals.append(time.monotonic())
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def end(self) -> None:
        self.ends.append(time.monotonic())
        self.in_flight -= 1


class Simulation:
    """A request, and when it is answered."""

    def __init__(self, profile: Profile, lengths: dict[str, tuple[int, str]]) -> None:
        self.profile = profile
        self.seen = {"model": Seen(), "judge": Seen()}
        self._lengths = lengths
        self._prose = {language: Prose(language) for language in ("en", "zh")}
        self._streams: set[Stream] = set()

    def ask(self, role: str, body: bytes, connection: Connection) -> None:
        """Take a request and answer it in its time."""
        request = json.loads(body)
        self.seen[role].begin()
        now = asyncio.get_running_loop().time()
        if role == "judge":
            asyncio.get_running_loop().call_at(
                now + self.profile.judge, self._judged, connection, request.get("stream", False)
            )
            return
        asked = request["messages"][-1]["content"]
        required, language = self._lengths[asked]
        stream = Stream(
            connection,
            self._prose[language],
            sum(asked.encode()) * 37,
            self.profile.words or required,
            bool(request.get("stream")),
            now + self.profile.first,
        )
        if self.profile.rate is None:
            asyncio.get_running_loop().call_at(stream.begins, self._whole, stream)
        else:
            self._streams.add(stream)

    def _judged(self, connection: Connection, streamed: bool) -> None:
        self.seen["judge"].end()
        text = json.dumps(_VERDICT)
        if streamed:
            pieces = [text[start : start + 20] for start in range(0, len(text), 20)]
            connection.begin_stream()
            connection.send_events(b"".join(_event({"content": piece}) for piece in pieces))
            connection.end_stream(_event({}, "stop") + _usage_event(len(pieces)))
        else:
            connection.send_json(_completion(text, len(text) // 4))

    def _whole(self, stream: Stream) -> None:
        """The whole response at once."""
        stream.due = stream.words
        self._advance(stream)

    def _advance(self, stream: Stream) -> bool:
        """Send what is due; whether that was the last of it."""
        due = min(int(stream.due), stream.words)
        if stream.streamed:
            if due and not stream.sent:
                stream.connection.begin_stream()
            if due > stream.sent:
                stream.connection.send_events(
                    stream.prose.events(stream.offset + stream.sent, stream.offset + due)
                )
        stream.sent = due
        if due < stream.words:
            return False
        self.seen["model"].end()
        if stream.streamed:
            stream.connection.end_stream(_event({}, "stop") + _usage_event(stream.words))
        else:
            text = stream.prose.text(stream.offset, stream.offset + stream.words)
            stream.connection.send_json(_completion(text, stream.words))
        return True

    async def run(self) -> None:
        """Let the streams flow."""
        last = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(TICK)
            now = asyncio.get_running_loop().time()
            self._streams = {each for each in self._streams if not each.connection.is_closed}
            flowing = [each for each in self._streams if each.begins <= now]
            for each in flowing:
                rate = self.profile.rate_among(len(self._streams))
                each.due += rate * (now - max(last, each.begins))
                if self._advance(each):
                    self._streams.discard(each)
            last = now

    def report(self) -> dict[str, Any]:
        """Return what has been recorded."""
        return {role: asdict(seen) for role, seen in self.seen.items()}


def _usage(words: int) -> dict[str, int]:
    return {"prompt_tokens": 100, "completion_tokens": words, "total_tokens": words + 100}


def _usage_event(words: int) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": []}
    return f"data: {json.dumps(chunk | {'usage': _usage(words)})}\n\ndata: [DONE]\n\n".encode()


def _completion(text: str, words: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(words),
    }


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as much of it as chat clients use."""

    def __init__(self, simulation: Simulation) -> None:
        self.is_closed = False
        self._simulation = simulation
        self._buffer = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        line, *headers = head.decode("latin-1").split("\r\n")
        length = next(
            (int(each.partition(":")[2]) for each in headers if each.lower().startswith("content-length:")), 0
        )
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._route(*line.split(" ")[:2], bytes(rest[:length]))

    def _route(self, method: str, path: str, body: bytes) -> None:
        role = path.split("/")[1]
        if method == "POST" and path.endswith("/chat/completions"):
            self._simulation.ask(role, body, self)
        elif path == "/report":
            self.send_json(self._simulation.report())
        else:
            self.send_json({"object": "list", "data": [{"id": "m", "object": "model"}]})

    def send_json(self, value: object) -> None:
        """A whole answer."""
        data = json.dumps(value, ensure_ascii=False).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self._transport.write(head.encode() + data)

    def begin_stream(self) -> None:
        """The head of a streamed answer."""
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )

    def send_events(self, data: bytes) -> None:
        """Some events, as one chunk of the transfer."""
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self, data: bytes) -> None:
        """The last events, and the end."""
        self._transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))


async def serve(profile: Profile, suite: Path) -> None:
    """Serve until cancelled; the port is the one line on stdout."""
    with suite.open(encoding="utf-8") as lines:
        prompts = map(json.loads, lines)
        lengths = {each["prompt"]: (each["length"], each["language"]) for each in prompts}
    simulation = Simulation(profile, lengths)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(simulation), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await simulation.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", type=json.loads, default={}, help="JSON object of Profile's fields")
    parser.add_argument("--suite", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(Profile(**options.profile), options.suite))


if __name__ == "__main__":
    main()
