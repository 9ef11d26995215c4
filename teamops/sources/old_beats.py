"""Beats that were read and are old go from the spool: whole files, and the beginning of one that is still written to.

The spool is the agents' to write, so nothing in it is trusted: no link is followed, and only what teamops itself has
read, by device and inode, is taken away.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from teamops.model.tail import Position

_STEP = 1 << 16
_LEFT = 1 << 20
"""So much of a file's end stays whatever its age: what was read last is read again by the next life."""
_LEAST = 1 << 20
"""Less than this is not worth a hole."""
_BLOCK = 4096
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _Moment(msgspec.Struct):
    t: float


_decode = msgspec.json.Decoder(_Moment).decode


@dataclass(frozen=True, slots=True)
class Cleared:
    """What went."""

    files: int
    bytes: int
    """Of those files, and of the beginnings of others."""


def clear(spool: Path, positions: Mapping[str, Position], before_wall: float) -> Cleared:
    """Take away what was read and is older than ``before_wall``, Unix seconds. Raises ``OSError``."""
    files = freed = 0
    for folder, name in _files(spool):
        position = positions.get(str(spool / name))
        if position is None:
            continue
        file = name.rpartition("/")[2]
        with contextlib.suppress(FileNotFoundError), _opened(folder, file) as (fd, status):
            if not _is_known(status, position):
                continue
            if status.st_mtime < before_wall and status.st_size == position.offset:
                files += _remove(folder, file, fd, position.offset)
                freed += status.st_blocks * 512
            else:
                freed += _hollow(fd, status, min(position.offset, status.st_size) - _LEFT, before_wall)
    return Cleared(files, freed)


def _is_known(status: os.stat_result, position: Position) -> bool:
    same = (status.st_dev, status.st_ino) == (position.device, position.inode)
    return same and stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _files(spool: Path) -> Iterator[tuple[int, str]]:
    """Give each role's folder, opened over no link, and the name of each file in it, relative to the spool."""
    with contextlib.ExitStack() as stack:
        try:
            above = os.open(spool.parent.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, above)
            for part in (spool.parent.name, spool.name):
                above = os.open(part, _FOLDER, dir_fd=above)
                stack.callback(os.close, above)
        except OSError:  # there is no spool, or it is a link: nothing is ours
            return
        for role in os.listdir(above):  # noqa: PTH208 - a descriptor
            try:
                folder = os.open(role, _FOLDER, dir_fd=above)
            except OSError:
                continue
            try:
                for name in os.listdir(folder):  # noqa: PTH208 - a descriptor
                    if name.endswith(".jsonl"):
                        yield folder, f"{role}/{name}"
            finally:
                os.close(folder)


@contextlib.contextmanager
def _opened(folder: int, name: str) -> Iterator[tuple[int, os.stat_result]]:
    try:
        fd = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        raise FileNotFoundError(error.errno, error.strerror) from error  # a link, or not ours to write
    try:
        yield fd, os.fstat(fd)
    finally:
        os.close(fd)


def _remove(folder: int, name: str, fd: int, size: int) -> int:
    """Remove a file, unless something was written to it just now; return how many were."""
    aside = f"{name}.old"  # nobody opens it by this name
    os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
    if os.fstat(fd).st_size != size:
        os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
        return 0
    os.unlink(aside, dir_fd=folder)
    return 1


def _hollow(fd: int, status: os.stat_result, end: int, before_wall: float) -> int:
    """Give the disk back what lies before the first younger line; offsets stay. Return how many bytes."""
    punch = _puncher()
    if punch is None or status.st_blocks * 512 < _LEAST + _LEFT:
        return 0
    start = _first_data(fd)
    last = _older_end(fd, start, end, before_wall) // _BLOCK * _BLOCK
    if last - start < _LEAST or not punch(fd, last):
        return 0
    return max(0, status.st_blocks - os.fstat(fd).st_blocks) * 512


def _older_end(fd: int, start: int, end: int, before_wall: float) -> int:
    """Return where the last block begins whose first line is older, as are those of all before it."""
    at = start
    while at < end:
        moment = _moment_in(os.pread(fd, _STEP, at), first=at == 0)
        if moment is not None and moment >= before_wall:
            break
        at += _STEP
    return max(start, min(at, end) - _STEP)


def _moment_in(block: bytes, *, first: bool) -> float | None:
    """Return the moment of the first line that begins in a block and tells one."""
    for line in block.split(b"\n")[0 if first else 1 :]:
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            return _decode(line).t
    return None


def _first_data(fd: int) -> int:
    try:
        return os.lseek(fd, 0, os.SEEK_DATA)
    except OSError:
        return 0


def _puncher() -> Callable[[int, int], bool] | None:
    """Return what makes a hole from a file's beginning up to an offset; ``None`` where the system has none."""
    if not sys.platform.startswith("linux"):
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None)
    if call is None:
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return lambda fd, size: call(fd, _KEEP_SIZE | _PUNCH_HOLE, 0, size) == 0
