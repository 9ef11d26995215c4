"""Sees that a terminal was written to, without reading a byte: inotify on ``/dev/pts/N``, at most once per 1 s."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable, Iterable

REARM_S = 1.0
_IN_MODIFY = 0x2
_IN_ONESHOT = 0x80000000
_HEADER = struct.Struct("iIII")


class PtyOutput:
    """Calls ``seen(tty)`` when something wrote to a watched terminal. Each watch fires once and is set again after 1 s.

    ``available`` is false where the system has no inotify (macOS) or no more instances.
    """

    def __init__(self, seen: Callable[[str], None]) -> None:
        self._seen = seen
        self._libc: ctypes.CDLL | None = None
        self._fd = -1
        self._ttys: dict[int, str] = {}
        self._fired: set[str] = set()
        self._wanted: frozenset[str] = frozenset()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def available(self) -> bool:
        """Whether terminals are watched."""
        return self._fd >= 0

    def start(self) -> None:
        """Open, in the running loop."""
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "inotify_init1"):
            return
        self._libc = libc
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd >= 0:
            asyncio.get_running_loop().add_reader(self._fd, self._ready)

    def close(self) -> None:
        """End all watches."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def watch(self, ttys: Iterable[str]) -> None:
        """Watch these terminals and no other from now on."""
        wanted = frozenset(tty for tty in ttys if tty.startswith("/dev/"))
        if wanted == self._wanted or not self.available or self._libc is None:
            return
        for wd, tty in tuple(self._ttys.items()):
            if tty not in wanted:
                self._libc.inotify_rm_watch(self._fd, wd)
                del self._ttys[wd]
        new, self._wanted = wanted - self._wanted, wanted
        self._fired &= wanted
        for tty in new:
            self._arm(tty)

    def _arm(self, tty: str) -> None:
        if self._libc is None or self._fd < 0:
            return
        wd = self._libc.inotify_add_watch(self._fd, os.fsencode(tty), _IN_MODIFY | _IN_ONESHOT)
        if wd >= 0:
            self._ttys[wd] = tty

    def _ready(self) -> None:
        try:
            raw = os.read(self._fd, 65536)
        except OSError:
            return
        position = 0
        while position + _HEADER.size <= len(raw):
            wd, mask, _, length = _HEADER.unpack_from(raw, position)
            position += _HEADER.size + length
            if mask & _IN_MODIFY and (tty := self._ttys.pop(wd, None)) is not None:
                self._fired.add(tty)
                self._seen(tty)
        if self._fired and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REARM_S, self._rearm)

    def _rearm(self) -> None:
        self._timer = None
        fired, self._fired = self._fired, set()
        for tty in fired & self._wanted:
            self._arm(tty)
