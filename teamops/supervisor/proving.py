"""What came of trying the roles' boundaries: stored with each start and by ``teamops doctor``, told as alerts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.domain.canary import broken, broken_findings
from teamops.ledger.store import open_ledger
from teamops.model.actions import Restart, Start
from teamops.model.alert import Finding
from teamops.model.check import Check
from teamops.model.events import ActionFinished, Event, Ticked
from teamops.model.role import Role
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

LEDGER = "ledger.sqlite3"


class Proving:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last: dict[Role, tuple[Check, ...]] = {}

    def load(self, book: Book) -> None:
        """Read back what was found last."""
        memory = self._core.memory
        memory.ask(book, memory.checks.changed)
        self._read(book)

    def _read(self, book: Book) -> None:
        self._last = self._core.memory.ask(book, self._core.memory.checks.all) or {}

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""
        memory = self._core.memory
        if isinstance(event, ActionFinished) and isinstance(event.action, Start | Restart) and event.outcome.checks:
            save = partial(memory.checks.save, event.action.role, event.outcome.checks, book.stamp.wall)
            memory.store(book, save)
            self._read(book)
        elif isinstance(event, Ticked) and memory.ask(book, memory.checks.changed):
            self._read(book)

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        found: list[Finding] = []
        for role in book.settings.roles:
            found += broken_findings(role.role, broken(self._last.get(role.role, ())))
        return found


def keep(folder: Path, found: Mapping[Role, tuple[Check, ...]]) -> None:
    """Store what came of trials outside of a supervisor, for the one that supervises.

    ``folder``: the project's in the person's state directory; where nothing was ever remembered there, nothing is.
    Raises ``LedgerError``.
    """
    path = folder / LEDGER
    if not path.is_file():
        return
    ledger = open_ledger(path)
    try:
        for role, checks in found.items():
            ledger.checks.save(role, checks, time.time())
    finally:
        ledger.close()
