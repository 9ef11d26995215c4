"""One at a time may write the handoff file: the lock, and writes that are on the disk when they return."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = 1 << 20


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the handoff file ``path`` (``.current.md.lock`` beside it); wait for it as long as it takes.

    ``path`` is the file itself, no link to it. The lock goes with the process that holds it, however that ends. Raises
    ``OSError`` where the lock's file can't be made.
    """
    name = path.with_name(f".{path.name}.lock")
    lock = _taken(name)
    while not is_at(lock, name):  # whoever held it took it away: the next one makes, and locks, another
        os.close(lock)
        lock = _taken(name)
    try:
        yield
    finally:
        os.close(lock)


def _taken(name: Path) -> int:
    lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except BaseException:  # an interruption of the wait, too
        os.close(lock)
        raise
    return lock


def take_away(name: Path) -> bool:
    """Take away the lock's file ``name`` unless somebody holds it; return whether it is gone. Raises ``OSError``."""
    lock = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        name.unlink()
        return True
    finally:
        os.close(lock)


def is_at(file: int, path: Path) -> bool:
    """Return whether the open ``file`` is the one that stands at ``path``."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def read_from(file: int, start: int = 0) -> bytes:
    """Return what stands in the open ``file`` from byte ``start`` on."""
    parts = []
    while part := os.pread(file, _CHUNK, start):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def write_all(file: int, data: bytes) -> None:
    """Write all of ``data`` where the open ``file`` stands. Raises ``OSError`` if it can't; a part may stand then."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
