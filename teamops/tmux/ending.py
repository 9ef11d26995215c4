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

from msgspec import Struct

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
    if code & 0x7F:
        return None, code & 0x7F
    status = code >> 8 & 0xFF
    return told_by_wrapper(status) if is_wrapper(pid) else (status, None)


WRAPPER = "bwrap"
"""It stays around the agent for as long as that runs, and ends as the agent did."""


def is_wrapper(pid: int) -> bool:
    """Return whether the process only waits for an agent that it put into its boundary; a zombie, too."""
    try:
        return (_PROC / str(pid) / "comm").read_text("utf-8", "replace").strip() == WRAPPER
    except OSError:
        return False


def told_by_wrapper(status: int) -> tuple[int | None, int | None]:
    """Return (exit status, signal) of the agent: the program around it says 128 + n for the signal n."""
    return (None, status - 128) if 128 < status <= 128 + signal.NSIG - 1 else (status, None)


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


class Named(Struct, frozen=True):
    """One process for ever: a pid alone may be another's by now."""

    pid: int
    born: str
    """Its start time as the kernel counts it; empty where that can't be known."""


def born_of(pid: int) -> str:
    """Return when the process began, as the kernel counts it; empty where that can't be known."""
    fields = stat_fields(pid)
    return fields[19] if len(fields) > 19 else ""


def tree_of(pid: int) -> list[Named]:
    """Return all that descends from a process by parents, nearest first, without itself."""
    children: dict[int, list[int]] = {}
    for other in _all_pids():
        parent = _parent_of(other)
        if parent > 0:
            children.setdefault(parent, []).append(other)
    found, names = [pid], []
    for known in found:  # grows while it is walked
        for child in children.get(known, ()):
            if child not in found:
                found.append(child)
                names.append(Named(child, born_of(child)))
    return names


def _parent_of(pid: int) -> int:
    fields = stat_fields(pid)
    if fields:
        return int(fields[1])
    if _PROC.is_dir():
        return 0
    import psutil

    try:
        return psutil.Process(pid).ppid()
    except psutil.Error:
        return 0


def end_tree(leader: int, grace_s: float = GRACE_S) -> list[int]:
    """End the terminal session of ``leader``, and what it has begun in sessions of their own. Blocks.

    For an agent that teamops started: whatever descends from it is its own, also a child that called ``setsid``. One
    that has daemonized (its parents ended) is no more known as a descendant. Returns what lives on even so.
    """
    if leader <= 1 or leader == os.getsid(0):
        return []
    strangers = tree_of(leader)  # before anything ends: afterwards they are nobody's children
    left = end_session(leader, grace_s)
    _end_each(strangers, grace_s)
    return [*left, *(name.pid for name in strangers if _lives(name) and name.pid not in left)]


def end_named(names: list[Named], grace_s: float = GRACE_S) -> list[int]:
    """End these very processes: TERM, then KILL. Blocks. Returns what lives on even so."""
    _end_each(names, grace_s)
    return [name.pid for name in names if _lives(name)]


def _end_each(names: list[Named], grace_s: float) -> None:
    """End these processes, and what they begin while they are being ended, which is added to ``names``."""
    for numbers, seconds in (((signal.SIGTERM, signal.SIGCONT), grace_s), ((signal.SIGKILL,), KILL_S)):
        deadline = time.monotonic() + seconds
        told: set[Named] = set()
        while living := [name for name in names if _lives(name)]:
            for name in living:
                names += [late for late in tree_of(name.pid) if late not in names]
                if name not in told or signal.SIGKILL in numbers:
                    told.add(name)
                    for number in numbers:
                        _send(name.pid, number)
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)


def _lives(name: Named) -> bool:
    return is_alive(name.pid) and born_of(name.pid) == name.born


def _wait_for_end(leader: int, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := session_of(leader)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
