"""Two hundred agents die at once under the open screen: keys are answered all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from teamops.handoff.appending import append
from teamops.model.role import DIRECTOR, Role
from teamops.model.snapshot import Snapshot
from teamops.tui.app import TeamopsApp
from tests.month import World
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import settle, text_on
from tests.unit.supervisor.life import block

TEAM = tuple(Role(f"A{number}") for number in range(200))
AT_ONCE_S = 0.2
"""A key is answered within so long, on a machine that has nothing else to do."""
TIMES = 6.0
"""… and anywhere within so many times what it takes while all is calm."""
DEADLINE_S = 60.0


class Team:
    """A supervisor of them in a thread of its own, as under the real screen."""

    def __init__(self, folder: Path, port: FakePort) -> None:
        self._folder, self._port = folder, port
        self.ready, self.storm, self.over = threading.Event(), threading.Event(), threading.Event()
        self.pages = 0

    def run(self) -> None:
        asyncio.run(self._live())

    def _publish(self, snapshot: Snapshot) -> None:
        self._port.publish(snapshot)

    async def _live(self) -> None:
        world = World(self._folder, asyncio.get_running_loop(), team=TEAM, publish=self._publish)
        await world.begin()
        for number, role in enumerate(TEAM):
            append(world.handoff, block(DIRECTOR, role, task=f"t{number}", tier=1))
        world.tell_handoff()
        await world.step(1.0)
        self.ready.set()
        dead = False
        while not self.over.is_set():
            if self.storm.is_set() and not dead:
                dead = True
                for role in TEAM:
                    world.die(role)
            await world.step(1.0)
            self.pages = len(world.heard)
        await world.kill()


@contextmanager
def supervised(folder: Path, port: FakePort) -> Iterator[Team]:
    team = Team(folder, port)
    thread = threading.Thread(target=team.run)
    thread.start()
    try:
        assert team.ready.wait(DEADLINE_S)
        yield team
    finally:
        team.over.set()
        thread.join(DEADLINE_S)


async def answered(pilot: Pilot[None], app: TeamopsApp) -> float:
    """Open the help and leave it; return how long the slower of the two took."""
    slowest = 0.0
    for key, depth in (("question_mark", 2), ("escape", 1)):
        began = time.perf_counter()
        await pilot.press(key)
        while len(app.screen_stack) != depth:
            assert time.perf_counter() - began < DEADLINE_S
            await pilot.pause()
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


@pytest.mark.slow
async def test_keys_are_answered_while_200_agents_die(make_app: MakeApp, port: FakePort, tmp_path: Path) -> None:
    with supervised(tmp_path, port) as team:
        app = make_app(monotonic=time.monotonic)
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            await answered(pilot, app)  # what is imported and built once
            calm = sorted([await answered(pilot, app) for _ in range(8)])
            team.storm.set()
            storm: list[float] = []
            end = time.monotonic() + DEADLINE_S
            while len(storm) < 8 or not team.pages:
                assert time.monotonic() < end
                storm.append(await answered(pilot, app))
            storm.sort()
            await settle(pilot)
            assert "dead" in text_on(app)
            assert 1 <= team.pages <= 3
    assert sum(agent.state == "dead" for agent in port.now.agents) == len(TEAM)
    assert storm[-1] < max(AT_ONCE_S, TIMES * calm[-1]), (calm, storm)
    assert storm[len(storm) // 2] < max(AT_ONCE_S, 3 * calm[len(calm) // 2]), (calm, storm)
