"""The agents: a table where there is little room, a card for each where there is more."""

from __future__ import annotations

from textual.strip import Strip

from teamops.model.agent import AgentView
from teamops.tui.theme import Palette
from teamops.tui.widgets.agent_card import CARD_HEIGHT, TALL_CARD_HEIGHT, draw_card
from teamops.tui.widgets.agent_table import columns, draw_head, draw_row
from teamops.tui.widgets.rows import RowView

CARD_WIDTH = 38
"""A card needs so many cells."""


class AgentsPane(RowView):
    """All agents with their health, rhythm and cost."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="agents")
        self.head_height = 1
        self.border_title = "1 Agents"
        self.empty = (
            "No agents known yet.",
            "Name the team in teamops.toml; until then the roles of the handoff file appear here.",
        )

    @property
    def agent(self) -> AgentView | None:
        """The agent under the cursor."""
        row = self.row
        return row if isinstance(row, AgentView) else None

    @property
    def cards(self) -> bool:
        """Drawn as cards, not as a table."""
        return self.row_height > 1

    def lay_out(self, number: int, width: int, height: int) -> int:
        """Choose table or cards for ``number`` agents in ``width`` cells; return the lines they want of ``height``."""
        before = (self.row_height, self.across)
        self.row_height, self.across, self.head_height = 1, 1, 1
        across = min(number, width // CARD_WIDTH)
        if across > 1 or (number == 1 and across):
            bands = -(-number // across)
            room = height * 9 // 20
            card = TALL_CARD_HEIGHT if bands * TALL_CARD_HEIGHT <= room * 4 // 5 else CARD_HEIGHT
            if bands * card <= room:
                self.row_height, self.across, self.head_height = card, -(-number // bands), 0
        if before != (self.row_height, self.across):
            self._resize_rows()
            self.redraw()
        return max(2, self.head_height + self.bands_for(number) * self.row_height)

    def bands_for(self, number: int) -> int:
        """Return the bands that ``number`` agents take."""
        return -(-number // self.across)

    def identity(self, row: object) -> object:
        """An agent is its role."""
        return row.role if isinstance(row, AgentView) else row

    def draw_head(self, width: int) -> list[Strip]:
        """Return the names of the columns."""
        return [draw_head(columns(width), self.palette).strip(width)]

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return an agent's row or card."""
        if not isinstance(row, AgentView):
            raise TypeError(row)
        if self.cards:
            return draw_card(row, width, self.row_height, self.palette, chosen=chosen)
        line = draw_row(row, columns(width), self.palette, under_cursor=chosen)
        return [line.strip(width, self.palette.cursor if chosen else None)]
