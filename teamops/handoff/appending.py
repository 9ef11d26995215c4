"""Appends to the handoff file so that no writer loses another's words."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from teamops.handoff.blocks import digest_of
from teamops.handoff.locking import is_at, locked, read_from
from teamops.handoff.write import append_text

Check = Callable[[bytes], None]
"""Given the file's bytes before anything is written; raises what it likes to refuse."""

_TAIL = 4


@dataclass(frozen=True, slots=True)
class Appended:
    """What was written."""

    offset: int
    """Byte offset of the text in the file, after the blank line before it."""
    digest: str
    """Its digest as ``Block.digest`` has it, where the text is one block."""


def append(path: Path, text: str, check: Check | None = None) -> Appended:
    """Append the block ``text`` to ``path``, after a blank line; the file is made where there is none.

    Writers of this kind wait for each other on a lock file beside it (``.current.md.lock``), and the block goes to the
    disk in one write; where another program replaces the file meanwhile, it is written again to the new one. A link is
    followed. ``check`` is called under the lock with the whole file as it is (nothing, where there is no file) and may
    raise: then nothing is written. It is asked again about what a writer without the lock adds while it thinks.
    Raises ``OSError`` if the block can't be written; one half written for want of space is taken back.
    """
    path = path.resolve()
    with locked(path):
        while (written := _append_once(path, text, check)) is None:
            pass
        return written


def _append_once(path: Path, text: str, check: Check | None) -> Appended | None:
    """Append, and return what was written if the file is still the one at ``path``."""
    asked = None
    if check is not None and not path.exists():
        check(b"")
        asked = 0
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        if check is not None:
            _ask(check, file, asked)
        size = os.fstat(file).st_size
        data = append_text(os.pread(file, _TAIL, max(0, size - _TAIL)), text)
        written = os.write(file, data)
        if written != len(data):
            if os.fstat(file).st_size == size + written:
                os.ftruncate(file, size)
            raise OSError(f"only {written} of {len(data)} bytes could be written to {path}")
        end = os.lseek(file, 0, os.SEEK_CUR)
        os.fsync(file)
        if not is_at(file, path):
            return None
        return Appended(end - len(data.lstrip(b"\n")), digest_of(text))
    finally:
        os.close(file)


def _ask(check: Check, file: int, asked: int | None) -> None:
    """Ask until the file is as long as when it was asked about; ``asked``: its length then."""
    while asked != os.fstat(file).st_size:
        data = read_from(file)
        check(data)
        asked = len(data)
