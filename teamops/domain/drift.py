"""Whether what an agent's cycles cost has left its baseline: in a day, and slowly over a week.

Source of the way: medians and their absolute deviations, which a few dear cycles, or a dear day, don't move. Costs are
compared as ratios (logarithms). A slow drift never leaves a baseline that follows it, so the week is judged by its
trend: the median of all slopes between two of its days (Theil and Sen).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from statistics import median

from teamops.model.day_facts import CycleDay
from teamops.model.day_report import Course, CycleDrift

BEFORE = 7
"""So many days before a day are its baseline."""
WEEK = 7
ENOUGH_CYCLES = 12
"""A day with fewer says nothing."""
ENOUGH_DAYS = 3
"""A baseline has at least so many days."""
ENOUGH_OF_WEEK = 5
FACTOR = 1.5
"""A day off its baseline is off by at least so much …"""
DEVIATIONS = 3.5
"""… and by so many deviations of the days before."""
WEEK_FACTOR = 1.25
WEEK_DEVIATIONS = 3.0
WEEK_AGREEMENT = 0.85
"""So many of all pairs of days go the way of the trend: one odd day, or chance, makes no drift."""
_SCALE = 1.4826
"""A median absolute deviation times this is a standard deviation, of figures that are distributed normally."""


def cycle_drift(days: Sequence[CycleDay], told: int) -> CycleDrift:
    """Return how the last of ``days`` stands to those before; ``told``: so many of them, the last ones, are reported.

    ``days``: oldest first, one after the other, with those that the first reported one is compared with.
    """
    if not days:
        return CycleDrift()
    judged = [_judge(days, place) for place in range(max(0, len(days) - told), len(days))]
    course, usual = judged[-1]
    week, ratio = _week(days[-WEEK:])
    last = days[-1]
    return CycleDrift(
        count=last.count,
        unpriced=last.unpriced,
        median_usd=last.median_usd,
        usual_usd=usual,
        course=course,
        week=week,
        week_ratio=ratio,
        days_off=sum(one in (Course.DEARER, Course.CHEAPER) for one, _ in judged),
    )


def _judge(days: Sequence[CycleDay], place: int) -> tuple[Course, Decimal | None]:
    """Return how a day stands to those before it, and what was usual in these."""
    before = [known for day in days[max(0, place - BEFORE) : place] if (known := _usable(day)) is not None]
    if len(before) < ENOUGH_DAYS:
        return Course.UNKNOWN, None
    usual = median(before)
    own = _usable(days[place])
    if own is None:
        return Course.UNKNOWN, usual
    logs = [math.log(one) for one in before]
    least = max(math.log(FACTOR), DEVIATIONS * _spread(logs))
    return _course(math.log(own) - math.log(usual), least), usual


def _week(days: Sequence[CycleDay]) -> tuple[Course, float | None]:
    """Return whether a week drifts, and from its first day to its last by how much."""
    points = [(place, math.log(known)) for place, day in enumerate(days) if (known := _usable(day)) is not None]
    if len(points) < ENOUGH_OF_WEEK:
        return Course.UNKNOWN, None
    slopes = [(high[1] - low[1]) / (high[0] - low[0]) for low, high in combinations(points, 2)]
    slope = median(slopes)
    change = slope * (points[-1][0] - points[0][0])
    spread = _spread([log - slope * place for place, log in points])
    agree = sum(one * slope > 0 for one in slopes) >= WEEK_AGREEMENT * len(slopes)
    least = max(math.log(WEEK_FACTOR), WEEK_DEVIATIONS * spread) if agree else math.inf
    return _course(change, least), math.exp(change)


def _usable(day: CycleDay) -> Decimal | None:
    """Return a day's median; ``None`` where it says nothing."""
    return day.median_usd if day.count >= ENOUGH_CYCLES and day.median_usd else None


def _spread(logs: Sequence[float]) -> float:
    middle = median(logs)
    return _SCALE * median(abs(one - middle) for one in logs)


def _course(change: float, least: float) -> Course:
    if abs(change) < least:
        return Course.USUAL
    return Course.DEARER if change > 0 else Course.CHEAPER
