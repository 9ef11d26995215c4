"""The traffic light: who holds it, and whether the holder takes it.

Source of the rule: the house plan, "Staleness": no sign of work for 5 min is waiting, for 13 min stale; per tier.
"""

from __future__ import annotations

from msgspec import Struct

from teamops.domain.limits import Limits
from teamops.model.handoff import Stage
from teamops.model.role import HUMAN, Role
from teamops.model.snapshot import LightState


class Light(Struct, frozen=True, kw_only=True):
    """The light of one open task, since one moment."""

    task: str | None
    role: Role
    tier: int | None
    stage: Stage
    since: float
    """Observed seconds (may lie before teamops' own start)."""
    since_wall: float
    line: int
    digest: str


class Reading(Struct, frozen=True):
    """What a light shows now."""

    state: LightState
    unanswered_s: float
    """Observed seconds since the last sign of work, or since the light came."""
    answered: bool


def read_light(light: Light, worked_at: float | None, now: float, limits: Limits) -> Reading:
    """Return what ``light`` shows, given when its holder last showed a sign of work (observed seconds).

    Work before the light came is no answer to it. An agent that took its turn and then showed nothing more goes
    through the same two limits, counted from its last sign.
    """
    answered = worked_at is not None and worked_at >= light.since
    last = worked_at if answered and worked_at is not None else light.since
    unanswered = max(0.0, now - last)
    if light.role == HUMAN:
        return Reading(LightState.HUMAN, unanswered, answered)
    if unanswered >= limits.stale_for(light.tier):
        return Reading(LightState.STALE, unanswered, answered)
    if unanswered >= limits.waiting_for(light.tier):
        return Reading(LightState.WAITING, unanswered, answered)
    return Reading(LightState.WORKING, unanswered, answered)
