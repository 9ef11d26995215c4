from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from teamops.model.events import Event, Ticked
from teamops.sources.clock import GAP_TICKS, Clock, ClockSource


class Hands:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.wall = 5000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.monotonic, lambda: self.wall)

    def run(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds


def test_ordinary_time_is_counted() -> None:
    hands = Hands()
    clock = hands.clock()
    start = clock.stamp()
    hands.run(1.0)
    assert clock.stamp().now - start.now == 1.0
    assert clock.take_gap() == 0.0


def test_eight_hours_of_sleep_count_as_one_tick() -> None:
    hands = Hands()
    clock = hands.clock()
    start = clock.stamp()
    hands.run(8 * 3600)
    assert clock.stamp().now - start.now == 1.0
    assert clock.take_gap() == 8 * 3600 - 1.0
    assert clock.take_gap() == 0.0


def test_a_jump_of_the_wall_clock_changes_no_age() -> None:
    hands = Hands()
    clock = hands.clock()
    start = clock.stamp()
    hands.run(1.0)
    hands.wall -= 7200
    after = clock.stamp()
    assert after.now - start.now == 1.0
    assert after.wall < start.wall


@given(st.lists(st.floats(0, 100_000), max_size=30))
def test_observed_time_never_runs_back_and_no_step_is_longer_than_the_allowance(steps: list[float]) -> None:
    hands = Hands()
    clock = hands.clock()
    before = clock.stamp().now
    for step in steps:
        hands.run(step)
        now = clock.stamp().now
        assert -1e-6 <= now - before <= GAP_TICKS + 1e-6
        before = now


async def test_ticks_say_a_gap_once() -> None:
    hands = Hands()
    source = ClockSource(hands.clock(), tick_s=0.001)
    seen: asyncio.Queue[Event] = asyncio.Queue()
    await source.start(seen.put_nowait)
    first = await seen.get()
    hands.run(100)
    gaps = []
    for _ in range(5):
        event = await asyncio.wait_for(seen.get(), 5)
        assert isinstance(event, Ticked)
        gaps.append(event.gap_s)
    await source.stop()
    await source.stop()
    assert isinstance(first, Ticked)
    assert max(gaps) == 99.0
    assert sum(gap > 0 for gap in gaps) == 1
