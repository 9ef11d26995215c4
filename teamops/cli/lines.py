"""Lines for a stream that may take none for a while: a terminal that was stopped (Ctrl+S), a pipe that nobody reads."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

MOST = 1000
"""So many lines wait at most; what comes then is left out, and that is said."""
_LOOK_S = 1.0


class Lines:
    """Writes lines in a thread of its own, in their order. ``say`` may be called in any thread, and never waits."""

    def __init__(self, stream: TextIO | None, on_gone: Callable[[BrokenPipeError], None] = lambda _: None) -> None:
        """``on_gone``: called in the thread, once, when nobody reads any more."""
        self._on_gone = on_gone
        try:
            self._file = -1 if stream is None else stream.fileno()
        except (OSError, ValueError):  # closed, or no file
            self._file = -1
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._change = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._left_out = 0
        self._over = self._file < 0
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        if not self._over:
            self._thread.start()

    def say(self, line: str) -> None:
        """Write ``line`` when its turn comes."""
        with self._change:
            if self._over:
                return
            if len(self._waiting) >= MOST:
                self._left_out += 1
                return
            self._tell_left_out()
            self._waiting.append(self._bytes(line))
            self._change.notify_all()

    def close(self, within_s: float) -> None:
        """Wait until all is written, ``within_s`` at most; what is not is left."""
        end = time.monotonic() + within_s
        with self._change:
            self._tell_left_out()
            self._change.wait_for(lambda: self._over or not self._waiting, max(0.0, end - time.monotonic()))
            self._over = True
            self._change.notify_all()

    @property
    def waits(self) -> bool:
        """Something is not written yet."""
        return bool(self._waiting)

    def _tell_left_out(self) -> None:
        if self._left_out and not self._over:
            self._waiting.append(self._bytes(f"… {self._left_out} lines were left out: nobody took them"))
            self._left_out = 0
            self._change.notify_all()

    def _bytes(self, line: str) -> bytes:
        return f"{line}\n".encode(self._encoding, "replace")

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._over or bool(self._waiting))
                if self._over:
                    return
                line = self._waiting[0]
            try:
                self._write(line)
            except BrokenPipeError as error:
                with self._change:
                    self._over = True
                    self._change.notify_all()
                self._on_gone(error)
                return
            except OSError:
                pass  # a disk that is full, a terminal that hung up: this line is lost, and the next may not be
            with self._change:
                self._waiting.popleft()
                self._change.notify_all()

    def _write(self, line: bytes) -> None:
        """Write ``line``, however long that takes. Not by the stream: its lock would be held, at our end as well."""
        while line:
            try:
                line = line[os.write(self._file, line) :]
            except BlockingIOError:  # whoever shares it asked it not to wait
                select.select([], [self._file], [], _LOOK_S)
