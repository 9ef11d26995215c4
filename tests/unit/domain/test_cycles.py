"""What a cycle costs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from teamops.domain.cycles import LAST, cycle_cost, slice_of
from teamops.model.spend import Spend
from teamops.model.usage import Tokens


def priced(cost: str, tokens: int = 1) -> Spend:
    return Spend(1, Tokens(output=tokens), Decimal(cost))


UNPRICED = Spend(1, Tokens(output=90), Decimal("0.5"), 60)


@pytest.mark.parametrize(("wall", "begins"), [(1000.0, 1000.0), (1009.99, 1000.0), (1010.0, 1010.0)])
def test_a_slice_is_ten_seconds(wall: float, begins: float) -> None:
    assert slice_of(wall) == begins


def test_no_cycle_costs_nothing_that_could_be_told() -> None:
    assert cycle_cost([]) is None


def test_median_and_mean_are_of_what_is_priced() -> None:
    told = cycle_cost([(1.0, priced("0.1", 10)), (2.0, priced("0.6", 20)), (3.0, UNPRICED), (4.0, priced("0.2", 40))])
    assert told is not None
    assert (told.count, told.unpriced, told.last, told.last_wall) == (4, 1, priced("0.2", 40), 4.0)
    assert (told.median_usd, told.mean_usd) == (Decimal("0.2"), Decimal("0.3"))
    assert (told.median_tokens, told.mean_tokens) == (30, 40)


def test_of_many_the_last_fifty_count() -> None:
    told = cycle_cost([(0.0, priced("900")), *((float(at), priced("2")) for at in range(1, LAST + 1))])
    assert told is not None
    assert (told.count, told.median_usd, told.mean_usd) == (LAST, Decimal(2), Decimal(2))


def test_without_any_price_no_dollars_are_told() -> None:
    told = cycle_cost([(1.0, UNPRICED)])
    assert told is not None
    assert (told.unpriced, told.median_usd, told.mean_usd, told.median_tokens) == (1, Decimal(0), Decimal(0), 90)
