"""Lists that grow without laying out the whole screen anew."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget


def set_lines(view: ScrollView, lines: int) -> None:
    """Say that ``view`` has so many lines.

    Textual lays out and draws the whole screen at every change of a virtual size, which is half the cost of an
    appended block. That is needed only where the scroll bar comes or goes.
    """
    before, room = view.virtual_size.height, view.container_size.height
    if before == lines:
        return
    if view.display and (not room or (before > room) != (lines > room)):
        view.virtual_size = Size(0, lines)
        return
    view.set_reactive(Widget.virtual_size, Size(0, lines))
    if view.show_vertical_scrollbar:
        view.vertical_scrollbar.window_virtual_size = lines
    if view.scroll_y > view.max_scroll_y:
        view.scroll_to(y=view.max_scroll_y, animate=False)
