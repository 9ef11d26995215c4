"""Model calls that were answered and that no line of the spool has told yet.

Without a lock: the garbage collector may end a stream, and so count a call, while this very thread holds any lock.
"""

from __future__ import annotations

import os
import time
from _json import encode_basestring_ascii
from collections import deque

from teamops.sdk.beats import MAX_COUNT
from teamops.sdk.spool import warn

MAX_TOLD = 20
"""Calls in one line."""
MAX_WAITING = 2000
"""More calls than this wait for no disk: the oldest are forgotten, which is said."""
MAX_MODEL = 100


class Call:
    """What one answer of a model used. Counts of tokens as ``teamops.model.usage.Tokens`` has them."""

    __slots__ = (
        "cache_read",
        "cache_write",
        "cache_write_1h",
        "input",
        "known",
        "model",
        "output",
        "speed",
        "tier",
        "tool_calls",
        "wall",
    )

    def __init__(self, model: str) -> None:
        self.model = model
        self.known = False
        """The answer told its usage."""
        self.input = self.output = self.cache_write = self.cache_write_1h = self.cache_read = 0
        self.speed = self.tier = ""
        self.tool_calls = 0
        self.wall = 0.0

    @property
    def tokens(self) -> int:
        """All tokens billed."""
        return self.input + self.output + self.cache_write + self.cache_read

    def row(self) -> str:
        """Return it as JSON, without what is nothing."""
        text = f'{{"t":{self.wall:.3f},"model":{encode_basestring_ascii(self.model[:MAX_MODEL])}'
        for name in ("input", "output", "cache_write", "cache_write_1h", "cache_read"):
            if count := getattr(self, name):
                text += f',"{name}":{count}'
        for name in ("speed", "tier"):
            if word := getattr(self, name):
                text += f',"{name}":{encode_basestring_ascii(word[:MAX_MODEL])}'
        return text + "}"


class Calls:
    """The calls of this process that wait for a line. A forked child begins with none: its parent tells them."""

    def __init__(self) -> None:
        self._waiting: deque[Call] = deque(maxlen=MAX_WAITING)
        self._pid = os.getpid()

    @property
    def wait(self) -> bool:
        """There are some."""
        return bool(self._own())

    def add(self, call: Call) -> None:
        """Let ``call``, which has just ended, wait for a line."""
        call.wall = time.time()
        waiting = self._own()
        if len(waiting) == MAX_WAITING:
            warn("model calls that could not be told are forgotten")
        waiting.append(call)

    def take(self) -> list[Call]:
        """Return the calls for the next line, oldest first."""
        waiting = self._own()
        taken: list[Call] = []
        try:
            while len(taken) < MAX_TOLD:
                taken.append(waiting.popleft())
        except IndexError:
            pass
        return taken

    def put_back(self, calls: list[Call]) -> None:
        """Let calls wait again whose line could not be written."""
        self._own().extendleft(reversed(calls))

    @staticmethod
    def told(calls: list[Call], message: object, tokens: int, tool_calls: int) -> tuple[str, object, int, int]:
        """Return the JSON that tells of ``calls``, and a line's message, tokens and tool calls with theirs.

        Tokens that the agent counts itself are the same ones, not more.
        """
        known = [call for call in calls if call.known]
        text = f',"usage":[{",".join(call.row() for call in known)}]' if known else ""
        unknown = len(calls) - len(known)
        if unknown:
            note = f"{unknown} model call{'s' if unknown > 1 else ''} of unknown usage"
            message = f"({note}) {message}" if message else note
        tokens = max(tokens, sum(call.tokens for call in known))
        return text, message, min(tokens, MAX_COUNT), tool_calls + sum(call.tool_calls for call in calls)

    def _own(self) -> deque[Call]:
        pid = os.getpid()
        if pid != self._pid:
            self._waiting, self._pid = deque(maxlen=MAX_WAITING), pid
        return self._waiting
