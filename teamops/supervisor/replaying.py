"""A recorded day as the port that a screen holds. Read-only: nothing is done, no lease is taken, nothing is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from math import inf, nextafter
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.domain.days import clock_at, local, midnight, moment_of
from teamops.ledger.peek import looking
from teamops.ledger.recorded import days_of, read_day
from teamops.model.actions import Outcome
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import Block
from teamops.model.replay import RecordedDay
from teamops.model.role import Role
from teamops.model.snapshot import AttachPlan, Intent, LogLine, Snapshot
from teamops.model.text import clean
from teamops.supervisor.bounding import policy_view
from teamops.supervisor.replay_view import ReplayView

if TYPE_CHECKING:
    import sqlite3

    from teamops.model.agent_report import AgentReport
    from teamops.model.boundary import Decision
    from teamops.model.cost_report import CostReport
    from teamops.model.day_report import DayReport
    from teamops.model.protocol import TaskReport

MOST_DAYS = 14
"""So many days with facts are named where the wanted one has none."""


class ReplayPort:
    """One day; fulfils ``model.snapshot.SupervisorPort`` and ``model.replay.Recording``. Made by ``open_replay``."""

    def __init__(self, settings: Settings, ledger: Path, view: ReplayView) -> None:
        self._settings = settings
        self._ledger = ledger
        self._view = view
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Snapshot], None]] = []
        self._snapshot = self._at(self.first, 1)

    # the day

    @property
    def day(self) -> RecordedDay:
        """Return the recorded day."""
        return self._view.day

    @property
    def first(self) -> float:
        """Return the first moment that is worth looking at."""
        marks = self.day.marks
        return marks[0].wall if marks else self.day.since_wall

    @property
    def refusal(self) -> str:
        """Return why nothing is done."""
        return f"this is a replay of {self.day.day}: nothing is done"

    def clock(self, wall: float) -> str:
        """Return a moment of the day in its own timezone."""
        return clock_at(wall, self._settings.budgets.zone)

    def moment(self, text: str) -> float:
        """Return the moment of the day that a person means. Raises ``UsageError``."""
        wall = moment_of(text, date.fromisoformat(self.day.day), self._settings.budgets.zone)
        if wall is None:
            raise UsageError(f'"{clean(text)[:40]}" is no time of {self.day.day}', "such as 02:13, or 02:13:05")
        if wall > self.day.until_wall:
            last = self.clock(self.day.until_wall)
            raise UsageError(f"{clean(text)[:40]} is later than what is on record", f"the record ends at {last}")
        return wall

    def go(self, wall: float) -> Snapshot:
        """Show another moment of the day."""
        wall = min(max(wall, self.day.since_wall), self.day.until_wall)
        with self._lock:
            revision = self._snapshot.revision + 1
        return self._publish(self._at(wall, revision))

    def _at(self, wall: float, revision: int) -> Snapshot:
        return self._view.at(wall, revision, self.clock(wall))

    def _publish(self, snapshot: Snapshot) -> Snapshot:
        with self._lock:
            self._snapshot = replace(snapshot, revision=self._snapshot.revision + 1)
            callbacks, snapshot = list(self._callbacks), self._snapshot
        for callback in callbacks:
            callback(snapshot)
        return snapshot

    # the port

    def snapshot(self) -> Snapshot:
        """Return the snapshot of the moment that is shown."""
        return self._snapshot

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call back with each new snapshot; the returned function ends it."""
        with self._lock:
            self._callbacks.append(callback)

        def end() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return end

    def send(self, intent: Intent) -> None:
        """Refuse it, and say so in the log that is shown."""
        now = self._snapshot
        line = LogLine(now.stamp.wall, "action", self.refusal, getattr(intent, "role", None), ok=False)
        self._publish(replace(now, log=(line, *now.log)))

    def act(self, intent: Intent, timeout_s: float = 10.0) -> Outcome:  # noqa: ARG002 - the port's own signature
        """Refuse it."""
        self._known(getattr(intent, "role", None))
        return Outcome(ok=False, message=self.refusal, hint="without replay the screen acts on the team: teamops")

    def poke_text(self, role: Role) -> str:
        """Refuse to make one. Raises ``TeamopsError``."""
        raise self._not_kept(role, "what a poke would have said")

    def screen(self, role: Role) -> str:
        """Say that screens are not on record. Raises ``TeamopsError``."""
        raise self._not_kept(role, "its screen")

    def attach(self, role: Role) -> AttachPlan:
        """Refuse it. Raises ``TeamopsError``."""
        raise self._not_kept(role, "its session")

    def block_text(self, block: Block) -> str:
        """Return a block as it stood in the file, at this moment or another: a screen may be a moment behind."""
        text = self._view.file.text(block.digest)
        if text is None:
            raise TeamopsError("that block is not in the file of this day", "choose another block, or another time")
        return clean(text)

    def task_report(self, task: str | None) -> TaskReport:
        """Return the whole chain of a task as of the moment shown."""
        from teamops.supervisor.replay_reports import task_report

        return task_report(self._view, self._snapshot, task, self.refusal)

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:
        """Return what was changed in a block by the moment shown."""
        from teamops.ledger.audit import Audit
        from teamops.supervisor.reports import change_lines

        found = self._view.file.at(self._snapshot.stamp.wall).proof.tampers
        with self._looking() as connection:
            return change_lines(Audit(connection, self._ledger), found, tamper)

    def violation_diff(self, violation: int) -> tuple[str, ...]:
        """Return a change past a boundary that was made by the moment shown."""
        from teamops.ledger.boundaries import Boundaries
        from teamops.supervisor.reports import PATCHES, patch_lines

        with self._looking() as connection:
            kept = Boundaries(connection, self._ledger)
            found, name = kept.violation(violation), kept.patch_of(violation)
        if found is None or found.wall > self._snapshot.stamp.wall or not name:
            raise TeamopsError(f"of violation {violation} no change is kept at this moment", "look which are listed")
        return patch_lines(self._ledger.parent / PATCHES / name)

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        """Return what was refused up to the moment shown."""
        from teamops.ledger.boundaries import Boundaries
        from teamops.supervisor.reports import MAX_DECISIONS

        with self._looking() as connection:
            kept = Boundaries(connection, self._ledger)
            return tuple(kept.refused(role, MAX_DECISIONS, self._snapshot.stamp.wall))

    def agent_report(self, role: Role) -> AgentReport:
        """Return what was remembered of an agent at the moment shown."""
        from teamops.supervisor.replay_reports import agent_report

        self._known(role)
        with self._looking() as connection:
            return agent_report(connection, self._ledger, self._settings, role, self._snapshot.stamp.wall)

    def cost_report(self) -> CostReport:
        """Return what the agents had cost at the moment shown."""
        from teamops.supervisor.replay_reports import cost_report

        return cost_report(self._view, self._ledger, self._snapshot)

    def day_report(self, last: date | None, days: int = 1) -> DayReport:
        """Return the report of days that were over at the moment shown, or of the whole record."""
        from teamops.supervisor.replay_reports import day_report

        return day_report(self._view, self._ledger, self._snapshot.stamp.wall, last, days)

    @contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        with looking(self._ledger) as connection:
            if connection is None:
                raise TeamopsError(f"the ledger {self._ledger} is gone", "end this replay")
            yield connection

    def _known(self, role: Role | None) -> None:
        if role is not None and role not in self._view.roles:
            raise UsageError(f"{role} is no role of this team", f"roles: {', '.join(self._view.roles) or 'none'}")

    def _not_kept(self, role: Role, what: str) -> TeamopsError:
        try:
            self._known(role)
        except UsageError as error:
            return error
        return TeamopsError(f"{self.refusal}, and of {role} {what} is not on record", "look at its events and its hour")


def open_replay(settings: Settings, ledger: Path, day: str = "today", now: float | None = None) -> ReplayPort:
    """Return the replay of a day: "today", "yesterday" or an ISO date. Blocks; raises ``TeamopsError``.

    ``now``: Unix seconds; only of today does it matter.
    """
    wall = time.time() if now is None else now
    zone = settings.budgets.zone
    wanted = _date(day, local(wall, zone).date())
    known = days_of(ledger)
    try:
        since, until = midnight(wanted, zone), midnight(wanted + timedelta(days=1), zone)
    except (ValueError, OverflowError, OSError):  # no clock goes there
        since = until = -inf
    if not any(begins < until and ends > since for begins, ends in known):
        raise _nothing(wanted, [local(begins, zone).date() for begins, _ in known])
    until = min(until, max(wall, since))
    facts = read_day(ledger, since, nextafter(until, inf))  # with what is of that very moment
    recorded = RecordedDay(
        day=wanted.isoformat(),
        timezone=settings.timezone,
        since_wall=since,
        until_wall=until,
        marks=facts.marks,
        gaps=facts.gaps,
        watched_from=facts.watched_from,
    )
    view = ReplayView(facts, settings, recorded, ledger)
    view.boundaries = {role.role: policy_view(role) for role in settings.roles}
    return ReplayPort(settings, ledger, view)


def _date(day: str, today: date) -> date:
    if day in ("today", "yesterday"):
        return today - timedelta(days=day == "yesterday")
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise UsageError(f'"{clean(day)[:40]}" is no day', "such as today, yesterday, or 2026-03-28") from error


def _nothing(wanted: date, known: Sequence[date]) -> UsageError:
    days = sorted(set(known))
    if not days:
        return UsageError(f"nothing of {wanted} is on record", "the ledger is empty: supervise the team first")
    named = ", ".join(day.isoformat() for day in days[-MOST_DAYS:])
    earlier = f"{days[0].isoformat()} and later: … " if len(days) > MOST_DAYS else ""
    return UsageError(f"nothing of {wanted} is on record", f"there is: {earlier}{named}")
