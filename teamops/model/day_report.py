"""The report of a day, or of some: of each agent five questions and their answers, of the team what it got done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from teamops.model.agent_report import RestartRecord, SpikeRecord
from teamops.model.handoff import Severity, Stage, Standing
from teamops.model.protocol import StageTime
from teamops.model.role import Role
from teamops.model.spend import Spend

SLOT_S = 1800.0
"""One sign of a strip is so long: a day has 48 of them, or 46 or 50 when the clocks change."""
MOST_DAYS = 31


class Presence(StrEnum):
    """What an agent was at a moment, in six words."""

    ALIVE = "alive"
    UNWELL = "hangs"
    """Its process lived, and did not do what was expected: silent, a zombie, stopped by a signal."""
    DOWN = "down"
    """Dead, waiting for its next restart, or given up."""
    HELD = "held"
    """teamops held it back: a person's stop, a budget, a refused account."""
    OFF = "not there"
    """No session, and nobody had started it."""
    UNSEEN = "not observed"
    """teamops was not running, and the agent gave no sign of its own. That is not dead."""


MARKS = {
    Presence.ALIVE: "█",
    Presence.UNWELL: "▒",
    Presence.DOWN: "x",
    Presence.HELD: "=",
    Presence.OFF: "·",
    Presence.UNSEEN: "?",
}
"""How a strip shows each."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in which an agent's presence was one."""

    since_wall: float
    until_wall: float
    presence: Presence
    why: str = ""
    """The evidence for it, as it began."""

    @property
    def seconds(self) -> float:
        """Return how long it was."""
        return self.until_wall - self.since_wall


@dataclass(frozen=True, slots=True)
class Strip:
    """One day of an agent, a sign for each half hour up to now."""

    day: date
    slots: tuple[Presence, ...]
    hours: tuple[int, ...] = ()
    """The clock's hour at every sixth slot; where the clocks change they are not three apart."""

    @property
    def text(self) -> str:
        """Return it as signs."""
        return "".join(MARKS[slot] for slot in self.slots)


class Course(StrEnum):
    """How a cost per cycle stands to what is usual."""

    UNKNOWN = "not enough data"
    USUAL = "as usual"
    DEARER = "dearer"
    CHEAPER = "cheaper"


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleDrift:
    """What an agent's cycles cost, against its baseline. The rule is in ``domain.drift``."""

    count: int = 0
    """Cycles with a price, of the report's last day; so is what follows."""
    unpriced: int = 0
    median_usd: Decimal | None = None
    usual_usd: Decimal | None = None
    """The median of the days before; ``None`` = too few of them have enough cycles."""
    course: Course = Course.UNKNOWN
    """The last day's, against the days before it."""
    week: Course = Course.UNKNOWN
    """Of the seven days up to the last one: a slow drift."""
    week_ratio: float | None = None
    """What a cycle costs at the end of these seven days, as a multiple of what it cost at their beginning."""
    days_off: int = 0
    """So many of the report's days were off their baseline."""


class Ending(StrEnum):
    """How something that was amiss came to its end."""

    BY_ITSELF = "by itself"
    BY_TEAMOPS = "by teamops"
    """A restart or a poke by rule came before it."""
    BY_PERSON = "by a person"
    OPEN = "open"
    """It lasts: it needs a person."""
    HIDDEN = "hidden"
    """It lasts, as the consequence of another one that does: lists leave it out, and nobody is needed for it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One life of an alert."""

    code: str
    subject: str
    agent: Role | None
    severity: Severity
    message: str
    since_wall: float
    until_wall: float | None
    """``None``: it was open when the report's time ended."""
    ending: Ending
    do: str = ""
    """What a person should do, where it lasts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and its answer."""

    question: str
    good: bool | None
    """Nothing is amiss; ``None``: that can't be said."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDay:
    """One agent's part."""

    role: Role
    name: str = ""
    answers: tuple[Answer, ...] = ()
    """Five of them."""
    strips: tuple[Strip, ...] = ()
    """One for each day."""
    stays: tuple[Stay, ...] = ()
    """Without a gap, oldest first."""
    restarts: tuple[RestartRecord, ...] = ()
    cycle: CycleDrift = field(default_factory=CycleDrift)
    spikes: tuple[SpikeRecord, ...] = ()
    cooldowns: int = 0
    """How often its next restart had to wait."""
    given_up: int = 0
    """How often it was restarted too often, and left to a person."""
    holds: int = 0
    """How often its spending was stopped."""
    episodes: tuple[Episode, ...] = ()
    """What was amiss with it, oldest first."""
    spend: Spend = field(default_factory=Spend)
    blocked: int = 0
    """Tool calls that its boundary refused."""

    def seconds(self, presence: Presence) -> float:
        """Return for how long it was so."""
        return sum(stay.seconds for stay in self.stays if stay.presence is presence)

    def gaps(self, presence: Presence) -> int:
        """Return how many times it was so."""
        return sum(stay.presence is presence for stay in self.stays)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDay:
    """One task's part."""

    task: str | None
    tier: int | None
    stage: Stage
    """Where it stood at the end; so is what follows."""
    standing: Standing
    open: bool
    closed_wall: float | None
    """When it was closed for good, within the report's time; ``None``: it was not."""
    waits_since: float | None
    """Since when a person holds its light; ``None``: none does."""
    sign_off: bool
    """… and it is for a sign-off."""
    rounds: int
    """How often a review sent the work back, within the report's time; so is what follows."""
    blocks: int
    challenges: int
    """Points that a review raised."""
    catches: int
    """Those of reviews that sent the work back: what they name did not go on."""
    answered: int
    """Points that were answered."""
    stages: tuple[StageTime, ...] = ()
    """The time spent in each stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDay:
    """The team's part."""

    closed: Mapping[int | None, int] = field(default_factory=dict)
    """Tasks that were closed, by tier; ``None``: of no tier."""
    tasks: tuple[TaskDay, ...] = ()
    """Those with a block in the report's time, and those that were open at its end."""
    stages: Mapping[Stage, float] = field(default_factory=dict)
    """Seconds of all tasks in each stage."""
    rounds: int = 0
    challenges: int = 0
    catches: int = 0
    answered: int = 0
    stale: int = 0
    """Lights that went stale."""
    blocked: int = 0
    """Tool calls that a boundary refused."""
    warned: int = 0
    """… and those that it let through with a warning."""
    violations: int = 0
    """Changes that got past a boundary."""
    costs: tuple[tuple[str | None, Spend], ...] = ()
    """What was used under each task's lights, the dearest first; ``None``: under no light, always the last."""
    spend: Spend = field(default_factory=Spend)
    waiting: tuple[TaskDay, ...] = ()
    """Tasks whose light a person holds, the longest first."""
    episodes: tuple[Episode, ...] = ()
    """What was amiss with no single agent."""
    lines: tuple[tuple[str, str], ...] = ()
    """All this in words: (what, how much)."""

    @property
    def sign_offs(self) -> int:
        """Return how many tasks wait to be signed off."""
        return sum(task.sign_off for task in self.waiting)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """The whole report."""

    project: str
    days: tuple[date, ...]
    """Oldest first."""
    day_edges: tuple[float, ...]
    """Where each day begins, and where the last one ends, Unix seconds."""
    until_wall: float
    """Where the last day ends, or now where it is not over."""
    wall: float
    """When the report was made, Unix seconds."""
    timezone: str = ""
    """IANA name of the zone whose days these are; empty = the system's."""
    over: bool = True
    """The last day has ended: nothing more will come."""
    watched_s: float = 0.0
    """For so long a supervisor was at work."""
    agents: tuple[AgentDay, ...] = ()
    team: TeamDay = field(default_factory=TeamDay)
    empty: bool = False
    """Nothing at all is on record."""

    @property
    def since_wall(self) -> float:
        """Return when the first day begins, Unix seconds."""
        return self.day_edges[0]

    @property
    def zone_words(self) -> str:
        """Return whose days these are."""
        return self.timezone or "local time"

    @property
    def title(self) -> str:
        """Return which days it is of: "2026-03-28", "2026-03-22 to 2026-03-28"."""
        first, last = self.days[0].isoformat(), self.days[-1].isoformat()
        return first if first == last else f"{first} to {last}"

    @property
    def needs(self) -> tuple[Episode, ...]:
        """Return what needs a person, the gravest first."""
        order = list(Severity)
        found = [one for agent in self.agents for one in agent.episodes] + list(self.team.episodes)
        lasting = [one for one in found if one.ending is Ending.OPEN]
        return tuple(sorted(lasting, key=lambda one: (-order.index(one.severity), one.since_wall)))

    @property
    def summary(self) -> str:
        """Return the report in one line."""
        team, closed = self.team, sum(self.team.closed.values())
        restarts = sum(len(agent.restarts) for agent in self.agents)
        spikes = sum(len(agent.spikes) for agent in self.agents)
        said = [f"${team.spend.cost_usd:,.2f}" + (" and tokens without a price" if team.spend.unpriced_tokens else "")]
        said.append(_many(closed, "task") + " closed")
        said += [_many(count, what) for count, what in ((restarts, "restart"), (spikes, "runaway")) if count]
        if team.sign_offs:
            said.append(f"{_many(team.sign_offs, 'sign-off')} waiting")
        said.append(f"{_many(len(self.needs), 'thing')} for you" if self.needs else "nothing needs you")
        return ", ".join(said)

    def local(self, wall: float) -> datetime:
        """Return a moment in the timezone of these days."""
        if not self.timezone:
            return datetime.fromtimestamp(wall).astimezone()
        from zoneinfo import ZoneInfo

        return datetime.fromtimestamp(wall, ZoneInfo(self.timezone))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
