"""The memory of an agent's process tree over hours: whether it grows without end, and when it is too much.

A client's memory goes up and down with its work and its garbage collection, and jumps when it loads something. So what
counts is the floor (the least of five minutes), and growth has to be there in each third of what is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from msgspec import Struct

from teamops.domain.limits import Limits

Sample = tuple[float, int]
"""(Unix seconds, bytes)"""

WINDOW_S = 6 * 3600.0
LEAST_S = 1800.0
"""Nothing is said of a shorter time."""
FLOOR_S = 300.0
LEAST_GROWTH = 32 << 20
"""Bytes that a third of the window must have grown by: less is noise."""
GIB = 1 << 30
MIB = 1 << 20


class Growth(Struct, frozen=True):
    """What the samples say."""

    now: int
    """The newest sample, bytes."""
    per_s: float = 0.0
    """How its floor grows, bytes per second; 0 = it doesn't, steadily."""
    limit_in_s: float | None = None
    """So soon it passes the limit if it goes on so; ``None`` = it doesn't grow, or is past it."""


def growth(samples: Sequence[Sample], limit: int) -> Growth:
    """Return how the memory of one process tree grows. ``samples``: of one process, oldest first."""
    if not samples:
        return Growth(0)
    end, now = samples[-1]
    floors = _floors([sample for sample in samples if sample[0] > end - WINDOW_S])
    if len(floors) < 6 or floors[-1][0] - floors[0][0] < LEAST_S or not _steady(floors):
        return Growth(now)
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(floors, 2))
    per_s = slopes[len(slopes) // 2]  # Theil-Sen: what a third of outliers does not move
    if per_s <= 0 or now >= limit:
        return Growth(now, max(0.0, per_s))
    level = sorted(rss + per_s * (end - wall) for wall, rss in floors)[len(floors) // 2]
    return Growth(now, per_s, max(0.0, (limit - level) / per_s))


def _floors(samples: Sequence[Sample]) -> list[Sample]:
    least: dict[int, Sample] = {}
    for wall, rss in samples:
        at = int(wall // FLOOR_S)
        if at not in least or rss < least[at][1]:
            least[at] = (wall, rss)
    return list(least.values())


def _steady(floors: Sequence[Sample]) -> bool:
    """Return whether the floor rose in each third of the window, the last one included."""
    third = len(floors) // 3
    lows = [min(rss for _, rss in floors[at * third : (at + 1) * third if at < 2 else None]) for at in range(3)]
    tops = [sorted(rss for _, rss in floors[at * third : (at + 1) * third if at < 2 else None]) for at in range(3)]
    middles = [rows[len(rows) // 2] for rows in tops]
    first, second = middles[1] - middles[0], middles[2] - middles[1]
    whole = first + second
    return lows[2] > lows[0] and min(first, second) >= max(LEAST_GROWTH, 0.25 * whole)


def too_much(grows: Growth, limits: Limits, *, before: bool) -> bool:
    """Return whether it is over the limit. ``before``: it was, a moment ago; then it must fall well below it again."""
    return grows.now >= limits.memory_bytes * (0.9 if before else 1.0)


def coming(grows: Growth, limits: Limits, *, before: bool) -> bool:
    """Return whether it will be too much within the time that is looked ahead."""
    ahead = limits.memory_ahead_s * (1.25 if before else 1.0)
    return grows.limit_in_s is not None and grows.limit_in_s <= ahead


def note(grows: Growth, limits: Limits) -> str:
    """Return what is worth saying in a line: "4 GB in about 5 h"; empty = nothing."""
    if grows.now >= limits.memory_bytes:
        return f"{size_words(grows.now)}, over {size_words(limits.memory_bytes)}"
    if grows.limit_in_s is None or grows.limit_in_s > 2 * limits.memory_ahead_s:
        return ""
    return f"{size_words(limits.memory_bytes)} in about {span_words(grows.limit_in_s)}"


def size_words(amount: int) -> str:
    """Return bytes as "4 GB" or "350 MB", in units of 1024."""
    if amount >= GIB:
        return f"{amount / GIB:.1f}".removesuffix(".0") + " GB"
    return f"{amount / MIB:.0f} MB"


def span_words(seconds: float) -> str:
    """Return a forecast no finer than it is known: "20 min", "5 h"."""
    if seconds < 5400:
        return f"{max(1, round(seconds / 60 / 5) * 5 if seconds > 600 else round(seconds / 60))} min"
    return f"{round(seconds / 3600)} h"
