"""What a person has to know of restarts: given up, held, left alone."""

from __future__ import annotations

from teamops.domain.restart import GONE, Hold, Keeping
from teamops.model.agent import AgentState
from teamops.model.alert import Finding
from teamops.model.handoff import Severity
from teamops.model.role import Role

_MEND = {
    Hold.AUTH: "log its client in again (a), or give it a valid key; then start it again (r)",
    Hold.BUDGET: "raise its budget or let it rest; then start it again (r)",
}


def keeping_findings(
    role: Role, keeping: Keeping, shown: AgentState, health: AgentState, *, lit: bool, left_alone: bool
) -> list[Finding]:
    """Return what is to be said of one agent. ``shown``: its state on the screen; ``health``: as judged by evidence.

    ``lit``: it holds a light. ``left_alone``: it is unwell, lives, and teamops didn't start it.
    """
    light = " while it holds the light" if lit else ""
    if shown is AgentState.HELD and keeping.held is not None and keeping.held is not Hold.HUMAN:
        return [
            Finding(
                code="agent-held",
                severity=Severity.CRITICAL if lit and health in GONE else None,
                subject=str(role),
                message=f"{role} is held back ({keeping.held.value}){light}: {keeping.held_why}",
                do=_MEND[keeping.held],
                agent=role,
            )
        ]
    if shown is AgentState.GIVEN_UP:
        return [
            Finding(
                code="agent-given-up",
                subject=str(role),
                message=f"{role} is given up{light}: {keeping.why}",
                do=f"look at its last screen and its restarts (Enter), mend the cause, then restart {role} (r)",
                agent=role,
            )
        ]
    if left_alone:
        return [
            Finding(
                code="agent-left-alone",
                subject=str(role),
                message=f"{role} is unwell ({health.value}){light}, and not restarted: teamops did not start it",
                do=f"look at its pane (Enter); restart {role} (r) if it hangs",
                agent=role,
                notify=lit,
            )
        ]
    return []
