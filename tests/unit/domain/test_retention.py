"""When a thing is old: both the clock and the days on record must say so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.retention import DAY_S, cutoff, day_of

TODAY = 20_000
NOON = (TODAY + 0.5) * DAY_S
WEEK = range(TODAY - 30, TODAY + 1)


def test_what_is_older_than_so_many_whole_days_goes() -> None:
    assert cutoff(WEEK, NOON, 7) == (TODAY - 7) * DAY_S
    assert cutoff(WEEK, NOON, 1) == (TODAY - 1) * DAY_S
    assert cutoff(set(WEEK) - {TODAY}, NOON, 7) == (TODAY - 7) * DAY_S


def test_with_fewer_days_on_record_nothing_goes() -> None:
    assert cutoff([], NOON, 1) is None
    assert cutoff([TODAY], NOON, 1) is None
    assert cutoff(range(TODAY - 6, TODAY + 1), NOON, 7) is None
    assert cutoff(range(TODAY - 7, TODAY + 1), NOON, 7) is not None


def test_a_clock_that_jumped_ahead_ages_what_is_kept_by_a_day_at_most() -> None:
    jumped = NOON + 3650 * DAY_S
    assert cutoff({*WEEK, day_of(jumped)}, jumped, 7) == (TODAY - 6) * DAY_S
    assert cutoff(WEEK, jumped, 7) == (TODAY - 6) * DAY_S


def test_days_that_a_wrong_clock_left_count_for_nothing_once_it_is_right() -> None:
    left = {TODAY + 3650 + day for day in range(20)}
    assert cutoff({*WEEK, *left}, NOON, 7) == cutoff(WEEK, NOON, 7)
    assert cutoff(left, NOON, 7) is None


def test_a_clock_that_was_set_back_lets_nothing_go_that_is_younger_by_it() -> None:
    assert cutoff(WEEK, NOON - 20 * DAY_S, 7) == (TODAY - 27) * DAY_S
    assert cutoff(WEEK, 0.0, 7) is None


def test_days_off_don_t_count() -> None:
    weekly = range(TODAY - 70, TODAY + 1, 7)
    assert cutoff(weekly, NOON, 7) == (TODAY - 49) * DAY_S


@given(st.sets(st.integers(0, 60_000)), st.floats(0, 5e9), st.integers(1, 400))
def test_nothing_younger_than_so_many_days_goes(seen: set[int], wall: float, days: int) -> None:
    edge = cutoff(seen, wall, days)
    if edge is not None:
        assert edge <= wall - days * DAY_S
        assert sum(edge <= day * DAY_S <= wall for day in seen) >= days
