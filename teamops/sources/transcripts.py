"""What Claude Code in the panes says of itself by its status file, and which transcripts are whose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from teamops.config.settings import Settings
from teamops.model.agent import ClientStatus
from teamops.model.events import StatusSeen
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.logs import Logs
from teamops.sources.pace import next_look
from teamops.sources.port import Emit
from teamops.sources.watch import Watch
from teamops.usage import locate

CHECK_S = 1.0
"""How often a client is asked whether it still runs."""

_Cancel = Callable[[], None]


@dataclass(slots=True, eq=False)
class _Client:
    """The client of one role, as long as its pane's process lives."""

    role: Role
    pid: int
    homes: tuple[Path, ...]
    said: tuple[ClientStatus | None, str, bool, str] = (None, "", False, "")
    session: locate.Session | None = None
    ran: int | None = None
    """The client's own process, as its last status file named it: it may be a child of the pane's."""
    main: Path | None = None
    watches: list[_Cancel] = field(default_factory=list)

    def leave(self) -> None:
        for cancel in self.watches:
            cancel()
        self.watches.clear()


class Transcripts:
    """Emits ``StatusSeen`` for every followed role, and has its transcripts read by ``logs``.

    ``env`` is teamops' own environment; a role's own settings overlay it. All methods belong to the loop.
    """

    name = "transcripts"

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        clock: Clock,
        logs: Logs,
        env: Mapping[str, str],
        proc: Path = locate.PROC,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._clock = clock
        self._logs = logs
        self._env = env
        self._proc = proc
        self._clients: dict[Role, _Client] = {}
        self._homes: dict[Path, _Cancel] = {}
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._emit: Emit | None = None
        self._task: asyncio.Task[None] | None = None
        self._looking = False
        self._seen: dict[Path, tuple[tuple[int, int, int], locate.Session | None]] = {}

    async def start(self, emit: Emit) -> None:
        """Begin; whom to follow is said by ``follow``."""
        self._emit = emit
        check = keep("client status", self._check_for_ever, emit, self._clock)
        self._task = asyncio.create_task(check, name="client status")
        self._look_soon()

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for client in self._clients.values():
            client.leave()
        for cancel in self._homes.values():
            cancel()
        self._clients.clear()
        self._homes.clear()
        self._emit = None

    def follow(self, role: Role, pid: int | None) -> None:
        """Say which process runs in the role's pane now, ``None`` = none. Cheap where nothing changed."""
        client = self._clients.get(role)
        if (client.pid if client else None) == pid:
            return
        if client is not None:
            client.leave()
            del self._clients[role]
            self._say_status(client, None, "")
            self._logs.again(role)
        if pid is not None:
            own = self._settings.role(role)
            homes = locate.homes({**self._env, **(own.env if own else {})})
            self._clients[role] = _Client(role, pid, homes)
            for home in homes:
                if home not in self._homes:
                    self._homes[home] = self._watch.directory(home / "sessions", self._status_changed)
            self._look_soon()

    async def caught_up(self) -> None:
        """Return when all clients that are followed were looked for."""
        await self._quiet.wait()

    # who runs

    def _status_changed(self, names: frozenset[str]) -> None:
        if not names or any(name.endswith(".json") for name in names):
            self._look_soon()

    def _look_soon(self) -> None:
        # Six panes come in one event, a client writes its status twice: one look is enough.
        if not self._looking and self._emit is not None:
            self._looking = True
            self._quiet.clear()
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Find each client's status file, and what is new in it."""
        self._looking = False
        if self._emit is None:
            return
        pids = {client.pid: client for client in self._clients.values()}
        found: dict[Role, tuple[Path, locate.Session]] = {}
        for home in self._homes:
            for session in self._sessions(home):
                pid = locate.owner(session.pid, pids, self._proc)
                client = pids.get(pid) if pid is not None else None
                if client is None or home not in client.homes:
                    continue
                best = found.get(client.role)
                if best is None or _rank(session, client.pid) > _rank(best[1], client.pid):
                    found[client.role] = (home, session)
        for client in self._clients.values():
            home_session = found.get(client.role)
            if home_session is None:
                client.session = None
                self._say_status(client, None, "", ended=self._has_ended(client))
            else:
                self._see(client, *home_session)
        self._quiet.set()

    def _sessions(self, home: Path) -> list[locate.Session]:
        try:
            paths = sorted((home / "sessions").glob("*.json"))
        except OSError:
            return []
        return [session for path in paths if (session := self._session(path)) is not None]

    def _session(self, path: Path) -> locate.Session | None:
        """Read a status file, if it is another than at the last look."""
        try:
            status = path.stat()
        except OSError:
            return None
        mark = (status.st_ino, status.st_mtime_ns, status.st_size)
        seen = self._seen.get(path)
        if seen is None or seen[0] != mark:
            seen = self._seen[path] = (mark, locate.read_session(path, self._proc))
        return seen[1]

    def _see(self, client: _Client, home: Path, session: locate.Session) -> None:
        before, client.session, client.ran = client.session, session, session.pid
        self._say_status(client, session.status, session.waiting_for, session.since or None, session=session.session)
        same = before is not None and before.session == session.session
        if same and client.main is not None and client.main.exists():
            return
        main = locate.transcript(home, session)
        if main != client.main:
            client.leave()
            self._follow_files(client, main, came=client.main is not None)

    def _say_status(
        self,
        client: _Client,
        status: ClientStatus | None,
        detail: str,
        since_wall: float | None = None,
        *,
        ended: bool = False,
        session: str = "",
    ) -> None:
        said = (status, detail, ended, session)
        if client.said != said and self._emit is not None:
            client.said = said
            self._emit(StatusSeen(self._clock.stamp(), client.role, status, detail, since_wall, ended, session))

    def _has_ended(self, client: _Client) -> bool:
        return client.ran is not None and not locate.runs(client.ran, self._proc)

    # what it wrote

    def _follow_files(self, client: _Client, main: Path, *, came: bool) -> None:
        client.main = main
        role = client.role
        side = locate.side_folder(main)

        def main_changed(names: frozenset[str]) -> None:
            if main.name in names:
                self._want(role, main, fresh=True)

        def side_changed(names: frozenset[str]) -> None:
            for name in sorted(names):
                if locate.is_side(name):
                    self._want(role, side / name, fresh=True)

        client.watches = [
            self._watch.directory(main.parent, main_changed),
            self._watch.directory(side, side_changed),
        ]
        if main.exists():
            self._want(role, main, fresh=came)
        for path in sorted(side.glob("agent-*.jsonl")):
            self._want(role, path, fresh=came)

    def _want(self, role: Role, path: Path, *, fresh: bool) -> None:
        self._logs.follow(role, locate.CLIENT, path, fresh=fresh, growth=True)

    async def _check_for_ever(self) -> None:
        while True:
            await next_look(CHECK_S)
            # A killed client changes no file; that its status is stale shows at its process alone. One that leaves in
            # order takes its file along and ends a moment later.
            if any(self._has_ended(client) and not client.said[2] for client in self._clients.values()):
                self._seen.clear()
                self._look()


def _rank(session: locate.Session, pid: int) -> tuple[bool, float]:
    """Return how good a match is: the pane's own process before its children, then the one that spoke last."""
    return session.pid == pid, session.updated
