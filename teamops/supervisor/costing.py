"""What lights, tasks and cycles cost, as the ledger's single responses tell. Belongs to the supervisor's loop.

Read once; then only what is new: the rows that came, and the sums of those times that a new block has cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

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


class Known(Struct, frozen=True):
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
        self._lit: dict[str, float] = {}
        """When earlier lives saw lights, by the digest of their blocks."""
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
        self._lit = self._core.memory.ask(book, self._spent.lit) or {}
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
        if isinstance(event, Ticked) and event.gap_s:
            self._mark = (self._mark[0], -1)  # the rows that came in that time may have been summed up by now

    def go_on(self, book: Book) -> None:
        """Bring ``book.costs`` up to what the ledger knows, after all events of a round were taken."""
        if self._news:
            self._news = False
            if self._core.memory.ask(book, lambda: self._go_on(book)) is None:
                self._dated = -1  # it ended half way: the next look is at all of it

    def _go_on(self, book: Book) -> bool:
        told = self._core.memory.responses
        mark, unstored = self._spent.mark(), (len(told.unstored), told.repriced)
        anew = mark[1] != self._mark[1] or unstored[1] != self._unstored[1]
        if anew:
            self._load_cycles(mark)
        rows = [] if mark[0] == self._mark[0] or anew else self._spent.after(self._mark[0], mark[0])
        own = told.unstored if anew else told.unstored[self._unstored[0] :]
        changed = self._changed_tasks(book)
        if changed is None or anew or (changed and told.unstored):
            self._see_all(book)
            self._add_up(mark[0])
            self._use_up(told.unstored)
            self._show_all(book)
        else:
            self._see_changed(book, changed)
            if rows or own:
                self._add_news(book, rows, own)
            elif changed:
                self._show_lights(book)
        self._mark, self._unstored = mark, unstored
        news = [(row.role, _cycle(row), row.spend) for row in rows]
        self._see_cycles(book, news + [(row.role, _cycle_of(row), _spend(row)) for row in own])
        return True

    # lights

    def _changed_tasks(self, book: Book) -> list[Task] | None:
        """Return the tasks that have changed or come; ``None``: more than these, all is looked at anew."""
        protocol = book.protocol
        if protocol.dated != self._dated or len(protocol.tasks) < len(self._tasks):
            return None
        if protocol.tasks is self._tasks:
            return []
        pairs = zip(self._tasks, protocol.tasks, strict=False)
        changed = [new for old, new in pairs if new is not old and new != old]
        changed += protocol.tasks[len(self._tasks) :]
        for task in changed:
            before = self._stretches.get(_key(task))
            if before is not None and before[0].blocks != task.blocks[: len(before[0].blocks)]:
                return None
        self._tasks = protocol.tasks
        return changed

    def _moments(self, book: Book) -> Sequence[float]:
        if self._cap is None:
            adopted = self._core.memory.audit.adopted_wall()
            self._cap = book.stamp.wall if adopted is None else adopted
        return moments(book.protocol.blocks, book.protocol.walls, self._cap, self._lit)

    def _see_all(self, book: Book) -> None:
        """Take who held which light when."""
        protocol, walls = book.protocol, self._moments(book)
        self._stretches = {_key(task): (task, stretches(task, protocol.blocks, walls)) for task in protocol.tasks}
        held = [one.held for _, found in self._stretches.values() for one in found]
        first = min((one.since_wall for one in held), default=book.stamp.wall)
        cap = book.stamp.wall if self._cap is None else self._cap
        self._lights = Lights([*self._archives.lights(first, protocol.walls, cap), *held])
        self._tasks, self._dated = protocol.tasks, protocol.dated

    def _see_changed(self, book: Book, tasks: Iterable[Task]) -> None:
        """Take the lights of ``tasks`` as they are now; sums are added up anew only where they differ."""
        walls = self._moments(book)
        for task in tasks:
            key = _key(task)
            old = self._stretches[key][1] if key in self._stretches else []
            found = stretches(task, book.protocol.blocks, walls)
            self._stretches[key] = (task, found)
            same = 0
            while same < min(len(old), len(found)) and old[same] == found[same]:
                same += 1
            gone, come = [one.held for one in old[same:]], [one.held for one in found[same:]]
            dropped, new = self._lights.change(gone, come)
            for segment in dropped:
                self._sums.pop(segment, None)
            for one in gone:
                self._used.pop(one, None)
                self._ends.pop(one, None)
            for segment in new:
                self._sum(segment, self._mark[0])
            touched = dict.fromkeys(one.held for one in (*dropped, *new) if one.held is not None)
            for held in touched:
                self._used.pop(held, None)
                whole = sum((self._sums[one] for one in self._lights.segments_of(held)), Spend())
                if whole.responses:
                    self._used[held] = whole
            self._ends.update((one.held, one.ended) for one in found[same:] if one.ended is not None)
            self._be_present(key, task, found)
            self._show_blocks(book, [held for held in touched if held in self._ends])

    def _sum(self, segment: Segment, last: int) -> None:
        if segment.held is not None:
            self._sums[segment] = self._spent.sum(segment.role, segment.since_wall, segment.until_wall, last)

    def _add_up(self, last: int) -> None:
        """Sum up each segment up to the row ``last``; those that are the same as before keep what they had."""
        self._sums.clear()
        for role in self._lights.roles:
            for segment in self._lights.segments(role):
                self._sum(segment, last)

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
        ended: list[Held] = []
        for role, wall, spend, stored in told:
            segment = self._lights.segment_at(role, wall)
            if segment.held is None:
                continue
            if stored:
                self._sums[segment] += spend
            self._used[segment.held] = self._used.get(segment.held, Spend()) + spend
            if segment.held in self._ends:
                ended.append(segment.held)
        self._show_blocks(book, ended)
        self._show_lights(book)

    def _show_blocks(self, book: Book, ended: Iterable[Held]) -> None:
        """Show what was used under lights that have ended; a new value only where there is something to draw."""
        told = {self._ends[held]: self._used.get(held) for held in ended}
        if any(book.costs.blocks.get(index) != spend for index, spend in told.items()):
            shown = {**book.costs.blocks, **told}
            book.costs.blocks = MappingProxyType({index: spend for index, spend in shown.items() if spend is not None})

    def _be_present(self, key: str, task: Task, found: Iterable[Stretch]) -> None:
        if task.open:
            self._present[key] = [one.held for one in found if one.given >= task.since_index]
        else:
            self._present.pop(key, None)

    def _show_all(self, book: Book) -> None:
        self._ends, self._present = {}, {}
        for key, (task, found) in self._stretches.items():
            self._ends.update((one.held, one.ended) for one in found if one.ended is not None)
            self._be_present(key, task, found)
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
        interval = self._core.memory.responses.running(role)
        if interval is not None and interval in known:
            return interval
        now = slice_of(book.stamp.wall)
        return now if now in known else None


def _key(task: Task) -> str:
    return (task.task or "").lower()


def _cycle(row: Told) -> float:
    return slice_of(row.wall) if row.cycle is None else row.cycle


def _cycle_of(row: SpentRow) -> float:
    return slice_of(row.usage.wall) if row.cycle is None else row.cycle


def _spend(row: SpentRow) -> Spend:
    return spend_of(row.usage.tokens, row.cost_usd)
