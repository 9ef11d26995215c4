"""Where Landlock knows nothing of emptying a file (before its version 3): what mounts hold instead, and what not."""

from __future__ import annotations

from collections.abc import Container, Iterable

from teamops.domain.on_disk import Kind, Look, Names, is_in

MAX_BESIDE = 400
"""So many files and folders beside a single one that may be written are mounted read-only; of more, none is."""
EVERY = "every file of its user can be emptied (truncate): Landlock is older than 3"


def beside(area: str, look: Look, names: Names, known: Container[str], devices: Iterable[str]) -> list[str] | None:
    """Return what is to be mounted read-only in ``area``; ``None`` = too much. ``known``: what is mounted already."""
    found = names(area)
    if len(found) > MAX_BESIDE:
        return None
    paths = [f"{area.rstrip('/')}/{name}" for name in found]
    paths = [path for path in paths if path not in known and not any(is_in(device, path) for device in devices)]
    return [path for path in paths if look(path) in (Kind.FOLDER, Kind.FILE)]


def too_many(area: str) -> str:
    """Return the hole where more stands in a folder than is mounted."""
    return f"{area}: all in it can be emptied, for more than {MAX_BESIDE} files and folders are there"


def made_later(area: str) -> str:
    """Return the hole that is left in a folder."""
    return f"{area}: a file that is made there after its start can be emptied: Landlock is older than 3"


def unsaved(path: str) -> str:
    """Return what is said of a copy whose folder is left as it is, because too much is beside it."""
    return f"{path}: its client can't save what it is told, for more than {MAX_BESIDE} files and folders are beside it"
