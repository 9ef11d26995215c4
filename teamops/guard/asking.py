"""Appends that are asked for: who can't write the handoff file leaves the block in its own spool, and is answered.

``append-ID.request`` is taken by whoever can write, by renaming it to ``.taken``: one at most does. The answer is what
the command would have printed. The folder is its agent's to write, so nothing in it is trusted: no link is followed,
nothing that stands there is written over, and nothing but a plain, short file is read.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from errno import ENOSPC
from pathlib import Path

LIMIT = 1 << 20
"""Bytes; a longer block is nobody's."""
OLD_S = 3600.0
"""Whoever asked longer ago does not wait any more, and may have said it otherwise."""
MOST = 20
"""So many are taken from one folder at a time."""
_FIELDS = ("status", "turn", "task", "verdict", "gates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A block that is to be appended: what the command was told."""

    text: str
    """What stood on standard input."""
    options: tuple[str, ...]
    """As ``--name=value``; never whose block it is: that is the folder's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it."""

    code: int
    out: str
    err: str


def option(name: str, value: str) -> str:
    """Return an option as a request holds it."""
    return f"--{name}={value}"


def _is_allowed(word: object) -> bool:
    if not isinstance(word, str) or "\0" in word:
        return False
    name = word.removeprefix("--").partition("=")[0]
    return word in ("--force", "--json") or (word.startswith("--") and name in (*_FIELDS, "tier", "section"))


def ask(folder: Path, asked: Asked, name: str) -> None:
    """Leave the request ``name`` in the spool folder of one's own. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"v": 1, **asdict(asked)}).encode()
    with _opened(folder) as inside:
        _write_new(inside, f"append-{name}.new", text)
        os.rename(f"append-{name}.new", f"append-{name}.request", src_dir_fd=inside, dst_dir_fd=inside)


def answer_to(folder: Path, name: str) -> Answer | None:
    """Return the answer to one's request and take it away; ``None`` = none came so far."""
    with _opened(folder) as inside:
        told = _read(inside, f"append-{name}.answer")
        if told is None:
            return None
        for end in ("answer", "taken"):
            with suppress(OSError):
                os.unlink(f"append-{name}.{end}", dir_fd=inside)
    code, out, err = told.get("code"), told.get("out"), told.get("err")
    return Answer(code if isinstance(code, int) else 1, str(out or ""), str(err or ""))


def withdraw(folder: Path, name: str) -> bool:
    """Take one's request back; return whether nobody had taken it."""
    with _opened(folder) as inside:
        try:
            os.unlink(f"append-{name}.request", dir_fd=inside)
        except OSError:
            return False
    return True


def take(folder: Path) -> Iterator[tuple[str, Asked | None]]:
    """Take the requests of a spool folder, oldest names first: (name, request), ``None`` for one that is none."""
    with suppress(OSError), _opened(folder) as inside:
        found = os.listdir(inside)  # noqa: PTH208 - a descriptor, not a path
        names = sorted(name for name in found if name.startswith("append-") and name.endswith(".request"))
        for file in names[:MOST]:
            name = file.removeprefix("append-").removesuffix(".request")
            with suppress(OSError):
                os.rename(file, f"append-{name}.taken", src_dir_fd=inside, dst_dir_fd=inside)
                yield name, _asked(_read(inside, f"append-{name}.taken"))


def answer(folder: Path, name: str, told: Answer) -> None:
    """Leave the answer in the asker's folder. Raises ``OSError``."""
    with _opened(folder) as inside:
        with suppress(FileNotFoundError):
            os.unlink(f"append-{name}.made", dir_fd=inside)
        _write_new(inside, f"append-{name}.made", json.dumps({"v": 1, **asdict(told)}).encode())
        os.rename(f"append-{name}.made", f"append-{name}.answer", src_dir_fd=inside, dst_dir_fd=inside)


def _asked(told: dict[str, object] | None) -> Asked | None:
    if told is None or told.get("v") != 1:
        return None
    text, options = told.get("text"), told.get("options")
    if not isinstance(text, str) or not isinstance(options, list) or not all(map(_is_allowed, options)):
        return None
    return Asked(text=text, options=tuple(options))


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Give the folder itself: what it holds is reached through it, whatever is put in its place meanwhile."""
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield inside
    finally:
        os.close(inside)


def _write_new(inside: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(name, flags, 0o644, dir_fd=inside)
    try:
        if os.write(file, data) < len(data):
            raise OSError(ENOSPC, f"only a part of {name} could be written")
    finally:
        os.close(file)


def _read(inside: int, name: str) -> dict[str, object] | None:
    """Return the object that stands in a file; ``None`` where there is none, or something else."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    except OSError:
        return None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT or time.time() - status.st_mtime > OLD_S:
            return None
        told = json.loads(os.pread(file, LIMIT, 0))
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        os.close(file)
    return told if isinstance(told, dict) else None
