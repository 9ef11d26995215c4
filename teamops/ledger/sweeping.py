"""What is old goes, in small transactions: nobody who writes waits for it longer than for another writer.

Each step is whole or not done at all, and tells by what is left that there is more to do: a sweep that was killed is
gone on with by the next one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from teamops.domain.limits import Retention
from teamops.domain.retention import cutoff
from teamops.ledger import merging, spend
from teamops.ledger.connection import open_existing, reading, writing
from teamops.model.tail import Position

BUSY_S = 0.2
"""Who keeps the books goes first: a step that can't begin at once is tried again later."""
STEP_S = 0.01
"""A step takes about so long; rows of a step follow it."""
LEAST, MOST = 20, 5000
_FREE_PAGES = 256
"""So many free pages stay in the file: they are used again."""
_VACUUM_PAGES = 64

_DAYS = """
WITH RECURSIVE day(number) AS (
  SELECT (SELECT max(minute) / 1440 FROM {table} WHERE minute < :before)
  UNION ALL
  SELECT (SELECT max(minute) / 1440 FROM {table} WHERE minute < day.number * 1440) FROM day WHERE number IS NOT NULL
) SELECT number FROM day WHERE number IS NOT NULL LIMIT :most
"""
_MINUTES = ("usage_minute", "beat_minute", "rss_minute")
_WALLS = ("state_edge", "light", "alert_edge", "action")
_OLD = {
    "decision": "verdict = 'allow' AND wall < ?",
    "unpriced": "wall < ?",
    "state_edge": "wall < ?1 AND id NOT IN (SELECT max(id) FROM state_edge GROUP BY role)"
    " AND id NOT IN (SELECT max(id) FROM state_edge WHERE wall < ?1 GROUP BY role) AND id NOT IN (SELECT max(id)"
    " FROM state_edge WHERE state NOT IN ('unknown', 'dead', 'held', 'given up', 'backing off') GROUP BY role)",
}
"""Which rows go; by their number, a few at a time. That an agent was ever alive is not forgotten, nor in which state it
was when what is kept begins."""


def days_seen(connection: sqlite3.Connection, wall: float, most: int) -> set[int]:
    """Return the last days, up to that of ``wall``, on which something was recorded; ``most`` of each kind."""
    before = (int(wall // 86_400) + 1) * 1440
    found: set[int] = set()
    for table in _MINUTES:
        found |= {row[0] for row in connection.execute(_DAYS.format(table=table), {"before": before, "most": most})}
    for table in _WALLS:
        edge = before * 60.0
        for _ in range(most):
            row = connection.execute(f"SELECT max(wall) FROM {table} WHERE wall < ?", (edge,)).fetchone()  # noqa: S608 - ours
            if row[0] is None or row[0] < 0:
                break
            found.add(int(row[0] // 86_400))
            edge = row[0] // 86_400 * 86_400.0
    return found


@dataclass(slots=True)
class Swept:
    """What a sweep did so far."""

    gone: int = 0
    merged: int = 0
    """Rows that went into others."""
    longest_s: float = 0.0
    """Of its transactions, the longest."""


class Sweep:
    """One sweep of the ledger at ``path``, for one thread; its connection is its own.

    ``last_id``: the newest row of ``spent`` that every supervisor of the project has counted (``Spent.mark``).
    """

    def __init__(self, path: Path, rule: Retention, wall: float, last_id: int) -> None:
        self._path = path
        self._wall = wall
        self._last_id = last_id
        self._rows = 200
        self._rule = rule
        self.done = Swept()
        self.raw_before: float | None = None
        """What is raw and older than this goes, Unix seconds; known once it has begun."""
        self.positions: Mapping[str, Position] = {}
        """How far each file was read; known at its end."""

    def steps(self) -> Generator[float, None, None]:
        """Do it; give after each transaction how long it took, seconds.

        Raises ``LedgerError``, also where another writer is in the way: all that was done so far is done.
        """
        with closing(open_existing(self._path, BUSY_S)) as connection:
            with reading(self._path):
                seen = days_seen(connection, self._wall, max(self._rule.raw_days, self._rule.minute_days) + 1)
            raw = self.raw_before = cutoff(seen, self._wall, self._rule.raw_days)
            minutes = cutoff(seen, self._wall, self._rule.minute_days)
            if minutes is not None:
                for table in _MINUTES:
                    yield from self._minutes(connection, table, int(minutes // 60))
                for table in ("unpriced", "state_edge"):
                    yield from self._old(connection, table, minutes)
            if raw is not None:
                yield from self._old(connection, "decision", raw)
                yield from self._merge(connection, raw, minutes)
            yield from self._shrink(connection)
            with reading(self._path):
                self.positions = spend.positions(connection)
            with writing(connection, self._path):
                connection.execute(
                    "INSERT INTO sweep(id, wall, gone, merged) VALUES(1, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                    " wall = excluded.wall, gone = gone + excluded.gone, merged = merged + excluded.merged",
                    (self._wall, self.done.gone, self.done.merged),
                )

    def _minutes(self, connection: sqlite3.Connection, table: str, before: int) -> Iterator[float]:
        while True:
            with reading(self._path):
                row = connection.execute(
                    f"SELECT max(minute) FROM (SELECT minute FROM {table} WHERE minute < ? ORDER BY minute LIMIT ?)",  # noqa: S608 - ours
                    (before, self._rows),
                ).fetchone()
            if row[0] is None:
                return
            with writing(connection, self._path):
                begun = time.monotonic()
                self.done.gone += connection.execute(f"DELETE FROM {table} WHERE minute <= ?", row).rowcount  # noqa: S608 - ours
            yield self._paced(begun)

    def _old(self, connection: sqlite3.Connection, table: str, before: float) -> Iterator[float]:
        while True:
            with reading(self._path):
                rows = connection.execute(
                    f"SELECT id FROM {table} WHERE {_OLD[table]} LIMIT ?",  # noqa: S608 - ours
                    (before, self._rows),
                ).fetchall()
            if not rows:
                return
            with writing(connection, self._path):
                begun = time.monotonic()
                connection.executemany(f"DELETE FROM {table} WHERE id = ?", rows)  # noqa: S608 - ours
            self.done.gone += len(rows)
            yield self._paced(begun)

    def _merge(self, connection: sqlite3.Connection, raw: float, minutes: float | None) -> Iterator[float]:
        # Whole minutes and quarters only: what comes later into a part of one would be a row of its own.
        stages = [merging.Stage(0, merging.MINUTE, raw // merging.QUARTER * merging.QUARTER)]
        if minutes is not None:
            stages.append(merging.Stage(merging.MINUTE, merging.QUARTER, minutes // merging.QUARTER * merging.QUARTER))
        with reading(self._path):
            known = merging.bounds(connection, self._last_id, float("-inf") if minutes is None else minutes)
        for stage in stages:
            with reading(self._path):
                roles = merging.roles(connection, stage)
            for role in roles:
                yield from self._merge_of(connection, stage, role, known)

    def _merge_of(
        self, connection: sqlite3.Connection, stage: merging.Stage, role: int, known: merging.Bounds
    ) -> Iterator[float]:
        while True:
            with writing(connection, self._path):
                begun = time.monotonic()
                taken, gone = merging.merge(connection, stage, role, known, self._rows)
            if not taken:
                return
            self.done.merged += gone
            yield self._paced(begun)

    def _shrink(self, connection: sqlite3.Connection) -> Iterator[float]:
        """Give free pages back to the disk, a few at a time, where the file was made for that."""
        with reading(self._path):
            able = connection.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
        while able:
            with reading(self._path):
                if connection.execute("PRAGMA freelist_count").fetchone()[0] <= _FREE_PAGES:
                    return
                begun = time.monotonic()
                # By ``execute`` the module takes the first page for the end.
                connection.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
            yield self._paced(begun)

    def _paced(self, begun: float) -> float:
        took = time.monotonic() - begun
        self.done.longest_s = max(self.done.longest_s, took)
        if took > STEP_S:
            self._rows = max(LEAST, self._rows // 2)
        elif took < STEP_S / 2:
            self._rows = min(MOST, self._rows * 2)
        return took
