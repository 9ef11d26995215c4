"""Costs and traces as plots in lines of text, drawn by plotext. Imported where the first one is drawn, in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textual_plotext.plot import Plot

from teamops.model.agent_report import SpikeRecord
from teamops.model.cost_report import CostReport, Period
from teamops.tui import words
from teamops.tui.agent_words import moment
from teamops.tui.spike_lines import BEFORE_S, CYCLE_S, course
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

NARROWEST, LOWEST = 24, 6
"""Cells and lines; in less there is no room for a plot."""
_BARS: Final = frozenset("▐█▌▗▄▖▝▀▘▙▟▛▜▚▞")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What a plot of bars shows: all that decides how it is drawn."""

    title: str
    values: tuple[float, ...]
    ticks: Mapping[int, str]
    """What stands under some of the bars, by their places from 0 on."""
    unit: str = "$"
    """Stands before the numbers at the left."""
    limit: float | None = None
    """Where a line is drawn across."""

    def __hash__(self) -> int:
        return hash((self.title, self.values, tuple(self.ticks.items()), self.unit, self.limit))


def bars_of(report: CostReport, days: int) -> Bars:
    """Return what is plotted of costs: the hours of today, or the last ``days`` days."""
    burn = report.burn
    if days == 1:
        periods, title = report.hours, "$ per hour, today"
        step = 1 if len(periods) <= 8 else 3
        ticks = {
            place: f"{report.local(one.since_wall):%H:%M}" for place, one in enumerate(periods) if not place % step
        }
        return Bars(title=title, values=_values(periods), ticks=ticks)
    periods, title = report.days[-days:], f"$ per day, {days} days"
    step = max(1, days // 5)
    last = len(periods) - 1
    ticks = {
        place: "today" if place == last else f"{report.local(one.since_wall):%d %b}"
        for place, one in enumerate(periods)
        if not (last - place) % step
    }
    values = _values(periods)
    limit = None if burn.limit_usd is None else float(burn.limit_usd)
    if limit is not None and limit <= 2 * max(values, default=0.0):
        return Bars(title=f"{title}; the line is a day's budget", values=values, ticks=ticks, limit=limit)
    return Bars(title=title, values=values, ticks=ticks)


def trace_of(record: SpikeRecord, now: float, width: int) -> Bars:
    """Return what is plotted of a runaway: its tokens per minute, over the ten minutes before it and its length.

    ``now``: Unix seconds. ``width``: cells for the plot.
    """
    start, end = record.began_wall - BEFORE_S, record.ended_wall or max(now, record.began_wall)
    # A bar of less than two samples would say more of where they fell than of what was used.
    room = max(10, min(width - 10, int((end - start) / (2 * CYCLE_S))))
    spans, began = course(record, now, room)
    minutes = (end - start) / room / 60
    until = "now" if record.ended_wall is None else moment(end, now)
    ticks = {0: moment(start, now), began: "began", room - 1: until}
    values = tuple(tokens / minutes for tokens in spans)
    title = "tokens per minute; the line is the limit"
    return Bars(title=title, values=values, ticks=ticks, unit="", limit=float(record.threshold))


def _values(periods: Sequence[Period]) -> tuple[float, ...]:
    return tuple(float(one.spend.cost_usd) for one in periods)


def draw(bars: Bars, width: int, height: int, palette: Palette) -> list[Line]:
    """Return a plot in ``width`` cells and ``height`` lines. Takes some milliseconds: call it in a thread."""
    if width < NARROWEST or height < LOWEST:
        return [Line().add("There is no room for a plot here.", palette.dim)]
    plot = Plot()
    plot.theme("clear")  # colours are the palette's
    plot.plotsize(width, height - 1)
    plot._set_size(width, height - 1)  # noqa: SLF001 - plotsize alone keeps to the terminal's own size
    places = list(range(1, len(bars.values) + 1))
    plot.bar(places, list(bars.values), width=0.7 if len(places) < 40 else 1, marker="hd")
    top = max(*bars.values, bars.limit or 0.0, 1e-9) if bars.values else 1.0
    plot.ylim(0, top)
    plot.yticks([0, top / 2, top], [_number(share * top, bars.unit) for share in (0, 0.5, 1)])
    plot.xticks([place + 1 for place in bars.ticks], list(bars.ticks.values()))
    plot.xaxes(lower=True, upper=False)
    plot.yaxes(left=True, right=False)
    if bars.limit is not None:
        plot.hline(bars.limit)
    return [Line().add(bars.title, palette.accent), *(_styled(text, palette) for text in _plain(plot.build()))]


def _number(value: float, unit: str) -> str:
    if unit:
        return f"{unit}{value:.2f}" if value < 100 else f"{unit}{value:,.0f}"
    return words.count(round(value))


def _plain(built: str) -> list[str]:
    return [line.replace("\x1b[0m", "").rstrip() for line in built.rstrip("\n").split("\n")]


def _styled(text: str, palette: Palette) -> Line:
    line, run, bar = Line(), "", False
    for sign in text:
        if (sign in _BARS) is not bar:
            line.add(run, palette.cost if bar else palette.dim)
            run, bar = "", sign in _BARS
        run += sign
    return line.add(run, palette.cost if bar else palette.dim)
