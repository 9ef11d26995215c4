"""What teamops does about each agent: restarts, cooldowns, holds, give-ups."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path

from teamops.domain.restart import Kept
from teamops.ledger.connection import reading, writing
from teamops.model.actions import By
from teamops.model.agent_report import RestartRecord
from teamops.model.role import Role


class Keepings:
    """The part of the ledger that keeps restarts and holds. See ``store.Ledger`` for threads, errors and durability."""

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

    def all(self) -> dict[Role, Kept]:
        """Return what is kept of each agent; one of which there is nothing to keep has no row."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT role, attempts, last_wall, given_up_wall, held, held_why, changed_wall FROM keeping"
            ).fetchall()
        return {
            Role(row[0]): Kept(
                attempts=row[1],
                last_wall=row[2],
                given_up_wall=row[3],
                held=row[4],
                held_why=row[5],
                changed_wall=row[6],
            )
            for row in rows
        }

    def save(self, role: Role, kept: Kept) -> None:
        """Store what is kept of an agent, so that a loss of power doesn't forget it either."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT OR REPLACE INTO keeping(role, attempts, last_wall, given_up_wall, held, held_why, changed_wall)"
                " VALUES(?, ?, ?, ?, ?, ?, ?)",
                (
                    str(role),
                    kept.attempts,
                    kept.last_wall,
                    kept.given_up_wall,
                    kept.held,
                    kept.held_why,
                    kept.changed_wall,
                ),
            )

    def add_restart(self, record: RestartRecord) -> None:
        """Store a restart as it begins; how it ends is its action's outcome. Stored again, the newer one stands."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT OR REPLACE INTO restart(action, role, wall, decided_by, cause, ending, attempt, screen, notes,"
                " session) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.action_id,
                    str(record.role),
                    record.wall,
                    record.by.value,
                    record.cause,
                    record.ending,
                    record.attempt,
                    record.screen,
                    json.dumps(record.notes, ensure_ascii=False),
                    record.session,
                ),
            )

    def restarts(self, role: Role, limit: int, until_wall: float = math.inf) -> list[RestartRecord]:
        """Return the last ``limit`` restarts of an agent that began up to ``until_wall``, newest first."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT restart.action, restart.wall, restart.decided_by, cause, ending, attempt, action.ok,"
                " coalesce(action.message, ''), screen, notes, session"
                " FROM restart LEFT JOIN action ON action.id = restart.action"
                " WHERE restart.role = ? AND restart.wall <= ? ORDER BY restart.wall DESC, restart.action DESC LIMIT ?",
                (str(role), until_wall, limit),
            ).fetchall()
        return [
            RestartRecord(
                action_id=row[0],
                role=role,
                wall=row[1],
                by=By(row[2]),
                cause=row[3],
                ending=row[4],
                attempt=row[5],
                ok=None if row[6] is None else bool(row[6]),
                message=row[7],
                screen=row[8],
                notes=tuple(json.loads(row[9] or "[]")),
                session=row[10],
            )
            for row in rows
        ]

    def ended(self, role: Role, until_wall: float) -> frozenset[int]:
        """Return the actions of an agent's restarts whose outcome was there by ``until_wall``."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT restart.action FROM restart JOIN action ON action.id = restart.action"
                " WHERE restart.role = ? AND action.ended_wall <= ?",
                (str(role), until_wall),
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def rule_restarts_since(self, role: Role, wall: float) -> list[float]:
        """Return when restarts of an agent by rule began since ``wall``, Unix seconds, oldest first."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT wall FROM restart WHERE role = ? AND decided_by = ? AND wall >= ? ORDER BY wall",
                (str(role), By.RULE.value, wall),
            ).fetchall()
        return [float(row[0]) for row in rows]

    def seen_alive(self, role: Role) -> bool:
        """Return whether any life of teamops has seen a process of this agent alive."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT EXISTS(SELECT 1 FROM launch WHERE role = ?1) OR EXISTS(SELECT 1 FROM state_edge"
                " WHERE role = ?1 AND state NOT IN ('unknown', 'dead', 'held', 'given up', 'backing off'))",
                (str(role),),
            ).fetchone()
        return bool(row[0])

    def begun_after(self, action: int, since_wall: float = 0.0) -> list[tuple[int, Role, float]]:
        """Return the restarts on record after that action and since that moment, oldest first.

        Each is its action, its role, and when it began, Unix seconds.
        """
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT action, role, wall FROM restart WHERE action > ? AND wall >= ? ORDER BY action",
                (action, since_wall),
            ).fetchall()
        return [(row[0], Role(row[1]), float(row[2])) for row in rows]

    def newest(self) -> int:
        """Return the action of the newest restart; 0 = there was none."""
        with reading(self._path):
            row = self._connection.execute("SELECT max(action) FROM restart").fetchone()
        return int(row[0] or 0)

    def told_since(self, role: Role, wall: float) -> bool:
        """Return whether a line was typed for an agent since ``wall``, or is being typed."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT EXISTS(SELECT 1 FROM action WHERE kind = 'poke' AND role = ? AND wall >= ?"
                " AND (ok IS NULL OR ok = 1))",
                (str(role), wall),
            ).fetchone()
        return bool(row[0])
