"""Six agents and their machine, as a supervisor's sources tell of them, in simulated time; and the supervisor itself.

Nothing is told of alerts here: what goes wrong is told as raw facts (a process that ended, beats that no longer come, a
prompt for permission, a log that tells of tokens, a disk that takes no writes), and all from there to the page is
teamops' own: the book, the health of each agent, the rules, the alerts, the ledger (SQLite), the outbox. A supervisor
is killed by leaving all its objects behind and making new ones of the same files.

The clock goes by at several paces. While something that may become a page is on its way: a second, as in real life.
While something is wrong: ten; while a person who knows of it mends it: thirty. Otherwise ``QUIET_S``, with every
agent's sign of life just before each round: what would fire and be over between two rounds of a clean hour is not
seen. ``fine`` makes hours go by in steps of ten seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from teamops.config.settings import NotifySettings, RoleSettings, Settings
from teamops.domain.budget import BudgetRule
from teamops.domain.limits import RestartPolicy, RestartWhen
from teamops.domain.paging import PagingPolicy, Quiet
from teamops.guard import holds
from teamops.handoff import ROLES, Document
from teamops.handoff.appending import append
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.actions import Action, Append, Outcome, Poke, Stop, StopSpending
from teamops.model.agent import Beat, BeatKind
from teamops.model.alert import AlertState
from teamops.model.budget import Step
from teamops.model.events import (
    BeatsSeen,
    HandoffChanged,
    HandoffLost,
    PaneDied,
    PanesSeen,
    ProcessesSeen,
    ProcessRow,
    PromptSeen,
    ScreenSeen,
    Ticked,
    UsageSeen,
)
from teamops.model.handoff import Severity
from teamops.model.page import Answer, Page, Receipt
from teamops.model.pane import Pane, Screen
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER, PARTNER, REVIEWER, Role
from teamops.model.snapshot import AckAlert, Snapshot, SupervisorView
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.sources.clock import Clock
from teamops.supervisor.core import Core
from teamops.supervisor.memory import Memory
from teamops.usage.pricing import Pricer
from tests.virtual_time import elapse

TEAM = (DIRECTOR, DEVELOPER, CODER, REVIEWER, OPTIMIZER, PARTNER)
BEGIN = 1_775_001_600.0
"""Midnight in UTC."""
DAY_S = 86_400.0
QUIET_S = 900.0
BUDGET = BudgetRule(day_usd=Decimal(100))


@dataclass
class Agent:
    """One agent, as it is outside of teamops."""

    role: Role
    pid: int
    born: int
    """So many processes it had before."""
    alive: bool = True
    exit_status: int | None = None
    silent: bool = False
    """Neither beats nor works."""
    takes_lines: bool = True
    rss: int = 200 << 20
    stopped: bool = False
    screen: Screen | None = None
    rate: int = 0
    """Tokens that it uses each second, beyond what it usually does."""
    beaten: float = -1e9
    last: dict[str, Beat] = field(default_factory=dict)
    """What its spool says last: of its loop, and of its client's hooks."""


class Way:
    """A channel that notes what it delivers, and when."""

    limit_s = 5.0

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self._world = world

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - no answers come by it
        """Be there."""
        return ""

    async def deliver(self, page: Page) -> Receipt:
        """Deliver ``page``, unless the channel is out of order."""
        world = self._world
        world.tries.append((world.at, self.name, page))
        answer = world.outage.get(self.name)
        if answer is not None:
            return answer
        world.heard.append((world.at, self.name, page))
        return Receipt(ok=True, message="shown")

    async def close(self) -> None:
        """Leave nothing."""


class Hands:
    """Takes the place of tmux: lines arrive at the agents of this world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self, action: Action, check: Callable[[bytes], None] | None = None) -> Outcome:  # noqa: ARG002
        """Do ``action``."""
        assert not isinstance(action, Append)
        if isinstance(action, Poke):
            agent = self._world.agents[action.role]
            if agent.alive and agent.takes_lines and not agent.silent:
                asyncio.get_running_loop().call_later(0.5, self._world.takes, action.role, action.text)
        elif isinstance(action, Stop):
            self._world.die(action.role)
        elif isinstance(action, StopSpending) and action.step is Step.GATE:
            state = self._world.folder / "state"
            holds.hold(str(state), action.role, f"held: {action.text}", action.since)
        return Outcome(ok=True, message="typed and submitted")

    async def hindrance(self, role: Role) -> str:  # noqa: ARG002
        """Say that nothing is in the way."""
        return ""


@dataclass
class World:
    """All of it. ``begin`` before anything else."""

    folder: Path
    loop: asyncio.AbstractEventLoop
    """A ``VirtualLoop``, or a real one where real time is wanted."""
    team: tuple[Role, ...] = TEAM
    quiet: Quiet | None = None
    skew: float = 0.0
    """By so much the wall clock was set."""
    heard: list[tuple[float, str, Page]] = field(default_factory=list)
    """(second of the month, channel, page)"""
    tries: list[tuple[float, str, Page]] = field(default_factory=list)
    outage: dict[str, Receipt] = field(default_factory=dict)
    """Channel → how every try by it ends."""
    server_up: bool = True
    no_writes: bool = False
    """The disk takes none."""
    fine: bool = False
    """Go on by ten seconds at most."""
    ill: int = 0
    """So many things are wrong."""
    mending: bool = False
    """A person knows of it, and mends it."""
    rounds: int = 0
    publish: Callable[[Snapshot], None] = lambda _: None

    def __post_init__(self) -> None:
        self._begun = self.loop.time()
        self.handoff = self.folder / "current.md"
        self.handoff.touch()
        self.document = Document({*ROLES, *self.team})
        self.agents = {role: Agent(role, 4_000_000 + number, 0) for number, role in enumerate(self.team)}
        self._looked = 0.0
        self._places = itertools.count(1)
        self._revisions = itertools.count(1)
        self.settings = Settings(
            root=self.folder,
            project="shop",
            handoff=self.handoff,
            roles=tuple(self._role(role) for role in self.team),
            source=self.folder / "teamops.toml",
            restart=RestartPolicy(when=RestartWhen.NEVER),
            notify=NotifySettings(),
            paging=PagingPolicy(quiet=self.quiet),
            timezone="UTC",
        )
        self.core: Core
        self.ledger: Ledger

    def _role(self, role: Role) -> RoleSettings:
        return RoleSettings(
            role=role, name="", profile=None, session=f"shop-{role.lower()}", client="sdk", command=("cat",),
            cwd=self.folder, budget=BUDGET if role == OPTIMIZER else BudgetRule(),
        )  # fmt: skip

    @property
    def at(self) -> float:
        """Seconds since it began, whatever the wall clock says."""
        return self.loop.time() - self._begun

    @property
    def wall(self) -> float:
        return BEGIN + self.at + self.skew

    # lives of the supervisor

    async def begin(self) -> None:
        """Let a supervisor live, of the files that there are."""
        self.ledger = open_ledger(self.folder / "state" / "ledger.sqlite3")
        self.forbid_writes(self.no_writes)
        holds.prepare(str(self.folder / "state"))
        self.clock = Clock(self.loop.time, lambda: self.wall, tick_s=QUIET_S)
        memory = Memory(self.ledger, Pricer({}), acting=True, followed=False)
        view = SupervisorView(pid=1, acting=True, since_wall=None)
        self.core = Core(self.settings, self.clock, memory, view, self.publish, self._revisions)
        self.core.budgeting.folder = self.folder / "state"
        self.core.acts.effects = Hands(self)  # type: ignore[assignment]  # all that the core uses of it
        self.core.begin_running()
        self.core.spawn(self.core.paging.run([Way(name, self) for name in self.settings.notify.order]), "paging")
        self._read = False
        self.tell_panes()
        self.tell_handoff()
        for agent in self.agents.values():
            self.tell_screen(agent)
        self.tell_processes()
        known = tuple(beat for agent in self.agents.values() if agent.alive for beat in agent.last.values())
        self.core.emit(BeatsSeen(self.clock.stamp(), (), self.place("spool"), known=known))
        self._beat(force=True)
        self.core.say_ready()
        for _ in range(3):
            await self.step(1.0)

    async def kill(self) -> None:
        """End the supervisor as kill -9 does: nothing is tidied, nothing is said."""
        self.core.running.cancel()
        await asyncio.gather(self.core.running, return_exceptions=True)
        self.ledger.close()

    def forbid_writes(self, no_writes: bool) -> None:
        """Let the disk take no writes of the ledger, or take them again."""
        self.no_writes = no_writes
        self.ledger._connection.execute(f"PRAGMA query_only = {int(no_writes)}")

    # time

    async def step(self, seconds: float) -> None:
        """Let seconds go by, with a round of the clock at their end."""
        await elapse(seconds)
        self._beat()
        self._use(seconds)
        self.core.emit(Ticked(self.clock.stamp(), self.clock.take_gap()))
        await self.core.next_round()
        self.rounds += 1

    async def until(self, at: float) -> None:
        """Go on to that second of the month, at the pace that what is going on asks for."""
        while self.at < at:
            await self.step(min(self.pace(), max(0.1, at - self.at)))

    def pace(self) -> float:
        """Return the seconds until the next round."""
        minute = int(self.wall % DAY_S) // 60
        night = self.quiet is not None and self.quiet.left(minute) > 5
        soon = any(
            alert.state is AlertState.PENDING
            or alert.clear is not None
            or (alert.state is AlertState.FIRING and alert.notify and alert.paged_wall is None and not alert.hidden_by)
            for alert in self.core.book.alerts.values()
            if not night or alert.severity is Severity.CRITICAL
        )
        if soon:
            return 1.0
        return 10.0 if self.ill or self.fine else 30.0 if self.mending else QUIET_S

    # what the sources tell

    def place(self, name: str) -> Position:
        """Return how far a file was read by now."""
        return Position(name, 1, 1, next(self._places))

    def pane(self, agent: Agent) -> Pane:
        number = self.team.index(agent.role)
        return Pane(
            pane_id=f"%{number}", session=f"shop-{agent.role.lower()}", pid=agent.pid, tty="/dev/null",
            dead=not agent.alive, exit_status=agent.exit_status,
        )  # fmt: skip

    def tell_panes(self) -> None:
        """Tell what tmux says."""
        panes = tuple((agent.role, self.pane(agent)) for agent in self.agents.values()) if self.server_up else ()
        self.core.emit(PanesSeen(self.clock.stamp(), panes, server_up=self.server_up))

    def tell_processes(self) -> None:
        """Tell what the kernel says of memory and stopped processes."""
        rows = tuple(
            ProcessRow(agent.role, agent.pid, agent.rss, 1.0, 1, stopped=agent.stopped)
            for agent in self.agents.values()
            if agent.alive
        )
        self.core.emit(ProcessesSeen(self.clock.stamp(), rows))

    def tell_screen(self, agent: Agent) -> None:
        """Tell what an agent's screen shows."""
        if agent.screen is not None:
            self.core.emit(ScreenSeen(self.clock.stamp(), agent.role, agent.pid, agent.screen))

    def tell_handoff(self) -> None:
        """Tell the file as it is now."""
        try:
            data = self.handoff.read_bytes()
        except FileNotFoundError:
            self.core.emit(HandoffLost(self.clock.stamp(), "there is no current.md", "put it back"))
            return
        appended = self.document.update(len(data), lambda start, end: data[start:end]) and self._read
        self._read = True
        self.core.emit(HandoffChanged(self.clock.stamp(), self.document.handoff, self.changed, appended=appended))

    def write(self, text: str) -> None:
        """Let a block be appended."""
        append(self.handoff, text)
        self.changed = self.wall
        self.tell_handoff()

    changed: float = BEGIN

    def lose_handoff(self) -> None:
        """Take the file away."""
        shutil.move(self.handoff, self.handoff.with_suffix(".away"))
        self.tell_handoff()

    def put_handoff_back(self) -> None:
        """Bring it back."""
        shutil.move(self.handoff.with_suffix(".away"), self.handoff)
        self.tell_handoff()

    def takes(self, role: Role, text: str) -> None:
        """Let a client take a line, and say so by its own record."""
        self.core.emit(PromptSeen(self.clock.stamp(), role, text, "transcript"))
        self.hook(role, "UserPromptSubmit", text)

    def hook(self, role: Role, event: str, detail: str = "") -> None:
        """Let an agent's client tell of an event."""
        agent = self.agents[role]
        beat = Beat(role=role, wall=self.wall, kind=BeatKind.HOOK, hook=event, detail=detail, pid=agent.pid)
        agent.last["hook"] = beat
        self.core.emit(BeatsSeen(self.clock.stamp(), (beat,), self.place("spool")))

    def _beat(self, *, force: bool = False) -> None:
        """Let who is well and due give a sign of life and work."""
        beats, holders = [], self.holders
        for agent in self.agents.values():
            due = force or self.at - agent.beaten >= 60.0 - 0.5
            if due and agent.alive and not agent.silent and not agent.stopped and self.server_up:
                agent.beaten = self.at
                works = agent.role in holders
                agent.last["own"] = Beat(
                    role=agent.role, wall=self.wall, pid=agent.pid, interval_s=60.0, tokens=180 if works else 0,
                    status="working" if works else "idle",
                )  # fmt: skip
                beats.append(agent.last["own"])
        if self.at - self._looked >= 60.0 - 0.5:
            self._looked = self.at
            self.tell_processes()
        if beats:
            self.core.emit(BeatsSeen(self.clock.stamp(), tuple(beats), self.place("spool")))

    @property
    def holders(self) -> set[Role]:
        return {light.role for light in self.core.book.lights.values()}

    def _use(self, seconds: float) -> None:
        for agent in self.agents.values():
            if agent.rate:
                self.respond(agent.role, *(agent.rate,) * max(1, int(seconds)))

    def respond(self, role: Role, *tokens: int, usd: str = "0.01") -> None:
        """Let an agent's log tell of responses."""
        usages = tuple(
            Usage(wall=self.wall, model="m", tokens=Tokens(size // 4, size - size // 4), client="claude",
                  cost_usd=Decimal(usd))
            for size in tokens
        )  # fmt: skip
        self.core.emit(UsageSeen(self.clock.stamp(), role, usages, self.place(f"log {role}"), grew=True, live=True))

    def die(self, role: Role, *, oom: bool = False) -> None:
        """Let an agent's process end."""
        agent = self.agents[role]
        agent.alive, agent.exit_status = False, None if oom else 1
        self.core.emit(
            PaneDied(self.clock.stamp(), role, agent.pid, agent.exit_status, 9 if oom else None, oom=oom or None)
        )
        self.tell_panes()

    def start(self, role: Role) -> None:
        """Let a person start an agent again."""
        agent = self.agents[role]
        agent.alive, agent.exit_status, agent.pid = True, None, agent.pid + 1000
        agent.silent = agent.stopped = False
        agent.screen, agent.beaten, agent.last = None, -1e9, {}
        self.tell_panes()

    async def acknowledge(self, *keys: tuple[str, str]) -> None:
        """Let the person say that they have seen it."""
        for key in keys:
            await self.core.wish(AckAlert(*key))
