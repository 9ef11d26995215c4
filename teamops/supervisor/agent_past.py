"""What is known of an agent from before: of earlier lives of teamops, and of processes of it that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from teamops.supervisor.agent_book import AgentBook


@dataclass(slots=True)
class Past:
    """Part of an agent's page. Times are observed seconds, and may lie before teamops' own start."""

    worked: float | None = None
    """When it was last seen to work."""
    launched: tuple[int, float] | None = None
    """The process that teamops started for it last, and when."""

    def see_work(self, *signs: float | None) -> None:
        """Take when it worked; ``None`` = never."""
        self.worked = max((at for at in (self.worked, *signs) if at is not None), default=None)


def began(page: AgentBook) -> float | None:
    """Return when the process in an agent's pane began: as this life saw it, or as an earlier one started it.

    ``None`` = not known, and before teamops came.
    """
    if page.born is not None or page.past.launched is None or page.pane is None:
        return page.born
    pid, at = page.past.launched
    return at if pid == page.pane.pid else None
