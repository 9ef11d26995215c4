"""Which client session ran for which role: so what a log tells of a session is known to be an agent's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from teamops.ledger.connection import reading, writing
from teamops.model.role import Role


class ClientSessions:
    """The part of the ledger that keeps clients' sessions. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def add(self, role: Role, sessions: Iterable[str], wall: float) -> None:
        """Store that these sessions were seen to run for ``role``. Whose a session was first, its it stays."""
        with writing(self._connection, self._path):
            self._connection.executemany(
                "INSERT OR IGNORE INTO client_session(session, role, wall) VALUES(?, ?, ?)",
                [(session, str(role), wall) for session in sessions],
            )

    def all(self) -> dict[str, Role]:
        """Return the role of each session."""
        with reading(self._path):
            return {
                row[0]: Role(row[1]) for row in self._connection.execute("SELECT session, role FROM client_session")
            }
