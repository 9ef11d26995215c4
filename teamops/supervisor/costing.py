"""What lights, tasks and cycles cost, as the ledger's single responses tell. Belongs to the supervisor's loop.

Read once; then only what is new: the rows that came, and the sums of those times that a new block has cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from teamops.domain.cycles import LAST, cycle_cost, slice_of
from teamops.domain.spend_by_light import Held, Lights, Segment, Stretch, moments, stretches, task_spend
from teamops.ledger.spent import Spent, SpentRow, Told, spend_of
from teamops.model.events import BeatsSeen, Event, HandoffChanged, Ticked, UsageSeen
from teamops.model.handoff import Task
from teamops.model.role import Role
from teamops.model.spend import Spend, TaskSpend
from teamops.supervisor.archives import Archives
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

AT_ONCE = 2000
"""Of a file with more blocks the lights are gone through with the next round of the clock."""
MOST_ROWS = 20_000
"""So many rows back the last cycles are looked for."""
_KEPT = LAST + 10


class Costing:
    """Sums up what was used."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._archives = Archives(core.book.settings)
        self._news = self._at_once = True
        self._cap: float | None = None
        """Blocks that nobody saw come were there by then."""
        self._tasks: tuple[Task, ...] = ()
        self._dated = -1
        self._stretches: dict[str, tuple[Task, list[Stretch]]] = {}
        """By task, lower case."""
        self._lights = Lights()
        self._sums: dict[Segment, Spend] = {}
        """Of each segment that belongs to a light, as of ``_mark``."""
        self._used: dict[Held, Spend] = {}
        self._ends: dict[Held, int] = {}
        """Index of the block that ended each light."""
        self._present: dict[str, list[Held]] = {}
        """The lights of each open task since it came to its holder, by its name in lower case."""
        self._mark = (0, 0)
        self._unstored = (0, 0)
        self._cycles: dict[Role, dict[float, Spend]] = {}
        self._running: dict[Role, float | None] = {}

    def load(self, book: Book) -> None:
        """Read back the last cycles."""
        mark = self._core.memory.ask(book, self._spent.mark)
        if mark is not None and self._core.memory.ask(book, lambda: self._load_cycles(mark)) is not None:
            self._mark = mark

    @property
    def _spent(self) -> Spent:
        return self._core.memory.spent

    def _load_cycles(self, mark: tuple[int, int]) -> bool:
        self._cycles.clear()
        self._running.clear()
        for role in self._spent.roles():
            known: dict[float, Spend] = {}
            for number, row in enumerate(self._spent.newest(role, mark[0])):
                cycle = _cycle(row)
                if (cycle not in known and len(known) == _KEPT) or number == MOST_ROWS:
                    break
                known[cycle] = known.get(cycle, Spend()) + row.spend
            self._cycles[role] = known
        return True

    def see(self, book: Book, event: Event) -> None:
        """Take that there may be news. A long file's lights are gone through with the clock, not in a block's way."""
        clock = isinstance(event, Ticked)
        self._news = self._news or clock or isinstance(event, BeatsSeen | UsageSeen | HandoffChanged)
        self._at_once = self._at_once or clock or len(book.protocol.blocks) <= AT_ONCE

    def go_on(self, book: Book, *, now: bool = False) -> None:
        """Bring ``book.costs`` up to what the ledger knows, after all events of a round were taken.

        ``now``: also of a long file.
        """
        if self._news and (self._at_once or now):
            self._news = self._at_once = False
            self._core.memory.ask(book, lambda: self._go_on(book))

    def _go_on(self, book: Book) -> None:
        memory = self._core.memory
        mark, unstored = self._spent.mark(), (len(memory.unstored), memory.repriced)
        anew = mark[1] != self._mark[1] or unstored[1] != self._unstored[1]
        if anew:
            self._sums.clear()
            self._load_cycles(mark)
        rows = [] if mark[0] == self._mark[0] or anew else self._spent.after(self._mark[0], mark[0])
        own = memory.unstored if anew else memory.unstored[self._unstored[0] :]
        if self._see_lights(book) or anew:
            self._add_up(mark[0], rows)
            self._use_up(memory.unstored)
            self._show_all(book)
        elif rows or own:
            self._add_news(book, rows, own)
        self._mark, self._unstored = mark, unstored
        news = [(row.role, _cycle(row), row.spend) for row in rows]
        self._see_cycles(book, news + [(row.role, _cycle_of(row), _spend(row)) for row in own])

    # lights

    def _see_lights(self, book: Book) -> bool:
        """Take who held which light when; return whether that has changed."""
        protocol = book.protocol
        if protocol.tasks == self._tasks and protocol.dated == self._dated:
            return False
        if self._cap is None:
            adopted = self._core.memory.audit.adopted_wall()
            self._cap = book.stamp.wall if adopted is None else adopted
        seen = self._spent.sights(protocol.walls)
        walls = moments(protocol.blocks, seen, self._cap)
        before = self._stretches if protocol.dated == self._dated else {}
        self._stretches = {}
        for task in protocol.tasks:
            key = (task.task or "").lower()
            old = before.get(key)
            known = old is not None and old[0] is task
            self._stretches[key] = old if known and old else (task, stretches(task, protocol.blocks, walls))
        held = [one.held for _, found in self._stretches.values() for one in found]
        first = min((one.since_wall for one in held), default=book.stamp.wall)
        self._lights = Lights([*self._archives.lights(first, seen, self._cap), *held])
        self._tasks, self._dated = protocol.tasks, protocol.dated
        return True

    def _add_up(self, last: int, rows: Iterable[Told]) -> None:
        """Bring the sums up to the row ``last``; ``rows``: those that came since."""
        old, self._sums = self._sums, {}
        missing = []
        for role in self._lights.roles:
            for segment in self._lights.segments(role):
                if segment in old:
                    self._sums[segment] = old[segment]
                elif segment.held is not None:
                    missing.append(segment)
        for row in rows:
            segment = self._lights.segment_at(row.role, row.wall)
            if segment in self._sums:
                self._sums[segment] += row.spend
        for segment in missing:
            self._sums[segment] = self._spent.sum(segment.role, segment.since_wall, segment.until_wall, last)

    def _use_up(self, unstored: Iterable[SpentRow]) -> None:
        used: dict[Held, Spend] = {}
        for segment, spend in self._sums.items():
            if segment.held is not None and spend.responses:
                used[segment.held] = used.get(segment.held, Spend()) + spend
        for row in unstored:
            held = self._lights.at(row.role, row.usage.wall)
            if held is not None:
                used[held] = used.get(held, Spend()) + _spend(row)
        self._used = used

    def _add_news(self, book: Book, rows: Iterable[Told], own: Iterable[SpentRow]) -> None:
        """Add what came since the last look, under lights that are as they were."""
        told = [(row.role, row.wall, row.spend, True) for row in rows]
        told += [(row.role, row.usage.wall, _spend(row), False) for row in own]
        ended: dict[int, Spend] = {}
        for role, wall, spend, stored in told:
            segment = self._lights.segment_at(role, wall)
            if segment.held is None:
                continue
            if stored:
                self._sums[segment] += spend
            self._used[segment.held] = self._used.get(segment.held, Spend()) + spend
            if segment.held in self._ends:
                ended[self._ends[segment.held]] = self._used[segment.held]
        if ended:  # a new value only where there is something to draw
            book.costs.blocks = MappingProxyType({**book.costs.blocks, **ended})
        self._show_lights(book)

    def _show_all(self, book: Book) -> None:
        self._ends, self._present = {}, {}
        for key, (task, found) in self._stretches.items():
            self._ends.update((one.held, one.ended) for one in found if one.ended is not None)
            if task.open:
                self._present[key] = [one.held for one in found if one.given >= task.since_index]
        blocks = {index: self._used[held] for held, index in self._ends.items() if held in self._used}
        if blocks != book.costs.blocks:
            book.costs.blocks = MappingProxyType(blocks)
        self._show_lights(book)

    def _show_lights(self, book: Book) -> None:
        nothing = Spend()
        book.costs.lights = {
            key: sum((self._used.get(one, nothing) for one in held), nothing) for key, held in self._present.items()
        }

    def task(self, book: Book, name: str | None) -> TaskSpend:
        """Return what a task cost, as far as its lights are known."""
        _, found = self._stretches.get((name or "").lower(), (None, []))
        protocol = book.protocol
        return task_spend(found, self._used, protocol.blocks, protocol.walls)

    # cycles

    def _see_cycles(self, book: Book, news: Iterable[tuple[Role, float, Spend]]) -> None:
        changed = set()
        for role, cycle, spend in news:
            known = self._cycles.setdefault(role, {})
            known[cycle] = known.get(cycle, Spend()) + spend
            changed.add(role)
        for role, known in self._cycles.items():
            running = self._running_of(book, role, known)
            if role in changed or role not in self._running or running != self._running[role]:
                self._running[role] = running
                if len(known) > _KEPT:
                    for cycle in sorted(known)[:-_KEPT]:
                        del known[cycle]
                told = cycle_cost([(cycle, known[cycle]) for cycle in sorted(known) if cycle != running])
                if told is not None:
                    book.costs.cycles[role] = told

    def _running_of(self, book: Book, role: Role, known: Mapping[float, Spend]) -> float | None:
        """Return which of the cycles is not over."""
        interval = self._core.memory.intervals.running(role)
        if interval is not None and interval in known:
            return interval
        now = slice_of(book.stamp.wall)
        return now if now in known else None


def _cycle(row: Told) -> float:
    return slice_of(row.wall) if row.cycle is None else row.cycle


def _cycle_of(row: SpentRow) -> float:
    return slice_of(row.usage.wall) if row.cycle is None else row.cycle


def _spend(row: SpentRow) -> Spend:
    return spend_of(row.usage.tokens, row.cost_usd)
