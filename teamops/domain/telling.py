"""What is typed by rule about one light: its first line, lines that were not taken once more, one reminder.

The announcer decides that a light is told at all; from then on this is asked. Never more lines than the limit per
light, never one while another is on its way, never one to an agent that works or can't take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from teamops.domain.delivery import Way
from teamops.domain.light import Light
from teamops.domain.limits import Limits
from teamops.model.agent import AgentState
from teamops.model.agent_report import Delivery
from teamops.model.alert import Finding

REMINDER = "Reminder: "
"""How the line of a reminder begins: by that it is known again after a restart of teamops."""
AT_REST = frozenset({AgentState.IDLE, AgentState.SILENT, AgentState.ERRORED})
"""Only in these states an agent is told once more: it neither works, nor waits for its person, nor is held or gone."""
PROBE_S = 2.0
MOST_PROBE_S = 60.0


class Move(StrEnum):
    """What is typed next."""

    TELL = "tell"
    """Its line: none was typed so far, or its agent has been restarted since."""
    RETRY = "retry"
    """The same line again: no proof came that it was taken."""
    REMIND = "remind"


class Holder(Struct, frozen=True, kw_only=True):
    """The holder of a light, now."""

    state: AgentState
    """As shown: health, under what teamops does about the agent."""
    able: bool = True
    """Nothing is known that keeps a line from being taken: a dialog, a refused account, a restart under way."""
    free: bool = True
    """No line is on its way to it."""
    heard: float = 0.0
    """When it last showed work, was last told, or got the light: observed seconds."""
    again: bool = False
    """It was restarted since its last line, and is to be told anew."""
    resumed: bool = False
    """It was restarted since its last line, and has shown work since: it knows of its light."""


def next_move(ways: Sequence[Way], holder: Holder, now: float, limits: Limits, tier: int | None) -> Move | None:
    """Return what is to be typed about one light; ``None``: nothing now. ``ways``: its lines by rule, oldest first."""
    if not holder.free or not holder.able or holder.state not in AT_REST:
        return None
    if lines_typed(ways) >= limits.pokes_per_light:
        return None
    typed = [way for way in ways if way.was_typed]
    if not typed or holder.again:
        return Move.TELL
    last = typed[-1]
    if not last.proven and not holder.resumed:
        return None if reminds(last.delivery) else Move.RETRY
    if now - holder.heard >= limits.waiting_for(tier) and not any(reminds(way.delivery) for way in typed):
        return Move.REMIND
    return None


def lines_typed(ways: Iterable[Way]) -> int:
    """Return how many lines were typed, or may have been."""
    return sum(way.was_typed for way in ways)


def reminds(delivery: Delivery) -> bool:
    """Return whether a delivery is a reminder."""
    return delivery.text.startswith(REMINDER)


def probe_s(refusals: int) -> float:
    """Return after how long it is looked again whether a line can be typed that was refused so often in a row."""
    return min(MOST_PROBE_S, PROBE_S * 2.0 ** max(0, min(refusals, 10) - 1))


def refusals(ways: Sequence[Way]) -> int:
    """Return how many lines were refused in a row, up to now."""
    count = 0
    for way in reversed(ways):
        if way.was_typed:
            break
        count += 1
    return count


class InVain(Struct, frozen=True):
    """The lines about one light that the process which runs now is not known to have taken, up to the last one."""

    lines: tuple[Way, ...]
    taken: bool = False
    """It has taken one before these."""


def in_vain(ways: Iterable[Way], began: float | None) -> InVain:
    """Return the lines that were typed in vain, oldest first: since the last one that was taken.

    ``began``: when the process began that runs now, observed seconds; ``None``: before all of them. What was typed for
    one before it says nothing of it.
    """
    found = InVain(())
    for way in ways:
        if way.was_typed and (began is None or way.begun >= began):
            found = InVain((), taken=True) if way.proven else InVain((*found.lines, way), found.taken)
    return found


def given_up(ways: Sequence[Way], limits: Limits, began: float | None = None) -> bool:
    """Return whether nothing more is typed by rule, and the last line is not known to be taken. See ``in_vain``."""
    vain = in_vain(ways, began).lines
    if not vain or not vain[-1].delivery.over:
        return False
    return lines_typed(ways) >= limits.pokes_per_light or reminds(vain[-1].delivery)


def unproven_finding(light: Light, vain: InVain) -> Finding:
    """Return what is to be said of a light whose lines nobody is known to have taken."""
    count = len(vain.lines)
    times = "1 line was" if count == 1 else f"{count} lines were"
    after = " since the last one that its client took" if vain.taken else ""
    which = "one" if not vain.taken else "that one" if count == 1 else "one of these"
    return Finding(
        code="poke-unproven",
        subject=f"{light.task or ''}#{light.digest}",
        message=f"{light.role} holds the light{f' of {light.task}' if light.task else ''}: {times} typed{after},"
        f" and nothing shows that {'it' if vain.taken else 'its client'} took {which}",
        do=f"look at {light.role}'s pane (a): is the line there? then poke it yourself (p)",
        agent=light.role,
    )
