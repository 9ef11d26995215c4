from __future__ import annotations

import pytest

from teamops.domain.light import Light, read_light
from teamops.domain.limits import Limits
from teamops.model.handoff import Stage
from teamops.model.role import DEVELOPER, HUMAN, Role
from teamops.model.snapshot import LightState

PER_TIER = Limits(waiting_by_tier={3: 600.0}, stale_by_tier={3: 1800.0})


def a_light(role: Role = DEVELOPER, tier: int | None = 2, since: float = 1000.0) -> Light:
    return Light(
        task="t", role=role, tier=tier, stage=Stage.IMPLEMENT, since=since, since_wall=5000.0, line=3, digest="d"
    )


@pytest.mark.parametrize(
    ("age", "worked_ago", "state", "answered", "unanswered"),
    [
        pytest.param(0, None, LightState.WORKING, False, 0, id="just handed on"),
        pytest.param(299.9, None, LightState.WORKING, False, 299.9, id="before 5 min"),
        pytest.param(300, None, LightState.WAITING, False, 300, id="at 5 min"),
        pytest.param(779.9, None, LightState.WAITING, False, 779.9, id="before 13 min"),
        pytest.param(780, None, LightState.STALE, False, 780, id="at 13 min"),
        pytest.param(780, 781, LightState.STALE, False, 780, id="work before the light came is no answer"),
        pytest.param(780, 780, LightState.STALE, True, 780, id="took it at once, nothing since"),
        pytest.param(780, 1, LightState.WORKING, True, 1, id="works"),
        pytest.param(10_000, 299, LightState.WORKING, True, 299, id="old light, fresh work"),
        pytest.param(10_000, 300, LightState.WAITING, True, 300, id="stopped 5 min ago"),
        pytest.param(-5, None, LightState.WORKING, False, 0, id="from the future counts as now"),
    ],
)
def test_limits_count_from_the_last_sign(
    age: float, worked_ago: float | None, state: LightState, answered: bool, unanswered: float
) -> None:
    now = 1000.0 + age
    reading = read_light(a_light(), None if worked_ago is None else now - worked_ago, now, Limits())
    assert (reading.state, reading.answered) == (state, answered)
    assert reading.unanswered_s == pytest.approx(unanswered)


@pytest.mark.parametrize(
    ("tier", "age", "state"),
    [
        pytest.param(3, 700, LightState.WAITING, id="tier 3 has its own limits: waiting"),
        pytest.param(3, 599, LightState.WORKING, id="tier 3 has its own limits: working"),
        pytest.param(3, 1800, LightState.STALE, id="tier 3 has its own limits: stale"),
        pytest.param(2, 780, LightState.STALE, id="tier 2 keeps the default"),
        pytest.param(None, 780, LightState.STALE, id="no tier keeps the default"),
    ],
)
def test_limits_per_tier(tier: int | None, age: float, state: LightState) -> None:
    assert read_light(a_light(tier=tier), None, 1000.0 + age, PER_TIER).state is state


def test_a_persons_light_is_never_stale() -> None:
    assert read_light(a_light(role=HUMAN), None, 1_000_000.0, Limits()).state is LightState.HUMAN
