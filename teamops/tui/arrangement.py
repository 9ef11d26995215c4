"""Where the desk's panes stand, by the terminal's size."""

from __future__ import annotations

from typing import Final

from textual.geometry import Size

GRID_WIDTH: Final = 110
GRID_HEIGHT: Final = 30
"""From this size on all panes stand side by side; below, one of the lower three shows."""
STACK_HEIGHT: Final = 48
"""A narrow terminal this high shows all panes one below the other."""


def arrangement(size: Size) -> str:
    """Return the class of the layout that fits into a terminal of ``size``."""
    if size.width >= GRID_WIDTH and size.height >= GRID_HEIGHT:
        return "-grid"
    return "-stack" if size.height >= STACK_HEIGHT else "-tabs"


CSS: Final = """
Desk { layout: vertical; background: $background; }
Desk #desk { layout: vertical; height: 1fr; }
Desk .pane { height: 1fr; border-top: solid $pane-rule; border-title-color: $text-muted;
    border-title-style: none; border-title-align: left; }
Desk .pane:focus, Desk .pane:focus-within { border-top: heavy $pane-focus; border-title-color: $pane-focus;
    border-title-style: bold; }
Desk.-grid #desk { layout: grid; grid-size: 2 3; grid-columns: 5fr 3fr; grid-rows: auto 1fr 1fr; }
Desk.-grid .pane { border: round $pane-rule; padding: 0 1; }
Desk.-grid .pane:focus, Desk.-grid .pane:focus-within { border: round $pane-focus; }
Desk.-grid #agents { column-span: 2; }
Desk.-grid #handoff { row-span: 2; padding: 0; }
Desk.-tabs.-show-handoff #alerts, Desk.-tabs.-show-handoff #events { display: none; }
Desk.-tabs.-show-alerts #handoff, Desk.-tabs.-show-alerts #events { display: none; }
Desk.-tabs.-show-events #handoff, Desk.-tabs.-show-events #alerts { display: none; }
Desk.-tabs #handoff, Desk.-tabs #alerts, Desk.-tabs #events { border-top: none; }
Desk #tabs { display: none; }
Desk.-tabs #tabs { display: block; }
Desk.-zoom #tabs { display: none; }
Desk.-zoom #desk { layout: vertical; }
Desk.-zoom .pane { display: none; }
Desk.-zoom .pane.-zoomed { display: block; height: 1fr !important; }
"""
"""Of the desk, which has one of these classes, ``-show-…`` for the lower pane that shows, and ``-zoom``."""
