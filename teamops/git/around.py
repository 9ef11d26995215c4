"""What lies around a repository and would lead git: other work trees' folders, submodules', what settings name."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from teamops.domain.git_places import MODULES, WORKTREES
from teamops.git.command import Git, GitFailed

SECONDS = 5.0
MAX_FOLDERS = 200
"""So many of git's folders in one repository are looked for."""
_NAMED = r"^(include(if\..*)?\.path|core\.hookspath)$"
_MODULE_PATH = re.compile(r"^[ \t]*path[ \t]*=[ \t]*\"?([^\"\n]+)", re.MULTILINE)


def around(tree: Path, folders: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return what would lead git in a work tree, beside ``folders``, which are git's own for it.

    First more of git's folders: other work trees' and submodules'. Then the files and folders that settings include
    or take hooks from, and submodules' ``.git`` files. Last why git did not say what its settings name; empty = it did.
    Nothing of the repository runs.
    """
    if not folders:
        return (), (), ""
    inner = [path for folder in folders for path in inner_folders(folder)]
    held: list[str] = []
    for path in _submodules(tree):
        (inner if os.path.isdir(path) else held).append(path)  # noqa: PTH112 - a text
    try:
        held += _named(tree)
        why = ""
    except GitFailed as error:
        why = error.message
    known = set(folders)
    return tuple(path for path in dict.fromkeys(inner) if path not in known), tuple(dict.fromkeys(held)), why


def inner_folders(folder: str) -> tuple[str, ...]:
    """Return which of git's folders lie in one: of work trees that are linked to it, and of submodules, all below."""
    found: list[str] = []
    waiting = [(folder, True)]
    while waiting and len(found) < MAX_FOLDERS:
        at, is_gits = waiting.pop()
        if is_gits:
            waiting.append((f"{at}/{MODULES}", False))
            trees = [f"{at}/{WORKTREES}/{name}" for name in _folders(f"{at}/{WORKTREES}")]
            found += [path for path in trees if os.path.lexists(f"{path}/HEAD")]
            continue
        for name in _folders(at):  # a submodule's name may have slashes in it
            path = f"{at}/{name}"
            whole = os.path.lexists(f"{path}/HEAD")
            if whole:
                found.append(path)
            waiting.append((path, whole))
    return tuple(found[:MAX_FOLDERS])


def _folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _submodules(tree: Path) -> Iterator[str]:
    """Return the ``.git`` of each submodule that is there."""
    try:
        text = (tree / ".gitmodules").read_text("utf-8", "surrogateescape")
    except OSError:
        return
    root = str(tree)
    for found in _MODULE_PATH.finditer(text):
        path = os.path.realpath(f"{root}/{found[1].strip()}")
        if path.startswith(f"{root}/") and os.path.lexists(f"{path}/.git"):
            yield f"{path}/.git"


def _named(tree: Path) -> Iterator[str]:
    """Return the files that settings include, and the folder of hooks where they name one. Raises ``GitFailed``."""
    git = Git(tree, time.monotonic() + SECONDS, SECONDS)
    code, out, _ = git.ask("config", "--includes", "--show-origin", "-z", "--get-regexp", _NAMED, codes=(0, 1))
    words = out.decode("utf-8", "surrogateescape").split("\0") if not code else []
    top = next((each for each in (tree, *tree.parents) if os.path.lexists(each / ".git")), tree)
    for origin, told in zip(words[::2], words[1::2], strict=False):
        key, _, value = told.partition("\n")
        kind, _, file = origin.partition(":")
        if kind != "file" or not value:
            continue
        base = top if key == "core.hookspath" else (tree / file).parent
        path = base / os.path.expanduser(value)  # noqa: PTH111 - it takes a user whom nobody knows as it stands
        yield f"{os.path.realpath(path.parent)}/{path.name}"
