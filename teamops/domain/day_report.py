"""The report of a day, or of some: from what is on record to answers. Whoever asks says what is on record, and when.

Source of the five questions: the house plan, "Daily report".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta, tzinfo
from itertools import pairwise

from teamops.domain import day_answers, day_team
from teamops.domain.alert_rules import RULES
from teamops.domain.day_tasks import task_days
from teamops.domain.days import local, midnight
from teamops.domain.drift import cycle_drift
from teamops.domain.episodes import episodes
from teamops.domain.limits import Limits
from teamops.domain.presence import merged, stays, strip
from teamops.model.agent import AgentState
from teamops.model.alert import AlertRule
from teamops.model.boundary import Verdict
from teamops.model.day_facts import DayFacts, StateEdge
from teamops.model.day_report import SLOT_S, AgentDay, DayReport, Episode, Strip, TaskDay, TeamDay
from teamops.model.handoff import Block, Stage
from teamops.model.role import Role
from teamops.model.spend import Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Which days are meant, and when that is asked."""

    first: date
    count: int
    wall: float
    zone: tzinfo | None = None
    """``None`` = the system's."""

    @property
    def days(self) -> tuple[date, ...]:
        """Return the days, oldest first."""
        return tuple(self.first + timedelta(days=place) for place in range(self.count))

    @property
    def edges(self) -> tuple[float, ...]:
        """Return where each day begins, and where the last one ends, Unix seconds."""
        return tuple(midnight(self.first + timedelta(days=place), self.zone) for place in range(self.count + 1))

    @property
    def since(self) -> float:
        """Return when the first day begins."""
        return self.edges[0]

    @property
    def until(self) -> float:
        """Return when the last day ends, or now where it has not ended; never before the first begins."""
        return max(self.since, min(self.edges[-1], self.wall))

    @property
    def over(self) -> bool:
        """The last day has ended."""
        return self.wall >= self.edges[-1]


def frame(last: date, count: int, wall: float, zone: tzinfo | None) -> Frame:
    """Return the ``count`` days that end with ``last``."""
    return Frame(first=last - timedelta(days=count - 1), count=count, wall=wall, zone=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of whom a report is."""

    project: str
    timezone: str = ""
    names: Mapping[Role, str] = field(default_factory=dict)
    """The team in its order, with the personas' names; those of whom something is on record come after it."""
    limits: Limits = field(default_factory=Limits)
    only: Role | None = None
    """Of one agent alone."""
    rules: Mapping[str, AlertRule] = field(default_factory=lambda: RULES)


def day_report(
    asked: Asked, at: Frame, facts: DayFacts, blocks: Sequence[Block] = (), walls: Sequence[float] = ()
) -> DayReport:
    """Return the report. ``blocks``, ``walls``: as for ``day_tasks.task_days``."""
    since, until = at.since, at.until
    found = episodes(facts.alerts, facts.done, facts.last_words, until, asked.rules)
    found = tuple(one for one in found if one.until_wall is None or one.until_wall >= since)
    tasks = task_days(blocks, walls, since, until, asked.limits)
    signed = _signed(facts, since, until)
    looked = sum(max(0.0, min(ended, until) - max(begun, since)) for begun, ended in merged(facts.watched))
    roles = _roles(asked, facts, found, signed, since)
    return DayReport(
        project=asked.project,
        days=at.days,
        day_edges=at.edges,
        until_wall=until,
        wall=at.wall,
        timezone=asked.timezone,
        over=at.over,
        watched_s=looked,
        agents=tuple(
            _agent(role, asked.names.get(role, ""), at, facts, [one for one in found if one.agent == role])
            for role in roles
            if asked.only in (None, role)
        ),
        team=_team(facts, tasks, [one for one in found if one.agent not in roles], found, at),
        empty=not (signed or looked) and _is_empty(facts, tasks, since),
    )


def _is_empty(facts: DayFacts, tasks: Sequence[TaskDay], since: float) -> bool:
    """Return whether nothing happened."""
    told = (facts.restarts, facts.spikes, facts.spend, facts.calls, facts.violations)
    later = [*(edge.wall for edge in facts.states), *(edge.wall for edge in facts.alerts)]
    happened = any(wall >= since for wall in later) or any(task.blocks for task in tasks)
    return not (any(told) or happened)


def _signed(facts: DayFacts, since: float, until: float) -> set[Role]:
    """Return who gave a sign of life within the span."""
    return {
        role for role, minutes in facts.signs.items() if any(since - 60 < minute * 60 < until for minute in minutes)
    }


def _roles(asked: Asked, facts: DayFacts, found: Sequence[Episode], signed: set[Role], since: float) -> list[Role]:
    """Return the team, then those of whom something of the span is on record, in the order of their names."""
    others = {edge.role for edge in facts.states if edge.wall >= since or edge.state != AgentState.UNKNOWN}
    others |= signed | {record.role for record in facts.restarts} | {record.role for record in facts.spikes}
    others |= {role for role, spend in facts.spend.items() if spend.responses}
    others |= {one.agent for one in found if one.agent is not None} | {role for role, _ in facts.calls}
    return [*asked.names, *sorted(others - set(asked.names))]


def _agent(role: Role, name: str, at: Frame, facts: DayFacts, own: Sequence[Episode]) -> AgentDay:
    since, until = at.since, at.until
    states = [edge for edge in facts.states if edge.role == role]
    kept = facts.states_since
    watched = [(max(begun, kept), ended) for begun, ended in facts.watched if ended > kept]
    known = stays(states, watched, facts.signs.get(role, ()), since, until)
    fresh = [edge for edge in states if since <= edge.wall < until]
    day = AgentDay(
        role=role,
        name=name,
        stays=known,
        strips=tuple(
            Strip(day, strip(known, begun, min(ended, until)), _hours(begun, ended, at.zone))
            for day, (begun, ended) in zip(at.days, pairwise(at.edges), strict=True)
            if begun < until
        ),
        restarts=tuple(record for record in facts.restarts if record.role == role),
        cycle=cycle_drift(facts.cycles.get(role, ()), at.count),
        spikes=tuple(record for record in facts.spikes if record.role == role),
        cooldowns=_count(fresh, AgentState.BACKING_OFF),
        given_up=_count(fresh, AgentState.GIVEN_UP),
        holds=sum(hold.scope == role for hold in facts.holds),
        episodes=tuple(own),
        spend=facts.spend.get(role, Spend()),
        blocked=facts.calls.get((role, Verdict.DENY), 0),
    )
    return day_answers.answered(day, at.zone, whole=until - since)


def _hours(begun: float, ended: float, zone: tzinfo | None) -> tuple[int, ...]:
    """Return the clock's hour at every sixth slot of a day."""
    walls = range(int(begun), int(ended), int(6 * SLOT_S))
    return tuple(local(wall, zone).hour for wall in walls)


def _count(states: Sequence[StateEdge], state: AgentState) -> int:
    return sum(edge.state == state for edge in states)


def _team(
    facts: DayFacts, tasks: Sequence[TaskDay], own: Sequence[Episode], found: Sequence[Episode], at: Frame
) -> TeamDay:
    since, until = at.since, at.until
    stages: dict[Stage, float] = {}
    for task in tasks:
        for stay in task.stages:
            stages[stay.stage] = stages.get(stay.stage, 0.0) + stay.seconds
    waiting = [(task.waits_since, task) for task in tasks if task.waits_since is not None]
    costs = sorted(
        ((name, spend) for name, spend in facts.tasks.items() if spend.responses),
        key=lambda one: (one[0] is None, -one[1].cost_usd, -one[1].tokens.total, one[0] or ""),
    )
    calls = facts.calls.items()
    team = TeamDay(
        closed=dict(sorted(Counter(task.tier for task in tasks if task.closed_wall is not None).items(), key=_tier)),
        tasks=tuple(tasks),
        stages=stages,
        rounds=sum(task.rounds for task in tasks),
        challenges=sum(task.challenges for task in tasks),
        catches=sum(task.catches for task in tasks),
        answered=sum(task.answered for task in tasks),
        stale=sum(one.code == "handoff-stale" and one.since_wall >= since for one in found),
        blocked=sum(count for (_, verdict), count in calls if verdict is Verdict.DENY),
        warned=sum(count for (_, verdict), count in calls if verdict is Verdict.WARN),
        violations=facts.violations,
        costs=tuple(costs),
        spend=sum(facts.spend.values(), Spend()),
        waiting=tuple(task for _, task in sorted(waiting, key=lambda one: one[0])),
        episodes=tuple(own),
    )
    return replace(team, lines=day_team.lines(team, until))


def _tier(closed: tuple[int | None, int]) -> int:
    return closed[0] or 0
