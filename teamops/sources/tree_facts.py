"""What tells that a file of a work tree is another than before, and what a look at all of them found."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from teamops.model.boundary import ChangeKind, FileChange, FileKind, FileState
from teamops.sources.kept_bytes import blob_id

Facts = tuple[int, int, int, int, int]
"""Mode, size, both times of its last change (ns; the second can't be set by a user) and inode."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found."""

    changes: tuple[FileChange, ...]
    again: frozenset[str] = frozenset()
    """To be looked at once more: what came or went just now may be half of a save."""
    folders: tuple[str, ...] = ()
    """New ones, absolute: to be watched."""
    more: bool = False
    """There were too many changes for one look: everything is to be looked at again."""


def facts_of(path: str) -> Facts | None:
    """Return what tells that a file is another; ``None`` where there is no file and no link: sockets are no work."""
    try:
        told = os.lstat(path)
    except OSError:
        return None
    if not (stat.S_ISREG(told.st_mode) or stat.S_ISLNK(told.st_mode)):
        return None
    return told.st_mode, told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino


def is_same(before: FileState, after: FileState, raw: bytes | None) -> bool:
    """Return whether two states are one. ``raw``: the later bytes, for what git holds of the earlier."""
    if (before.kind, before.mode, before.size) != (after.kind, after.mode, after.size):
        return False
    if before.kept.startswith("git:"):
        return raw is not None and blob_id(raw, before.kept[4:]) == before.kept[4:]
    return bool(before.digest) and before.digest == after.digest


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders that ``path`` is in, the innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


def is_below_link(root: Path, path: str, asked: dict[str, bool]) -> bool:
    """Return whether a folder above is a link: then what is there is another file, of another name.

    ``asked``: what was answered already.
    """
    for above in folders_above(path):
        if above not in asked:
            asked[above] = Path(f"{root}/{above}").is_symlink()
        if asked[above]:
            return True
    return False


def is_folder(path: str) -> bool:
    """Return whether a folder stands there, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def spec_of(lines: list[str]) -> GitIgnoreSpec:
    """Return the rules that lines of a .gitignore are; none where they can't be read."""
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(())


def stands_since(root: Path, path: str, facts: Facts, ages: dict[str, float], *, came: bool) -> float:
    """Return since when a file stands at ``path`` as it is (Unix seconds), by times that no user can set.

    One that ``came`` may have come with its folder, and is then older than its name: the youngest above it counts, but
    for the tree's own. ``ages``: what is known of folders.
    """
    since = facts[3] / 1e9
    for above in folders_above(path) if came else ():
        if above not in ages:
            try:
                ages[above] = os.lstat(f"{root}/{above}").st_ctime
            except OSError:
                ages[above] = float("inf")
        since = max(since, ages[above])
    return since


def kind_of(before: FileState, after: FileState) -> ChangeKind:
    """Return what became of a file."""
    if before.kind is FileKind.NOTHING:
        return ChangeKind.CREATED
    return ChangeKind.DELETED if after.kind is FileKind.NOTHING else ChangeKind.CHANGED
