"""Which lights were told to whom, as the ledger remembers it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from teamops.ledger.store import Ledger, LedgerError
from teamops.model.role import NONE

if TYPE_CHECKING:
    from teamops.domain.light import Light
    from teamops.model.actions import Outcome
    from teamops.supervisor.book import Book
    from teamops.supervisor.memory import Memory

_EMPTY = "no block yet"
"""How the light of no block at all is announced, as the ledger keeps it: the project began under teamops' eyes."""


class Announced:
    """The part of the memory that keeps a light from being told twice."""

    def __init__(self, memory: Memory, ledger: Ledger) -> None:
        self._memory = memory
        self._ledger = ledger

    def begin_empty(self, book: Book) -> None:
        """Remember for good that the project had no block when it was first seen: whatever comes is news."""
        if self._memory.acting:
            self._memory.store(book, partial(self._ledger.audit.announce, None, "", NONE, _EMPTY, book.stamp.wall))

    def began_empty(self, book: Book) -> bool:
        """Return whether a supervisor saw this project before it had a block."""
        return self._memory.ask(book, lambda: self._ledger.audit.announced(None, "", NONE)) == _EMPTY

    def claim(self, book: Book, light: Light, how: str) -> bool | None:
        """Claim the announcement of a light, durably; false where it was announced before.

        ``None`` where that can't be stored: then nobody may be poked, for the claim is what keeps it from happening
        twice.
        """
        try:
            return self._ledger.audit.announce(light.task, light.digest, light.role, how, book.stamp.wall)
        except LedgerError as error:
            book.ledger_trouble = str(error)
            return None

    def last_poke(self, book: Book, light: Light, digest: str, reason: str) -> Outcome | None:
        """Return how the holder of ``light`` was told of it for ``reason``, or poked by a person since; ``None``: not.

        ``digest``: of its block as it was when the light came.
        """

        def read() -> Outcome | None:
            came = self._ledger.light_known(light.task, digest, light.role)
            return self._ledger.last_poke(light.role, reason, light.since_wall if came is None else came)

        return self._memory.ask(book, read)

    def superseded(self, book: Book, light: Light) -> bool | None:
        """Return whether ``light`` is of a block that another one of its task has followed, as the ledger knows."""
        return self._memory.ask(book, lambda: self._ledger.superseded(light.task, light.digest))
