"""The one fake supervisor of the screen's tests. It keeps the same contract as the real one (port_contract.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from msgspec.structs import replace

from teamops.model.actions import Outcome
from teamops.model.agent import Evidence
from teamops.model.agent_report import AgentReport
from teamops.model.boundary import Decision
from teamops.model.clock import Stamp
from teamops.model.cost_report import CostReport
from teamops.model.day_report import MOST_DAYS, DayReport
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import Block, Stage, Standing
from teamops.model.protocol import TaskReport
from teamops.model.role import HUMAN, Role
from teamops.model.snapshot import AttachPlan, Intent, LightState, SignOff, Snapshot
from teamops.tui.believable import believable
from teamops.tui.believable_agent import believable_agent_report
from teamops.tui.believable_boundary import believable_refused, believable_violation_diff
from teamops.tui.believable_cost_report import believable_cost_report
from teamops.tui.believable_day import believable_day_report
from teamops.tui.believable_handoff import believable_blocks
from teamops.tui.believable_protocol import believable_diff, believable_report


def older(known: Evidence, seconds: float) -> Evidence:
    """Return evidence as it is so much later."""
    return replace(known, age_s=None if known.age_s is None else known.age_s + seconds)


@dataclass
class FakePort:
    """Says what a test told it to say, and remembers what it was asked."""

    now: Snapshot = field(default_factory=believable)
    texts: dict[int, str] = field(default_factory=lambda: believable_blocks()[1])
    pane: str = "\x1b[32m●\x1b[0m \x1b[1mRunning\x1b[0m pytest -q"
    outcome: Outcome = field(default_factory=lambda: Outcome(ok=True, message="It was done."))
    plan: AttachPlan = field(
        default_factory=lambda: AttachPlan(("tmux", "switch-client", "-t", "%9"), switch=True, back="prefix L")
    )
    diff: tuple[str, ...] = field(default_factory=believable_diff)
    agent_reports: dict[Role, AgentReport] = field(default_factory=dict)
    """By role: what it says instead of a believable one."""
    refused: tuple[Decision, ...] = field(default_factory=believable_refused)
    violation_diffs: dict[int, tuple[str, ...]] = field(default_factory=lambda: {12: believable_violation_diff()})
    """By violation."""
    costs: CostReport | None = None
    """What it says instead of believable costs."""
    day: DayReport | None = None
    """What it says instead of a believable day."""
    reports: dict[str | None, TaskReport] = field(default_factory=dict)
    """By task: what it says instead of a report on its blocks."""
    errors: dict[str, TeamopsError] = field(default_factory=dict)
    """By query: what it raises."""
    intents: list[Intent] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    """By query: it waits until the event is set."""
    callbacks: list[Callable[[Snapshot], None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, snapshot: Snapshot | None = None, **changes: object) -> Snapshot:
        """Hand out a newer snapshot: the given one, or the newest with ``changes``."""
        with self.lock:
            base = snapshot or replace(self.now, **changes)  # type: ignore[arg-type]  # fields of Snapshot by name
            self.now = replace(base, revision=self.now.revision + 1)
            callbacks = list(self.callbacks)
        for callback in callbacks:
            callback(self.now)
        return self.now

    def hand_to_person(self, name: str | None = "settings-page", standing: Standing = Standing.DONE) -> Snapshot:
        """Let a task wait for the person's sign-off."""
        now = self.now
        return self.publish(
            lights=tuple(
                replace(
                    light, role=HUMAN, name="", stage=Stage.SIGN_OFF, state=LightState.HUMAN, tier=3, standing=standing
                )
                if light.task == name
                else light
                for light in now.lights
            ),
            tasks=tuple(
                replace(task, turn=HUMAN, stage=Stage.SIGN_OFF, tier=3, standing=standing)
                if task.task == name
                else task
                for task in now.tasks
            ),
        )

    def tick(self, seconds: float = 1.0) -> Snapshot:
        """Let every age grow."""
        now = self.now
        return self.publish(
            stamp=Stamp(now.stamp.now + seconds, now.stamp.wall + seconds),
            lights=tuple(
                replace(light, age_s=light.age_s + seconds, unanswered_s=light.unanswered_s + seconds)
                for light in now.lights
            ),
            agents=tuple(
                replace(
                    agent,
                    beat_age_s=None if agent.beat_age_s is None else agent.beat_age_s + seconds,
                    evidence=older(agent.evidence, seconds),
                    evidences=tuple(older(one, seconds) for one in agent.evidences),
                )
                for agent in now.agents
            ),
        )

    def _enter(self, query: str, role: Role | None = None) -> None:
        self.asked.append(query)
        if query in self.gates and not self.gates[query].wait(10):
            raise TeamopsError("A test forgot to open a gate.")
        if query in self.errors:
            raise self.errors[query]
        if role is not None and all(agent.role != role for agent in self.now.agents):
            raise TeamopsError(f"There is no {role} in this team.", "Look at teamops.toml.")

    def snapshot(self) -> Snapshot:
        return self.now

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        with self.lock:
            self.callbacks.append(callback)

        def end() -> None:
            with self.lock:
                if callback in self.callbacks:
                    self.callbacks.remove(callback)

        return end

    def send(self, intent: Intent) -> None:
        self.intents.append(intent)

    def act(self, intent: Intent, timeout_s: float = 10.0) -> Outcome:  # noqa: ARG002 - the port's own signature
        role = getattr(intent, "role", None)
        self._enter("act", role)
        if isinstance(intent, SignOff) and intent.chain != self.task_report(intent.task).chain:
            return Outcome(ok=False, message="It has moved on.", hint="Look at it again.")
        self.intents.append(intent)
        return self.outcome

    def poke_text(self, role: Role) -> str:
        self._enter("poke_text", role)
        return f"It is your turn, {role}: read the last block of current.md."

    def block_text(self, block: Block) -> str:
        self._enter("block_text")
        if block.index >= len(self.now.blocks) or block.index not in self.texts:
            raise TeamopsError("That block is no longer in the file.", "Choose another.")
        return self.texts[block.index]

    def task_report(self, task: str | None) -> TaskReport:
        self._enter("task_report")
        return self.reports[task] if task in self.reports else believable_report(self.now, task)

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:
        self._enter("tamper_diff")
        if all(finding.tamper != tamper for finding in self.now.findings):
            raise UsageError("There is no such change.", "Look at the findings.")
        return self.diff

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        self._enter("decisions")
        return tuple(one for one in self.refused if role in (None, one.role))

    def violation_diff(self, violation: int) -> tuple[str, ...]:
        self._enter("violation_diff")
        if violation not in self.violation_diffs:
            raise UsageError("There is no such violation.", "Look which there are.")
        return self.violation_diffs[violation]

    def agent_report(self, role: Role) -> AgentReport:
        self._enter("agent_report", role)
        return self.agent_reports[role] if role in self.agent_reports else believable_agent_report(self.now, role)

    def cost_report(self) -> CostReport:
        self._enter("cost_report")
        return believable_cost_report(self.now) if self.costs is None else self.costs

    def day_report(self, last: date | None, days: int = 1) -> DayReport:
        self._enter("day_report")
        if not 1 <= days <= MOST_DAYS:
            raise UsageError("So many days can't be told.", "Ask for fewer.")
        return believable_day_report(self.now, last, days) if self.day is None else self.day

    def screen(self, role: Role) -> str:
        self._enter("screen", role)
        return self.pane

    def attach(self, role: Role) -> AttachPlan:
        self._enter("attach", role)
        return self.plan
