"""What teamops does about an agent: how often it restarted it, whether it holds it back or has given it up.

Times are observed seconds: they stand still while teamops does not run. What outlives teamops is ``Kept``, in Unix
seconds. The rule that makes one of these from the one before is ``restart_step``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.limits import RestartPolicy
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.clock import Stamp

UNWELL = frozenset({AgentState.DEAD, AgentState.SILENT, AgentState.ZOMBIE})
"""What a restart may mend."""
GONE = frozenset({AgentState.DEAD, AgentState.UNKNOWN})
"""States in which no process of the agent is known to live."""


class Hold(StrEnum):
    """Why teamops holds an agent back: it is neither restarted nor poked by rule until a person clears that."""

    AUTH = "auth"
    BUDGET = "budget"
    HUMAN = "human"
    """A person stopped it."""


class Keeping(Struct, frozen=True, kw_only=True):
    """What teamops does about one agent."""

    attempts: int = 0
    """Restarts by rule since the count last began anew."""
    of: int = 2
    """So many are allowed before it is given up."""
    last: float | None = None
    """When the last of them began."""
    until: float | None = None
    """The next one comes no sooner."""
    recent: tuple[float, ...] = ()
    """When restarts by rule began within the last hour, whatever was cleared in between; oldest first."""
    held: Hold | None = None
    held_why: str = ""
    held_at: float | None = None
    """When the hold began; with ``AUTH``: when its sign was last seen."""
    given_up: float | None = None
    """When it was given up."""
    why: str = ""
    """Why it was given up."""
    unwell: int = 0
    """Rounds of the clock for which it has been unwell in a way that a restart is for."""
    progress: float = 0.0
    """Seconds of work shown since the last restart, or since it was last unwell."""
    worked: float | None = None
    """The last sign of work that ``progress`` counts."""

    @property
    def blank(self) -> bool:
        """Return whether there is nothing to remember."""
        return not (self.attempts or self.recent or self.held or self.given_up is not None or self.unwell)


def cleared(keeping: Keeping) -> Keeping:
    """Return what is kept once a person has acted, or the agent works again: only the last hour's restarts."""
    return Keeping(of=keeping.of, recent=keeping.recent)


def held(keeping: Keeping, hold: Hold, why: str, now: float) -> Keeping:
    """Return ``keeping`` of an agent that is held back from now on."""
    return replace(cleared(keeping), held=hold, held_why=why, held_at=now)


def shown(
    keeping: Keeping | None, state: AgentState, evidence: Evidence, *, worked: float | None, now: float
) -> tuple[AgentState, Evidence]:
    """Return what a person is shown: ``state`` as judged, or what teamops does about it.

    ``worked``: when the agent last showed work. A hold or give-up is shown until it is cleared, unless the agent is
    alive and has shown work since; backing off only while it is unwell within the cooldown.
    """
    if keeping is None:
        return state, evidence
    since, word, why = keeping.given_up, AgentState.GIVEN_UP, keeping.why or "restarted too often"
    if keeping.held is not None:
        since, word, why = keeping.held_at, AgentState.HELD, keeping.held_why or keeping.held.value
    if since is not None:
        alive = state not in GONE
        if alive and (keeping.held is Hold.HUMAN or (worked is not None and worked > since)):
            return state, evidence
        return word, Evidence(EvidenceKind.OWN, max(0.0, now - since), why)
    if keeping.unwell and keeping.until is not None and now < keeping.until and state in UNWELL:
        age = None if keeping.last is None else max(0.0, now - keeping.last)
        left = int(keeping.until - now)
        why = f"{state.value} after restart {keeping.attempts} of {keeping.of} ({evidence.detail})"
        detail = f"{why}; next in {left // 60}:{left % 60:02d} min"
        return AgentState.BACKING_OFF, Evidence(EvidenceKind.OWN, age, detail)
    return state, evidence


# what outlives teamops


class Kept(Struct, frozen=True, kw_only=True):
    """What is stored of an agent's ``Keeping``. Times are Unix seconds."""

    attempts: int = 0
    last_wall: float | None = None
    given_up_wall: float | None = None
    held: str = ""
    held_why: str = ""
    """Why it is held, or given up."""
    changed_wall: float = 0.0
    """When the hold began; without one: when this was stored."""


def to_keep(keeping: Keeping, stamp: Stamp) -> Kept:
    """Return what is stored of ``keeping`` now."""

    def wall(at: float | None) -> float | None:
        return None if at is None else stamp.wall - (stamp.now - at)

    return Kept(
        attempts=keeping.attempts,
        last_wall=wall(keeping.last),
        given_up_wall=wall(keeping.given_up),
        held=keeping.held.value if keeping.held is not None else "",
        held_why=keeping.held_why if keeping.held is not None else keeping.why,
        changed_wall=wall(keeping.held_at) or stamp.wall,
    )


def from_kept(kept: Kept, recent_walls: Sequence[float], stamp: Stamp, policy: RestartPolicy) -> Keeping:
    """Return what an earlier life, or another process, kept.

    ``recent_walls``: when restarts by rule began within the last hour. The wall clock may have been set meanwhile: what
    seems to lie in the future is now, so that a cooldown is never longer than the policy's.
    """

    def at(wall: float | None) -> float | None:
        return None if wall is None else stamp.now - max(0.0, stamp.wall - wall)

    last = at(kept.last_wall)
    hold = _hold_of(kept.held)
    return Keeping(
        attempts=kept.attempts,
        of=policy.attempts,
        last=last,
        until=None if last is None or not kept.attempts else last + policy.cooldown_s,
        recent=tuple(sorted(stamp.now - max(0.0, stamp.wall - wall) for wall in recent_walls)),
        held=hold,
        held_why=kept.held_why if hold is not None else "",
        held_at=at(kept.changed_wall) if hold is not None else None,
        given_up=at(kept.given_up_wall),
        why=kept.held_why if hold is None else "",
    )


def _hold_of(word: str) -> Hold | None:
    """Return the hold of that name; one that this version doesn't know holds as a person's stop does."""
    if not word:
        return None
    try:
        return Hold(word)
    except ValueError:
        return Hold.HUMAN


def words(keeping: Keeping | None, stamp: Stamp) -> str:
    """Return in one line what teamops does about an agent; empty = nothing."""
    if keeping is None:
        return ""
    if keeping.held is not None:
        return f"held ({keeping.held.value}): {keeping.held_why}"
    if keeping.given_up is not None:
        return f"given up: {keeping.why}"
    if not keeping.attempts or keeping.last is None:
        return ""
    line = f"restart {keeping.attempts} of {keeping.of} {_span(stamp.now - keeping.last)} ago"
    if keeping.until is not None and stamp.now < keeping.until:
        line += f", the next no sooner than in {_span(keeping.until - stamp.now)}"
    return line


def _span(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d} min"
