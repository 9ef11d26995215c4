"""Where beats go: one append-only file of JSON lines per process, in the spool folder of its role."""

# ruff: noqa: PTH100, PTH103, PTH110, PTH112, PTH118, PTH120 - importing pathlib costs more than all of this
from __future__ import annotations

import os
import sys
import time
from _stat import S_ISREG
from _thread import allocate_lock
from errno import EINVAL

MARKS = ("teamops.toml", ".teamops", "current.md")
"""What a project's folder is known by."""


def project_of(folder: str) -> str | None:
    """Return the nearest folder from ``folder`` upwards that is a project, or ``None``."""
    folder = os.path.abspath(folder)
    while True:
        if any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def role_of(text: str) -> str | None:
    """Return the role that ``text`` names, or ``None`` where it can't be the name of a folder."""
    role = text.strip().upper()
    if not role or role in {".", ".."} or "/" in role or not role.isprintable():
        return None
    return role


class Spool:
    """The file that this process beats into. Each line is one write: lines of threads never mix.

    A forked child gets a file of its own with its first line. With a ``name`` the file is shared by all processes that
    give it, each of which writes a line or two.
    """

    def __init__(self, project: str, role: str, name: str = "") -> None:
        self._name = name
        self._folder = os.path.join(os.path.abspath(project), ".teamops", "spool", role)
        self._lock = allocate_lock()
        self._pid = 0
        self._fd = -1
        self._file = (0, 0)
        """Device and inode of what was opened: the agent may close or reuse any descriptor."""
        self._torn = False

    def write(self, line: bytes) -> None:
        """Append ``line``, which has no newline yet. Raises ``OSError``: full disk, missing rights."""
        pid = os.getpid()
        if pid != self._pid:
            # A fork may have copied the lock in its locked state, held by a thread that isn't here.
            self._lock = allocate_lock()
            self._pid, self._fd, self._torn = pid, -1, False
        with self._lock:
            if not self._is_open():
                self._open(pid)
            # A full disk may have cut the last line short: what follows must not be glued to it.
            whole = b"\n" + line + b"\n" if self._torn else line + b"\n"
            self._torn = True
            self._torn = os.write(self._fd, whole) < len(whole)

    def _is_open(self) -> bool:
        """Return whether our descriptor still leads to our file, and the file is still in its folder."""
        if self._fd < 0:
            return False
        try:
            status = os.fstat(self._fd)
        except OSError:
            return False
        if (status.st_dev, status.st_ino) != self._file:
            return False
        if status.st_nlink:
            return True
        os.close(self._fd)
        return False

    def _open(self, pid: int) -> None:
        self._fd = -1
        own = os.path.dirname(os.path.dirname(self._folder))
        if not os.path.isdir(own):
            os.makedirs(own, exist_ok=True)
            _ignore(own)
        os.makedirs(self._folder, exist_ok=True)
        path = os.path.join(self._folder, (self._name or f"{pid}-{time.time_ns() // 1_000_000}") + ".jsonl")
        # Not blocking: whatever an agent put in its place, a pipe too, holds no loop up.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        fd = os.open(path, flags, 0o644)
        status = os.fstat(fd)
        if not S_ISREG(status.st_mode):
            os.close(fd)
            raise OSError(EINVAL, f"{path} is no file")
        self._fd, self._torn = fd, False
        self._file = (status.st_dev, status.st_ino)


def _ignore(folder: str) -> None:
    """Keep git's hands off the folder."""
    path = os.path.join(folder, ".gitignore")
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return
    try:
        os.write(fd, b"*\n")
    finally:
        os.close(fd)


_warned: set[str] = set()


def warn(text: str) -> None:
    """Say something on stderr, once per process, or not at all where there is none."""
    if text in _warned:
        return
    _warned.add(text)
    try:
        sys.stderr.write(f"teamops: {text}\n")
    except (OSError, ValueError, AttributeError):
        return
