"""The memory of each agent's process tree, minute by minute."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from teamops.ledger.connection import reading, writing
from teamops.model.role import Role


class Rss:
    """The part of the ledger that keeps memory samples. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def add(self, rows: Sequence[tuple[Role, int, int, int]]) -> None:
        """Store (role, pid, minute, bytes) of one minute, all or none; a minute that is there keeps the larger."""
        with writing(self._connection, self._path):
            self._connection.executemany(
                "INSERT INTO rss_minute(role, pid, minute, rss) VALUES(?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET rss = max(rss, excluded.rss)",
                [(str(role), pid, minute, rss) for role, pid, minute, rss in rows],
            )

    def samples(self, role: Role, pid: int | None, since_wall: float) -> list[tuple[float, int]]:
        """Return (Unix seconds, bytes) since then, oldest first; of one process, or of all that the role ran."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT minute * 60.0, rss FROM rss_minute WHERE role = ? AND minute >= ? AND (? IS NULL OR pid = ?)"
                " ORDER BY minute, pid",
                (str(role), int(since_wall // 60), pid, pid),
            )
            return [(wall, rss) for wall, rss in rows]

    def since(self, since_wall: float) -> dict[tuple[Role, int], list[tuple[float, int]]]:
        """Return the samples since then by role and process, oldest first."""
        found: dict[tuple[Role, int], list[tuple[float, int]]] = {}
        with reading(self._path):
            for role, pid, wall, rss in self._connection.execute(
                "SELECT role, pid, minute * 60.0, rss FROM rss_minute WHERE minute >= ? ORDER BY minute",
                (int(since_wall // 60),),
            ):
                found.setdefault((Role(role), pid), []).append((wall, rss))
        return found
