"""The end of a pane's processes: seen, and where they won't, enforced.

Portable but for one thing: how a process ended can be read from its zombie on Linux only.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GRACE_S = 2.0
"""So long a process may take to leave after HUP and TERM."""
KILL_S = 2.0
"""A killed process is gone after this, unless the kernel holds it."""
_POLL_S = 0.02
_PROC = Path("/proc")


def stat_fields(pid: int) -> list[str]:
    """Return ``/proc/PID/stat`` from field 3 (state) on; empty without such a process or without ``/proc``."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return text[text.rfind(")") + 2 :].split()  # the name before it may hold spaces and brackets


def ending_of(pid: int) -> tuple[int | None, int | None] | None:
    """Return (exit status, signal) of a process that ended and is still a zombie; ``None`` = can't be known so."""
    fields = stat_fields(pid)
    if len(fields) < 50 or fields[0] not in {"Z", "X"}:
        return None
    code = int(fields[49])
    return (None, code & 0x7F) if code & 0x7F else (code >> 8 & 0xFF, None)


def nudge(server_pid: int, pid: int) -> None:
    """Tell a tmux server again that its child ``pid`` ended, if it has not asked for its status.

    Debian's tmux 3.3 can miss SIGCHLD; the signal makes it look for ended children and does nothing else. Sent only
    when ``pid`` is that process's own zombie.
    """
    fields = stat_fields(pid)
    if server_pid > 1 and fields[:1] == ["Z"] and fields[1] == str(server_pid):
        _send(server_pid, signal.SIGCHLD)


def is_alive(pid: int) -> bool:
    """Return whether the process exists and is more than a zombie."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    if _PROC.is_dir():
        fields = stat_fields(pid)
        return bool(fields) and fields[0] not in {"Z", "X"}
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _all_pids() -> Iterator[int]:
    if _PROC.is_dir():
        yield from (int(entry) for entry in os.listdir(_PROC) if entry.isdigit())  # noqa: PTH208 - names are enough
        return
    import psutil

    yield from psutil.pids()


def session_of(leader: int) -> list[int]:
    """Return the living processes of the terminal session that ``leader`` began (tmux makes one for each pane)."""
    found = []
    for pid in _all_pids():
        with suppress(OSError):
            if os.getsid(pid) == leader and is_alive(pid):
                found.append(pid)
    return found


def end_session(leader: int, grace_s: float = GRACE_S) -> list[int]:
    """End all of the terminal session of ``leader``: HUP and TERM, then KILL for those that stay. Blocks.

    Returns the processes that live on even so (none, unless the kernel holds one). A process that made a session of its
    own has left the pane and is left alone. Refuses, by doing nothing, a ``leader`` that leads no session.
    """
    if leader <= 1 or leader == os.getsid(0):
        return []
    targets = session_of(leader)
    for number in (signal.SIGHUP, signal.SIGTERM):
        for pid in targets:
            _send(pid, number)
        for pid in targets:
            _send(pid, signal.SIGCONT)  # a stopped process gets its signals only when it goes on
    left = _wait_for_end(leader, grace_s)
    if not left:
        return []
    deadline = time.monotonic() + KILL_S
    while left and time.monotonic() < deadline:
        for pid in left:  # again each time: a process may have forked in between
            _send(pid, signal.SIGKILL)
        left = _wait_for_end(leader, 0.1)
    return left


def _wait_for_end(leader: int, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := session_of(leader)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
