"""What a scan of the clients' logs hands to the usage ledger."""

from __future__ import annotations

from dataclasses import dataclass

LogRow = tuple[str, bool, float, str, str, str, str, str, int, int, int, int, int, str, int, int]
"""One response as one file has it; a plain tuple, as a first scan makes a hundred thousand of them and sends them from
process to process:

key: identity over all files of its client;
bare: the log names no request, and the key has the time instead;
wall: Unix seconds of the record itself;
model, session as the file's path says it, and as the line itself says it, speed (``fast`` or empty), service tier;
input (without anything cached), output, cache write (the 1 h part included), its 1 h part, cache read;
cost in USD as the log names it, a decimal number, empty where it names none;
rank, and the rank of what it weighs: of two rows with one key the higher stands, of equals the one in the file whose
path comes first.
"""


@dataclass(frozen=True, slots=True)
class LogFile:
    """How far one log was read."""

    client: str
    path: str
    device: int
    inode: int
    offset: int
    """All complete lines before it are in the ledger; for a file that is read whole, its size."""
    size: int
    """Of the file when its reading began."""
    mtime_ns: int
    """… and when it was last written then: with the same size and time there is nothing new."""
    guard: bytes
    """The first bytes and the last before ``offset``, ``GUARD`` of each: others there now mean another content."""
    bad_lines: int
    """Malformed lines and records that were left out so far."""


GUARD = 64
MAIN = 1 << 62
"""In the rank of Claude Code's responses: not of a side chain."""


@dataclass(frozen=True, slots=True)
class LogRead:
    """What one reading of one file gave."""

    file: LogFile
    anew: bool
    """Read from its beginning: what rows without an identity of their own it gave before are gone."""
    rows: tuple[LogRow, ...]
    cwds: tuple[tuple[str, str], ...] = ()
    """Session, and the directory it works in, where the log tells it."""
