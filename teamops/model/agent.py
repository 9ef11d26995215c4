"""What an agent says of itself, and what teamops knows of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from teamops.model.boundary import BoundaryView, Decision
from teamops.model.role import Role
from teamops.model.spend import CycleCost
from teamops.model.usage import Usage


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
    ERRORED = "errored"
    """Its client can't reach its model: API calls fail and are tried again, or were given up."""
    SILENT = "silent"
    """Expected to beat and has missed two beats."""
    ZOMBIE = "zombie"
    """Its process lives and it holds a light or began a cycle, and nothing it does shows work for the limit."""
    RUNAWAY = "runaway"
    """It uses tokens many times faster than it usually does."""
    SUSPENDED = "suspended"
    """Its process was stopped from outside (SIGSTOP): it can't do anything until it goes on."""
    DEAD = "dead"
    SHUTTING_DOWN = "shutting down"
    BACKING_OFF = "backing off"
    """Ended or unwell again soon after teamops restarted it: the cooldown runs before the next try."""
    HELD = "held"
    """teamops holds it back (authentication, budget, a person's stop): only a person clears that."""
    GIVEN_UP = "given up"
    """Restarted as often as allowed: only a person clears that."""


class EvidenceKind(StrEnum):
    """Where knowledge of an agent comes from, best first."""

    HOOK = "hook"
    STATUS = "status file"
    TRANSCRIPT = "transcript"
    BEAT = "beat"
    PROCESS = "process"
    PANE = "pane"
    OWN = "teamops"
    """What teamops itself decided or did."""
    NOTHING = "none"


class Evidence(Struct, frozen=True):
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
    ERROR = "error"
    """Its program ended, or a thread of it, by an exception that nobody caught; ``message`` names it."""
    USAGE = "usage"
    """Calls of a model that were answered, told by themselves: a sign of work, but no promise of beats."""


class Beat(Struct, frozen=True, kw_only=True):
    """One line of an agent's spool: a sign of life from inside its own loop."""

    role: Role
    wall: float
    """The agent's own clock, Unix seconds."""
    kind: BeatKind = BeatKind.BEAT
    pid: int = 0
    status: str = "ok"
    message: str = ""
    tokens: int = 0
    """Used since its last beat, with those of ``usages``."""
    cost_usd: Decimal | None = None
    tool_calls: int = 0
    interval_s: float | None = None
    """The interval it promises to keep; ``None`` = no promise."""
    grace_s: float | None = None
    """With ``SHUTDOWN``: silence is expected for so long."""
    hook: str = ""
    """With ``HOOK``: the client's event name."""
    session: str = ""
    """With ``HOOK``: the client's own session id."""
    transcript: str = ""
    """With ``HOOK``: the path of the session's transcript, as the client says."""
    detail: str = ""
    """With ``HOOK``: what the event is about: the prompt's text, the tool's name, a notice's type and words."""
    gated: bool = False
    """With ``HOOK``: the entry asked whether the agent is held."""
    usages: tuple[Usage, ...] = ()
    """What its tracked calls of models used since its last beat."""
    decision: Decision | None = None
    """With ``HOOK``: what the entry decided of a call; ``None`` = the event asked nothing."""

    @property
    def own_tokens(self) -> int:
        """Tokens that it only counted itself."""
        return max(0, self.tokens - sum(usage.tokens.total for usage in self.usages))

    @property
    def own_cost_usd(self) -> Decimal:
        """What it says it spent, but what it says that its tracked calls cost."""
        return Decimal(0) if self.usages or self.cost_usd is None else self.cost_usd


class ClientStatus(StrEnum):
    """A client's own status file in one word."""

    BUSY = "busy"
    IDLE = "idle"
    WAITING = "waiting"


class SpikeView(Struct, frozen=True, kw_only=True):
    """An agent that runs away, as of now. Tokens here are input and output; what is cached is not counted."""

    since_wall: float
    """When it began to, Unix seconds."""
    rate: int
    """Tokens of the last minute."""
    peak: int
    """The highest rate since it began."""
    usual: int | None
    """Tokens a minute as it used to be; ``None`` = not known yet."""
    limit: int
    """Tokens a minute that it has passed."""
    tokens: int
    """Used since it began, the minute before included."""
    cost_usd: Decimal
    why: str
    """In words: "41,200 tokens/min, 206 times its usual 200"."""


class AgentView(Struct, frozen=True, kw_only=True):
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
    lift: str = ""
    """The command with which a person lets it spend again; empty = its spending is not stopped. A restart is no way out
    of that, as it is of every other hold."""
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
    evidences: tuple[Evidence, ...] = ()
    """All that is known of it now, best first; the first need not be what ``state`` rests on."""
    last_error: str = ""
    """The last error that its program told, or its client's screen showed, cleaned; empty = none since it began."""
    memory_note: str = ""
    """What is worth saying of its memory: "4 GB in about 5 h"."""
    backing_off_until_wall: float | None = None
    """The next restart by rule comes no sooner, Unix seconds."""
    badges: tuple[str, ...] = ()
    """What the plain spike rules say, in short words: "10\u00d7cycle". They call nobody unless configured so."""
    spike: SpikeView | None = None
    """``None`` = it doesn't run away."""
    cycle: CycleCost | None = None
    """What its last cycles cost; ``None``: none has used anything."""
    boundary: BoundaryView | None = None
    """``None`` = not known yet."""
    past: bool = False
    """It is of a recorded moment: what is ``None`` then is not on record."""

    @property
    def last_beat(self) -> str:
        """Return what to say of its last beat where its age is not known."""
        return "—" if self.past else "never"

    @property
    def basis(self) -> int | None:
        """Return which of ``evidences`` the state rests on; ``None`` where it is none of them."""
        same = [place for place, one in enumerate(self.evidences) if one.kind is self.evidence.kind]
        told = [place for place in same if self.evidences[place].detail == self.evidence.detail]
        return next(iter(told or same), None)
