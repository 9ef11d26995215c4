"""When something is looked at again: at moments that all share who look as often, so that rest is not woken up by each.

Ten looks a second that come one by one cost about twice what ten at once cost.
"""

from __future__ import annotations

import asyncio
import math


def until_next(period_s: float, least: float = 0.5) -> float:
    """Return the seconds until the next moment of those who look every ``period_s``, in the running loop.

    At least ``least`` of a period, and less than a whole one more; one period for who asks just after such a moment.
    """
    now = asyncio.get_running_loop().time()
    return math.ceil(now / period_s + least) * period_s - now


async def next_look(period_s: float) -> None:
    """Return at the next moment of those who look every ``period_s``."""
    await asyncio.sleep(until_next(period_s))
