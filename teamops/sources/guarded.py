"""What no agent may change, so that it is looked at though git ignores it or keeps it to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from teamops.domain.boundary_rules import PROTECTED
from teamops.domain.client_files import is_made, without_excluded
from teamops.domain.git_places import is_gits
from teamops.model.boundary import FileKind
from teamops.sources.kept_bytes import read_state

_GUARDED = GitIgnoreSpec.from_lines([glob for glob in PROTECTED if glob not in {".git", "/.teamops/"}])
GUARDED_FOLDERS = (
    ".git/worktrees", ".claude", ".claude/hooks", ".codex", ".gemini", ".opencode", ".opencode/plugin",
    ".opencode/plugins", "profiles",
)  # fmt: skip
"""Watched in any case."""


def guarded(path: str) -> bool:
    """Return whether no agent may change ``path``."""
    return is_gits(path) or _GUARDED.match_file(path)


def is_as_made(root: Path, path: str) -> bool:
    """Return whether a client's settings file in the tree is as teamops makes it, with nothing in it."""
    state, raw = read_state(f"{root}/{path}")
    return state.kind is FileKind.FILE and raw is not None and is_made(path, raw)


def is_same_but_for_ours(root: Path, path: str, before: bytes | None) -> bool:
    """Return whether git's exclude file is another only in the lines that teamops writes there."""
    state, after = read_state(f"{root}/{path}")
    if state.kind is not FileKind.FILE or before is None or after is None:
        return False
    return without_excluded(before) == without_excluded(after)


def guarded_in(root: Path) -> Iterator[str]:
    """Yield such files of the tree at ``root``, but for git's own."""
    for folder in GUARDED_FOLDERS:
        if is_gits(folder):
            continue
        try:
            names = [entry.name for entry in os.scandir(f"{root}/{folder}") if not entry.is_dir()]
        except OSError:
            continue
        yield from (f"{folder}/{name}" for name in names if guarded(f"{folder}/{name}"))
