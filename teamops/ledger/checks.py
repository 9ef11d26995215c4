"""What came of the last trial of each role's boundary, layer by layer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from teamops.ledger.connection import reading, writing
from teamops.model.check import Check, Word
from teamops.model.role import Role


class Checks:
    """The part of the ledger that keeps trials. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._version = 0

    def changed(self) -> bool:
        """Return whether another process wrote to the ledger since the last call; true at the first one."""
        with reading(self._path):
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        before, self._version = self._version, version
        return before != version

    def save(self, role: Role, checks: Iterable[Check], wall: float) -> None:
        """Store what came of a trial; a layer that was not tried keeps its last word."""
        rows = [(role, check.layer, check.word.value, check.why, check.do, check.ms, wall) for check in checks]
        with writing(self._connection, self._path, durable=True):
            self._connection.executemany(
                "INSERT OR REPLACE INTO boundary_check(role, layer, word, why, do, ms, wall)"
                " VALUES(?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def all(self) -> dict[Role, tuple[Check, ...]]:
        """Return the last word on each layer of each role, as they were stored."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT role, layer, word, why, do, ms FROM boundary_check ORDER BY role, rowid"
            ).fetchall()
        found: dict[Role, list[Check]] = {}
        for role, layer, word, why, do, ms in rows:
            check = Check(layer=layer, word=Word(word), why=why, do=do, role=Role(role), ms=ms)
            found.setdefault(Role(role), []).append(check)
        return {role: tuple(checks) for role, checks in found.items()}
