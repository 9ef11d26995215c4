"""The dead man's switch: a web page is told each minute that the supervisor's loop goes round.

A service that hears nothing for a while (healthchecks, or one like it) calls the person: so whatever kills teamops or
its machine is noticed. What is told comes from a thread of its own, and only of rounds that were gone through: a loop
that hangs is told as failed, and then not at all. The address is a secret: whoever knows it can tell lies.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

EVERY_S = 60.0
HUNG_S = 30.0
"""A loop without a round for so long hangs, or its machine slept: the next round tells."""
MOST_MISSES = 3
"""So many beats in a row that did not arrive are worth an alert."""
_LOOK_S = 1.0

Told = Callable[[str, str], None]
"""Told a trouble and what to do; both empty = it is over."""


class Watchdog:
    """Beats to ``url``; where that is empty, nobody is told. All but ``stop`` return at once, from any thread."""

    def __init__(self, url: str, *, every_s: float = EVERY_S, hung_s: float = HUNG_S) -> None:
        self._url = url
        self._every_s = every_s
        self._hung_s = hung_s
        self._wake = threading.Condition()
        self._round_at: float | None = None
        """When the loop last went round; ``None`` = nobody supervises now."""
        self._failed = ""
        """What is to be told as failed."""
        self._over = False
        self._thread: threading.Thread | None = None
        self._say: Told = lambda _trouble, _hint: None
        self._misses = 0
        self._ask: Callable[[str, str], tuple[str, str]] = lambda _signal, _body: ("", "")
        """Tells; gives the host, and what went wrong."""

    def begin_life(self, say: Told | None) -> None:
        """Beat from now on for a life that acts; ``say`` is called from the thread. ``None``: it only looks on."""
        with self._wake:
            self._say = say or (lambda _trouble, _hint: None)
            self._round_at = None if say is None else time.monotonic()
            self._misses = min(self._misses, MOST_MISSES - 1)  # a new life says it anew
        if self._thread is None and self._url and say is not None:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def see_round(self) -> None:
        """The loop went round."""
        if self._round_at is not None:
            self._round_at = time.monotonic()

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
        from teamops.effects import web_page  # only where somebody is to be told: it takes its time to import

        self._ask = web_page.Page(self._url).ask
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
        host, trouble = self._ask(signal, body)
        if not trouble:
            if self._misses >= MOST_MISSES:
                self._say("", "")
            self._misses = 0
            return
        self._misses += 1
        if self._misses == MOST_MISSES:
            self._say(
                f"the beats to {host} don't arrive: {trouble}",
                "is [watchdog] url right, and this machine online? whoever listens there will call you",
            )
