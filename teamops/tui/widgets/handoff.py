"""The handoff: the chosen block drawn as Markdown, and the list of all blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from teamops.model.handoff import Block
from teamops.model.snapshot import Snapshot
from teamops.model.spend import Spend
from teamops.tui import keys, words
from teamops.tui.block_text import DrawnBlock
from teamops.tui.costs import COST_CELLS
from teamops.tui.scrolling import set_lines
from teamops.tui.strips import Line, fit, spread
from teamops.tui.theme import Palette
from teamops.tui.widgets.rows import RowView

BOTH_FROM = 96
"""Cells from which list and block stand side by side."""
COSTS_FROM = 46
"""Cells from which the list tells costs."""
HEAD_ALONE_S = 0.1
"""So long a block's head waits for its text."""


class BlockList(RowView):
    """All blocks, newest first; with a search, those that have it."""

    DEFAULT_CSS = "BlockList { width: 38; }"

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="blocks")
        self.spent: Mapping[int, Spend] = {}
        """What was used under the light that a block ended, by its index."""

    def identity(self, row: object) -> object:
        """A block is its place in the file."""
        return row.index if isinstance(row, Block) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return time, role, whom the light goes to, task; where there is room, what was used for it."""
        if not isinstance(row, Block):
            raise TypeError(row)
        colours = self.palette
        at_cursor = self.row is not None and self.identity(self.row) == row.index
        line = Line().add(f"{words.CURSOR} " if at_cursor else "  ", colours.accent)
        line.add(row.at.strftime("%m-%d %H:%M") if row.at else "??-?? ??:??", colours.faint)
        line.add(" ").add(row.role, colours.strong, 9)
        line.add(f" →{row.turn}" if row.turn else "", colours.accent, min(11, max(0, width - line.width)))
        spend = self.spent.get(row.index)
        cells = COST_CELLS + 1 if spend is not None and width >= COSTS_FROM else 0
        if width > line.width + 4:
            line.add(" ").add(row.task or "", colours.dim, width - line.width - cells)
        if spend is not None and cells:
            told = words.money(spend.cost_usd, spend.unpriced_tokens)
            line.add(f" {told}", colours.warn if spend.unpriced_tokens else colours.text, cells, "right")
        return [line.strip(width, colours.cursor if chosen else None)]


class BlockView(ScrollView, can_focus=True):
    """One block, its head fixed above its text."""

    DEFAULT_CSS = """
    BlockView { width: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; padding: 0 1; }
    """
    BINDINGS = keys.bindings(only=("down", "up", "page_down", "page_up", "first", "last"))
    HEAD = 2

    class Fitted(Message):
        """It has another size: it may only now have one, under a screen that has been left."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="block")
        self.palette = palette
        self.block: Block | None = None
        self.total = 0
        self.follows = True
        self._spent: Mapping[int, Spend] = {}
        self._lines: list[Line] = []
        self._marked = range(0)
        """Lines that a person has asked for."""
        self.empty: tuple[str, ...] = ()
        self._painted: dict[int, Strip] = {}
        """What stands on the screen, by line."""
        self._ground: Style | None = None
        """The pane's own style, while its lines are drawn: it takes longer than a line."""

    def show_head(self, block: Block | None, total: int, *, follows: bool, text_comes: bool = False) -> None:
        """Show whose block it is. Where its text is on its way, both are drawn at once, unless that takes long."""
        if (block, total, follows) != (self.block, self.total, self.follows):
            if block is None or self.block is None or block.index != self.block.index:
                self._lines = []
                self.scroll_to(y=0, animate=False)
            self.block, self.total, self.follows = block, total, follows
            if text_comes:
                self.set_timer(HEAD_ALONE_S, self._draw_head)
            else:
                self._paint()

    def on_resize(self, _event: events.Resize) -> None:
        """Say so: the text is broken for a width."""
        self.post_message(self.Fitted())

    def _draw_head(self) -> None:
        if not self._lines:
            self._paint()

    def _paint(self) -> None:
        """Draw the lines that differ from those on the screen: of one block to the next, most are the same."""
        width, ground = self.scrollable_content_region.width, self.rich_style
        for y in range(self.size.height):
            if self._line(y).apply_style(ground) != self._painted.get(y):
                self.refresh(Region(0, y, width, 1))

    def show_spent(self, spent: Mapping[int, Spend]) -> None:
        """Show what was used for the block; ``spent``: for each of them, by its index."""
        self._spent = spent
        if self.drawn:
            self._paint()

    def show_text(self, drawn: DrawnBlock) -> None:
        """Show the block's drawn text, scrolled to what is wanted of it."""
        self._lines, self._marked = drawn.lines, drawn.marked
        set_lines(self, self.HEAD + len(drawn.lines))
        if drawn.at is not None:
            # Forced: the scroll bar of a text that has just come may not be there yet.
            self.scroll_to(y=max(0, drawn.at - 2), animate=False, force=True)
        self._paint()

    @property
    def drawn(self) -> bool:
        """The block's text is there, not only its head."""
        return bool(self._lines)

    @property
    def text_width(self) -> int:
        """Cells for text; one is kept for the scroll bar, so that it needs no new break when that appears."""
        return max(8, self.size.width - 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part of the pane."""
        self._ground = self.rich_style
        try:
            return super().render_lines(crop)
        finally:
            self._ground = None

    def render_line(self, y: int) -> Strip:
        """Return a line of the head or the text."""
        strip = self._painted[y] = self._line(y).apply_style(self._ground or self.rich_style)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if self.block is None:
            top = max(0, (self.size.height - len(self.empty)) // 2)
            if top <= y < top + len(self.empty):
                style = self.palette.text if y == top else self.palette.dim
                return Line().add(fit(self.empty[y - top], width, "centre"), style).strip(width)
            return Strip.blank(width)
        if y < self.HEAD:
            return self._head(self.block, width)[y].strip(width)
        index = y - self.HEAD + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width)
        return self._lines[index].strip(width, self.palette.cursor if index in self._marked else None)

    def _head(self, block: Block, width: int) -> tuple[Line, Line]:
        colours = self.palette
        left = Line().add(f"[{block.role}]", colours.accent)
        left.add(f" {block.at:%Y-%m-%d %H:%M}" if block.at else " (time unreadable)", colours.dim)
        if block.turn:
            left.add(f"  ▶ {block.turn}", colours.strong)
        place = "current" if self.follows else "older"
        right = Line()
        spend = self._spent.get(block.index)
        if spend is not None and width >= COSTS_FROM:
            right.add(words.money(spend.cost_usd, spend.unpriced_tokens), colours.text).add(" · ", colours.dim)
        right.add(f"{place} · {block.index + 1} of {self.total}", colours.dim)
        rule = Line().add("─" * width, colours.rule)
        if not block.complete:
            rule = Line().add("◔ still being written ", colours.warn).add("─" * width, colours.rule)
        return spread(left, right, width), rule

    def action_down(self) -> None:
        """Scroll down a line."""
        self.scroll_relative(y=1, animate=False)

    def action_up(self) -> None:
        """Scroll up a line."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self.scroll_relative(y=max(1, self.size.height - self.HEAD - 1), animate=False)

    def action_page_up(self) -> None:
        """Scroll up a page."""
        self.scroll_relative(y=-max(1, self.size.height - self.HEAD - 1), animate=False)

    def action_first(self) -> None:
        """Scroll to the head."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """Scroll to the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False)


class HandoffPane(Horizontal):
    """List and block; the block that is chosen follows the file until an older one is."""

    BINDINGS = keys.bindings(keys.Where.HANDOFF, only=("next_hit", "previous_hit"))

    class Wanted(Message):
        """A block's text is wanted, drawn for a width; ``line``: and scrolled to that line of it."""

        def __init__(self, block: Block, width: int, line: int | None) -> None:
            super().__init__()
            self.block = block
            self.width = width
            self.line = line

    def __init__(self, palette: Palette) -> None:
        super().__init__(id="handoff")
        self.list = BlockList(palette)
        self.view = BlockView(palette)
        self.follows = True
        self.listed = False
        """The list is asked for where both don't fit."""
        self.found = ""
        self._blocks: tuple[Block, ...] = ()
        self._hits: frozenset[int] | None = None
        self._drawn: tuple[object, ...] | None = None
        self._target: tuple[int, int] | None = None
        """Index of a block and the line of the file in it that a person has asked for."""

    def compose(self) -> ComposeResult:
        """Make list and block."""
        yield self.list
        yield self.view

    def on_mount(self) -> None:
        """Show what there is room for."""
        self._arrange()

    def on_resize(self, _event: events.Resize) -> None:
        """Show what there is room for, the text broken anew."""
        self._arrange()
        self.call_after_refresh(self._want)

    @property
    def both(self) -> bool:
        """List and block stand side by side."""
        return self.size.width >= BOTH_FROM

    @property
    def block(self) -> Block | None:
        """The chosen block."""
        row = self.list.row
        return row if isinstance(row, Block) else None

    def _arrange(self) -> None:
        self.list.display = self.both or self.listed
        self.view.display = self.both or not self.listed
        self.list.styles.width = (38 if self.size.width < 116 else 50) if self.both else "1fr"

    def show(self, snapshot: Snapshot) -> None:
        """Show the snapshot's blocks."""
        if snapshot.handoff_trouble and not snapshot.blocks:
            self.view.empty = ("The handoff file can't be read.", snapshot.handoff_trouble)
        else:
            self.view.empty = (
                "No block yet.",
                snapshot.handoff_path,
                "A block begins with a heading like   ### [DIRECTOR] 2026-03-28 14:30",
            )
        if snapshot.spent is not self.list.spent:
            self.list.spent = snapshot.spent
            self.list.redraw()
            self.view.show_spent(snapshot.spent)
        if snapshot.blocks is not self._blocks:
            self._blocks = snapshot.blocks
            self._fill()

    def show_hits(self, found: str, hits: frozenset[int] | None) -> None:
        """Show only blocks whose index is in ``hits``, marking ``found``; ``None``: all."""
        self.found, self._hits = found, hits
        self.listed = bool(found) or self.listed
        self.list.empty = ("No block has that text.",) if found else ()
        self._arrange()
        self._fill()

    def _fill(self) -> None:
        rows: Sequence[Block] = self._blocks[::-1]
        if self._hits is not None:
            hits = self._hits
            rows = [block for block in rows if block.index in hits]
        self.list.tails = self.follows and self._hits is None and not self._being_read
        self.list.show(rows)
        if self.list.tails:
            self.list.move_to(0)
        self._want()

    @property
    def _being_read(self) -> bool:
        """The person is further down in the block: it is not taken away by a newer one."""
        return self.view.has_focus and self.view.scroll_offset.y > 0

    def _want(self) -> None:
        block = self.block
        newest = bool(self._blocks) and block is not None and block.index == self._blocks[-1].index
        self.follows = newest if self._hits is None else self.follows and newest
        if block is None or not self.view.display or not self.view.size.width:
            self.view.show_head(block, len(self._blocks), follows=newest)
            self._drawn = None  # the head may have taken the place of what was drawn
            return
        if self._target is not None and self._target[0] != block.index:
            self._target = None
        line = self._target[1] - block.line if self._target is not None else None
        wanted = (block.index, block.digest, block.start, block.end, self.view.text_width, self.found, line)
        text_comes = wanted != self._drawn
        self.view.show_head(block, len(self._blocks), follows=newest, text_comes=text_comes)
        if text_comes:
            self._drawn = wanted
            self.post_message(self.Wanted(block, self.view.text_width, line))

    def forget_drawn(self) -> None:
        """Ask for the text again with the next snapshot: the last answer was an error."""
        self._drawn = None

    def on_block_view_fitted(self, event: BlockView.Fitted) -> None:
        """Ask for the text in the width that there is now."""
        event.stop()
        self._want()

    def on_row_view_moved(self, event: RowView.Moved) -> None:
        """Show the block the cursor came to."""
        event.stop()
        self._want()

    def on_row_view_chosen(self, event: RowView.Chosen) -> None:
        """Show the opened block instead of the list."""
        event.stop()
        self.open_block()

    def go_to(self, index: int, line: int) -> None:
        """Show block ``index``, scrolled to line ``line`` of the file."""
        self._target, self._drawn = (index, line), None
        self.follows = False
        self.list.move_to(len(self._blocks) - 1 - index)
        self.open_block()

    def open_block(self) -> None:
        """Leave the list for the block."""
        self.listed = False
        self._arrange()
        self.view.focus()
        self.call_after_refresh(self._want)

    def action_blocks(self) -> None:
        """Show the list, or the block again."""
        if self.view.has_focus or not self.listed:
            self.listed = True
            self._arrange()
            self.list.focus()
        else:
            self.open_block()

    def action_older(self) -> None:
        """Choose the block before."""
        self.list.move_to(self.list.cursor + 1)

    def action_newer(self) -> None:
        """Choose the block after."""
        self.list.move_to(self.list.cursor - 1)

    def action_current(self) -> None:
        """Choose the newest block and follow the file."""
        self.follows = True
        self.list.move_to(0)

    def action_next_hit(self) -> None:
        """Choose the next block that has the text."""
        self.list.action_next_hit()

    def action_previous_hit(self) -> None:
        """Choose the block before that has the text."""
        self.list.action_previous_hit()
