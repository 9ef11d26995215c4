"""The loop's own promises, on a real ledger and without sources."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from teamops.config.settings import Settings
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.agent import ClientStatus
from teamops.model.alert import AlertState
from teamops.model.events import HandoffLost, StatusSeen, Ticked
from teamops.model.role import CODER
from teamops.model.snapshot import Snapshot, SupervisorView
from teamops.sources.clock import Clock
from teamops.supervisor.core import Core
from teamops.supervisor.memory import Memory
from teamops.usage.pricing import Pricer


class Life:
    """One life of a supervisor, whose clock is the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger: Ledger = open_ledger(folder / "l")
        self.snapshots: asyncio.Queue[Snapshot] = asyncio.Queue()
        settings = Settings(root=folder, project="p", handoff=folder / "current.md", roles=())
        view = SupervisorView(pid=1, acting=True, since_wall=None, watch_only=True)
        memory = Memory(self.ledger, Pricer({}), acting=True, followed=False)
        self.core = Core(settings, Clock(), memory, view, self.snapshots.put_nowait, itertools.count(1))
        self.core.begin_running()
        self.core.say_ready()

    async def until(self, code: str) -> Snapshot:
        async with asyncio.timeout(10):
            while True:
                snapshot = await self.snapshots.get()
                if any(alert.code == code and alert.state is AlertState.FIRING for alert in snapshot.alerts):
                    return snapshot
                self.core.emit(Ticked(self.core.stamp()))

    async def end(self) -> None:
        self.core.running.cancel()
        await asyncio.gather(self.core.running, return_exceptions=True)
        self.ledger.close()


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    life = Life(tmp_path)
    yield life
    await life.end()


async def test_work_beside_the_loop_that_fails_becomes_an_alert(life: Life) -> None:
    async def work() -> None:
        raise ValueError("no such thing")

    life.core.spawn(work(), "prices")
    snapshot = await life.until("source-troubled")
    assert any("prices: ended by a defect: ValueError: no such thing" in trouble for trouble in snapshot.troubles)


async def test_which_client_session_ran_for_whom_is_remembered_from_its_status_alone(life: Life) -> None:
    life.core.emit(StatusSeen(life.core.stamp(), CODER, ClientStatus.IDLE, session="abc"))
    life.core.emit(HandoffLost(life.core.stamp(), "there is no current.md", "make it"))
    await life.until("handoff-lost")
    async with asyncio.timeout(10):
        while not life.ledger.sessions.all():
            life.core.emit(Ticked(life.core.stamp()))
            await asyncio.sleep(0)
    assert life.ledger.sessions.all() == {"abc": CODER}
