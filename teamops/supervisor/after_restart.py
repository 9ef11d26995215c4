"""After a restart: the agent is waited for until it is ready, and then told of the light it holds."""

from __future__ import annotations

from msgspec import Struct

from teamops.domain.restart_step import READY_S
from teamops.model.agent import AgentState
from teamops.model.pane import Screen
from teamops.supervisor.agent_book import AgentBook

STEADY_S = 10.0
"""A program that tells nothing of itself counts as ready when it has lived for so long."""
_SLACK_S = 1.0
"""Between two processes' words on when a restart began."""
_READY_SCREENS = frozenset({Screen.PROMPT, Screen.BUSY, Screen.DIALOG, Screen.FAILED, Screen.RETRYING})


class Awaited(Struct, frozen=True):
    """One agent that was restarted."""

    since: float
    """When its restart began, or when this life took it over; observed seconds."""
    begun: float
    """When its restart began, observed seconds."""
    before: bool = False
    """An earlier life of teamops began it: its process may have been there at the first look."""


def is_over(page: AgentBook, awaited: Awaited, now: float) -> bool | None:
    """Return true when the agent is ready (or was waited for long enough), false when it ended; ``None``: not yet."""
    late = now - awaited.since >= READY_S
    if page.pane is None or not (awaited.before or (page.born is not None and page.born >= awaited.since - _SLACK_S)):
        return False if late or awaited.before else None  # its new process was not seen so far
    if page.dead or page.health is AgentState.DEAD:
        return False
    return True if late or _is_ready(page, awaited, now) else None


def _is_ready(page: AgentBook, awaited: Awaited, now: float) -> bool:
    # What the old process told is forgotten when the new one is seen; but a line of its spool may be read late.
    told = page.beat if page.told_at is None else page.told_at
    if page.status is not None or (told is not None and (awaited.before or told >= awaited.since)):
        return True
    if page.screen in _READY_SCREENS:
        return True
    return page.client in {"command", "sdk"} and now - awaited.since >= STEADY_S
