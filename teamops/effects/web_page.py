"""One web page that is told something: http and https alone, and its address is in no word about it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from typing import IO
from urllib.parse import urlsplit

from teamops.version import __version__

TIMEOUT_S = 10.0
_ANSWER = 10_000
_REDIRECTS = 3


class Page:
    """The page at ``url``. Asked in one thread at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._lines = _Lines()
        self._opener = _opener(self._lines)

    def ask(self, signal: str, body: str) -> tuple[str, str]:
        """Ask for what is below the page, by POST where there is a ``body``; return its host, and what went wrong.

        Takes ``TIMEOUT_S`` at most for all of it, and as long again for the look-up of the host and the connection.
        """
        self._lines.open()
        # Each single read has a limit of its own; a page that sends a byte now and then never reaches that one.
        deadline = threading.Timer(TIMEOUT_S, self._lines.cut)
        deadline.name, deadline.daemon = "deadline", True
        deadline.start()
        try:
            trouble = self._ask(signal, body)
        finally:
            deadline.cancel()
            deadline.join()
        return self._host, f"no answer within {TIMEOUT_S:.0f} s" if self._lines.are_cut else trouble

    def _ask(self, signal: str, body: str) -> str:
        request = urllib.request.Request(  # noqa: S310 - http and https alone: see ``_opener`` and config.values.url
            self._url + signal,
            data=body.encode() or None,
            headers={"User-Agent": f"teamops/{__version__}", "Content-Type": "text/plain; charset=utf-8"},
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                answer.read(_ANSWER)
        except urllib.error.HTTPError as error:
            error.close()
            return f"it answers {error.code}"
        except urllib.error.URLError as error:
            reason = error.reason
            return str(
                getattr(reason, "strerror", None) or (reason if isinstance(reason, str) else type(reason).__name__)
            )
        except TimeoutError:
            return f"no answer within {TIMEOUT_S:.0f} s"
        except (OSError, http.client.HTTPException, ValueError) as error:
            return type(error).__name__
        return ""


class _Lines:
    """The connections of what is asked now, which can be cut from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socks: list[socket.socket] = []
        self.are_cut = False

    def open(self) -> None:
        """Begin anew."""
        with self._lock:
            self._socks.clear()
            self.are_cut = False

    def take(self, sock: socket.socket) -> None:
        """``sock`` is one of them."""
        with self._lock:
            self._socks.append(sock)
            if self.are_cut:
                _shut(sock)

    def cut(self) -> None:
        """Let whoever reads from one, or asks for another, get nothing any more."""
        with self._lock:
            self.are_cut = True
            for sock in self._socks:
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was over already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below the encryption, which another thread is busy with


class _Http(urllib.request.HTTPHandler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask by a connection that can be cut."""
        lines = self._lines

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                lines.take(self.sock)

        return self.do_open(Connection, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask by a connection that can be cut, and only of whom the system's certificates vouch for."""
        lines = self._lines

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                lines.take(self.sock)

        return self.do_open(Connection, req, context=ssl.create_default_context())


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Follow to a web page only, and never from https to what everybody on the way can read."""
        scheme = urlsplit(newurl).scheme
        if scheme != "https" and (scheme != "http" or req.type == "https"):
            raise urllib.error.URLError(f"it leads elsewhere, by {scheme or 'no scheme'}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(lines: _Lines) -> urllib.request.OpenerDirector:
    """Return what opens http and https, and nothing else that a redirect could name."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _Http(lines),
        _Https(lines),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
