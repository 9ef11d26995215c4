"""How far each poke has come, and by what proof."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any

from teamops.ledger.connection import reading, writing
from teamops.model.actions import By
from teamops.model.agent_report import Delivery
from teamops.model.role import Role

_SELECT = (
    "SELECT d.action, d.role, coalesce(a.text, ''), coalesce(a.decided_by, 'rule'), d.light, d.attempt, d.decided_wall,"
    " d.typed_wall, d.accepted_wall, d.working_wall, d.refused, d.proof, d.over"
    " FROM delivery d LEFT JOIN action a ON a.id = d.action"
)


class Deliveries:
    """The part of the ledger that keeps pokes on their way. See ``store.Ledger`` for threads, errors and durability."""

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

    def save(self, delivery: Delivery) -> None:
        """Store how far a poke has come, so that a loss of power doesn't forget that it was typed.

        Two processes may follow the same poke: a step that one has stored is never taken back by the other, and the
        first time of each step stands. Its text and who decided it are its action's, which is stored before.
        """
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT INTO delivery(action, role, light, attempt, decided_wall, typed_wall, accepted_wall,"
                " working_wall, refused, proof, over) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT(action) DO UPDATE SET typed_wall = coalesce(typed_wall, excluded.typed_wall),"
                " accepted_wall = coalesce(accepted_wall, excluded.accepted_wall),"
                " working_wall = coalesce(working_wall, excluded.working_wall),"
                " refused = iif(coalesce(accepted_wall, excluded.accepted_wall) IS NULL,"
                " coalesce(nullif(excluded.refused, ''), refused), ''),"
                " proof = coalesce(nullif(proof, ''), excluded.proof), over = max(over, excluded.over)",
                (
                    delivery.action_id,
                    str(delivery.role),
                    delivery.light,
                    delivery.attempt,
                    delivery.decided_wall,
                    delivery.typed_wall,
                    delivery.accepted_wall,
                    delivery.working_wall,
                    delivery.refused,
                    delivery.proof,
                    int(delivery.over),
                ),
            )

    def of(self, role: Role, limit: int, until_wall: float = math.inf) -> list[Delivery]:
        """Return the last pokes of a role that were decided up to ``until_wall``, newest first."""
        return self._deliveries(
            "WHERE d.role = ? AND d.decided_wall <= ? ORDER BY d.decided_wall DESC, d.action DESC LIMIT ?",
            str(role),
            until_wall,
            limit,
        )

    def open_ones(self) -> list[Delivery]:
        """Return the pokes of which something more is expected, oldest first."""
        return self._deliveries("WHERE d.over = 0 ORDER BY d.action")

    def about(self, light: str, role: Role) -> list[Delivery]:
        """Return all pokes of ``role`` about one light, oldest first."""
        return self._deliveries("WHERE d.light = ? AND d.role = ? ORDER BY d.action", light, str(role))

    def _deliveries(self, where: str, *values: object) -> list[Delivery]:
        with reading(self._path):
            rows = self._connection.execute(f"{_SELECT} {where}", values).fetchall()
        return [_delivery(row) for row in rows]


def _delivery(row: Any) -> Delivery:
    return Delivery(
        action_id=row[0],
        role=Role(row[1]),
        text=row[2],
        by=By(row[3]),
        light=row[4],
        attempt=row[5],
        decided_wall=row[6],
        typed_wall=row[7],
        accepted_wall=row[8],
        working_wall=row[9],
        refused=row[10],
        proof=row[11],
        over=bool(row[12]),
    )
