"""The memory of the agents' process trees over hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamops.model.alert import Finding
from teamops.model.events import Event
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


class Growing:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored."""

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        return []
