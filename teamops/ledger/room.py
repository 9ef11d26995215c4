"""Whether the ledger's folder has room for what is to be written next."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

LEAST_BYTES = 16_384
"""A disk with less room is full: SQLite writes pages, and some at a time."""


def is_full(folder: Path) -> bool:
    """Return whether its disk has no room left, at once; False also where nobody can say."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    free = (disk.f_bavail if os.geteuid() else disk.f_bfree) * disk.f_frsize
    return bool(disk.f_blocks) and free < LEAST_BYTES  # some file systems count nothing


def refusal(folder: Path) -> str:
    """Return why nothing can be written in ``folder``, by writing a file without a name; empty = it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * LEAST_BYTES)
    except OSError as error:
        return error.strerror or str(error)
    return ""
