"""What a forecast promises, whatever was spent when."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.burn import LEAST_S, burn
from teamops.domain.days import HOUR_S
from teamops.model.cost_report import Verdict

MONEY = st.decimals(0, 10_000, places=4)


@given(
    at=st.floats(0, 24 * HOUR_S),
    history=st.none() | st.floats(0, 90 * 24 * HOUR_S),
    today=MONEY,
    hour=MONEY,
    limit=st.none() | st.decimals("0.01", 20_000, places=2),
)
def test_a_forecast_is_no_less_than_what_is_spent_and_its_verdict_follows_from_it(
    at: float, history: float | None, today: Decimal, hour: Decimal, limit: Decimal | None
) -> None:
    day = (0.0, 24 * HOUR_S)
    first = None if history is None else at - history
    told = burn(wall=at, day=day, first_wall=first, today_usd=today, hour_usd=hour, limit_usd=limit)
    known = first is not None and at - first >= LEAST_S
    assert (told.hour_usd is not None) == (told.forecast_usd is not None) == known
    if told.forecast_usd is not None:
        assert told.forecast_usd >= today
    if limit is None:
        assert told.verdict is Verdict.NO_BUDGET
    elif told.verdict is Verdict.SPENT:
        assert today >= limit
    elif told.verdict is Verdict.OVER:
        assert told.forecast_usd is not None
        assert told.forecast_usd >= limit > today
        assert told.spent_by_wall is not None
        assert at <= told.spent_by_wall <= day[1]
    elif told.verdict is Verdict.WITHIN:
        assert told.forecast_usd is not None
        assert told.forecast_usd < limit
    assert (told.spent_by_wall is None) == (told.verdict is not Verdict.OVER)


@given(today=MONEY, hours=st.lists(MONEY, min_size=2, max_size=2, unique=True))
def test_who_spends_faster_is_forecast_more(today: Decimal, hours: list[Decimal]) -> None:
    slow, fast = (
        burn(
            wall=HOUR_S,
            day=(0.0, 24 * HOUR_S),
            first_wall=-HOUR_S,
            today_usd=today,
            hour_usd=hour,
            limit_usd=None,
        ).forecast_usd
        for hour in sorted(hours)
    )
    assert slow is not None
    assert fast is not None
    assert fast > slow
