"""What of git's own folders makes git run or believe something: by it, another's next command would be led.

Found by trial with git 2.39. A ``commondir`` makes git take its settings and its hooks from another folder; of a work
tree that is linked, and of a submodule, the same files lie in ``worktrees/`` and ``modules/``. The todo list of a
rebase that is not at its end runs the commands that stand in it, and the strategy of a rebase or a cherry-pick is part
of a program's path. On the other hand ``objects/info/alternates`` leads nowhere that who may write objects does not
reach anyway, and git takes no command (``update = !…``) from ``.gitmodules``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Mapping
from types import MappingProxyType

from teamops.domain.client_files import EXCLUDE, without_excluded

HOOKS, CONFIG, COMMON, LINKED, WORKTREE_CONFIG = "hooks", "config", "commondir", "gitdir", "config.worktree"
NEUTRAL: Mapping[str, str] = MappingProxyType({COMMON: "./\n", WORKTREE_CONFIG: "", "info/attributes": "", EXCLUDE: ""})
"""What is made where it is missing, so that it can be held. git takes each of them as if it were not there; an empty
``commondir`` it would not, and a dot means: here. libgit2 takes a dot without its slash for no repository at all."""
HELD = (HOOKS, CONFIG, LINKED, *NEUTRAL)
"""Held in each of git's folders."""
TODO = "rebase-merge/git-rebase-todo"
STRATEGIES = ("rebase-merge/strategy", "sequencer/opts")
_FILES = (CONFIG, LINKED, *NEUTRAL, "info/grafts", TODO, *STRATEGIES)
FOLDERS = ("", HOOKS, "info", "rebase-merge", "sequencer")
"""In which folders of one of git's own what is looked at lies."""
WORKTREES, MODULES = "worktrees", "modules"
_TOP = ".git"
_LINKED_TREE = re.compile(r"(\.git/worktrees/[^/]+)(?:/(.*))?", re.DOTALL)
_RUNS = re.compile(rb"^[ \t]*(?:x|exec)[ \t]", re.MULTILINE)


def is_gits(path: str) -> bool:
    """Return whether ``path``, relative to a work tree, is git's own and no work: its ``.git``, or what is in one."""
    return _TOP in path.split("/")


def is_planted(path: str) -> bool:
    """Return whether ``path`` makes a repository of a folder in the tree that was none."""
    parts = path.split("/")
    return (len(parts) > 1 and parts[-1] == _TOP) or (len(parts) > 2 and parts[-2:] == [_TOP, "HEAD"])


def is_looked_at(path: str, modules: Container[str] = ()) -> bool:
    """Return whether a file of git's own is looked at. ``modules``: the folders of submodules, relative to the tree.

    Of a submodule that comes later nothing is: git itself writes its settings then.
    """
    if path == _TOP or is_planted(path):
        return True
    folder, name = _split(path, modules)
    return bool(folder) and (name in _FILES or name.startswith(f"{HOOKS}/"))


def is_watched(path: str, modules: Container[str] = ()) -> bool:
    """Return whether a folder of git's own is looked into."""
    if path == f"{_TOP}/{WORKTREES}" or (path.endswith(f"/{_TOP}") and is_planted(path)):
        return True
    folder, name = _split(path, modules)
    return bool(folder) and name in FOLDERS


def _split(path: str, modules: Container[str]) -> tuple[str, str]:
    """Return which of git's folders a path is of, and its name in it; empty = of none that is known."""
    above = path
    while above:
        if above in modules:
            return above, path[len(above) + 1 :]
        above = above.rpartition("/")[0]
    if found := _LINKED_TREE.fullmatch(path):
        return found[1], found[2] or ""
    if path == _TOP or path.startswith(f"{_TOP}/"):
        return _TOP, path[len(_TOP) + 1 :]
    return "", ""


def is_neutral(path: str, raw: bytes, root: str, modules: Container[str] = ()) -> bool:
    """Return whether git would do with such a file what it does without it, or wrote it itself.

    ``path``: relative to the work tree ``root``, which is absolute. ``raw``: what stands in it.
    """
    folder, name = _split(path, modules)
    linked = folder.startswith(f"{_TOP}/{WORKTREES}/") and folder not in modules
    if name == COMMON:
        told = raw.decode("utf-8", "surrogateescape").rstrip("\n")
        meant = posixpath.normpath(posixpath.join(f"{root}/{folder}", told))
        return bool(told) and meant == (f"{root}/{_TOP}" if linked else f"{root}/{folder}")
    if name == LINKED:
        return linked
    if name == EXCLUDE:
        return not without_excluded(raw).strip()
    if name in NEUTRAL:
        return not raw.strip()
    if name == TODO:
        return not _RUNS.search(raw)
    return name in STRATEGIES and b"/" not in raw
