"""How long what is in the ledger is kept: when a moment is old enough for it to go."""

from __future__ import annotations

from collections.abc import Collection

DAY_S = 86_400


def day_of(wall: float) -> int:
    """Return the number of a moment's day, of UTC, since 1970."""
    return int(wall // DAY_S)


def cutoff(seen: Collection[int], wall: float, days: int) -> float | None:
    """Return the moment before which all goes that is kept for ``days`` days; ``None``: nothing goes.

    ``seen``: the numbers of days on which something was recorded. The wall clock alone may be wrong by years, so both
    must say that a thing is old: the clock, and as many later days on which there was something to record, today's not
    counted. A clock that jumped ahead makes the kept ones no more than one day older; days after ``wall`` are left by a
    clock that was set back, and count for nothing.
    """
    known = sorted((day for day in set(seen) if day <= day_of(wall)), reverse=True)
    if known and known[0] == day_of(wall):
        known = known[1:]
    if len(known) < days:
        return None
    return min(wall - days * DAY_S, float(known[days - 1] * DAY_S))
