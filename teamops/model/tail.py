"""Where a tail stands in an append-only file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """All up to here was read. Kept in the ledger so that the next start reads on from here."""

    path: str
    device: int
    inode: int
    offset: int
    """Bytes read, up to the end of the last complete line."""
    generation: int = 0
    """How often the file at this path was begun again (truncated, replaced): tells a replay from a new beginning."""
