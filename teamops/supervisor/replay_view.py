"""A recorded day as snapshots: what a screen would have shown at a moment, as far as the ledger goes.

What the ledger does not keep (screens, process ids, the age of evidence, what of a minute came before its end) is told
as not known. Names, limits and boundaries are as configured now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from math import inf, nextafter
from pathlib import Path
from types import MappingProxyType

from msgspec import structs

from teamops.config.settings import Settings
from teamops.domain import budget, light
from teamops.domain.alerts import hide
from teamops.domain.days import local
from teamops.domain.replay import Uses, gap_at
from teamops.ledger.recorded import LightSeen, Recorded, StateSeen
from teamops.model.agent import AgentState, AgentView, Evidence, EvidenceKind
from teamops.model.alert import Alert
from teamops.model.boundary import BoundaryView, Violation, ViolationState
from teamops.model.budget import TEAM, BudgetHold, BudgetLine, Spent, StepDone
from teamops.model.clock import Stamp
from teamops.model.handoff import Stage, Task
from teamops.model.replay import RecordedDay, Replayed
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.snapshot import LightView, LogLine, Snapshot, SupervisorView
from teamops.supervisor.minutes import MINUTES, Strips
from teamops.supervisor.replay_costs import LightCosts
from teamops.supervisor.replay_file import RecordedFile, Version

MAX_LOG = 200
MAX_VIOLATIONS = 100
_NO_USES = Uses()
_NO_MINUTES: Mapping[int, int] = MappingProxyType({})


class ReplayView:
    """Makes snapshots of any moment of one day. Holds nothing open; may be asked from any thread."""

    def __init__(self, facts: Recorded, settings: Settings, day: RecordedDay, ledger: Path) -> None:
        self.facts = facts
        self.settings = settings
        self.day = day
        self.file = RecordedFile(facts.trail, settings, facts.since_wall)
        self.costs = LightCosts(ledger, facts, self.file)
        noon, zone = (facts.since_wall + facts.until_wall) / 2, settings.budgets.zone
        same = local(noon, zone).utcoffset() == local(noon, None).utcoffset()
        here = f"the time bar and --at tell the time of {day.timezone}, the lists that of this computer"
        self._elsewhere = () if same else (here,)
        """Whose clock is meant, where there are two."""
        self.boundaries: Mapping[Role, BoundaryView] = {}
        """As configured now."""
        self._names = {role.role: role for role in settings.roles}
        known = {*facts.money.uses, *facts.beats, *(span.value.role for span in facts.states.all)}
        self._roles = (*self._names, *sorted(role for role in known - set(self._names) if role not in (HUMAN, NONE)))
        worked: dict[Role, list[float]] = {}
        for span in facts.states.all:
            if span.value.state == AgentState.WORKING:
                worked.setdefault(span.value.role, []).append(span.until)
        self._worked = {role: tuple(sorted(ends)) for role, ends in worked.items()}

    @property
    def roles(self) -> tuple[Role, ...]:
        """Everyone of the team, and who else is on record that day."""
        return self._roles

    def at(self, wall: float, revision: int, clock: str) -> Snapshot:
        """Return the snapshot of the moment ``wall``; ``clock``: that moment in words."""
        facts, version = self.facts, self.file.at(wall)
        states = {seen.role: seen for seen in facts.states.at(wall)}
        gap = gap_at(facts.gaps, wall)
        lights = self._lights(version, states, wall)
        holds = facts.money.holds.at(wall)
        agents = tuple(self._agent(role, states.get(role), lights, holds, gap, wall) for role in self._roles)
        notes = self._notes(lights)
        return Snapshot(
            revision=revision,
            stamp=Stamp(wall, wall),
            project=self.settings.project,
            root=str(self.settings.root),
            handoff_path=str(self.settings.handoff),
            supervisor=SupervisorView(pid=None, acting=False, since_wall=None, watch_only=self.settings.watch_only),
            ready=True,
            lights=lights,
            tasks=version.tasks,
            agents=agents,
            alerts=self._alerts(wall),
            log=self._log(wall),
            blocks=version.handoff.blocks,
            problems=version.handoff.problems,
            findings=version.findings,
            cost_today_usd=sum((agent.cost_today_usd for agent in agents), Decimal(0)),
            unpriced_tokens=sum(agent.unpriced_tokens for agent in agents),
            spent=self.costs.blocks(version, wall),
            budgets=self._budgets(holds, wall),
            violations=self._violations(wall),
            troubles=notes,
            replay=Replayed(day=self.day.day, clock=clock, unobserved=gap, notes=notes),
        )

    def _notes(self, lights: tuple[LightView, ...]) -> tuple[str, ...]:
        unseen = ", ".join(one.task or "the task without a name" for one in lights if one.line == 0)
        known = (*self.facts.trail.notes, *self._elsewhere)
        if not unseen:
            return known
        said = f"the block that gave the light of {unseen} is not on record: its stage is as before, or not known"
        return (*known, said)

    # lights

    def _lights(self, version: Version, states: Mapping[Role, StateSeen], wall: float) -> tuple[LightView, ...]:
        lost = {one.task.lower(): one for one in self.facts.lights.at(wall) if self._is_lost(one, wall)}
        found = []
        for task in version.tasks:
            seen = lost.pop((task.task or "").lower(), None)
            if seen is not None and seen.wall > self._since(task, wall):
                if seen.role != NONE:
                    found.append(self._light(version, task, seen.role, seen.wall, 0, states, wall))
            elif task.open and task.turn is not None:
                since = self._since(task, wall)
                found.append(self._light(version, task, task.turn, since, task.since_line, states, wall))
        found += [
            self._light(version, _unseen(seen), seen.role, seen.wall, 0, states, wall)
            for seen in lost.values()
            if seen.role != NONE
        ]
        return tuple(sorted(found, key=lambda one: (one.role == HUMAN, -one.unanswered_s, one.task or "")))

    def _is_lost(self, seen: LightSeen, wall: float) -> bool:
        """Return whether the block that gave a light is not on record, and none came after it that would have been."""
        return seen.digest not in self.file.known and not self.file.came_between(seen.wall, wall)

    def _since(self, task: Task, wall: float) -> float:
        """Return when a task's light came, as the ledger has it."""
        role = task.turn or NONE
        known = self.facts.lit.get(((task.task or "").lower(), task.since_digest, role))
        if known is None:
            known = self.file.walls.get(task.since_digest)
        return wall if known is None else min(known, wall)

    def _light(
        self,
        version: Version,
        task: Task,
        role: Role,
        since: float,
        line: int,
        states: Mapping[Role, StateSeen],
        wall: float,
    ) -> LightView:
        limits = self.settings.limits
        held = light.Light(
            task=task.task,
            role=role,
            tier=task.tier,
            stage=task.stage,
            since=since,
            since_wall=since,
            line=line,
            digest=task.since_digest,
        )
        # Where nobody watched no time went by unanswered: it is shown as it was seen last.
        gap = gap_at(self.facts.gaps, wall)
        seen = wall if gap is None else max(gap[0], since)
        reading = light.read_light(held, self._worked_at(role, states.get(role), seen), seen, limits)
        return LightView(
            task=task.task,
            role=role,
            name=self._name(role),
            tier=task.tier,
            stage=task.stage,
            since_wall=since,
            age_s=max(0.0, wall - since),
            unanswered_s=reading.unanswered_s,
            waiting_after_s=limits.waiting_for(task.tier),
            stale_after_s=limits.stale_for(task.tier),
            state=reading.state,
            line=line,
            answered=reading.answered,
            stages=self.file.stages(version, task, wall),
            rounds=task.rounds,
            standing=task.standing,
            cost=self.costs.light(version, task, wall),
        )

    def _worked_at(self, role: Role, state: StateSeen | None, wall: float) -> float | None:
        """Return the last sign of work that is on record: a response, or a time in which it was told to work."""
        if state is not None and state.state == AgentState.WORKING:
            return wall
        ends = self._worked.get(role, ())
        count = bisect_right(ends, wall)
        signs = [self._uses(role).last(wall), ends[count - 1] if count else None]
        return max((sign for sign in signs if sign is not None), default=None)

    def _name(self, role: Role) -> str:
        if role == HUMAN:
            return "you"
        return self._names[role].name if role in self._names else ""

    def _uses(self, role: Role) -> Uses:
        return self.facts.money.uses.get(role, _NO_USES)

    # agents

    def _agent(
        self,
        role: Role,
        seen: StateSeen | None,
        lights: tuple[LightView, ...],
        holds: list[BudgetHold],
        gap: tuple[float, float] | None,
        wall: float,
    ) -> AgentView:
        facts, uses, settings = self.facts, self._uses(role), self._names.get(role)
        state, evidence = _state(seen, observed=gap is None)
        beats, tokens, cost = self._strips(role, uses, wall)
        ends = facts.restarts.get(role, ())
        return AgentView(
            role=role,
            name=self._name(role),
            client=settings.client if settings is not None else "command",
            session=settings.session if settings is not None and not self.settings.watch_only else "",
            state=state,
            evidence=evidence,
            lights=tuple(one.task for one in sorted(lights, key=lambda one: one.since_wall) if one.role == role),
            tokens_per_min=uses.tokens(nextafter(wall - 60.0, inf), wall),
            cost_today_usd=uses.cost(facts.since_wall, wall),
            unpriced_tokens=uses.unpriced(facts.since_wall, wall),
            rss_bytes=facts.rss.get(role, _NO_MINUTES).get(int(wall // 60) - 1) if gap is None else None,
            restarts=bisect_right(ends, wall),
            held=self._held(role, state, evidence, holds),
            beats=beats,
            tokens=tokens,
            cost=cost,
            evidences=(evidence,) if evidence.kind is not EvidenceKind.NOTHING else (),
            boundary=self._boundary(role, wall),
            past=True,
        )

    def _held(self, role: Role, state: AgentState, evidence: Evidence, holds: list[BudgetHold]) -> str:
        own = [hold for hold in holds if hold.scope == role] or [hold for hold in holds if hold.scope == TEAM]
        if own:
            return own[-1].why
        return evidence.detail or state if state is AgentState.HELD else ""

    def _strips(self, role: Role, uses: Uses, wall: float) -> Strips:
        last = int(wall // 60)
        told = self.facts.beats.get(role, _NO_MINUTES)
        beats, tokens, cost = [0] * MINUTES, [0] * MINUTES, [0.0] * MINUTES
        for at in range(MINUTES):
            minute = last - MINUTES + 1 + at
            since, until = minute * 60.0, min(wall, nextafter(minute * 60.0 + 60.0, -inf))
            # Of the minute that runs only its responses are on record singly; its beats are known when it is over.
            beats[at] = uses.logged(since, until) + (told.get(minute, 0) if minute < last else 0)
            tokens[at] = uses.tokens(since, until)
            cost[at] = float(uses.cost(since, until))
        return tuple(beats), tuple(tokens), tuple(cost)

    def _boundary(self, role: Role, wall: float) -> BoundaryView:
        view = self.boundaries.get(role, BoundaryView(unruled=self.settings.role(role) is None))
        last = next((one for one in self.facts.refused.at(wall) if one.role == role), None)
        blocked = bisect_right(self.facts.denied.get(role, ()), wall)
        return structs.replace(view, blocked=blocked, last_blocked=last, held_known=False)

    # the rest

    def _alerts(self, wall: float) -> tuple[Alert, ...]:
        shown = {alert.key: _as_silent(alert, wall) for alert in self.facts.alerts.at(wall)}
        hide(shown, self.settings.alert_rules)
        return tuple(sorted(shown.values(), key=lambda alert: (not alert.open, -alert.changed_wall, alert.key)))

    def _log(self, wall: float) -> tuple[LogLine, ...]:
        return tuple(self.facts.log.newest(wall, MAX_LOG))

    def _violations(self, wall: float) -> tuple[Violation, ...]:
        shown = self.facts.violations.at(wall)
        ordered = sorted(shown, key=lambda one: (one.state is not ViolationState.OPEN, -one.wall, -one.id))
        return tuple(ordered[:MAX_VIOLATIONS])

    def _budgets(self, holds: list[BudgetHold], wall: float) -> tuple[BudgetLine, ...]:
        rules, money = self.settings.budgets, self.facts.money
        if not rules.limits:
            return ()
        hour = int((wall - budget.HOUR_S) // 60) * 60.0
        spent = {
            str(role): Spent(
                uses.cost(hour, wall),
                uses.cost(self.facts.since_wall, wall),
                uses.unpriced_models(self.facts.since_wall, wall),
            )
            for role, uses in money.uses.items()
        }
        day = rules.day_of(wall)
        lifted = {scope: limit for scope, of, limit in money.limits.at(wall) if of == day}
        by_scope = {hold.scope: hold for hold in holds}
        lines = budget.lines(rules, spent, lifted)
        return tuple(
            structs.replace(line, hold=hold, steps=self._steps(hold, wall))
            if (hold := by_scope.get(line.scope)) is not None
            else line
            for line in lines
        )

    def _steps(self, hold: BudgetHold, wall: float) -> dict[str, tuple[StepDone, ...]]:
        found: dict[str, tuple[StepDone, ...]] = {}
        for role, done in self.facts.money.steps.get(hold.key, ()):
            if done.wall <= wall:
                found[role] = (*found.get(role, ()), done)
        return found


def _as_silent(alert: Alert, wall: float) -> Alert:
    """Return an alert without its silence where that had not begun."""
    later = alert.silence is not None and alert.silence.since_wall > wall
    return replace(alert, silence=None) if later else alert


def _unseen(seen: LightSeen) -> Task:
    """Return the task of a light of which no block is on record: nothing but its name is known."""
    return Task(
        task=seen.task or None,
        turn=seen.role,
        tier=None,
        stage=Stage.CONSULT,
        since_line=0,
        since_index=0,
        since_digest=seen.digest,
        rounds=0,
        open=True,
        blocks=(),
    )


def _state(seen: StateSeen | None, *, observed: bool) -> tuple[AgentState, Evidence]:
    """Return a recorded state and what it rested on; nothing of either where nobody looked."""
    if not observed:
        return AgentState.UNKNOWN, Evidence(EvidenceKind.NOTHING, None, "not observed: no teamops watched then")
    if seen is None:
        return AgentState.UNKNOWN, Evidence(EvidenceKind.NOTHING, None, "nothing is on record")
    kind, _, detail = seen.evidence.partition(": ")
    known = next((one for one in EvidenceKind if one.value == kind), EvidenceKind.NOTHING)
    state = next((one for one in AgentState if one.value == seen.state), AgentState.UNKNOWN)
    return state, Evidence(known, None, detail)
