"""The dead man's switch: a web page is told each minute that the supervisor's loop goes round.

A service that hears nothing for a while (healthchecks, or one like it) calls the person: so whatever kills teamops or
its machine is noticed. What is told comes from a thread of its own, and only of rounds that were gone through: a loop
that hangs is told as failed, and then not at all. The address is a secret: whoever knows it can tell lies.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import IO
from urllib.parse import urlsplit

from teamops.version import __version__

EVERY_S = 60.0
TIMEOUT_S = 10.0
HUNG_S = 30.0
"""A loop without a round for so long hangs, or its machine slept: the next round tells."""
MOST_MISSES = 3
"""So many beats in a row that did not arrive are worth an alert."""
_ANSWER = 10_000
_REDIRECTS = 3
_LOOK_S = 1.0

Told = Callable[[str, str], None]
"""Told a trouble and what to do; both empty = it is over."""


class Watchdog:
    """Beats to ``url``. ``see_round`` and the others may be called from any thread and never wait."""

    def __init__(self, url: str, *, every_s: float = EVERY_S, hung_s: float = HUNG_S) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._every_s = every_s
        self._hung_s = hung_s
        self._opener = _opener()
        self._wake = threading.Condition()
        self._round_at: float | None = None
        """When the loop last went round; ``None`` = nobody supervises now."""
        self._failed = ""
        """What is to be told as failed."""
        self._over = False
        self._thread: threading.Thread | None = None
        self._say: Told = lambda _trouble, _hint: None
        self._misses = 0

    def start(self, say: Told) -> None:
        """Begin to beat, or go on with it. ``say`` is called from the thread."""
        with self._wake:
            self._say = say
            self._round_at = time.monotonic()
            if self._misses >= MOST_MISSES:
                self._misses = MOST_MISSES - 1  # a new life says it anew
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def see_round(self) -> None:
        """The loop went round."""
        self._round_at = time.monotonic()

    def pause(self) -> None:
        """Nobody supervises for now: nothing is told."""
        self._round_at = None
        self._say = lambda _trouble, _hint: None

    def fail(self, why: str) -> None:
        """Tell, as the last word, that supervision has failed."""
        with self._wake:
            self._failed = why
            self._wake.notify()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End. What has not arrived by then is left: the silence that follows tells the same."""
        with self._wake:
            self._over = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    # in the thread

    def _run(self) -> None:
        self._tell("/start")
        told_at, hung = time.monotonic(), False
        self._tell("")
        while True:
            with self._wake:
                if not self._over and not self._failed:
                    self._wake.wait(min(_LOOK_S, self._every_s / 4))
                failed, self._failed = self._failed, ""
                over = self._over
            if failed:
                self._tell("/fail", failed)
            if over:
                return
            now, at = time.monotonic(), self._round_at
            if at is None:
                continue
            if now - at > self._hung_s:
                if not hung:
                    hung = True
                    self._tell("/fail", f"the supervisor hangs: no round for {now - at:.0f} s")
            elif hung or now - told_at >= self._every_s:
                hung, told_at = False, now
                self._tell("")

    def _tell(self, signal: str, body: str = "") -> None:
        trouble = self._ask(signal, body)
        if not trouble:
            if self._misses >= MOST_MISSES:
                self._say("", "")
            self._misses = 0
            return
        self._misses += 1
        if self._misses == MOST_MISSES:
            self._say(
                f"the beats to {self._host} don't arrive: {trouble}",
                "is [watchdog] url right, and this machine online? whoever listens there will call you",
            )

    def _ask(self, signal: str, body: str) -> str:
        """Ask for the page; return what went wrong, without the address."""
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


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https, and nothing else that a redirect could name."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
