"""Boundaries in a few words: what was refused, what got past, and what holds an agent."""

from __future__ import annotations

from msgspec.structs import replace

from teamops.model.agent import AgentView
from teamops.model.boundary import BoundaryView, Decision, Verdict, Violation, ViolationState
from teamops.model.snapshot import Snapshot
from teamops.tui import words

REFUSED = "⊘"
"""Goes before how many calls were refused."""
CROSSED = "↯"
"""Goes before what got past a boundary."""
MOST_GLOBS = 8
"""So many of a list are told on an agent's screen; ``teamops status ROLE`` tells them all."""

STATES: dict[ViolationState, tuple[str, str]] = {
    ViolationState.OPEN: (CROSSED, "bad"),
    ViolationState.QUARANTINED: ("■", "warn"),
    ViolationState.RESTORED: ("↻", "warn"),
    ViolationState.ACCEPTED: ("✓", "dim"),
    ViolationState.GONE: ("○", "dim"),
}
"""What became of a violation → its symbol and its palette role."""
VERDICTS: dict[Verdict, tuple[str, str, str]] = {
    Verdict.DENY: (REFUSED, "refused", "warn"),
    Verdict.WARN: ("△", "warned", "info"),
    Verdict.ALLOW: ("✓", "allowed", "dim"),
}


def blocked(agent: AgentView) -> str:
    """Return how many calls of an agent were refused today, with the sign; empty = none."""
    number = agent.boundary.blocked if agent.boundary is not None else 0
    return f"{REFUSED}{words.count(number)}" if number else ""


def open_ones(snapshot: Snapshot) -> int:
    """Return how many changes past a boundary nobody has dealt with."""
    return sum(one.state is ViolationState.OPEN for one in snapshot.violations)


def is_loose(agent: AgentView) -> bool:
    """Return whether an agent runs that nothing holds to its boundary, though the person wants it held."""
    boundary = agent.boundary
    return boundary is not None and bool(boundary.unenforced) and not boundary.waived


def policy(boundary: BoundaryView) -> str:
    """Return what it may write, in a few lines; of long lists the beginning."""
    return replace(boundary, allow=_some(boundary.allow), deny=_some(boundary.deny)).words


def _some(globs: tuple[str, ...]) -> tuple[str, ...]:
    more = len(globs) - MOST_GLOBS
    return globs if more <= 1 else (*globs[:MOST_GLOBS], f"… and {more} more")


def held_by(agent: AgentView, boundary: BoundaryView) -> tuple[str, str]:
    """Return in words what holds a running agent to its boundary, and the palette role of that."""
    if boundary.unruled:
        return "nothing is to be held", "dim"
    if not boundary.held_known:
        return "not on record", "dim"
    if agent.pid is None:
        return "nothing runs", "dim"
    if boundary.unenforced:
        return f"▲ nothing: {boundary.unenforced}", "dim" if boundary.waived else "bad"
    kernel = f"the kernel: {boundary.kernel}" if boundary.kernel else "not by the kernel"
    hook = "its client's hooks ask" if boundary.hook else "no hook has asked so far"
    return f"{kernel}; {hook}", "text"


def act(decision: Decision) -> str:
    """Return what was to be done, and by which rule that was decided."""
    rule = f" ({decision.rule})" if decision.rule else ""
    return (decision.about or "a call") + rule


def size(violation: Violation) -> str:
    """Return how much a change is: "+4 -1"; empty = not known."""
    if violation.added is None or violation.removed is None:
        return ""
    return f"+{words.count(violation.added)} -{words.count(violation.removed)}"
