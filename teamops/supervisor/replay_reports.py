"""What is asked of a recorded day beyond its snapshots, as of the moment that is shown."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.domain import memory_growth, timeline
from teamops.domain.day_report import Asked
from teamops.domain.replay import delivery_at, restart_at, spike_at
from teamops.domain.spend_by_light import Lights
from teamops.handoff import ROLES
from teamops.ledger.boundaries import Boundaries
from teamops.ledger.deliveries import Deliveries
from teamops.ledger.keeping import Keepings
from teamops.ledger.launches import Launches
from teamops.ledger.rss import Rss
from teamops.ledger.spikes import Spikes
from teamops.model.agent_report import AgentReport
from teamops.model.budget import TEAM
from teamops.model.cost_report import CostReport
from teamops.model.day_report import DayReport
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.protocol import TaskReport
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.model.text import clean_line
from teamops.supervisor.agent_reports import LAST, REFUSED
from teamops.supervisor.cost_reports import Terms, read_costs
from teamops.supervisor.costing import Known
from teamops.supervisor.day_reports import Question, days_asked, read_days
from teamops.supervisor.replay_view import ReplayView

MINUTE_S = 60.0


def task_report(view: ReplayView, snapshot: Snapshot, name: str | None, refusal: str) -> TaskReport:
    """Return the chain of a task. Raises ``UsageError`` for one that the file did not have then."""
    wall = snapshot.stamp.wall
    version = view.file.at(wall)
    task = version.task(name)
    if task is None:
        known = ", ".join(clean_line(one.task, 60) for one in version.tasks if one.task)
        raise UsageError(
            f'at this moment the handoff file has no task "{clean_line(name or "", 60)}"',
            f"tasks: {known}" if known else "it is empty",
        )
    blocks = version.handoff.blocks
    key = (task.task or "").lower()
    findings = tuple(one for one in version.findings if (one.task or "").lower() == key)
    standing = {block.digest for block in blocks}
    spend = view.costs.task(version, task, wall)
    walls = timeline.walls(blocks, view.file.walls)
    return TaskReport(
        task=task,
        chain=timeline.chain(task, blocks),
        stages=view.file.stages(version, task, wall),
        entries=tuple(
            replace(entry, used=spend.blocks.get(entry.index))
            for entry in timeline.entries(task, blocks, walls, findings)
        ),
        findings=findings,
        runs=tuple(run for run in version.proof.runs if (run.task or "").lower() == key),
        tree="",
        approvals=tuple(one for one in version.approvals if (one.task or "").lower() == key and one.digest in standing),
        diff=None,
        diff_trouble="the work tree of that moment is not on record",
        refusal=refusal,
        spend=spend,
    )


def agent_report(
    connection: sqlite3.Connection, path: Path, settings: Settings, role: Role, wall: float
) -> AgentReport:
    """Return what was remembered of an agent at ``wall``; what ran in its pane then is not on record."""
    keepings = Keepings(connection, path)
    ended = keepings.ended(role, wall)
    launch = Launches(connection, path).get(role)  # only its newest is on record
    since = wall - memory_growth.WINDOW_S
    return AgentReport(
        role=role,
        deliveries=tuple(delivery_at(one, wall) for one in Deliveries(connection, path).of(role, LAST, wall)),
        restarts=tuple(restart_at(one, over=one.action_id in ended) for one in keepings.restarts(role, LAST, wall)),
        processes=(),
        spikes=tuple(spike_at(one, wall) for one in Spikes(connection, path).of(role, LAST, wall)),
        refused=tuple(Boundaries(connection, path).refused(role, REFUSED, wall)),
        launch=launch if launch is not None and launch.wall <= wall else None,
        keeping="",
        memory=tuple(
            sample for sample in Rss(connection, path).samples(role, None, since) if sample[0] + MINUTE_S <= wall
        ),
        memory_note="",
        attempts_allowed=settings.restart_of(role).attempts,
        past=True,
    )


def cost_report(view: ReplayView, path: Path, snapshot: Snapshot) -> CostReport:
    """Return what the agents had cost by then. Raises ``LedgerError``."""
    wall = snapshot.stamp.wall
    team = next((line for line in snapshot.budgets if line.scope == TEAM), None)
    terms = Terms(timezone=view.settings.timezone, day_usd=team.day_limit_usd if team is not None else None)
    lights: Lights = view.costs.lights(view.file.at(wall))
    return read_costs(path, Known(lights, {}, (0, -1)), (), wall, terms, until=wall)


def day_report(view: ReplayView, path: Path, wall: float, last: date | None, days: int) -> DayReport:
    """Return the report of days that were over at ``wall``; of the running one only as of the end of the record.

    What a day came to is read as a whole: it can't be told up to a moment in it. Raises ``UsageError`` for days that
    were not there yet, ``TeamopsError`` for one that was not over, ``LedgerError``.
    """
    settings, timezone = view.settings, view.settings.timezone
    at = days_asked(last, days, wall, Terms(timezone=timezone))
    if not at.over and wall < view.day.until_wall:
        raise TeamopsError(
            f"at this moment {at.days[-1]} was not over: its report is made of the whole day",
            "look at an earlier day, or go to the end of the record: @, then end",
        )
    names = {role: configured.name if (configured := settings.role(role)) is not None else "" for role in view.roles}
    lights: Lights = view.costs.lights(view.file.at(wall))
    return read_days(
        path,
        Question(
            asked=Asked(
                project=settings.project,
                timezone=timezone,
                names=names,
                limits=settings.limits,
                rules=settings.alert_rules,
            ),
            at=at,
            known=Known(lights, {}, (0, -1)),
            roles=frozenset({*ROLES, *names}),
        ),
    )
