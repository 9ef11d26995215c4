"""A service for tests: a real HTTP server on the loopback that keeps what it was given and answers as it is told."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"id": "Xy3"}'
    after_s: float = 0.0
    """So long it takes, unless the service ends before."""


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: Any


class Service:
    """A context manager. ``replies``: the answers in order; the last of them from then on."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies) or [Reply()]
        self.got: list[Got] = []
        self._over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = service.replies.pop(0) if len(service.replies) > 1 else service.replies[0]
                service.got.append(Got(self.path, dict(self.headers), json.loads(body)))
                if reply.after_s and service._over.wait(reply.after_s):
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library names it
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="service")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Tarpit:
    """A context manager: a server that takes each request and answers for ever, a byte at a time.

    So no time limit of one read is ever over.
    """

    EVERY_S = 0.05

    def __init__(self, begins: bytes = b"HTTP/1.1 200 OK\r\nX-Slow: ") -> None:
        self._begins = begins
        self.asked = threading.Event()
        """Somebody is in it."""
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._take, name="tarpit")]

    def _take(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:  # shut
                return
            thread = threading.Thread(target=self._hold, args=(visitor,), name="tarpit")
            self._threads.append(thread)
            thread.start()

    def _hold(self, visitor: socket.socket) -> None:
        with visitor, suppress(OSError):
            visitor.recv(1 << 16)
            self.asked.set()
            visitor.sendall(self._begins)
            while not self._over.wait(self.EVERY_S):
                visitor.sendall(b"x")

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10.0)
