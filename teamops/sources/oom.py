"""Who was ended by the kernel for want of memory: its count of such ends, read while a process lives and after.

A KILL says nothing of its sender. The kernel counts its own in the victim's memory cgroup: ``oom_kill`` in
``memory.events.local`` or ``memory.events`` (version 2), in ``memory.oom_control`` (version 1, since Linux 4.13), and
for the whole machine in ``/proc/vmstat``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
KILL = 9
WRAPPED = 128 + KILL
"""The exit status of a wrapper whose child was ended by KILL."""
SETTLED_S = 3.0
"""A process of many gigabytes may take so long to go, and is counted before it goes: what was read so shortly before an
end may have it in already."""

_FILES = {
    "cgroup2": ("memory.events.local", "memory.events"),
    "cgroup": ("memory.oom_control",),
}


def counter_of(pid: int, proc: Path = PROC) -> Path | None:
    """Return the file that counts the kernel's ends of processes where ``pid`` lives; ``None`` = nobody counts."""
    try:
        groups = (proc / str(pid) / "cgroup").read_text("utf-8", "replace").splitlines()
        mounts = (proc / "self" / "mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    for group in groups:
        number, _, rest = group.partition(":")
        names, _, path = rest.partition(":")
        kind = "cgroup2" if number == "0" and not names else "cgroup" if "memory" in names.split(",") else ""
        if not kind:
            continue
        for mount in mounts:
            for folder in _folders(mount, kind, path):
                for name in _FILES[kind]:
                    if read_count(folder / name) is not None:
                        return folder / name
    everywhere = proc / "vmstat"
    return everywhere if read_count(everywhere) is not None else None


def _folders(mount: str, kind: str, path: str) -> list[Path]:
    """Return where a cgroup's files may lie below a mount, a line of ``mountinfo``; none if it is of another kind."""
    before, _, after = mount.partition(" - ")
    fields, types = before.split(), after.split()
    if len(fields) < 5 or not types or types[0] != kind:
        return []
    root, point = fields[3], Path(fields[4])
    within = path.removeprefix(root) if root != "/" else path
    # In a container the path may be told from outside it: then the mount's own folder is the group.
    return [point / within.lstrip("/"), point]


def read_count(path: Path) -> int | None:
    """Return the file's ``oom_kill``; ``None`` = it doesn't say."""
    with suppress(OSError, ValueError):
        for line in path.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return None


@dataclass(slots=True)
class _Counter:
    readings: deque[tuple[float, int]] = field(default_factory=deque)
    """(seconds, count), oldest first; the last one older than SETTLED_S and all after it."""

    def take(self, now: float, count: int) -> None:
        self.readings.append((now, count))
        while len(self.readings) > 1 and self.readings[1][0] <= now - SETTLED_S:
            self.readings.popleft()


class OomKills:
    """The counts where the followed processes live. Belongs to one thread.

    ``now``: a clock that never goes back, seconds.
    """

    def __init__(self, now: Callable[[], float], proc: Path = PROC) -> None:
        self._now = now
        self._proc = proc
        self._of: dict[int, Path] = {}
        self._counters: dict[Path, _Counter] = {}

    def follow(self, pid: int) -> None:
        """Begin to count for a process that lives."""
        path = counter_of(pid, self._proc)
        if path is not None and self._read(path) is not None:
            self._of[pid] = path

    def look(self) -> None:
        """Read all counts again, a few times a minute or more often: what rose long before an end has not caused it."""
        for path in set(self._of.values()):
            self._read(path)

    def end(self, pid: int) -> bool | None:
        """Return whether the count has risen lately, for a process that ended; ``None`` = can't be known."""
        path = self._of.pop(pid, None)
        if path is None:
            return None
        before = self._counters[path].readings[0][1]  # it was read when the process was first followed
        count = self._read(path)
        if path not in self._of.values():
            del self._counters[path]
        return None if count is None else count > before

    def _read(self, path: Path) -> int | None:
        count = read_count(path)
        if count is not None:
            self._counters.setdefault(path, _Counter()).take(self._now(), count)
        return count


def was_oom(exit_status: int | None, exit_signal: int | None, *, risen: bool | None) -> bool | None:
    """Return whether a process that ended so was ended by the kernel for want of memory; ``None`` = can't be known."""
    if exit_signal == KILL or exit_status == WRAPPED:
        return risen
    return None if exit_status is None and exit_signal is None else False
