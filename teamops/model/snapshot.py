"""What the supervisor shows, and the port through which a screen talks to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from teamops.model.actions import Outcome
from teamops.model.agent import AgentView
from teamops.model.alert import Alert
from teamops.model.boundary import Decision, Violation, ViolationState
from teamops.model.budget import BudgetLine
from teamops.model.clock import HUNG_S, Stamp
from teamops.model.handoff import Block, Problem, Stage, Standing, Task
from teamops.model.protocol import ProtocolFinding, StageTime, TaskReport
from teamops.model.role import Role
from teamops.model.spend import Spend

if TYPE_CHECKING:  # only a screen that asks for them needs them
    from teamops.model.agent_report import AgentReport
    from teamops.model.cost_report import CostReport
    from teamops.model.day_report import DayReport
    from teamops.model.replay import Replayed
    from teamops.model.unrecorded import Unrecorded


class LightState(StrEnum):
    """How the light's holder takes it."""

    WORKING = "working"
    """Signs of work within the waiting limit, or the light came more lately than that (``answered`` tells)."""
    WAITING = "waiting"
    """No sign of work for the waiting limit (5 min)."""
    STALE = "stale"
    """No sign of work for the stale limit (13 min)."""
    HUMAN = "human"


class LightView(Struct, frozen=True, kw_only=True):
    """The light of one open task."""

    task: str | None
    role: Role
    name: str
    tier: int | None
    stage: Stage
    since_wall: float
    """When teamops saw the block that gave the light, Unix seconds."""
    age_s: float
    """Observed seconds since then."""
    unanswered_s: float
    """Observed seconds without a sign of work from its holder; 0 while working."""
    waiting_after_s: float
    stale_after_s: float
    state: LightState
    line: int
    """Line of the block that gave it."""
    answered: bool = False
    """Its holder has shown a sign of work since the light came."""
    stages: tuple[StageTime, ...] = ()
    """What the task has spent in each stage so far."""
    rounds: int = 0
    """How often a review sent the work back."""
    standing: Standing = Standing.OPEN
    cost: Spend = field(default_factory=Spend)
    """What its holder has used since it came."""


class SupervisorView(Struct, frozen=True, kw_only=True):
    """Who acts on this project."""

    pid: int | None
    """Of the acting supervisor; ``None`` when nobody acts."""
    acting: bool
    """This very process acts; otherwise it is a viewer."""
    since_wall: float | None
    watch_only: bool = False
    """No teamops.toml: nothing in tmux is managed."""
    round_age_s: float | None = None
    """How long ago the acting supervisor's loop last went round; ``None`` = not known, or it is this very process."""
    unrecorded: Unrecorded | None = None
    """What the acting supervisor can't write to the ledger now; ``None`` = it can, or it is this very process."""
    ended: str = ""
    """Why this process' own supervisor has ended; empty = it runs."""

    @property
    def hangs(self) -> bool:
        """The acting supervisor is there and does nothing: it was stopped, or waits for something that doesn't come."""
        return self.pid is not None and self.round_age_s is not None and self.round_age_s > HUNG_S


class LogLine(Struct, frozen=True):
    """One line of the events pane: what happened or what teamops did."""

    wall: float
    kind: str
    """turn, state, alert, page, action, protocol, source."""
    text: str
    role: Role | None = None
    ok: bool = True


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything a screen shows, at one moment. Immutable: hand it to any thread."""

    revision: int
    """Grows with each snapshot of one supervisor."""
    stamp: Stamp
    project: str
    root: str
    handoff_path: str
    supervisor: SupervisorView
    ready: bool = False
    """Every source has reported once."""
    lights: tuple[LightView, ...] = ()
    tasks: tuple[Task, ...] = ()
    agents: tuple[AgentView, ...] = ()
    alerts: tuple[Alert, ...] = ()
    """Open ones first, then those resolved lately; newest first."""
    log: tuple[LogLine, ...] = ()
    """Newest first, at most 200."""
    blocks: tuple[Block, ...] = ()
    problems: tuple[Problem, ...] = ()
    findings: tuple[ProtocolFinding, ...] = ()
    """Broken rules of the protocol, in the order of the file."""
    handoff_trouble: str = ""
    """Why the handoff file can't be read now; empty = it can."""
    cost_today_usd: Decimal = Decimal(0)
    unpriced_tokens: int = 0
    spent: Mapping[int, Spend] = field(default_factory=lambda: MappingProxyType({}))
    """What was used under the light that each block ended, by the block's index; nothing where nothing was used."""
    budgets: tuple[BudgetLine, ...] = ()
    """The team's first; empty where nothing is limited."""
    violations: tuple[Violation, ...] = ()
    """Changes past a boundary: open ones first, then those of the last day; newest first, at most 100."""
    troubles: tuple[str, ...] = ()
    """What works in a lesser way, one line each ("no desktop bus: notifications ring the terminal bell")."""
    replay: Replayed | None = None
    """``None``: this is now."""


class PokeRole(Struct, frozen=True):
    """Intent: type this line to that role."""

    role: Role
    text: str


class RestartRole(Struct, frozen=True):
    """Intent: start that role's agent (again). The screen has asked for confirmation."""

    role: Role


class StartRole(Struct, frozen=True):
    """Intent: make that role's session and start its agent, or adopt what runs there."""

    role: Role


class StopRole(Struct, frozen=True):
    """Intent: end that role's agent in good order, and hold it until it is started again. The screen has asked."""

    role: Role
    grace_s: float | None = None
    """``None``: as configured."""


class AckAlert(Struct, frozen=True):
    """Intent: the person has seen it."""

    code: str
    subject: str


class SilenceAlert(Struct, frozen=True):
    """Intent: nobody is to be told of it for a while; a silence that holds is ended by ``end``."""

    code: str
    subject: str
    seconds: float | None = None
    """``None`` = until its cause is gone."""
    end: bool = False


class SignOff(Struct, frozen=True, kw_only=True):
    """Intent: the person signs a task off, or sends it back. The screen has shown the task's report and asked."""

    task: str | None
    approve: bool
    note: str
    """May be empty with an approval; a task sent back says why."""
    chain: str
    """``TaskReport.chain`` of what was shown: refused where the task has moved on since."""


class AcceptTamper(Struct, frozen=True):
    """Intent: the person accepts that a block was rewritten, took its leave or was put in between."""

    tamper: int


class LiftBudget(Struct, frozen=True):
    """Intent: let a role, or the team, spend again. Only a person may: whoever sends it has made sure."""

    scope: str
    """A role, or ``budget.TEAM``."""
    day_usd: Decimal | None
    """The new limit for today; ``None`` where no budget is what holds."""


class StopSpendingOf(Struct, frozen=True):
    """Intent: stop that role's spending, by all steps, and hold it until a person lifts that."""

    role: Role


class SettleViolation(Struct, frozen=True):
    """Intent: the person deals with a change past a boundary. The screen has shown it and asked."""

    violation: int
    to: ViolationState
    """ACCEPTED lets it stand, QUARANTINED keeps it as a patch and undoes it, RESTORED puts it back."""
    force: bool = False
    """With RESTORED: also where the file has changed since; what stands there is kept, too."""


Intent = (
    PokeRole
    | RestartRole
    | AckAlert
    | SilenceAlert
    | SignOff
    | AcceptTamper
    | StartRole
    | StopRole
    | LiftBudget
    | StopSpendingOf
    | SettleViolation
)


class AttachPlan(Struct, frozen=True):
    """How to bring a person to an agent's session and back."""

    argv: tuple[str, ...]
    switch: bool
    """True: runs at once and returns (switch-client of the person's own tmux). False: takes the terminal
    until the person detaches."""
    back: str
    """How to come back, for a person."""
    unset: tuple[str, ...] = ()
    """Environment variables to drop for it (TMUX, when nesting into another server)."""


class SupervisorPort(Protocol):
    """The supervisor as a screen knows it: snapshots in, intents and queries out.

    ``subscribe`` may call back from any thread. The queries may block for up to 2 s: never call them on a UI
    thread. They raise ``TeamopsError`` with what to do.
    """

    def snapshot(self) -> Snapshot:
        """Return the newest snapshot, at once."""

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call back with each new snapshot, from any thread; the returned function ends it."""

    def send(self, intent: Intent) -> None:
        """Hand over what the person wants, at once; its outcome comes in the snapshot's log."""

    def poke_text(self, role: Role) -> str:
        """Return the line that a poke would type now, for preview."""

    def block_text(self, block: Block) -> str:
        """Return the block's Markdown as it stands in the file now, cleaned."""

    def task_report(self, task: str | None) -> TaskReport:
        """Return the whole chain of a task: its blocks, times, findings, gates and what it changed."""

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:
        """Return the lines of a unified diff of a rewritten block, old against new, cleaned."""

    def agent_report(self, role: Role) -> AgentReport:
        """Return all that is remembered of an agent: its pokes, restarts and memory, and what runs in its pane."""

    def cost_report(self) -> CostReport:
        """Return what the project's agents cost: by day, hour, agent, model and task, how fast, and their runaways."""

    def day_report(self, last: date | None, days: int = 1) -> DayReport:
        """Return the report of the ``days`` days that end with ``last``; ``None``: with today."""

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        """Return what the agents' hooks refused or warned of lately, newest first, at most 200."""

    def violation_diff(self, violation: int) -> tuple[str, ...]:
        """Return the lines of a unified diff of a change past a boundary, before against after, cleaned."""

    def screen(self, role: Role) -> str:
        """Return the agent's visible screen with its SGR colour sequences and nothing else unsafe."""

    def attach(self, role: Role) -> AttachPlan:
        """Return how to attach to the role's session."""

    def act(self, intent: Intent, timeout_s: float = 10.0) -> Outcome:
        """Send ``intent`` and wait for its outcome."""
