"""What the clients in the panes say of themselves: their status file, and the transcript with their usage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from teamops.config.settings import Settings
from teamops.model.agent import ClientStatus
from teamops.model.clock import Stamp
from teamops.model.events import SourceTroubled, StatusSeen, UsageSeen
from teamops.model.role import Role
from teamops.model.tail import Position
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.port import Emit
from teamops.sources.tail import BLOCK, Chunk, Tail, grown_at, size_of
from teamops.sources.watch import Watch
from teamops.usage import locate
from teamops.usage.claude import ClaudeReader, Reading

SMALL = 1 << 16
"""Growth up to this is read in the loop: a millisecond. More goes to a thread."""
CHECK_S = 1.0
"""How often a client is asked whether it still runs."""

_Cancel = Callable[[], None]


@dataclass(slots=True, eq=False)
class _File:
    """One transcript of one role."""

    role: Role
    tail: Tail
    history: int
    """Bytes that were there when it was first seen: no sign of work."""
    told: bool = False
    """Something was said of it, were it only when it last grew."""
    learnt: bool = False
    """What the ledger has of it, and of the files it may copy, was read for the sake of deduplication."""


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
    """Emits ``StatusSeen`` and ``UsageSeen`` for every followed role.

    ``positions``: how far earlier lives read each file; what was written while teamops was not running is read then.
    ``env`` is teamops' own environment; a role's own settings overlay it. ``on_lines`` is told of all that is read in
    the transcripts that are no subagent's. All methods belong to the loop.
    """

    name = "transcripts"

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        clock: Clock,
        positions: Mapping[str, Position],
        env: Mapping[str, str],
        proc: Path = locate.PROC,
        on_lines: Callable[[Role, Sequence[bytes]], None] = lambda _role, _lines: None,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._clock = clock
        self._positions = positions
        self._env = env
        self._proc = proc
        self._on_lines = on_lines
        self._clients: dict[Role, _Client] = {}
        self._homes: dict[Path, _Cancel] = {}
        self._files: dict[tuple[Role, str], _File] = {}
        self._learnt: set[str] = set()
        self._due: dict[tuple[Role, str], None] = {}
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._reader = ClaudeReader()
        self._emit: Emit | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._looking = False
        self._reading = False
        self._seen: dict[Path, tuple[tuple[int, int, int], locate.Session | None]] = {}
        self._troubled: set[str] = set()

    async def start(self, emit: Emit) -> None:
        """Begin; whom to follow is said by ``follow``."""
        self._emit = emit
        self._tasks = [
            asyncio.create_task(keep(self.name, self._read_for_ever, emit, self._clock), name="transcripts"),
            asyncio.create_task(keep("client status", self._check_for_ever, emit, self._clock), name="client status"),
        ]
        self._look_soon()

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
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
        if pid is not None:
            own = self._settings.role(role)
            homes = locate.homes({**self._env, **(own.env if own else {})})
            self._clients[role] = _Client(role, pid, homes)
            for home in homes:
                if home not in self._homes:
                    self._homes[home] = self._watch.directory(home / "sessions", self._status_changed)
            self._look_soon()

    async def caught_up(self) -> None:
        """Return when all clients that are followed were looked for, and what they wrote so far was told."""
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
        self._rest()

    def _rest(self) -> None:
        """Say that there is nothing to do, if so."""
        if not (self._looking or self._reading or self._due):
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
        """Have a file read. ``fresh`` matters when it is new to us: then all of it was written just now."""
        key = (role, str(path))
        if key not in self._files:
            position = self._positions.get(str(path))
            news = fresh and position is None
            self._files[key] = _File(role, Tail(path, position), 0 if news else size_of(path))
        self._due[key] = None
        self._quiet.clear()
        self._wake.set()

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            # A killed client changes no file; that its status is stale shows at its process alone. One that leaves in
            # order takes its file along and ends a moment later.
            if any(self._has_ended(client) and not client.said[2] for client in self._clients.values()):
                self._seen.clear()
                self._look()

    async def _read_for_ever(self) -> None:
        while True:
            self._reading = True
            try:
                while self._due:
                    key = next(iter(self._due))
                    del self._due[key]
                    try:
                        await self._read(self._files[key])
                    except BaseException:
                        self._due[key] = None  # nothing of it was told: the next life of this task reads it again
                        raise
            finally:
                self._reading = False
            self._rest()
            await self._wake.wait()
            self._wake.clear()

    async def _read(self, file: _File) -> None:
        path = str(file.tail.path)
        try:
            if not file.learnt:
                await asyncio.to_thread(self._learn, file)
                file.learnt = True
            more = True
            while more:
                more = await self._read_some(file)
        except OSError as error:
            self._trouble(path, f"{path}: {error.strerror or error}")
        else:
            self._trouble(path, "")

    async def _read_some(self, file: _File) -> bool:
        """Read and tell one piece; return whether there is more."""
        before = file.tail.position
        grown = None if file.told else grown_at(file.tail.path)
        if size_of(file.tail.path) - before.offset <= SMALL:
            chunk, reading = self._take(file, SMALL)
        else:
            chunk, reading = await asyncio.to_thread(self._take, file, BLOCK)
        if self._emit is None:
            return False
        if not locate.is_side(file.tail.path.name):
            self._on_lines(file.role, chunk.lines)
        if chunk.restarted:
            file.history = 0
        grew = bool(chunk.lines) or chunk.skipped > 0
        if grew or chunk.restarted or grown is not None:
            file.told = True
            live = chunk.position.offset > file.history
            self._emit(
                UsageSeen(
                    self._clock.stamp(),
                    file.role,
                    reading.usages,
                    chunk.position,
                    grew=grew,
                    live=grew and live,
                    bad_lines=reading.bad_lines + chunk.skipped,
                    grown_wall=grown,
                )
            )
        return chunk.more

    def _take(self, file: _File, max_bytes: int) -> tuple[Chunk, Reading]:
        chunk = file.tail.read(max_bytes)
        return chunk, self._reader.read(chunk.lines)

    def _learn(self, file: _File) -> None:
        """Read again, without telling, what the ledger already has: its lines may come again, larger or copied.

        A fork copies the lines of a session beside it into its own file.
        """
        own = str(file.tail.path)
        # A file that was read before has its copies behind it: only a new one may hold lines of those beside it.
        paths = (
            [own]
            if own in self._positions
            else [path for path in self._positions if Path(path).parent == file.tail.path.parent]
        )
        for path in paths:
            if path in self._learnt:
                continue
            position = self._positions[path]
            self._learnt.add(path)
            tail = Tail(Path(path), Position(path, position.device, position.inode, 0, position.generation))
            try:
                while tail.position.offset < position.offset:
                    chunk = tail.read(min(BLOCK, position.offset - tail.position.offset))
                    if chunk.restarted or not (chunk.lines or chunk.more):
                        break
                    self._reader.read(chunk.lines)
            except OSError:
                continue  # it is only needed for copies; what can't be read can't have been copied lately

    def _trouble(self, path: str, message: str) -> None:
        if self._emit is None:
            return
        stamp: Stamp = self._clock.stamp()
        if message:
            self._troubled.add(path)
            self._emit(SourceTroubled(stamp, self.name, message, "mend the rights of the client's folder"))
        elif path in self._troubled:
            self._troubled.discard(path)
            self._emit(SourceTroubled(stamp, self.name, "", ""))


def _rank(session: locate.Session, pid: int) -> tuple[bool, float]:
    """Return how good a match is: the pane's own process before its children, then the one that spoke last."""
    return session.pid == pid, session.updated
