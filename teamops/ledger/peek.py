"""A look into a ledger that must not be made, brought up to date or written by looking."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from teamops.ledger.audit import Audit
from teamops.ledger.client_sessions import ClientSessions
from teamops.ledger.connection import LedgerError, reading
from teamops.ledger.migrations import STEPS
from teamops.model.role import Role


@contextmanager
def peek(path: Path) -> Iterator[Audit | None]:
    """Give the protocol's memory of the ledger at ``path``, to be read only; ``None`` where there is no ledger.

    Raises ``LedgerError`` where it can't be read, or is another version's.
    """
    with _looking(path) as connection:
        yield None if connection is None else Audit(connection, path)


def sessions_at(path: Path) -> dict[str, Role]:
    """Return which client session ran for whom, by the ledger at ``path``; nothing where there is none.

    Raises ``LedgerError`` as ``peek`` does.
    """
    with _looking(path) as connection:
        return {} if connection is None else ClientSessions(connection, path).all()


@contextmanager
def _looking(path: Path) -> Iterator[sqlite3.Connection | None]:
    try:
        there = path.exists()
    except OSError as error:
        raise LedgerError(f"ledger {path}: {error.strerror}", "mend the rights of the state directory") from error
    if not there:
        yield None
        return
    with reading(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(connection):
        with reading(path):
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version != len(STEPS):
            age = "an older" if version < len(STEPS) else "a newer"
            raise LedgerError(
                f"ledger {path}: it is {age} teamops' (version {version}, here {len(STEPS)})",
                "start teamops once: it brings it up to date" if version < len(STEPS) else "upgrade teamops",
            )
        yield connection
