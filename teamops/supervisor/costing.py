"""What lights, tasks and cycles cost, as the ledger's single responses tell. Belongs to the supervisor's loop.

Read once; then only what is new: the rows that came, and the sums of those times that a new block has cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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

MOST_ROWS = 20_000
"""So many rows back the last cycles are looked for."""
_KEPT = LAST + 10


@dataclass(frozen=True, slots=True)
class Known:
    """The sums of all lights, for any thread."""

    lights: Lights
    sums: Mapping[Segment, Spend]
    """Of each segment that belongs to a light, as of ``mark``."""
    mark: tuple[int, int]
    """See ``Spent.mark``."""


class Costing:
    """Sums up what was used."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._archives = Archives(core.book.settings)
        self._news = True
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

    def see(self, book: Book, event: Event) -> None:  # noqa: ARG002 - as all parts of the core
        """Take that there may be news."""
        self._news = self._news or isinstance(event, BeatsSeen | UsageSeen | HandoffChanged | Ticked)

    def go_on(self, book: Book) -> None:
        """Bring ``book.costs`` up to what the ledger knows, after all events of a round were taken."""
        if self._news:
            self._news = False
            self._core.memory.ask(book, lambda: self._go_on(book))

    def _go_on(self, book: Book) -> None:
        memory = self._core.memory
        mark, unstored = self._spent.mark(), (len(memory.unstored), memory.repriced)
        anew = mark[1] != self._mark[1] or unstored[1] != self._unstored[1]
        if anew:
            self._sums.clear()
            self._load_cycles(mark)
        rows = [] if mark[0] == self._mark[0] or anew else self._spent.after(self._mark[0], mark[0])
        changed = self._see_lights(book) or anew
        if changed or rows or unstored != self._unstored:
            self._add_up(mark[0], rows)
            self._use_up(memory.unstored)
            book.costs.lights, book.costs.blocks = self._shown(book)
        news = [(row.role, _cycle(row), row.spend) for row in rows]
        if not anew:
            known = self._unstored[0]
            news += [(row.role, _cycle_of(row), _spend(row)) for row in memory.unstored[known:]]
        else:
            news += [(row.role, _cycle_of(row), _spend(row)) for row in memory.unstored]
        self._mark, self._unstored = mark, unstored
        self._see_cycles(book, news)

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

    def _shown(self, book: Book) -> tuple[dict[str, Spend], Mapping[int, Spend]]:
        lights, blocks = {}, {}
        for key, (task, found) in self._stretches.items():
            for one in found:
                if one.ended is not None and one.held in self._used:
                    blocks[one.ended] = self._used[one.held]
            if key in book.lights:
                parts = (self._used.get(one.held) for one in found if one.given >= task.since_index)
                lights[key] = sum((part for part in parts if part is not None), Spend())
        return lights, MappingProxyType(blocks)

    def task(self, book: Book, name: str | None) -> TaskSpend:
        """Return what a task cost, as far as its lights are known."""
        _, found = self._stretches.get((name or "").lower(), (None, []))
        protocol = book.protocol
        return task_spend(found, self._used, protocol.blocks, protocol.walls)

    def known(self) -> Known:
        """Return the sums of all lights as they are now."""
        return Known(self._lights, dict(self._sums), self._mark)

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
