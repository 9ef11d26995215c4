"""What tells that a file is another than it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from teamops.model.boundary import FileState
from teamops.sources.kept_bytes import blob_id

Facts = tuple[int, int, int, int, int]


def facts_of(path: str) -> Facts | None:
    """Return what tells that a file is another; ``None`` where there is no file and no link: sockets are no work."""
    try:
        told = os.lstat(path)
    except OSError:
        return None
    if not (stat.S_ISREG(told.st_mode) or stat.S_ISLNK(told.st_mode)):
        return None
    return told.st_mode, told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino


def is_folder(path: str) -> bool:
    """Return whether a folder stands at ``path``, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def is_same(before: FileState, after: FileState, raw: bytes | None) -> bool:
    """Return whether a file is as it was. ``raw``: what it holds now; ``None`` = not known."""
    if (before.kind, before.mode, before.size) != (after.kind, after.mode, after.size):
        return False
    if before.kept.startswith("git:"):
        return raw is not None and blob_id(raw, before.kept[4:]) == before.kept[4:]
    return bool(before.digest) and before.digest == after.digest


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders that ``path`` is in, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path
