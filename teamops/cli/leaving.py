"""Signals that end a program, taken as a word to leave: what was begun is ended, and the terminal given back.

An exception raised out of a signal's handler comes up wherever the program happens to be. In the middle of an event
loop that cuts a callback in two: what waits for its other half then waits for ever, and the program with it. So inside
a loop the loop is told, and leaves by its own way.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Ctrl+C is Python's own, and heard by every loop."""
LAST_S = 18.0
"""What has not left by then (an act takes up to 11 s) hangs, maybe at a terminal that is gone, and is ended hard."""


class Leaving:
    """A context manager around a program, in the main thread. It ends with ``SystemExit``: 128 and the signal."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._number = 0
        self._ways: list[Callable[[], None]] = []
        self._children: list[subprocess.Popen[str]] = []
        self._last: threading.Timer | None = None

    def __enter__(self) -> Self:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None:
            self._last.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def by(self, leave: Callable[[], None]) -> Iterator[None]:
        """Around what runs a loop: a signal calls ``leave`` in it. Raises ``SystemExit`` at the end, where one came."""
        self._ways.append(leave)
        try:
            yield
        finally:
            self._ways.remove(leave)
        if self._number:
            raise SystemExit(128 + self._number)

    @contextmanager
    def with_it(self, child: subprocess.Popen[str]) -> Iterator[None]:
        """Around the wait for ``child``: a signal ends it too."""
        self._children.append(child)
        try:
            yield
        finally:
            self._children.remove(child)

    def _told(self, number: int, _frame: FrameType | None) -> None:
        from asyncio import get_running_loop

        self._number = number
        for child in self._children:
            child.terminate()
        try:
            loop = get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or not self._ways:
            raise SystemExit(128 + number)
        if self._last is None:
            self._last = threading.Timer(LAST_S, os._exit, (128 + number,))
            self._last.daemon = True
            self._last.start()
        for leave in self._ways:
            loop.call_soon_threadsafe(leave)
