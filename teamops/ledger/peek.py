"""A look into a ledger that must not be made, brought up to date or written by looking."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from teamops.ledger import history
from teamops.ledger.audit import Audit
from teamops.ledger.client_sessions import ClientSessions
from teamops.ledger.connection import LedgerError, other_version, reading
from teamops.ledger.migrations import STEPS
from teamops.ledger.report_facts import ReportFacts
from teamops.ledger.spent import Spent
from teamops.ledger.spent_sums import SpentSums
from teamops.ledger.spikes import Spikes
from teamops.model.alert import Alert
from teamops.model.role import Role


@dataclass(frozen=True, slots=True)
class Look:
    """What may be read."""

    audit: Audit
    """The protocol's memory."""
    spent: Spent
    sums: SpentSums
    spikes: Spikes
    days: ReportFacts


@contextmanager
def peek(path: Path) -> Iterator[Audit | None]:
    """Give the protocol's memory of the ledger at ``path``. See ``look_into``."""
    with look_into(path) as look:
        yield look.audit if look is not None else None


@contextmanager
def look_into(path: Path) -> Iterator[Look | None]:
    """Give the ledger at ``path``, to be read only; ``None`` where there is no ledger.

    Raises ``LedgerError`` where it can't be read, or is another version's.
    """
    with looking(path) as connection:
        yield None if connection is None else _look(connection, path)


def sessions_at(path: Path) -> dict[str, Role]:
    """Return which client session ran for whom, by the ledger at ``path``; nothing where there is none.

    Raises ``LedgerError`` as ``peek`` does.
    """
    with looking(path) as connection:
        return {} if connection is None else ClientSessions(connection, path).all()


def alerts_at(path: Path) -> list[Alert]:
    """Return the alerts in the ledger at ``path``, open ones first; nothing where there is none.

    Raises ``LedgerError`` as ``peek`` does.
    """
    with looking(path) as connection:
        if connection is None:
            return []
        with reading(path):
            return history.alerts(connection)


def _look(connection: sqlite3.Connection, path: Path) -> Look:
    return Look(
        Audit(connection, path),
        Spent(connection, path),
        SpentSums(connection, path),
        Spikes(connection, path),
        ReportFacts(connection, path),
    )


@contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open the ledger at ``path`` to be read only; ``None`` where there is none. Raises ``LedgerError``."""
    with reading_only(path) as connection:
        if connection is not None:
            must_be_ours(connection, path)
        yield connection


def must_be_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``LedgerError`` where the ledger is another version's."""
    with reading(path):
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version != len(STEPS):
        raise other_version(path, version, len(STEPS))


@contextmanager
def reading_only(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open the file at ``path``, of whatever version, so that nothing can be written; ``None`` where there is none.

    Raises ``LedgerError``.
    """
    try:
        there = path.exists()
    except OSError as error:
        raise LedgerError(f"ledger {path}: {error.strerror}", "mend the rights of the state directory") from error
    if not there:
        yield None
        return
    with reading(path):
        how = "mode=ro" + ("&immutable=1" if _rests(path) else "")
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
    with closing(connection):
        yield connection


def _rests(path: Path) -> bool:
    """Return whether nobody has the ledger open, in a folder that can't be written: SQLite would want side files there.

    So it is for an agent in its boundary. A ledger that was closed well holds all that was written to it.
    """
    return bool(os.environ.get("TEAMOPS_CONFINED")) and not path.with_name(f"{path.name}-wal").exists()
