"""What the ledger could not take: it waits in order, and is tried again every round."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from teamops.ledger.connection import LedgerError
from teamops.supervisor.book import Book

MAX_UNWRITTEN = 100_000


class Unwritten:
    """Writes on their way. A ledger that can't be written is told in the book's ``ledger_trouble``."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._dropped = 0

    def __bool__(self) -> bool:
        """Return whether something waits."""
        return bool(self._waiting)

    def store(self, book: Book, write: Callable[[], object]) -> bool:
        """Write now, or in order as soon as the ledger can be written again; return whether it is written."""
        if not self._waiting:
            try:
                write()
            except LedgerError as error:
                book.ledger_trouble = str(error)
            else:
                return True
        self._wait(write)
        return False

    def try_again(self, book: Book) -> bool:
        """Write what waits; return whether nothing does any more."""
        while self._waiting:
            try:
                self._waiting[0]()
            except LedgerError as error:
                book.ledger_trouble = str(error)
                return False
            self._waiting.popleft()
        book.ledger_trouble = f"{self._dropped} facts found no room and are lost" if self._dropped else ""
        return True

    def _wait(self, write: Callable[[], object]) -> None:
        if len(self._waiting) < MAX_UNWRITTEN:
            self._waiting.append(write)
        else:
            self._dropped += 1
