"""Follows one append-only file by complete lines, whatever happens to the file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from teamops.model.tail import Position

BLOCK = 1 << 20
"""Bytes asked for at once."""
MAX_LINE = 8 << 20
"""A longer line is nobody's record: it is skipped and counted."""


class Chunk(Struct, frozen=True):
    """What one reading gave."""

    lines: list[bytes]
    """Complete lines without their newline."""
    position: Position
    """Past the last of them."""
    restarted: bool
    """The file was truncated or replaced: the lines are from its new beginning."""
    skipped: int = 0
    """Lines too long to be held."""
    more: bool = False
    """There is more to read now."""


class Tail:
    """One file from ``position`` on (``None``: from its beginning).

    The file is opened for each reading, so that a replaced one is seen; a missing one may come later. Memory is bounded
    by one block and one line of MAX_LINE. Safe in any one thread at a time.
    """

    def __init__(self, path: Path, position: Position | None, max_line: int = MAX_LINE) -> None:
        self.path = path
        self._position = position or Position(str(path), 0, 0, 0)
        self._max_line = max_line
        self._sought = 0
        """How far a line that is too long was searched for its end; 0 = there is none."""

    @property
    def position(self) -> Position:
        """Where the next reading begins."""
        return self._position

    def read(self, max_bytes: int = BLOCK) -> Chunk:
        """Return the next complete lines out of about ``max_bytes``, more only where one line is longer.

        Raises ``OSError`` where the file is there but can't be read.
        """
        try:
            # Not blocking: what looks like a file may be a pipe that nobody writes to.
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return Chunk([], self._position, restarted=False)
        try:
            return self._read(fd, max_bytes)
        finally:
            os.close(fd)

    def _read(self, fd: int, max_bytes: int) -> Chunk:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return Chunk([], self._position, restarted=False)
        restarted = self._settle(fd, status)
        start = self._sought or self._position.offset
        block = os.pread(fd, max_bytes, start)
        end = block.rfind(b"\n")
        if self._sought:
            return self._skip(block, status.st_size, restarted=restarted)
        parts = [block]
        held = len(block)
        while end < 0 and held < self._max_line and len(block) > 0 and start + held < status.st_size:
            block = os.pread(fd, max_bytes, start + held)
            end = block.rfind(b"\n")
            parts.append(block)
            held += len(block)
        if end < 0:
            if held >= self._max_line:
                self._sought = start + held
            return Chunk([], self._position, restarted, more=bool(self._sought) and self._sought < status.st_size)
        parts[-1] = block[:end]
        whole = b"".join(parts)
        self._position = replace(self._position, offset=start + len(whole) + 1)
        return Chunk(whole.split(b"\n"), self._position, restarted, more=start + held < status.st_size)

    def _skip(self, block: bytes, size: int, *, restarted: bool) -> Chunk:
        """Go on in a line that is too long, to its end if that is here."""
        end = block.find(b"\n")
        if end < 0:
            self._sought += len(block)
            return Chunk([], self._position, restarted, more=self._sought < size)
        self._position = replace(self._position, offset=self._sought + end + 1)
        self._sought = 0
        return Chunk([], self._position, restarted, skipped=1, more=self._position.offset < size)

    def _settle(self, fd: int, status: os.stat_result) -> bool:
        """Make the position one in this very file; return whether it begins again."""
        old = self._position
        if not old.inode and not old.offset:
            self._position = replace(old, device=status.st_dev, inode=status.st_ino)
            return False
        same = (old.device, old.inode) == (status.st_dev, status.st_ino)
        if same and status.st_size >= max(old.offset, self._sought) and self._ends_line(fd, old.offset):
            return False
        self._sought = 0
        self._position = Position(old.path, status.st_dev, status.st_ino, 0, old.generation + 1)
        return True

    @staticmethod
    def _ends_line(fd: int, offset: int) -> bool:
        """Return whether a line ends at ``offset``: it doesn't in most files that were truncated and grew again."""
        return offset == 0 or os.pread(fd, 1, offset - 1) == b"\n"


def lines_before(path: Path, position: Position, max_bytes: int) -> list[bytes]:
    """Return the complete lines of the last ``max_bytes`` before ``position``; none where the file is another by now.

    Raises ``OSError`` where the file can't be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(fd)
        same = (status.st_dev, status.st_ino) == (position.device, position.inode)
        if not (same and stat.S_ISREG(status.st_mode) and status.st_size >= position.offset):
            return []
        start = max(0, position.offset - max_bytes)
        lines = os.pread(fd, position.offset - start, start).split(b"\n")
        return lines[1:] if start else lines
    finally:
        os.close(fd)


def grown_at(path: Path) -> float | None:
    """Return when a file was last written, Unix seconds; ``None`` where there is nothing in it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime if status.st_size else None


def size_of(path: Path) -> int:
    """Return a file's bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
