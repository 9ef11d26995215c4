"""What was used, summed up by span of time, agent and model: from quarters of an hour, which triggers keep.

All timezones of today are whole quarters of an hour off, so their days and hours are whole quarters. Each response is
in its quarter in the same transaction that stores it, and a price that comes later is, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from teamops.ledger.connection import reading
from teamops.ledger.spent import dollars
from teamops.model.role import Role
from teamops.model.spend import Spend
from teamops.model.usage import Tokens

QUARTER_S = 900
Sums = dict[tuple[Role, str], Spend]
"""By agent and model."""


class SpentSums:
    """The part of the ledger that sums up. See ``store.Ledger`` for threads and errors."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @contextmanager
    def still(self) -> Iterator[None]:
        """Read all inside as of one moment, whoever writes meanwhile."""
        with reading(self._path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with reading(self._path):
                self._connection.execute("COMMIT")

    def spans(self, edges: Sequence[float]) -> list[Sums]:
        """Return what was used between each edge (Unix seconds, a whole quarter of an hour) and the next one."""
        places = [round(edge / QUARTER_S) for edge in edges]
        values = ", ".join(
            f"({number}, {since}, {until})"  # whole numbers
            for number, (since, until) in enumerate(pairwise(places))
        )
        with reading(self._path):
            names = dict(self._connection.execute("SELECT id, name FROM spent_name").fetchall())
            rows = self._connection.execute(
                f"WITH span(number, since, until) AS (VALUES {values})"  # noqa: S608 - whole numbers of ours
                " SELECT number, role, model, sum(responses), sum(input), sum(output), sum(cache_write),"
                " sum(cache_write_1h), sum(cache_read), sum(pico), sum(unpriced)"
                " FROM span CROSS JOIN spent_quarter ON quarter >= since AND quarter < until"
                " GROUP BY number, role, model"
            ).fetchall()
            texts = self._connection.execute(
                "SELECT wall, role, model, cost_usd FROM spent WHERE cost_usd IS NOT NULL AND wall >= ? AND wall < ?",
                (places[0] * QUARTER_S, places[-1] * QUARTER_S),
            ).fetchall()
        found: list[Sums] = [{} for _ in places[1:]]
        for row in rows:
            key = Role(names[row[1]]), names[row[2]]
            found[row[0]][key] = Spend(row[3], Tokens(*row[4:9]), dollars(row[9]), row[10])
        for wall, role, model, cost in texts:
            place = int(wall // QUARTER_S)
            number = next(number for number, until in enumerate(places[1:]) if place < until)
            found[number][Role(names[role]), names[model]] += Spend(cost_usd=Decimal(cost))
        return found

    def later(self, wall: float, until: float) -> list[tuple[float, tuple[Role, str], Spend]]:
        """Return each row after ``wall``, until but not at ``until``: its moment, agent and model, and sum."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT s.wall, r.name, m.name, s.input, s.output, s.cache_write, s.cache_write_1h, s.cache_read,"
                " s.responses, s.pico, s.cost_usd FROM spent s"
                " JOIN spent_name r ON r.id = s.role JOIN spent_name m ON m.id = s.model"
                " WHERE s.role IN (SELECT id FROM spent_name) AND s.wall > ? AND s.wall < ?",
                (wall, until),
            ).fetchall()
        found = []
        for moment, role, model, *counts, responses, pico, text in rows:
            tokens = Tokens(*counts)
            cost = dollars(pico) if pico is not None else None if text is None else Decimal(text)
            spend = Spend(responses, tokens, cost or Decimal(0), tokens.total if cost is None else 0)
            found.append((moment, (Role(role), model), spend))
        return found

    def first_wall(self) -> float | None:
        """Return the moment of the first response on record, Unix seconds."""
        with reading(self._path):
            row = self._connection.execute(
                # By role, as the index of moments is; most names are no role's.
                "SELECT min((SELECT min(wall) FROM spent WHERE role = spent_name.id)) FROM spent_name"
            ).fetchone()
        return None if row[0] is None else float(row[0])
