"""The team's panes: who is there, who died and how, who prints."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.domain.findings import TMUX_SERVER
from teamops.model.errors import TeamopsError
from teamops.model.events import OutputSeen, PaneDied, PanesSeen, SourceTroubled
from teamops.model.pane import Pane
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.oom import OomKills, was_oom
from teamops.sources.pace import until_next
from teamops.sources.port import Emit
from teamops.sources.pty_output import PtyOutput
from teamops.sources.screens import Screens
from teamops.tmux.ending import ending_of, is_alive, nudge
from teamops.tmux.server import Server, ServerDown

POLL_S = 2.0
"""What no notification tells (titles, copy mode, a hanging server) is seen so soon."""
DOWN_POLL_S = 1.0
COALESCE_S = 0.02
"""Notifications come in flocks."""
ALIVE_POLL_S = 0.25
"""Where the system has no pidfd."""
ASKED = 10
"""So often tmux is asked how a process ended: it sees the closed terminal sooner than the status."""
NUDGE_S = 0.05
"""A server that has not taken a child's end after this is told again."""
LESSER_S = 10.0
"""Control mode gone for so long is worth a person's notice."""

PIDFD = hasattr(os, "pidfd_open")
"""Linux. Elsewhere lives are polled."""

Ending = tuple[int | None, int | None]


class Panes:
    """Watches the managed sessions of one server.

    Sessions come and go by notification and a slow poll. A death is seen by pidfd within milliseconds, its status read
    from the zombie, else asked of tmux. Debian's tmux 3.3 can miss SIGCHLD and then leaves the zombie and a pane that
    looks alive: if the zombie's parent is the server of a managed pane, that server gets the signal again, which
    makes it look for ended children and does nothing else.
    """

    name = "panes"

    def __init__(self, settings: Settings, server: Server, clock: Clock, poll_s: float = POLL_S) -> None:
        self._server = server
        self._clock = clock
        self._poll_s = poll_s
        self._roles: dict[str, Role] = {role.session: role.role for role in settings.roles}
        self._emit: Emit = lambda _: None
        self._task: asyncio.Task[None] | None = None
        self._helpers: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._end_notice: Callable[[], None] = lambda: None
        self._last: tuple[tuple[tuple[Role, Pane], ...], bool] | None = None
        self._pidfds: dict[int, tuple[int, Role]] = {}
        """pid → (pidfd or -1, role)"""
        self._ended: dict[int, Ending] = {}
        self._oom = OomKills(lambda: clock.stamp().now)
        self._output = PtyOutput(self._printed)
        self._screens = Screens(settings, server, clock)
        self._ttys: dict[str, Role] = {}
        self._activity: dict[Role, int] = {}
        self._troubles: dict[str, str] = {}
        self._lesser_since: float | None = None

    async def start(self, emit: Emit) -> None:
        """Look once and go on."""
        self._emit = emit
        self._output.start()
        self._screens.start(emit)
        self._end_notice = self._server.on_change(self._changed.set)
        await self._begin()
        await self._screens.look_at_all()
        self._task = asyncio.create_task(keep(self.name, self._run, self._emit, self._clock), name="panes")
        if not PIDFD:
            self._help(self._poll_lives(), "panes alive")

    async def stop(self) -> None:
        """End; the server's connection is its owner's to close."""
        self._end_notice()
        await self._screens.stop()
        tasks = [*self._helpers, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None
        for pid in tuple(self._pidfds):
            self._unfollow(pid)
        self._output.close()

    async def _begin(self) -> bool:
        try:
            await self._server.start()
        except TeamopsError as error:  # no tmux program
            self._say("tmux", error.message, error.hint)
            self._tell((), up=False)
            return False
        self._say("tmux", "", "")
        await self._look()
        return True

    async def _run(self) -> None:
        while self._troubles.get("tmux"):
            await asyncio.sleep(self._poll_s)
            await self._begin()
        while True:
            up = self._last is not None and self._last[1]
            try:
                async with asyncio.timeout(until_next(self._poll_s if up else min(DOWN_POLL_S, self._poll_s))):
                    await self._changed.wait()
                await asyncio.sleep(COALESCE_S)
            except TimeoutError:
                pass
            self._changed.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            panes = await self._server.panes()
        except ServerDown:
            self._say(TMUX_SERVER, "", "")
            self._tell((), up=False)
            return
        except TeamopsError as error:  # it hangs or refuses: what was known stays
            self._say(TMUX_SERVER, error.message, error.hint)
            return
        self._say(TMUX_SERVER, "", "")
        self._follow(panes)
        self._oom.look()
        self._tell(panes, up=True)
        self._watch_output(panes)
        self._watch_mode(panes)

    def _tell(self, panes: tuple[Pane, ...], *, up: bool) -> None:
        if not up:
            self._follow(())
            self._watch_output(())
        rows = tuple((self._roles[pane.session], self._with_ending(pane)) for pane in panes)
        seen = (rows, up)
        if seen != self._last:
            self._last = seen
            self._emit(PanesSeen(self._clock.stamp(), rows, up))
            self._screens.see(dict(rows))

    def _with_ending(self, pane: Pane) -> Pane:
        """Return the pane as it is known: tmux may learn of a death later than we do, and forget how it came."""
        ending = self._ended.get(pane.pid)
        if ending is None and pane.dead and pane.exit_status is None and pane.exit_signal is None:
            ending = ending_of(pane.pid)  # it ended before we looked, and tmux has missed the signal of it
        if ending is None or (pane.dead and (pane.exit_status is not None or pane.exit_signal is not None)):
            return pane
        return replace(pane, dead=True, exit_status=ending[0], exit_signal=ending[1])

    def _say(self, what: str, message: str, hint: str) -> None:
        if self._troubles.get(what, "") != message:
            self._troubles[what] = message
            self._emit(SourceTroubled(self._clock.stamp(), what, message, hint))

    def _watch_mode(self, panes: tuple[Pane, ...]) -> None:
        now = self._clock.stamp().now
        if not (panes and self._server.lesser):
            self._lesser_since = None
            self._say("tmux control mode", "", "")
            return
        self._lesser_since = now if self._lesser_since is None else self._lesser_since
        if now - self._lesser_since >= LESSER_S:
            self._say(
                "tmux control mode",
                "tmux is asked by one process each time: " + self._server.mode.partition(": ")[2],
                "all works, with a little more CPU",
            )

    # lives and deaths

    def _follow(self, panes: tuple[Pane, ...]) -> None:
        wanted = {pane.pid: self._roles[pane.session] for pane in panes if not pane.dead and pane.pid > 0}
        present = {pane.pid for pane in panes}
        for pid in tuple(self._pidfds):
            if pid not in wanted and (pid in present or not is_alive(pid)):
                # tmux was quicker than the loop: the pidfd tells in the same moment, or has told.
                self._gone(pid, panes)
            elif pid not in wanted:
                self._unfollow(pid)
        self._ended = {pid: ending for pid, ending in self._ended.items() if pid in present}
        for pid, role in wanted.items():
            if pid not in self._pidfds and pid not in self._ended:
                self._follow_one(pid, role)

    def _follow_one(self, pid: int, role: Role) -> None:
        if not PIDFD:
            self._pidfds[pid] = (-1, role)
            return
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._pidfds[pid] = (-1, role)
            self._died(pid)
            return
        except OSError:  # no more descriptors, or not allowed: the poll sees its pane's end
            return
        self._pidfds[pid] = (fd, role)
        self._oom.follow(pid)
        asyncio.get_running_loop().add_reader(fd, self._died, pid)

    def _unfollow(self, pid: int) -> bool | None:
        """Leave a process; return whether the kernel has ended some for want of memory just now, if that is known."""
        fd, _ = self._pidfds.pop(pid)
        if fd >= 0:
            asyncio.get_running_loop().remove_reader(fd)
            os.close(fd)
        return self._oom.end(pid)

    def _died(self, pid: int) -> None:
        """The process ended: say so at once if its zombie tells how, else when tmux has told."""
        role = self._pidfds[pid][1]
        risen = self._unfollow(pid)
        ending = ending_of(pid)
        if ending is not None:
            self._say_death(role, pid, ending, risen=risen)
            self._help(self._nudge(pid), f"nudge for {pid}")
        else:
            self._help(self._ask_tmux(role, pid, risen=risen), f"end of {pid}")
        self._changed.set()

    def _gone(self, pid: int, panes: tuple[Pane, ...]) -> None:
        role = self._pidfds[pid][1]
        risen = self._unfollow(pid)
        pane = next((pane for pane in panes if pane.pid == pid), None)
        ending = ending_of(pid) or ((pane.exit_status, pane.exit_signal) if pane else (None, None))
        if pane is not None and ending == (None, None):
            # By the closed terminal tmux knows of the end a moment before it knows how.
            self._help(self._ask_tmux(role, pid, risen=risen), f"end of {pid}")
        else:
            self._say_death(role, pid, ending, risen=risen)

    def _say_death(self, role: Role, pid: int, ending: Ending, *, risen: bool | None) -> None:
        self._ended[pid] = ending
        self._emit(PaneDied(self._clock.stamp(), role, pid, *ending, was_oom(*ending, risen=risen)))

    async def _ask_tmux(self, role: Role, pid: int, *, risen: bool | None) -> None:
        """Tmux has reaped it already, so it knows how it ended; without its pane nobody does any more."""
        ending: Ending = (None, None)
        with suppress(TeamopsError):
            for _ in range(ASKED):
                pane = next((pane for pane in await self._server.panes() if pane.pid == pid), None)
                if pane is None:
                    break
                ending = (pane.exit_status, pane.exit_signal)
                if pane.dead and ending != (None, None):
                    break
                nudge(self._server.server_pid, pid)
                await asyncio.sleep(COALESCE_S)
        self._say_death(role, pid, ending, risen=risen)
        self._changed.set()

    async def _nudge(self, pid: int) -> None:
        await asyncio.sleep(NUDGE_S)
        nudge(self._server.server_pid, pid)
        self._changed.set()

    async def _poll_lives(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_POLL_S)
            for pid in tuple(self._pidfds):
                if not is_alive(pid):
                    self._died(pid)

    # output

    def _watch_output(self, panes: tuple[Pane, ...]) -> None:
        living = [pane for pane in panes if not pane.dead and pane.pid not in self._ended]
        if self._output.available:
            self._ttys = {pane.tty: self._roles[pane.session] for pane in living}
            self._output.watch(self._ttys)
            return
        for pane in living:
            role, at = self._roles[pane.session], self._server.activity.get(pane.pane_id, 0)
            before = self._activity.get(role)
            self._activity[role] = at
            if before is not None and at > before:
                self._say_output(role)

    def _printed(self, tty: str) -> None:
        role = self._ttys.get(tty)
        if role is not None:
            self._say_output(role)

    def _say_output(self, role: Role) -> None:
        self._emit(OutputSeen(self._clock.stamp(), role))
        self._screens.printed(role)

    def _help(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)
