"""Old rows go while teamops has nothing to catch up with, and a viewer's sums stay true."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from teamops.domain.retention import DAY_S
from teamops.model.events import Ticked, UsageSeen
from teamops.model.role import CODER, DIRECTOR
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor import retaining
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import START, Life, block


def fill(life: Life) -> None:
    """Record 100 days up to the life's start."""
    for day in range(100):
        wall = START - day * DAY_S
        rows: list[tuple[Usage, Decimal | None]] = [
            (Usage(wall=wall - number, model="m", tokens=Tokens(output=1), client="claude"), Decimal("0.5"))
            for number in range(20)
        ]
        life.ledger.add_usage(CODER, rows, Position("/log", 1, 1, day + 1))


def count(life: Life) -> int:
    with closing(sqlite3.connect(life.ledger.path)) as connection:
        return int(connection.execute("SELECT count(*) FROM spent").fetchone()[0])


def swept(life: Life) -> float | None:
    with closing(sqlite3.connect(life.ledger.path)) as connection:
        row = connection.execute("SELECT wall FROM sweep").fetchone()
        return None if row is None else float(row[0])


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "LOOK_S", 0.001)
    monkeypatch.setattr(retaining, "LEAST_REST_S", 0.0)


async def let(life: Life, seconds: int, per_round: int = 1) -> None:
    """Let seconds go by, each seen by the one who sweeps."""
    for _ in range(seconds // per_round):
        await life.ticks(per_round)
        await asyncio.sleep(0.003)


@pytest.mark.usefixtures("_quick")
async def test_it_sweeps_a_minute_after_the_start_once_an_hour_and_after_midnight(begin: Begin) -> None:
    life = await begin()
    fill(life)
    life.core.spawn(life.core.retaining.run(), "retention")
    await let(life, 40)
    assert swept(life) is None
    await let(life, 40)
    await life.until(lambda: swept(life) is not None, "swept")
    first = swept(life)
    assert first is not None
    assert count(life) < 800
    await let(life, 1000, 20)
    assert swept(life) == first
    midnight = (START // DAY_S + 1) * DAY_S
    await let(life, 700, 20)
    second = swept(life)
    assert second is not None
    assert midnight <= second < midnight + 60
    await let(life, 3300, 20)
    assert swept(life) == second
    await let(life, 500, 20)
    third = swept(life)
    assert third is not None
    assert second + 3500 < third < second + 3700


@pytest.mark.usefixtures("_quick")
async def test_it_waits_while_there_is_something_to_catch_up_with(begin: Begin) -> None:
    life = await begin()
    fill(life)
    life.core.spawn(life.core.retaining.run(), "retention")
    for number in range(4):
        await let(life, 45)
        assert swept(life) is None
        if number % 2:
            life.now += 500
            life.core.emit(Ticked(life.clock.stamp(), gap_s=life.clock.take_gap() or 499))
        else:
            old = Usage(wall=START - 5, model="m", tokens=Tokens(output=1), client="claude")
            position = Position("/old", 1, 1, number + 1)
            life.core.emit(UsageSeen(life.clock.stamp(), CODER, (old,), position, grew=True, live=False))
        await life.core.next_round()
    await let(life, 80)
    await life.until(lambda: swept(life) is not None, "swept at last")


@pytest.mark.usefixtures("_quick")
async def test_a_viewer_counts_the_same_before_and_after(begin: Begin) -> None:
    life = await begin()
    await life.append(block(DIRECTOR, CODER))
    fill(life)
    viewer = await begin(acting=False, followed=True)
    await viewer.append(block(CODER, DIRECTOR))
    await life.seen()
    stored = [
        (Usage(wall=life.wall, model="m", tokens=Tokens(output=3), client="claude"), Decimal(1)) for _ in range(10)
    ]
    life.ledger.add_usage(CODER, stored, Position("/late", 1, 1, 1))
    life.ledger.add_usage(DIRECTOR, stored, Position("/late2", 1, 1, 1))
    await viewer.ticks(3)
    before = dict(viewer.core.book.costs.blocks), dict(viewer.core.book.costs.lights)
    life.core.retaining._counted = life.ledger.spent.mark()[0]
    assert (await life.core.retaining.sweep()).done.merged
    await viewer.ticks(3)
    assert (dict(viewer.core.book.costs.blocks), dict(viewer.core.book.costs.lights)) == before


@pytest.mark.usefixtures("_quick")
async def test_a_viewer_that_was_stopped_while_rows_came_and_were_summed_up_counts_them_once(begin: Begin) -> None:
    def use(wall: float, path: str, offset: int, count: int = 1) -> None:
        rows: list[tuple[Usage, Decimal | None]] = [
            (Usage(wall=wall + 10 * number, model="m", tokens=Tokens(output=1), client="claude"), Decimal(1))
            for number in range(count)
        ]
        life.ledger.add_usage(CODER, rows, Position(path, 1, 1, offset))

    life = await begin()
    await life.append(block(DIRECTOR, CODER))
    [light] = life.snapshots[-1].lights
    minute = (light.since_wall // 60 + 2) * 60
    use(minute + 20, "/log", 1)
    for day in range(1, 21):
        use(START + day * DAY_S, "/log", day + 1, 70)
    viewer = await begin(acting=False, followed=True)
    viewer.wall = life.wall = START + 21 * DAY_S
    await viewer.seen()
    assert viewer.snapshots[-1].lights[0].cost.responses == 1 + 20 * 70
    use(minute + 10, "/late", 1)
    life.core.retaining._counted = life.ledger.spent.mark()[0]
    life.core.book.stamp = life.clock.stamp()
    assert (await life.core.retaining.sweep()).done.merged
    viewer.now += 600
    viewer.core.emit(Ticked(viewer.clock.stamp(), gap_s=599))
    await viewer.ticks(2)
    assert viewer.snapshots[-1].lights[0].cost.responses == 2 + 20 * 70


@pytest.mark.usefixtures("_quick")
async def test_a_ledger_that_is_held_for_long_is_said_once_and_swept_in_the_end(begin: Begin) -> None:
    life = await begin()
    fill(life)
    one = life.core.retaining
    with closing(sqlite3.connect(life.ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(retaining.MOST_FAILURES):
            await one.sweep()
        other.execute("ROLLBACK")
    await life.core.next_round()
    assert "not cleared away" in life.core.book.troubles["retention"][0]
    await one.sweep()
    await life.core.next_round()
    assert "retention" not in life.core.book.troubles
    assert swept(life) is not None


@pytest.mark.usefixtures("_quick")
async def test_it_ends_with_its_supervisor_in_the_middle_of_a_sweep(begin: Begin) -> None:
    life = await begin()
    fill(life)
    one = life.core.retaining
    one._counted = life.ledger.spent.mark()[0]
    task = asyncio.create_task(one.sweep())
    await life.until(lambda: count(life) < 2000, "begun")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await one.sweep()
    assert swept(life) is not None
