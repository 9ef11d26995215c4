"""What the clients' screens show: the weakest evidence, and the only one of clients that say nothing of themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from teamops.config.settings import Settings
from teamops.model.errors import TeamopsError
from teamops.model.events import ScreenSeen
from teamops.model.pane import Pane, Screen
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.port import Emit
from teamops.tmux.screen import KNOWN_CLIENTS, read
from teamops.tmux.server import Server

DRAWN_S = 0.3
"""A screen that begins to change is drawn by then."""
SETTLED_S = 0.9
"""Output is told once a second, so a second look comes after what was not told."""


class Screens:
    """Looks at a known client's screen after it printed, and tells when it shows something else than before."""

    def __init__(self, settings: Settings, server: Server, clock: Clock) -> None:
        self._clients: Mapping[Role, str] = {
            role.role: role.client for role in settings.roles if role.client in KNOWN_CLIENTS
        }
        self._server = server
        self._clock = clock
        self._emit: Emit | None = None
        self._panes: dict[Role, Pane] = {}
        self._told: dict[Role, tuple[int, Screen, bool, str]] = {}
        self._again: set[Role] = set()
        self._tasks: dict[Role, asyncio.Task[None]] = {}

    def start(self, emit: Emit) -> None:
        """Begin, in the running loop."""
        self._emit = emit

    async def stop(self) -> None:
        """End."""
        self._emit = None
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look_at_all(self) -> None:
        """Look at every screen now, as far as that goes quickly: what is still is told by no output."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAWN_S):
                await asyncio.gather(*(self._look(role) for role in self._panes if role in self._clients))

    def see(self, panes: Mapping[Role, Pane]) -> None:
        """Take the panes as they are now. One that is new is looked at without having printed."""
        before, self._panes = self._panes, {role: pane for role, pane in panes.items() if not pane.dead}
        for role, pane in self._panes.items():
            if role not in before or before[role].pid != pane.pid:
                self.printed(role)

    def printed(self, role: Role) -> None:
        """Look at that role's screen soon."""
        if role not in self._clients or self._emit is None:
            return
        self._again.add(role)
        if role not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._look_until_quiet(role), name=f"screen of {role}")
            self._tasks[role] = task
            task.add_done_callback(lambda _: self._tasks.pop(role, None))

    async def _look_until_quiet(self, role: Role) -> None:
        while role in self._again:
            self._again.discard(role)
            for pause in (DRAWN_S, SETTLED_S):
                await asyncio.sleep(pause)
                await self._look(role)

    async def _look(self, role: Role) -> None:
        pane = self._panes.get(role)
        if pane is None or self._emit is None:
            return
        try:
            text = await self._server.capture(pane.pane_id)
            title = await self._server.title(pane.pane_id)  # that of the last round may be 2 s old
        except TeamopsError:  # the pane is gone, or tmux hangs: the panes' own source says so
            return
        now = self._panes.get(role)
        if now is None or now.pid != pane.pid:
            return
        reading = read(self._clients[role], text, title)
        told = (pane.pid, reading.screen, reading.auth, reading.complaint)
        if self._told.get(role) != told:
            self._told[role] = told
            self._emit(ScreenSeen(self._clock.stamp(), role, *told))
