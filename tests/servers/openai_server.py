"""An OpenAI-compatible chat server on loopback, in a thread of the test or as a process of its own.

    with OpenAIServer(writer(words=120)) as server:
        ...  # server.base_url, server.requests

What a request is answered with is an `Answer`, made by a function of the request's body and number.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from .answers import Answer, AnswerFunction, Fault, fingerprint, in_turn, judge_reply, writer
from .odd_streams import odd_choices, odd_texts
from .usage import usage_of

__all__ = [
    "Answer",
    "AnswerFunction",
    "OpenAIServer",
    "Request",
    "fingerprint",
    "in_turn",
    "judge_reply",
    "writer",
]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        return self.body["messages"][-1]["content"]


class OpenAIServer:
    """The server; a context manager that serves from entry to exit.

    Attributes:
        requests: The chat requests so far, in order of arrival.
        listings: The headers of each request for the list of models, their names in lower case.
        answered: Chat requests that have been dealt with.
        listed: What /models says of each model beside its name; None where there is no list.
        peak: The most chat requests that were in flight at once.
    """

    def __init__(self, answer: AnswerFunction, *, models: Sequence[str] = ("m",), port: int = 0) -> None:
        self.answer = answer
        self.models = models
        self.shutdown_dates: dict[str, object] = {}
        self.listed: dict[str, object] | None = {}
        self.requests: list[Request] = []
        self.listings: list[dict[str, str]] = []
        self.answered = 0
        self.peak = 0
        self.closing = threading.Event()
        self._in_flight = 0
        self._failures: list[Exception] = []
        self._lock = threading.Condition()
        self._listener = _Listener(self, port)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """Such as http://127.0.0.1:40123/v1."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}/v1"

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.closing.set()
        self._listener.shutdown()
        self._listener.end_connections()
        self._listener.server_close()
        self._thread.join()
        if error is None and self._failures:
            raise self._failures[0]

    async def arrival(self, count: int = 1) -> None:
        """Wait until `count` chat requests have arrived.

        Raises:
            TimeoutError: They have not within a minute.
        """

        def wait() -> bool:
            with self._lock:
                return self._lock.wait_for(lambda: len(self.requests) >= count, 60.0)

        if not await asyncio.to_thread(wait):
            raise TimeoutError(f"{len(self.requests)} of {count} requests arrived")

    @contextlib.contextmanager
    def taking(self, request: Request) -> Iterator[Answer]:
        """Record a chat request and make its answer."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
            self._lock.notify_all()
        try:
            yield self._make(request, number)
        finally:
            with self._lock:
                self._in_flight -= 1
                self.answered += 1
                self._lock.notify_all()

    def wait_for(self, moment: Callable[[], bool]) -> bool:
        """Wait until something is so, which a request or its end may bring about; False after a minute."""
        with self._lock:
            return self._lock.wait_for(moment, 60.0)

    def settle(self) -> None:
        """Wait until the requests of clients that are gone have been dealt with, those on their way too."""
        with socket.create_connection(self._listener.server_address[:2]) as last:
            last.sendall(b"GET /v1/models HTTP/1.0\r\n\r\n")
            while last.recv(1024):
                pass
        assert self.wait_for(lambda: not self._listener.open)

    def ended(self) -> None:
        """A connection has."""
        with self._lock:
            self._lock.notify_all()

    def _make(self, request: Request, number: int) -> Answer:
        try:
            return self.answer(request.body, number)
        except Exception as error:
            self._failures.append(error)
            return Answer(status=500, error={"message": f"the test's answer function failed: {error!r}"})

    def wait(self, event: threading.Event) -> None:
        """Wait for an event, or for the server to close."""
        while not event.wait(0.02) and not self.closing.is_set():
            pass


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = True
    request_queue_size = 1024

    def __init__(self, owner: OpenAIServer, port: int) -> None:
        self.owner = owner
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.open.discard(request)
        self.owner.ended()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def end_connections(self) -> None:
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.removeprefix("/v1") == "/models":
            self.server.owner.listings.append({name.lower(): text for name, text in self.headers.items()})
            dates = self.server.owner.shutdown_dates
            about = self.server.owner.listed
            if about is None:
                self._send_json(503, {"error": {"message": "no list"}}, {})
                return
            models = [
                {"id": name, "object": "model"}
                | ({"shutdown_date": dates[name]} if name in dates else {})
                | about
                for name in self.server.owner.models
            ]
            self._send_json(200, {"object": "list", "data": models}, {})
        else:
            self._send_json(404, {"error": {"message": "no such path"}}, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path != "/v1/chat/completions":
            self._send_json(404, {"error": {"message": "no such path"}}, {})
            return
        owner = self.server.owner
        with owner.taking(Request("POST", self.path, headers, body)) as answer:
            if answer.hold is not None:
                owner.wait(answer.hold)
            time.sleep(answer.delay)
            self._reply(answer, {**body, "model": answer.model or body["model"]})

    def _reply(self, answer: Answer, body: dict[str, Any]) -> None:
        if answer.fault == "drop_before":
            self._drop()
        elif answer.fault == "stall_before":
            self.server.owner.wait(self.server.owner.closing)
        elif answer.fault in ("heartbeats", "endless_body"):
            self._go_on(b": ping\n\n" if answer.fault == "heartbeats" else b"data: " + b"x" * (1 << 20))
        elif answer.body is not None:
            self._send(answer.status, answer.body.encode(), "application/json", answer.headers)
        elif answer.status != 200:
            self._send_json(answer.status, {"error": answer.error}, answer.headers)
        elif answer.fault == "html":
            self._send(200, answer.page.encode(), "text/html", answer.headers)
        elif body.get("stream") and answer.fault not in ("not_streamed", "not_streamed_error"):
            self._stream(answer, body)
        elif answer.fault in ("error_in_200", "not_streamed_error"):
            self._send_json(200, {"error": answer.error}, answer.headers)
        else:
            self._send_json(200, _whole(answer, body), answer.headers, answer.fault)

    def _go_on(self, piece: bytes) -> None:
        """Stream one piece over and over; small ones with time between them."""
        self._begin(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        while not self.server.owner.closing.wait(0.0 if len(piece) > 1024 else 0.05):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self._drop()

    def _send_json(
        self, status: int, value: object, headers: Mapping[str, str], fault: Fault | None = None
    ) -> None:
        data = _encoded(json.dumps(value, ensure_ascii=False), fault)
        if fault == "truncated_json":
            data = data[: len(data) // 2]
        kind = "text/plain" if fault == "wrong_type" else "application/json"
        self._send(status, data, kind, headers, fault)

    def _send(
        self, status: int, data: bytes, kind: str, headers: Mapping[str, str], fault: Fault | None = None
    ) -> None:
        self._begin(status, {"content-type": kind, "content-length": str(len(data)), **headers})
        if fault in ("drop_during", "stall_during"):
            self.wfile.write(data[: len(data) // 2])
            self._break(fault)
            return
        self.wfile.write(data)
        if fault == "drop_after":
            self._drop()

    def _stream(self, answer: Answer, body: dict[str, Any]) -> None:
        events = list(_events(answer, body))
        kind = "text/plain" if answer.fault == "wrong_type" else "text/event-stream"
        self._begin(200, {"content-type": kind, "transfer-encoding": "chunked", **answer.headers})
        for event in events[: len(events) // 2]:
            self._send_event(event, answer.fault)
        if answer.fault in ("drop_during", "stall_during"):
            self._break(answer.fault)
            return
        for event in events[len(events) // 2 :]:
            self._send_event(event, answer.fault)
        if answer.fault == "stall_at_end":
            self.server.owner.wait(self.server.owner.closing)
        if answer.fault in ("drop_after", "stall_at_end"):
            self._drop()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _send_event(self, event: str, fault: Fault | None) -> None:
        data = _encoded(f"data: {event}\n\n", fault)
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _break(self, fault: Fault) -> None:
        if fault == "stall_during":
            self.server.owner.wait(self.server.owner.closing)
        self._drop()

    def _drop(self) -> None:
        self.close_connection = True


def _encoded(text: str, fault: Fault | None) -> bytes:
    """The bytes of a body; half of a surrogate pair as its JSON escape."""
    if fault == "utf16":
        return text.encode("utf-16-be", "surrogatepass")
    data = text.encode("utf-8", "backslashreplace")
    return data.replace(b'"content": "', b'"content": "\xff\xfe\xc3') if fault == "bad_utf8" else data


def _frame(body: dict[str, Any], kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "c-1", "object": kind, "created": 0, "model": body["model"], "choices": choices}


def _whole(answer: Answer, body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.fault == "null_content":
        message["content"] = None
    if answer.reasoning:
        message[answer.reasoning_field] = answer.reasoning
    if answer.refusal:
        message |= {"content": None, "refusal": answer.refusal}
    finish = None if answer.fault == "no_end" else answer.finish_reason
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    reply = _frame(body, "chat.completion", [] if answer.fault == "empty_choices" else choices)
    return reply if answer.fault == "no_usage" else reply | {"usage": usage_of(answer, body)}


def _events(answer: Answer, body: dict[str, Any]) -> Iterator[str]:
    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return json.dumps(
            _frame(body, "chat.completion.chunk", [] if answer.fault == "empty_choices" else choices)
        )

    texts = [] if answer.fault == "null_content" else _slices(answer.text, answer.pieces)
    if answer.fault == "error_in_200":
        texts = texts[: len(texts) // 2]
    yield event({"role": "assistant", "content": None if answer.fault == "null_content" else ""})
    for piece in _slices(answer.reasoning, answer.pieces):
        yield event({answer.reasoning_field: piece})
    for name, choice in odd_choices(answer, odd_texts(answer, texts, body.get("max_tokens", 100))):
        choices = [] if answer.fault == "empty_choices" else [choice | {"finish_reason": None}]
        yield json.dumps(_frame(body, "chat.completion.chunk", choices) | {"id": name})
    for piece in _slices(answer.refusal, answer.pieces):
        yield event({"refusal": piece})
    if answer.fault == "truncated_json":
        yield event({"content": "cut"})[:-9]
    if answer.fault == "error_in_200":
        yield json.dumps({"error": answer.error})
    if answer.fault in ("error_in_200", "no_end"):
        return
    yield event({}, answer.finish_reason)
    if answer.fault == "stall_at_end":
        return
    if answer.fault != "no_usage" and body.get("stream_options", {}).get("include_usage"):
        yield json.dumps(_frame(body, "chat.completion.chunk", []) | {"usage": usage_of(answer, body)})
    if answer.fault != "no_done":
        yield "[DONE]"


def _slices(text: str, count: int) -> list[str]:
    size = max(1, -(-len(text) // count))
    return [text[start : start + size] for start in range(0, len(text), size)]


def main() -> None:
    """Serve until interrupted; the base URL is the one line on stdout."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--words", type=int, default=50, help="length of each response")
    parser.add_argument("--scores", help="answer as a judge, with six integers such as 4,4,3,5,4,4")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds to answer")
    options = parser.parse_args()
    if options.scores:
        answer = judge_reply(
            [int(score) for score in re.findall(r"\d+", options.scores)], delay=options.delay
        )
    else:
        answer = writer(options.words, delay=options.delay)
    with OpenAIServer(answer, port=options.port) as server, contextlib.suppress(KeyboardInterrupt):
        print(server.base_url, flush=True)  # noqa: T201
        server.closing.wait()


if __name__ == "__main__":
    main()
