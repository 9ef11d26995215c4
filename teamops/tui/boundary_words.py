"""Boundaries in a few words: what was refused, what got past, and what holds an agent."""

from __future__ import annotations

from teamops.model.agent import AgentView
from teamops.model.boundary import BoundaryView, Decision, Verdict, Violation, ViolationState
from teamops.model.snapshot import Snapshot
from teamops.tui import words

REFUSED = "⊘"
"""Goes before how many calls were refused."""
CROSSED = "↯"
"""Goes before what got past a boundary."""

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


def held_by(agent: AgentView, boundary: BoundaryView) -> tuple[str, str]:
    """Return in words what holds a running agent to its boundary, and the palette role of that."""
    if boundary.unruled:
        return "nothing is to be held", "dim"
    if agent.pid is None:
        return "nothing runs", "dim"
    if boundary.unenforced:
        return f"▲ nothing: {boundary.unenforced}", "bad"
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


def by_whom(violation: Violation) -> str:
    """Return who could have made a change, the likeliest first."""
    return " or ".join(violation.roles) or "nobody of the team"
