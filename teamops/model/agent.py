"""What an agent says of itself, and what teamops knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from teamops.model.role import Role


class AgentState(StrEnum):
    """The health of an agent. See the table "Health" in docs/architecture.md."""

    UNKNOWN = "unknown"
    """No evidence either way: for instance no session of that name."""
    STARTING = "starting"
    WORKING = "working"
    IDLE = "idle"
    """At rest, no turn, nothing expected. Never an alert."""
    WAITING = "waiting"
    """Needs its person: a permission dialog or a question is open."""
    SILENT = "silent"
    """Expected to beat and has missed two beats."""
    DEAD = "dead"
    SHUTTING_DOWN = "shutting down"


class EvidenceKind(StrEnum):
    """Where knowledge of an agent comes from, best first."""

    HOOK = "hook"
    STATUS = "status file"
    TRANSCRIPT = "transcript"
    BEAT = "beat"
    PROCESS = "process"
    PANE = "pane"
    NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a state is believed."""

    kind: EvidenceKind
    age_s: float | None
    """Observed seconds since it was seen; ``None`` where it has no age."""
    detail: str = ""
    """One line for a person: "busy", "signal 9 (KILL)", "2 beats missed"."""


class BeatKind(StrEnum):
    """What a beat line tells."""

    BEAT = "beat"
    CYCLE_BEGIN = "cycle-begin"
    CYCLE_END = "cycle-end"
    SHUTDOWN = "shutdown"
    HOOK = "hook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One line of an agent's spool: a sign of life from inside its own loop."""

    role: Role
    wall: float
    """The agent's own clock, Unix seconds."""
    kind: BeatKind = BeatKind.BEAT
    pid: int = 0
    status: str = "ok"
    message: str = ""
    tokens: int = 0
    """Used since its last beat."""
    cost_usd: Decimal | None = None
    tool_calls: int = 0
    interval_s: float | None = None
    """The interval it promises to keep; ``None`` = no promise."""
    grace_s: float | None = None
    """With ``SHUTDOWN``: silence is expected for so long."""
    hook: str = ""
    """With ``HOOK``: the client's event name."""


class ClientStatus(StrEnum):
    """A client's own status file in one word."""

    BUSY = "busy"
    IDLE = "idle"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """An agent in a snapshot: all that a screen or ``status --json`` shows of it."""

    role: Role
    name: str
    """The persona: Max, Isabelle…"""
    client: str
    session: str
    """The tmux session's name; empty where none is configured."""
    state: AgentState
    evidence: Evidence
    lights: tuple[str | None, ...] = ()
    """The tasks whose light it holds now."""
    pid: int | None = None
    pane_id: str | None = None
    beat_age_s: float | None = None
    """Observed seconds since its last beat of any kind; ``None`` = never."""
    message: str = ""
    """Its last beat's message, cleaned."""
    tokens_per_min: int = 0
    """Sum over the sliding last 60 s."""
    cost_today_usd: Decimal = Decimal(0)
    unpriced_tokens: int = 0
    """Tokens of today whose model has no known price: not in ``cost_today_usd``."""
    rss_bytes: int | None = None
    """Of its whole process tree."""
    restarts: int = 0
    """Today, by teamops."""
    held: str = ""
    """Why teamops holds it back; empty = it doesn't."""
    beats: tuple[int, ...] = ()
    """Signs of life per minute for the last 60 minutes, oldest first."""
    tokens: tuple[int, ...] = ()
    """Tokens per minute, same minutes."""
    cost: tuple[float, ...] = ()
    """USD per minute, same minutes; for drawing only."""
    exit_status: int | None = None
    exit_signal: int | None = None
    can_restart: bool = False
    """A command for it is configured or its pane is known."""
