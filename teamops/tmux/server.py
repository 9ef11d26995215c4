"""The tmux server as the rest of teamops knows it: a few questions, about the managed sessions only."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from teamops.model.errors import TeamopsError
from teamops.model.pane import Pane
from teamops.model.text import clean, clean_colours, clean_line
from teamops.tmux.command import ServerDown, TmuxFailed, calming, exact, quote, run_once, word
from teamops.tmux.control import ControlClient, ControlLost, Notification
from teamops.tmux.listing import TITLE_LIMIT, Listed, format_of, parse
from teamops.tmux.socket import Socket

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 10.0
STEADY_S = 30.0
"""A connection that held so long was a good one: the next loss is retried quickly again."""

CHANGES = frozenset(
    {
        "sessions-changed",
        "session-changed",
        "session-renamed",
        "session-window-changed",
        "window-pane-changed",
        "window-add",
        "window-close",
        "unlinked-window-add",
        "unlinked-window-close",
        "client-session-changed",
        "client-detached",
        "pane-mode-changed",
        "layout-change",
    }
)
"""Notifications after which the panes may be others."""

_LESSER = ("subprocess: control mode", "subprocess: the sessions")
_NAME = re.compile(r"[^\x00-\x1f\x7f:.]+")


class Server:
    """A tmux server, seen through its managed sessions.

    ``sessions`` are the only names it ever answers about or acts on; whatever else lives there is left out, and a
    request for it raises ``TeamopsError``. Questions go through one control-mode client (see ``tmux.control`` for what
    that means to the server), acts and everything else through one short process each. It never starts a server.
    """

    def __init__(self, socket: Socket, sessions: Collection[str], *, known: Mapping[str, str] | None = None) -> None:
        """``known``: session → the pane in which its agent was started last."""
        for name in sessions:
            if not _NAME.fullmatch(name):
                raise TeamopsError(
                    f'"{name}" can\'t be the name of a tmux session', "use letters, digits, - and _ (no colon, no dot)"
                )
        self.socket = socket
        self.sessions = tuple(dict.fromkeys(sessions))
        self.mode = "subprocess: not started"
        """``control``, or ``subprocess:`` and why."""
        self.server_pid = 0
        """The server's own process, once seen."""
        self.activity: dict[str, int] = {}
        """Pane → Unix seconds of its window's last output, as of the last ``panes``."""
        self._said = ("", Listed())
        """tmux's last answer, and what it says."""
        self._control: ControlClient | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._shy: frozenset[str] = frozenset()
        """Sessions that end when a client leaves them: never attached to."""
        self._first: dict[str, str] = {}
        self._known = dict(known or {})
        self._present: tuple[str, ...] = ()
        self._lives: frozenset[tuple[str, int, bool]] = frozenset()
        self._callbacks: list[Callable[[], None]] = []
        self._guard = f"@{os.urandom(6).hex()}"
        """Begins each of our own lines, so that no title or name can pass for one."""

    async def start(self) -> None:
        """Look once, and attach if there is a managed session. Raises ``TeamopsError`` where tmux is missing."""
        self.socket.argv()
        self.mode = "subprocess: no session to attach to yet"
        try:
            await self.panes()
        except TeamopsError as error:
            self.mode = f"subprocess: {error.message}"
        self._keeper = asyncio.create_task(self._keep_attached(), name="tmux connection")

    async def close(self) -> None:
        """Detach. Sessions and agents keep running."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        control, self._control = self._control, None
        if control is not None:
            await control.close()
        self.mode = "subprocess: closed"

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, in the loop, when panes may have changed; the returned function ends it.

        Control mode tells of sessions and windows, never of a process that ended (its pane stays).
        """
        self._callbacks.append(callback)

        def end() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return end

    async def panes(self) -> tuple[Pane, ...]:
        """Return the first pane of each managed session that exists, in the order of ``sessions``.

        A session keeps the pane it was first seen with, as long as that lives on in it: a person may split windows and
        move them. Raises ``ServerDown``, ``TmuxFailed``.
        """
        question = ["list-panes", "-a", "-F", format_of(self._guard)]
        clients = ["list-clients", "-F", f"{self._guard} #{{client_control_mode}}:#{{session_name}}"]
        try:
            text = await self.run(question, clients)
        except ServerDown:
            self._forget()
            raise
        listed = self._read(text)
        self.server_pid = listed.server_pid or self.server_pid
        self._shy = listed.shy
        self.activity = listed.activity
        panes = [pane for name in self.sessions if (pane := self._first_pane(name, listed)) is not None]
        self._first = {pane.session: pane.pane_id for pane in panes}
        lives = frozenset((pane.pane_id, pane.pid, pane.dead) for pane in panes)
        before, self._lives = self._lives, lives
        if lives != before:  # no notification tells of a respawn or a death: who sees one tells the others
            self._tell()
        self._present = tuple(self._first)
        if self._control is None and self._willing():
            self._wanted.set()
        elif self._control is None:
            self.mode = self._why_not_attached()
        return tuple(panes)

    def _read(self, text: str) -> Listed:
        """Return what tmux said; of a server at rest that is mostly what it said before."""
        if self._said[0] != text:
            self._said = text, parse(text, self._guard, frozenset(self.sessions))
        return self._said[1]

    def _first_pane(self, session: str, listed: Listed) -> Pane | None:
        rows = listed.panes.get(session)
        if not rows:
            return None
        known = self._first.get(session) or self._known.get(session)
        return next((row for row in rows if row.pane_id == known), rows[0])

    def _forget(self) -> None:
        self._first, self._present = {}, ()
        if self._lives:
            self._lives = frozenset()
            self._tell()

    async def capture(self, pane_id: str, *, ansi: bool = False, history: int = 0) -> str:
        """Return a managed pane's visible screen, and ``history`` lines before it; cleaned.

        With ``ansi`` its SGR sequences stay. Raises ``TeamopsError`` for a pane that is not managed or is gone.
        """
        await self._must_manage(pane_id)
        args = ["capture-pane", "-p", "-t", pane_id]
        if ansi:
            args.append("-e")
        if history > 0:
            args += ["-S", f"-{history}"]
        text = await self.run(args)
        return clean_colours(text) if ansi else clean(text)

    async def pane(self, pane_id: str) -> Pane:
        """Return a managed pane as of now. Raises ``TeamopsError`` if it is gone or not managed."""
        for pane in await self.panes():
            if pane.pane_id == pane_id:
                return pane
        raise TeamopsError(f"pane {pane_id} is gone, or not one that teamops manages", "see: teamops status")

    async def title(self, pane_id: str) -> str:
        """Return a managed pane's title as of now, cleaned: cheaper than the whole pane."""
        await self._must_manage(pane_id)
        return clean_line(await self.run(["display-message", "-p", "-t", pane_id, "#{pane_title}"]), TITLE_LIMIT)

    async def cursor(self, pane_id: str) -> tuple[int, int]:
        """Return the cursor's column and row in a managed pane, and with the row all lines scrolled away before it."""
        await self._must_manage(pane_id)
        said = await self.run(["display-message", "-p", "-t", pane_id, "#{cursor_x} #{cursor_y} #{history_size}"])
        column, row, history = (int(part or 0) for part in said.split())
        return column, row + history

    async def send(self, pane_id: str, *keys: str) -> None:
        """Press keys (tmux's names: ``C-u``, ``Enter``) in a managed pane."""
        await self._must_manage(pane_id)
        await run_once(self.socket, ["send-keys", "-t", pane_id, *keys])

    async def type(self, pane_id: str, text: str) -> None:
        """Type ``text`` into a managed pane, letter by letter: nothing in it is a key's name or a command's end."""
        await self._must_manage(pane_id)
        await run_once(self.socket, ["send-keys", "-t", pane_id, "-l", "--", word(text)])

    async def _must_manage(self, pane_id: str) -> None:
        if pane_id not in self._first.values():
            await self.pane(pane_id)

    async def run(self, *commands: Sequence[str]) -> str:
        """Ask tmux and return all that it prints: through control mode, else in one process.

        Internal: the caller answers for aiming at managed sessions. Only for what changes nothing; the connection is
        read-only. Raises ``ServerDown``, ``TmuxFailed``.
        """
        control = self._control
        if control is not None and control.alive:
            try:
                lines = [" ".join(quote(part) for part in command) for command in commands]
                answers = await asyncio.gather(*(control.ask(line) for line in lines), return_exceptions=True)
                for answer in answers:
                    if isinstance(answer, BaseException):
                        raise answer
                return "".join(answer for answer in answers if isinstance(answer, str))
            except ControlLost:
                pass  # _on_lost has said why; the question itself can still be answered
        words: list[str] = []
        for command in commands:
            words += [";", *map(word, command)] if words else map(word, command)
        return await run_once(self.socket, words)

    # the connection

    def _on_notification(self, said: Notification) -> None:
        if said.name in CHANGES:
            self._tell()

    def _tell(self) -> None:
        for callback in tuple(self._callbacks):
            callback()

    def _on_lost(self, why: str) -> None:
        self.mode = f"subprocess: control mode lost ({why})"
        self._wanted.set()
        self._tell()

    async def _keep_attached(self) -> None:
        """Be attached whenever there is a managed session; otherwise wait until ``panes`` finds one."""
        pause = FIRST_RETRY_S
        loop = asyncio.get_running_loop()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self._control is not None and self._control.alive:
                continue
            await self._drop()
            session = await self._choose()
            if session is None:
                continue
            began = loop.time()
            try:
                await self._attach(session)
            except ControlLost as error:
                self.mode = f"subprocess: control mode failed ({error})"
            else:
                await self._until_lost()
            pause = FIRST_RETRY_S if loop.time() - began > STEADY_S else min(pause * 2, LAST_RETRY_S)
            await asyncio.sleep(pause)
            self._wanted.set()

    async def _until_lost(self) -> None:
        while self._control is not None and self._control.alive:
            await self._wanted.wait()
            self._wanted.clear()

    async def _drop(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            await control.close()

    async def _choose(self) -> str | None:
        """Return the managed session to attach to, by a fresh look."""
        try:
            await self.panes()
        except TeamopsError as error:
            self.mode = f"subprocess: {error.message}"
            return None
        return next(iter(self._willing()), None)

    def _willing(self) -> list[str]:
        dead = {pane_id for pane_id, _, dead in self._lives if dead}
        willing = [name for name in self._present if name not in self._shy]
        return sorted(willing, key=lambda name: self._first.get(name) in dead)  # a dead pane is reset by it

    def _why_not_attached(self) -> str:
        if self._present:
            return "subprocess: the sessions have destroy-unattached on, so attaching could end them"
        return "subprocess: no session to attach to yet"

    async def _attach(self, session: str) -> None:
        control = ControlClient(self.socket, session, self._on_notification, self._on_lost)
        try:
            await run_once(self.socket, calming(session))
            await control.open()
        except (ControlLost, OSError, ServerDown, TmuxFailed) as error:
            raise ControlLost(str(error)) from error
        self._control = control
        if control.alive:
            self.mode = "control"
            self._tell()

    @property
    def lesser(self) -> bool:
        """Whether control mode should work and does not (there being nothing to attach to is no fault)."""
        return self.mode.startswith(_LESSER)

    @property
    def control_pid(self) -> int:
        """The control client's process; 0 when there is none."""
        return self._control.pid if self._control is not None and self._control.alive else 0


__all__ = ["Server", "ServerDown", "TmuxFailed", "exact"]
