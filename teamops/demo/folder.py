"""The folder that a demo lives in, and its end: everything in it and around it goes when its owner does.

The owner holds a lock on a file in the folder. The kernel gives that lock back when the owner ends, in whatever way, so
"is the owner alive?" is one question without process ids that could have been given to somebody else meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from teamops.demo.transcript import process_start, process_state
from teamops.model.errors import TeamopsError

LOCK = "owner.lock"
SOCKET = "tmux"
LONGEST_SOCKET = 100
"""A socket's path may have 103 bytes on macOS and 107 on Linux."""
SHORT = Path("/tmp")  # noqa: S108 - the folder made in it is proven to be this person's alone
"""Where a demo lives when the temporary folder's own path is too long for a socket."""
GRACE_S = 2.0
"""What the processes of a demo get to end by themselves."""
_PREFIX = "team-"


def parent_folder() -> Path:
    """Return the folder of all demos of this person, made if need be and proven to be theirs alone.

    Raises ``TeamopsError`` where somebody else owns it, or could write to it.
    """
    name = f"teamops-demo-{os.getuid()}"
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base / name / f"{_PREFIX}12345678" / SOCKET)) > LONGEST_SOCKET:
        base = SHORT
    parent = base / name
    with contextlib.suppress(FileExistsError):
        parent.mkdir(mode=0o700)
    facts = parent.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) & 0o077:
        raise TeamopsError(
            f"{parent} is not a folder of your own that is closed to others", "remove it, or set TMPDIR elsewhere"
        )
    return parent


@contextlib.contextmanager
def _gate(parent: Path) -> Iterator[None]:
    """Let one process at a time make or sweep folders: one that is not locked yet looks like one left behind."""
    fd = os.open(parent / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def make(parent: Path) -> tuple[Path, int]:
    """Make a folder for a new demo; return it with its lock, a descriptor that is to stay open."""
    with _gate(parent):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.write(fd, f"{os.getpid()} {process_start(os.getpid())}\n".encode())
    return folder, fd


def owner_gone(folder: Path) -> bool:
    """Return whether the demo's owner has ended."""
    fd = _take(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    if fd is None:
        return not (folder / LOCK).exists()
    os.close(fd)
    return True


def _take(folder: Path, how: int) -> int | None:
    """Return the lock's descriptor, or ``None`` where it is held or gone."""
    try:
        fd = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, how)
    except OSError:
        os.close(fd)
        return None
    return fd


def wait_for_owner(folder: Path) -> None:
    """Sleep until the owner has ended, then clear away what it left."""
    fd = _take(folder, fcntl.LOCK_EX)
    if fd is not None:
        try:
            clear(folder)
        finally:
            os.close(fd)


def sweep(parent: Path) -> list[Path]:
    """Clear away the demos whose owners have ended; return their folders. Nothing else is ever touched."""
    swept = []
    with _gate(parent):
        for folder in sorted(parent.glob(f"{_PREFIX}*")):
            facts = folder.lstat()
            if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
                continue
            if (fd := _take_in_time(folder)) is None:
                continue
            try:
                clear(folder)
                swept.append(folder)
            finally:
                os.close(fd)
    return swept


def _take_in_time(folder: Path) -> int | None:
    """Take a lock that agents, asking for their owner, may hold for a moment."""
    for _ in range(10):
        if (fd := _take(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)) is not None or not (folder / LOCK).exists():
            return fd
        time.sleep(0.02)
    return None


def clear(folder: Path) -> None:
    """End the demo in ``folder``: its tmux server, its processes, the folder itself. The caller holds its lock."""
    agents = _agents(folder)
    _tmux(folder, "kill-server")
    deadline = time.monotonic() + GRACE_S
    while (left := [one for one in agents if _lives(*one)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid, _ in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove the folder; an agent's last words may still be on their way into it."""
    for _ in range(20):
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)  # refuses a link in the folder's place, and follows none below it
        if not folder.exists():
            return
        time.sleep(0.05)


def _lives(pid: int, start: str) -> bool:
    """Return whether that very process still runs; one that only waits to be reaped does not."""
    return process_start(pid) == start and process_state(pid) != "Z"


def _agents(folder: Path) -> list[tuple[int, str]]:
    """Return the agents that have a status file, by process id and start time; they may have ended."""
    found = []
    for file in (folder / "claude" / "sessions").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            row = json.loads(file.read_bytes())
            pid, start = int(row["pid"]), str(row["procStart"])
            if start:
                found.append((pid, start))
    return found


def _tmux(folder: Path, *words: str) -> None:
    """Tell the demo's own tmux server something; a server that is not there, or is stuck, is no error here."""
    socket = folder / SOCKET
    if socket.is_socket():
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["tmux", "-S", str(socket), *words], capture_output=True, timeout=GRACE_S, check=False)
