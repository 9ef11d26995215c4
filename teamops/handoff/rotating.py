"""Moves closed tasks from the handoff file to the month's archive, with nothing lost and nothing changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from teamops.handoff.document import ROLES
from teamops.handoff.leaving import Wanted, divide
from teamops.handoff.locking import is_at, locked, read_from, sync_folder, write_all
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block
from teamops.model.role import Role

Told = Callable[[tuple[str, ...]], None]
"""Given the digests of the blocks that are moved, once they are safe in the archive."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was done."""

    moved: tuple[Block, ...] = ()
    """As they stood in the file."""
    archives: tuple[Path, ...] = ()
    """The archives they are in."""
    kept: tuple[str | None, ...] = ()
    """Tasks that were wanted but stay, since something would read differently without them."""
    salvaged: int = 0
    """Bytes that a writer without the lock had written to the old file meanwhile."""


def rotate(
    path: Path, archive: Path, wanted: Wanted, told: Told, now: datetime, roles: Collection[Role] = ROLES
) -> Rotated:
    """Move the tasks whose blocks are all ``wanted`` from ``path`` to ``archive/current-YYYY-MM.md``.

    ``wanted`` is called under the lock of ``append`` with the blocks of the file, and returns the indices of those that
    may go; ``leaving.divide`` says which of them do, and to which month. Blocks keep their bytes, hence their digests.
    The order: the archive is on the disk; ``told`` is called with the digests (and may raise: then the file stays as it
    was); the file is replaced in one step, with its mode and owner. A link stays one. Killed in between, nothing
    is lost, and the next rotation puts nothing into an archive twice; it tells the same digests again.

    A writer without the lock (``cat >>``) may still have the old file open: what it writes there until the new one
    is on the disk is appended to the new one. What it writes later is lost, if it opened the file before the rotation
    and kept it open. Raises ``OSError`` if a file can't be written, ``TeamopsError`` if this
    one can't be replaced safely.
    """
    name, suffix = path.stem, path.suffix
    path = path.resolve()
    with locked(path):
        for _ in range(_TRIES):
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                rotation = _Rotation(path, file, lambda month: archive / f"{name}-{month}{suffix}", told)
                rotated = rotation.run(wanted, now, roles)
            finally:
                os.close(file)
            if rotated is not None:
                return rotated
    raise TeamopsError(f"{path} was changed again and again meanwhile", "rotate when nobody edits it")


@dataclass(slots=True)
class _Rotation:
    """One attempt, on the file as it is open."""

    path: Path
    file: int
    archive: Callable[[str], Path]
    told: Told

    def run(self, wanted: Wanted, now: datetime, roles: Collection[Role]) -> Rotated | None:
        """Rotate; return nothing if somebody changed the file meanwhile, so that it has to be read again.

        Words that are only appended go along, unless the last block is to be moved: they may belong to it.
        """
        status = os.fstat(self.file)
        if status.st_nlink > 1:
            raise TeamopsError(
                f"{self.path} has a second name (a hard link), which would stay at the old file",
                "remove one of the names, or make it a symbolic link",
            )
        data = read_from(self.file)
        leaving = divide(data, wanted, self._archived, now, roles)
        if not leaving.moved:
            return Rotated(kept=leaving.kept)
        new = _written(self.path, leaving.rest, status)
        try:
            archives = tuple(self._keep(month, text, status) for month, text in leaving.archives.items())
            late = self._late(data)
            if late is None or (late and leaving.last):
                return None
            self.told(tuple(block.digest for block in leaving.moved))
            if self._late(data) is None:
                return None
            salvaged = self._salvage(new, len(data))
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)
        salvaged += self._salvage(self.path, len(data) + salvaged)
        sync_folder(self.path.parent)
        salvaged += self._salvage(self.path, len(data) + salvaged)
        return Rotated(leaving.moved, archives, leaving.kept, salvaged)

    def _archived(self, month: str) -> bytes:
        try:
            return self.archive(month).read_bytes()
        except FileNotFoundError:
            return b""

    def _keep(self, month: str, text: bytes, like: os.stat_result) -> Path:
        """Bring a month's archive to the disk."""
        path = self.archive(month).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        new = _written(path, text, path.stat() if path.exists() else like)
        new.replace(path)
        sync_folder(path.parent)
        sync_folder(path.parent.parent)
        return self.archive(month)

    def _late(self, data: bytes) -> bytes | None:
        """Return what was appended to ``data`` since it was read; ``None`` if the file was changed otherwise."""
        now = read_from(self.file)
        return now[len(data) :] if is_at(self.file, self.path) and now.startswith(data) else None

    def _salvage(self, path: Path, known: int) -> int:
        """Append to ``path`` what stands in the old file after its first ``known`` bytes; return how much it is."""
        late = read_from(self.file, known)
        if late:
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                write_all(file, late)
                os.fsync(file)
            finally:
                os.close(file)
        return len(late)


def _written(path: Path, data: bytes, like: os.stat_result) -> Path:
    """Write ``data`` to a new file beside ``path``, of the mode and owner that ``like`` says; bring it to the disk."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)  # of a rotation that was killed
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(file, data)
        own = os.fstat(file)
        if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(file, like.st_uid, like.st_gid)
        os.fchmod(file, stat.S_IMODE(like.st_mode))
        os.fsync(file)
    except BaseException:
        new.unlink()
        raise
    finally:
        os.close(file)
    return new
