from __future__ import annotations

import json
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.price import OwnPrice
from teamops.model.usage import Tokens, Usage
from teamops.usage.price_list import PriceList
from teamops.usage.pricing import Pricer
from teamops.usage.rates import Card, Price, Rates, own_rates, to_json
from teamops.usage.rates_lookup import RatesLookup

DAY = "2026-11-22"
WALL = 1_795_350_000.0


def flat(price: str) -> Price:
    return Price(((0, Decimal(price)),))


TIERED = Price(((0, Decimal(1)), (200_000, Decimal(2))))
RATES = Rates(Card(TIERED, flat("10"), flat("1.25"), flat("2"), flat("0.1")), Card(*[flat("6")] * 5))
LIST = PriceList({("m", DAY): to_json(RATES), ("none", DAY): None, ("odd", DAY): "{"}, {})


def usage(tokens: Tokens, model: str = "m", *, speed: str = "", context: int = 0) -> Usage:
    return Usage(wall=WALL, model=model, tokens=tokens, client="c", speed=speed, context=context)


def test_what_is_not_known_is_missing_and_what_has_no_price_is_not() -> None:
    wanted = [("m", DAY), ("m", "2026-11-23"), ("none", DAY), ("odd", DAY), ("", DAY)]
    assert LIST.missing(wanted) == {("m", "2026-11-23"), ("odd", DAY)}
    own = PriceList({}, {"m": OwnPrice(input=Decimal(1), output=Decimal(1))})
    assert own.missing([("m", DAY)]) == set()


def test_tiers_are_those_of_all_rates() -> None:
    other = Rates(Card(*[Price(((0, Decimal(1)), (32_000, Decimal(2)), (200_000, Decimal(3))))] * 5))
    assert PriceList({("a", DAY): to_json(RATES), ("b", DAY): to_json(other)}, {}).tiers() == (32_000, 200_000)
    assert PriceList({}, {}).tiers() == ()


COUNTS = st.integers(0, 300_000)
RESPONSES = st.lists(st.builds(lambda a, b, c: Tokens(a, b, c, c // 2, c), COUNTS, COUNTS, COUNTS), max_size=12)


@given(responses=RESPONSES)
def test_a_sum_within_one_tier_costs_what_its_responses_cost(responses: list[Tokens]) -> None:
    pricer = Pricer({("m", DAY): to_json(RATES)})
    bands: dict[int, Tokens] = {}
    for tokens in responses:
        size = tokens.input + tokens.cache_write + tokens.cache_read
        band = 200_001 if size > 200_000 else 1
        bands[band] = bands.get(band, Tokens()) + tokens
    whole = sum((LIST.price(usage(tokens, context=band)) or 0 for band, tokens in bands.items()), Decimal(0))
    assert whole == sum((pricer.price(usage(tokens)) or 0 for tokens in responses), Decimal(0))


def test_a_speed_or_model_without_a_price_has_none() -> None:
    assert LIST.price(usage(Tokens(10**6), speed="fast")) == 6
    assert LIST.price(usage(Tokens(1), model="none")) is None
    assert LIST.price(usage(Tokens(1), model="never heard of")) is None


def test_a_persons_own_price_holds_before_the_table_in_both_places() -> None:
    own = {"m": OwnPrice(input=Decimal(3), output=Decimal(4))}
    tokens = Tokens(10**6, 10**6, 10**6, 10**6, 10**6)
    assert PriceList({("m", DAY): to_json(RATES)}, own).price(usage(tokens)) == 3 + 4 + 3 + 3
    pricer = Pricer({}, own=own)
    assert pricer.price(usage(tokens)) == 3 + 4 + 3 + 3
    assert pricer.price(usage(tokens, speed="fast")) is None
    assert pricer.missing() == set()


def test_each_kind_of_token_can_have_its_own_price() -> None:
    kinds = {"input": 1, "output": 2, "cache_write": 3, "cache_write_1h": 4, "cache_read": 5, "fast": 10}
    rates = own_rates(OwnPrice(**{kind: Decimal(price) for kind, price in kinds.items()}))
    assert rates.fast is not None
    for kind, price in kinds.items():
        if kind != "fast":
            assert getattr(rates.standard, kind).at(10**9) == price
            assert getattr(rates.fast, kind).at(0) == 10 * price


def test_prices_are_looked_up_in_another_process() -> None:
    with RatesLookup() as lookup:
        lookup.start()
        found = lookup.ask([("claude-opus-4-5", DAY), ("mystery", DAY)])
        assert lookup.ask([]) == {}
    assert found["mystery", DAY] is None
    assert json.loads(found["claude-opus-4-5", DAY] or "")["standard"]["input"] == [[0, "5"]]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('the table is gone')", "the table is gone"),
        ("import sys; sys.exit(3)", "status 3"),
        ("print('[]')", "something else"),
        ("print('no JSON')", "Expecting value"),
        ("import time; time.sleep(60)", "no answer"),
    ],
)
def test_why_there_is_no_answer_is_said(program: str, said: str) -> None:
    lookup = RatesLookup((sys.executable, "-c", program), timeout_s=2.0 if "sleep" in program else 30.0)
    with lookup, pytest.raises(ValueError, match=said):
        lookup.ask([("m", DAY)])


def test_a_look_up_that_is_not_asked_ends() -> None:
    with RatesLookup((sys.executable, "-c", "import sys; sys.stdin.read()")) as lookup:
        lookup.start()
