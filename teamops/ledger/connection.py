"""One SQLite file: opened safely, written in whole transactions, its troubles said in words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from teamops.ledger.migrations import STEPS, NewerLedgerError, migrate
from teamops.model.errors import TeamopsError

BUSY_S = 5.0
"""So long a writer waits for another."""

_CAUSES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free disk space"),
    sqlite3.SQLITE_IOERR: ("the disk can't be written or read", "look at the disk: is it full, or failing?"),
    sqlite3.SQLITE_READONLY: ("the file is read-only", "mend the rights of the state directory"),
    sqlite3.SQLITE_PERM: ("access is denied", "mend the rights of the state directory"),
    sqlite3.SQLITE_AUTH: ("access is denied", "mend the rights of the state directory"),
    sqlite3.SQLITE_CANTOPEN: ("the file can't be opened", "mend the rights of the state directory, or free disk space"),
    sqlite3.SQLITE_BUSY: ("another process holds it for too long", "end what holds it, or wait"),
    sqlite3.SQLITE_LOCKED: ("another process holds it for too long", "end what holds it, or wait"),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "move it aside; teamops then begins a new one"),
    sqlite3.SQLITE_NOTADB: ("the file is no ledger", "move it aside; teamops then begins a new one"),
}


class LedgerError(TeamopsError):
    """The ledger can't be opened, read or written now."""


def trouble(path: Path, error: Exception) -> LedgerError:
    """Return ``error`` in words: what happened to the file at ``path``, and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    cause, hint = _CAUSES.get(code & 0xFF if code is not None else -1, (str(error), "look at the file and its disk"))
    return LedgerError(f"ledger {path}: {cause}", hint)


def open_connection(path: Path, steps: Sequence[str] = STEPS) -> sqlite3.Connection:
    """Open the file at ``path``, made with its folders (for their owner only) where it isn't there, and migrate it.

    ``steps``: the way to the newest version of a file of this kind. Raises ``LedgerError``.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_from_git(path.parent)
        # Made here, so that nobody else may read it for even a moment; SQLite gives its side files the same rights.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        hint = "mend the rights of the state directory, or free disk space"
        if os.environ.get("TEAMOPS_CONFINED"):
            raise LedgerError(
                "from inside an agent's boundary the ledger can't be written, nor tmux be asked",
                "teamops handoff tasks says whose turn it is; all else is for the person to ask",
            ) from error
        raise LedgerError(f"ledger {path}: {error.strerror or error}", hint) from error
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        if not path.stat().st_size:  # afterwards only a vacuum of the whole file could bring it
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        migrate(connection, steps)
    except (sqlite3.Error, NewerLedgerError, OSError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, NewerLedgerError):
            raise LedgerError(f"{path}: {error.message}", error.hint) from error
        raise trouble(path, error) from error
    return connection


def open_existing(path: Path, busy_s: float, steps: Sequence[str] = STEPS) -> sqlite3.Connection:
    """Open a file that is there and of this version, to be read and written; nothing is made and nothing migrated.

    ``busy_s``: so long a write waits for another. Raises ``LedgerError``.
    """
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=busy_s, isolation_level=None
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise trouble(path, error) from error
    if version != len(steps):
        connection.close()
        raise other_version(path, version, len(steps))
    return connection


def other_version(path: Path, version: int, known: int) -> LedgerError:
    """Return that the file at ``path`` is another teamops', and what to do."""
    age = "an older" if version < known else "a newer"
    return LedgerError(
        f"ledger {path}: it is {age} teamops' (version {version}, here {known})",
        "start teamops once: it brings it up to date" if version < known else "upgrade teamops",
    )


def _keep_from_git(folder: Path) -> None:
    """Say to git that the folder is nobody's work: a person may have put it inside of the project."""
    try:
        file = os.open(folder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor
        stream.write(b"*\n")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. Of two processes that do so at once SQLite refuses one at once, so the wait is here."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


@contextmanager
def writing(connection: sqlite3.Connection, path: Path, *, durable: bool = False) -> Iterator[None]:
    """Make all inside one transaction: wholly stored when this returns, or not at all.

    What is stored survives the death of this process; with ``durable`` a loss of power too. Raises ``LedgerError``.
    """
    try:
        if durable:
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except (sqlite3.Error, OverflowError) as error:
        raise trouble(path, error) from error
    finally:
        _leave(connection, durable=durable)


def _leave(connection: sqlite3.Connection, *, durable: bool) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if durable:
            connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        # The first error says it all; the next transaction shows whether the file is well again.
        return


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say a failure to read in words. Raises ``LedgerError``."""
    try:
        yield
    except sqlite3.Error as error:
        raise trouble(path, error) from error
