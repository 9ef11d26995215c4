"""Text that is too long to type: kept in a file of the project, and one line that names it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from teamops.handoff.locking import write_all
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.text import clean
from teamops.tmux.deliver import MAX_CHARS

FOLDER = (".teamops", "pokes")
KEPT = 20
"""So many of each role are kept; older ones go when a new one comes."""
MAX_BYTES = 1_000_000
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 100


def is_long(text: str) -> bool:
    """Return whether ``text`` can't be typed as one line: it has several, or 700 characters or more."""
    said = clean(text).strip()
    return "\n" in said or len(said) >= MAX_CHARS


def keep_text(root: Path, cwd: Path, role: Role, text: str, wall: float) -> str:
    """Write ``text`` into a new file of the project at ``root`` and return the line that names it.

    ``cwd``: where the role's agent runs; ``wall``: Unix seconds, now. Raises ``TeamopsError`` where the file can't be
    written; nothing that a symlink leads to is touched.
    """
    data = (clean(text).strip() + "\n").encode()
    if len(data) > MAX_BYTES:
        raise TeamopsError(f"{len(data)} bytes are too many for a poke", "put them into a file and name it in the text")
    folder = root.joinpath(*FOLDER)
    try:
        opened = _open_folder(root)
        try:
            name = _write(opened, role, data, wall)
            _prune(opened, role)
        finally:
            os.close(opened)
    except OSError as error:
        raise TeamopsError(
            f"can't keep the text in {folder}: {error.strerror or error}",
            "make it a folder of the project's own that you may write to",
        ) from error
    path = folder / name
    shown = str(Path(*FOLDER, name)) if cwd == root else str(path)
    return f"Please read {shown} to its end, and do what it says."


def _open_folder(root: Path) -> int:
    """Return the folder's descriptor; each step of the way is a real folder."""
    opened = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for step, name in enumerate(FOLDER):
        try:
            with suppress(FileExistsError):
                os.mkdir(name, 0o755 if step == 0 else 0o700, dir_fd=opened)
                if step == 0:
                    opened_new = os.open(name, _DIRECTORY, dir_fd=opened)
                    try:
                        _keep_from_git(opened_new)
                    finally:
                        os.close(opened_new)
            deeper = os.open(name, _DIRECTORY, dir_fd=opened)
        finally:
            os.close(opened)
        opened = deeper
    _keep_from_git(opened)
    return opened


def _keep_from_git(folder: int) -> None:
    with suppress(FileExistsError):
        file = os.open(".gitignore", _NEW, 0o644, dir_fd=folder)
        try:
            write_all(file, b"*\n")
        finally:
            os.close(file)


def _write(folder: int, role: Role, data: bytes, wall: float) -> str:
    stem = f"{role}-{datetime.fromtimestamp(wall):%Y%m%dT%H%M%S}"  # noqa: DTZ006 - a person's own time
    for number in range(_TRIES):
        name = f"{stem}-{number:02}.md"
        try:
            file = os.open(name, _NEW, 0o600, dir_fd=folder)
        except FileExistsError:
            continue
        try:
            write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        return name
    raise FileExistsError(17, f"{_TRIES} texts for {role} within a second")


def _prune(folder: int, role: Role) -> None:
    """Take away the oldest files of the role; whatever else lies there stays."""
    ours = re.compile(rf"{re.escape(role)}-\d{{8}}T\d{{6}}-\d\d\.md")
    names = sorted(name for name in os.listdir(folder) if ours.fullmatch(name))
    for name in names[:-KEPT]:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
