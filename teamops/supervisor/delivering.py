"""Pokes with proof: each is followed until its agent works, or somebody is told that it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamops.model.actions import Action
from teamops.model.alert import Finding
from teamops.model.events import Event
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


class Deliverer:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored."""

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""

    def begun(self, book: Book, action_id: int, action: Action) -> None:
        """An action was recorded and begins now."""

    def go_on(self, book: Book, *, counts: bool) -> None:
        """Decide and act: only of the one that acts, once all is known. ``counts``: a round of the clock."""

    def findings(self, book: Book) -> list[Finding]:  # noqa: ARG002 - as the other parts of the loop
        """Return what a person has to know now."""
        return []
