"""The memory that survives kill -9: typed reads and writes on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.ledger import history, outbox, spend, spent
from teamops.ledger.audit import Audit
from teamops.ledger.boundaries import Boundaries
from teamops.ledger.budgets import BudgetBook, spends
from teamops.ledger.checks import Checks
from teamops.ledger.client_sessions import ClientSessions
from teamops.ledger.connection import LedgerError, open_connection, reading, writing
from teamops.ledger.deliveries import Deliveries
from teamops.ledger.keeping import Keepings
from teamops.ledger.launches import Launches
from teamops.ledger.logs import Logs, ToldLog
from teamops.ledger.outbox import Outbox
from teamops.ledger.rows import BegunAction, DaySpend, Minute
from teamops.ledger.rss import Rss
from teamops.ledger.spent import Spent, SpentRow
from teamops.ledger.spikes import Spikes
from teamops.ledger.watched import Watched
from teamops.model.actions import Action, Outcome
from teamops.model.alert import Alert
from teamops.model.events import BeatsSeen
from teamops.model.page import Page
from teamops.model.role import Role
from teamops.model.snapshot import LogLine
from teamops.model.tail import Position
from teamops.model.usage import Usage

if TYPE_CHECKING:
    from teamops.ledger.report_facts import ReportFacts

__all__ = ["BegunAction", "DaySpend", "Ledger", "LedgerError", "Minute", "open_ledger"]


def open_ledger(path: Path) -> Ledger:
    """Open the ledger at ``path``; it and its folders are made, for their owner only, where they aren't there.

    Raises ``LedgerError`` on a damaged file, one of a newer teamops, missing rights or a full disk; the file stays
    as it is.
    """
    return Ledger(open_connection(path), path)


class Ledger:
    """One project's ledger, for one thread; any number of processes may have the file open.

    A write is acknowledged when it returns: then it survives kill -9 of this process, and an action's also a loss of
    power. Every method raises ``LedgerError`` when the file can't be read or written; nothing is stored then, and the
    same call may be made again.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._version = self._data_version()
        self._file = _identity(path)
        self.audit = Audit(connection, path)
        """The protocol's memory."""
        self.boundaries = Boundaries(connection, path)
        self.budgets = BudgetBook(connection, path)
        """Asked in every transaction that adds to what was spent."""
        self.checks = Checks(connection, path)
        self.deliveries = Deliveries(connection, path)
        self.keeping = Keepings(connection, path)
        self.launches = Launches(connection, path)
        self.logs = Logs(connection, path)
        self.outbox = Outbox(connection, path)
        self.rss = Rss(connection, path)
        self.sessions = ClientSessions(connection, path)
        self.spent = Spent(connection, path)
        self.spikes = Spikes(connection, path)
        self.watched = Watched(connection, path)

    @cached_property
    def days(self) -> ReportFacts:
        """What a day's report asks."""
        from teamops.ledger.report_facts import ReportFacts  # the first frame has no use for it

        return ReportFacts(self._connection, self._path)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._connection.close()

    def in_place(self) -> bool:
        """Return whether the file that was opened is still the one at its path."""
        return self._file is not None and _identity(self._path) == self._file

    def changed(self) -> bool:
        """Return whether another process wrote since the last call (or since the opening)."""
        version = self._data_version()
        before, self._version = self._version, version
        return before != version

    def protocol_mark(self) -> tuple[int, ...]:
        """Return what differs from before whenever something of ``audit`` is new that judges blocks; cheap to ask."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT (SELECT max(id) FROM tamper),"
                " (SELECT total(mended) + count(nullif(accepted, '')) FROM tamper), (SELECT max(id) FROM approval),"
                # One that was taken back leaves its number to the next.
                " (SELECT count(*) FROM approval), (SELECT max(wall) * 1e6 FROM approval),"
                " (SELECT max(id) FROM gate_run), (SELECT max(id) FROM forced)"
            ).fetchone()
        return tuple(int(value or 0) for value in row)

    # files

    def positions(self) -> dict[str, Position]:
        """Return how far each file was read, by path."""
        with reading(self._path):
            return spend.positions(self._connection)

    # beats and usage

    def add_beats(
        self,
        seen: BeatsSeen,
        rows: Sequence[tuple[Role, Usage, Decimal | None]] = (),
        singly: Sequence[SpentRow] = (),
        wall: float | None = None,
    ) -> None:
        """Add beats to their minutes and store how far their file was read, in one transaction.

        ``rows``: what their ``usages`` cost, ``None`` where no price is known yet; ``singly``: all that they used, for
        ``spent``. The same call again adds nothing: what lies before the stored position is in the ledger. ``wall``:
        this moment; budgets are checked as of it, in the same transaction.
        """
        with writing(self._connection, self._path):
            if spend.advance(self._connection, seen.position):
                spend.add_beats(self._connection, seen)
                for role, usage, cost in rows:
                    spend.add_usage(self._connection, role, [(usage, cost)], beaten=True)
                spent.add(self._connection, singly)
                self.budgets.check_or_hold({beat.role for beat in seen.beats if spends(beat)}, wall)

    def add_usage(
        self,
        role: Role,
        rows: Sequence[tuple[Usage, Decimal | None]],
        position: Position,
        wall: float | None = None,
        log: ToldLog | None = None,
    ) -> None:
        """Add usage with its cost and store how far its file was read, in one transaction.

        A cost of ``None`` means that no price is known yet. The same call again adds nothing. ``wall``: this moment;
        budgets are checked as of it, in the same transaction. ``log``: whose log tells it.
        """
        with writing(self._connection, self._path):
            if spend.advance(self._connection, position):
                spend.add_usage(self._connection, role, rows)
                spent.add(self._connection, [SpentRow(role, usage, cost) for usage, cost in rows])
                if log is not None:
                    self.logs.tell(role, position.path, log, [usage for usage, _ in rows])
                self.budgets.check_or_hold({role} if rows else set(), wall)

    def minutes(self, role: Role, since_wall: float) -> list[Minute]:
        """Return the minutes of ``role`` from that of ``since_wall`` on, oldest first; empty ones are left out."""
        with reading(self._path):
            return spend.minutes(self._connection, role, since_wall)

    def cost_since(self, wall: float) -> dict[Role, DaySpend]:
        """Return what each role spent from the minute of ``wall`` on."""
        with reading(self._path):
            return spend.cost_since(self._connection, wall)

    def rates(self) -> dict[tuple[str, str], str | None]:
        """Return stored prices: (model, ISO day) → rates as JSON. For ``usage.pricing.Pricer``."""
        with reading(self._path):
            return spend.rates(self._connection)

    def save_rates(self, known: Mapping[tuple[str, str], str | None]) -> None:
        """Store prices. ``None`` (no price known) is not stored: the next start asks again."""
        with writing(self._connection, self._path):
            spend.save_rates(self._connection, known)

    def unpriced(self) -> list[tuple[Role, Usage]]:
        """Return the usage that still waits for a price, of earlier lives too, oldest first."""
        with reading(self._path):
            return spend.unpriced(self._connection)

    def reprice(self, priced: Sequence[tuple[Role, Usage, Decimal]], wall: float | None = None) -> int:
        """Give prices to usage that waits for them, each exactly once; return to how many.

        ``wall`` as in ``add_usage``: what gets its price late may be what crosses a limit.
        """
        with writing(self._connection, self._path):
            count = spend.reprice(self._connection, priced)
            self.budgets.check_or_hold({role for role, _, _ in priced}, wall)
            return count

    # lights and states

    def light_known(self, task: str | None, digest: str, role: Role) -> float | None:
        """Return when this light was first seen, Unix seconds, or ``None``."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT wall FROM light WHERE task = ? AND digest = ? AND role = ?", (task or "", digest, str(role))
            ).fetchone()
        return None if row is None else float(row[0])

    def light_seen(self, task: str | None, digest: str, role: Role, wall: float) -> float:
        """Store that this light is seen at ``wall``; return when it was first, which may be earlier."""
        with writing(self._connection, self._path):
            self._connection.execute(
                "INSERT INTO light(task, digest, role, wall) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (task or "", digest, str(role), wall),
            )
            known = self.light_known(task, digest, role)
        return wall if known is None else known

    def state_edge(self, role: Role, state: str, evidence: str, wall: float) -> None:
        """Store that an agent's state is new."""
        with writing(self._connection, self._path):
            self._connection.execute(
                "INSERT INTO state_edge(wall, role, state, evidence) VALUES(?, ?, ?, ?)",
                (wall, str(role), str(state), evidence),
            )

    def last_states(self) -> dict[Role, str]:
        """Return the state that each role was last known in."""
        with reading(self._path):
            return history.last_states(self._connection)

    def last_work(self) -> dict[Role, float]:
        """Return when each role was last seen to begin to work, or to take a line; Unix seconds."""
        with reading(self._path):
            return history.last_work(self._connection)

    # alerts

    def alerts(self) -> list[Alert]:
        """Return the open alerts, newest first, then the last resolved ones."""
        with reading(self._path):
            return history.alerts(self._connection)

    def save_alerts(self, alerts: Sequence[Alert], pages: Sequence[tuple[Page, int]] = ()) -> None:
        """Store alerts as they are now, and the pages that tell of them, all or none; each change of state is logged.

        ``pages``: each with the place of the channel that it begins with.
        """
        with writing(self._connection, self._path, durable=bool(pages)):
            for alert in alerts:
                history.save_alert(self._connection, alert)
            outbox.add(self._connection, pages)

    def answer_alert(self, known: Alert, answered: Alert) -> bool:
        """Store what a person said to an alert beside the supervisor that acts; False where it is over by now.

        ``known``: as it was read; ``answered``: as their word makes it.
        """
        with writing(self._connection, self._path):
            return history.answer_alert(self._connection, known, answered)

    # actions

    def begin_action(self, action: Action, wall: float) -> int:
        """Store that ``action`` begins, before it does; return its row."""
        with writing(self._connection, self._path, durable=True):
            return history.begin_action(self._connection, action, wall)

    def finish_action(self, action_id: int, outcome: Outcome, wall: float) -> None:
        """Store how an action ended. The first outcome stands."""
        with writing(self._connection, self._path, durable=True):
            history.finish_action(self._connection, action_id, outcome, wall)

    def unfinished_actions(self) -> list[BegunAction]:
        """Return the actions without an outcome, oldest first."""
        with reading(self._path):
            return history.unfinished_actions(self._connection)

    def restarts_since(self, wall: float) -> dict[Role, int]:
        """Return how often each role was restarted with success since ``wall``."""
        with reading(self._path):
            return history.restarts_since(self._connection, wall)

    def last_poke(self, role: Role, reason: str, since_wall: float) -> Outcome | None:
        """Return how the last poke of ``role`` for ``reason``, or by a person since then, ended.

        A good end comes before all others; ``None``: no end known.

        One that is under way, or was cut off before its end could be stored, has none.
        """
        with reading(self._path):
            return history.last_poke(self._connection, role, reason, since_wall)

    def superseded(self, task: str | None, digest: str) -> bool:
        """Return whether another block of the task was handed on after the one with that digest."""
        with reading(self._path):
            return history.superseded(self._connection, task, digest)

    def log(self, limit: int) -> list[LogLine]:
        """Return the newest ``limit`` turns, states, alerts, actions and words on the protocol, newest first."""
        with reading(self._path):
            return history.log(self._connection, limit)

    def _data_version(self) -> int:
        with reading(self._path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
