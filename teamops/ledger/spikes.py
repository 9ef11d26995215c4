"""What is usual for each agent, and each time that one ran away."""

from __future__ import annotations

import json
import math
import sqlite3
from decimal import Decimal
from pathlib import Path

from teamops.domain.spike_memory import Kept
from teamops.ledger.connection import reading, writing
from teamops.model.agent_report import SpikeRecord
from teamops.model.role import Role

LONGEST = 720
"""Samples of a trace that are kept: its first ten minutes, and the newest of what follows. Two hours in all."""
_HEAD = 60
_SELECT = "SELECT id, role, began_wall, ended_wall, peak, usual, threshold, tokens, cost_usd, why, trace FROM spike"


class Spikes:
    """The part of the ledger that keeps the spike rule's memory. See ``store.Ledger`` for threads and errors."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def keep(self, role: Role, kept: Kept, wall: float) -> None:
        """Store what is usual for an agent; the newer one stands."""
        with writing(self._connection, self._path):
            self._connection.execute(
                "INSERT OR REPLACE INTO usual(role, usual, spike, wall) VALUES(?, ?, ?, ?)",
                (str(role), kept.usual, kept.spike, wall),
            )

    def kept(self) -> dict[Role, Kept]:
        """Return what is usual for each agent."""
        with reading(self._path):
            rows = self._connection.execute("SELECT role, usual, spike FROM usual").fetchall()
        return {Role(role): Kept(usual=usual, spike=spike) for role, usual, spike in rows}

    def save(self, record: SpikeRecord) -> None:
        """Store a spike as it is now, under its role and the moment it began; stored again, the newer one stands."""
        trace = record.trace
        if len(trace) > LONGEST:
            trace = (*trace[:_HEAD], *trace[_HEAD - LONGEST :])
        row = (
            record.ended_wall,
            record.peak,
            record.usual,
            record.threshold,
            record.tokens,
            str(record.cost_usd),
            record.why,
            json.dumps(trace),
        )
        with writing(self._connection, self._path, durable=True):
            known = self._connection.execute(
                "UPDATE spike SET ended_wall = ?, peak = ?, usual = ?, threshold = ?, tokens = ?, cost_usd = ?,"
                " why = ?, trace = ? WHERE role = ? AND began_wall = ?",
                (*row, str(record.role), record.began_wall),
            )
            if not known.rowcount:
                self._connection.execute(
                    "INSERT INTO spike(ended_wall, peak, usual, threshold, tokens, cost_usd, why, trace, role,"
                    " began_wall) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*row, str(record.role), record.began_wall),
                )

    def of(self, role: Role, limit: int, until_wall: float = math.inf) -> list[SpikeRecord]:
        """Return the last spikes of an agent that began up to ``until_wall``, newest first."""
        return self._records(
            "WHERE role = ? AND began_wall <= ? ORDER BY began_wall DESC, id DESC LIMIT ?", str(role), until_wall, limit
        )

    def last(self, limit: int, until_wall: float = math.inf) -> list[SpikeRecord]:
        """Return the last spikes of all agents, as above."""
        return self._records("WHERE began_wall <= ? ORDER BY began_wall DESC, id DESC LIMIT ?", until_wall, limit)

    def open_ones(self) -> list[SpikeRecord]:
        """Return the spikes whose end is not known, oldest first."""
        return self._records("WHERE ended_wall IS NULL ORDER BY began_wall, id")

    def _records(self, where: str, *values: object) -> list[SpikeRecord]:
        with reading(self._path):
            rows = self._connection.execute(f"{_SELECT} {where}", values).fetchall()
        return [
            SpikeRecord(
                id=row[0],
                role=Role(row[1]),
                began_wall=row[2],
                ended_wall=row[3],
                peak=row[4],
                usual=row[5],
                threshold=row[6],
                tokens=row[7],
                cost_usd=Decimal(row[8]),
                why=row[9],
                trace=tuple((wall, tokens) for wall, tokens in json.loads(row[10])),
            )
            for row in rows
        ]
