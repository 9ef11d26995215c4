"""All that is known of the team, as the events told it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.domain import budget_alerts, health, light, restart, spike_alerts
from teamops.domain.evidence import known
from teamops.model.agent import AgentState, EvidenceKind
from teamops.model.agent_report import Launch
from teamops.model.alert import Alert
from teamops.model.clock import Stamp
from teamops.model.events import (
    BeatsSeen,
    Event,
    GrowthSeen,
    HandoffChanged,
    HandoffLost,
    OutputSeen,
    PaneDied,
    PanesSeen,
    ProcessesSeen,
    PromptSeen,
    ScreenSeen,
    SourceTroubled,
    StatusSeen,
    Ticked,
    UsageSeen,
)
from teamops.model.handoff import Handoff, Problem, Severity, Task
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.snapshot import LogLine, SupervisorView
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.costs import Costs
from teamops.supervisor.protocol_book import ProtocolBook

MAX_LOG = 200
LATELY = 500
"""So many blocks back, without a configured team, a role counts as one of the team."""


@dataclass(slots=True)
class Book:
    """The mutable book of one supervisor. Only its loop touches it."""

    settings: Settings
    stamp: Stamp
    supervisor: SupervisorView
    handoff: Handoff = field(default_factory=Handoff)
    protocol: ProtocolBook = field(init=False)
    errors: tuple[Problem, ...] = ()
    """The problems of the file that are errors."""
    lights: dict[str, light.Light] = field(default_factory=dict)
    """By task, lower case; open tasks only."""
    handoff_trouble: tuple[str, str] | None = None
    agents: dict[Role, AgentBook] = field(default_factory=dict)
    looked: bool = False
    """tmux was asked once in this life."""
    with_panes: frozenset[Role] = frozenset()
    """Agents whose sessions were there when the tmux server was last seen; before that: those left running."""
    emptied: float | None = None
    """When the tmux server began to answer without any of them."""
    tmux_gone: bool = False
    tmux_was_down: bool = False
    """An earlier life has said that it went with agents in it, and it was not seen since."""
    troubles: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Source → message, hint."""
    notes: dict[str, str] = field(default_factory=dict)
    """What is worth a line on the screen, but no alert: "notifications" → why they ring the bell."""
    ledger_trouble: str = ""
    costs: Costs = field(default_factory=Costs)
    alerts: dict[tuple[str, str], Alert] = field(default_factory=dict)
    log: tuple[LogLine, ...] = ()
    offset: float = 0.0
    """Observed seconds less Unix seconds, as of the last round of the clock that came in time."""
    midnight: float = 0.0
    """Unix seconds at which today began, in the timezone of the budgets."""
    started: frozenset[str] = frozenset()
    """Sources that have reported once."""
    news: bool = True
    """What came since the last judging may be about any agent, time itself included."""
    heard: set[Role] = field(default_factory=set)
    """Agents that told something of themselves since the last judging."""

    def __post_init__(self) -> None:
        self.protocol = ProtocolBook(self.settings.limits)
        self.offset = self.stamp.now - self.stamp.wall
        self.midnight = self.settings.budgets.day_begins(self.stamp.wall)
        for settings in self.settings.roles:
            self.agents[settings.role] = AgentBook(settings.role, settings)

    def agent(self, role: Role) -> AgentBook:
        """Return the page of ``role``, a new one where the team didn't name it."""
        page = self.agents.get(role)
        if page is None:
            page = self.agents[role] = AgentBook(role, None)
        return page

    def tick(self, seen: Ticked) -> bool:
        """Take a round of the clock; return whether a new day begins with it."""
        self.news = True
        if not seen.gap_s:
            self.offset = seen.stamp.now - seen.stamp.wall
        return self.turn_day(seen.stamp.wall)

    def observed(self, wall: float, stamp: Stamp) -> float:
        """Return when ``wall`` was, in observed seconds, for something that came to be known at ``stamp``.

        Just after a gap, or a jump of the wall clock, what lies before it is as old as it was then: seconds in which
        nobody looked don't age it.
        """
        return min(stamp.now, wall + max(stamp.now - stamp.wall, self.offset))

    def note(self, line: LogLine) -> None:
        """Put a line at the top of the log."""
        self.log = (line, *self.log[: MAX_LOG - 1])

    def turn_day(self, wall: float) -> bool:
        """Begin a new day where ``wall`` lies in one: today's sums start again. Return whether it did."""
        midnight = self.settings.budgets.day_begins(wall)
        if midnight == self.midnight:
            return False
        self.midnight = midnight
        for page in self.agents.values():
            page.cost_today *= 0
            page.unpriced_today = 0
            page.restarts = 0
        return True

    def take(self, event: Event) -> None:
        """Take what an event says of the world. The handoff's blocks and actions have their own ways in."""
        about = roles_of(event)
        if about is None:
            self.news = True
        else:
            self.heard.update(about)
        match event:
            case HandoffLost():
                self.handoff_trouble = (event.reason, event.hint)
            case SourceTroubled(message=""):
                self.troubles.pop(event.source, None)
            case SourceTroubled():
                self.troubles[event.source] = (event.message, event.hint)
            case PanesSeen():
                self.see_panes(event)
            case _:
                self._take_of_agent(event)

    def _take_of_agent(self, event: Event) -> None:
        match event:
            case BeatsSeen():
                self._take_beats(event)
            case UsageSeen():
                self.agent(event.role).see_growth(event)
            case GrowthSeen():
                self.agent(event.role).see_session_growth(event)
            case StatusSeen():
                self.agent(event.role).see_status(event)
            case PaneDied():
                self.agent(event.role).see_death(event)
            case ScreenSeen():
                self.agent(event.role).see_screen(event)
            case OutputSeen():
                self.agent(event.role).printed = event.stamp.now
            case ProcessesSeen():
                for row in event.rows:
                    self.agent(row.role).see_process(row, event.stamp.now)

    def _take_beats(self, seen: BeatsSeen) -> None:
        for beat in seen.past:
            if health.tells_of_work(beat):
                self.agent(beat.role).past.see_work(self.observed(beat.wall, seen.stamp))
        for beats, counted in ((seen.known, True), (seen.beats, False)):
            for beat in beats:
                at = self.observed(beat.wall, seen.stamp)
                self.agent(beat.role).see_beat(beat, self.midnight, seen.stamp, at=at, counted=counted)

    def see_panes(self, seen: PanesSeen) -> None:
        """Take what tmux says of all managed sessions."""
        panes = dict(seen.panes)
        if not self.looked:
            self.with_panes = frozenset(page.role for page in self.agents.values() if page.left_running)
        if seen.server_up:
            self.tmux_was_down = False
            if panes or self.tmux_gone or not self.looked:
                self.with_panes, self.emptied = frozenset(panes), None
            elif self.emptied is None:
                self.emptied = seen.stamp.now
        elif self.emptied is not None and seen.stamp.now - self.emptied > health.SERVER_ENDS_S:
            self.with_panes = frozenset()
        for role, page in self.agents.items():
            page.see_pane(panes.get(role), seen.stamp, first=not self.looked)
        self.tmux_gone, self.looked = not seen.server_up, True

    def know_left(self, launches: Mapping[Role, Launch]) -> None:
        """Know which agents earlier lives left: what was started and not stopped, and what was said to be dead.

        Nobody may have seen the end of them. ``launches``: the newest of each role.
        """
        for page in self.agents.values():
            begun = launches.get(page.role)
            if begun is not None and not begun.adopted:
                page.past.launched = (begun.pid, self.observed(begun.wall, self.stamp))
            if page.settings is None or not self.manages(page.role):
                continue
            launch, said = launches.get(page.role), self.alerts.get(("agent-dead", str(page.role)))
            ours = launch is not None and not launch.adopted and launch.session == page.settings.session
            self.tmux_was_down = self.tmux_was_down and not ours  # who was in it is known better than that
            if is_let_go(page):
                continue
            if launch is not None and ours:
                page.left_running = launch.pid
            elif said is not None and said.open:
                page.left_running = 0

    @property
    def tmux_down(self) -> str:
        """Say that the tmux server went with agents in it; empty = it is there, or the last were stopped."""
        roles = self.agents if self.tmux_was_down else self.with_panes
        pages = [self.agents[role] for role in roles if role in self.agents]
        if self.tmux_gone and not all(is_let_go(page) for page in pages):
            return "the tmux server of the team is gone, and its agents with it"
        return ""

    def see_handoff(self, seen: HandoffChanged, *, first: bool) -> list[light.Light]:
        """Take the file's new truth; return the lights that are new, dated by the event's moment.

        A block is itself a sign of work of the role that wrote it: new ones now, and at the ``first`` reading the last
        one when the file was last changed.
        """
        self.news = True
        known = len(seen.handoff.blocks) - 1 if first else len(self.handoff.blocks)
        age = max(0.0, seen.stamp.wall - seen.mtime) if first else 0.0
        if seen.appended or first:
            for block in seen.handoff.blocks[max(0, known) :]:
                if block.role not in {HUMAN, NONE}:
                    self.agent(block.role).worked = seen.stamp.now - age
        if not self.settings.roles:
            for role in {
                block.role: None for block in seen.handoff.blocks[-LATELY:] if block.role not in {HUMAN, NONE}
            }:
                self.agent(role)
        self.handoff_trouble = None
        history = first and not self.protocol.born
        self.protocol.read(seen.handoff.blocks, seen.stamp.wall, appended=seen.appended, history=history)
        self.handoff = seen.handoff
        self.errors = tuple(problem for problem in seen.handoff.problems if problem.severity is Severity.ERROR)
        before, self.lights = self.lights, {}
        fresh = []
        for task in self.protocol.tasks:
            if not task.open or task.turn is None:
                continue
            key = (task.task or "").lower()
            old = before.get(key)
            if old is not None and (old.digest, old.role) == (task.since_digest, task.turn):
                self.lights[key] = _light_of(task, task.turn, old.since, old.since_wall)
            else:
                self.lights[key] = _light_of(task, task.turn, seen.stamp.now, seen.stamp.wall)
                fresh.append(self.lights[key])
        return fresh

    def date_light(self, dated: light.Light, since_wall: float) -> None:
        """Say that ``dated`` came at ``since_wall``: known from the ledger or the file's time."""
        self.news = True
        age = max(0.0, self.stamp.wall - since_wall)
        self.lights[(dated.task or "").lower()] = replace(
            dated, since=self.stamp.now - age, since_wall=min(since_wall, self.stamp.wall)
        )

    def held_by(self, role: Role) -> Sequence[light.Light]:
        """Return the lights that ``role`` holds, oldest first."""
        return self.holders().get(role, ())

    def holders(self) -> Mapping[Role, Sequence[light.Light]]:
        """Return the lights of each role that holds any, oldest first. For all agents ask once: a team may be large."""
        found: dict[Role, list[light.Light]] = {}
        for held in self.lights.values():
            found.setdefault(held.role, []).append(held)
        for lights in found.values():
            lights.sort(key=lambda held: held.since)
        return found

    def judge(self, now: float) -> list[AgentBook]:
        """Judge every agent anew; return those whose state changed."""
        self.news = True
        return self.judge_news(now)

    def judge_news(self, now: float) -> list[AgentBook]:
        """Judge the agents of which something is new; return those whose state changed.

        That is everyone with a round of the clock, with the handoff file and with what tells of the whole team, and
        otherwise who told something of itself, or of whom something was decided: what hundreds of agents tell between
        two rounds costs by what they tell, and not by how many they are.
        """
        news, heard = self.news or self.tmux_gone, self.heard
        self.news, self.heard = False, set()
        holders, tmux_down, changed = self.holders(), bool(self.tmux_down), []
        for page in self.agents.values():
            if news or page.role in heard or _decided(page) != page.judged_as:
                held = holders.get(page.role)
                if self._judge(page, held[0].since if held else None, now, tmux_down=tmux_down):
                    changed.append(page)
        return changed

    def _judge(self, page: AgentBook, light_since: float | None, now: float, *, tmux_down: bool) -> bool:
        """Judge an agent; return whether its state changed."""
        facts = page.facts(managed=self.manages(page.role), light_since=light_since)
        state, evidence = health.judge(facts, now, self.settings.limits)
        if tmux_down and state is AgentState.DEAD:
            state, evidence = AgentState.UNKNOWN, replace(evidence, detail=health.SERVER_GONE)
        page.health, page.health_evidence = state, evidence
        page.evidences = known(facts, now)
        if page.keeping is not None:
            worked = health.worked_at(facts, now)
            state, evidence = restart.shown(page.keeping, state, evidence, worked=worked, now=now)
        kind = EvidenceKind.TRANSCRIPT if page.has_transcript else EvidenceKind.BEAT
        state, evidence = spike_alerts.shown(page.spike, state, evidence, kind=kind, wall=self.stamp.wall)
        state, evidence = budget_alerts.shown(page.hold, page.health, state, evidence, self.stamp.wall)
        changed = state is not page.state
        page.state, page.evidence = state, evidence
        page.judged_as, page.view = _decided(page), None
        return changed

    def readings(self, now: float) -> list[tuple[light.Light, light.Reading]]:
        """Read every light, the one that waits longest first."""
        rows = []
        for held in self.lights.values():
            page = self.agents.get(held.role)
            worked = None
            if page is not None:
                facts = page.facts(managed=True, light_since=held.since)
                signs = (health.worked_at(facts, now), page.past.worked)
                worked = max((sign for sign in signs if sign is not None), default=None)
            rows.append((held, light.read_light(held, worked, now, self.settings.limits)))
        return sorted(rows, key=lambda row: (row[0].role == HUMAN, -row[1].unanswered_s, row[0].task or ""))

    def expects_work(self, held: light.Light) -> bool:
        """Return whether the holder of a light has had its time to show work.

        One that was started again, or goes on after a stop, has it anew.
        """
        page = self.agents.get(held.role)
        begun = [] if page is None else [at for at in (page.born, page.went_on) if at is not None]
        return not begun or self.stamp.now - max(begun) >= self.settings.limits.stale_for(held.tier)

    def answered(self, held: light.Light) -> bool:
        """Return whether the holder of a light has shown a sign of work after it came."""
        page = self.agents.get(held.role)
        if page is None:
            return False
        worked = health.worked_at(page.facts(managed=True, light_since=held.since), self.stamp.now)
        return worked is not None and worked > held.since

    def manages(self, role: Role) -> bool:
        """Return whether teamops was told to manage the role's tmux session."""
        return not self.settings.watch_only and self.settings.role(role) is not None

    def restartable(self, page: AgentBook) -> bool:
        """Return whether there is something to restart, and leave to do it."""
        return self.manages(page.role) and (page.pane is not None or bool(page.settings and page.settings.command))


def roles_of(event: Event) -> Collection[Role] | None:
    """Return the agents that an event is about, and about nothing else; ``None`` = it may be about any."""
    match event:
        case BeatsSeen():
            return {beat.role for beat in (*event.past, *event.known, *event.beats)}
        case UsageSeen() | GrowthSeen() | StatusSeen() | PaneDied() | ScreenSeen() | OutputSeen() | PromptSeen():
            return (event.role,)
        case _:
            return None


def _decided(page: AgentBook) -> tuple[object, ...]:
    """Return what is shown of an agent that told nothing: what was decided of it, prices that came later."""
    own = (page.keeping, page.hold, page.spike, page.badges, page.memory_note)
    return (*own, page.cost_today, page.unpriced_today, page.restarts)


def is_let_go(page: AgentBook) -> bool:
    """Return whether an agent's end is as it should be: its spending was stopped, or a person stopped it."""
    return page.hold is not None or (page.keeping is not None and page.keeping.held is restart.Hold.HUMAN)


def _light_of(task: Task, role: Role, since: float, since_wall: float) -> light.Light:
    return light.Light(
        task=task.task,
        role=role,
        tier=task.tier,
        stage=task.stage,
        since=since,
        since_wall=since_wall,
        line=task.since_line,
        digest=task.since_digest,
    )
