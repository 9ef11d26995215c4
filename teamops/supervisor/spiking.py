"""The agents' use of tokens and tools: who runs away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain import hooks, spike_alerts, spikes
from teamops.domain.hooks import Told
from teamops.domain.spike_memory import forget_older, from_kept, to_keep
from teamops.domain.spikes import NOTHING_USED, Sample, State, Verdict
from teamops.domain.usual import CYCLE_S
from teamops.model.agent import Beat, BeatKind, SpikeView
from teamops.model.agent_report import SpikeRecord
from teamops.model.alert import Finding
from teamops.model.events import BeatsSeen, Event, Ticked, UsageSeen
from teamops.model.role import Role
from teamops.model.usage import Usage
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

NO_SAMPLE = Sample()
BEFORE_S = 600.0
"""So long before a spike its trace begins."""
MOST_TRACE = 1000
LATE_S = 900.0
"""A response that is told so long after its own time is history: an older session was resumed."""


@dataclass(slots=True)
class _Page:
    """What is known of one agent's use."""

    state: State = field(default_factory=State)
    verdict: Verdict | None = None
    pending: Sample = field(default_factory=Sample)
    """What came since the last round of the clock."""
    beat_at: float | None = None
    """Its last beat of its own, observed seconds."""
    trace: list[tuple[float, int]] = field(default_factory=list)
    """(end of 10 s, tokens), oldest first."""
    began_wall: float = 0.0
    """When the spike that lasts began."""
    told: int = 0
    """The rate that the alert names. It follows by doublings: one alert, not one a second."""
    new: bool = False
    """There is something that the ledger doesn't have."""


class Spiking:
    """Judges each agent's use once a second. Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._pages: dict[Role, _Page] = {}
        self._deaf_wall = 0.0
        """What is older was used while nobody looked."""
        self._minute = 0

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored."""
        stored, stamp = self._core.memory.spikes, book.stamp
        self._deaf_wall = stamp.wall
        for role, kept in (self._core.memory.ask(book, stored.kept) or {}).items():
            page = self._pages[role] = _Page(state=from_kept(kept, stamp))
            spike = page.state.spike
            if spike is not None:
                page.began_wall = stamp.wall - (stamp.now - spike.began)
                page.told = spike.peak
        for record in self._core.memory.ask(book, stored.open_ones) or ():
            page = self._pages.setdefault(record.role, _Page())
            if page.state.spike is not None:
                page.began_wall, page.trace = record.began_wall, list(record.trace)
            elif book.supervisor.acting:
                over = replace(record, ended_wall=max(record.began_wall, stamp.wall))
                self._core.memory.store(book, partial(stored.save, over))

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""
        match event:
            case UsageSeen() if event.live:
                self._see_usage(event)
            case BeatsSeen():
                for beat in event.beats:
                    self._see_beat(book, beat, event.stamp.now)
            case Ticked():
                self._tick(book, event)

    def _see_usage(self, seen: UsageSeen) -> None:
        self._add_usages(self._pages.setdefault(seen.role, _Page()), seen.usages)

    def _add_usages(self, page: _Page, usages: Sequence[Usage]) -> None:
        """Take what responses used; what a log takes back to tell it again elsewhere counts once."""
        responses: dict[str, int] = {}
        cost = NOTHING_USED
        for number, usage in enumerate(usages):
            if usage.wall > max(self._deaf_wall, self._core.book.stamp.wall - LATE_S):
                key = usage.key or str(number)
                responses[key] = responses.get(key, 0) + usage.tokens.input + usage.tokens.output
                cost += self._core.memory.price(usage)
        tokens = sum(used for used in responses.values() if used > 0)
        if tokens:
            _add(page, Sample(tokens=tokens, largest=max(responses.values()), cost=max(NOTHING_USED, cost)))

    def _see_beat(self, book: Book, beat: Beat, now: float) -> None:
        page = self._pages.setdefault(beat.role, _Page())
        if beat.kind is BeatKind.HOOK:
            called = int(hooks.told(beat.hook, beat.detail) is Told.TOOL)
            if beat.wall > self._deaf_wall:
                _add(page, Sample(tool_calls=called))
            return
        last, page.beat_at = page.beat_at, now
        if beat.wall <= self._deaf_wall:
            return
        agent = book.agent(beat.role)
        # A beat after a long rest tells of its own interval, not of the rest.
        most = agent.interval_s or book.settings.limits.beat_interval_s
        counts = not agent.has_transcript  # which would count them again
        span = min(now - last, most) if counts and last is not None else 0.0
        tokens = beat.own_tokens if counts else 0
        cost = beat.own_cost_usd if counts else NOTHING_USED
        self._add_usages(page, beat.usages)
        _add(page, Sample(tokens=tokens, largest=tokens, cost=cost, tool_calls=beat.tool_calls, span_s=span))

    def _tick(self, book: Book, event: Ticked) -> None:
        minute = int(event.stamp.wall // 60)
        ends, self._minute = bool(self._minute) and minute != self._minute, minute
        if event.gap_s:
            self._deaf_wall = event.stamp.wall
        for role, page in self._pages.items():
            self._step(book, role, page, gap=bool(event.gap_s))
            if ends and page.new:
                self._keep(book, role, page)

    def _step(self, book: Book, role: Role, page: _Page, *, gap: bool) -> None:
        sample, page.pending = page.pending, NO_SAMPLE
        agent, stamp = book.agent(role), book.stamp
        known = page.state
        busy = known.spike is not None or known.badges or known.used or known.cycle_began is not None
        if not (gap or busy or sample.tokens or sample.tool_calls):
            return
        shutting_down = agent.shutdown_until is not None and stamp.now < agent.shutdown_until
        if gap or shutting_down:
            sample = replace(sample, gap=gap, shutting_down=shutting_down)
        if not gap:
            _draw(page, sample.tokens, stamp.wall)
        before = page.state.spike
        page.state, page.verdict = spikes.step(page.state, sample, stamp.now, book.settings.spike_of(role))
        page.new = True
        spike, seen = page.state.spike, page.verdict
        if spike is not None and before is None:
            page.began_wall, page.told = stamp.wall, seen.rate
        elif spike is not None and seen.rate >= 2 * page.told:
            page.told = seen.rate
        if before is not None and spike is None:
            agent.spike = None
            self._record(book, role, page, replace(before, peak=max(before.peak, seen.rate)), ended=stamp.wall)
        elif spike is not None:
            agent.spike = _view(page, spike, seen.rate)
        if agent.badges or seen.badges:
            agent.badges = tuple(badge.word for badge in seen.badges)
        if (before is None) != (spike is None):
            self._keep(book, role, page)

    def _keep(self, book: Book, role: Role, page: _Page) -> None:
        """Store what is usual, and the spike that lasts."""
        page.new = False
        page.state = forget_older(page.state, book.stamp.now)
        if not book.supervisor.acting:
            return
        memory, wall, kept = self._core.memory, book.stamp.wall, to_keep(page.state, book.stamp)
        memory.store(book, lambda: memory.spikes.keep(role, kept, wall))
        if page.state.spike is not None:
            self._record(book, role, page, page.state.spike)

    def _record(self, book: Book, role: Role, page: _Page, spike: spikes.Spike, *, ended: float | None = None) -> None:
        if not book.supervisor.acting:
            return
        record = SpikeRecord(
            id=0,
            role=role,
            began_wall=page.began_wall,
            ended_wall=ended,
            peak=spike.peak,
            usual=spike.usual,
            threshold=spike.limit,
            tokens=spike.tokens,
            cost_usd=spike.cost,
            why=spike_alerts.words(spike, spike.peak),
            trace=tuple(page.trace),
        )
        self._core.memory.store(book, partial(self._core.memory.spikes.save, record))

    def firing_since(self, role: Role) -> float | None:
        """Return since when an agent runs away, observed seconds; ``None`` = it doesn't."""
        page = self._pages.get(role)
        return None if page is None or page.state.spike is None else page.state.spike.began

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now. A viewer calls nobody."""
        if not book.supervisor.acting:
            return []
        return [
            spike_alerts.runaway_finding(role, page.state.spike, page.told, book.settings.spike_of(role).stop)
            for role, page in self._pages.items()
            if page.state.spike is not None
        ]


def _add(page: _Page, more: Sample) -> None:
    known = page.pending
    page.pending = Sample(
        tokens=known.tokens + more.tokens,
        largest=max(known.largest, more.largest),
        cost=known.cost + more.cost,
        tool_calls=known.tool_calls + more.tool_calls,
        span_s=known.span_s + more.span_s,
    )


def _draw(page: _Page, tokens: int, wall: float) -> None:
    """Put what was used into the trace, which goes back ten minutes, or to ten minutes before the spike that lasts."""
    trace = page.trace
    if tokens:
        end = (wall // CYCLE_S + 1) * CYCLE_S
        if trace and trace[-1][0] == end:
            trace[-1] = (end, trace[-1][1] + tokens)
        else:
            trace.append((end, tokens))
    if page.state.spike is None:
        while trace and trace[0][0] <= wall - BEFORE_S:
            trace.pop(0)
    elif len(trace) > MOST_TRACE:
        del trace[MOST_TRACE // 2]  # a spike of hours: its beginning and its newest part are kept


def _view(page: _Page, spike: spikes.Spike, rate: int) -> SpikeView:
    return SpikeView(
        since_wall=page.began_wall,
        rate=rate,
        peak=spike.peak,
        usual=spike.usual,
        limit=spike.limit,
        tokens=spike.tokens,
        cost_usd=spike.cost,
        why=spike_alerts.words(spike, page.told),
    )
