"""When an agent was alive: from the states it was seen in, its own signs, and the times in which anybody looked.

Not observed is not dead: while no supervisor ran, only what the agent itself left behind (beats, responses) says that
it lived; where it left nothing, nobody knows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from teamops.domain.health import SERVER_GONE
from teamops.model.agent import AgentState
from teamops.model.day_facts import Span, StateEdge
from teamops.model.day_report import SLOT_S, Presence, Stay

QUIET_S = 180.0
"""Two signs of life so close have no death between them: three of the usual intervals of beats."""
OWN_SIGNS = "its own beats and responses"
_OF = {
    AgentState.UNKNOWN: Presence.OFF,
    AgentState.SILENT: Presence.UNWELL,
    AgentState.ZOMBIE: Presence.UNWELL,
    AgentState.SUSPENDED: Presence.UNWELL,
    AgentState.DEAD: Presence.DOWN,
    AgentState.BACKING_OFF: Presence.DOWN,
    AgentState.GIVEN_UP: Presence.DOWN,
    AgentState.HELD: Presence.HELD,
}
_WORST = (Presence.DOWN, Presence.UNWELL, Presence.HELD)
_PLAIN = (Presence.ALIVE, Presence.OFF, Presence.UNSEEN)


def presence_of(state: str, evidence: str = "") -> Presence:
    """Return what a state, with its evidence in words, says; all that is not told apart here is alive."""
    if state == AgentState.UNKNOWN and evidence.endswith(SERVER_GONE):
        return Presence.DOWN
    return next((presence for known, presence in _OF.items() if known == state), Presence.ALIVE)


def stays(
    states: Sequence[StateEdge], watched: Sequence[Span], minutes: Sequence[int], since: float, until: float
) -> tuple[Stay, ...]:
    """Return the presence of one agent from ``since`` until ``until``, without a gap.

    ``states``: its own, oldest first; ``watched``: when somebody looked; ``minutes``: those with signs of its own.
    """
    seen, lived = merged(watched), merged(_signs(minutes))
    walls = [edge.wall for edge in states]
    cuts = {since, until, *walls, *(wall for span in (*seen, *lived) for wall in span)}
    moments = sorted(wall for wall in cuts if since <= wall <= until)
    found: list[Stay] = []
    for begun, ended in pairwise(moments):
        presence, why = Presence.UNSEEN, ""
        if _within(seen, begun):
            place = bisect_right(walls, begun)
            presence, why = (
                (presence_of(states[place - 1].state, states[place - 1].evidence), states[place - 1].evidence)
                if place
                else (Presence.OFF, "")
            )
        elif _within(lived, begun):
            presence, why = Presence.ALIVE, OWN_SIGNS
        if found and found[-1].presence is presence:
            found[-1] = Stay(found[-1].since_wall, ended, presence, found[-1].why)
        else:
            found.append(Stay(begun, ended, presence, why))
    return tuple(found)


def strip(known: Iterable[Stay], since: float, until: float) -> tuple[Presence, ...]:
    """Return one word for each slot from ``since`` on: the worst that was seen in it, else what most of it was."""
    slots: list[dict[Presence, float]] = [{} for _ in range(int(-(-(until - since) // SLOT_S)))]
    for stay in known:
        begun, ended = max(stay.since_wall, since), min(stay.until_wall, until)
        while begun < ended:
            place = int((begun - since) // SLOT_S)
            edge = min(ended, since + (place + 1) * SLOT_S)
            slots[place][stay.presence] = slots[place].get(stay.presence, 0.0) + edge - begun
            begun = edge
    return tuple(_word(slot) for slot in slots)


def _word(slot: dict[Presence, float]) -> Presence:
    for presence in _WORST:
        if slot.get(presence):
            return presence
    return max(_PLAIN, key=lambda presence: slot.get(presence, 0.0))


def _signs(minutes: Iterable[int]) -> list[Span]:
    """Return the times that signs of life prove; between two that are close the agent lived, too."""
    spans: list[Span] = []
    for minute in minutes:
        wall = minute * 60.0
        if spans and wall - spans[-1][1] <= QUIET_S:
            spans[-1] = (spans[-1][0], wall + 60.0)
        else:
            spans.append((wall, wall + 60.0))
    return spans


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that touch each other as one."""
    found: list[Span] = []
    for begun, ended in sorted(spans):
        if found and begun <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        elif ended > begun:
            found.append((begun, ended))
    return found


def _within(spans: Sequence[Span], wall: float) -> bool:
    place = bisect_right(spans, (wall, float("inf")))
    return bool(place) and wall < spans[place - 1][1]
