"""Keeps on record when this supervisor watched, to the minute: what a replay must not take for quiet."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from teamops.model.clock import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from teamops.ledger.watched import Watched
    from teamops.supervisor.book import Book

KEPT_EVERY_S = 60.0
LEAPS_S = 10.0
"""Where the wall clock goes so much further than what was observed, nobody watched in between."""


class Watching:
    """The spans of one life. Belongs to the supervisor's loop."""

    def __init__(self, watched: Watched, store: Callable[[Book, Callable[[], object]], bool]) -> None:
        self._watched = watched
        self._store = store
        self._row: int | None = None
        self._kept: Stamp | None = None
        """As of when the span was stored last."""
        self._seen: Stamp | None = None
        """The last round of the clock."""

    def tick(self, book: Book) -> None:
        """Take a round of the clock."""
        stamp, seen = book.stamp, self._seen
        if seen is not None and (stamp.wall - seen.wall) - (stamp.now - seen.now) > LEAPS_S:
            self._go_on(book, seen)
            self._row = self._kept = None
        self._seen = stamp
        if self._kept is None:
            self._kept = stamp
            self._store(book, partial(self._begin, stamp.wall))
        elif stamp.now - self._kept.now >= KEPT_EVERY_S:
            self._go_on(book, stamp)

    def end(self, book: Book) -> None:
        """Take the end of this life."""
        if self._seen is not None:
            self._go_on(book, self._seen)

    def _begin(self, wall: float) -> None:
        self._row = self._watched.begin(wall, os.getpid())

    def _go_on(self, book: Book, until: Stamp) -> None:
        self._kept = until
        self._store(book, partial(self._stored_until, until.wall))

    def _stored_until(self, wall: float) -> None:
        if self._row is not None:
            self._watched.go_on(self._row, wall)
