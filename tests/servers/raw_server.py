"""A server that answers each POST with given bytes, whatever they are, and closes the connection."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterable

Bytes = bytes | Iterable[bytes]
"""A response, or its parts as they are sent one after the other."""


class RawServer:
    """A context manager that serves from entry to exit.

    Attributes:
        requests: How many POST requests have come.
        closing: Set once it closes; a response that would never end may wait for it.
    """

    def __init__(self, *responses: Bytes | Callable[[], Bytes]) -> None:
        self.requests = 0
        self.closing = threading.Event()
        self._responses = responses
        self._lock = threading.Lock()
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = 0
                if not self.rfile.readline().startswith(b"POST"):
                    self.wfile.write(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                while line := self.rfile.readline().strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                self.rfile.read(length)
                with contextlib.suppress(OSError):
                    for part in owner.next_response():
                        self.wfile.write(part)

        self._listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """Such as http://127.0.0.1:40123/v1."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}/v1"

    def next_response(self) -> Iterable[bytes]:
        """Return what is sent to the next request: the last response to all that follow."""
        with self._lock:
            response = self._responses[min(self.requests, len(self._responses) - 1)]
            self.requests += 1
        made = response() if callable(response) else response
        return [made] if isinstance(made, bytes) else made

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
