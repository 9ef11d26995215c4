"""What is remembered of an agent, in rows: its pokes, its restarts, its processes, its runaways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.strip import Strip

from teamops.model.agent_report import Delivery, ProcessNode, RestartRecord, SpikeRecord
from teamops.tui import agent_words, spike_lines, words
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.rows import RowView

DEEPEST: Final = 12
"""Steps that a process is indented; deeper ones are told by their number."""

BY: Final = 8
"""Cells for who decided it."""
ROOMY: Final = 78
"""From so many cells who decided a poke stands before its steps, else a line below."""


NARROWEST: Final = 12
"""Cells of a spike's trace; in fewer it says nothing."""


@dataclass(frozen=True, slots=True)
class PokeRow:
    """A poke, and its time as drawn."""

    poke: Delivery
    when: str


@dataclass(frozen=True, slots=True)
class RestartRow:
    """A restart, its time as drawn, and how many are allowed."""

    record: RestartRecord
    when: str
    of: int


@dataclass(frozen=True, slots=True)
class SpikeRow:
    """A spike, its time and its standing as drawn."""

    record: SpikeRecord
    when: str
    standing: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many processes more than are told."""

    number: int


class PokeList(RowView):
    """Pokes, newest first: how far each came and by what proof."""

    row_height = 2
    tails = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="pokes")

    def identity(self, row: object) -> object:
        """A poke is its action."""
        return row.poke.action_id if isinstance(row, PokeRow) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return stage and steps; the proof and what was typed."""
        if not isinstance(row, PokeRow):
            raise TypeError(row)
        poke, colours = row.poke, self.palette
        symbol, style = agent_words.STAGES[poke.stage]
        head = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        head.add(row.when, colours.faint, 12).add(f"{symbol} {poke.stage.value}", colours.named(style), 11)
        by, steps = agent_words.BY[poke.by], agent_words.steps(poke)
        roomy = width >= ROOMY
        if roomy:
            head.add(by, colours.dim, BY)
        head.add(steps, colours.text, max(1, width - head.width))
        line = Line().add("" if roomy else f"  {by}", colours.dim, 14)
        line.add(poke.proof_words, colours.bad if poke.refused else colours.dim)
        if poke.attempt > 1:
            line.add(f" · line {poke.attempt}", colours.warn)
        text = Line().put(line).add(f" · “{poke.text}”", colours.dim)
        base = colours.cursor if chosen else None
        return [head.strip(width, base), _cut(text, width).strip(width, base)]


class RestartList(RowView):
    """Restarts, newest first: why, after what end, how it went."""

    row_height = 2
    tails = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="restarts")

    def identity(self, row: object) -> object:
        """A restart is its action."""
        return row.record.action_id if isinstance(row, RestartRow) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return outcome and cause; who decided it, how the old process ended and what came of it."""
        if not isinstance(row, RestartRow):
            raise TypeError(row)
        record, colours = row.record, self.palette
        symbol, style = agent_words.outcome(record)
        head = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        head.add(row.when, colours.faint, 12).add(f"{symbol} {record.outcome}  ", colours.named(style))
        head.add(record.cause or words.NOTHING, colours.text, max(1, width - head.width))
        line = Line().add("", None, 14)
        line.add(f"{agent_words.BY[record.by]}, {record.attempt_words(row.of)}", colours.dim)
        line.add("  before: ", colours.faint).add(record.ending or words.NOTHING, colours.dim)
        if record.message:
            line.add("  after: ", colours.faint).add(record.message, colours.dim)
        base = colours.cursor if chosen else None
        return [head.strip(width, base), _cut(line, width).strip(width, base)]


class ProcessList(RowView):
    """What runs in its pane, children under their parents."""

    head_height = 1

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="processes")

    def identity(self, row: object) -> object:
        """A process is its pid."""
        return row.pid if isinstance(row, ProcessNode) else row

    def draw_head(self, width: int) -> list[Strip]:
        """Return the names of the columns."""
        faint = self.palette.faint
        line = Line().add("", None, 2).add("pid", faint, 8, "right").add("  ").add("state", faint, 13)
        line.add("rss", faint, 6, "right").add("cpu", faint, 8, "right").add("  program", faint)
        return [line.strip(width)]

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the process's line."""
        colours = self.palette
        base = colours.cursor if chosen else None
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        if isinstance(row, LeftOut):
            return [line.add(f"… and {row.number:,} more that are not told", colours.warn).strip(width, base)]
        if not isinstance(row, ProcessNode):
            raise TypeError(row)
        state = row.state_word or words.NOTHING
        line.add(str(row.pid), colours.dim, 8, "right").add("  ")
        line.add(state, colours.warn if row.state in "TtZXD" and row.state else colours.dim, 13)
        line.add(words.size(row.rss_bytes), colours.text, 6, "right")
        line.add(_cpu(row.cpu_s), colours.text, 8, "right").add("  ")
        steps = min(row.depth, DEEPEST, max(1, (width - line.width) // 4))
        deep = f"({row.depth}) " if row.depth > steps else ""
        line.add(f"{'  ' * (steps - 1)}└ {deep}" if row.depth else "", colours.faint)
        line.add(
            row.name or words.NOTHING, colours.strong if not row.depth else colours.text, max(1, width - line.width)
        )
        return [line.strip(width, base)]


class SpikeList(RowView):
    """Its runaways, newest first: how much over its usual, and what each cost."""

    row_height = 2
    tails = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="spikes")

    def identity(self, row: object) -> object:
        """A spike is the moment it began."""
        return row.record.began_wall if isinstance(row, SpikeRow) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return how long it lasted and its rate; what was used in it, and how that went."""
        if not isinstance(row, SpikeRow):
            raise TypeError(row)
        record, colours = row.record, self.palette
        symbol, style, lasted = row.standing
        head = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        head.add(row.when, colours.faint, 12).add(f"{symbol} {lasted}", colours.named(style), 15)
        head.add(record.why or words.NOTHING, colours.text, max(1, width - head.width))
        line = Line().add("", None, 14).add(f"{spike_lines.spent(record)}  ", colours.dim)
        room = min(spike_lines.WIDEST, width - line.width - 1)
        if room >= NARROWEST:
            end = record.began_wall if record.ended_wall is None else record.ended_wall
            last = max([end, *(wall for wall, _ in record.trace)])
            spans, _ = spike_lines.course(record, last, room)
            line.add(words.spark(spans, room), colours.tokens)
        base = colours.cursor if chosen else None
        return [head.strip(width, base), _cut(line, width).strip(width, base)]


def _cpu(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 60 else words.age(seconds)


def _cut(line: Line, width: int) -> Line:
    """Return ``line`` with an ellipsis where it is longer than ``width``."""
    if line.width <= width:
        return line
    cut = Line()
    kept = line.strip(line.width).crop(0, max(0, width - 1))
    cut.segments, cut.width = list(kept), kept.cell_length
    return cut.add("…")
