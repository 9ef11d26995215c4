"""What a client's logs are read into, and the two kinds of readers.

A reader remembers what it counted and tells only what is new, so that adding up all it ever told is right: a response
that is written twice, grows, or is copied into another file counts once. One reader serves all files of one client
whose responses may be copies of each other's. For one thread.

How a next life counts nothing twice: either it hands to ``learn`` the usage that was told before, or a ``LineReader``
is given the lines that were counted once more and what it says of them is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from teamops.model.usage import Usage


class Reading(Struct, frozen=True):
    """What some lines, or a file, told."""

    usages: tuple[Usage, ...]
    """Deltas: what each record adds to what its response had counted before, below zero where it takes something back
    (as from another day, or a copy's session)."""
    bad_lines: int
    """Malformed lines, or records of a file, that were left out."""
    newest_wall: float | None
    """The latest time among records with usage, Unix seconds."""


class LineReader(Protocol):
    """Reads files that are only ever appended to."""

    def read(self, lines: Iterable[bytes], path: str = "") -> Reading:
        """Return the usage that complete ``lines`` add, in the order of the file ``path``. Never raises."""
        ...

    def learn(self, usages: Iterable[Usage]) -> None:
        """Take what was told before as counted: records as they were told, or added up by ``Usage.key``."""
        ...

    def counted(self) -> tuple[Usage, ...]:
        """Return all that was counted and has a key, one record a key, for ``learn`` of a next life."""
        ...


class FileReader(Protocol):
    """Reads files that are rewritten whole, and databases."""

    def read(self, path: Path) -> Reading:
        """Return the usage that the file's present state adds to what was counted.

        What is malformed is counted and left out. Raises ``OSError`` where the file can't be read now, as a locked
        database: nothing was counted then, and another try is right.
        """
        ...

    def learn(self, usages: Iterable[Usage]) -> None:
        """Take what was told before as counted: records as they were told, or added up by ``Usage.key``."""
        ...

    def counted(self) -> tuple[Usage, ...]:
        """Return all that was counted and has a key, one record a key, for ``learn`` of a next life."""
        ...
