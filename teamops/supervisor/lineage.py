"""What a process comes from: its parents, its session's leader, and whoever holds the other end of its terminal.

Linux tells it all in ``/proc``; elsewhere only the parents are known. What can't be read is left out, so that a
process in between that hides (its memory can't be read, it has ended) ends the way there.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_PTS = range(136, 144)
"""The kernel's numbers for terminals that programs make."""


def origins(pid: int, proc: Path = PROC) -> Iterator[int]:
    """Yield a process and all that it comes from, the nearest first, each once. Raises nothing."""
    if not (proc / "self" / "stat").exists():
        yield from _parents(pid)
        return
    waiting, seen = deque([pid]), {0}
    holders: dict[int, list[int]] | None = None
    while waiting:
        at = waiting.popleft()
        if at in seen:
            continue
        seen.add(at)
        try:
            parent, session, terminal = _stat(proc, at)
        except (OSError, ValueError, IndexError):
            continue
        yield at
        waiting += (parent, session)
        number = _pts(terminal)
        if number is not None:
            holders = _holders(proc) if holders is None else holders
            waiting += holders.get(number, ())


def controlling_terminal(proc: Path = PROC) -> int | None:
    """Return the device of this process' own terminal, 0 where it has none; ``None`` where nobody tells."""
    try:
        number = _stat(proc, os.getpid())[2]
    except (OSError, ValueError, IndexError):
        return None
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)


def environment(pid: int, proc: Path = PROC) -> dict[str, str]:
    """Return the environment that a process was begun with; empty where it can't be read."""
    try:
        raw = (proc / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    words = (os.fsdecode(one).partition("=") for one in raw.split(b"\0"))
    return {name: value for name, _, value in words if name}


def streams(pid: int, proc: Path = PROC) -> Iterator[tuple[int, int]]:
    """Yield what a process has as input, output and errors: each file's device and number."""
    for number in (0, 1, 2):
        with suppress(OSError):
            told = (proc / str(pid) / "fd" / str(number)).stat()
            yield told.st_dev, told.st_ino


def cgroup(pid: int, proc: Path = PROC) -> str:
    """Return the control group that a process is in; empty where nobody tells."""
    try:
        return (proc / str(pid) / "cgroup").read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _parents(pid: int) -> Iterator[int]:
    import psutil

    yield pid
    with suppress(psutil.Error):
        yield from (one.pid for one in psutil.Process(pid).parents())


def _stat(proc: Path, pid: int) -> tuple[int, int, int]:
    """Return parent, session and terminal of a process. Raises ``OSError``, ``ValueError``, ``IndexError``."""
    words = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    return int(words[1]), int(words[3]), int(words[4])


def _pts(terminal: int) -> int | None:
    major, minor = terminal >> 8 & 0xFFF, terminal & 0xFF | terminal >> 12 & 0xFFF00
    return (major - _PTS.start << 8) + minor if major in _PTS else None


def _holders(proc: Path) -> dict[int, list[int]]:
    """Return who holds the other end of which terminal. In another ``/dev`` the same numbers are other terminals."""
    ours = set()
    for name in ("/dev/ptmx", "/dev/pts/ptmx"):
        with suppress(OSError):
            ours.add(os.stat(name).st_dev)  # noqa: PTH116 - a text
    found: dict[int, list[int]] = {}
    with suppress(OSError):
        for process in os.scandir(proc):
            if process.name.isdecimal():
                for number in _held(process.path, ours):
                    found.setdefault(number, []).append(int(process.name))
    return found


def _held(process: str, ours: set[int]) -> Iterator[int]:
    try:
        handles = os.listdir(f"{process}/fd")  # noqa: PTH208 - texts
    except OSError:
        return
    for handle in handles:
        with suppress(OSError, ValueError):
            if not os.readlink(f"{process}/fd/{handle}").endswith("/ptmx"):  # noqa: PTH115 - a text
                continue
            if os.stat(f"{process}/fd/{handle}").st_dev not in ours:  # noqa: PTH116 - a text
                continue
            told = Path(f"{process}/fdinfo/{handle}").read_text("utf-8", "replace")
            yield int(told.partition("tty-index:")[2].split(maxsplit=1)[0])
