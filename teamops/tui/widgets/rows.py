"""A list that draws its own lines: only what is seen is drawn, only what changed is drawn again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.geometry import Region
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from teamops.tui import keys
from teamops.tui.scrolling import set_lines
from teamops.tui.strips import Line, changed, fit
from teamops.tui.theme import Palette


class RowView(ScrollView, can_focus=True):
    """Rows of one height with a cursor.

    A row is any value that holds *all* that is drawn of it: equal rows are not drawn again.
    """

    DEFAULT_CSS = """
    RowView { overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: auto; }
    """
    BINDINGS = keys.bindings(keys.Where.LISTS)
    row_height = 1
    head_height = 0
    """Lines at the top that do not scroll."""
    across = 1
    """Rows that stand side by side: one band."""
    tails = False
    """A cursor on the first row stays there: newest first, and the newest is wanted until the person goes down."""

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, view: RowView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> RowView:
            """The list."""
            return self.view

    class Chosen(Moved):
        """A row was opened."""

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.palette = palette
        self.rows: Sequence[object] = ()
        self.cursor = 0
        self.empty: tuple[str, ...] = ()
        """Said where there are no rows."""
        self._lines: dict[int, Strip] = {}
        self._ground: tuple[int, Style] | None = None
        """Cells for rows and the style beneath them, while lines are drawn: Textual finds them anew for each."""

    # What a list of its own kind says.

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the ``row_height`` lines of ``row``."""
        raise NotImplementedError

    def draw_head(self, width: int) -> list[Strip]:  # noqa: ARG002 - for lists that have one
        """Return the ``head_height`` lines above the rows."""
        return []

    def identity(self, row: object) -> object:
        """Return what stays the same when a row changes or moves: the cursor stays on it."""
        return row

    # Rows and cursor.

    @property
    def row(self) -> object | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    @property
    def room(self) -> int:
        """Lines for rows."""
        return max(1, self.size.height - self.head_height)

    @property
    def columns(self) -> int:
        """Cells for rows: without the scroll bar."""
        return self.scrollable_content_region.width

    @property
    def bands(self) -> int:
        """Bands that all rows take."""
        return -(-len(self.rows) // self.across)

    def bands_seen(self) -> range:
        """Return the bands that are seen at least in part."""
        first = self.scroll_offset.y // self.row_height
        last = (self.scroll_offset.y + self.room - 1) // self.row_height
        return range(max(0, first), min(self.bands, last + 1))

    def show(self, rows: Sequence[object]) -> None:
        """Show ``rows``; the cursor stays on its row, and only lines that differ are drawn again."""
        old, kept = self.rows, self.row
        self.rows = rows
        before = self.cursor
        moved = self._keep_cursor(kept, old)
        if len(old) != len(rows) or moved:
            self._resize_rows()
            self._keep_sight((self.cursor - before) // self.across * self.row_height)
            drawn = self._pushed_down(old, before)
            self.redraw()
            self._lines = drawn
        elif old is not rows:
            self._redraw_changed(old)

    def _pushed_down(self, old: Sequence[object], cursor: int) -> dict[int, Strip]:
        """Return the lines of rows that stand further down and are the same: all but the newest, as a list grows.

        ``cursor``: where it stood; a row that it has left or come to is drawn again.
        """
        by = len(self.rows) - len(old)
        if by <= 0 or self.across > 1:
            return {}
        return {
            line + by * self.row_height: strip
            for line, strip in self._lines.items()
            if (place := line // self.row_height) < len(old)
            and old[place] is self.rows[place + by]
            and place != cursor
            and place + by != self.cursor
        }

    def _keep_cursor(self, kept: object | None, old: Sequence[object]) -> bool:
        before = self.cursor
        if self.tails and not before:
            return bool(self.rows) and not self._same(kept, 0)
        if kept is not None and not self._same(kept, before):
            wanted = self.identity(kept)
            # A list grows at its head or its end: look near the old place first.
            shift = len(self.rows) - len(old)
            if self._same(kept, before + shift):
                self.cursor = before + shift
            else:
                places = (place for place, row in enumerate(self.rows) if self.identity(row) == wanted)
                self.cursor = next(places, before)
        self.cursor = max(0, min(self.cursor, len(self.rows) - 1))
        return self.cursor != before

    def _keep_sight(self, lines: int) -> None:
        """Leave the row under the cursor where it is seen, now that it stands ``lines`` further down."""
        if lines and self.scroll_offset.y:
            self.scroll_to(y=max(0, self.scroll_offset.y + lines), animate=False)
        elif lines:
            self.show_cursor()

    def _same(self, kept: object, place: int) -> bool:
        return 0 <= place < len(self.rows) and self.identity(self.rows[place]) == self.identity(kept)

    def _resize_rows(self) -> None:
        set_lines(self, self.head_height + self.bands * self.row_height)

    def _redraw_changed(self, old: Sequence[object]) -> None:
        seen, width = self.bands_seen(), self.columns
        for band in seen:
            own = slice(band * self.across, (band + 1) * self.across)
            if old[own] == self.rows[own]:
                continue
            for place, strip in enumerate(self._draw_band(band, width)):
                line = band * self.row_height + place
                before = self._lines.get(line)
                self._lines[line] = strip
                span = (0, width) if before is None else changed(before, strip)
                if span is not None:
                    y = line + self.head_height - self.scroll_offset.y
                    self.refresh(Region(span[0], y, span[1] - span[0], 1))
        for line in [line for line in self._lines if line // self.row_height not in seen]:
            del self._lines[line]

    def redraw(self) -> None:
        """Draw everything again."""
        self._lines.clear()
        self.refresh()

    def move_to(self, index: int) -> None:
        """Put the cursor on row ``index`` and show it."""
        index = max(0, min(index, len(self.rows) - 1))
        if index != self.cursor:
            self.cursor = index
            self.redraw()
            self.post_message(self.Moved(self))
        self.show_cursor()

    def show_cursor(self) -> None:
        """Scroll so that the row under the cursor is seen."""
        top = self.cursor // self.across * self.row_height
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        elif top + self.row_height > self.scroll_offset.y + self.room:
            self.scroll_to(y=top + self.row_height - self.room, animate=False)

    # Textual.

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new width."""
        self._resize_rows()
        self.redraw()
        self.show_cursor()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.redraw()

    def on_blur(self) -> None:
        """Show the cursor no more."""
        self.redraw()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part of the pane."""
        self._ground = (self.columns, self.rich_style)
        try:
            return super().render_lines(crop)
        finally:
            self._ground = None

    def render_line(self, y: int) -> Strip:
        """Return one line of the pane."""
        width, style = self._ground or (self.columns, self.rich_style)
        return self._line(y, width).apply_style(style)

    def _line(self, y: int, width: int) -> Strip:
        if y < self.head_height and self.rows:
            head = self.draw_head(width)
            return head[y] if y < len(head) else Strip.blank(width)
        if not self.rows:
            return self._empty_line(y, width)
        y -= self.head_height
        line = y + self.scroll_offset.y
        strip = self._lines.get(line)
        if strip is None or strip.cell_length != width:
            band = line // self.row_height
            if band >= self.bands:
                return Strip.blank(width)
            for place, drawn in enumerate(self._draw_band(band, width)):
                self._lines[band * self.row_height + place] = drawn
            strip = self._lines.get(line, Strip.blank(width))
        return strip

    def _draw_band(self, band: int, columns: int) -> list[Strip]:
        first = band * self.across
        width = columns if self.across == 1 else (columns + 1) // self.across
        focused = self.has_focus
        drawn = [
            self.draw(row, width, chosen=first + place == self.cursor and focused)
            for place, row in enumerate(self.rows[first : first + self.across])
        ]
        if self.across == 1:
            return drawn[0]
        return [Strip.join(strips).adjust_cell_length(columns) for strips in zip(*drawn, strict=True)]

    def _empty_line(self, y: int, width: int) -> Strip:
        top = max(0, (self.size.height - len(self.empty)) // 2)
        if top <= y < top + len(self.empty):
            style = self.palette.text if y == top else self.palette.dim
            return Line().add(fit(self.empty[y - top], max(0, width - 2), "centre"), style).strip(width)
        return Strip.blank(width)

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked row; a second click on it opens it."""
        index = self.row_at(event.x, event.y)
        if index is None:
            return
        if index == self.cursor and event.chain > 1:
            self.action_detail()
        else:
            self.move_to(index)

    def row_at(self, x: int, y: int) -> int | None:
        """Return the index of the row at a place in the pane."""
        band = (y - self.head_height + self.scroll_offset.y) // self.row_height
        index = band * self.across + min(self.across - 1, x * self.across // max(1, self.columns))
        return index if 0 <= index < len(self.rows) and y >= self.head_height else None

    def action_detail(self) -> None:
        """Open the row under the cursor."""
        if self.row is not None:
            self.post_message(self.Chosen(self))

    def action_down(self) -> None:
        """Go down one row."""
        self.move_to(self.cursor + self.across)

    def action_up(self) -> None:
        """Go up one row."""
        self.move_to(max(0, self.cursor - self.across))

    def action_right(self) -> None:
        """Go to the row at the right."""
        if self.across == 1:
            raise SkipAction
        self.move_to(self.cursor + 1)

    def action_left(self) -> None:
        """Go to the row at the left."""
        if self.across == 1:
            raise SkipAction
        self.move_to(self.cursor - 1)

    def action_page_down(self) -> None:
        """Go down one page."""
        self.move_to(self.cursor + max(1, self.room // self.row_height) * self.across)

    def action_page_up(self) -> None:
        """Go up one page."""
        self.move_to(self.cursor - max(1, self.room // self.row_height) * self.across)

    def action_first(self) -> None:
        """Go to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self.move_to(len(self.rows) - 1)

    def action_next_hit(self) -> None:
        """Go to the next row of a filtered list, around its end."""
        if self.rows:
            self.move_to((self.cursor + 1) % len(self.rows))

    def action_previous_hit(self) -> None:
        """Go to the row before in a filtered list, around its head."""
        if self.rows:
            self.move_to((self.cursor - 1) % len(self.rows))


def say(rows: RowView, told: tuple[str, ...]) -> None:
    """Say ``told`` where there are no rows."""
    if rows.empty != told:
        rows.empty = told
        if not rows.rows:
            rows.redraw()
