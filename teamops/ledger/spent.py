"""What each single response used and cost, with its own moment: what lights, tasks and cycles are summed from.

A cost is kept as a whole number of 10⁻¹² dollars (``pico``) where that is exact, so that SQLite adds it exactly; else
as text (``cost_usd``). Without both no price is known. Old rows are summed up by ``ledger.merging``, so that a row may
be of several responses; no sum that is asked here changes by that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import IntEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from teamops.ledger.connection import reading
from teamops.model.role import Role
from teamops.model.spend import Spend
from teamops.model.usage import Tokens, Usage

MOST_USD = 10
"""Of one row. SQLite adds whole numbers exactly, as long as fewer than 900,000 rows have that much."""
_PICO = 12
_ROWS = (
    "SELECT s.id, r.name, s.wall, s.cycle, s.input, s.output, s.cache_write, s.cache_write_1h, s.cache_read, s.pico,"
    " s.cost_usd, s.responses FROM spent s JOIN spent_name r ON r.id = s.role"
)
_SUM = (
    "SELECT coalesce(sum(responses), 0), coalesce(sum(input), 0), coalesce(sum(output), 0),"
    " coalesce(sum(cache_write), 0), coalesce(sum(cache_write_1h), 0), coalesce(sum(cache_read), 0),"
    " coalesce(sum(pico), 0),"
    " coalesce(sum(CASE WHEN pico IS NULL AND cost_usd IS NULL THEN input + output + cache_write + cache_read END), 0),"
    " count(cost_usd) FROM spent WHERE role = (SELECT id FROM spent_name WHERE name = ?) AND wall >= ? AND wall < ?"
)
_TEXTS = (
    "SELECT cost_usd FROM spent WHERE role = (SELECT id FROM spent_name WHERE name = ?) AND wall >= ? AND wall < ?"
    " AND cost_usd IS NOT NULL"
)


class Source(IntEnum):
    """Who told of it."""

    LOG = 0
    """A client's own log."""
    TRACKED = 1
    """An agent's beat, of a tracked call."""
    OWN = 2
    """An agent's beat, which counted for itself: only a sum of tokens is known, told as input."""


class SpentRow(Struct, frozen=True):
    """One response, or what one beat counted for itself."""

    role: Role
    usage: Usage
    cost_usd: Decimal | None
    """``None``: no price is known."""
    source: Source = Source.LOG
    cycle: float | None = None
    """When the beat interval began in which it was used; ``None``: of a client's log, whose cycles are slices."""


class Told(Struct, frozen=True):
    """A row as it is told again."""

    id: int
    role: Role
    wall: float
    cycle: float | None
    spend: Spend


def add(connection: sqlite3.Connection, rows: Iterable[SpentRow]) -> None:
    """Add rows, inside a transaction of ``store``."""
    names: dict[str, int] = {}

    def name(text: str) -> int:
        found = names.get(text)
        if found is None:
            connection.execute("INSERT INTO spent_name(name) VALUES(?) ON CONFLICT DO NOTHING", (text,))
            row = connection.execute("SELECT id FROM spent_name WHERE name = ?", (text,)).fetchone()
            found = names[text] = int(row[0])
        return found

    connection.executemany(
        "INSERT INTO spent(role, wall, source, cycle, model, client, session, input, output, cache_write,"
        " cache_write_1h, cache_read, pico, cost_usd) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                name(str(row.role)),
                row.usage.wall,
                int(row.source),
                row.cycle,
                name(row.usage.model),
                name(row.usage.client),
                name(row.usage.session),
                *_counts(row.usage.tokens),
                *_cost(row.cost_usd),
            )
            for row in rows
        ],
    )


def reprice(connection: sqlite3.Connection, role: Role, usage: Usage, cost: Decimal) -> None:
    """Give a price to a row that waits for one, inside a transaction of ``store``. Rows that are alike are as good."""
    connection.execute(
        "UPDATE spent SET pico = ?, cost_usd = ? WHERE id = (SELECT id FROM spent"
        " WHERE role = (SELECT id FROM spent_name WHERE name = ?) AND wall = ?"
        " AND model = (SELECT id FROM spent_name WHERE name = ?) AND input = ? AND output = ? AND cache_write = ?"
        " AND cache_write_1h = ? AND cache_read = ? AND pico IS NULL AND cost_usd IS NULL AND source <> ? LIMIT 1)",
        (*_cost(cost), str(role), usage.wall, usage.model, *_counts(usage.tokens), int(Source.OWN)),
    )
    connection.execute("UPDATE spent_priced SET times = times + 1")


class Spent:
    """The part of the ledger that keeps single responses. See ``store.Ledger`` for threads and errors."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def mark(self) -> tuple[int, int]:
        """Return the last row's number, and how often prices came later; cheap to ask."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT (SELECT max(id) FROM spent), (SELECT times FROM spent_priced)"
            ).fetchone()
        return int(row[0] or 0), int(row[1])

    def after(self, row_id: int, last: int) -> list[Told]:
        """Return the rows after ``row_id`` up to ``last``, in the order in which they were stored."""
        with reading(self._path):
            rows = self._connection.execute(f"{_ROWS} WHERE s.id > ? AND s.id <= ? ORDER BY s.id", (row_id, last))
            return [_told(row) for row in rows]

    def newest(self, role: Role, last: int) -> Iterator[Told]:
        """Give the rows of ``role`` up to number ``last``, the newest first, as long as they are asked for."""
        with reading(self._path):
            yield from map(
                _told,
                self._connection.execute(
                    # The rows are few that came since: the index of moments is the way, not the numbers.
                    f"{_ROWS} WHERE s.role = (SELECT id FROM spent_name WHERE name = ?) AND +s.id <= ?"  # noqa: S608 - ours
                    " ORDER BY s.wall DESC",
                    (str(role), last),
                ),
            )

    def sum(self, role: Role, since_wall: float, until_wall: float, last: int | None = None) -> Spend:
        """Return what ``role`` used from ``since_wall`` on, until but not at ``until_wall``; exactly.

        ``last``: the number of the last row that counts.
        """
        span: tuple[object, ...] = (str(role), since_wall, until_wall)
        more = ""
        if last is not None:
            more, span = " AND +id <= ?", (*span, last)
        with reading(self._path):
            row = self._connection.execute(_SUM + more, span).fetchone()
            cost = dollars(row[6])
            if row[8]:
                cost += sum((Decimal(text) for (text,) in self._connection.execute(_TEXTS + more, span)), Decimal(0))
        return Spend(row[0], Tokens(*row[1:6]), cost, row[7])

    def lit(self) -> dict[str, float]:
        """Return when the light that a block gave was seen, by digest: at once, while a block waits to be stored.

        Those of blocks that stood already when teamops first saw the file are left out.
        """
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT digest, min(wall) FROM light WHERE digest NOT IN (SELECT digest FROM block WHERE adopted = 1)"
                " GROUP BY digest"
            )
            return dict(rows.fetchall())

    def roles(self) -> list[Role]:
        """Return all roles that have rows."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT name FROM spent_name n WHERE EXISTS (SELECT 1 FROM spent WHERE role = n.id) ORDER BY id"
            )
            return [Role(row[0]) for row in rows]


def spend_of(tokens: Tokens, cost: Decimal | None) -> Spend:
    """Return one response as a sum."""
    return Spend(1, tokens, cost or Decimal(0), tokens.total if cost is None else 0)


def _told(row: tuple[int, str, float, float | None, int, int, int, int, int, int | None, str | None, int]) -> Told:
    cost = dollars(row[9]) if row[9] is not None else None if row[10] is None else Decimal(row[10])
    spend = replace(spend_of(Tokens(*row[4:9]), cost), responses=row[11])
    return Told(row[0], Role(row[1]), row[2], row[3], spend)


def _cost(cost: Decimal | None) -> tuple[int | None, str | None]:
    if cost is None:
        return None, None
    if 0 <= cost <= MOST_USD:
        pico = int(cost.scaleb(_PICO))
        if dollars(pico) == cost:
            return pico, None
    return None, str(cost)


def dollars(pico: int) -> Decimal:
    """Return a sum of ``pico`` in dollars."""
    return Decimal(pico).scaleb(-_PICO).normalize() if pico else Decimal(0)


def _counts(tokens: Tokens) -> tuple[int, int, int, int, int]:
    return tokens.input, tokens.output, tokens.cache_write, tokens.cache_write_1h, tokens.cache_read
