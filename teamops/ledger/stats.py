"""How large the ledger is, of what, and how fast it grows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from teamops.domain.retention import DAY_S
from teamops.ledger.connection import reading
from teamops.ledger.migrations import STEPS
from teamops.ledger.peek import looking
from teamops.ledger.tables import TABLES, Table

LATELY_DAYS = 7
"""Growth is told by what came in so many days."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """One table."""

    table: Table
    rows: int
    bytes: int | None
    """With its indices; ``None`` = not known, as this SQLite counts no pages."""
    oldest_wall: float | None
    newest_wall: float | None
    rows_per_day: float | None
    """Lately; ``None`` where rows have no moment."""

    @property
    def bytes_per_day(self) -> float | None:
        """How fast it grows, as far as that can be known."""
        if self.bytes is None or self.rows_per_day is None:
            return None
        return self.rows_per_day * self.bytes / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Stats:
    """The whole file."""

    path: Path
    version: int
    file_bytes: int
    wal_bytes: int
    """What is written and not yet part of the file itself."""
    free_bytes: int
    """In the file, to be used again."""
    shrinks: bool
    """Free pages are given back to the disk, by and by."""
    swept_wall: float | None
    """When old rows were last cleared away; ``None`` = never."""
    gone: int
    """Rows that went since the ledger was made."""
    merged: int
    """Rows that went into others."""
    tables: tuple[TableStats, ...]


def stats(path: Path, wall: float) -> Stats | None:
    """Return how the ledger at ``path`` is; ``None`` where there is none. Raises ``LedgerError``."""
    with looking(path) as connection:
        if connection is None:
            return None
        with reading(path):
            connection.execute("BEGIN")
            page = int(connection.execute("PRAGMA page_size").fetchone()[0])
            sweep = connection.execute("SELECT wall, gone, merged FROM sweep").fetchone() or (None, 0, 0)
            sizes = _sizes(connection)
            return Stats(
                path=path,
                version=len(STEPS),
                file_bytes=int(connection.execute("PRAGMA page_count").fetchone()[0]) * page,
                wal_bytes=_size(path.with_name(f"{path.name}-wal")),
                free_bytes=int(connection.execute("PRAGMA freelist_count").fetchone()[0]) * page,
                shrinks=bool(connection.execute("PRAGMA auto_vacuum").fetchone()[0]),
                swept_wall=sweep[0],
                gone=sweep[1],
                merged=sweep[2],
                tables=tuple(_stats(connection, table, sizes, wall) for table in TABLES),
            )


def _stats(connection: sqlite3.Connection, table: Table, sizes: dict[str, int] | None, wall: float) -> TableStats:
    size = None if sizes is None else sizes.get(table.name, 0)
    if not table.wall:
        rows = int(connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0])  # noqa: S608 - ours
        return TableStats(table, rows, size, None, None, None)
    row = connection.execute(
        f"SELECT count(*), min({table.wall}), max({table.wall}), total({table.wall} > ? AND {table.wall} <= ?)"  # noqa: S608 - ours
        f" FROM {table.name}",
        (wall - LATELY_DAYS * DAY_S, wall),
    ).fetchone()
    return TableStats(table, row[0], size, row[1], row[2], row[3] / LATELY_DAYS)


def _sizes(connection: sqlite3.Connection) -> dict[str, int] | None:
    try:
        rows = connection.execute(
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
            " WHERE s.aggregate = TRUE GROUP BY m.tbl_name"
        ).fetchall()
    except sqlite3.OperationalError as error:
        if "dbstat" in str(error):
            return None
        raise
    return dict(rows)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
