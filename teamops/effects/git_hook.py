"""git's pre-commit hook put into a repository, where it stands in nobody's way."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from teamops.git.repository import Repository
from teamops.guard import git_hook
from teamops.model.errors import TeamopsError

NAME = "pre-commit"


def command(folder: Path) -> str:
    """Return the line that judges a commit. ``folder``: the project's in the person's state directory."""
    return shlex.join([sys.executable, "-I", "-S", str(git_hook.__file__), str(folder)])


def script(folder: Path) -> str:
    """Return the whole hook."""
    what = "refuses commits past the boundary of the role in TEAMOPS_ROLE"
    return f"#!/bin/sh\n# {git_hook.MARK}: {what}\nexec {command(folder)}\n"


def install(root: Path, folder: Path, announce: Callable[[Path, bytes], None] = lambda *_: None) -> str:
    """Install the hook for the repository of ``root``; return what was done.

    ``announce``: told the file and what it will hold, just before it is written.
    Raises ``TeamopsError`` with what to do by hand, where a hook stands there that is not ours, or where hooks are kept
    somewhere that is not this repository's alone.
    """
    repository = Repository.find(root)
    if repository is None:
        raise TeamopsError("the project is in no git repository", "git init")
    hooks, own = repository.hooks()
    line = f"{command(folder)} || exit 1"
    if hooks != own:
        raise TeamopsError(
            f"git's hooks are in {hooks} (core.hooksPath), not in the repository's own folder: nothing was changed",
            f"let the {NAME} hook there run this line: {line}",
        )
    path = hooks / NAME
    if os.path.lexists(path) and not is_ours(path):
        raise TeamopsError(
            f"there is a hook of yours, {path}: it stays as it is", f"let it run this line before it ends: {line}"
        )
    text = script(folder)
    there = path.is_file()
    if there and path.read_text("utf-8", "replace") == text and os.access(path, os.X_OK):
        return f"{path} is there already"
    announce(path, text.encode())
    new = hooks / f".{NAME}.teamops"
    try:
        hooks.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.chmod(0o755)
        new.replace(path)
    except OSError as error:
        raise TeamopsError(f"{path} can't be written: {error.strerror or error}", "mend the folder's rights") from error
    return f"{path} is {'renewed' if there else 'installed'}"


def is_ours(path: Path) -> bool:
    """Return whether teamops made the hook, and nobody put anything of their own into it."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    made = len(lines) == 3 and lines[1].startswith(f"# {git_hook.MARK}: ") and lines[2].startswith("exec ")
    return made and not path.is_symlink()
