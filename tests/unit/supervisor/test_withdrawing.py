"""What is shown of a page is taken away when nobody is needed any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from teamops.domain.paging import PagingPolicy
from teamops.model.page import Answer, Button
from teamops.model.role import CODER, DIRECTOR, HUMAN
from teamops.model.snapshot import AckAlert
from tests.unit.supervisor.life import Ear, Life, block

Begin = Callable[..., Awaitable[Life]]


class Desk(Ear):
    """A channel that can take back what it shows."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.taken_away: list[str] = []

    async def withdraw(self, thread: str) -> None:
        self.taken_away.append(thread)


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    lives: list[Life] = []

    async def begin(**options: object) -> Life:
        life = Life(tmp_path, **options)  # type: ignore[arg-type]
        lives.append(life)
        life.handoff.touch()
        life.ears["desktop"] = Desk("desktop", life.heard)
        return await life.begin(CODER)

    yield begin
    for life in lives:
        await life.end()


async def called(life: Life) -> Desk:
    """Let the person be told of a light that they hold."""
    await life.append(block(DIRECTOR, HUMAN))
    await life.ticks(4)
    await life.until(lambda: bool(life.heard), "told")
    await life.ticks(5)
    desk = life.ears["desktop"]
    assert isinstance(desk, Desk)
    assert desk.taken_away == [], "somebody is needed"
    return desk


async def test_what_is_over_is_taken_away_once(begin: Begin) -> None:
    life = await begin()
    desk = await called(life)
    thread = life.heard[0][1].thread
    await life.append(block(HUMAN, CODER, minute=1))
    await life.until(lambda: bool(desk.taken_away), "taken away")
    await life.ticks(5)
    assert desk.taken_away == [thread]


@pytest.mark.parametrize("by", ["the screen", "another way"])
async def test_so_is_what_was_answered(begin: Begin, by: str) -> None:
    life = await begin()
    desk = await called(life)
    page = life.heard[0][1]
    if by == "the screen":
        await life.core.wish(AckAlert(*page.keys[0]))
    else:
        desk.hear(Answer(page=page.id, keys=page.keys, button=Button.SILENCE_1H, channel="desktop"))
    await life.ticks(2)
    await life.until(lambda: bool(desk.taken_away), "taken away")
    assert desk.taken_away == [page.thread]


async def test_the_word_that_it_is_over_is_left_to_be_read(begin: Begin) -> None:
    life = await begin(paging=PagingPolicy(group_wait_s=2.0, group_interval_s=2.0, resolved=True))
    desk = await called(life)
    await life.append(block(HUMAN, CODER, minute=1))
    await life.ticks(5)
    await life.ticks(5)
    await life.until(lambda: len(life.told("human-turn")) == 2, "told that it is over")
    await life.ticks(5)
    assert len(desk.taken_away) == 1
