"""How fast dollars go, and what the day will cost if they go on so.

The rate is what the last 60 minutes cost, per hour. The forecast is what is spent today, plus that rate times the
hours that are left of the day: it says "if it goes on as in the last hour", not more. Where fewer than 60 minutes are
on record the rate is of those; where fewer than ten are, there is neither rate nor forecast. What has no price is in
none of them.
"""

from __future__ import annotations

from decimal import Decimal

from teamops.domain.days import HOUR_S
from teamops.model.cost_report import Burn, Verdict

LEAST_S = 600.0
"""With less on record than this nothing is said of a rate: one dear answer would be one of hundreds of dollars."""
_HOUR = Decimal(HOUR_S)
_MICRO = Decimal("0.000001")


def burn(
    *,
    wall: float,
    day: tuple[float, float],
    first_wall: float | None,
    today_usd: Decimal,
    hour_usd: Decimal,
    limit_usd: Decimal | None,
) -> Burn:
    """Return rates, forecast and verdict as of ``wall``. All times in Unix seconds.

    ``day``: when it began, and when it ends. ``first_wall``: the first response on record, of whatever day; ``None``:
    there is none. ``today_usd``: spent since the day began. ``hour_usd``: spent in the 60 minutes before ``wall``.
    """
    began, ends = day
    by_hour = _rate(hour_usd, wall, wall - HOUR_S, first_wall)
    by_day = _rate(today_usd, wall, began, first_wall)
    left_s = max(0.0, ends - wall)
    forecast = None if by_hour is None else today_usd + (by_hour * Decimal(left_s) / _HOUR).quantize(_MICRO)
    verdict, spent_by = _judge(today_usd, forecast, limit_usd), None
    if verdict is Verdict.OVER and limit_usd is not None and by_hour:
        spent_by = min(ends, wall + float((limit_usd - today_usd) / by_hour) * HOUR_S)
    return Burn(
        hour_usd=by_hour,
        day_usd=by_day,
        forecast_usd=forecast,
        limit_usd=limit_usd,
        verdict=verdict,
        spent_by_wall=spent_by,
    )


def _rate(usd: Decimal, wall: float, since_wall: float, first_wall: float | None) -> Decimal | None:
    """Return $ per hour of what was spent since ``since_wall``, or since the first response, if that came later."""
    if first_wall is None:
        return None
    span = wall - max(since_wall, first_wall)
    return (usd * _HOUR / Decimal(span)).quantize(_MICRO) if span >= LEAST_S else None


def _judge(today_usd: Decimal, forecast_usd: Decimal | None, limit_usd: Decimal | None) -> Verdict:
    if limit_usd is None:
        return Verdict.NO_BUDGET
    if today_usd >= limit_usd:
        return Verdict.SPENT
    if forecast_usd is None:
        return Verdict.UNKNOWN
    return Verdict.OVER if forecast_usd >= limit_usd else Verdict.WITHIN
