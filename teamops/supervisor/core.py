"""The supervisor's loop: events in; book, ledger, rules, snapshot; actions out."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from teamops.config.settings import Settings
from teamops.model.actions import Outcome
from teamops.model.clock import Stamp
from teamops.model.events import (
    ActionFinished,
    BeatsSeen,
    Event,
    HandoffChanged,
    HandoffLost,
    PaneDied,
    PanesSeen,
    SourceTroubled,
    Ticked,
    UsageSeen,
)
from teamops.model.role import Role
from teamops.model.snapshot import Intent, LogLine, Snapshot, SupervisorView
from teamops.sources.clock import Clock
from teamops.supervisor.acting import Acting
from teamops.supervisor.announcing import Announcer
from teamops.supervisor.auditing import Auditing
from teamops.supervisor.book import Book
from teamops.supervisor.bounding import Bounding
from teamops.supervisor.budgeting import Budgeting
from teamops.supervisor.costing import Costing
from teamops.supervisor.delivering import Deliverer
from teamops.supervisor.growing import Growing
from teamops.supervisor.judging import judge_all
from teamops.supervisor.memory import Memory
from teamops.supervisor.paging import Paging
from teamops.supervisor.proving import Proving
from teamops.supervisor.questions import Questions
from teamops.supervisor.reporting import Reporting
from teamops.supervisor.restarting import Restarter
from teamops.supervisor.retaining import Retaining
from teamops.supervisor.spiking import Spiking
from teamops.supervisor.trail import Trail
from teamops.supervisor.view import view
from teamops.supervisor.watching import Watching
from teamops.tmux.server import Server

PUBLISH_S = 0.05
"""Snapshots go out at most this often."""

SETTLE_TICKS = 2
"""Rounds of the clock between the sources' first word and the first judgement."""
START_S = 10.0
"""A source that has not reported by then is no reason to wait any longer."""


class Core(Questions):
    """One life of a supervisor: as the one that acts, or as a viewer.

    ``publish`` is called in the loop's thread with each new snapshot. All methods but ``emit`` belong to the loop.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        memory: Memory,
        supervisor: SupervisorView,
        publish: Callable[[Snapshot], None],
        revisions: Iterator[int],
    ) -> None:
        self.book = Book(settings, clock.stamp(), supervisor)
        self._clock = clock
        self.memory = memory
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._queue: deque[Event] = deque()
        self._wake = asyncio.Event()
        self._ticked: asyncio.TimerHandle | None = None
        """Begins the round of a tick, if nothing else has begun it before."""
        self._passed = asyncio.Event()
        self._revisions = revisions
        self._published = 0.0
        self._ready = False
        self.shown = asyncio.Event()
        """A snapshot in which every source has reported is out."""
        self._told = False
        """The agents' states were told once."""
        self.gapped = False
        """teamops did not run just before the last round of the clock: evidence of that time is still coming in."""
        self._ticks = 0
        """Rounds of the clock since every source has reported once."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.server: Server | None = None
        self.running: asyncio.Task[None]
        self.caught_up: Callable[[], Awaitable[None]] = _at_once
        """Waits until the sources have told all that they know of the agents seen so far."""
        self.on_panes: Callable[[Book], None] = lambda _: None
        """Called when panes changed, so that sources which follow processes know their pids."""
        self.expect: Callable[[Role, str], None] = lambda _role, _text: None
        """Called with a line that is about to be typed for an agent, so that sources look out for its proof."""
        self.on_handoff: Callable[[HandoffChanged], None] = lambda _: None
        """Called when the book has taken the handoff file's new truth."""
        self.on_round: Callable[[Snapshot], None] = lambda _: None
        """Called after each round of the clock that was gone through to its end."""
        self.around: Callable[[], str] = lambda: ""
        """Says at which agent's hands this process is; empty = no agent's."""
        self.acts = Acting(self)
        self.trail = Trail(memory, self.spawn)
        self.announcer = Announcer(self)
        self.deliverer = Deliverer(self)
        self.restarter = Restarter(self)
        self.growing = Growing(self)
        self.spiking = Spiking(self)
        self.budgeting = Budgeting(self)
        self.proving = Proving(self)
        self.costing = Costing(self)
        self.retaining = Retaining(self)
        self.paging = Paging(self)
        self.bounding = Bounding(self)
        self.auditing = Auditing(self)
        self.watching = Watching(self)
        self.reporting = Reporting(self)
        self.trail.on_adopted = self.announcer.adopt
        self.trail.on_rewritten = self.announcer.carry
        memory.load(self.book)
        self.trail.load(self.book)
        parts = (
            self.deliverer, self.restarter, self.growing, self.spiking, self.budgeting,
            self.proving, self.bounding, self.auditing,
        )  # fmt: skip
        self.judging = (*parts, self.paging)
        self._parts = (*parts, self.costing, self.watching)
        for part in (*self._parts, self.paging):
            part.load(self.book)
        self.book.know_left(memory.ask(self.book, memory.launches.all) or {})  # whom nobody has stopped is known now

    # in

    def emit(self, event: Event) -> None:
        """Take an event, from any thread, at once."""
        if threading.get_ident() == self._thread:
            self._put(event)
        else:
            try:
                self._loop.call_soon_threadsafe(self._put, event)
            except RuntimeError:  # the loop is closed: a watcher's last word after the end
                return

    def _put(self, event: Event) -> None:
        self._queue.append(event)
        if isinstance(event, Ticked):
            # What is looked at as the clock ticks is told a few milliseconds later: one round for all of it.
            self._ticked = self._loop.call_later(PUBLISH_S / 2, self._wake.set)
        else:
            self._wake.set()

    async def next_round(self) -> None:
        """Return when all that has come by now was taken."""
        self._wake.set()
        await self.round_over()

    async def round_over(self) -> None:
        """Return when a round is over; one comes at least once a second."""
        self._passed.clear()
        await self._passed.wait()

    def say_ready(self) -> None:
        """Every source has reported once."""
        self._ready = True
        self.wake()

    def begin_running(self) -> asyncio.Task[None]:
        """Start the loop; ``running`` is its task from now on."""
        self.running = asyncio.create_task(self._run(), name="supervisor")
        return self.running

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                # Before the round, not after it: a snapshot shows all that was there when it went out.
                await asyncio.sleep(max(0.0, self._published + PUBLISH_S - self._loop.time()))
                self._wake.clear()
                if self._ticked is not None:
                    self._ticked.cancel()
                ticked = self._round()
                self._passed.set()
                self._send_snapshot(ticked=ticked)
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _send_snapshot(self, *, ticked: bool) -> None:
        self._published, snapshot = self._loop.time(), self.snapshot()
        self._publish(snapshot)
        if ticked:
            self.on_round(snapshot)
        if self._ready:
            self.shown.set()

    def snapshot(self) -> Snapshot:
        """Return the book as it is now."""
        return view(
            self.book,
            next(self._revisions),
            ready=self._ready,
            budgets=self.budgeting.lines(),
            boundaries=self.bounding.views,
            violations=self.auditing.shown,
        )

    def _round(self) -> bool:
        """Take all events that are there, then ask the rules; return whether it was a round of the clock."""
        counts = panes = False
        ticked = sum(isinstance(event, Ticked) for event in self._queue)
        self._ticks += ticked if self._ready else 0
        while self._queue:
            event = self._queue.popleft()
            self.book.stamp = max(self.book.stamp, event.stamp)
            if isinstance(event, Ticked):
                counts = counts or not event.gap_s
                self.gapped = bool(event.gap_s)
            panes = panes or isinstance(event, PanesSeen | PaneDied)
            self._take(event)
            for part in self._parts:
                part.see(self.book, event)
            self.retaining.see(event)
        if panes:
            self.on_panes(self.book)
        self.costing.go_on(self.book)
        self._judge()
        if self.settled():
            if self.book.supervisor.acting and not self.gapped:
                self.budgeting.go_on(self.book, counts=counts)  # before anything that would be refused
                kept = [(page, page.keeping) for page in self.book.agents.values()]
                self.announcer.go_on(self.book, counts=counts)
                self.restarter.go_on(self.book, counts=counts)
                self.deliverer.go_on(self.book, counts=counts)
                if any(page.keeping is not before for page, before in kept):
                    self._judge()  # what was just decided about an agent is shown at once
                if counts:
                    self.reporting.go_on(self.book)
            if not self.memory.follow(self.book):
                judge_all(self)
        return ticked > 0

    def _judge(self) -> None:
        """Judge the agents of which something is new, and tell of those whose state changed."""
        changed = self.book.judge_news(self.book.stamp.now)
        if not self._ready:
            return  # before the best evidence is in, what weaker one says of an agent is not worth a line
        known = [page for page in self.book.agents.values() if self.memory.is_news(page)]
        for page in changed if self._told else known:
            self.memory.state_changed(self.book, page)
        self._told = True

    def settled(self) -> bool:
        """Return whether enough is known to judge: what nobody looked at yet must end no alert of an earlier life."""
        if not self.book.supervisor.acting:
            return self._ready
        return self._ticks >= SETTLE_TICKS

    def _take(self, event: Event) -> None:
        """Take one event: what must be remembered goes to the ledger, what is known to the book."""
        match event:
            case Ticked():
                if self.book.tick(event):
                    self.memory.turn_day(self.book)
                self.memory.tick(self.book)
                self.memory.sessions(self.book, event.stamp.wall)
                self.trail.tick(self.book)
                if event.gap_s:
                    self._note("source", f"teamops did not run for {event.gap_s:.0f} s; deadlines are re-armed")
            case HandoffChanged():
                self._see_handoff(event)
            case HandoffLost():
                self.trail.miss(self.book)
                self.book.take(event)
            case BeatsSeen():
                self.memory.beats(self.book, event)
                self.book.take(event)
            case UsageSeen():
                self.memory.usage(self.book, event)
                self.book.take(event)
            case ActionFinished():
                self.acts.finish(event)
            case _:
                self.book.take(event)

    def _see_handoff(self, event: HandoffChanged) -> None:
        first = self.book.handoff.size == 0 and not self.book.lights
        open_before = self.book.lights
        self.trail.refresh(self.book)  # a person's block has its record before it is in the file
        for fresh in self.book.see_handoff(event, first=first):
            since = self.memory.light_seen(self.book, fresh, event.mtime if first else event.stamp.wall)
            if since != fresh.since_wall:
                self.book.date_light(fresh, since)
        for key in open_before.keys() - self.book.lights.keys():
            task = self.book.protocol.task(open_before[key].task)
            if task is not None and not task.open:
                self.memory.task_closed(self.book, task)
        self.on_handoff(event)
        self.trail.see(self.book, event)
        if not event.appended and not first:
            self._note("turn", "the handoff file was rewritten: all of it was read again")

    # out

    def wish(self, intent: Intent) -> asyncio.Future[Outcome]:
        """Begin what the person wants; the future gives its outcome."""
        from teamops.supervisor import wishes

        return wishes.wish(self, intent)

    def wake(self) -> None:
        """Let a round begin: something has changed."""
        self.book.news = True
        self._wake.set()

    async def announce(self, task: str | None) -> Outcome | None:
        """Tell the holder of a task's light of it, at once; ``None`` where there is nothing to announce."""
        return await self.announcer.announce_now(task)

    def _note(self, kind: str, text: str) -> None:
        self.book.note(LogLine(self.book.stamp.wall, kind, text))

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run ``work`` beside the loop; it ends with it."""
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Say that work beside the loop has failed: nobody waits for it who would see."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            said = f"ended by a defect: {type(error).__name__}: {error}"
            self.emit(SourceTroubled(self.stamp(), task.get_name(), said, "start teamops again; please report it"))

    def time(self) -> float:
        """Return the seconds of the loop's own clock, which runs on while a test's clock stands."""
        return self._loop.time()

    def stamp(self) -> Stamp:
        """Return this moment."""
        return self._clock.stamp()


async def _at_once() -> None:
    """Wait for nothing."""
