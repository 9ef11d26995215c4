"""The bytes of files as they were, kept for a while: what a change past a boundary is undone with.

Beside the ledger, out of the agents' reach. What git holds is not kept twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from teamops.model.boundary import FileKind, FileState

MAX_FILE = 16 << 20
"""A greater file's bytes are not kept, so a change of it can't be undone."""
MAX_ALL = 512 << 20
FOLDER = "before"


class KeptBytes:
    """Files by their SHA-256, each once. For one thread at a time."""

    def __init__(self, folder: Path, most: int = MAX_ALL) -> None:
        self._folder = folder
        self._most = most
        self._sizes: dict[str, int] = {}
        self._all = 0
        self.trouble = ""
        """Why some bytes could not be kept; empty = all were."""

    def begin(self) -> None:
        """Start with nothing: what an earlier life kept is of another moment."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._sizes.clear()
        self._all = 0
        try:
            self._folder.mkdir(parents=True, mode=0o700)
        except OSError as error:
            self.trouble = f"{self._folder} can't be made: {error.strerror or error}"

    def keep(self, raw: bytes, digest: str) -> str:
        """Keep bytes; return where they are, or nothing where there is no room."""
        path = self._folder / digest
        if digest in self._sizes:
            return str(path)
        if self._all + len(raw) > self._most:
            self.trouble = f"more than {self._most >> 20} MB of files that git does not hold"
            return ""
        new = path.with_suffix(".new")
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
                file.write(raw)
            new.rename(path)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            self.trouble = f"what files hold can't be kept: {error.strerror or error}"
            return ""
        self._sizes[digest] = len(raw)
        self._all += len(raw)
        return str(path)

    def drop(self, digests: set[str]) -> None:
        """Keep these no longer."""
        for digest in digests & self._sizes.keys():
            with suppress(OSError):
                (self._folder / digest).unlink()
            self._all -= self._sizes.pop(digest)

    @property
    def digests(self) -> set[str]:
        """What is kept."""
        return set(self._sizes)


def read_state(path: str, most: int = MAX_FILE) -> tuple[FileState, bytes | None]:
    """Return what stands at ``path``, and its bytes; ``None`` where it is too great, no file, or can't be read.

    No link is followed in its last place. Raises nothing.
    """
    try:
        told = os.lstat(path)
    except OSError:
        return FileState(), None
    mode = stat.S_IMODE(told.st_mode)
    if stat.S_ISLNK(told.st_mode):
        try:
            raw = os.fsencode(os.readlink(path))  # noqa: PTH115
        except OSError:
            return FileState(), None
        return FileState(kind=FileKind.LINK, size=len(raw), digest=digest_of(raw)), raw
    if not stat.S_ISREG(told.st_mode):
        return FileState(kind=FileKind.OTHER, mode=mode), None
    plain = FileState(kind=FileKind.FILE, mode=mode, size=told.st_size)
    if told.st_size > most:
        return plain, None
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            raw = file.read(most + 1)
    except OSError:
        return plain, None
    if len(raw) > most:
        return plain, None
    return FileState(kind=FileKind.FILE, mode=mode, size=len(raw), digest=digest_of(raw)), raw


def read_kept(state: FileState) -> bytes | None:
    """Return bytes that teamops keeps itself; ``None`` where they are not what they were."""
    if not state.kept:
        return b"" if state.kind is FileKind.NOTHING else None
    try:
        raw = Path(state.kept).read_bytes()
    except OSError:
        return None
    return raw if digest_of(raw) == state.digest else None


def digest_of(raw: bytes) -> str:
    """Return the SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def blob_id(raw: bytes, like: str) -> str:
    """Return the id that git gives a blob of these bytes, of the length of ``like``."""
    text = b"blob %d\0" % len(raw) + raw
    return hashlib.sha256(text).hexdigest() if len(like) == 64 else hashlib.sha1(text).hexdigest()  # noqa: S324 - git's
