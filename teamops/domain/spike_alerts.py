"""What a person is told of an agent that runs away."""

from __future__ import annotations

from teamops.domain.limits import SpikeStop
from teamops.domain.restart import GONE
from teamops.domain.spikes import Spike
from teamops.model.agent import AgentState, Evidence, EvidenceKind, SpikeView
from teamops.model.alert import Finding
from teamops.model.role import Role

_OVER = GONE | {AgentState.HELD, AgentState.GIVEN_UP, AgentState.BACKING_OFF}
"""States that say more than that it ran away."""


def words(spike: Spike, rate: int) -> str:
    """Return a spike in figures: "41,200 tokens/min, 206 times its usual 200"."""
    figures = f"{rate:,} tokens/min"
    if spike.usual:
        figures += f", {_times(rate / spike.usual)} times its usual {spike.usual:,}"
    else:
        figures += f" (limit without any history {spike.limit:,})"
    return f"{figures} (by the plain rule {spike.plain})" if spike.plain else figures


def _times(times: float) -> str:
    return f"{times:.0f}" if times >= 10 else f"{times:.1f}"


def runaway_finding(role: Role, spike: Spike, rate: int, stop: SpikeStop = SpikeStop.OFF) -> Finding:
    """Return the finding of a spike that lasts; ``rate``: tokens a minute, as told; ``stop``: whether it is stopped."""
    look = "look what it does (Enter); "
    do = {
        SpikeStop.OFF: f"{look}interrupt it in its pane (a), or restart {role} (r)",
        SpikeStop.ASK: f"{look}stop its spending: teamops budget stop {role}",
        SpikeStop.ON: f"{look}it is being stopped; teamops budget lift {role} lets it go on",
    }
    return Finding(
        code="agent-runaway",
        subject=str(role),
        message=f"{role} uses {words(spike, rate)}",
        do=do[stop],
        agent=role,
    )


def shown(
    spike: SpikeView | None, state: AgentState, evidence: Evidence, *, kind: EvidenceKind, wall: float
) -> tuple[AgentState, Evidence]:
    """Return what a person is shown of an agent in ``state``: that it runs away, unless more than that is the matter.

    ``kind``: what tells of its tokens.
    """
    if spike is None or state in _OVER:
        return state, evidence
    return AgentState.RUNAWAY, Evidence(kind, max(0.0, wall - spike.since_wall), spike.why)
