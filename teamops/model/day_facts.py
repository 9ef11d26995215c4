"""What the ledger knows of a span of time, as frozen rows: what a day's report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import inf

from msgspec import Struct, field

from teamops.model.agent_report import RestartRecord, SpikeRecord
from teamops.model.alert import AlertState
from teamops.model.boundary import Verdict
from teamops.model.handoff import Severity
from teamops.model.role import Role
from teamops.model.spend import Spend

Span = tuple[float, float]
"""From, and until but not at: Unix seconds."""


class StateEdge(Struct, frozen=True):
    """From this moment on an agent was shown in a state."""

    wall: float
    role: Role
    state: str
    """A value of ``AgentState``; one of another version's teamops may be none."""
    evidence: str


class AlertEdge(Struct, frozen=True):
    """An alert came to a state."""

    wall: float
    code: str
    subject: str
    severity: Severity
    state: AlertState
    message: str
    agent: Role | None


class LastWord(Struct, frozen=True):
    """What was last said of an alert."""

    do: str
    severity: Severity
    notify: bool
    """The person is told of it away from the screen."""


class Done(Struct, frozen=True):
    """An action that was done, and worked, or a person's word."""

    wall: float
    kind: str
    """poke, restart, start, stop, approval, lift."""
    role: Role | None
    by_person: bool


class Held(Struct, frozen=True):
    """A role, or the team, was held back from spending."""

    scope: str
    wall: float
    why: str
    lifted_wall: float | None
    """``None``: nobody has lifted it."""


class CycleDay(Struct, frozen=True):
    """What an agent's cycles of one day cost: those that began on it and used something."""

    count: int
    """With a price."""
    unpriced: int
    """Cycles with tokens of no known price; they are in no sum of dollars."""
    median_usd: Decimal | None
    """``None``: none has a price."""


class DayFacts(Struct, frozen=True, kw_only=True):
    """All that is on record of a span. Where a thing lasted over its edges, it is here with its own times."""

    watched: tuple[Span, ...] = ()
    """When a supervisor was at work, oldest first. All other times nobody looked."""
    states: tuple[StateEdge, ...] = ()
    """Oldest first; of each agent the last one before the span, too."""
    states_since: float = -inf
    """What was before is not on record any more, Unix seconds."""
    signs: Mapping[Role, tuple[int, ...]] = field(default_factory=dict)
    """The minutes (since 1970) in which an agent gave a sign of life of its own: a beat, a response; in order."""
    restarts: tuple[RestartRecord, ...] = ()
    """Oldest first; so is all that follows."""
    spikes: tuple[SpikeRecord, ...] = ()
    holds: tuple[Held, ...] = ()
    alerts: tuple[AlertEdge, ...] = ()
    """Of each alert that was open when the span began, what made it so, too."""
    last_words: Mapping[tuple[str, str], LastWord] = field(default_factory=dict)
    """By an alert's code and subject."""
    done: tuple[Done, ...] = ()
    calls: Mapping[tuple[Role, Verdict], int] = field(default_factory=dict)
    """Tool calls that hooks refused or warned of."""
    violations: int = 0
    """Changes that got past a boundary."""
    spend: Mapping[Role, Spend] = field(default_factory=dict)
    cycles: Mapping[Role, tuple[CycleDay, ...]] = field(default_factory=dict)
    """Of each day of the span and the ``domain.drift.BEFORE`` before it, oldest first."""
    tasks: Mapping[str | None, Spend] = field(default_factory=dict)
    """What was used under each task's lights; an empty name: blocks that name none; ``None``: under no light."""
