"""A screen's first frame comes before what it does not show: the boundaries are read when it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.model.snapshot import Snapshot
from teamops.supervisor import run

LONG_S = 600.0


async def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - a condition over what is published
            await asyncio.sleep(0.01)


@asynccontextmanager
async def beside(folder: Path, drawn: asyncio.Event | None) -> AsyncIterator[list[Snapshot]]:
    """Supervise a team of one, beside a screen that has ``drawn``; its newest snapshot comes last."""
    root = folder / "p"
    root.mkdir()
    (root / "teamops.toml").write_text(f'[tmux]\nsocket_path = "{folder}/s"\n[roles.CODER]\n')
    snapshots: list[Snapshot] = []
    running = asyncio.create_task(
        run.supervise_forever(load(root), snapshots.append, state_dir=folder / "state", drawn=drawn)
    )
    try:
        yield snapshots
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def known(snapshots: list[Snapshot]) -> bool:
    """Return whether the newest snapshot says what the profile of CODER allows."""
    boundary = snapshots[-1].agents[0].boundary if snapshots and snapshots[-1].agents else None
    return boundary is not None and bool(boundary.allow)


async def test_boundaries_are_read_when_the_screen_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "FIRST_FRAME_S", LONG_S)
    drawn = asyncio.Event()
    async with beside(tmp_path, drawn) as snapshots:
        await until(lambda: bool(snapshots) and snapshots[-1].ready)
        count = len(snapshots)
        await until(lambda: len(snapshots) > count)  # a round of the clock later, still
        assert not known(snapshots)
        drawn.set()
        await until(lambda: known(snapshots))


async def test_a_screen_that_never_says_that_it_stands_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "FIRST_FRAME_S", 0.05)
    async with beside(tmp_path, asyncio.Event()) as snapshots:
        await until(lambda: known(snapshots))


async def test_without_a_screen_boundaries_are_known_when_the_supervisor_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "FIRST_LOOK_S", LONG_S)
    async with beside(tmp_path, None) as snapshots:
        await until(lambda: any(one.ready for one in snapshots))
        assert known([next(one for one in snapshots if one.ready)])
