"""Appends to the handoff file so that no writer loses another's words."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from teamops.handoff.write import append_text

_TAIL = 4


def append(path: Path, text: str) -> None:
    """Append the block ``text`` to ``path``, after a blank line; the file is made where there is none.

    Writers of this kind wait for each other on a lock file beside it (``.current.md.lock``), and the block goes to the
    disk in one write; where another program replaces the file meanwhile, it is written again to the new one. Raises
    ``OSError`` if it can't; a block half written for want of space is taken back.
    """
    path = path.resolve()
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        while not _append_once(path, text):
            pass
    finally:
        os.close(lock)


def _append_once(path: Path, text: str) -> bool:
    """Append, and return whether the file is still the one at ``path``."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(file).st_size
        data = append_text(os.pread(file, _TAIL, max(0, size - _TAIL)), text)
        written = os.write(file, data)
        if written != len(data):
            if os.fstat(file).st_size == size + written:
                os.ftruncate(file, size)
            raise OSError(f"only {written} of {len(data)} bytes could be written to {path}")
        os.fsync(file)
        return _is_at(file, path)
    finally:
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
