"""What the readers of all clients' logs take fields for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec

from teamops.model.text import clean_line
from teamops.model.usage import Tokens, Usage
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally

MAX_NAME = 200
MAX_COST = Decimal(10**6)
"""US dollars; a response that says it cost more is told by its tokens."""
MAX_FILE_BYTES = 1 << 28
"""A log that is rewritten whole and larger than this is no log of a session."""
MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding outside text raises; the last one on a line of brackets."""

Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
MAX_WALL = 253_370_764_800.0
"""The year 9999 begins, Unix seconds: later than that is no day in any timezone."""
Millis = Annotated[float, msgspec.Meta(ge=0, le=MAX_WALL * 1000)]
"""Milliseconds since the epoch."""


@lru_cache(maxsize=1024)
def name(text: str) -> str:
    """Clean a name; the same few come in every line."""
    return clean_line(text, MAX_NAME)


def wall_of(at: datetime) -> float:
    """Return Unix seconds; without a timezone it is UTC."""
    return min(max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()), MAX_WALL)


def cost_of(said: Decimal | None, *, free: bool) -> Decimal | None:
    """Return a cost that a log names, where anybody could have paid it; ``free`` says whether it may be nothing."""
    if said is None or not said.is_finite() or not 0 <= said <= MAX_COST:
        return None
    return said if said or free else None


def with_rest(tokens: Tokens, total: int) -> Tokens:
    """Return ``tokens`` with what its ``total`` has more as output: so unnamed kinds, as reasoning, are billed."""
    missing = total - tokens.total
    if missing <= 0:
        return tokens
    return Tokens(tokens.input, tokens.output + missing, tokens.cache_write, tokens.cache_write_1h, tokens.cache_read)


def is_cut(line: bytes) -> bool:
    """Return whether a line that nobody decodes, which would cost too much, was cut or mixed up: its ends show it."""
    if line.startswith(b"{") and line.endswith(b"}"):
        return False
    line = line.strip()
    return bool(line) and not (line.startswith(b"{") and line.endswith(b"}"))


def read_lines(
    lines: Iterable[bytes], wanted: Callable[[bytes], bool], take: Callable[[bytes], Iterable[Usage]], tally: Tally
) -> Reading:
    """Return what ``take`` makes of the ``wanted`` lines and is new to ``tally``. ``take`` may raise ``MALFORMED``."""
    usages: list[Usage] = []
    bad = 0
    newest: float | None = None
    for line in lines:
        if not wanted(line):
            bad += is_cut(line)
            continue
        try:
            found = tuple(take(line))
        except MALFORMED:
            bad += 1
            continue
        for usage in found:
            newest = usage.wall if newest is None else max(newest, usage.wall)
            usages += tally.count(usage)
    return Reading(tuple(usages), bad, newest)


def count_all(found: Iterable[Usage], bad: int, tally: Tally) -> Reading:
    """Return what the records of one file add to ``tally``."""
    records = tuple(found)
    deltas = [delta for usage in records for delta in tally.count(usage)]
    return Reading(tuple(deltas), bad, max((usage.wall for usage in records), default=None))


def read_whole(path: Path) -> bytes:
    """Return a file's content; nothing of one that is too large. Raises ``OSError``."""
    if path.stat().st_size > MAX_FILE_BYTES:
        return b""
    return path.read_bytes()
