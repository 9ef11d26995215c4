"""The times that an agent ran away, in lines: how much over its usual, what it cost, how it went."""

from __future__ import annotations

from typing import Final

from teamops.model.agent import AgentView
from teamops.model.agent_report import SpikeRecord
from teamops.tui import words
from teamops.tui.agent_words import moment
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

BEFORE_S: Final = 600.0
"""So long before a spike its trace begins."""
CYCLE_S: Final = 10.0
"""What one sample of a trace stands for."""
WIDEST: Final = 60
"""Cells of a trace: with more, one cell would be less than a sample."""


def present_lines(agent: AgentView, palette: Palette) -> list[Line]:
    """Return what is known of a spike that lasts, and what the plain rules say."""
    lines = []
    if agent.spike is not None:
        spike = agent.spike
        figures = f"{spike.why}; {words.count(spike.tokens)} tokens, {words.money(spike.cost_usd)} in it so far"
        lines.append(Line(hang=4).add("  ⇈ ", palette.bad).add(figures, palette.text))
    if agent.badges:
        said = f"{', '.join(agent.badges)}: more than the plain rules allow"
        lines.append(Line(hang=4).add(f"  {words.BADGE} ", palette.warn).add(said, palette.text))
    return lines


def standing(record: SpikeRecord, now: float) -> tuple[str, str, str]:
    """Return a spike's symbol, its palette role, and how long it lasted or lasts. ``now``: Unix seconds."""
    if record.ended_wall is None:
        return "⇈", "bad", f"lasts {words.age(now - record.began_wall)}"
    return "✓", "dim", f"over in {words.age(record.ended_wall - record.began_wall)}"


def spent(record: SpikeRecord) -> str:
    """Return what was used in it."""
    return f"{words.count(record.tokens)} tokens, {words.money(record.cost_usd)} in it"


def course(record: SpikeRecord, now: float, width: int) -> tuple[list[int], int]:
    """Return the tokens of its trace in ``width`` equal spans, and in which of them it began."""
    start, end = record.began_wall - BEFORE_S, record.ended_wall or max(now, record.began_wall)
    span = end - start
    spans = [0] * width
    for wall, tokens in record.trace:
        place = int((wall - CYCLE_S / 2 - start) * width // span)
        spans[min(width - 1, max(0, place))] += tokens
    return spans, min(width - 1, int(BEFORE_S * width // span))


def course_lines(record: SpikeRecord, now: float, width: int, palette: Palette) -> list[Line]:
    """Return its trace drawn over the ten minutes before and its length, with the times of both ends and of its start.

    ``now``: Unix seconds.
    """
    room = max(20, min(WIDEST, width))
    spans, began = course(record, now, room)
    end = record.ended_wall or max(now, record.began_wall)
    rule, names = ["─"] * room, [" "] * room
    rule[began] = "┬"
    label = f"began {moment(record.began_wall, now)}"
    at = max(0, min(began, room - len(label)))
    names[at : at + len(label)] = label
    until = "now" if record.ended_wall is None else moment(end, now)
    start = record.began_wall - BEFORE_S
    told = f"{moment(start, now)} to {until}; a cell is {(end - start) / room:.0f} s"
    return [
        Line().add(words.spark(spans, room), palette.tokens),
        Line().add("".join(rule), palette.dim),
        Line().add("".join(names), palette.dim),
        Line().add(told, palette.faint),
    ]
