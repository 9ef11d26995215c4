"""What stands on a disk, as those ask who may not look themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum


class Kind(StrEnum):
    """What stands at a path."""

    FOLDER = "folder"
    FILE = "file"
    LINK = "link"
    NOTHING = "nothing"


Look = Callable[[str], Kind]
Names = Callable[[str], Sequence[str]]
"""Tells what stands in a folder, by its name there."""


def is_in(path: str, folder: str) -> bool:
    """Return whether ``path`` is ``folder`` or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
