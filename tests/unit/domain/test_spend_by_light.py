from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.domain.spend_by_light import Held, Lights, LightSpend, Spend, Used, lights_of, spend_by_light
from teamops.handoff import parse
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, Role
from teamops.model.usage import Tokens

FIRST = Held(CODER, 100.0, 200.0, "a", "d1")
SECOND = Held(CODER, 150.0, 300.0, "b", "d2")
AGAIN = Held(CODER, 400.0, None, "a", "d3")
OTHER = Held(DEVELOPER, 100.0, None, None, "d4")
LIGHTS = (AGAIN, FIRST, OTHER, SECOND)


def used(role: Role | None, wall: float, cost: str | None = "0.10", tokens: int = 10) -> Used:
    return Used(role, wall, Tokens(input=tokens), None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("role", "wall", "held"),
    [
        (CODER, 99.9, None),
        (CODER, 100.0, FIRST),
        (CODER, 149.0, FIRST),
        (CODER, 150.0, SECOND),  # of two in one hand the one that came last
        (CODER, 200.0, SECOND),
        (CODER, 299.9, SECOND),
        (CODER, 300.0, None),
        (CODER, 1e9, AGAIN),
        (DEVELOPER, 150.0, OTHER),
        (DIRECTOR, 150.0, None),
    ],
)
def test_who_holds_which_light_when(role: Role, wall: float, held: Held | None) -> None:
    assert Lights(LIGHTS).at(role, wall) == held


def test_a_light_that_ended_leaves_the_one_below_it() -> None:
    below = Held(CODER, 0.0, None, "long", "x")
    above = Held(CODER, 10.0, 20.0, "short", "y")
    lights = Lights((below, above))
    assert [lights.at(CODER, wall) for wall in (5.0, 15.0, 25.0)] == [below, above, below]


def test_what_each_handoff_and_each_task_cost() -> None:
    spent = spend_by_light(
        [
            used(CODER, 120, "1.00"),
            used(CODER, 130, None, 7),
            used(CODER, 160, "2.00"),
            used(CODER, 500, "4.00"),
            used(CODER, 50, "8.00"),
            used(DEVELOPER, 150, "16.00"),
            used(None, 150, "32.00"),
            used(DIRECTOR, 150, "64.00"),
            used(DIRECTOR, 160, "1.00"),
        ],
        Lights(LIGHTS),
    )
    assert {held.handoff: spend.cost_usd for held, spend in spent.handoffs.items()} == {
        "d1": Decimal("1.00"),
        "d2": Decimal("2.00"),
        "d3": Decimal("4.00"),
        "d4": Decimal("16.00"),
    }
    assert spent.handoffs[FIRST] == Spend(2, Tokens(input=17), Decimal("1.00"), unpriced_tokens=7)
    assert {task: spend.cost_usd for task, spend in spent.tasks().items()} == {
        "a": Decimal("5.00"),
        "b": Decimal("2.00"),
        None: Decimal("16.00"),
    }
    assert {role: spend.cost_usd for role, spend in spent.without_light.items()} == {
        CODER: Decimal("8.00"),
        DIRECTOR: Decimal("65.00"),
    }
    assert spent.strangers.cost_usd == Decimal("32.00")
    assert spent.total().cost_usd == Decimal("128.00")


def test_nothing_used_is_nothing_spent() -> None:
    assert spend_by_light([], Lights([])) == LightSpend({}, {}, Spend())


ROLES = st.sampled_from((CODER, DEVELOPER, DIRECTOR))
MOMENTS = st.floats(0, 1000, allow_nan=False)
HELD = st.builds(
    lambda role, since, length, task, number: Held(
        role, since, None if length is None else since + length, task, str(number)
    ),
    ROLES,
    MOMENTS,
    st.none() | st.floats(0, 300, allow_nan=False),
    st.none() | st.sampled_from("abc"),
    st.integers(0, 50),
)
USED = st.builds(
    Used,
    st.none() | ROLES,
    MOMENTS,
    st.builds(Tokens, *(st.integers(0, 10**9) for _ in range(5))),
    st.none() | st.decimals(0, 1000, allow_nan=False, allow_infinity=False, places=9),
    st.integers(1, 5),
)


@given(used_=st.lists(USED, max_size=40), lights=st.lists(HELD, max_size=12))
def test_the_parts_are_the_whole(used_: list[Used], lights: list[Held]) -> None:
    spent = spend_by_light(used_, Lights(lights))
    whole = spend_by_light(used_, Lights(())).total()
    assert spent.total() == whole
    assert whole.cost_usd == sum((one.cost_usd or Decimal(0) for one in used_), Decimal(0))
    assert whole.tokens == sum((one.tokens for one in used_), Tokens())
    assert whole.responses == sum(one.responses for one in used_)
    assert whole.unpriced_tokens == sum(one.tokens.total for one in used_ if one.cost_usd is None)
    assert sum(spent.tasks().values(), Spend()) == sum(spent.handoffs.values(), Spend())


@given(used_=st.lists(USED, max_size=30), lights=st.lists(HELD, max_size=8), shuffled=st.randoms(use_true_random=False))
def test_neither_order_matters(used_: list[Used], lights: list[Held], shuffled: object) -> None:
    again = list(used_)
    shuffled.shuffle(again)  # type: ignore[attr-defined]
    assert spend_by_light(again, Lights(lights)).tasks() == spend_by_light(used_, Lights(lights)).tasks()


FILE = b"""### [DIRECTOR] 2026-03-28 14:30
**Status**: in progress
**Turn**: DEVELOPER
**Tier**: 2
**Task**: hooks

### [DEVELOPER] 2026-03-28 15:00
**Status**: done
**Turn**: DIRECTOR
**Tier**: 2
**Task**: hooks

### [DIRECTOR] 2026-03-28 15:10
**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: other

### [DIRECTOR] 2026-03-28 15:30
**Status**: done
**Turn**: HUMAN
**Tier**: 2
**Task**: hooks

### [HUMAN] 2026-03-28 15:40
**Status**: done
**Turn**: NONE
**Tier**: 2
**Task**: hooks
"""


def test_lights_go_from_block_to_block_and_the_persons_own_is_none() -> None:
    blocks = parse(FILE).blocks
    walls = [10.0, 20.0, 30.0, 40.0, 50.0]
    lights = lights_of(read(blocks, Limits()).tasks, blocks, walls)
    assert {(held.role, held.since_wall, held.until_wall, held.task) for held in lights} == {
        (DEVELOPER, 10.0, 20.0, "hooks"),
        (DIRECTOR, 20.0, 40.0, "hooks"),
        (CODER, 30.0, None, "other"),
    }
    assert {held.handoff for held in lights} == {blocks[0].digest, blocks[1].digest, blocks[2].digest}


def test_a_clock_that_went_back_takes_no_light_before_it_came() -> None:
    blocks = parse(FILE).blocks
    lights = lights_of(read(blocks, Limits()).tasks, blocks, [40.0, 20.0, 30.0, 10.0, 50.0])
    assert all(held.until_wall is None or held.since_wall <= held.until_wall for held in lights)
