"""When an agent is restarted by rule, how often, and when it is left to a person: a pure state machine.

unwell → restart → cooldown → unwell → restart → cooldown → unwell a third time → given up, a person is called. Source of
the policy: the seed article; its numbers are ``limits.RestartPolicy``.

Times are observed seconds; what is stored is Unix seconds (``Kept``) and comes back through ``load``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from teamops.model.agent import AgentState, Evidence, EvidenceKind

UNWELL = frozenset({AgentState.DEAD, AgentState.SILENT, AgentState.ZOMBIE})
"""What a restart may mend."""
GONE = frozenset({AgentState.DEAD, AgentState.UNKNOWN})
"""States in which no process of the agent is known to live."""


class Hold(StrEnum):
    """Why teamops holds an agent back: neither restarted nor poked by rule until a person clears it."""

    AUTH = "auth"
    BUDGET = "budget"
    HUMAN = "human"
    """A person stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What teamops does about one agent."""

    attempts: int = 0
    """Restarts by rule since the count last began anew."""
    of: int = 2
    """So many are allowed before it is given up."""
    last: float | None = None
    """When the last restart by rule began."""
    until: float | None = None
    """The next restart by rule comes no sooner."""
    recent: tuple[float, ...] = ()
    """When restarts by rule began within the last hour, whatever was cleared in between; oldest first."""
    held: Hold | None = None
    held_why: str = ""
    held_at: float | None = None
    """When the hold began; for ``AUTH`` when its sign was last seen."""
    given_up: float | None = None
    """When it was given up."""
    unwell: int = 0
    """Rounds of the clock for which it has been unwell in a way that a restart is for."""


def shown(
    keeping: Keeping | None, state: AgentState, evidence: Evidence, *, worked: float | None, now: float
) -> tuple[AgentState, Evidence]:
    """Return what a person is shown: ``state`` as judged, or what teamops does about it.

    ``worked``: when the agent last showed work. A hold or give-up is shown until it is cleared, unless the agent is
    alive and has shown work since; backing off only while it is unwell within the cooldown.
    """
    if keeping is None:
        return state, evidence
    since, word, why = keeping.given_up, AgentState.GIVEN_UP, f"restarted {_times(keeping.attempts)} without success"
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
        why = f"{state.value} again after restart {keeping.attempts} of {keeping.of} ({evidence.detail}); "
        return AgentState.BACKING_OFF, Evidence(
            EvidenceKind.OWN, age, why + f"next in {left // 60}:{left % 60:02d} min"
        )
    return state, evidence


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
