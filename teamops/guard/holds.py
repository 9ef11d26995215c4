"""Which agents may not spend: one file for each that is held, in a folder out of the agents' reach.

A file that is there holds, whatever stands in it; its first line says why. Where the folder is missing, or a file can't
be read, everybody is held: a gate that can't be seen is shut. Asked by the hook entry at every tool call.
"""

# ruff: noqa: PTH103, PTH105, PTH108, PTH112, PTH118, PTH120 - importing pathlib costs too much
from __future__ import annotations

import os

FOLDER = "holds"
MAX_BYTES = 4096
_MEND = "ask the person who runs teamops"


def path_of(folder: str, role: str) -> str:
    """Return where the hold of ``role`` stands; ``folder``: the project's in the person's state directory."""
    return os.path.join(folder, FOLDER, role)


def reason(path: str) -> str:
    """Return why nothing may be spent; empty = it may. Never raises: a gate that can't be seen is shut."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        folder = os.path.dirname(path)
        return "" if os.path.isdir(folder) else f"held: the folder {folder} is gone, so nobody can say; {_MEND}"
    except (OSError, ValueError) as error:
        return f"held: {path} can't be opened ({error}); {_MEND}"
    try:
        raw = os.read(handle, MAX_BYTES)
    except OSError as error:
        return f"held: {path} can't be read ({error}); {_MEND}"
    finally:
        os.close(handle)
    return raw.decode("utf-8", "replace").partition("\n")[0].strip() or "held"


def since(path: str) -> float | None:
    """Return since when it is held by its file, Unix seconds; ``None`` where it isn't or the file doesn't say."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        word, _, wall = os.read(handle, MAX_BYTES).decode().partition("\n")[2].strip().partition(" ")
        return float(wall) if word == "since" else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(handle)


def prepare(folder: str) -> None:
    """Make the folder, for its owner only. Raises ``OSError``."""
    os.makedirs(os.path.join(folder, FOLDER), mode=0o700, exist_ok=True)


def hold(folder: str, role: str, why: str, wall: float) -> None:
    """Hold ``role`` from now on: on the disk when this returns. Raises ``OSError``."""
    prepare(folder)
    path = path_of(folder, role)
    draft = os.path.join(folder, FOLDER, f".{role}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        data = f"{' '.join(why.split())}\nsince {wall!r}\n".encode()
        if os.write(handle, data) < len(data):
            raise OSError(f"{draft} could not be written whole")
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(draft, path)
    _sync(os.path.dirname(path))


def let_go(folder: str, role: str) -> bool:
    """Hold ``role`` no more; return whether it was. Raises ``OSError``."""
    path = path_of(folder, role)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    _sync(os.path.dirname(path))
    return True


def _sync(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
