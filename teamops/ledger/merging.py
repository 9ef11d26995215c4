"""Old single responses are summed up: by the minute, later by the quarter of an hour.

No sum changes by it: a row that stands for several is never of two quarters, two lights, two agents, models or
sessions. What is lost is only which of the minute's responses used what.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from teamops.domain.cycles import LAST, slice_of
from teamops.ledger.spent import Source

MINUTE, QUARTER = 60, 900
"""Seconds that a row may stand for. Trigger and index of ``migrations`` know them."""
CYCLES = LAST + 10
"""So many last cycles of each agent stay as they are: their cost is shown one by one."""
_LOOK_BACK = 20_000
"""So many rows back they are looked for."""

_Row = tuple[int, float, int, int, int, int, int, int, int, int, int, int, int | None, str | None]
_ROWS = (
    "SELECT id, wall, model, client, session, source, responses, input, output, cache_write, cache_write_1h,"
    " cache_read, pico, cost_usd FROM spent WHERE grain = ? AND grain < 900 AND role = ? AND wall < ? AND id <= ?"
    " AND (pico IS NOT NULL OR cost_usd IS NOT NULL OR source = ? OR wall < ?) ORDER BY wall LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows of one grain become rows of the next."""

    of: int
    to: int
    before_wall: float
    """Rows older than this, Unix seconds."""


@dataclass(slots=True)
class Bounds:
    """What must not be merged, read once per sweep."""

    edges: Sequence[float]
    """When lights came, sorted."""
    adopted_wall: float
    """Blocks that were there by then have only their headings' times, by the minute: so have lights before it."""
    last_id: int
    """The newest row that everybody has counted."""
    unpriced_before: float
    """A row without a price is merged only when it is older: until then its price may come."""
    single_from: dict[int, float] = field(default_factory=dict)
    """By role: when its last cycles begin."""


def bounds(connection: sqlite3.Connection, last_id: int, unpriced_before: float) -> Bounds:
    """Read what must not be merged."""
    edges = sorted({row[0] for row in connection.execute("SELECT wall FROM light UNION SELECT wall FROM block")})
    adopted = connection.execute("SELECT min(wall) FROM block WHERE adopted = 1").fetchone()[0]
    return Bounds(edges, float("-inf") if adopted is None else adopted, last_id, unpriced_before)


def roles(connection: sqlite3.Connection, stage: Stage) -> list[int]:
    """Return the roles, by their number, that have rows of that grain which are old enough."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT id FROM spent_name n WHERE EXISTS (SELECT 1 FROM spent WHERE grain = ? AND grain < 900"
            " AND role = n.id AND wall < ?)",
            (stage.of, stage.before_wall),
        )
    ]


def last_cycles(connection: sqlite3.Connection, role: int) -> float:
    """Return when the last cycles of a role begin, Unix seconds; with fewer of them than that, with its first row."""
    cycles: set[float] = set()
    begin = float("-inf")
    newest = connection.execute("SELECT wall, cycle FROM spent WHERE role = ? ORDER BY wall DESC", (role,))
    for number, (wall, cycle) in enumerate(newest):
        cycles.add(slice_of(wall) if cycle is None else cycle)
        if len(cycles) > CYCLES or number == _LOOK_BACK:
            return begin
        begin = wall
    return float("-inf")


def merge(connection: sqlite3.Connection, stage: Stage, role: int, known: Bounds, most: int) -> tuple[int, int]:
    """Merge about ``most`` of a role's rows, inside a transaction; return how many were taken, and how many went.

    A row of its own minute is taken as well: it is of the next grain from then on, and looked at no more.
    """
    if role not in known.single_from:
        known.single_from[role] = last_cycles(connection, role)
    before = min(stage.before_wall, known.single_from[role])
    groups: dict[object, list[_Row]] = {}
    rows = connection.execute(
        _ROWS, (stage.of, role, before, known.last_id, int(Source.OWN), known.unpriced_before, most)
    ).fetchall()
    for row in rows:
        wall, price = row[1], "pico" if row[12] is not None else "" if row[13] is None else "text"
        grain = stage.to if wall >= known.adopted_wall else MINUTE
        key = (*row[2:6], price, int(wall // grain), bisect_right(known.edges, wall))
        groups.setdefault(key, []).append(row)
    connection.executemany(
        "DELETE FROM spent WHERE id = ?", [(row[0],) for group in groups.values() for row in group[1:]]
    )
    connection.executemany(
        "UPDATE spent SET grain = ? WHERE id = ?",
        [(stage.to, group[0][0]) for group in groups.values() if len(group) == 1],
    )
    connection.executemany(
        "UPDATE spent SET grain = ?, cycle = NULL, responses = ?, input = ?, output = ?, cache_write = ?,"
        " cache_write_1h = ?, cache_read = ?, pico = ?, cost_usd = ? WHERE id = ?",
        [(stage.to, *_sum(group), group[0][0]) for group in groups.values() if len(group) > 1],
    )
    return len(rows), len(rows) - len(groups)


def _sum(group: list[_Row]) -> tuple[int | str | None, ...]:
    counts = [sum(row[place] for row in group) for place in range(6, 12)]  # type: ignore[misc]  # whole numbers all
    pico = None if group[0][12] is None else sum(row[12] or 0 for row in group)
    text = None if group[0][13] is None else str(sum((Decimal(row[13] or 0) for row in group), Decimal(0)))
    return (*counts, pico, text)
