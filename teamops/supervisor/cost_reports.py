"""What is asked of the supervisor of costs: sums by span, agent, model and task, the burn rate, the last runaways.

Read in a thread, by a connection of its own, as of one moment: no round of the supervisor waits for it.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.domain.burn import burn
from teamops.domain.days import HOUR_S, day_edges, hour_edges
from teamops.domain.replay import spike_at
from teamops.domain.spend_by_light import Held, Lights, Segment
from teamops.ledger.peek import Look, look_into
from teamops.ledger.spent import Spent, SpentRow, spend_of
from teamops.ledger.spent_sums import Sums
from teamops.model.agent_report import SpikeRecord
from teamops.model.budget import TEAM
from teamops.model.cost_report import CostReport, Period, Share
from teamops.model.role import Role
from teamops.model.spend import Spend
from teamops.supervisor.costing import Known

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

DAYS, WEEK = 30, 7
LAST = 50
"""So many runaways are told; the ledger has all."""

Window = tuple[Spend, Spend, Spend]
"""Today, seven days, thirty days."""
NOTHING: Window = (Spend(), Spend(), Spend())


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Whose days are meant, and what one may cost."""

    timezone: str = ""
    """IANA name; empty = the system's."""
    day_usd: Decimal | None = None

    @property
    def zone(self) -> tzinfo | None:
        """The timezone; ``None`` = the system's."""
        if not self.timezone:
            return None
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timezone)


def terms_of(core: Core) -> Terms:
    """Return the terms of a project: its budgets' days, and what its team may spend today."""
    team = next((line for line in core.budgeting.lines() if line.scope == TEAM), None)
    return Terms(timezone=core.book.settings.timezone, day_usd=team.day_limit_usd if team is not None else None)


async def cost_report(core: Core) -> CostReport:
    """Return what the project's agents cost. Raises ``LedgerError`` where the ledger can't be read."""
    memory = core.memory
    known, unstored = core.costing.known(), tuple(memory.responses.unstored)
    terms = terms_of(core)
    return await asyncio.to_thread(read_costs, memory.path, known, unstored, core.book.stamp.wall, terms)


def read_costs(
    path: Path, known: Known, unstored: Sequence[SpentRow], wall: float, terms: Terms, until: float = math.inf
) -> CostReport:
    """Return what the ledger at ``path`` and ``unstored`` tell. Blocks; raises ``LedgerError``.

    ``until``: what was used after that is left out, as nobody knew of it at ``wall``.
    """
    days = day_edges(wall, terms.zone, DAYS)
    hours = hour_edges(days[-2], wall)
    facts = _Facts(wall, days, hours, until)
    with look_into(path) as look:
        if look is not None:
            with look.sums.still():
                facts.read(look, known)
    facts.add(unstored, known.lights)
    today, week, month = whole = facts.windows(lambda _: "")[""]
    return CostReport(
        wall=wall,
        timezone=terms.timezone,
        day_since_wall=days[-2],
        day_until_wall=days[-1],
        today=today,
        week=week,
        month=month,
        burn=burn(
            wall=wall,
            day=(days[-2], days[-1]),
            first_wall=facts.first_wall,
            today_usd=today.cost_usd,
            hour_usd=facts.hour_usd,
            limit_usd=terms.day_usd,
        ),
        agents=_shares(facts.windows(lambda key: str(key[0]))),
        models=_shares(facts.windows(lambda key: key[1])),
        tasks=_shares(facts.task_windows(whole)),
        hours=_periods(hours, facts.hours),
        days=_periods(days, facts.days),
        spikes=facts.spikes,
    )


class _Facts:
    """What was read so far."""

    def __init__(self, wall: float, days: Sequence[float], hours: Sequence[float], until: float) -> None:
        self._wall, self._until = wall, until
        self._day_edges, self._hour_edges = days, hours
        self._starts = (days[-2], days[-1 - WEEK], days[0])
        self.days: list[Sums] = [{} for _ in days[1:]]
        self.hours: list[Sums] = [{} for _ in hours[1:]]
        self.hour_usd = Decimal(0)
        """Of the last 60 minutes."""
        self.first_wall: float | None = None
        self.spikes: tuple[SpikeRecord, ...] = ()
        self._tasks: dict[str, tuple[str, Window]] = {}
        """By name, lower case: its name, and what was used under its lights."""

    def read(self, look: Look, known: Known) -> None:
        """Take what the ledger tells."""
        self.days = look.sums.spans(self._day_edges)
        self.hours = look.sums.spans(self._hour_edges)
        if self._until < math.inf:
            self._leave_out(look)
        first = look.sums.first_wall()
        self.first_wall = first if first is not None and first <= self._until else None
        since, ends = self._wall - HOUR_S, math.nextafter(self._until, math.inf)
        self.hour_usd = sum((look.spent.sum(role, since, ends).cost_usd for role in look.spent.roles()), Decimal(0))
        self.spikes = tuple(spike_at(one, self._until) for one in look.spikes.last(LAST, self._until))
        self._read_tasks(look.spent, known)

    def _leave_out(self, look: Look) -> None:
        """Take back what came after ``until`` within the spans."""
        for wall, key, spend in look.sums.later(self._until, self._day_edges[-1]):
            for edges, sums in ((self._day_edges, self.days), (self._hour_edges, self.hours)):
                place = bisect_right(edges, wall) - 1
                if 0 <= place < len(sums):
                    sums[place][key] -= spend

    def _read_tasks(self, spent: Spent, known: Known) -> None:
        """Take what was used under lights: whole ones as they are summed up already, as far as nothing came since."""
        last, priced = spent.mark()
        sums = dict(known.sums) if priced == known.mark[1] else {}
        if sums:
            for row in spent.after(known.mark[0], last):
                segment = known.lights.segment_at(row.role, row.wall)
                if segment in sums:
                    sums[segment] += row.spend
        for role in known.lights.roles:
            for segment in known.lights.segments(role):
                if segment.held is not None and segment.until_wall > self._starts[-1]:
                    parts = [self._within(spent, segment, sums, start) for start in self._starts]
                    self._add_task(segment.held, (parts[0], parts[1], parts[2]))

    def _within(self, spent: Spent, segment: Segment, sums: dict[Segment, Spend], start: float) -> Spend:
        """Return what was used in a segment from ``start`` on."""
        if segment.until_wall <= start:
            return Spend()
        if segment.since_wall >= start and segment in sums:
            return sums[segment]
        ends = min(segment.until_wall, math.nextafter(self._until, math.inf))
        return spent.sum(segment.role, max(start, segment.since_wall), ends)

    def add(self, rows: Sequence[SpentRow], lights: Lights) -> None:
        """Take rows that no ledger has."""
        for row in rows:
            wall, spend = row.usage.wall, spend_of(row.usage.tokens, row.cost_usd)
            self.first_wall = wall if self.first_wall is None else min(self.first_wall, wall)
            self.hour_usd += spend.cost_usd if wall >= self._wall - HOUR_S else 0
            key = row.role, row.usage.model
            for edges, sums in ((self._day_edges, self.days), (self._hour_edges, self.hours)):
                place = bisect_right(edges, wall) - 1
                if 0 <= place < len(sums):
                    sums[place][key] = sums[place].get(key, Spend()) + spend
            held = lights.at(row.role, wall)
            if held is not None and self._day_edges[0] <= wall < self._day_edges[-1]:
                today, week, month = (spend if wall >= start else Spend() for start in self._starts)
                self._add_task(held, (today, week, month))

    def _add_task(self, held: Held, part: Window) -> None:
        if part[-1].responses:
            name = held.task or ""
            name, known = self._tasks.get(name.lower(), (name, NOTHING))
            self._tasks[name.lower()] = name, _sum(known, part)

    def windows(self, name: Callable[[tuple[Role, str]], str]) -> dict[str | None, Window]:
        """Return what was used today, in seven and in thirty days, by ``name`` of agent and model."""
        found: dict[str | None, Window] = {"": NOTHING} if not any(self.days) else {}
        for back, sums in enumerate(reversed(self.days)):
            for key, spend in sums.items():
                part = (spend if back < 1 else Spend(), spend if back < WEEK else Spend(), spend)
                found[name(key)] = _sum(found.get(name(key), NOTHING), part)
        return found

    def task_windows(self, whole: Window) -> dict[str | None, Window]:
        """Return what was used under each task's lights, and under none of them."""
        found: dict[str | None, Window] = dict(self._tasks.values())
        under = NOTHING
        for part in found.values():
            under = _sum(under, part)
        found[None] = (whole[0] - under[0], whole[1] - under[1], whole[2] - under[2])
        return found


def _sum(one: Window, other: Window) -> Window:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _shares(windows: Mapping[str | None, Window]) -> tuple[Share, ...]:
    """Return what was used, the dearest first; what has no name of its own comes last."""
    shares = [Share(name, *window) for name, window in windows.items() if window[-1].responses]
    return tuple(
        sorted(shares, key=lambda one: (one.name is None, -one.month.cost_usd, -one.month.tokens.total, one.name or ""))
    )


def _periods(edges: Sequence[float], parts: Sequence[Sums]) -> tuple[Period, ...]:
    return tuple(
        Period(since, until, sum(sums.values(), Spend()))
        for (since, until), sums in zip(pairwise(edges), parts, strict=True)
    )
