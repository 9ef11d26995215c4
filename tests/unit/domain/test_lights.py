"""Whose light it was: segments, stretches, and sums that add up."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.domain.spend_by_light import (
    Held,
    Lights,
    Used,
    lights_of,
    moments,
    spend_by_light,
    stretches,
    task_spend,
)
from teamops.handoff import ROLES, parse
from teamops.model.handoff import Block, Stage, Task
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, Role
from teamops.model.spend import Spend, TaskSpend
from teamops.model.usage import Tokens

ONE = Decimal(1)


def blocks_of(*handed: tuple[Role, Role | None, str], task: str = "login") -> tuple[Block, ...]:
    """Return blocks: who, to whom, local time."""
    text = "".join(
        f"### [{role}] 2026-03-28 {at}\n\n**Status**: in progress\n"
        + (f"**Turn**: {turn}\n" if turn else "")
        + f"**Tier**: 2\n**Task**: {task}\n\n#### What I Did\nWork {at}.\n\n"
        for role, turn, at in handed
    )
    return parse(text.encode(), set(ROLES)).blocks


def only(blocks: tuple[Block, ...]) -> Task:
    (task,) = read(blocks, Limits()).tasks
    return task


def at(clock: str) -> float:
    return datetime.fromisoformat(f"2026-03-28 {clock}").timestamp()


def test_a_light_is_held_from_the_block_that_gives_it_to_the_next() -> None:
    blocks = blocks_of(
        (DIRECTOR, CODER, "10:00"),
        (CODER, CODER, "10:20"),
        (CODER, None, "10:25"),
        (CODER, DIRECTOR, "10:40"),
        (DIRECTOR, HUMAN, "10:50"),
        (HUMAN, DIRECTOR, "11:00"),
    )
    walls = moments(blocks, {}, at("12:00"))
    found = stretches(only(blocks), blocks, walls)
    assert [(one.held.role, one.given, one.ended, one.stage) for one in found] == [
        (CODER, 0, 1, Stage.IMPLEMENT),
        (CODER, 1, 2, Stage.IMPLEMENT),
        (CODER, 2, 3, Stage.IMPLEMENT),
        (DIRECTOR, 3, 4, found[3].stage),
        (DIRECTOR, 5, None, found[4].stage),
    ]
    assert [(one.held.since_wall, one.held.until_wall) for one in found[:2]] == [
        (at("10:00"), at("10:20")),
        (at("10:20"), at("10:25")),
    ]
    assert found[-1].held.until_wall is None
    assert lights_of([only(blocks)], blocks, walls) == [one.held for one in found]


def test_a_closed_task_and_a_block_in_writing_give_no_light() -> None:
    blocks = blocks_of((DIRECTOR, CODER, "10:00"), (CODER, DIRECTOR, "10:40"), (DIRECTOR, NONE, "10:50"))
    found = stretches(only(blocks), blocks, moments(blocks, {}, at("12:00")))
    assert [(one.given, one.ended) for one in found] == [(0, 1), (1, 2)]
    half = parse(b"### [DIRECTOR] 2026-03-28 10:00\n\n**Turn**: CODER\n**Tier**: 2\n\n### [CODER] 2026", set(ROLES))
    writing = half.blocks
    if len(writing) == 1:
        writing = parse(
            b"### [DIRECTOR] 2026-03-28 10:00\n\n**Turn**: CODER\n**Tier**: 2\n\n### [CODER] 2026-03-28 11:00\n",
            set(ROLES),
        ).blocks
    assert not writing[-1].complete
    found = stretches(only(writing), writing, moments(writing, {}, at("12:00")))
    assert [(one.given, one.ended) for one in found] == [(0, None)]


def test_a_block_that_was_seen_has_that_moment_and_others_their_heading_but_none_of_the_future() -> None:
    blocks = blocks_of((DIRECTOR, CODER, "10:00"), (CODER, DIRECTOR, "23:00"), (DIRECTOR, CODER, "10:50"))
    seen = {blocks[2].digest: at("12:00") + 7.5}
    walls = moments(blocks, seen, at("11:00"))
    assert list(walls) == [at("10:00"), at("11:00"), at("12:00") + 7.5]
    assert (len(walls), list(walls[1:])) == (3, [at("11:00"), at("12:00") + 7.5])
    lit = {blocks[0].digest: at("09:00"), blocks[2].digest: at("12:00") + 2.5}
    assert list(moments(blocks, seen, at("11:00"), lit)) == [at("10:00"), at("11:00"), at("12:00") + 2.5]
    found = stretches(only(blocks), blocks, moments(blocks, seen, at("23:30")))
    assert [one.held.since_wall for one in found] == [at("10:00"), at("23:00"), at("23:00")]  # never before it came


def test_a_task_is_the_sum_of_its_parts() -> None:
    blocks = blocks_of((DIRECTOR, CODER, "10:00"), (CODER, CODER, "10:20"), (CODER, DIRECTOR, "10:40"))
    found = stretches(only(blocks), blocks, moments(blocks, {}, at("12:00")))
    used = {
        found[0].held: Spend(1, Tokens(input=1), ONE),
        found[1].held: Spend(1, Tokens(input=2), ONE * 2, 5),
        found[2].held: Spend(1, Tokens(input=4), ONE * 4),
    }
    spend = task_spend(found, used, blocks, {blocks[0].digest, blocks[1].digest})
    assert [(index, part.exact) for index, part in spend.blocks.items()] == [(1, True), (2, False)]
    assert spend.now is not None
    assert not spend.exact
    assert {role: part.cost_usd for role, part in spend.by_role.items()} == {CODER: 3, DIRECTOR: 4}
    assert {stage: part.cost_usd for stage, part in spend.by_stage.items()} == {Stage.IMPLEMENT: 3, Stage.VERIFY: 4}
    assert spend.total == Spend(3, Tokens(input=7), ONE * 7, 5)
    assert task_spend(found[:2], {}, blocks, {block.digest for block in blocks}).exact
    assert TaskSpend({}, None).total == Spend()


def test_what_has_no_light_and_nobody_is_told_apart() -> None:
    held = Held(CODER, 10.0, 20.0, "login", "a")
    used = [
        Used(CODER, 10.0, Tokens(input=1), ONE),
        Used(CODER, 15.0, Tokens(input=3), None, responses=2),
        Used(CODER, 20.0, Tokens(input=5), ONE),
        Used(DIRECTOR, 15.0, Tokens(input=7), ONE),
        Used(None, 15.0, Tokens(input=9), ONE),
    ]
    parts = spend_by_light(used, Lights([held]))
    assert parts.handoffs == {held: Spend(3, Tokens(input=4), ONE, 3)}
    assert parts.without_light == {CODER: Spend(1, Tokens(input=5), ONE), DIRECTOR: Spend(1, Tokens(input=7), ONE)}
    assert parts.strangers == Spend(1, Tokens(input=9), ONE)
    assert parts.tasks() == {"login": Spend(3, Tokens(input=4), ONE, 3)}
    assert parts.total() == Spend(6, Tokens(input=25), ONE * 4, 3)
    assert Lights().roles == ()
    assert Lights().at(CODER, 5.0) is None


moments_ = st.integers(0, 12).map(float)
lights_ = st.lists(
    st.builds(
        lambda role, since, lasts, number: Held(role, since, None if lasts is None else since + lasts, "t", "", number),
        st.sampled_from([CODER, DIRECTOR]),
        moments_,
        st.none() | st.integers(0, 8).map(float),
        st.integers(0, 99),
    ),
    max_size=8,
)


@given(lights=lights_, wall=st.floats(-1, 25), role=st.sampled_from([CODER, DIRECTOR, HUMAN]))
def test_the_light_that_came_last_has_it(lights: list[Held], wall: float, role: Role) -> None:
    mine = [
        one
        for one in lights
        if one.role == role and one.since_wall <= wall and (one.until_wall is None or wall < one.until_wall)
    ]
    latest = max((one.since_wall for one in mine), default=0.0)
    last = max((one.place for one in mine if one.since_wall == latest), default=0)
    expected = [one for one in mine if (one.since_wall, one.place) == (latest, last)]
    assert Lights(lights).at(role, wall) == (expected[-1] if expected else None)


@given(lights=lights_)
def test_the_segments_of_a_role_cover_all_times_once(lights: list[Held]) -> None:
    known = Lights(lights)
    for role in (CODER, DIRECTOR):
        segments = known.segments(role)
        assert segments[0].since_wall == float("-inf")
        assert segments[-1].until_wall == float("inf")
        for before, after in pairwise(segments):
            assert before.until_wall == after.since_wall
            assert before.since_wall < before.until_wall


@given(before=lights_, after=lights_, keep=st.lists(st.booleans(), max_size=8))
def test_lights_that_change_are_as_if_they_had_always_been_so(
    before: list[Held], after: list[Held], keep: list[bool]
) -> None:
    before, after = list(dict.fromkeys(before)), [one for one in dict.fromkeys(after) if one not in before]
    # Of two that came at once and from one place none is the later one: no file has such.
    places = {(one.role, one.since_wall, one.place) for one in (*before, *after)}
    if len(places) < len(before) + len(after):
        return
    gone = [one for one, stays in zip(before, keep, strict=False) if not stays]
    known = Lights(before)
    old = {role: set(known.segments(role)) for role in (CODER, DIRECTOR)}
    dropped, new = known.change(gone, after)
    fresh = Lights([*(one for one in before if one not in gone), *after])
    assert set(known.held) == set(fresh.held)
    for role in (CODER, DIRECTOR):
        assert [known.at(role, wall - 0.5) for wall in range(24)] == [fresh.at(role, wall - 0.5) for wall in range(24)]
        segments = known.segments(role)
        assert (segments[0].since_wall, segments[-1].until_wall) == (float("-inf"), float("inf"))
        assert all(one.until_wall == two.since_wall for one, two in pairwise(segments))
        mine = {one for one in dropped if one.role == role}, {one for one in new if one.role == role}
        assert set(segments) == (old[role] - mine[0]) | mine[1] or not (mine[0] or mine[1])
        for held in fresh.held:
            if held.role == role:
                assert list(known.segments_of(held)) == [one for one in segments if one.held == held]
