"""The memory of the agents' process trees over hours."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from teamops.domain import memory_growth
from teamops.domain.memory_growth import WINDOW_S, Growth, Sample
from teamops.model.alert import Finding
from teamops.model.events import Event, ProcessesSeen, Ticked
from teamops.model.role import Role
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

MOST = int(WINDOW_S // 60) + 2


class Growing:
    """Takes a sample a minute of each agent. Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._samples: dict[tuple[Role, int], deque[Sample]] = {}
        self._latest: dict[tuple[Role, int], int] = {}
        """The largest of the minute that runs."""
        self._minute = 0
        self._grows: dict[Role, Growth] = {}
        self._said: set[tuple[Role, str]] = set()

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored."""
        rss = self._core.memory.rss
        known = self._core.memory.ask(book, lambda: rss.since(book.stamp.wall - WINDOW_S)) or {}
        self._samples = {key: deque(samples, MOST) for key, samples in known.items()}

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""
        match event:
            case ProcessesSeen():
                for row in event.rows:
                    key = (row.role, row.pid)
                    self._latest[key] = max(row.rss_bytes, self._latest.get(key, 0))
            case Ticked():
                minute = int(event.stamp.wall // 60)
                if minute != self._minute:
                    if self._minute and self._latest:
                        self._end_minute(book, self._minute)
                    self._minute = minute

    def _end_minute(self, book: Book, minute: int) -> None:
        rows, self._latest = self._latest, {}
        for key, rss in rows.items():
            samples = self._samples.setdefault(key, deque(maxlen=MOST))
            if not samples or samples[-1][0] < minute * 60.0:  # not after a clock that was set back
                samples.append((minute * 60.0, rss))
        self._samples = {key: samples for key, samples in self._samples.items() if key in rows}
        limit = book.settings.limits.memory_bytes
        self._grows = {
            role: memory_growth.growth(tuple(self._samples.get((role, pid), ())), limit) for role, pid in rows
        }
        for role, grows in self._grows.items():
            book.agent(role).memory_note = memory_growth.note(grows, book.settings.limits)
        if book.supervisor.acting:
            stored = [(role, pid, minute, rss) for (role, pid), rss in rows.items()]
            self._core.memory.store(book, lambda: self._core.memory.rss.add(stored))

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        found, limits = [], book.settings.limits
        said: set[tuple[Role, str]] = set()
        for role, grows in self._grows.items():
            page = book.agents.get(role)
            if page is None or page.dead or page.pane is None:
                continue
            words = memory_growth.note(grows, limits)
            if memory_growth.too_much(grows, limits, before=(role, "over") in self._said):
                said.add((role, "over"))
                now = memory_growth.size_words(grows.now)
                limit = memory_growth.size_words(limits.memory_bytes)
                found.append(_finding(role, f"{role} uses {now} of memory (limit {limit})", page=True))
            elif memory_growth.coming(grows, limits, before=(role, "soon") in self._said):
                said.add((role, "soon"))
                rate = memory_growth.size_words(int(grows.per_s * 3600))
                now = memory_growth.size_words(grows.now)
                # No figure that changes from minute to minute in the first words: one alert, not one a minute.
                found.append(_finding(role, f"{role} grows by {rate} an hour, is at {now}: {words}", page=False))
        self._said = said
        return found


def _finding(role: Role, message: str, *, page: bool) -> Finding:
    return Finding(
        code="agent-memory",
        subject=str(role),
        message=message,
        do=f"look what it runs (Enter), and restart {role} (r) when it rests",
        agent=role,
        notify=page,
    )
