"""Which logs Codex, Gemini CLI and opencode in the panes write, and when they grow: signs of work, and usage."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from teamops.config.settings import RoleSettings, Settings
from teamops.model.events import GrowthSeen
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.logs import Logs
from teamops.sources.pace import next_look
from teamops.sources.port import Emit
from teamops.sources.tail import grown_at
from teamops.sources.watch import Watch
from teamops.usage import locate_codex, locate_gemini, locate_opencode
from teamops.usage.open_files import PROC, began_at, cwd_of

TELL_S = 1.0
"""Growth of one agent is told at most this often."""
ASK_S = 0.4
"""A database is asked at most this often: what an agent used is told within a second."""
EARLY_S = 2.0
"""The kernel tells to the second when a process began: a log that was written this long before it may be its own."""
TICK_S = 2.0
ROUND_TICKS = 15
"""In so many ticks every client is looked at again: what no directory tells, as a resumed session, is found so."""
SOON_S = 0.3
"""Agents tend to begin together: rollouts of nobody's are searched for once for all of them."""
CLIENTS = frozenset({"codex", "gemini", "opencode"})


@dataclass(slots=True, eq=False)
class _Client:
    """The client of one role, as long as its pane's process lives."""

    role: Role
    pid: int
    kind: str
    home: Path | None
    """Where it keeps its files; of opencode its database."""
    cwd: Path
    began: float | None
    """When its pane's process began, Unix seconds: what was written last before that is no log of its; ``None`` = not
    known."""
    folders: frozenset[Path] = frozenset()
    """Directories in which something may change for it."""
    sides: frozenset[Path] = frozenset()
    """Those of Gemini CLI's subagents among them."""
    rollouts: tuple[Path, ...] = ()
    session: str = ""
    written: locate_opencode.Written | None = None
    """opencode's session and when it was last written, by its database."""
    looked: bool = False
    """It was looked at before: what is new since then was written just now."""
    seen: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """When each file was last written, and its size: a directory that begins to be watched tells of all its names."""
    told: float = -math.inf
    """When it was last told that something grew just then, observed seconds."""


class Growth:
    """Emits ``GrowthSeen`` for followed roles, and has their logs read by ``logs``.

    Codex holds its rollout open. Of Gemini CLI and opencode, one place serves all who work in a folder: where several
    followed agents do, only one whose session id is known (``session_of``) is told of; the growth of the others can't
    be told apart and is not told, and what they use is nobody's. ``env`` is teamops' own environment; a role's own
    settings overlay it. All methods belong to the loop.
    """

    name = "growth"

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        clock: Clock,
        env: Mapping[str, str],
        logs: Logs,
        session_of: Callable[[Role], str] = lambda _: "",
        proc: Path = PROC,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._clock = clock
        self._env = env
        self._logs = logs
        self._session_of = session_of
        self._proc = proc
        self._clients: dict[Role, _Client] = {}
        self._watched: dict[Path, Callable[[], None]] = {}
        self._known: set[Path] = set()
        """Rollouts for whose owner all clients were looked at."""
        self._strange: asyncio.TimerHandle | None = None
        self._due: set[Path] = set()
        """Databases that have grown."""
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._emit: Emit | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, emit: Emit) -> None:
        """Begin; whom to follow is said by ``follow``."""
        self._emit = emit
        self._tasks = [
            asyncio.create_task(keep(self.name, self._look_for_ever, emit, self._clock), name="growth"),
            asyncio.create_task(keep(self.name, self._ask_for_ever, emit, self._clock), name="growth of databases"),
        ]
        for client in self._clients.values():
            self._look(client)

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._strange is not None:
            self._strange.cancel()
        for cancel in self._watched.values():
            cancel()
        self._watched.clear()
        self._clients.clear()
        self._emit = None

    def follow(self, role: Role, pid: int | None) -> None:
        """Say which process runs in the role's pane now, ``None`` = none. Cheap where nothing changed."""
        own = self._settings.role(role)
        before = self._clients.get(role)
        if own is None or own.client not in CLIENTS or (before.pid if before else None) == pid:
            return
        if pid is None:
            self._leave(before)
            self._rewatch()
            return
        self._leave(before)
        self._clients[role] = self._client(own, pid)
        if self._emit is not None:
            self._look(self._clients[role])

    async def caught_up(self) -> None:
        """Return when the databases that are known to have grown were asked."""
        await self._quiet.wait()

    def _leave(self, client: _Client | None) -> None:
        """Let go of a client whose process has ended; what it wrote last is told still."""
        if client is not None:
            del self._clients[client.role]
            self._logs.again(client.role)

    def _client(self, own: RoleSettings, pid: int) -> _Client:
        env = {**self._env, **own.env}
        home = {
            "codex": locate_codex.home,
            "gemini": locate_gemini.home,
            "opencode": locate_opencode.database,
        }[own.client](env)
        cwd = cwd_of(pid, self._proc) or own.cwd
        return _Client(own.role, pid, own.client, home, Path(os.path.realpath(cwd)), began_at(pid, self._proc))

    # whose files

    def _look(self, client: _Client) -> None:
        """Find a client's files, and tell those that are new of it."""
        if client.kind == "codex":
            self._look_for_rollouts(client)
        elif client.home is None:
            return
        elif client.kind == "gemini":
            self._look_for_chats(client, client.home)
        else:
            self._listen(client, frozenset({client.home.parent}))
            self._ask_soon(client.home)
        client.looked = client.looked or client.kind != "opencode"

    def _look_for_chats(self, client: _Client, home: Path) -> None:
        chats = locate_gemini.chats(home, client.cwd)
        self._listen(client, client.folders | {home / "tmp", *([chats] if chats else [])})
        fresh = [path for path in chats.glob("session-*") if path not in client.seen] if chats else []
        own = sorted((grown_at(path) or 0.0, path) for path in fresh if self._is_chat_of(client, path.name))
        for at, path in own[:-1]:
            client.seen[path] = _mark(path)
            self._read(client, path, at)
        if own:  # a project may have hundreds, of months: the last one tells
            self._see(client, own[-1][1])

    def _read(self, client: _Client, path: Path, at: float, *, session: str = "") -> None:
        """Have a log read that was last written at ``at``, if it can be this process's."""
        known = client.kind == "codex" or bool(self._session_of(client.role))
        if not known and (client.began is None or at < client.began - EARLY_S):
            return
        self._logs.follow(client.role, client.kind, path, session=session, fresh=client.looked)
        if client.kind == "gemini" and (side := locate_gemini.side_folder(path)) not in client.sides:
            self._look_for_side_chats(client, side)

    def _look_for_rollouts(self, client: _Client) -> None:
        client.rollouts = locate_codex.rollouts(client.pid, self._proc)
        main = locate_codex.main_of(client.rollouts)
        session = locate_codex.session_of(main) if main else ""
        known, client.session = client.session, session or client.session
        folders = {path.parent for path in client.rollouts}
        if client.home is not None:  # a new session's rollout comes into today's folder
            today = datetime.fromtimestamp(self._clock.stamp().wall, UTC).astimezone().date()
            folders.add(locate_codex.day_folder(client.home, today))
        self._listen(client, frozenset(folders))
        fresh = [path for path in client.rollouts if path not in client.seen]
        for path in fresh:
            self._see(client, path)
        if client.session != known and main is not None and not fresh:
            self._tell(client, grown_at(main))

    def _listen(self, client: _Client, folders: frozenset[Path]) -> None:
        if client.folders != folders:
            client.folders = folders
            self._rewatch()

    def _look_for_side_chats(self, client: _Client, side: Path | None) -> None:
        if side is None:
            return
        client.sides |= {side}
        self._listen(client, client.folders | {side})
        for path in sorted(side.glob("*.json*")):
            self._logs.follow(client.role, client.kind, path, fresh=client.looked)

    def _rewatch(self) -> None:
        """Watch what the clients need, each directory once for all of them."""
        wanted = {folder for client in self._clients.values() for folder in client.folders}
        for folder in self._watched.keys() - wanted:
            self._watched.pop(folder)()
        for folder in wanted - self._watched.keys():
            self._watched[folder] = self._watch.directory(folder, partial(self._changed, folder))

    def _is_chat_of(self, client: _Client, name: str) -> bool:
        session = self._session_of(client.role)
        return (bool(session) or self._alone(client)) and locate_gemini.is_chat(name, session)

    def _alone(self, client: _Client) -> bool:
        """Return whether no other followed agent writes to the same place from the same folder."""
        return not any(
            other is not client and (other.kind, other.home, other.cwd) == (client.kind, client.home, client.cwd)
            for other in self._clients.values()
        )

    def _find_owners(self) -> None:
        """Look whose the new rollouts are. One of a person's own session is nobody's."""
        self._strange = None
        for client in [client for client in self._clients.values() if client.kind == "codex"]:
            self._look(client)

    # what grew

    def _changed(self, folder: Path, names: frozenset[str]) -> None:
        if self._emit is None:
            return
        here = [client for client in self._clients.values() if folder in client.folders]
        paths = {folder / name for name in names}
        if self._strange is None and any(locate_codex.session_of(path) for path in paths - self._known):
            self._strange = asyncio.get_running_loop().call_later(SOON_S, self._find_owners)
        self._known |= {path for path in paths if locate_codex.session_of(path)}
        for client in here:
            if client.kind == "codex":
                for path in paths.intersection(client.rollouts):
                    self._see(client, path)
            elif client.kind == "opencode":
                if client.home is not None and any(name.startswith(client.home.name) for name in names):
                    self._ask_soon(client.home)
            elif client.home is not None:
                self._chats_changed(client, client.home, folder, names)

    def _chats_changed(self, client: _Client, home: Path, folder: Path, names: frozenset[str]) -> None:
        if folder == home / "tmp":
            self._look(client)
        elif folder in client.sides:
            for name in sorted(names):
                if name.endswith((".json", ".jsonl")):
                    self._logs.follow(client.role, client.kind, folder / name, fresh=True)
        else:
            for name in sorted(names):
                if self._is_chat_of(client, name):
                    self._see(client, folder / name)

    def _see(self, client: _Client, path: Path) -> None:
        """Take that a file may have grown; when one that is new to us did, it tells itself."""
        before, mark = client.seen.get(path), _mark(path)
        client.seen[path] = mark
        if mark == before or not mark[1]:
            return
        self._read(client, path, mark[0] / 1e9)
        if before is None or self._clock.stamp().now - client.told >= TELL_S:
            self._tell(client, mark[0] / 1e9 if before is None else None)

    def _tell(self, client: _Client, grown_wall: float | None) -> None:
        if self._emit is not None:
            stamp = self._clock.stamp()
            if grown_wall is None:
                client.told = stamp.now
            self._emit(GrowthSeen(stamp, client.role, client.pid, grown_wall, client.session))

    # again and again

    async def _look_for_ever(self) -> None:
        turn = 0
        while True:
            await next_look(TICK_S)
            turn += 1
            for index, client in enumerate(list(self._clients.values())):
                if index % ROUND_TICKS == turn % ROUND_TICKS and self._clients.get(client.role) is client:
                    self._look(client)

    def _ask_soon(self, database: Path) -> None:
        self._due.add(database)
        self._quiet.clear()
        self._wake.set()

    async def _ask_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                await self._ask(self._due.pop())
            self._quiet.set()
            await asyncio.sleep(ASK_S)

    async def _ask(self, database: Path) -> None:
        """Ask a database when the sessions of its clients were last written."""
        asked: list[tuple[_Client, tuple[str, str]]] = []
        for client in self._clients.values():
            session = self._session_of(client.role)
            if client.kind == "opencode" and client.home == database and (session or self._alone(client)):
                asked.append((client, (session, str(client.cwd))))
        answers = await asyncio.to_thread(locate_opencode.written_at, database, [question for _, question in asked])
        for (client, _), written in zip(asked, answers, strict=True):
            if written is not None and self._clients.get(client.role) is client and written != client.written:
                self._see_session(client, written)
            client.looked = True

    def _see_session(self, client: _Client, written: locate_opencode.Written) -> None:
        before, client.written = client.written, written
        if client.home is None:
            return
        if before is not None and before.session != written.session:
            self._read(client, client.home, before.at, session=before.session)  # its last words
        self._read(client, client.home, written.at, session=written.session)
        stamp = self._clock.stamp()
        if before is None:
            self._tell(client, written.at)
        elif stamp.now - client.told >= TELL_S:
            self._tell(client, None)


def _mark(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
