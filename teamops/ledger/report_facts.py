"""What a day's report asks the ledger: states, signs of life, alerts, restarts, what was done, cycles, blocks' texts.

All is read by index, within the span and as far before it as is needed. See ``store.Ledger`` for threads and errors.
"""

from __future__ import annotations

import sqlite3
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from teamops.domain.usual import CYCLE_S
from teamops.ledger.connection import reading
from teamops.model.actions import By
from teamops.model.agent_report import RestartRecord, SpikeRecord
from teamops.model.alert import AlertState
from teamops.model.boundary import Verdict
from teamops.model.budget import TEAM
from teamops.model.day_facts import AlertEdge, CycleDay, Done, Held, LastWord, Span, StateEdge
from teamops.model.handoff import Severity
from teamops.model.role import Role

_SPENT = (
    "SELECT wall, cycle, pico, cost_usd FROM spent WHERE role = (SELECT id FROM spent_name WHERE name = ?)"
    " AND wall >= ? AND wall < ?"
)
_ALERT = "SELECT wall, code, subject, severity, state, message, agent FROM alert_edge"
_PICO = 12
"""See ``ledger.spent``."""
_MENDING = "('poke', 'restart', 'start', 'stop')"


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block as it was handed on."""

    digest: str
    task: str | None
    adopted: bool
    """It stood already when teamops first saw the file."""
    wall: float
    """When teamops saw it first, Unix seconds."""
    text: bytes


class ReportFacts:
    """The part of the ledger that a report reads."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def _rows(self, question: str, *values: object, **named: object) -> list[Any]:
        with reading(self._path):
            return self._connection.execute(question, named or values).fetchall()

    # who looked, and what was seen

    def watched(self, since: float, until: float) -> tuple[Span, ...]:
        """Return when a supervisor was at work, oldest first."""
        return tuple(
            (float(row[0]), float(row[1]))
            for row in self._rows(
                "SELECT since_wall, until_wall FROM watched WHERE until_wall > ? AND since_wall < ? ORDER BY id",
                since,
                until,
            )
        )

    def first_watched(self) -> float | None:
        """Return when a supervisor was first at work, Unix seconds; ``None``: nobody knows of one."""
        (row,) = self._rows("SELECT min(since_wall) FROM watched")
        return None if row[0] is None else float(row[0])

    def states(self, since: float, until: float) -> tuple[StateEdge, ...]:
        """Return the agents' states, oldest first; of each the last one before ``since``, too."""
        rows = self._rows(
            "SELECT wall, role, state, evidence, id FROM state_edge WHERE wall >= ? AND wall < ? ORDER BY wall, id",
            since,
            until,
        )
        before = [
            row
            for (role,) in self._rows("SELECT DISTINCT role FROM state_edge")
            for row in self._rows(
                "SELECT wall, role, state, evidence, id FROM state_edge WHERE role = ? AND wall < ?"
                " ORDER BY wall DESC, id DESC LIMIT 1",
                role,
                since,
            )
        ]
        return tuple(StateEdge(row[0], Role(row[1]), row[2], row[3]) for row in (*before, *rows))

    def states_since(self) -> float:
        """Return since when all states are on record, Unix seconds: older ones were cleared away, but for a few."""
        rows = self._rows(
            "SELECT wall FROM state_edge one WHERE id > 1 AND NOT EXISTS"
            " (SELECT 1 FROM state_edge WHERE id = one.id - 1) ORDER BY id DESC LIMIT 1"
        )
        return float(rows[0][0]) if rows else -inf

    def signs(self, since: float, until: float) -> dict[Role, tuple[int, ...]]:
        """Return the minutes in which each agent gave a sign of life of its own, in order."""
        first, last = int(since // 60), -int(-until // 60)
        found: dict[Role, set[int]] = {}
        for source in ("beat_minute WHERE beats > 0", "usage_minute WHERE responses > 0"):
            for role, minute in self._rows(
                f"SELECT role, minute FROM {source} AND minute >= ? AND minute < ?",  # noqa: S608 - ours
                first,
                last,
            ):
                found.setdefault(role, set()).add(minute)
        return {Role(role): tuple(sorted(minutes)) for role, minutes in found.items()}

    # what went wrong, and what was done

    def restarts(self, since: float, until: float) -> tuple[RestartRecord, ...]:
        """Return the restarts that began within the span, oldest first, without their screens."""
        return tuple(
            RestartRecord(
                action_id=row[0],
                role=Role(row[1]),
                wall=row[2],
                by=By(row[3]),
                cause=row[4],
                ending=row[5],
                attempt=row[6],
                ok=None if row[7] is None else bool(row[7]),
                message=row[8],
                session=row[9],
            )
            for row in self._rows(
                "SELECT r.action, r.role, r.wall, r.decided_by, r.cause, r.ending, r.attempt, a.ok,"
                " coalesce(a.message, ''), r.session FROM restart r LEFT JOIN action a ON a.id = r.action"
                " WHERE r.wall >= ? AND r.wall < ? ORDER BY r.wall, r.action",
                since,
                until,
            )
        )

    def spikes(self, since: float, until: float) -> tuple[SpikeRecord, ...]:
        """Return the runaways that began within the span, oldest first, without their traces."""
        return tuple(
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
            )
            for row in self._rows(
                "SELECT id, role, began_wall, ended_wall, peak, usual, threshold, tokens, cost_usd, why FROM spike"
                " WHERE began_wall >= ? AND began_wall < ? ORDER BY began_wall, id",
                since,
                until,
            )
        )

    def holds(self, since: float, until: float) -> tuple[Held, ...]:
        """Return the holds on spending that began within the span, oldest first."""
        return tuple(
            Held(*row)
            for row in self._rows(
                "SELECT scope, wall, why, lifted_wall FROM budget_hold WHERE wall >= ? AND wall < ? ORDER BY wall",
                since,
                until,
            )
        )

    def alerts(self, since: float, until: float) -> tuple[AlertEdge, ...]:
        """Return what became of alerts, oldest first; of each that was open at ``since`` when it fired, too."""
        within = self._rows(f"{_ALERT} WHERE wall >= ? AND wall < ? ORDER BY wall, id", since, until)
        before = [
            row
            for code, subject, last in self._rows(
                "SELECT code, subject, max(wall) FROM alert_edge WHERE wall < ? GROUP BY code, subject", since
            )
            for row in self._fired(code, subject, last)
        ]
        return tuple(
            AlertEdge(
                wall=row[0],
                code=row[1],
                subject=row[2],
                severity=Severity(row[3]),
                state=AlertState(row[4]),
                message=row[5],
                agent=None if row[6] is None else Role(row[6]),
            )
            for row in (*sorted(before), *within)
        )

    def _fired(self, code: str, subject: str, last: float) -> list[Any]:
        """Return when an alert fired whose last edge before a moment is that of ``last``; nothing where it was over."""
        key = (code, subject, last)
        which = "WHERE code = ? AND subject = ? AND wall <= ?"
        (newest,) = self._rows(f"SELECT state FROM alert_edge {which} ORDER BY wall DESC, id DESC LIMIT 1", *key)  # noqa: S608 - ours
        if newest[0] == AlertState.RESOLVED:
            return []
        return self._rows(f"{_ALERT} {which} AND state = 'firing' ORDER BY wall DESC, id DESC LIMIT 1", *key)

    def last_words(self) -> dict[tuple[str, str], LastWord]:
        """Return what was last said of each alert."""
        rows = self._rows("SELECT code, subject, do, severity, notify FROM alert")
        return {(row[0], row[1]): LastWord(row[2], Severity(row[3]), bool(row[4])) for row in rows}

    def done(self, since: float, until: float) -> tuple[Done, ...]:
        """Return what was done about agents and tasks within the span, and worked; oldest first."""
        acts = [
            Done(row[0], row[1], None if row[2] is None else Role(row[2]), row[3] == By.PERSON)
            for row in self._rows(
                f"SELECT wall, kind, role, decided_by FROM action WHERE kind IN {_MENDING} AND ok = 1"  # noqa: S608 - ours
                " AND wall >= ? AND wall < ?",
                since,
                until,
            )
        ]
        acts += [
            Done(row[0], "approval", None, by_person=True)
            for row in self._rows("SELECT wall FROM approval WHERE wall >= ? AND wall < ?", since, until)
        ]
        acts += [
            Done(row[0], "lift", None if row[1] == TEAM else Role(row[1]), by_person=True)
            for row in self._rows(
                "SELECT lifted_wall, scope FROM budget_hold WHERE lifted_wall >= ? AND lifted_wall < ?", since, until
            )
        ]
        return tuple(sorted(acts, key=lambda one: one.wall))

    def calls(self, since: float, until: float) -> dict[tuple[Role, Verdict], int]:
        """Return how many tool calls hooks refused, or let through with a warning, by role."""
        return {
            (Role(row[0]), Verdict(row[1])): row[2]
            for row in self._rows(
                "SELECT role, verdict, count(*) FROM decision WHERE wall >= ? AND wall < ? AND verdict <> 'allow'"
                " GROUP BY role, verdict",
                since,
                until,
            )
        }

    def violations(self, since: float, until: float) -> int:
        """Return how many changes got past a boundary."""
        (row,) = self._rows("SELECT count(*) FROM violation WHERE wall >= ? AND wall < ?", since, until)
        return int(row[0])

    # reports

    def written(self, since: float) -> frozenset[str]:
        """Return the days (ISO) whose reports were written since then."""
        rows = self._rows("SELECT text FROM action WHERE kind = 'report' AND ok = 1 AND wall >= ?", since)
        return frozenset(row[0] for row in rows)

    # cycles

    def cycles(self, role: Role, edges: Sequence[float]) -> tuple[CycleDay, ...]:
        """Return what the cycles cost that began between each edge and the next one."""
        costs: dict[float, int | Decimal] = {}
        waiting: set[float] = set()
        for wall, cycle, pico, text in self._rows(_SPENT, str(role), edges[0], edges[-1]):
            began = wall // CYCLE_S * CYCLE_S if cycle is None else cycle
            if pico is not None:
                costs[began] = costs.get(began, 0) + pico
            elif text is not None:
                costs[began] = costs.get(began, 0) + Decimal(text).scaleb(_PICO)
            else:
                waiting.add(began)
        priced: list[list[int | Decimal]] = [[] for _ in edges[1:]]
        unpriced = [0] * len(priced)
        for began, cost in costs.items():
            place = bisect_right(edges, began) - 1
            if (
                0 <= place < len(priced) and began not in waiting
            ):  # one that began before the first day is not of these days
                priced[place].append(cost)
        for began in waiting:
            place = bisect_right(edges, began) - 1
            if 0 <= place < len(priced):
                unpriced[place] += 1
        return tuple(_cycle_day(some, waits) for some, waits in zip(priced, unpriced, strict=True))

    # blocks

    def blocks(self, since: float) -> list[StoredBlock]:
        """Return the blocks of all tasks that were handed on since then, or may be open; each task's oldest first.

        A task that is known to be closed, or whose light nobody ever saw, and that has no block since then is left out;
        so is a block that was rewritten.
        """
        rows = self._rows(
            "SELECT b.id, coalesce(b.task, ''), b.digest, b.wall, b.adopted FROM block b WHERE b.state <> 'gone'"
            " ORDER BY b.state = 'stands', iif(b.state = 'stands', 0, b.archived_wall), b.place, b.id"
        )
        closed = {row[0] for row in self._rows("SELECT digest FROM light WHERE role = 'NONE' AND wall < ?", since)}
        last = {row[1].lower(): row[2] for row in rows}
        late = {row[1].lower() for row in rows if row[3] >= since and not row[4]}
        lit = {row[0].lower() for row in self._rows("SELECT DISTINCT task FROM light WHERE role <> 'NONE'")}
        kept = late | {key for key, digest in last.items() if key in lit and digest not in closed}
        wanted = [row[0] for row in rows if row[1].lower() in kept]
        found = []
        for block_id in wanted:
            (row,) = self._rows("SELECT digest, task, adopted, wall, text FROM block WHERE id = ?", block_id)
            found.append(StoredBlock(row[0], row[1], bool(row[2]), row[3], zlib.decompress(row[4])))
        return [block for block in found if block.text]


def _cycle_day(costs: Sequence[int | Decimal], unpriced: int) -> CycleDay:
    # Whole numbers and decimals are compared as they are.
    middle = Decimal(median(costs)).scaleb(-_PICO) if costs else None  # type: ignore[type-var]
    return CycleDay(len(costs), unpriced, middle)
