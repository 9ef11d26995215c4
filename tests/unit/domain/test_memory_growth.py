"""Series of an agent's memory, and what is to be said of each. Sizes in MB, a sample a minute."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.limits import Limits
from teamops.domain.memory_growth import Sample, coming, growth, note, size_words, span_words, too_much

MB = 1 << 20
LIMITS = Limits()
NOISE = random.Random(7)  # noqa: S311 - a test must repeat


def series(minutes: int, size: Callable[[int], float], *, start: float = 1_800_000_000.0) -> list[Sample]:
    return [(start + 60.0 * minute, int(size(minute) * MB)) for minute in range(minutes)]


def alarms(samples: list[Sample]) -> bool:
    found = growth(samples, LIMITS.memory_bytes)
    return coming(found, LIMITS, before=False) or too_much(found, LIMITS, before=False)


def sawtooth(minute: int) -> float:
    return 600 + 40 * (minute % 20)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        pytest.param(series(300, lambda _: 500), "", id="flat"),
        pytest.param(series(300, sawtooth), "", id="garbage collection"),
        pytest.param(series(300, lambda _: 500 + NOISE.uniform(0, 300)), "", id="noise"),
        pytest.param(series(300, lambda m: 500 if m < 150 else 2500), "", id="loads something large, once"),
        pytest.param(series(300, lambda m: min(500 + 20 * m, 2000)), "", id="fills a cache, then rests"),
        pytest.param(series(20, lambda m: 500 + 50 * m), "", id="too short to say"),
        pytest.param(series(300, lambda m: 3000 - 5 * m), "", id="shrinks"),
        pytest.param(series(180, lambda m: 1000 + 10 * m), "4 GB in about 2 h", id="leaks"),
        pytest.param(
            series(180, lambda m: 1000 + 6 * m + sawtooth(m) - 600), "4 GB in about 5 h", id="leaks under a saw"
        ),
        pytest.param(series(120, lambda m: 1000 + 24 * m), "4 GB in about 10 min", id="leaks fast"),
        pytest.param(series(40, lambda _: 4200), "4.1 GB, over 4 GB", id="too much"),
        pytest.param(series(180, lambda m: 1000 + 20 * m), "4.5 GB, over 4 GB", id="leaks, and is too much"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_what_is_said_of_a_series(samples: list[Sample], said: str) -> None:
    assert note(growth(samples, LIMITS.memory_bytes), LIMITS) == said
    assert alarms(samples) is bool(said)


def test_the_past_before_the_window_does_not_count() -> None:
    grown = series(24 * 60, lambda m: min(500 + 3 * m, 2000))
    assert note(growth(grown, LIMITS.memory_bytes), LIMITS) == ""
    assert note(growth(grown[:490], LIMITS.memory_bytes), LIMITS) != ""


def test_a_sleep_in_between_is_no_growth_and_hides_none() -> None:
    before, after = series(100, lambda m: 1000 + 8 * m), series(100, lambda m: 1800 + 8 * m, start=1_800_010_000.0)
    assert note(growth([*before, *after], LIMITS.memory_bytes), LIMITS).startswith("4 GB in about")


def test_an_alert_stays_until_it_is_well_over() -> None:
    just = growth(series(60, lambda _: 3900), LIMITS.memory_bytes)
    assert (too_much(just, LIMITS, before=True), too_much(just, LIMITS, before=False)) == (True, False)
    well = growth(series(60, lambda _: 3500), LIMITS.memory_bytes)
    assert not too_much(well, LIMITS, before=True)


def test_no_false_alarm_in_a_hundred_days_of_honest_agents() -> None:
    chance = random.Random(11)  # noqa: S311 - a test must repeat
    wrong = 0
    for _ in range(100):
        level, samples = 500.0, []
        for minute in range(24 * 60):
            if chance.random() < 0.01:
                level = chance.uniform(350, 1800)  # a new conversation, a larger file, a compaction
            samples.append((1_800_000_000.0 + 60 * minute, int((level + chance.uniform(0, 250)) * MB)))
        wrong += any(alarms(samples[max(0, end - 361) : end]) for end in range(60, len(samples), 15))
    assert wrong <= 10  # one in ten days at most, the bar for all that may call a person


@pytest.mark.parametrize("per_hour", [150, 400, 1200])
def test_a_leak_is_told_before_it_is_too_much(per_hour: int) -> None:
    chance = random.Random(per_hour)  # noqa: S311 - a test must repeat
    samples = series(40 * 60, lambda m: 600 + per_hour * m / 60 + chance.uniform(0, 80))
    told = next(end for end in range(60, len(samples)) if alarms(samples[:end]))
    assert samples[told][1] < 0.9 * LIMITS.memory_bytes


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.integers(0, 1 << 45)), max_size=60).map(sorted),
    st.integers(1 << 20, 1 << 50),
)
def test_whatever_was_measured_something_sensible_is_said(samples: list[Sample], limit: int) -> None:
    found = growth(samples, limit)
    assert found.per_s >= 0
    assert found.limit_in_s is None or found.limit_in_s >= 0
    assert isinstance(note(found, LIMITS), str)


def test_words() -> None:
    assert [size_words(size) for size in (350 * MB, 4 << 30, int(1.26 * (1 << 30)))] == ["350 MB", "4 GB", "1.3 GB"]
    assert [span_words(span) for span in (20, 500, 1300, 5500, 18000)] == ["1 min", "8 min", "20 min", "2 h", "5 h"]
