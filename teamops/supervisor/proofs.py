"""Which events may show that a client took a line, and how much each is worth."""

from __future__ import annotations

from collections.abc import Iterator

from teamops.domain import hooks
from teamops.domain.delivery import Sign
from teamops.model.agent import Beat, BeatKind, ClientStatus
from teamops.model.events import (
    BeatsSeen,
    Event,
    GrowthSeen,
    HandoffChanged,
    OutputSeen,
    ScreenSeen,
    StatusSeen,
    UsageSeen,
)
from teamops.model.pane import Screen
from teamops.model.role import Role
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.book import Book

_OWN_LOOP = frozenset({"sdk", "command"})
"""Clients that are programs of the team's own: a beat is what they have to show."""
_BEATS = frozenset({BeatKind.BEAT, BeatKind.CYCLE_BEGIN, BeatKind.CYCLE_END})


def signs_of(book: Book, event: Event) -> Iterator[tuple[Role, Sign]]:
    """Give what ``event``, which the book has taken, may prove, and of whom."""
    match event:
        case BeatsSeen():
            # Those that an earlier life has counted too: it may have been killed before it saw what they prove.
            for beat in (*event.known, *event.beats):
                sign = _of_beat(book, beat, book.observed(beat.wall, event.stamp))
                if sign is not None:
                    yield beat.role, sign
        case HandoffChanged(appended=True):
            for page in book.agents.values():
                if page.worked == event.stamp.now:
                    yield page.role, Sign(event.stamp.now, "its own block", sure=True)
        case StatusSeen() | UsageSeen() | GrowthSeen() | ScreenSeen() | OutputSeen():
            sign = _of_page(book.agent(event.role), event)
            if sign is not None:
                yield event.role, sign
        case _:
            pass


def _of_page(page: AgentBook, event: StatusSeen | UsageSeen | GrowthSeen | ScreenSeen | OutputSeen) -> Sign | None:
    now = event.stamp.now
    match event:
        case StatusSeen(status=ClientStatus.BUSY):
            return Sign(now if page.status_at is None else page.status_at, "status busy")
        case UsageSeen(grew=True, live=True) | GrowthSeen(grown_wall=None):
            # Where a client's hooks speak, one of them would have said it; a file also grows at the end of a turn.
            return Sign(now, "transcript grew") if page.told is None else None
        case ScreenSeen(screen=Screen.BUSY):
            same = page.pane is not None and page.pane.pid == event.pid
            return Sign(now, "its screen says busy") if same and page.client not in _OWN_LOOP else None
        case OutputSeen():
            return Sign(now, "output", sure=True) if page.client == "command" else None
        case _:
            return None


def _of_beat(book: Book, beat: Beat, at: float) -> Sign | None:
    if beat.kind is BeatKind.HOOK:
        if beat.hook in hooks.TAKES_PROMPT and beat.detail:
            return Sign(at, f"hook {beat.hook}", beat.detail)
        return None
    if beat.kind in _BEATS and book.agent(beat.role).client in _OWN_LOOP:
        return Sign(at, "first beat", sure=True)
    return None
