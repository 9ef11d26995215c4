from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.domain.timeline import chain, entries, heading_wall, stage_times, walls
from teamops.model.handoff import Block, Stage, Task
from tests.unit.domain.notation import blocks

TIER_2 = "DIR>DEV t2; DEV>DIR done gates; DIR>NONE done gates"
TIER_3 = (
    "DIR>REV t3; REV>DEV ok none; DEV>REV done gates; REV>DEV back ask:1; DEV>REV done gates; REV>DIR ok none;"
    " DIR>HUM done gates say:1; HUM>NONE"
)


def task_of(text: str) -> tuple[Task, list[Block]]:
    found = blocks(text)
    return read(found, Limits()).tasks[0], found


def times(text: str, when: Sequence[float], now: float) -> str:
    """Return the stages' times in short: ``implement 20 x2 *`` (two visits, the present one)."""
    task, found = task_of(text)
    return ", ".join(
        f"{one.stage} {one.seconds:g}{f' x{one.visits}' if one.visits > 1 else ''}{' *' if one.current else ''}"
        for one in stage_times(task, found, when, now)
    )


def at(minute: int) -> datetime:
    return datetime(2026, 3, 28, 14, 30) + timedelta(minutes=minute)  # noqa: DTZ001 - a heading's


def dated(text: str, minutes: Sequence[int | None]) -> list[Block]:
    return [
        replace(block, at=None if minute is None else at(minute))
        for block, minute in zip(blocks(text), minutes, strict=True)
    ]


# when


def test_a_block_was_written_when_it_was_seen_or_else_when_it_says() -> None:
    found = dated(TIER_2, [0, 5, None])
    seen = walls(found, {"digest 0": 77.5})
    assert list(seen) == [77.5, at(5).timestamp(), 0.0]
    assert (len(seen), seen[-2], list(seen[1:])) == (3, at(5).timestamp(), [at(5).timestamp(), 0.0])
    assert list(walls(found, {"digest 2": 0.25, "digest 1": 0.0}))[1:] == [0.0, 0.25]


@pytest.mark.parametrize(
    ("when", "expected"),
    [(None, 0.0), (datetime(1, 1, 1), 0.0), (datetime(1960, 5, 5), 0.0), (at(0), at(0).timestamp())],  # noqa: DTZ001
)
def test_a_heading_s_time_that_no_clock_shows_is_none(when: datetime | None, expected: float) -> None:
    assert heading_wall(when) == expected


# the stages


@pytest.mark.parametrize(
    ("text", "when", "now", "expected"),
    [
        pytest.param("DIR> t2", [100], 160, "design 60 *", id="designing"),
        pytest.param(
            "DIR>DEV t2", [100], 160, "design 0, implement 60 *", id="the first block's own time is not known"
        ),
        pytest.param(TIER_2, [100, 130, 150], 999, "design 0, implement 30, verify 20", id="closed: it ends there"),
        pytest.param("DIR> t2; DIR>DEV", [100, 140], 150, "design 40, implement 10 *", id="a design of two blocks"),
        pytest.param(
            TIER_3,
            [0.5, 10.5, 30.5, 35.5, 55.5, 60.5, 70.5, 170.5],
            999,
            "design 0, design-review 10, implement 40 x2, code-review 10 x2, confirm 10, sign-off 100",
            id="sent back",
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates; DIR>DEV",
            [10, 20, 40],
            70,
            "design 0, implement 40 x2 *, verify 20",
            id="back once more",
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR blocked; DIR>DEV",
            [10, 20, 40],
            70,
            "design 20 x2, implement 40 x2 *",
            id="back to the design",
        ),
        pytest.param(
            "DIR>COD t2; COD>DEV; DEV>COD", [10, 20, 40], 70, "design 0, implement 60 *", id="other hands, one stay"
        ),
        pytest.param(
            "DIR>DEV t2; DEV>HUM blocked; HUM>DEV",
            [10, 20, 40],
            70,
            "design 0, implement 40 *, sign-off 20",
            id="the person was asked",
        ),
        pytest.param("DIR>HUM t1; HUM>DIR; DIR>HUM", [10, 20, 40], 70, "design 20, sign-off 40 x2 *", id="and again"),
        pytest.param(
            "DIR>PAR t2; PAR>DIR; DIR>OPT; OPT>PAR; PAR>DIR",
            [10, 20, 40, 45, 50],
            70,
            "design 40 *, consult 20 x2",
            id="roles beside the line were asked",
        ),
        pytest.param(
            f"{TIER_2}; DIR>DEV t2; DEV>DIR done gates",
            [100, 130, 150, 900, 910],
            911,
            "design 0, implement 40 x2, verify 21 x2 *",
            id="opened again: closed it spends nothing",
        ),
        pytest.param(
            f"{TIER_2}; HUM> s:thanks", [100, 130, 150, 900], 999, "design 0, implement 30, verify 20", id="a remark"
        ),
        pytest.param(
            f"{TIER_2}; HUM>NONE", [100, 130, 150, 900], 999, "design 0, implement 30, verify 20", id="closed twice"
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates; DIR>DEV",
            [100, 50, 110],
            120,
            "design 0, implement 10 x2 *, verify 10",
            id="a time that is too early",
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates", [100, 500], 120, "design 0, implement 20, verify 0 *", id="a time to come"
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates",
            [100, 110],
            50,
            "design 0, implement 0, verify 0 *",
            id="the clock was set back",
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates; DIR>DEV",
            [100, 0, 130],
            140,
            "design 0, implement 10 x2 *, verify 30",
            id="one is not known",
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates",
            [0, 110],
            140,
            "design 0, implement 0, verify 30 *",
            id="the first is not known",
        ),
        pytest.param(
            "DIR>DEV t2; DEV>DIR done gates", [0, 0], 140, "design 0, implement 0, verify 0 *", id="none is known"
        ),
        pytest.param("DIR>DEV t2 ...", [100], 140, "", id="still in writing"),
    ],
)
def test_what_a_task_has_spent(text: str, when: list[float], now: float, expected: str) -> None:
    assert times(text, when, now) == expected


STEPS = st.lists(
    st.sampled_from(
        [
            "DIR>DEV t2",
            "DEV>DIR done gates",
            "DIR>NONE done gates",
            "HUM>NONE",
            "HUM>DIR",
            "DIR>HUM",
            "DIR>PAR",
            "PAR>DIR",
            "REV>DEV back t3",
            "DEV>REV",
            "REV>DIR ok",
            "DEV>",
            "DIR> ...",
        ]
    ),
    min_size=1,
    max_size=14,
)
MOMENTS = st.one_of(st.just(0.0), st.floats(0.0, 4e9), st.integers(1000, 1100).map(float))


@given(steps=STEPS, when=st.lists(MOMENTS, min_size=14, max_size=14), now=MOMENTS)
def test_the_stages_add_up_to_the_time_in_which_the_task_was_open(
    steps: list[str], when: list[float], now: float
) -> None:
    task, found = task_of(";".join(steps))
    stages = stage_times(task, found, when, now)
    assert all(one.seconds >= 0 and one.visits >= 1 for one in stages)
    assert len({one.stage for one in stages}) == len(stages)
    assert [one.stage for one in stages if one.current] == (
        [Stage.SIGN_OFF if task.turn == "HUMAN" else task.stage] if task.open and task.passages else []
    )
    clock = min(next((when[one.index] for one in task.passages if when[one.index] > 0), now), now)
    opened, whole, closed = clock, 0.0, False
    for one in task.passages:
        clock = max(clock, min(when[one.index], now))
        if not closed:
            whole += clock - opened
        opened, closed = clock, one.stage is Stage.CLOSED
    whole += 0.0 if closed else max(clock, now) - opened
    assert sum(one.seconds for one in stages) == pytest.approx(whole)


# the blocks


def told(text: str, when: Sequence[float]) -> list[tuple[str, str, float | None]]:
    task, found = task_of(text)
    return [(str(one.role)[:3], str(one.stage), one.seconds) for one in entries(task, found, when)]


def test_each_block_is_told_with_its_author_s_stage_and_time() -> None:
    assert told(TIER_3, [1.0, 11.0, 31.0, 36.0, 56.0, 61.0, 71.0, 171.0]) == [
        ("DIR", "design", None),
        ("REV", "design-review", 10.0),
        ("DEV", "implement", 20.0),
        ("REV", "code-review", 5.0),
        ("DEV", "implement", 20.0),
        ("REV", "code-review", 5.0),
        ("DIR", "confirm", 10.0),
        ("HUM", "sign-off", 100.0),
    ]


@pytest.mark.parametrize(
    ("text", "when", "expected"),
    [
        pytest.param("DIR>DEV t2; COD>DIR", [1, 5], ("COD", "implement", None), id="it did not hold the light"),
        pytest.param(
            "DIR>DEV t2; DEV>.; DEV>DIR", [1, 5, 9], ("DEV", "implement", 8), id="since it came, not since a note"
        ),
        pytest.param("DIR>PAR t2; PAR>DIR; DIR>.; DIR>DEV", [1, 5, 9, 12], ("DIR", "design", 7), id="kept"),
        pytest.param(
            "DIR>DEV t2; DEV>DIR; DIR>. back; DIR>DEV",
            [1, 5, 9, 12],
            ("DIR", "design", 7),
            id="kept at another station",
        ),
        pytest.param("DIR>DEV t2; DEV>DIR", [0, 5], ("DEV", "implement", None), id="nobody knows since when"),
        pytest.param("DIR>DEV t2; DEV>DIR", [5, 0], ("DEV", "implement", None), id="nobody knows until when"),
        pytest.param("DIR>DEV t2; DEV>DIR", [9, 5], ("DEV", "implement", 0), id="backwards"),
        pytest.param("DIR>DEV t2 ...; DEV>DIR", [1, 5], ("DEV", "design", None), id="what moves no light gives none"),
        pytest.param(f"{TIER_2}; DIR>DEV", [1, 2, 3, 4], ("DIR", "design", None), id="who opens it again designs"),
        pytest.param(f"{TIER_2}; HUM> s:thanks", [1, 2, 3, 4], ("HUM", "closed", None), id="a remark on a closed task"),
        pytest.param(f"{TIER_2}; HUM>NONE", [1, 2, 3, 4], ("HUM", "closed", None), id="closed once more"),
    ],
)
def test_the_last_block_is_told(text: str, when: list[float], expected: tuple[str, str, float | None]) -> None:
    assert told(text, when)[-1] == expected


def test_an_entry_says_all_that_its_block_says() -> None:
    task, found = task_of("DIR>DEV t2; DEV>DIR done; REV>DIR v:not_yet s:")
    findings = read(found, Limits()).findings
    second, third = entries(task, found, [1, 2, 3], findings)[1:]
    assert (second.index, second.line, second.role, second.turn) == (1, 11, "DEVELOPER", "DIRECTOR")
    assert (second.wall, second.status, second.verdict, second.digest) == (2, "done", "", "digest 1")
    assert second.findings == ("gates-missing",)
    assert (third.status, third.verdict) == ("", "not yet")
    assert "not-holder" in third.findings
    twice = entries(task, found, [1, 2, 3], [*findings, *findings])[1]
    assert twice.findings == ("gates-missing",)
    assert entries(task, found, [1, 2, 3])[1].findings == ()


def test_only_the_task_s_own_blocks_are_told() -> None:
    found = blocks("DIR>DEV t2; DIR>COD t2 @u; DEV>DIR done gates")
    task = read(found, Limits()).tasks[0]
    assert [(one.index, one.seconds) for one in entries(task, found, [1, 2, 5])] == [(0, None), (2, 4)]


# the chain


def test_the_chain_changes_with_every_block_of_the_task_and_with_no_other() -> None:
    found = blocks("DIR>DEV t2; DIR>COD t2 @u; DEV>DIR done gates")
    task = read(found, Limits()).tasks[0]
    before = chain(task, found)
    assert before == chain(task, [found[0], replace(found[1], digest="x"), found[2]])
    assert before != chain(task, [*found[:2], replace(found[2], digest="x")])
    assert before != chain(task, found[:2]), "of the blocks that are there"
    assert chain(task, found[:1]) == chain(task, found[:2])
    swapped = [replace(found[0], digest="digest 2"), found[1], replace(found[2], digest="digest 0")]
    assert before != chain(task, swapped), "the order counts"
