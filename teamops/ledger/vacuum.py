"""The whole file written anew, without its free pages. What it was before is kept until the new one is proven."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from teamops.ledger.connection import BUSY_S, LedgerError, open_existing, reading, trouble
from teamops.ledger.tables import TABLES

Say = Callable[[str, float], None]
"""Told what is done, and how much of that, from 0 to 1."""
_PAGES = 1024
_OPCODES = 200_000


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What it brought."""

    before_bytes: int
    after_bytes: int


def backup_of(path: Path) -> Path:
    """Return where the file as it was is kept meanwhile."""
    return path.with_name(f"{path.name}.before-vacuum")


def vacuum(path: Path, say: Say = lambda _what, _part: None) -> Vacuumed:
    """Write the ledger at ``path`` anew. Whoever calls has made sure that no supervisor acts, nor begins to.

    Raises ``LedgerError`` where the file is damaged, the disk is too full, or somebody else writes; the ledger is as it
    was then. Killed at any time, the ledger is what it was before or the new one, by SQLite's own journal.
    """
    with closing(open_existing(path, BUSY_S)) as connection:
        with reading(path):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        before = path.stat().st_size
        free = shutil.disk_usage(path.parent).free
        if free < 3 * before:
            raise LedgerError(
                f"ledger {path}: for a moment three times its {before} bytes must be free, and there are {free}",
                "free disk space",
            )
        _must_be_sound(connection, path, "nothing is done")
        counts = _counts(connection, path)
        backup = backup_of(path)
        try:
            _copy(connection, path, backup, say)
            _rewrite(connection, before, say)
            say("proving", 0.0)
            _must_be_sound(connection, path, f"the file as it was is {backup}")
            if _counts(connection, path) != counts:
                raise LedgerError(f"ledger {path}: rows are missing", f"put {backup} in its place, and report it")
        except sqlite3.Error as error:
            backup.unlink(missing_ok=True)  # a vacuum that failed has changed nothing
            raise trouble(path, error) from error
        say("proving", 1.0)
        backup.unlink(missing_ok=True)
        return Vacuumed(before, path.stat().st_size)


def _copy(connection: sqlite3.Connection, path: Path, backup: Path, say: Say) -> None:
    backup.unlink(missing_ok=True)
    try:
        os.close(os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise LedgerError(f"{backup}: {error.strerror}", "mend the rights of the state directory") from error

    def progress(_status: int, left: int, total: int) -> None:
        say("keeping the file as it is", 1 - left / max(1, total))

    with closing(sqlite3.connect(backup, isolation_level=None)) as copy, reading(path):
        connection.backup(copy, pages=_PAGES, progress=progress)


def _rewrite(connection: sqlite3.Connection, size: int, say: Say) -> None:
    rounds = 0
    whole = max(1, size // 4096 * 20 // _OPCODES)  # about so many: enough to see that it goes on

    def going_on() -> int:
        nonlocal rounds
        rounds += 1
        say("writing it anew", min(0.99, rounds / whole))
        return 0

    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.set_progress_handler(going_on, _OPCODES)
    try:
        connection.execute("VACUUM")
        with suppress(sqlite3.OperationalError):  # a reader keeps the old pages for now; the next checkpoint has them
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.set_progress_handler(None, 0)
    say("writing it anew", 1.0)


def _must_be_sound(connection: sqlite3.Connection, path: Path, then: str) -> None:
    with reading(path):
        rows = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if rows != [("ok",)]:
        raise LedgerError(f"ledger {path}: the file is damaged; {then}", "see: teamops ledger verify")


def _counts(connection: sqlite3.Connection, path: Path) -> list[int]:
    with reading(path):
        return [connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in TABLES]  # noqa: S608 - ours
