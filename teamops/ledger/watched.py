"""When a supervisor was at work: at all other times nobody looked, and what was not seen then did not fail to be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from teamops.ledger.connection import reading, writing


class Watched:
    """The part of the ledger that keeps it. See ``store.Ledger`` for threads and errors."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def mark(self, span: int | None, since_wall: float, until_wall: float) -> int:
        """Store that the supervisor was at work until then; return the span's number, to go on with.

        ``span``: the one that goes on; ``None`` begins one at ``since_wall``.
        """
        with writing(self._connection, self._path):
            if span is not None:
                done = self._connection.execute(
                    "UPDATE watched SET until_wall = max(until_wall, ?) WHERE id = ?", (until_wall, span)
                )
                if done.rowcount:
                    return span
            cursor = self._connection.execute(
                "INSERT INTO watched(since_wall, until_wall) VALUES(?, ?)", (since_wall, max(since_wall, until_wall))
            )
        return int(cursor.lastrowid or 0)

    def last(self) -> tuple[float, float] | None:
        """Return the span that was begun last: since when, and until when as far as is stored."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT since_wall, until_wall FROM watched ORDER BY id DESC LIMIT 1"
            ).fetchone()
        return None if row is None else (float(row[0]), float(row[1]))
