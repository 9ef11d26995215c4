"""When a supervisor that acts watched: what lies between two such spans nobody has seen."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from teamops.ledger.connection import reading, writing

LATELY_S = 120.0
"""Watching is stored once a minute: what ended so long ago on record may have lasted until now."""


class Watched:
    """The part of the ledger that keeps when teamops watched. See ``store.Ledger`` for threads and errors."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def begin(self, wall: float, pid: int) -> int:
        """Store that watching begins at ``wall``, Unix seconds; return the span's row."""
        with writing(self._connection, self._path):
            cursor = self._connection.execute(
                "INSERT INTO watched(since_wall, until_wall, pid) VALUES(?, ?, ?)", (wall, wall, pid)
            )
        return int(cursor.lastrowid or 0)

    def go_on(self, row: int, wall: float) -> None:
        """Store that the watching of that span has lasted until ``wall``."""
        with writing(self._connection, self._path):
            self._connection.execute("UPDATE watched SET until_wall = max(until_wall, ?) WHERE id = ?", (wall, row))

    def spans(self, since_wall: float, until_wall: float) -> list[tuple[float, float]]:
        """Return the spans that touch that time, or end shortly before it, oldest first."""
        with reading(self._path):
            return self._connection.execute(
                "SELECT since_wall, until_wall FROM watched WHERE until_wall >= ? AND since_wall <= ?"
                " ORDER BY since_wall, id",
                (since_wall - LATELY_S, until_wall),
            ).fetchall()

    def first(self) -> float | None:
        """Return since when it is on record at all; ``None``: it is not."""
        with reading(self._path):
            row = self._connection.execute("SELECT min(since_wall) FROM watched").fetchone()
        return None if row[0] is None else float(row[0])
