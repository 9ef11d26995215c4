"""A day out of the ledger, read once: facts with the spans in which they held, for a replay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from teamops.domain.replay import Spans, Uses
from teamops.ledger.connection import LedgerError, reading
from teamops.ledger.peek import looking
from teamops.model.alert import Alert
from teamops.model.boundary import Decision, Violation
from teamops.model.budget import BudgetHold, StepDone
from teamops.model.protocol import Approval, GateRun, Tamper
from teamops.model.replay import Mark
from teamops.model.role import Role
from teamops.model.snapshot import LogLine


@dataclass(frozen=True, slots=True)
class StateSeen:
    """An agent's state as it was told, with its evidence: "beat: 2 beats missed"."""

    role: Role
    state: str
    evidence: str


@dataclass(frozen=True, slots=True)
class LightSeen:
    """A light that was seen to come to a role; to NONE: the task was closed."""

    task: str
    """Empty: of the blocks that name none."""
    digest: str
    role: Role
    wall: float


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block, as it stood in the file for a time."""

    digest: str
    text: str
    """Empty where it was never seen."""
    wall: float | None
    """When it was first seen, Unix seconds; ``None``: it stood already when teamops saw the file first."""
    came: float
    """From this moment on the file is known to have it."""
    gone: float
    """From this moment on it had not; infinite where it still has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """The handoff file and what judges it."""

    blocks: tuple[StoredBlock, ...]
    """Those that stood within the day, in the order of the file."""
    digests: frozenset[str]
    """Of all blocks that were ever recorded."""
    approvals: Spans[Approval]
    tampers: Spans[Tamper]
    gates: Spans[GateRun]
    """The last run of each gate of each task."""
    forced: Spans[tuple[str, str]]
    """Digest, and what the rules had said."""
    edges: tuple[float, ...]
    """When any of these changed within the day, in order."""
    notes: tuple[str, ...]
    """What of it is not known, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What was spent, and what limits it."""

    uses: Mapping[Role, Uses]
    holds: Spans[BudgetHold]
    steps: Mapping[tuple[str, float], tuple[tuple[str, StepDone], ...]]
    """By hold: whose step it was, and how it ended."""
    limits: Spans[tuple[str, str, Decimal]]
    """Scope, ISO day, dollars: what a person allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a day's replay knows. Everything in it holds from the moment on at which it was recorded."""

    since_wall: float
    until_wall: float
    states: Spans[StateSeen]
    lights: Spans[LightSeen]
    """The newest of each task."""
    lit: Mapping[tuple[str, str, Role], float]
    """When each light was first seen: by task in lower case, digest and role."""
    alerts: Spans[Alert]
    log: Spans[LogLine]
    money: Money
    beats: Mapping[Role, Mapping[int, int]]
    """By role and minute since 1970."""
    rss: Mapping[Role, Mapping[int, int]]
    """The most memory of each minute, in bytes."""
    restarts: Mapping[Role, tuple[float, ...]]
    """When those of this day that succeeded had ended, in order."""
    denied: Mapping[Role, tuple[float, ...]]
    """When calls of this day were refused, in order."""
    refused: Spans[Decision]
    """The last refusal of each role."""
    violations: Spans[Violation]
    trail: Trail
    marks: tuple[Mark, ...]
    gaps: tuple[tuple[float, float], ...]
    watched_from: float | None


def days_of(path: Path) -> list[tuple[float, float]]:
    """Return the spans, Unix seconds, of which the ledger at ``path`` has facts: one for each hour with any, in order.

    Raises ``LedgerError``, also where there is no ledger.
    """
    with _opened(path) as connection, reading(path):
        rows = connection.execute(
            "SELECT DISTINCT hour FROM ("
            " SELECT CAST(wall / 3600 AS INTEGER) AS hour FROM state_edge"
            " UNION SELECT CAST(wall / 3600 AS INTEGER) FROM light"
            " UNION SELECT CAST(wall / 3600 AS INTEGER) FROM alert_edge"
            " UNION SELECT CAST(wall / 3600 AS INTEGER) FROM action"
            " UNION SELECT CAST(since_wall / 3600 AS INTEGER) FROM watched"
            " UNION SELECT minute / 60 FROM beat_minute UNION SELECT minute / 60 FROM usage_minute) ORDER BY hour"
        ).fetchall()
    return [(hour * 3600.0, (hour + 1) * 3600.0) for (hour,) in rows]


def read_day(path: Path, since_wall: float, until_wall: float) -> Recorded:
    """Return what the ledger at ``path`` has of that time. Blocks; writes nothing. Raises ``LedgerError``."""
    with _opened(path) as connection, reading(path):
        connection.execute("BEGIN")  # all of it as of one moment, whoever writes meanwhile
        from teamops.ledger.recorded_day import Day

        return Day(connection, path, since_wall, until_wall).read()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Give the ledger, to be read only."""
    with looking(path) as connection:
        if connection is None:
            raise LedgerError(f"there is no ledger {path}", "a supervised team makes one: teamops, or teamops watch")
        yield connection
