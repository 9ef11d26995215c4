from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from teamops.model.usage import Tokens, Usage
from teamops.usage.tally import Tally, first_wins, last_wins

OLD = Usage(wall=1000.0, model="m", tokens=Tokens(10, 5), client="c", session="s", key="k")


def told(*usages: Usage) -> tuple[Usage, ...]:
    tally = Tally(last_wins)
    return tuple(delta for usage in usages for delta in tally.count(usage))


def test_what_grows_where_it_is_adds_what_is_new() -> None:
    first, more = told(OLD, replace(OLD, wall=1001.0, tokens=Tokens(10, 9)))
    assert first == OLD
    assert (more.tokens, more.wall, more.context) == (Tokens(output=4), 1001.0, 10)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"wall": 1801.0}, id="another quarter of an hour, which may be another day"),
        pytest.param({"model": "other"}, id="another model"),
        pytest.param({"session": "fork"}, id="another session"),
        pytest.param({"speed": "fast"}, id="another speed"),
        pytest.param({"service_tier": "batch"}, id="another tier"),
        pytest.param({"cost_usd": Decimal("0.1")}, id="a cost of its own"),
        pytest.param({"tokens": Tokens(300_000, 5)}, id="another long-context price"),
    ],
)
def test_what_is_counted_elsewhere_is_taken_back_where_it_was(change: dict[str, Any]) -> None:
    new = replace(OLD, **change)
    _, back, again = told(OLD, new)
    assert back == replace(OLD, tokens=Tokens(-10, -5), context=10)
    assert again == new


def test_a_cost_is_taken_back_with_its_tokens() -> None:
    paid = replace(OLD, cost_usd=Decimal("0.5"))
    _, back, _ = told(paid, replace(paid, session="fork"))
    assert back.cost_usd == Decimal("-0.5")


def test_what_was_forgotten_may_come_again() -> None:
    tally = Tally(first_wins)
    tally.count(OLD)
    assert tally.take_back("k") == (replace(OLD, tokens=Tokens(-10, -5), context=10),)
    assert tally.take_back("k") == ()
    assert tally.counted() == ()
    assert tally.count(OLD) == (OLD,)


def test_a_next_life_forgets_what_was_taken_back() -> None:
    tally = Tally(first_wins)
    tally.learn([OLD, replace(OLD, tokens=Tokens(-10, -5))])
    assert tally.get("k") is None
    assert tally.count(OLD) == (OLD,)


PLACES = st.builds(
    lambda wall, model, session, given, output: replace(
        OLD, wall=wall, model=model, session=session, tokens=Tokens(given, output)
    ),
    st.sampled_from([0.0, 899.0, 900.0]),
    st.sampled_from(["m", "n"]),
    st.sampled_from(["s", "t"]),
    st.integers(0, 3),
    st.integers(1, 3),
)


@given(st.lists(PLACES, min_size=1, max_size=8), st.integers(0, 8))
def test_the_deltas_leave_the_last_record_alone_over_lives_too(usages: list[Usage], cut: int) -> None:
    deltas = list(told(*usages[: cut or 1]))
    tally = Tally(last_wins)
    tally.learn(deltas)
    for usage in usages[cut or 1 :]:
        deltas += tally.count(usage)
    sums: dict[tuple[float, str, str], Tokens] = {}
    for delta in deltas:
        place = (delta.wall // 900, delta.model, delta.session)
        sums[place] = sums.get(place, Tokens()) + delta.tokens
    last = usages[-1]
    assert {place: tokens for place, tokens in sums.items() if tokens != Tokens()} == {
        (last.wall // 900, last.model, last.session): last.tokens
    }
