"""An agent as one line of a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from teamops.model.agent import AgentView
from teamops.tui import boundary_words, words
from teamops.tui.strips import Align, Line
from teamops.tui.theme import Palette

Cell = tuple[str, str]
"""Text and palette role."""


class Column(Struct, frozen=True):
    """A column: what stands in its head and in its cells."""

    title: str
    least: int
    """Cells it needs."""
    most: int
    """Cells it can use."""
    want: int
    """0: always there; otherwise it is left out, highest first, where the room is short."""
    align: Align
    cell: Callable[[AgentView, int], Cell]


def _who(agent: AgentView, width: int) -> Cell:
    role = agent.role
    return (f"{role} {agent.name}" if agent.name and width > len(role) + 2 else role), "strong"


def _state(agent: AgentView, width: int) -> Cell:
    symbol, style = words.STATES[agent.state]
    text = f"{symbol} {words.state_words(agent)}"
    badges = words.badges(agent)
    if badges:
        text += f" {badges}" if len(text) + len(badges) < width else f" {words.BADGE}"
    refused = boundary_words.blocked(agent)
    if refused and len(text) + len(refused) >= width:
        refused = boundary_words.REFUSED
    room = width - len(refused) - bool(refused)
    text = text if len(text) <= room else text.replace("(signal ", "(sig ")
    if refused:  # its sign stays, whatever has to be cut for it
        text = f"{text if len(text) <= room else text[: room - 1] + '…'} {refused}"
    return text, style


def _beat(agent: AgentView, _width: int) -> Cell:
    return words.age(agent.beat_age_s), "text" if agent.beat_age_s is not None else "faint"


def _rate(agent: AgentView, _width: int) -> Cell:
    return (words.count(agent.tokens_per_min), "text") if agent.tokens_per_min else (words.NOTHING, "faint")


def _cost(agent: AgentView, _width: int) -> Cell:
    text = words.money(agent.cost_today_usd, agent.unpriced_tokens)
    return text, "faint" if text == words.NOTHING else "warn" if "?" in text else "text"


def _restarts(agent: AgentView, _width: int) -> Cell:
    return (str(agent.restarts), "warn") if agent.restarts else (words.NOTHING, "faint")


COLUMNS: tuple[Column, ...] = (
    Column("agent", 18, 22, 0, "left", _who),
    Column("state", 17, 26, 0, "left", _state),
    Column("evidence", 8, 12, 4, "left", lambda agent, _: (words.evidence(agent), "dim")),
    Column("beat", 4, 5, 0, "right", _beat),
    Column("beats, last hour", 20, 60, 6, "left", lambda agent, w: (words.spark(agent.beats, w, peak=True), "beats")),
    Column("tpm", 4, 5, 0, "right", _rate),
    Column("trend", 5, 30, 1, "left", lambda agent, width: (words.spark(agent.tokens, width), "tokens")),
    Column("today", 7, 9, 0, "right", _cost),
    Column("rss", 4, 5, 2, "right", lambda agent, _: (words.size(agent.rss_bytes), "dim")),
    Column("↻", 2, 2, 3, "right", _restarts),
    Column("last said", 18, 60, 5, "left", lambda agent, _: (agent.message, "dim")),
)
_MARKS = 3
"""Cells before the first column: cursor, turn, a blank."""


@lru_cache(maxsize=16)
def columns(width: int) -> tuple[tuple[Column, int], ...]:
    """Return the columns that fit into ``width`` cells, each with its own width."""
    chosen = list(COLUMNS)
    while _least(chosen) > width and any(column.want for column in chosen):
        chosen.remove(max(chosen, key=lambda column: column.want))
    spare = max(0, width - _least(chosen))
    widths = {column.title: column.least for column in chosen}
    for column in sorted(chosen, key=lambda column: column.want):
        # The strips share what is left once the words have all they can use.
        share = spare if not column.want else spare // 2
        more = min(share, column.most - column.least)
        widths[column.title] += more
        spare -= more
    return tuple((column, widths[column.title]) for column in chosen)


def _least(chosen: list[Column]) -> int:
    return _MARKS + sum(column.least for column in chosen) + len(chosen) - 1


def draw_head(chosen: tuple[tuple[Column, int], ...], palette: Palette) -> Line:
    """Return the names of the columns."""
    line = Line().add(" " * _MARKS)
    for place, (column, width) in enumerate(chosen):
        line.add(" " if place else "").add(column.title, palette.faint, width, column.align)
    return line


def draw_row(agent: AgentView, chosen: tuple[tuple[Column, int], ...], palette: Palette, *, under_cursor: bool) -> Line:
    """Return one agent's line: cursor, turn, columns."""
    line = Line().add(words.CURSOR if under_cursor else " ", palette.accent)
    line.add("▶ " if agent.lights else "  ", palette.accent)
    for place, (column, width) in enumerate(chosen):
        text, style = column.cell(agent, width)
        line.add(" " if place else "").add(text, palette.named(style), width, column.align)
    return line
