"""What the agents' hooks decided, and what got past the boundaries."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from teamops.ledger.connection import reading, writing
from teamops.model.boundary import ChangeKind, Decision, OwnWrite, Verdict, Violation, ViolationState
from teamops.model.role import Role

KEPT = 50_000
"""So many calls that were let through are kept of each role, and as many of each other verdict: an agent can write its
own spool without end, and none crowds out another's, nor its own refusals."""
_TRIMMED = 512
"""The oldest are looked for once in so many rows."""
_SPAN_S = 600.0
"""The same within so long is one row, with how often it came."""
_LATELY = 5000
"""So many rows are looked through for it."""

_DECISION_IS = "id, role, wall, verdict, rule, about, why"
_VIOLATION_IS = (
    "id, wall, path, change, roles, rule, why, evidence, added, removed, state, note, changed_wall, direct, sure"
)


class Boundaries:
    """The part of the ledger that keeps decisions and violations. See ``store.Ledger`` for threads and errors."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    # decisions

    def refused(self, role: Role | None, limit: int, until_wall: float = math.inf) -> list[Decision]:
        """Return the calls that were refused or warned of up to ``until_wall``, of one role or of all, newest first.

        The same within ten minutes is one, as it was last decided.
        """
        with reading(self._path):
            rows = self._connection.execute(
                f"SELECT max(id), role, max(wall) AS newest, verdict, rule, about, why, count(*) FROM"  # noqa: S608 - constants
                f" (SELECT {_DECISION_IS} FROM decision WHERE verdict <> 'allow' AND (? IS NULL OR role = ?)"
                " AND wall <= ? ORDER BY wall DESC LIMIT ?)"
                " GROUP BY role, verdict, rule, about, why, CAST(wall / ? AS INTEGER)"
                " ORDER BY newest DESC, max(id) DESC LIMIT ?",
                (role, role, until_wall, _LATELY, _SPAN_S, limit),
            ).fetchall()
        return [_decision(row) for row in rows]

    def denied_since(self, role: Role, wall: float, limit: int) -> list[Decision]:
        """Return the newest ``limit`` refusals of a role since then, oldest first, each for itself."""
        with reading(self._path):
            rows = self._connection.execute(
                f"SELECT {_DECISION_IS}, 1 FROM decision WHERE role = ? AND verdict = 'deny' AND wall >= ?"  # noqa: S608 - constants
                " ORDER BY id DESC LIMIT ?",
                (role, wall, limit),
            ).fetchall()
        return [_decision(row) for row in reversed(rows)]

    def blocked_since(self, wall: float) -> Mapping[Role, int]:
        """Return how many calls of each role were refused since then."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT role, count(*) FROM decision WHERE verdict <> 'allow' AND verdict = 'deny' AND wall >= ?"
                " GROUP BY role",
                (wall,),
            ).fetchall()
        return {Role(role): count for role, count in rows}

    # violations

    def add(self, violation: Violation, patch: str = "") -> int:
        """Store a violation and return its row. ``patch``: the file's name among the patches that holds its change."""
        return self.add_all(((violation, patch),))[0]

    def add_all(self, rows: Iterable[tuple[Violation, str]]) -> list[int]:
        """Store violations, each with its patch's name, all or none; return their rows."""
        with writing(self._connection, self._path, durable=True):
            return [self._insert(violation, patch) for violation, patch in rows]

    def _insert(self, violation: Violation, patch: str) -> int:
        cursor = self._connection.execute(
            "INSERT INTO violation(wall, path, change, roles, rule, why, evidence, added, removed, state, note,"
            " changed_wall, patch, direct, sure) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                violation.wall,
                violation.path,
                violation.change,
                json.dumps(violation.roles),
                violation.rule,
                violation.why,
                json.dumps(violation.evidence),
                violation.added,
                violation.removed,
                violation.state,
                violation.note,
                violation.changed_wall,
                patch,
                violation.direct,
                violation.sure,
            ),
        )
        return int(cursor.lastrowid or 0)

    def settle(
        self, row: int, state: ViolationState, note: str, wall: float, was: ViolationState | None = None
    ) -> bool:
        """Store what became of a violation; return whether it was stored. ``was``: only if it still is that."""
        return self.settle_all({row: note}, state, wall, was) > 0

    def settle_all(
        self, notes: Mapping[int, str], state: ViolationState, wall: float, was: ViolationState | None = None
    ) -> int:
        """Store what became of violations, all or none, each with its note; return of how many it was stored."""
        with writing(self._connection, self._path, durable=True):
            done = self._connection.executemany(
                "UPDATE violation SET state = ?, note = ?, changed_wall = ? WHERE id = ? AND (? IS NULL OR state = ?)",
                [(state, note, wall, row, was, was) for row, note in notes.items()],
            )
        return done.rowcount

    def mark(self) -> tuple[int, float, int]:
        """Return what differs from before whenever a violation is new or settled; cheap to ask."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT coalesce(max(id), 0), coalesce(max(changed_wall), 0), count(changed_wall) FROM violation"
            ).fetchone()
        return (int(row[0]), float(row[1]), int(row[2]))

    def violation(self, row: int) -> Violation | None:
        """Return a violation; ``None`` where there is none of that number."""
        return next(iter(self._violations("WHERE id = ?", row)), None)

    def patch_of(self, row: int) -> str:
        """Return the name of the file that holds a violation's change; empty where none is kept."""
        with reading(self._path):
            found = self._connection.execute("SELECT patch FROM violation WHERE id = ?", (row,)).fetchone()
        return "" if found is None else str(found[0])

    def patches_of(self, rows: Iterable[int]) -> dict[int, str]:
        """Return the names of the files that hold the changes of violations; empty where none is kept."""
        with reading(self._path):
            found = self._connection.execute(
                "SELECT id, patch FROM violation WHERE id IN (SELECT value FROM json_each(?))", (json.dumps([*rows]),)
            ).fetchall()
        return {int(row): str(patch) for row, patch in found}

    def news(self, after: int, since: float) -> list[Violation]:
        """Return the violations that came after the row ``after``, or were settled since ``since``."""
        return self._violations("WHERE id > ? OR changed_wall >= ?", after, since)

    def violations(self, since: float, limit: int) -> list[Violation]:
        """Return the open violations, then the others since ``since``; newest first."""
        return self._violations(
            "WHERE state = 'open' OR wall >= ? ORDER BY state <> 'open', wall DESC, id DESC LIMIT ?", since, limit
        )

    def touching(self, since: float, until: float) -> list[Violation]:
        """Return the violations of before ``until`` that are open, or new or settled since ``since``; oldest first."""
        return self._violations(
            "WHERE wall < ? AND (state = 'open' OR wall >= ? OR changed_wall >= ?) ORDER BY wall, id",
            until,
            since,
            since,
        )

    # what teamops itself wrote for the person

    def add_own(self, path: str, digest: str, what: str, wall: float, made_of: str = "") -> None:
        """Store that teamops is about to write a file for the person.

        ``digest``: of what it will hold, SHA-256; ``made_of``: of what it holds now, where that stays in it.
        """
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT INTO own_write(wall, path, digest, what, made_of) VALUES(?, ?, ?, ?, ?)",
                (wall, path, digest, what, made_of),
            )

    def own_writes(self, since: float) -> tuple[OwnWrite, ...]:
        """Return what teamops wrote for the person since then."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT path, digest, made_of, wall FROM own_write WHERE wall >= ?", (since,)
            ).fetchall()
        return tuple(OwnWrite(*row) for row in rows)

    def _violations(self, where: str, *values: object) -> list[Violation]:
        with reading(self._path):
            rows = self._connection.execute(f"SELECT {_VIOLATION_IS} FROM violation {where}", values).fetchall()  # noqa: S608 - constants
        return [
            Violation(
                id=row[0],
                wall=row[1],
                path=row[2],
                change=ChangeKind(row[3]),
                roles=tuple(map(Role, json.loads(row[4]))),
                rule=row[5],
                why=row[6],
                evidence=tuple(json.loads(row[7])),
                added=row[8],
                removed=row[9],
                state=ViolationState(row[10]),
                note=row[11],
                changed_wall=row[12],
                direct=bool(row[13]),
                sure=bool(row[14]),
            )
            for row in rows
        ]


def add_decisions(connection: sqlite3.Connection, decisions: Iterable[Decision]) -> None:
    """Store decisions within a transaction that is open; the oldest beyond what is kept leave."""
    look = False
    for one in decisions:
        cursor = connection.execute(
            "INSERT INTO decision(role, wall, verdict, rule, about, why) VALUES(?, ?, ?, ?, ?, ?)",
            (one.role, one.wall, one.verdict, one.rule, one.about, one.why),
        )
        look = look or not (cursor.lastrowid or 0) % _TRIMMED
    if look:
        _trim(connection)


def _trim(connection: sqlite3.Connection) -> None:
    full = "SELECT role, verdict FROM decision GROUP BY role, verdict HAVING count(*) > ?"
    for role, verdict in connection.execute(full, (KEPT,)).fetchall():
        connection.execute(
            "DELETE FROM decision WHERE role = ? AND verdict = ? AND id <= (SELECT id FROM decision"
            " WHERE role = ? AND verdict = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (role, verdict, role, verdict, KEPT),
        )


def _decision(row: tuple[int, str, float, str, str, str, str, int]) -> Decision:
    return Decision(
        id=row[0],
        role=Role(row[1]),
        wall=row[2],
        verdict=Verdict(row[3]),
        rule=row[4],
        about=row[5],
        why=row[6],
        times=row[7],
    )
