"""Keeps on record when this supervisor is at work, so that nobody takes the times in which nobody looked for deaths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamops.model.day_facts import Span
from teamops.model.events import Event, Ticked
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

MARK_S = 60.0
"""How often it is stored. After a kill so much of the last minute is not known to have been watched."""

JUMP_S = 10.0
"""The wall clock goes on by less between two rounds of the clock, but where it was set, or nobody looked."""


class Watching:
    """Belongs to the supervisor's loop; only the one that acts writes."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._span: int | None = None
        self._since = self._last = self._marked = 0.0

    def load(self, book: Book) -> None:
        """Begin."""
        self._begin(book.stamp.wall)

    def _begin(self, wall: float) -> None:
        self._span, self._since, self._last, self._marked = None, wall, wall, wall

    def see(self, book: Book, event: Event) -> None:
        """Take a round of the clock. After a gap, or where the wall clock was set, a new span begins."""
        if not isinstance(event, Ticked) or not book.supervisor.acting:
            return
        wall, last = event.stamp.wall, self._last
        if event.gap_s or not last <= wall <= last + JUMP_S:
            if self._span is not None:
                self._store(book, last)
            self._begin(wall)
        self._last = wall
        if self._span is None or wall - self._marked >= MARK_S:
            self._store(book, wall)

    def end(self, book: Book) -> None:
        """Store until when it looked: this supervisor ends in good order."""
        if book.supervisor.acting and self._last > self._marked:
            self._store(book, self._last)

    def _store(self, book: Book, wall: float) -> None:
        span, since, self._marked = self._span, self._since, wall
        self._core.memory.store(book, lambda: self._mark(span, since, wall))

    def _mark(self, span: int | None, since: float, wall: float) -> None:
        self._span = self._core.memory.watched.mark(span, since, wall)

    def looking(self, book: Book) -> Span | None:
        """Return the time up to now in which somebody looks and which may not be stored yet; ``None``: nobody does."""
        wall, supervisor = book.stamp.wall, book.supervisor
        if supervisor.acting:
            return self._since, wall
        if supervisor.pid is None:
            return None
        until = wall - (supervisor.round_age_s or 0.0)
        last = self._core.memory.ask(book, self._core.memory.watched.last)
        # The one that acts goes on with its last span until a round after MARK_S; a gap would have begun another one.
        if last is not None and until - MARK_S - JUMP_S <= last[1] <= until:
            return last[1], until
        return max(supervisor.since_wall or 0.0, until - MARK_S), until
