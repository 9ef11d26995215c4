"""Which files a process and its descendants hold open to write: how a log is known to be theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
MAX_PROCESSES = 64
"""A client stands near the top of its pane's tree; below it come tools, of which there may be thousands."""
_WRITABLE = 0o200
"""The owner's right to write on a link in ``fd``: the file is open to write."""


def tree(pid: int, proc: Path = PROC) -> Iterator[int]:
    """Yield a process and its descendants, nearest first. Of what ends meanwhile nothing is said."""
    found = [pid]
    for known in found:  # grows while it is walked
        yield known
        try:
            tasks = os.listdir(proc / str(known) / "task")  # noqa: PTH208 - names are enough
        except OSError:
            continue
        for task in tasks:
            try:
                children = (proc / str(known) / "task" / task / "children").read_bytes().split()
            except OSError:
                continue
            found += [int(child) for child in children][: MAX_PROCESSES - len(found)]


def written(pid: int, proc: Path = PROC) -> Iterator[Path]:
    """Yield the files that one process has open to write; none where that can't be seen."""
    try:
        entries = list(os.scandir(proc / str(pid) / "fd"))
    except OSError:
        return
    for entry in entries:
        try:
            target = os.readlink(entry.path)  # noqa: PTH115 - a hundred of them for each client
            if target.startswith("/") and entry.stat(follow_symlinks=False).st_mode & _WRITABLE:
                yield Path(target)
        except OSError:
            continue


def began_at(pid: int, proc: Path = PROC) -> float | None:
    """Return when a process began, Unix seconds, to the second; ``None`` where that can't be seen."""
    try:
        ticks = int((proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[19])
        boot = (proc / "stat").read_bytes().partition(b"\nbtime ")[2].split()[0]
    except (OSError, IndexError, ValueError):
        return None
    return int(boot) + ticks / os.sysconf("SC_CLK_TCK")


def cwd_of(pid: int, proc: Path = PROC) -> Path | None:
    """Return where a process works; ``None`` where that can't be seen."""
    try:
        return (proc / str(pid) / "cwd").readlink()
    except OSError:
        return None
