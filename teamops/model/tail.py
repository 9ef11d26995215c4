"""Where a tail stands in an append-only file."""

from __future__ import annotations

from msgspec import Struct

from teamops.model.role import Role


class Position(Struct, frozen=True):
    """All up to here was read. Kept in the ledger so that the next start reads on from here."""

    path: str
    """Of a session in a database its id follows, after a "#"."""
    device: int
    inode: int
    offset: int
    """Bytes read, up to the end of the last complete line; of a log that is rewritten, how often it told something."""
    generation: int = 0
    """How often the file at this path was begun again (truncated, replaced): tells a replay from a new beginning."""


class KnownLog(Struct, frozen=True):
    """A log that has told usage."""

    role: Role
    """Whose usage it was last."""
    client: str
    wall: float
    """When it last told some, Unix seconds."""
